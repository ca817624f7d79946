//! Tests of `cargo xtask` itself and of what it measures. One program, so that the library is linked once.

mod boards;
mod budgets;
mod demo;
mod fuzz;
mod kernels;
mod layers;
mod packages;
mod provision;
