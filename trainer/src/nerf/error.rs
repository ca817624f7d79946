//! What can be wrong with a run on a scene; [`SceneError`] is what can be wrong with the scene itself. Every message names the
//! file, the place and the remedy.

use std::path::PathBuf;

use thiserror::Error;

pub use super::scene::SceneError;
use crate::artifact::export::ExportError;
use crate::base::files::{FolderError, RemoveError, WriteError};
use crate::network::encoding::EncodingError;
use crate::store::tensors::TensorError;
use crate::training::TrainError;

/// Why a field cannot be trained, saved or drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NerfError {
    /// The scene.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// The encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The loop.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The artifact.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A tensor file.
    #[error(transparent)]
    Tensors(#[from] TensorError),
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
        /// As given.
        value: String,
        /// What is possible.
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
        /// Of the cube.
        half_width: f32,
        /// Its middle.
        center: [f32; 3],
    },
    /// A list of views that is out of date cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// The written artifact or volume does not come back.
    #[error("{} cannot be drawn: {reason}; fit the scene again", path.display())]
    Artifact {
        /// The file.
        path: PathBuf,
        /// The first thing found wrong.
        reason: String,
    },
    /// A picture that cannot be encoded.
    #[error("cannot encode a picture: {0}")]
    Encode(String),
}
