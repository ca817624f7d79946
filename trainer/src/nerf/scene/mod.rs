//! Scenes: pictures with cameras, as the exporters of Blender, nerfstudio, instant-ngp and COLMAP's converters list
//! them.
//!
//! **The rule: a known key that would change the answer is used, or refused by name; keys that are not known are
//! counted in one line.** `scene/keys.rs` holds the lists of both.
//!
//! A scene is a folder with `transforms_train.json`, `transforms_val.json` and `transforms_test.json`, or with one
//! `transforms.json` of all views, which is parted into those to train on and those to judge by. Each list has `frames`
//! with `file_path` (`scene/pictures.rs` tells how a file is found) and `transform_matrix` (camera to world, 4×4; the
//! camera looks along its -z, y up).
//!
//! | key, of a list or of a frame, which has the last word | meaning |
//! | --- | --- |
//! | `camera_angle_x`, `camera_angle_y` | field of view, radians (`x_fov`, `y_fov`: degrees) |
//! | `fl_x`, `fl_y`, `cx`, `cy` | focal length and principal point, in pixels of a picture of `w` × `h` |
//! | `k1`, `k2`, `k3`, `p1`, `p2` | OpenCV's distortion, see [`super::lens`] |
//! | `camera_model` | that of a pinhole with such a distortion; others are refused |
//! | `mask_path`, of a frame | a picture that is 0 where nothing shall be learned or judged |
//! | `half_width`; `aabb_scale`, `scale`, `offset`, `aabb`; of a list | the bounding cube, see [`Bounds`] |
//! | `train_filenames`, `val_filenames`, `test_filenames`, of `transforms.json` | the views of each part |
//!
//! Pictures are RGBA, whose transparent parts show the background, or RGB, and may have several sizes. Rays go through
//! the centres of pixels: (x + ½, y + ½).

mod bounds;
mod error;
mod intrinsics;
mod keys;
mod list;
mod pictures;
mod split;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use firmware_core::march::Camera;
use serde::{Deserialize, Serialize};

use super::lens::{Lens, Viewpoint};

pub use bounds::{Bounds, of_cameras};
pub use error::SceneError;
pub use list::read;

/// The half width of the bounding cube where neither the scene nor the caller gives one: what the well-known synthetic
/// scenes fit in.
pub const DEFAULT_HALF_WIDTH: f32 = 1.5;
/// Fields of view, radians: less is no picture but a point, more is nearly flat.
const ANGLES: (f64, f64) = (1e-3, 3.1);

/// A list of views as it is written.
#[derive(Clone, Debug, Serialize)]
pub struct Transforms {
    /// Horizontal field of view, radians.
    pub camera_angle_x: Option<f64>,
    /// Half width of the bounding cube.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_width: Option<f32>,
    /// One view each, in the order of the file.
    pub frames: Vec<Frame>,
}

/// A view as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// The picture, relative to the list.
    pub file_path: String,
    /// Camera to world.
    pub transform_matrix: Vec<Vec<f64>>,
}

/// A picture with its camera.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The file's name without extension.
    pub name: String,
    /// Where it was taken from.
    pub camera: Camera,
    /// What its lens differs in from a pinhole's, see [`super::lens`].
    pub lens: Option<Lens>,
    /// RGBA in [0, 1], `[height, width, 4]` row-major, colour not multiplied by alpha.
    pub pixels: Vec<[f32; 4]>,
    /// Which pixels are learned and judged, `[height, width]`; `None`: all.
    pub mask: Option<Vec<bool>>,
}

impl View {
    /// A whole picture of a pinhole.
    pub fn new(name: impl Into<String>, camera: Camera, pixels: Vec<[f32; 4]>) -> Self {
        Self { name: name.into(), camera, lens: None, pixels, mask: None }
    }

    /// The camera with its lens.
    pub fn viewpoint(&self) -> Viewpoint {
        Viewpoint { camera: self.camera, lens: self.lens }
    }

    /// Whether a pixel is learned and judged.
    pub fn is_kept(&self, pixel: usize) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask[pixel])
    }

    /// The pixels over a background, `[height·width]`.
    pub fn over(&self, background: [f32; 3]) -> Vec<[f32; 3]> {
        self.pixels.iter().map(|&pixel| over(pixel, background)).collect()
    }
}

/// A colour over a background.
pub fn over([red, green, blue, alpha]: [f32; 4], background: [f32; 3]) -> [f32; 3] {
    let mut color = [red, green, blue];
    for (channel, background) in color.iter_mut().zip(background) {
        *channel = *channel * alpha + background * (1.0 - alpha);
    }
    color
}

/// Which list of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// To train on.
    Train,
    /// To choose hyperparameters by.
    Validation,
    /// To judge by.
    Test,
}

impl Part {
    /// The name in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
            Self::Test => "test",
        }
    }

    /// The list's file in a scene's folder.
    pub fn list(self, scene: &Path) -> PathBuf {
        scene.join(format!("transforms_{}.json", self.name()))
    }
}

/// Views of one part, with the bounding cube.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// In the list's order; at least one.
    pub views: Vec<View>,
    /// Half width of the bounding cube, where the scene gives one.
    pub half_width: Option<f32>,
    /// The middle of the bounding cube, in the units of the cameras.
    pub center: [f32; 3],
    /// What is worth saying of the files, in whole sentences.
    pub notes: Vec<String>,
    /// What is worth saying where the caller leaves the size of the cube to the scene.
    pub size_note: Option<String>,
}

/// Whole sentences, each once.
#[derive(Debug, Default)]
struct Notes(Vec<String>);

impl Notes {
    fn say(&mut self, sentence: String) {
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }
}

/// A place for a message.
pub(super) fn place_of(center: [f32; 3]) -> String {
    let [x, y, z] = center;
    if center == [0.0; 3] { "the origin".to_owned() } else { format!("({x}, {y}, {z})") }
}

/// Pixels per unit of x/z for a horizontal field of view in radians.
pub fn focal_length(width: u32, angle: f64) -> f32 {
    (0.5 * f64::from(width) / (0.5 * angle).tan()) as f32
}

/// Checks the half width of a bounding cube.
///
/// # Errors
/// If it is no positive number.
pub fn check_half_width(half_width: f32) -> Result<f32, SceneError> {
    let fits = half_width > 0.0 && half_width < 1e6;
    if fits { Ok(half_width) } else { Err(SceneError::HalfWidth { half_width }) }
}
