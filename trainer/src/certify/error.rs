//! What keeps a model from being certified.

use std::path::PathBuf;

use thiserror::Error;

use crate::artifact::model_file::ModelError;
use crate::base::files::{ReadError, WriteError};

/// Why nothing is proven.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// More inputs than bounds are found for.
    #[error("the model has {0} inputs, and bounds are found for models of 1 to 3; certify one of fewer inputs")]
    Inputs(usize),
    /// More answers than can be enumerated.
    #[error(
        "the codes of the model have {0} bits together, and {1} is the most that is enumerated; fit the model with fewer \
         bits for --codes"
    )]
    Codes(u32, u32),
    /// The samples make no grid, so that they have no interpolant.
    #[error(
        "the {samples} samples do not make a whole grid of {grid} positions, so that nothing is known between them; give \
         data on a grid, or leave the data out to certify the outputs and slopes alone"
    )]
    NoGrid {
        /// The number of samples.
        samples: usize,
        /// The positions along each axis.
        grid: String,
    },
    /// Samples at one place with different values.
    #[error(
        "samples {} and {}, counted from 1, are at the same place with different values, so that nothing is known between the \
         samples; {} in all; give one value for each place",
        samples[0],
        samples[1],
        if *pairs == 1 { "there is 1 such pair".to_owned() } else { format!("there are {pairs} such pairs") }
    )]
    Twice {
        /// The first such pair, each counted from 1 in the data's order.
        samples: [usize; 2],
        /// How many samples have other values than the first one at their place.
        pairs: usize,
    },
    /// An input that the model has not.
    #[error("--monotone names '{0}', which is no input of the model; the inputs are {1}")]
    Input(String, String),
    /// A range that is none.
    #[error("--within {0},{1} is empty; give the smaller number first")]
    Range(f64, f64),
    /// A file of another kind, or a damaged one.
    #[error("{} is not a file of `trainer certify`; name the one that --out wrote", path.display())]
    Format {
        /// The file that was read.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A certificate of another model or of other data.
    #[error("{} belongs to {what}; {remedy}", path.display())]
    Other {
        /// The certificate.
        path: PathBuf,
        /// What is another one.
        what: &'static str,
        /// What can be done about it.
        remedy: &'static str,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The model refuses a point.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The text of a model cannot be written anew.
    #[error("the result cannot be written into the card of the model")]
    Card(#[from] firmware_core::WriteError),
    /// Stopped before the end.
    #[error("stopped; nothing is proven until all codes are evaluated; with --out, what is stopped can be continued")]
    Stopped,
}
