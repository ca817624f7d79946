//! What can be wrong with a scene. Every message names the file, the place and the remedy.

use std::path::PathBuf;

use thiserror::Error;

use crate::base::files::ReadError;

/// The place in a list, for a message.
fn place(frame: Option<usize>) -> String {
    frame.map_or_else(String::new, |frame| format!(": frame {frame}"))
}

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
        /// The list of views: a transforms….json.
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
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
        /// What the parser met.
        reason: String,
    },
    /// No field of view.
    #[error(
        "{}{} has no camera_angle_x and no fl_x; add the horizontal field of view in radians, or the focal length in pixels",
        path.display(), place(*frame)
    )]
    NoAngle {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: Option<usize>,
    },
    /// An angle that no camera has.
    #[error(
        "{}{} has {key} {angle}; a field of view has {} to {} radians",
        path.display(), place(*frame), range.0, range.1
    )]
    Angle {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0; `None` for the list as a whole.
        frame: Option<usize>,
        /// Which angle, or the focal length that it follows from.
        key: &'static str,
        /// The angle that the file has, in radians.
        angle: f64,
        /// The smallest and the largest.
        range: (f64, f64),
    },
    /// A value that the key cannot have.
    #[error("{}{} has {key} {value}; it takes {expected}", path.display(), place(*frame))]
    Value {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0; `None` for the list as a whole.
        frame: Option<usize>,
        /// The key, as the list spells it.
        key: String,
        /// The value that the file has.
        value: String,
        /// What it can have.
        expected: &'static str,
    },
    /// Something known that is not modelled and would change the answer.
    #[error("{}{} has {key} {value}, which is not modelled: {remedy}", path.display(), place(*frame))]
    NotModelled {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0; `None` for the list as a whole.
        frame: Option<usize>,
        /// The key, as the list spells it.
        key: String,
        /// The value that the file has.
        value: String,
        /// Why it changes the answer, and what to do about it.
        remedy: &'static str,
    },
    /// A focal length and an angle that do not belong together.
    #[error(
        "{}{} has {key} {focal}, and {angle_key} {angle} would be {implied:.2}; remove the one that is wrong",
        path.display(), place(*frame)
    )]
    Contradiction {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0; `None` for the list as a whole.
        frame: Option<usize>,
        /// `fl_x` or `fl_y`.
        key: &'static str,
        /// The focal length that the file has, in pixels.
        focal: f64,
        /// `camera_angle_x` or `camera_angle_y`.
        angle_key: &'static str,
        /// The angle that the file has, in radians.
        angle: f64,
        /// The focal length that follows from it.
        implied: f64,
    },
    /// A lens whose model has no direction for a part of the picture.
    #[error(
        "{}: frame {frame} has a distortion (k1, k2, k3, p1, p2) that folds the picture at pixel ({}, {}); correct the \
         coefficients, or undistort the pictures first, for example with `colmap image_undistorter`, and export again",
        path.display(), pixel.0, pixel.1
    )]
    Distortion {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
        /// Column and row.
        pixel: (u16, u16),
    },
    /// No frames.
    #[error("{} lists no frames; export at least one view", path.display())]
    NoFrames {
        /// The list of views: a transforms….json.
        path: PathBuf,
    },
    /// A matrix that is not 4×4.
    #[error("{}: frame {frame} has a transform_matrix that is not 4 rows of 4 numbers; export it again", path.display())]
    MatrixShape {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
    },
    /// A matrix that is no camera-to-world transform.
    #[error(
        "{}: frame {frame} has a transform_matrix that is no rotation and position (its first three columns are not perpendicular and of length 1 or are mirrored, or its last row is not 0 0 0 1); remove the camera's scaling",
        path.display()
    )]
    Matrix {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
    },
    /// A split that names what is not there.
    #[error("{} names {name} in {key}, and no frame has that file_path; correct the name or remove {key}", path.display())]
    SplitName {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// `train_filenames`, `val_filenames` or `test_filenames`.
        key: &'static str,
        /// As it is written there.
        name: String,
    },
    /// A part without views.
    #[error("{} leaves no view {purpose}; {remedy}", path.display())]
    EmptyPart {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// To train on, or to judge by.
        purpose: &'static str,
        /// How to get such a view.
        remedy: &'static str,
    },
    /// A picture that does not exist.
    #[error(
        "{}: frame {frame} names the picture {}, which does not exist; render it or remove the frame",
        path.display(), picture.display()
    )]
    MissingPicture {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
        /// Where the picture should be.
        picture: PathBuf,
    },
    /// A mask that does not exist.
    #[error(
        "{}: frame {frame} names the mask {}, which does not exist; put it there or remove mask_path",
        path.display(), mask.display()
    )]
    MissingMask {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
        /// Where the mask should be.
        mask: PathBuf,
    },
    /// One file that stands for two frames.
    #[error(
        "{}: the pictures of frames {} and {} are not where the list says, and {} has the name of both; put the pictures into \
         folders beside the list as it names them",
        path.display(), frames.0, frames.1, picture.display()
    )]
    SamePicture {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The places of the two frames in the list, counted from 0.
        frames: (usize, usize),
        /// The file that was found.
        picture: PathBuf,
    },
    /// A picture that cannot be decoded.
    #[error("{} is damaged or no PNG or JPEG ({reason}); render it again", path.display())]
    Picture {
        /// The PNG or JPEG, where it was found.
        path: PathBuf,
        /// The decoder's reason, first line.
        reason: String,
    },
    /// A picture of another size than its focal length is meant for.
    #[error(
        "{} has {}×{} pixels, and {}: frame {frame} is meant for w {} and h {}; give the picture that size, or one that is a whole \
         number of times smaller or larger, or correct w, h, fl_x, fl_y, cx and cy",
        picture.display(), found.0, found.1, path.display(), expected.0, expected.1
    )]
    Size {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
        /// The PNG or JPEG, where it was found.
        picture: PathBuf,
        /// Its width and height.
        found: (u32, u32),
        /// What the list says.
        expected: (u32, u32),
    },
    /// A mask of another size than its picture.
    #[error(
        "{} has {}×{} pixels and its picture {}×{}; give the mask the size of the picture, or one that is a whole number of times \
         smaller or larger",
        mask.display(), found.0, found.1, expected.0, expected.1
    )]
    MaskSize {
        /// The picture of the mask, where it was found.
        mask: PathBuf,
        /// Its width and height.
        found: (u32, u32),
        /// Those of the picture.
        expected: (u32, u32),
    },
    /// A mask that leaves nothing.
    #[error(
        "{} is 0 everywhere, which hides every pixel of {}: frame {frame}; remove its mask_path, or the frame",
        mask.display(), path.display()
    )]
    EmptyMask {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// The place of the frame in the list, counted from 0.
        frame: usize,
        /// The picture of the mask, where it was found.
        mask: PathBuf,
    },
    /// Pictures without pixels or with too many.
    #[error("{} has {}×{} pixels; views have 1 to 4096 on each side", path.display(), size.0, size.1)]
    Pixels {
        /// The PNG or JPEG, where it was found.
        path: PathBuf,
        /// Its width and height.
        size: (u32, u32),
    },
    /// A scene's box without volume.
    #[error("{} has a half_width of {half_width}; set it to a positive number below 1e6, or remove it", path.display())]
    SceneHalfWidth {
        /// The list of views: a transforms….json.
        path: PathBuf,
        /// As it says.
        half_width: f32,
    },
    /// A box without volume.
    #[error("a bounding box of half width {half_width} is not possible; give --half-width a positive number below 1e6")]
    HalfWidth {
        /// The half width that was given.
        half_width: f32,
    },
}
