//! The pictures that a run is trained on and judged by.

use std::path::{Path, PathBuf};

use super::fingerprint;
use crate::nerf::error::NerfError;
use crate::nerf::fit::check_rays;
use crate::nerf::params::{NerfParams, ValidNerfParams};
use crate::nerf::scene::{Part, View, Views, read};

/// A scene as it is read before training: a missing picture shall not cost a run.
#[derive(Debug)]
pub struct Scene {
    pub(super) folder: PathBuf,
    pub(super) train: Views,
    pub(super) held_out: Vec<View>,
    pub(super) judged_by: Part,
    pub(super) fingerprint: u64,
}

impl Scene {
    /// Reads the training views of a scene and those that it is judged by.
    ///
    /// # Errors
    /// What is wrong with its files.
    pub fn read(folder: &Path, judged_by: Part) -> Result<Self, NerfError> {
        let mut train = read(folder, Part::Train)?;
        let Views { views: held_out, notes, .. } = read(folder, judged_by)?;
        for note in notes {
            if !train.notes.contains(&note) {
                train.notes.push(note);
            }
        }
        let fingerprint = fingerprint(&train);
        // Absolute, so that a run is continued from any folder.
        let folder = std::path::absolute(folder).map_err(NerfError::CurrentFolder)?;
        Ok(Self { folder, train, held_out, judged_by, fingerprint })
    }

    /// Settings that suit the scene.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range, or hardly a ray meets the bounding cube.
    pub fn check(&self, params: &NerfParams) -> Result<ValidNerfParams, NerfError> {
        let params = NerfParams { center: self.train.center, ..params.clone() }.check(self.train.half_width)?;
        check_rays(&params, &self.train.views)?;
        Ok(params)
    }

    /// What is worth saying of its files.
    pub fn notes(&self) -> &[String] {
        &self.train.notes
    }

    /// How the size of the bounding cube was found, where the scene does not give it.
    pub fn size_note(&self) -> Option<&str> {
        self.train.size_note.as_deref()
    }

    /// Which views are held out.
    pub fn judged_by(&self) -> Part {
        self.judged_by
    }
}
