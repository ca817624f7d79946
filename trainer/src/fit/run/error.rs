//! What can be wrong with a run, one sentence each.

use std::path::PathBuf;

use crate::artifact::export::ExportError;
use crate::base::files::{RemoveError, WriteError};
use crate::fit::FitError;
use crate::fit::auto_scale::AutoScaleError;
use crate::fit::judge::JudgeError;
use crate::fit::results::ResultsError;
use crate::fit::validation::ValidationError;
use crate::store::error::StoreError;
use crate::store::run::RunError;
use crate::store::tensors::TensorError;

/// Why a run cannot begin, go on or be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitRunError {
    /// The hyperparameters are impossible, the data cannot be split, or training failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The kernel regression that was to lead the training failed.
    #[error("{}", input.display())]
    Guide {
        /// The file of the data.
        input: PathBuf,
        /// The reason.
        source: Box<FitError>,
    },
    /// A hyperparameter could not be chosen.
    #[error("{}", input.display())]
    Choice {
        /// The file of the data.
        input: PathBuf,
        /// The reason.
        source: Box<AutoScaleError>,
    },
    /// The user asked to stop while a hyperparameter was chosen.
    #[error(transparent)]
    ChoiceInterrupted(Box<AutoScaleError>),
    /// The quality at held-out samples could not be measured, or the user asked to stop.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// The folder is taken, is no run, or belongs to other data.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file of the run is damaged or cannot be written.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// A file of the run makes no sense, or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A run that is resumed has done more steps than it is to have.
    #[error("{done} steps of {} are done; --steps {steps} would be fewer", path.display())]
    FewerSteps {
        /// The folder of the run.
        path: PathBuf,
        /// Number of steps that were asked for.
        steps: u64,
        /// Number of steps that are done.
        done: u64,
    },
    /// The network cannot be judged as a device computes it.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The artifact cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The results cannot be written.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file that an earlier run left cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
}

impl FitRunError {
    /// Whether the user asked to stop before the training or after it.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(
            self,
            Self::ChoiceInterrupted(_)
                | Self::Validation(ValidationError::Interrupted)
                | Self::Judge(JudgeError::Stopped)
        )
    }
}
