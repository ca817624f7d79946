//! The workspace's integration tests, the QEMU harness and `cargo xtask`.
//!
//! The harness builds the firmware for a board of the [board table](boards), runs it under QEMU with a model and points
//! from outside, decodes its log and takes its outputs.

pub mod boards;
pub mod budgets;
pub mod c_library;
pub mod c_program;
pub mod chart;
pub mod commands;
pub mod costs;
pub mod counts;
pub mod device;
pub mod elf;
pub mod firmware;
pub mod flash;
pub mod golden;
pub mod grid_networks;
pub mod hosted;
pub mod log;
pub mod minimal;
pub mod model;
pub mod peers;
pub mod points;
pub mod process;
pub mod provision;
pub mod qemu;
pub mod random;
pub mod signals;
pub mod skipped;
pub mod synthetic;
pub mod system;
pub mod test_programs;
pub mod together;
pub mod trainer_program;
pub mod updater;

/// Compiles the examples of the project's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectReadme;

/// Compiles the examples of this package's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles the examples for contributors.
#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
struct Contributing;
