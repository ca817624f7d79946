//! What keeps flips from being tried.

use thiserror::Error;

use crate::artifact::model_file::ModelError;
use crate::base::files::WriteError;
use crate::report::figure::FigureError;

/// Why nothing is known of the flips.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FaultsError {
    /// The model refuses a sample.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The user asked to stop.
    #[error("stopped; nothing is written, since not every flip was tried (fewer --flips or --samples take less time)")]
    Stopped,
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
}
