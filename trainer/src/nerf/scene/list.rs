//! Lists of views: read, checked, and with their pictures.

use std::path::{Path, PathBuf};

use firmware_core::march::Camera;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::lens::Viewpoint;
use super::bounds::{self, Bounds, of_cameras};
use super::error::SceneError;
use super::intrinsics::Intrinsics;
use super::keys::{self, Keys};
use super::pictures::{self, Finder};
use super::{DEFAULT_HALF_WIDTH, Frame, Notes, Part, View, Views, place_of, split};
use crate::base::files;

/// The list of all views of a scene.
const SINGLE: &str = "transforms.json";
/// Of the default half width: cameras that show more or less than this are worth a word.
const DOUBTFUL: f32 = 2.0;
/// How far a rotation may be from orthonormal: files hold six digits or more.
const ROTATION_TOLERANCE: f64 = 1e-3;

/// A list as it is read.
struct List {
    path: PathBuf,
    keys: Map<String, Value>,
    frames: Vec<(Frame, Map<String, Value>)>,
}

/// Reads every view of a part of a scene: a folder, or a list of all views.
///
/// # Errors
/// [`SceneError`] names the file and the frame.
pub fn read(scene: &Path, part: Part) -> Result<Views, SceneError> {
    let single = if scene.is_file() { scene.to_owned() } else { scene.join(SINGLE) };
    let mut notes = Notes::default();
    if Part::Train.list(scene).is_file() || !single.is_file() {
        if single.is_file() {
            notes.say(format!("{} is not read: the lists of its parts stand beside it.", single.display()));
        }
        let list = List::read(&part.list(scene), &mut notes)?;
        let frames: Vec<usize> = (0..list.frames.len()).collect();
        return list.views(&frames, (part, false), notes);
    }
    let list = List::read(&single, &mut notes)?;
    let names: Vec<&str> = list.frames.iter().map(|(frame, _)| frame.file_path.as_str()).collect();
    let frames = split::split(list.keys(), &names, part, &mut notes)?;
    list.views(&frames, (part, true), notes)
}

impl List {
    fn read(path: &Path, notes: &mut Notes) -> Result<Self, SceneError> {
        let json = |reason: String| SceneError::Json { path: path.to_owned(), reason };
        let bytes = files::read(path)?;
        // Windows' editors begin a file with a byte-order mark.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut keys: Map<String, Value> = serde_json::from_slice(text).map_err(|error| json(error.to_string()))?;
        let Some(Value::Array(values)) = keys.remove("frames") else {
            return Err(json("it has no list of frames".to_owned()));
        };
        if values.is_empty() {
            return Err(SceneError::NoFrames { path: path.to_owned() });
        }
        let mut frames = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let unfit = |reason: String| SceneError::Frame { path: path.to_owned(), frame: index, reason };
            let frame: Frame = Frame::deserialize(&value).map_err(|error| unfit(error.to_string()))?;
            let Value::Object(keys) = value else { return Err(unfit("it has no keys".to_owned())) };
            frames.push((frame, keys));
        }
        let list = Self { path: path.to_owned(), keys, frames };
        list.check()?;
        keys::note_unknown(path, &list.keys, list.frames.iter().map(|(_, keys)| keys), notes);
        Ok(list)
    }

    fn keys(&self) -> Keys<'_> {
        Keys { path: &self.path, frame: None, map: &self.keys }
    }

    fn frame(&self, index: usize) -> Keys<'_> {
        Keys { path: &self.path, frame: Some(index), map: &self.frames[index].1 }
    }

    /// Refuses what is not modelled, in frames that are not read too: a list is of one kind.
    fn check(&self) -> Result<(), SceneError> {
        self.keys().check()?;
        (0..self.frames.len()).try_for_each(|index| self.frame(index).check())?;
        let time = |index: usize| self.frame(index).get("time").cloned();
        match (1..self.frames.len()).find(|&index| time(index) != time(0)) {
            None => Ok(()),
            Some(index) => Err(self.frame(index).refuse(
                "time",
                "a scene stands still here, and the frames have several times; keep those of one time",
            )),
        }
    }

    /// Reads the pictures of some frames.
    fn views(&self, frames: &[usize], (part, is_single): (Part, bool), mut notes: Notes) -> Result<Views, SceneError> {
        let (path, of_list) = (&self.path, Intrinsics::of(&self.keys())?);
        let bounds = bounds::of_list(&self.keys())?;
        let mut finder = Finder::new(path);
        let mut views: Vec<View> = Vec::with_capacity(frames.len());
        let mut scaled = Scaled::default();
        for &index in frames {
            let (frame, keys) = (&self.frames[index].0, self.frame(index));
            let to_world = camera_to_world(path, index, &frame.transform_matrix)?;
            let intrinsics = Intrinsics::of(&keys)?.or(of_list);
            let picture = finder.picture(index, &frame.file_path)?;
            let (size, pixels) = pictures::read(&picture)?;
            let fitted = intrinsics.fit((path, index, &picture), size)?;
            let camera = Camera { to_world, focal: fitted.focal, width: size.0 as u16, height: size.1 as u16 };
            let is_checked = views.last().is_some_and(|last| {
                (last.lens, last.camera.width, last.camera.height) == (fitted.lens, camera.width, camera.height)
            });
            if !is_checked {
                check_lens(path, index, &Viewpoint { camera, lens: fitted.lens })?;
            }
            scaled.pictures.extend(fitted.scaled_from.map(|from| (from, size)));
            let mask = match keys.get("mask_path") {
                None => None,
                Some(Value::String(name)) if name.is_empty() => None,
                Some(Value::String(name)) => {
                    let mask = finder.mask(index, name)?;
                    let (kept, is_scaled) = pictures::read_mask(&mask, size)?;
                    scaled.masks += usize::from(is_scaled);
                    let empty = || SceneError::EmptyMask { path: path.clone(), frame: index, mask };
                    Some(kept.ok_or_else(empty)?)
                }
                Some(_) => return Err(keys.unfit("mask_path", "the name of a picture")),
            };
            let name = picture.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            views.push(View { name, camera, lens: fitted.lens, pixels, mask });
        }
        finder.note(&mut notes);
        scaled.note(path, &mut notes);
        let mut views = Views { views, ..Views::default() };
        views.set_bounds(path, bounds, (part, is_single));
        views.notes = notes.0;
        Ok(views)
    }
}

