//! Scenes: pictures with cameras, in the format of Blender's exporters.
//!
//! A folder with `transforms_train.json`, `transforms_val.json` and `transforms_test.json`; each has `camera_angle_x`
//! (horizontal field of view, radians) and `frames` with `file_path` (relative, the extension `.png` may be missing) and
//! `transform_matrix` (camera to world, 4×4; the camera looks along its -z, y up). Pictures are RGBA, whose transparent
//! parts show the background, or RGB. A key `half_width` of the training list, which others ignore, is the half width of
//! the scene's bounding cube around the origin.
//!
//! Rays go through the centres of pixels: (x + ½, y + ½).

use std::path::{Path, PathBuf};

use firmware_core::march::Camera;
use serde::{Deserialize, Serialize};

use super::error::SceneError;
use crate::files;

/// The half width of the bounding cube where neither the scene nor the caller gives one: what the well-known synthetic
/// scenes fit in.
pub const DEFAULT_HALF_WIDTH: f32 = 1.5;
/// Largest side of a picture.
const MAX_SIDE: u32 = 4096;
/// Fields of view, radians: less is no picture but a point, more is nearly flat.
const ANGLES: (f64, f64) = (1e-3, 3.1);
/// How far a rotation may be from orthonormal: files hold six digits or more.
const ROTATION_TOLERANCE: f64 = 1e-3;

/// A list of views as it is written.
#[derive(Clone, Debug, Serialize)]
pub struct Transforms {
    /// Horizontal field of view, radians.
    pub camera_angle_x: Option<f64>,
    /// Half width of the bounding cube.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_width: Option<f32>,
    /// The views.
    pub frames: Vec<Frame>,
}

/// A list of views as it is read: frames one by one, so that a broken one is known by its number.
#[derive(Deserialize)]
struct List {
    camera_angle_x: Option<f64>,
    half_width: Option<f32>,
    frames: Vec<serde_json::Value>,
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
    /// RGBA in [0, 1], `[height, width, 4]` row-major, colour not multiplied by alpha.
    pub pixels: Vec<[f32; 4]>,
}

