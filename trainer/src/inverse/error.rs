//! Why an inverse problem was not solved.

use thiserror::Error;

use crate::artifact::export::ExportError;
use crate::network::encoding::EncodingError;
use crate::report::figure::FigureError;
use crate::store::run::RunError;
use crate::training::TrainError;

/// A comparison that could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InverseError {
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A setting out of range.
    #[error("{name} is {value}; it must be {range}")]
    Setting {
        /// As on the command line.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The values that are possible, in words.
        range: &'static str,
    },
    /// A mesh that cannot be read or has no inside.
    #[error(transparent)]
    Mesh(#[from] super::shape::read::ReadMeshError),
    /// An encoding that does not exist.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A network could not be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The folder cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The pictures of the fields could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The best network does not fit an artifact.
    #[error(transparent)]
    Export(#[from] ExportError),
}
