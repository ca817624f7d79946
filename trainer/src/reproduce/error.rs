//! Why a figure could not be made.

use thiserror::Error;

use crate::artifact::export::ExportError;
use crate::base::files::{FolderError, RemoveError, WriteError};
use crate::fit::FitError;
use crate::fit::judge::JudgeError;
use crate::inverse::error::InverseError;
use crate::nerf::error::NerfError;
use crate::network::encoding::EncodingError;
use crate::report::figure::FigureError;
use crate::theory::TheoryError;
use crate::training::TrainError;

/// A figure that was not made; those finished before it are kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReproduceError {
    /// The user asked to stop.
    #[error(
        "interrupted; finished figures are kept and, but for the applications, finished trainings too: --resume goes \
         on with the rest"
    )]
    Interrupted,
    /// A kernel could not be computed.
    #[error(transparent)]
    Theory(#[from] TheoryError),
    /// A network could not be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Hyperparameters that are refused, or a training on them that failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// An artifact could not be made.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// An artifact could not be judged.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// An encoding that does not exist.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A molecule could not be reconstructed.
    #[error(transparent)]
    Cryo(#[from] crate::cryo::CryoError),
    /// A radiance field could not be made.
    #[error(transparent)]
    Nerf(Box<NerfError>),
    /// An inverse problem could not be solved.
    #[error(transparent)]
    Inverse(InverseError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What is left of an earlier figure cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// The output directory could not be made.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Hours of work that lie where the figure would.
    #[error(
        "{} holds the figure at full settings; keep it by --resume with its seed and without --quick, delete it, or \
         choose another --out",
        path.display()
    )]
    Finished {
        /// The file of its numbers.
        path: std::path::PathBuf,
    },
    /// The numbers could not be put in JSON.
    #[error("cannot write the numbers as JSON")]
    Json(#[from] serde_json::Error),
    /// No threads to work on.
    #[error("cannot start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl From<InverseError> for ReproduceError {
    fn from(error: InverseError) -> Self {
        match error {
            InverseError::Interrupted => Self::Interrupted,
            other => Self::Inverse(other),
        }
    }
}