impl View {
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

/// Views of one part, with the half width of the bounding cube if the list has it.
#[derive(Clone, Debug)]
pub struct Views {
    /// In the list's order; at least one, all of one size.
    pub views: Vec<View>,
    /// Half width of the bounding cube.
    pub half_width: Option<f32>,
}

/// Reads every view of a part.
///
/// # Errors
/// [`SceneError`] names the file and the frame.
pub fn read(scene: &Path, part: Part) -> Result<Views, SceneError> {
    read_list(&part.list(scene))
}

/// Reads every view of a list.
///
/// # Errors
/// As [`read`].
pub fn read_list(path: &Path) -> Result<Views, SceneError> {
    let list: List = serde_json::from_slice(&files::read(path)?)
        .map_err(|error| SceneError::Json { path: path.to_owned(), reason: error.to_string() })?;
    let angle = list.camera_angle_x.ok_or_else(|| SceneError::NoAngle { path: path.to_owned() })?;
    if !(ANGLES.0..=ANGLES.1).contains(&angle) {
        return Err(SceneError::Angle { path: path.to_owned(), angle, range: ANGLES });
    }
    if let Some(half_width) = list.half_width {
        check_half_width(half_width).map_err(|_| SceneError::SceneHalfWidth { path: path.to_owned(), half_width })?;
    }
    if list.frames.is_empty() {
        return Err(SceneError::NoFrames { path: path.to_owned() });
    }
    let mut views: Vec<View> = Vec::with_capacity(list.frames.len());
    for (index, frame) in list.frames.into_iter().enumerate() {
        let frame: Frame = serde_json::from_value(frame).map_err(|error| SceneError::Frame {
            path: path.to_owned(),
            frame: index,
            reason: error.to_string(),
        })?;
        let to_world = camera_to_world(path, index, &frame.transform_matrix)?;
        let picture = picture_path(path, index, &frame.file_path)?;
        let (size, pixels) = read_picture(&picture)?;
        if let Some(first) = views.first() {
            let expected = (u32::from(first.camera.width), u32::from(first.camera.height));
            if size != expected {
                return Err(SceneError::Size { path: picture, found: size, expected });
            }
        }
        let focal = focal_length(size.0, angle);
        let camera = Camera { to_world, focal, width: size.0 as u16, height: size.1 as u16 };
        let name = picture.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        views.push(View { name, camera, pixels });
    }
    Ok(Views { views, half_width: list.half_width })
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

/// The upper three rows of a matrix that is a rotation and a position.
fn camera_to_world(path: &Path, frame: usize, rows: &[Vec<f64>]) -> Result<[[f32; 4]; 3], SceneError> {
    let shape = || SceneError::MatrixShape { path: path.to_owned(), frame };
    let rows: Vec<[f64; 4]> =
        rows.iter().map(|row| row.as_slice().try_into()).collect::<Result<_, _>>().map_err(|_| shape())?;
    let [a, b, c, last]: [[f64; 4]; 4] = rows.try_into().map_err(|_| shape())?;
    let upper = [a, b, c];
    let dot = |i: usize, j: usize| upper.iter().map(|row| row[i] * row[j]).sum::<f64>();
    let orthonormal =
        (0..3).all(|i| (0..=i).all(|j| (dot(i, j) - f64::from(u8::from(i == j))).abs() < ROTATION_TOLERANCE));
    let ends = (0..4).all(|i| (last[i] - f64::from(u8::from(i == 3))).abs() < ROTATION_TOLERANCE);
    let placed = upper.iter().all(|row| row[3].is_finite() && row[3].abs() < 1e6);
    // A mirrored picture would be learned as a mirrored world, of which other cameras see nothing.
    let [[a, b, c, _], [d, e, f, _], [g, h, i, _]] = upper;
    let right_handed = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) > 0.0;
    if !(orthonormal && right_handed && ends && placed) {
        return Err(SceneError::Matrix { path: path.to_owned(), frame });
    }
    Ok(upper.map(|row| row.map(|value| value as f32)))
}

/// The picture of a frame: as named, or with `.png` behind.
fn picture_path(path: &Path, frame: usize, name: &str) -> Result<PathBuf, SceneError> {
    let named = path.parent().unwrap_or(Path::new("")).join(name);
    let mut with_extension = named.clone().into_os_string();
    with_extension.push(".png");
    let with_extension = PathBuf::from(with_extension);
    if named.is_file() {
        Ok(named)
    } else if with_extension.is_file() {
        Ok(with_extension)
    } else {
        Err(SceneError::MissingPicture { path: path.to_owned(), frame, picture: with_extension })
    }
}

type Picture = ((u32, u32), Vec<[f32; 4]>);

fn read_picture(path: &Path) -> Result<Picture, SceneError> {
    let bytes = files::read(path)?;
    let picture = image::load_from_memory(&bytes).map_err(|error| {
        let reason = error.to_string().lines().next().unwrap_or_default().trim().to_owned();
        SceneError::Picture { path: path.to_owned(), reason }
    })?;
    let size = (picture.width(), picture.height());
    if !(1..=MAX_SIDE).contains(&size.0) || !(1..=MAX_SIDE).contains(&size.1) {
        return Err(SceneError::Pixels { path: path.to_owned(), size });
    }
    // 16 bits hold 8-bit values exactly.
    let rgba = picture.into_rgba16();
    let pixels = rgba.pixels().map(|pixel| pixel.0.map(|value| f32::from(value) / f32::from(u16::MAX))).collect();
    Ok((size, pixels))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use serde_json::{Value, json};

    /// A folder with a list of two views of 4×3 pixels.
    fn folder() -> (tempfile::TempDir, Value) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("train")).unwrap();
        for name in ["a", "b"] {
            let picture = image::RgbaImage::from_fn(4, 3, |x, y| image::Rgba([x as u8, y as u8, 255, 128]));
            picture.save(folder.path().join(format!("train/{name}.png"))).unwrap();
        }
        let matrix = json!([[1.0, 0.0, 0.0, 0.5], [0.0, 0.0, -1.0, -4.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]);
        let list = json!({
            "camera_angle_x": 0.9272952180016122, // 2·atan(1/2)
            "frames": [
                { "file_path": "./train/a", "rotation": 0.1, "transform_matrix": matrix },
                { "file_path": "train/b.png", "transform_matrix": matrix },
            ]
        });
        (folder, list)
    }

    fn read_value(folder: &Path, list: &Value) -> Result<Views, SceneError> {
        let path = Part::Train.list(folder);
        fs::write(&path, list.to_string()).unwrap();
        read(folder, Part::Train)
    }

    #[test]
    fn reads_what_exporters_write() {
        let (folder, list) = folder();
        let views = read_value(folder.path(), &list).unwrap();
        assert_eq!(views.views.len(), 2);
        let View { name, camera, pixels } = &views.views[0];
        assert_eq!((name.as_str(), camera.width, camera.height), ("a", 4, 3));
        assert!((camera.focal - 4.0).abs() < 1e-6);
        assert_eq!(camera.to_world[1], [0.0, 0.0, -1.0, -4.0]);
        assert_eq!(pixels[5], [1.0 / 255.0, 1.0 / 255.0, 1.0, 128.0 / 255.0]);
        let on_white = views.views[0].over([1.0; 3])[5];
        assert!((on_white[0] - (1.0 + (128.0 / 255.0) * (1.0 / 255.0 - 1.0))).abs() < 1e-6);
    }

