//! Trains Fourier-feature networks on a desktop computer, measures them, and writes them as artifacts: model files that
//! [`firmware_core`] evaluates on a microcontroller with the same bits.
//!
//! # From a file of data to an artifact
//!
//! ```
//! use firmware_core::Precision;
//! use trainer::artifact::model_file::predict;
//! use trainer::data::metrics::Metrics;
//! use trainer::data::{LoadOptions, load};
//! use trainer::fit::FitParams;
//! use trainer::network::encoding::EncodingParams;
//! use trainer::training::Watch;
//!
//! // Load: 138 rows of a thermocouple, degrees Celsius against millivolts.
//! let (path, options) = ("data/thermocouple_k.csv", LoadOptions::default());
//! let data = load(path.as_ref(), &options)?;
//!
//! // Fit: a tiny network; σ = 1 suits so smooth a curve.
//! let encoding = EncodingParams { scale: 1.0, frequencies: 8, ..EncodingParams::default() };
//! let params = FitParams { encoding, hidden: vec![16], steps: 300, ..FitParams::default() };
//! let fitted = params.check(data.inputs(), data.outputs())?.fit(&data, &mut Watch::default())?;
//!
//! // Artifact: weights of 8 bits, activations of 16 bits.
//! let artifact = fitted.artifact(&data, Precision::W8A16)?;
//!
//! // Evaluate: as the device does.
//! let degrees = predict(&artifact.model()?, &data.points)?;
//! let metrics = Metrics::compare(&degrees, &data.targets, &data.output_maps);
//! assert!(metrics.psnr_db > 35.0, "{} dB", metrics.psnr_db);
//! std::fs::write(std::env::temp_dir().join("thermocouple.ffm"), artifact.as_bytes())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The program in `examples/fit_to_artifact.rs` does the same for any file.
//!
//! # Where to find what
//!
//! The modules stand on floors. Each imports only from the floors below it.
//!
//! | floor | module | what it is for |
//! | --- | --- | --- |
//! | 6 | [`reproduce`] | the figures of the lesson and of the paper, each by one function |
//! | 5 | [`sweep`] | many settings on one data set, compared on held-out samples |
//! | | [`design`] | the best model for a budget of bytes, instructions and RAM |
//! | | [`faults`] | what a flipped bit of a model does, and who finds it |
//! | | [`import`] | networks that were trained by PyTorch or JAX |
//! | | [`nerf`], [`cryo`], [`inverse`] | scenes; proteins that move; CT, MRI and shapes |
//! | 4 | [`fit`] | from a data set to a trained network: settings, choice of σ, held-out quality, results |
//! | | [`certify`] | what a model answers anywhere, proven |
//! | 3 | [`store`] | the folder of a run, tensors, checkpoints |
//! | | [`device`] | signed models, and the line to a device that takes them |
//! | | [`theory`] | kernels, the neural tangent kernel, training dynamics, spectra |
//! | | [`report`] | the page of a run, and every figure |
//! | 2 | [`training`] | the training loop, losses, optimizer, learning-rate schedule |
//! | | [`artifact`] | quantization, the model file and its description |
//! | 1 | [`data`] | files of every format as coordinates and targets; quality measures |
//! | | [`network`] | encodings, the network, its gradients |
//! | 0 | [`base`] | files, random numbers, checksums, threads, the Fourier transform |
//!
//! # Read on
//!
//! - [`data`] says what the samples of a file become: units, ranges, and the order of the inputs.
//! - [`network::encoding`] has the encodings with their equations, and [`fit`] a table of all settings.
//! - [`theory`] computes what a training does before it is run.
//! - [`firmware_core`] specifies the model file and the arithmetic of the device.
//! - The README of this package has measured results, and the commands of the program `trainer`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests write what the program reads, and make signals"))]

/// Writes a line to standard error as [`eprintln!`] does, and goes on if nobody reads it: a closed pipe or a full disk
/// behind a log must not end a run of hours.
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
pub mod certify;
#[doc(hidden)]
pub mod cli;
pub mod cryo;
pub mod data;
pub mod design;
pub mod device;
pub mod faults;
pub mod fit;
pub mod import;
pub mod inverse;
pub mod nerf;
pub mod network;
pub mod report;
pub mod reproduce;
pub mod store;
pub mod sweep;
pub mod theory;
pub mod training;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
