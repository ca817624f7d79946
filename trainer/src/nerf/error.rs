//! What can be wrong with a scene or a run on it. Every message names the file, the place and the remedy.

use std::path::PathBuf;

use thiserror::Error;

use crate::encoding::EncodingError;
use crate::export::ExportError;
use crate::files::{FolderError, ReadError, RemoveError, WriteError};
use crate::tensors::TensorError;
use crate::train::TrainError;

/// Why a scene cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SceneError {
    /// A file that is missing, not permitted, or failing.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No JSON, or another structure.
    #[error("{} is no list of views as Blender's exporters write it ({reason}); export it again", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser met, and where.
        reason: String,
    },
    /// A frame of another structure.
    #[error(
        "{}: frame {frame} is no view as Blender's exporters write it ({reason}); export it again or remove the frame",
        path.display()
    )]
    Frame {
        /// The file.
        path: PathBuf,
        /// Counted from 0.
        frame: usize,
        /// What the parser met.
        reason: String,
    },
    /// No field of view.
    #[error("{} has no camera_angle_x; add the horizontal field of view in radians", path.display())]
    NoAngle {
        /// The file.
        path: PathBuf,
    },
    /// An angle that no camera has.
    #[error("{} has camera_angle_x {angle}; a field of view has {} to {} radians", path.display(), range.0, range.1)]
    Angle {
        /// The file.
        path: PathBuf,
        /// As given.
        angle: f64,
        /// The smallest and the largest.
        range: (f64, f64),
    },
    /// No frames.
    #[error("{} lists no frames; export at least one view", path.display())]
    NoFrames {
        /// The file.
        path: PathBuf,
    },
    /// A matrix that is not 4×4.
    #[error("{}: frame {frame} has a transform_matrix that is not 4 rows of 4 numbers; export it again", path.display())]
    MatrixShape {
        /// The file.
        path: PathBuf,
        /// Counted from 0.
        frame: usize,
    },
    /// A matrix that is no camera-to-world transform.
    #[error(
        "{}: frame {frame} has a transform_matrix that is no rotation and position (its first three columns are not perpendicular and of length 1 or are mirrored, or its last row is not 0 0 0 1); remove the camera's scaling",
        path.display()
    )]
    Matrix {
        /// The file.
        path: PathBuf,
        /// Counted from 0.
        frame: usize,
    },
    /// A picture that does not exist.
    #[error(
        "{}: frame {frame} names the picture {}, which does not exist; render it or remove the frame",
        path.display(), picture.display()
    )]
    MissingPicture {
        /// The list.
        path: PathBuf,
        /// Counted from 0.
        frame: usize,
        /// Where the picture should be.
        picture: PathBuf,
    },
    /// A picture that cannot be decoded.
    #[error("{} is damaged or no PNG or JPEG ({reason}); render it again", path.display())]
    Picture {
        /// The picture.
        path: PathBuf,
        /// The decoder's reason, first line.
        reason: String,
    },
    /// Pictures of different sizes.
    #[error(
        "{} has {}×{} pixels, the pictures before it {}×{}; render all views at one size",
        path.display(), found.0, found.1, expected.0, expected.1
    )]
    Size {
        /// The picture that differs.
        path: PathBuf,
        /// Its width and height.
        found: (u32, u32),
        /// Those of the first.
        expected: (u32, u32),
    },
    /// Pictures without pixels or with too many.
    #[error("{} has {}×{} pixels; views have 1 to 4096 on each side", path.display(), size.0, size.1)]
    Pixels {
        /// The picture.
        path: PathBuf,
        /// Its width and height.
        size: (u32, u32),
    },
    /// A scene's box without volume.
    #[error("{} has a half_width of {half_width}; set it to a positive number below 1e6, or remove it", path.display())]
    SceneHalfWidth {
        /// The list.
        path: PathBuf,
        /// As it says.
        half_width: f32,
    },
    /// A box without volume.
    #[error("a bounding box of half width {half_width} is not possible; give --half-width a positive number below 1e6")]
    HalfWidth {
        /// As given.
        half_width: f32,
    },
}

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
        "{met} of {rays} training rays meet the cube of half width {half_width} around the origin, too few to learn from; give \
         --half-width the size of the scene, or check the cameras and camera_angle_x"
    )]
    NoRays {
        /// Rays that meet it.
        met: usize,
        /// Rays that were tried.
        rays: usize,
        /// Of the cube.
        half_width: f32,
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
