//! The keys of a list of views: which are used, which are refused, and which change nothing.
//!
//! The rule: a known key that would change the answer is used or refused by name; keys that are not known are counted
//! in one line.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::Notes;
use super::error::SceneError;

/// What is read of a list as a whole, beside [`LENS`].
const OF_LISTS: [&str; 9] = [
    "frames",
    "half_width",
    "aabb",
    "aabb_scale",
    "scale",
    "offset",
    "train_filenames",
    "val_filenames",
    "test_filenames",
];
/// What is read of each frame, beside [`LENS`].
const OF_FRAMES: [&str; 4] = ["file_path", "transform_matrix", "mask_path", "time"];
/// What is read of either.
const LENS: [&str; 17] = [
    "camera_model",
    "camera_angle_x",
    "camera_angle_y",
    "x_fov",
    "y_fov",
    "fl_x",
    "fl_y",
    "cx",
    "cy",
    "w",
    "h",
    "k1",
    "k2",
    "k3",
    "p1",
    "p2",
    "is_fisheye",
];
/// What says nothing about where a picture was taken or what it shows. Depths and point clouds help others to train;
/// near and far bound rays, which the cube does here; `applied_transform` and `applied_scale` tell how the cameras came
/// to be where the list says they are.
const WITHOUT_EFFECT: [&str; 26] = [
    "applied_scale",
    "applied_transform",
    "auto_scale_poses_override",
    "bounding_radius",
    "camera_id",
    "colmap_im_id",
    "depth_file_path",
    "depth_path",
    "enable_depth_loading",
    "enable_ray_loading",
    "far",
    "fisheye_crop_radius",
    "frame_id",
    "id",
    "integer_depth_scale",
    "n_extra_learnable_dims",
    "name",
    "near",
    "orientation_override",
    "ply_file_path",
    "render_aabb",
    "rotation",
    "sharpness",
    "sharpness_discard_threshold",
    "timestamp",
    "up",
];
/// Camera models whose pictures are central projections with the distortion of [`super::super::lens`].
const PERSPECTIVE: [&str; 7] =
    ["PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV", "PERSPECTIVE"];
/// What to do where the lens is another.
const UNDISTORT: &str = "pictures are taken to be those of a pinhole with OpenCV's k1, k2, k3, p1 and p2; undistort them first, for \
                         example with `colmap image_undistorter`, and export again";
const COEFFICIENT: &str = "programs differ in what it means, and k1, k2, k3, p1 and p2 of OpenCV's distortion are what is used; undistort \
                           the pictures first, for example with `colmap image_undistorter`, and export again";
const TRANSPARENT: &str =
    "pixels are transparent by the pictures' alpha channel alone; save the pictures with one and remove the key";
const EXPOSURE: &str =
    "a camera stands still while it takes a picture; remove the key, or leave out the pictures that it blurs";

/// Keys that are refused where the value is anything but a plain no.
const REFUSED: [(&str, &str); 23] = [
    ("is_fisheye", UNDISTORT),
    ("k4", COEFFICIENT),
    ("k5", COEFFICIENT),
    ("k6", COEFFICIENT),
    ("distortion_params", UNDISTORT),
    ("ftheta_p0", UNDISTORT),
    ("ftheta_p1", UNDISTORT),
    ("ftheta_p2", UNDISTORT),
    ("ftheta_p3", UNDISTORT),
    ("ftheta_p4", UNDISTORT),
    ("latlong", UNDISTORT),
    ("equirectangular", UNDISTORT),
    ("orthographic", UNDISTORT),
    ("rolling_shutter", EXPOSURE),
    ("transform_matrix_start", EXPOSURE),
    ("transform_matrix_end", EXPOSURE),
    ("white_transparent", TRANSPARENT),
    ("black_transparent", TRANSPARENT),
    ("mask_color", "pixels are hidden by masks alone; write masks, name them by mask_path and remove the key"),
    ("fix_premult", "colours are taken as not multiplied by alpha; save the pictures so and remove the key"),
    ("sharpen", "pictures are taken as they are; sharpen them and remove the key"),
    ("from_mitsuba", "cameras look along their -z with y up; turn the matrices and remove the key"),
    ("env_map", "the background is of one colour; remove the key"),
];

