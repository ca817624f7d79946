//! Why no model could be designed.

use std::path::PathBuf;

use super::cost::UnknownBoard;
use crate::fit::FitError;
use crate::fit::judge::JudgeError;
use crate::fit::run::FitRunError;
use crate::report::figure::FigureError;
use crate::store::error::StoreError;

/// Why no model could be designed.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    /// The board is not known.
    #[error(transparent)]
    Board(#[from] UnknownBoard),
    /// Not even the smallest model keeps the budget.
    #[error("no model keeps the budget: {what}; give more")]
    Budget {
        /// What the smallest model takes.
        what: String,
    },
    /// The goal is no possible number.
    #[error("{option} {value} is not possible; give a number above 0")]
    Goal {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
    },
    /// Every training failed.
    #[error("no training of the search succeeded; the first failed because {reason}")]
    NoneTrained {
        /// Why the first failed.
        reason: String,
    },
    /// The search was stopped before any model was judged.
    #[error("interrupted before a model was trained; continue with: trainer design --resume {}", path.display())]
    NothingYet {
        /// The folder of the run.
        path: PathBuf,
    },
    /// There is no search in the folder.
    #[error("{} is not the folder of `trainer design`; it has no design/settings.json", path.display())]
    NotADesign {
        /// The folder that was given.
        path: PathBuf,
    },
    /// The folder has another search.
    #[error("{} holds a design with other settings or other data; choose another --out", path.display())]
    Other {
        /// The folder of the search.
        path: PathBuf,
    },
    /// The settings are impossible, or a training failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A model cannot be judged.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The run of the winner cannot be made.
    #[error(transparent)]
    Run(Box<FitRunError>),
    /// The folder or a file of the search cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The system gives no threads.
    #[error("the threads of the trainings cannot be made")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl From<FitRunError> for DesignError {
    fn from(error: FitRunError) -> Self {
        Self::Run(Box::new(error))
    }
}
