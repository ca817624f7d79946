//! What can be wrong with a run on a scene; [`SceneError`] is what can be wrong with the scene itself. Every message
//! names the file, the place and the remedy.

use std::path::PathBuf;

use thiserror::Error;

pub use super::scene::SceneError;
use crate::artifact::export::ExportError;
use crate::base::files::{FolderError, RemoveError, WriteError};
use crate::network::encoding::EncodingError;
use crate::report::ReportError;
use crate::store::run::RunError;
use crate::store::tensors::TensorError;
use crate::training::TrainError;

/// Why a field cannot be trained, saved or drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NerfError {
    /// A list of views or a picture is of no use.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// There is no such encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Training diverged, or its state could not be saved.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The network does not fit an artifact.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A checkpoint is damaged or of another network.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// The folder holds no run, or one of other pictures.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The report could not be drawn or written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Paths cannot be made absolute.
    #[error("cannot tell the current directory")]
    CurrentFolder(#[source] std::io::Error),
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A folder that cannot be made, or is taken.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A hyperparameter out of range.
    #[error("{name} is {value}; it must be {range}")]
    Setting {
        /// As on the command line.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The values that are possible, in words.
        range: &'static str,
    },
    /// Hardly any ray passes through the bounding cube.
    #[error(
        "{met} of {rays} training rays meet the cube of half width {half_width} around {}, too few to learn from; give \
         --half-width the size of the scene, or check the cameras and camera_angle_x", super::scene::place_of(*center)
    )]
    NoRays {
        /// Rays that meet it.
        met: usize,
        /// Rays that were tried.
        rays: usize,
        /// Half the length of the cube's edges, in the units of the cameras.
        half_width: f32,
        /// The middle of the cube.
        center: [f32; 3],
    },
    /// A list of views that is out of date cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// The written artifact or volume does not come back.
    #[error("{} cannot be drawn: {reason}; fit the scene again", path.display())]
    Artifact {
        /// The artifact or volume.
        path: PathBuf,
        /// The first thing found wrong.
        reason: String,
    },
    /// A picture that cannot be encoded.
    #[error("cannot encode a picture: {0}")]
    Encode(String),
}
