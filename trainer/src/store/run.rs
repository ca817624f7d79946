//! A run in its folder: what training leaves behind, and what it needs to go on.
//!
//! Every kind of run keeps its trainings as [checkpoints](Checkpoint). What `trainer fit` leaves:
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
use crate::store::checkpoint::{self, Checkpoint};
use crate::store::tensors::{TensorError, Tensors};
use serde::Serialize;
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

impl<S: Serialize> Run<S> {
    /// The checkpoint of its only training.
    pub fn checkpoint(&self) -> Checkpoint<'_, S> {
        Checkpoint::new(self, self.folder.checkpoint())
    }

    /// The checkpoint of one of several trainings.
    pub fn checkpoint_of(&self, training: &str) -> Checkpoint<'_, S> {
        Checkpoint::new(self, self.folder.checkpoint_of(training))
    }

    /// That these tensors of a checkpoint are of the run's data.
    ///
    /// # Errors
    /// [`RunError::OtherData`] if they are not.
    pub fn check_fingerprint(&self, tensors: &Tensors) -> Result<(), RunError> {
        if checkpoint::fingerprint(tensors)? == self.fingerprint {
            Ok(())
        } else {
            Err(RunError::OtherData { path: self.folder.path().to_owned() })
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Initialization, Mlp, OutputActivation, Shape};
    use crate::training::{Ended, TrainError, TrainState, Watch};
    use rand::SeedableRng;

    #[test]
    fn a_training_is_saved_while_it_runs_and_after_a_failure_and_belongs_to_its_data() {
        let directory = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&directory.path().join("run"), false).unwrap();
        let run = Run { folder, settings: "of the run".to_owned(), fingerprint: 1 };
        let shape = Shape::new(2, &[3], 1, OutputActivation::Linear);
        let network = Mlp::new(shape, Initialization::Glorot, &mut rand_chacha::ChaCha8Rng::seed_from_u64(0));
        let untrained = TrainState::new(vec![network]);

        let more = |tensors: &mut Tensors| tensors.put("more", &[1], &[2.5f64]);
        let (mut state, mut steps) = (untrained.clone(), Vec::new());
        let ended: Result<Ended, TrainError> =
            run.checkpoint_of("odd").with(&more).train(&mut state, &mut Watch::default(), |state, watch| {
                let mut step = || {
                    let mut saved = untrained.clone();
                    run.checkpoint_of("odd").load(&mut saved).unwrap();
                    steps.push(saved.step);
                };
                step();
                state.step = 3;
                watch.save.as_mut().unwrap()(state)?;
                step();
                (state.step, state.networks[0].parameters_mut()[0]) = (5, 9.0);
                Err(TrainError::Diverged { step: 5, learning_rate: 1.0 })
            });
        assert!(matches!(ended, Err(TrainError::Diverged { .. })) && steps == [0, 3], "{ended:?} {steps:?}");
        let mut saved = untrained.clone();
        run.checkpoint_of("odd").load(&mut saved).unwrap();
        assert_eq!(saved, state);
        let tensors = Tensors::read(&run.folder.checkpoint_of("odd")).unwrap();
        assert_eq!(
            (tensors.get::<f64>("more").unwrap().1, tensors.settings::<String>().unwrap()),
            (vec![2.5], run.settings.clone())
        );

        let mut never_saved = untrained.clone();
        run.checkpoint_of("even").load(&mut never_saved).unwrap();
        assert_eq!(never_saved, untrained);
        let other = Run { fingerprint: 2, ..run.clone() };
        assert!(matches!(other.checkpoint_of("odd").load(&mut saved), Err(RunError::OtherData { .. })));
        assert_eq!(saved, state, "what cannot be continued changes nothing");

        // Where nothing can be saved, nothing is trained.
        std::fs::remove_dir_all(run.folder.path()).unwrap();
        let ended: Result<Ended, TrainError> =
            run.checkpoint().train(&mut state, &mut Watch::default(), |_, _| panic!("trained in vain"));
        assert!(matches!(ended, Err(TrainError::Save(_))));
    }
}
