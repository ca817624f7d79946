//! Why a figure or a report could not be made.

use thiserror::Error;

use crate::base::files;

/// Why a figure could not be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The plotting library refused.
    #[error("cannot draw the figure ({0})")]
    Draw(String),
    /// The picture could not be encoded.
    #[error("cannot encode the picture")]
    Encode(#[from] image::ImageError),
}

/// Why a report could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] files::WriteError),
    /// A drawing of the run that was replaced stays.
    #[error(transparent)]
    Remove(#[from] files::RemoveError),
}
