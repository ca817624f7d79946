//! Trains, explains and quantizes Fourier-feature networks.

/// Writes a line to standard error as [`eprintln!`] does, and goes on if nobody reads it: a closed pipe or a full disk behind a
/// log must not end a run of hours.
#[macro_export]
macro_rules! note {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

pub mod artifact;
pub mod base;
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