/// One object of a list, which knows where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'a> {
    pub(super) path: &'a Path,
    /// The place of the frame in the list, counted from 0; `None` for the list as a whole.
    pub(super) frame: Option<usize>,
    pub(super) map: &'a Map<String, Value>,
}

impl Keys<'_> {
    /// A value that is there; null is not.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A complaint about a value.
    pub(super) fn unfit(&self, key: &str, expected: &'static str) -> SceneError {
        let value = self.map.get(key).map_or_else(String::new, short);
        SceneError::Value { path: self.path.to_owned(), frame: self.frame, key: key.to_owned(), value, expected }
    }

    /// A finite number.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, SceneError> {
        let number = |value: &Value| value.as_f64().filter(|number| number.is_finite());
        self.get(key).map(|value| number(value).ok_or_else(|| self.unfit(key, "a number"))).transpose()
    }

    /// A finite number above zero.
    pub(super) fn positive(&self, key: &str) -> Result<Option<f64>, SceneError> {
        let number = self.number(key)?;
        if number.is_some_and(|number| number <= 0.0) { Err(self.unfit(key, "a number above 0")) } else { Ok(number) }
    }

    /// A refusal of what is known and not modelled.
    pub(super) fn refuse(&self, key: &str, remedy: &'static str) -> SceneError {
        let value = self.map.get(key).map_or_else(String::new, short);
        SceneError::NotModelled { path: self.path.to_owned(), frame: self.frame, key: key.to_owned(), value, remedy }
    }

    /// Refuses what is known and not modelled.
    pub(super) fn check(&self) -> Result<(), SceneError> {
        for (key, remedy) in REFUSED {
            if self.get(key).is_some_and(|value| !is_no(value)) {
                return Err(self.refuse(key, remedy));
            }
        }
        match self.get("camera_model") {
            Some(Value::String(model)) if PERSPECTIVE.contains(&model.to_ascii_uppercase().as_str()) => Ok(()),
            None => Ok(()),
            Some(_) => Err(self.refuse("camera_model", UNDISTORT)),
        }
    }
}

/// Whether a value says that there is nothing: false, zero, an empty text, or a list of such.
fn is_no(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.iter().all(is_no),
        _ => false,
    }
}

/// A value for a message: texts without quotes, long ones cut.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain("…".chars()).collect()
}

/// Counts the keys that are not known, in one line.
pub(super) fn note_unknown<'a>(
    path: &Path,
    list: &'a Map<String, Value>,
    frames: impl Iterator<Item = &'a Map<String, Value>>,
    notes: &mut Notes,
) {
    const NAMED: usize = 6;
    let anywhere = |key: &str| {
        LENS.contains(&key) || WITHOUT_EFFECT.contains(&key) || REFUSED.iter().any(|(refused, _)| *refused == key)
    };
    let of_list = list.keys().filter(|key| !anywhere(key) && !OF_LISTS.contains(&key.as_str()));
    let of_frames = frames.flat_map(Map::keys).filter(|key| !anywhere(key) && !OF_FRAMES.contains(&key.as_str()));
    let unknown: BTreeSet<&str> = of_list.chain(of_frames).map(String::as_str).collect();
    if unknown.is_empty() {
        return;
    }
    let named: Vec<&str> = unknown.iter().take(NAMED).copied().collect();
    let rest = if unknown.len() > NAMED { format!(" and {} more", unknown.len() - NAMED) } else { String::new() };
    let keys = if unknown.len() == 1 { "key that is" } else { "keys that are" };
    notes.say(format!(
        "{} has {} {keys} not known and not used: {}{rest}.",
        path.display(),
        unknown.len(),
        named.join(", ")
    ));
}
