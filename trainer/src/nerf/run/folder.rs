//! The files of a run, and the cameras among them.

use std::path::{Path, PathBuf};

use firmware_core::march::Camera;
use serde::Serialize;

use crate::base::files::{self, ReadError, RemoveError};
use crate::nerf::lens::{Lens, Viewpoint};
use crate::store::run::RunFolder;

/// A camera in `cameras.json`. It is not read by serde: numbers of untagged alternatives cannot be read in every build
/// of the workspace.
#[derive(Serialize)]
#[serde(untagged)]
enum CameraRow {
    Plain([f32; Camera::VALUES]),
    Lens([f32; Camera::VALUES], [f64; Lens::VALUES]),
}

/// The text of `cameras.json`.
pub fn cameras_text(viewpoints: &[Viewpoint]) -> String {
    let row = |viewpoint: &Viewpoint| match viewpoint.lens {
        None => CameraRow::Plain(viewpoint.camera.to_values()),
        Some(lens) => CameraRow::Lens(viewpoint.camera.to_values(), lens.to_values()),
    };
    serde_json::to_string(&viewpoints.iter().map(row).collect::<Vec<_>>()).expect("plain values")
}

/// The cameras of such a text; `None` if it holds others.
pub fn parse_cameras(text: &[u8]) -> Option<Vec<Viewpoint>> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(text).ok()?;
    let viewpoint = |row: serde_json::Value| -> Option<Viewpoint> {
        let has_lens = row.get(0)?.is_array();
        let (camera, lens): (_, Option<[f64; Lens::VALUES]>) = if has_lens {
            let (camera, lens) = serde_json::from_value(row).ok()?;
            (camera, Some(lens))
        } else {
            (serde_json::from_value(row).ok()?, None)
        };
        Some(Viewpoint { camera: Camera::from_values(&camera), lens: lens.as_ref().map(Lens::from_values) })
    };
    rows.into_iter().map(viewpoint).collect()
}

/// The folder of a run, with the names of the files that only runs of this kind have.
#[derive(Clone, Debug)]
pub struct Folder(RunFolder);

impl From<RunFolder> for Folder {
    fn from(folder: RunFolder) -> Self {
        Self(folder)
    }
}

impl std::ops::Deref for Folder {
    type Target = RunFolder;

    fn deref(&self) -> &RunFolder {
        &self.0
    }
}

impl Folder {
    /// A folder that is known to exist.
    pub fn at(path: &Path) -> Self {
        Self(RunFolder::at(path))
    }

    /// Takes the results of a run that is replaced away: beside the new network they would pass for its own.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn forget_results(&self) -> Result<(), RemoveError> {
        let paths = [self.model(), self.model_f32(), self.volume(), self.cameras(), self.report(), self.metrics()];
        paths.iter().try_for_each(|path| files::remove(path))?;
        files::remove(&self.0.path().join("report.png"))
    }

    /// `model_f32.ffm`.
    pub fn model_f32(&self) -> PathBuf {
        self.0.path().join("model_f32.ffm")
    }

    /// `volume.ffv`.
    pub fn volume(&self) -> PathBuf {
        self.0.path().join("volume.ffv")
    }

    /// The words of `volume.ffv`, as [`Volume::parse`](firmware_core::march::Volume::parse) takes them; a last one that
    /// is cut is filled up with zeros.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_volume(&self) -> Result<Vec<u32>, ReadError> {
        let bytes = files::read(&self.volume())?;
        let mut words = vec![0u32; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        Ok(words)
    }

    /// `cameras.json`.
    pub fn cameras(&self) -> PathBuf {
        self.0.path().join("cameras.json")
    }

    /// `report.html`.
    pub fn report(&self) -> PathBuf {
        self.0.path().join("report.html")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::run::tests::viewpoints;

    #[test]
    fn cameras_come_back_and_plain_ones_are_rows_of_numbers() {
        let text = cameras_text(&viewpoints());
        assert!(
            text.starts_with("[[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2,66.666664,48.0,32.0],[["),
            "{text}"
        );
        assert_eq!(parse_cameras(text.as_bytes()).unwrap(), viewpoints());
        assert!(parse_cameras(b"[[1, 2]]").is_none() && parse_cameras(b"{}").is_none());
    }
}
