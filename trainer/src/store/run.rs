//! The folder of a run: what training leaves behind, and what it needs to go on.
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
    #[error("{} is not the folder of a run", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The data are not those of the run.
    #[error("the data are not those that {} was trained on; resume with the same file", path.display())]
    OtherData {
        /// The folder.
        path: PathBuf,
    },
    /// A tensor file is of no use.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] files::WriteError),
}

/// A run's folder.
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

    /// The folder of a run that exists.
    ///
    /// # Errors
    /// If there is no network in it.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let folder = Self { path: path.to_owned() };
        if folder.network().is_file() { Ok(folder) } else { Err(RunError::Missing { path: path.to_owned() }) }
    }

    /// Takes back a run that could not begin: what was written before its training, and the folder if nothing else is in it.
    pub fn discard(&self) {
        // What cannot be removed stays; the error that led here is what counts.
        let _ = std::fs::remove_file(self.checkpoint());
        for file in [self.network(), self.guide(), self.held_out(), self.choice()] {
            let _ = std::fs::remove_file(file);
        }
        let _ = std::fs::remove_dir(&self.path);
    }

    /// The folder itself.
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
