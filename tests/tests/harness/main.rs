//! Tests of `cargo xtask` itself and of what it measures. One program, so that the library is linked once.

mod boards;
mod budgets;
mod c_header;
mod c_interface;
mod circles;
mod columns;
mod demo;
mod fuzz;
mod imports;
mod kernels;
mod layers;
mod numpy;
mod packages;
mod provision;
