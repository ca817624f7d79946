//! Trains, explains and quantizes Fourier-feature networks.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests write what the program reads, and make signals"))]

/// Writes a line to standard error as [`eprintln!`] does, and goes on if nobody reads it: a closed pipe or a full disk behind a
/// log must not end a run of hours.
#[macro_export]
macro_rules! note {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

// The command line names the library as other programs do.
extern crate self as trainer;

pub mod artifact;
pub mod base;
#[doc(hidden)]
pub mod cli;
pub mod cryo;
pub mod data;
pub mod fit;
pub mod inverse;
pub mod nerf;
pub mod network;
pub mod report;
pub mod reproduce;
pub mod store;
pub mod sweep;
pub mod theory;
pub mod training;
