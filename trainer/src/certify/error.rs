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
    /// What was stopped, in a file that is not as it was written.
    #[error("{} is damaged ({reason}); delete it and leave out --resume to begin again", path.display())]
    Damaged {
        /// The file that was read.
        path: PathBuf,
        /// How that is seen.
        reason: Misfit,
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
    /// What is to be continued is none of this model.
    #[error("what was stopped does not fit the model ({0}); begin again")]
    Misfit(#[from] Misfit),
    /// Stopped before the end.
    #[error("stopped; nothing is proven until all codes are evaluated")]
    Stopped,
}

/// Why an enumeration, or the file of what was stopped, cannot be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Misfit {
    /// It is cut, or holds something else.
    #[error("its contents are not those that `trainer certify` writes")]
    Format,
    /// The contents have another checksum than the one that was written.
    #[error("its contents are not those of its checksum")]
    Checksum,
    /// An enumeration of a model that is none of codes alone.
    #[error("not every input of the model consists of codes")]
    NoCodes,
    /// No point is left to evaluate.
    #[error("it has {0} points of {1}, so that nothing is left to continue")]
    Points(u64, u64),
    /// Another number of outputs.
    #[error("it has {0} outputs, and the model {1}")]
    Outputs(usize, usize),
    /// Another number of inputs.
    #[error("it has steps along {0} inputs, and the model has {1} inputs")]
    Inputs(usize, usize),
    /// A distance without data, or data without a distance.
    #[error("it has a distance without data, or none with data")]
    Distance,
    /// A number without its codes, or codes that the model has not.
    #[error("a number of it has no codes, or other ones than the model")]
    Codes,
}
