//! The pictures and masks of a list: found and read.
//!
//! Lists travel between machines, pictures are renamed on the way. A file is looked for as it is named, with the
//! endings of PNG and JPEG behind the name, with backslashes as slashes; then, and that is said, by the end of its path
//! below the scene's folder. Of a path that begins at another machine's root the name alone is enough, beside the list
//! or in the folders that programs keep pictures in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::error::SceneError;
use super::{Notes, intrinsics};
use crate::base::files;

/// Largest side of a picture.
const MAX_SIDE: u32 = 4096;
/// What may stand behind a name.
const ENDINGS: [&str; 7] = ["", ".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"];
/// Folders of pictures, and of masks.
const PICTURES: &[&str] = &["images", "images_2", "images_4", "images_8", "rgb", "input"];
const MASKS: &[&str] = &["masks"];

/// Finds the files of a list.
pub(super) struct Finder<'a> {
    list: &'a Path,
    /// Which frame a picture was found for by its name.
    by_name: HashMap<PathBuf, usize>,
    /// How many, and the first with its name.
    moved: (usize, Option<(String, PathBuf)>),
}

/// A file, and whether it is where the list says.
enum Found {
    Named(PathBuf),
    ByName(PathBuf),
}

impl<'a> Finder<'a> {
    pub(super) fn new(list: &'a Path) -> Self {
        Self { list, by_name: HashMap::new(), moved: (0, None) }
    }

    fn folder(&self) -> &'a Path {
        self.list.parent().unwrap_or(Path::new(""))
    }

    /// The picture of a frame.
    pub(super) fn picture(&mut self, frame: usize, name: &str) -> Result<PathBuf, SceneError> {
        match self.find(name, PICTURES) {
            Some(Found::Named(path)) => Ok(path),
            Some(Found::ByName(path)) => {
                if let Some(other) = self.by_name.insert(path.clone(), frame) {
                    let (list, frames) = (self.list.to_owned(), (other, frame));
                    return Err(SceneError::SamePicture { path: list, frames, picture: path });
                }
                self.note_moved(name, &path);
                Ok(path)
            }
            None => Err(SceneError::MissingPicture { path: self.list.to_owned(), frame, picture: self.expected(name) }),
        }
    }

    /// The mask of a frame.
    pub(super) fn mask(&mut self, frame: usize, name: &str) -> Result<PathBuf, SceneError> {
        match self.find(name, MASKS) {
            Some(Found::Named(path)) => Ok(path),
            Some(Found::ByName(path)) => {
                self.note_moved(name, &path);
                Ok(path)
            }
            None => Err(SceneError::MissingMask { path: self.list.to_owned(), frame, mask: self.expected(name) }),
        }
    }

    fn note_moved(&mut self, name: &str, path: &Path) {
        let (count, first) = &mut self.moved;
        *count += 1;
        first.get_or_insert_with(|| (name.to_owned(), path.to_owned()));
    }

    /// Says what was found by its name.
    pub(super) fn note(&self, notes: &mut Notes) {
        if let (count, Some((name, path))) = &self.moved {
            let (list, path) = (self.list.display(), path.display());
            let files = if *count == 1 { "file is" } else { "files are" };
            notes
                .say(format!("{count} {files} not where {list} says and found by name, the first, {name}, as {path}."));
        }
    }

    fn find(&self, name: &str, folders: &[&str]) -> Option<Found> {
        let slashed = name.trim().replace('\\', "/");
        for name in [name, &slashed] {
            if let Some(path) = with_ending(&self.folder().join(name)) {
                return Some(Found::Named(path));
            }
        }
        let parts: Vec<&str> =
            slashed.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
        // A name alone says where a file is no more than elsewhere: `test/r_1.png` is not `r_1.png`, nor another
        // folder's.
        let is_absolute = slashed.starts_with('/') || slashed.as_bytes().get(1) == Some(&b':');
        let last = if is_absolute { parts.len() } else { parts.len().saturating_sub(1) };
        let ends = (0..last).map(|start| parts[start..].join("/"));
        let in_folders = parts.last().filter(|_| is_absolute).into_iter();
        let in_folders = in_folders.flat_map(|name| folders.iter().map(move |folder| format!("{folder}/{name}")));
        ends.chain(in_folders).find_map(|end| with_ending(&self.folder().join(end))).map(Found::ByName)
    }

    /// Where a file should be, for a message.
    fn expected(&self, name: &str) -> PathBuf {
        let slashed = name.trim().replace('\\', "/");
        let lower = slashed.to_ascii_lowercase();
        let has_ending = ENDINGS[1..].iter().any(|ending| lower.ends_with(ending));
        self.folder().join(if has_ending { slashed } else { slashed + ".png" })
    }
}

/// The file of this name, or with an ending behind it.
fn with_ending(path: &Path) -> Option<PathBuf> {
    let ended = ENDINGS.iter().map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    });
    ended.into_iter().find(|path| path.is_file())
}

/// Width, height and RGBA in [0, 1].
pub(super) type Picture = ((u32, u32), Vec<[f32; 4]>);

fn decode(path: &Path) -> Result<image::DynamicImage, SceneError> {
    let bytes = files::read(path)?;
    let picture = image::load_from_memory(&bytes).map_err(|error| {
        let reason = error.to_string().lines().next().unwrap_or_default().trim().to_owned();
        SceneError::Picture { path: path.to_owned(), reason }
    })?;
    let size = (picture.width(), picture.height());
    if !(1..=MAX_SIDE).contains(&size.0) || !(1..=MAX_SIDE).contains(&size.1) {
        return Err(SceneError::Pixels { path: path.to_owned(), size });
    }
    Ok(picture)
}

/// Reads a picture.
pub(super) fn read(path: &Path) -> Result<Picture, SceneError> {
    let picture = decode(path)?;
    let size = (picture.width(), picture.height());
    // 16 bits hold 8-bit values exactly.
    let rgba = picture.into_rgba16();
    let pixels = rgba.pixels().map(|pixel| pixel.0.map(|value| f32::from(value) / f32::from(u16::MAX))).collect();
    Ok((size, pixels))
}

/// Reads which pixels of a picture of a size a mask leaves, and whether it had to be scaled: all that are not black.
/// `None` if it leaves none.
pub(super) fn read_mask(path: &Path, size: (u32, u32)) -> Result<(Option<Vec<bool>>, bool), SceneError> {
    let mask = decode(path)?;
    let found = (mask.width(), mask.height());
    let Some(ratios) = intrinsics::scale([found.0, found.1], [size.0, size.1]) else {
        return Err(SceneError::MaskSize { mask: path.to_owned(), found, expected: size });
    };
    let luma = mask.into_luma16();
    let nearest = |place: u32, ratio: f64, side: u32| (((f64::from(place) + 0.5) * ratio) as u32).min(side - 1);
    let rows = (0..size.1).map(|y| nearest(y, ratios[1], found.1));
    let kept: Vec<bool> = rows
        .flat_map(|y| (0..size.0).map(move |x| (x, y)))
        .map(|(x, y)| luma.get_pixel(nearest(x, ratios[0], found.0), y).0[0] > 0)
        .collect();
    let leaves_any = kept.contains(&true);
    Ok((leaves_any.then_some(kept), found != size))
}