    #[test]
    fn pictures_without_alpha_are_opaque_and_those_with_it_show_the_background() {
        let (folder, list) = folder();
        let opaque = image::RgbImage::from_pixel(4, 3, image::Rgb([51, 102, 153]));
        opaque.save(folder.path().join("train/a.png")).unwrap();
        // What other exporters leave beside the pictures is no view.
        fs::write(folder.path().join("train/a_depth_0001.png"), "no picture").unwrap();
        let views = read_value(folder.path(), &list).unwrap().views;
        for background in [[1.0; 3], [0.0; 3]] {
            let color = views[0].over(background)[7];
            assert!(color.iter().zip([0.2, 0.4, 0.6]).all(|(found, exact)| (found - exact).abs() < 1e-6), "{color:?}");
        }
        let [white, black] = [[1.0; 3], [0.0; 3]].map(|background| views[1].over(background)[0]);
        let alpha = 128.0 / 255.0;
        assert!((black[0]).abs() < 1e-6 && (white[0] - (1.0 - alpha)).abs() < 1e-6);
        assert!((black[2] - alpha).abs() < 1e-6 && (white[2] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn says_what_is_wrong_with_a_list() {
        let (folder, list) = folder();
        type Edit = fn(&mut Value);
        let edits: [(Edit, &str); 16] = [
            (|v| *v = json!([1, 2]), "no list of views"),
            (|v| v["frames"] = json!("none"), "no list of views"),
            (|v| v["frames"] = json!([]), "lists no frames"),
            (|v| v["camera_angle_x"] = Value::Null, "no camera_angle_x"),
            (|v| v["camera_angle_x"] = json!(4.0), "0.001 to 3.1 radians"),
            (|v| v["camera_angle_x"] = json!(1e-9), "0.001 to 3.1 radians"),
            (
                |v| {
                    v["frames"][1].as_object_mut().unwrap().remove("file_path");
                },
                "frame 1 is no view as Blender's exporters write it (missing field `file_path`); export it again",
            ),
            (
                |v| v["frames"][1]["transform_matrix"][2] = json!([0.0, 1.0]),
                "frame 1 has a transform_matrix that is not 4 rows",
            ),
            (
                |v| v["frames"][0]["transform_matrix"] = json!([[1.0], [2.0]]),
                "frame 0 has a transform_matrix that is not 4 rows",
            ),
            (|v| v["frames"][1]["transform_matrix"][0][0] = json!(2.0), "remove the camera's scaling"),
            (|v| v["frames"][1]["transform_matrix"][0][0] = json!(-1.0), "mirrored"),
            (
                |v| {
                    v["frames"][0]["transform_matrix"].as_array_mut().unwrap().pop();
                },
                "frame 0 has a transform_matrix that is not 4 rows",
            ),
            (|v| v["frames"][0]["transform_matrix"][0][3] = Value::Null, "frame 0 is no view"),
            (|v| v["frames"][1]["transform_matrix"][3][3] = json!(0.0), "last row"),
            (|v| v["frames"][1]["file_path"] = json!("train/c"), "c.png, which does not exist"),
            (|v| v["half_width"] = json!(-1.0), "half_width"),
        ];
        for (edit, words) in edits {
            let mut broken = list.clone();
            edit(&mut broken);
            let error = read_value(folder.path(), &broken).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let text = list.to_string();
        fs::write(Part::Train.list(folder.path()), &text[..text.len() / 2]).unwrap();
        assert!(read(folder.path(), Part::Train).unwrap_err().to_string().contains("EOF"));
        assert!(matches!(read(folder.path(), Part::Test), Err(SceneError::Read(_))));
    }

    #[test]
    fn says_what_is_wrong_with_a_picture() {
        let (folder, list) = folder();
        image::RgbaImage::new(5, 3).save(folder.path().join("train/b.png")).unwrap();
        let error = read_value(folder.path(), &list).unwrap_err().to_string();
        assert!(error.contains("b.png has 5×3 pixels, the pictures before it 4×3"), "{error}");
        let bytes = fs::read(folder.path().join("train/a.png")).unwrap();
        fs::write(folder.path().join("train/b.png"), &bytes[..bytes.len() / 2]).unwrap();
        let error = read_value(folder.path(), &list).unwrap_err().to_string();
        assert!(error.contains("b.png is damaged"), "{error}");
    }
}
