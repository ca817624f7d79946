//! A run in its folder: what training leaves behind, and what it needs to go on.
//!
//! Every kind of run keeps its trainings as [checkpoints](crate::store::checkpoint). What `trainer fit` leaves:
//!
//! | file | holds |
//! | --- | --- |
//! | `network.safetensors` | weights, biases, B and a, the data's domain, calibration samples; settings as metadata |
//! | `checkpoint.safetensors` | parameters, optimizer state and loss history, for `--resume` |
//! | `model.ffm` | the artifact for the device |
//! | `metrics.json` | quality in f32 and as quantized, losses |
//! | `choice.json` | how `--scale auto` or `--amplitude-power auto` chose, if it did |
//! | `guide.safetensors` | what a kernel regression gave the network to learn, if it had one |
//! | `held_out.json` | quality at rows held out by trainings of their own, if there were any |
//! | `report.html` | the same to look at, with pictures |
//!
//! Every file is written whole or not at all.

use crate::base::files;
use crate::store::tensors::TensorError;
use std::path::{Path, PathBuf};

/// Why a run cannot be started, saved or read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder cannot be made, or is taken.
    #[error(transparent)]
    Folder(#[from] files::FolderError),
    /// No run to go on with.
    #[error(
        "{} is not the folder of a run{}",
        path.display(),
        if path.exists() { "" } else { ": there is no such folder; check its name and the current directory" }
    )]
    Missing {
        /// Where the run was looked for.
        path: PathBuf,
    },
    /// The data are not those of the run.
    #[error("the data are not those that {} was trained on; resume with the same file", path.display())]
    OtherData {
        /// The folder of the run.
        path: PathBuf,
    },
    /// A tensor file is of no use.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] files::WriteError),
}

/// A run: where it is, what it was started with, and on which data.
#[derive(Clone, Debug)]
pub struct Run<S> {
    /// Where its files are.
    pub folder: RunFolder,
    /// What it was started with; every checkpoint holds them.
    pub settings: S,
    /// A checksum of all that training sees of the data.
    pub fingerprint: u64,
}

/// Where the files of a run are.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run; one that holds anything is only taken with `force`.
    ///
    /// # Errors
    /// If it cannot be made, or exists.
    pub fn create(path: &Path, force: bool) -> Result<Self, RunError> {
        files::new_folder(path, force)?;
        Ok(Self { path: path.to_owned() })
    }

    /// A folder that is known to exist.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder of a run that exists.
    ///
    /// # Errors
    /// If there is no network in it.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Self::holding(path, "network.safetensors")
    }

    /// The folder of a run that exists, as this file in it shows.
    ///
    /// # Errors
    /// [`RunError::Missing`] if it has no such file.
    pub fn holding(path: &Path, file: &str) -> Result<Self, RunError> {
        let folder = Self::at(path);
        if path.join(file).is_file() { Ok(folder) } else { Err(RunError::Missing { path: path.to_owned() }) }
    }

    /// Takes back a run that could not begin: what was written before its training, and the folder if nothing else is
    /// in it.
    pub fn discard(&self) {
        // What cannot be removed stays; the error that led here is what counts.
        let _ = std::fs::remove_file(self.checkpoint());
        for file in [self.network(), self.guide(), self.held_out(), self.choice()] {
            let _ = std::fs::remove_file(file);
        }
        self.discard_if_empty();
    }

    /// Removes the folder if nothing is in it: a run that was to be replaced is kept.
    pub fn discard_if_empty(&self) {
        let _ = std::fs::remove_dir(&self.path);
    }

    /// The path of the folder, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `network.safetensors`.
    pub fn network(&self) -> PathBuf {
        self.path.join("network.safetensors")
    }

    /// `checkpoint.safetensors`.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    /// `checkpoint_NAME.safetensors`, where a run has several trainings.
    pub fn checkpoint_of(&self, training: &str) -> PathBuf {
        self.path.join(format!("checkpoint_{training}.safetensors"))
    }

    /// `model.ffm`.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.ffm")
    }

    /// `choice.json`.
    pub fn choice(&self) -> PathBuf {
        self.path.join("choice.json")
    }

    /// `guide.safetensors`.
    pub fn guide(&self) -> PathBuf {
        self.path.join("guide.safetensors")
    }

    /// `held_out.json`.
    pub fn held_out(&self) -> PathBuf {
        self.path.join("held_out.json")
    }

    /// `metrics.json`.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.json")
    }
}
