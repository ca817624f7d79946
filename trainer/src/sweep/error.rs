//! What can be wrong with a sweep, one sentence each.

use std::path::PathBuf;

use crate::artifact::export::ExportError;
use crate::fit::FitError;
use crate::fit::encoding_option::NoEffect;
use crate::fit::judge::JudgeError;
use crate::report::figure::FigureError;
use crate::store::error::StoreError;
use crate::store::run::RunError;

/// Why a sweep cannot begin, go on or be collected. What is finished is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// A list of values that cannot be read.
    #[error("{option}: {reason}")]
    List {
        /// The option, as on the command line.
        option: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// There is no list of values to vary.
    #[error(
        "nothing to sweep over; give at least one of --scales, --amplitude-powers, --frequency-counts, --widths, \
         --depths"
    )]
    NoAxis,
    /// A list that the encoding does not listen to.
    #[error(transparent)]
    NoEffect(#[from] NoEffect),
    /// The list says how many frequencies there are.
    #[error(
        "--frequency-counts has no effect with --frequency-list, which says how many there are; leave one of them out"
    )]
    CountsOfList,
    /// More settings than anyone trains.
    #[error("{settings} settings are too many; up to {most} are possible in one sweep")]
    TooMany {
        /// Settings that the lists make together.
        settings: usize,
        /// The largest number of settings allowed.
        most: usize,
    },
    /// No samples are held out, so settings cannot be compared.
    #[error("a sweep is judged by held-out samples; give --holdout even or a part such as --holdout 0.1")]
    NoHoldout,
    /// One of the settings is impossible, or the data cannot be split.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The directory holds files that no sweep writes.
    #[error("{} holds something that is no sweep; choose another --out", path.display())]
    Occupied {
        /// The directory that was named.
        path: PathBuf,
    },
    /// A sweep with other settings.
    #[error(
        "{} holds a sweep with {name} {there}, not {here}; choose another directory, or give the settings of that \
         sweep",
        path.display()
    )]
    OtherSettings {
        /// The directory that was named.
        path: PathBuf,
        /// The setting that differs, as the command line calls it.
        name: String,
        /// Its value in the directory.
        there: String,
        /// Its value in the sweep to be run.
        here: String,
    },
    /// A sweep over other data.
    #[error(
        "the data are not those of the sweep in {}; choose another directory, or give the same file",
        path.display()
    )]
    OtherData {
        /// The directory that was named.
        path: PathBuf,
    },
    /// Some of the frequencies would be left out.
    #[error("--frequency-counts: {inputs} axes cannot share {asked} frequencies evenly; give multiples of {inputs}")]
    Uneven {
        /// The number of frequencies in the list.
        asked: usize,
        /// Coordinates of a point.
        inputs: usize,
    },
    /// A directory that no sweep was written to.
    #[error("{} is not the directory of a sweep; name what --out of `trainer sweep` named", path.display())]
    NotASweep {
        /// The directory that was named.
        path: PathBuf,
    },
    /// The directory or a file of the sweep cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A network cannot become an artifact.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A trained network that cannot be exported.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A trained network that cannot be measured.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The plot cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// No threads to work on.
    #[error("cannot start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}
