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

pub mod advice;
pub mod auto_scale;
pub mod checkpoint;
pub mod cryo;
pub mod dataset;
pub mod effect;
pub mod encoding;
pub mod export;
pub mod features;
pub mod files;
pub mod fit;
pub mod guide;
pub mod inverse;
pub mod loss;
pub mod matmul;
pub mod metrics;
pub mod model_card;
pub mod model_file;
pub mod nerf;
pub mod network;
pub mod optimizer;
pub mod outcome;
pub mod points;
pub mod progress;
pub mod quantize;
pub mod regression;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod saved;
pub mod side_by_side;
pub mod sweep;
pub mod tensors;
pub mod theory;
pub mod train;
pub mod validation;