/// What did not have the size that the list says.
#[derive(Default)]
struct Scaled {
    /// Sizes in the list and of the picture.
    pictures: Vec<([u32; 2], (u32, u32))>,
    masks: usize,
}

impl Scaled {
    fn note(&self, path: &Path, notes: &mut Notes) {
        let path = path.display();
        if let Some(([w, h], (width, height))) = self.pictures.first() {
            let pictures =
                if self.pictures.len() == 1 { "picture is a scaled version" } else { "pictures are scaled versions" };
            notes.say(format!(
                "{} {pictures} of what {path} says, the first of {width}×{height} pixels instead of {w}×{h}: focal length and \
                 principal point are scaled with them.",
                self.pictures.len()
            ));
        }
        if self.masks > 0 {
            let masks = if self.masks == 1 {
                "mask has another size than its picture and is"
            } else {
                "masks have another size than their pictures and are"
            };
            notes.say(format!("{} {masks} scaled to it ({path}).", self.masks));
        }
    }
}

impl Views {
    /// Takes the bounding cube of the list, or what the cameras say of it.
    fn set_bounds(&mut self, path: &Path, said: Option<(Bounds, &str)>, (part, is_single): (Part, bool)) {
        if let Some((Bounds { center, half_width }, key)) = said {
            (self.center, self.half_width) = (center, Some(half_width));
            self.size_note = (part == Part::Train && key != bounds::OWN).then(|| {
                format!(
                    "By {key} of {} a cube of half width {half_width} around {} is learned; --half-width sets another.",
                    path.display(),
                    place_of(center)
                )
            });
            return;
        }
        if part != Part::Train {
            return;
        }
        let path = path.display();
        let looked_at = of_cameras(&self.views);
        self.size_note = match looked_at {
            Some(Bounds { center, half_width }) if is_single => {
                (self.center, self.half_width) = (center, Some(half_width));
                Some(format!(
                    "{path} does not say how large the scene is: what the cameras look at is learned, a cube of half width \
                     {half_width} around {}; --half-width sets another.",
                    place_of(center)
                ))
            }
            Some(Bounds { center, half_width }) => {
                let ratio = half_width / DEFAULT_HALF_WIDTH;
                let is_doubtful = center != [0.0; 3] || !(1.0 / DOUBTFUL..=DOUBTFUL).contains(&ratio);
                is_doubtful.then(|| {
                    format!(
                        "{path} does not say how large the scene is, and a cube of half width {DEFAULT_HALF_WIDTH} around the origin \
                         is learned, while the cameras look at one of {half_width} around {}: set --half-width if that holds more.",
                        place_of(center)
                    )
                })
            }
            None => is_single.then(|| {
                format!(
                    "{path} does not say how large the scene is, and its cameras look at no common place: a cube of half width \
                     {DEFAULT_HALF_WIDTH} around the origin is learned; set --half-width to what the pictures show."
                )
            }),
        };
    }
}

/// Checks that every pixel of a picture has a direction: along its border, and at places within.
fn check_lens(path: &Path, frame: usize, viewpoint: &Viewpoint) -> Result<(), SceneError> {
    const PLACES: u16 = 16;
    let Some(lens) = viewpoint.lens.filter(|lens| !lens.distortion.is_none()) else { return Ok(()) };
    let (width, height) = (viewpoint.camera.width, viewpoint.camera.height);
    let border = (0..width).flat_map(|x| [(x, 0), (x, height - 1)]);
    let border = border.chain((0..height).flat_map(|y| [(0, y), (width - 1, y)]));
    let at = |side: u16, index: u16| (u32::from(side) * u32::from(index) / u32::from(PLACES)) as u16;
    let within = (0..PLACES * PLACES).map(|index| (at(width, index % PLACES), at(height, index / PLACES)));
    let mut folded =
        within.chain(border).filter(|&(x, y)| lens.direction(f64::from(x) + 0.5, f64::from(y) + 0.5).is_none());
    match folded.next() {
        None => Ok(()),
        Some(pixel) => Err(SceneError::Distortion { path: path.to_owned(), frame, pixel }),
    }
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
