//! σ or p chosen before training: the kernel theory says where to look, short trainings decide.
//!
//! 1. Kernel regression with the NTK behind each candidate's own features predicts its error on points left out
//!    ([`crate::theory::select`]). Alone it is too coarse for a choice: finite networks learn features, which no fixed
//!    kernel does, and want a smaller σ than their kernel.
//! 2. From there on (for σ, from 2.5 times less) networks are trained for a quarter of the steps, on nine tenths of the
//!    training samples, up and down the candidates until one is better than both its neighbours on the last tenth. A
//!    wrong start costs trainings, not quality.
//! 3. The longer a network trains, the more it gains on one with wider features: it shapes fine detail from coarse
//!    waves, and fits noise by fine ones. A candidate therefore loses 0.7 dB for each factor e in its σ and each factor
//!    e in the steps that were saved (of p, 6 dB for each 1 that p is smaller), and the best after that is chosen. It
//!    decides only where trials are close. These numbers were found on the signals marked *tuned* below.
//!
//! What the trials are judged on depends on what the data are for ([`Judge`]): where values between the samples are
//! wanted, a tenth of the training samples; for pictures and large grids that are to be stored, the training samples
//! themselves; and where a [guide](crate::fit::guide) leads the training, a tenth of its samples. With a guide the
//! theory is not asked, and nothing is taken off.
//!
//! The samples that the caller holds out are not looked at. The same seed gives the same choice.
//!
//! # What it costs
//!
//! Held-out PSNR (one tenth, seed 0, judged by [`Judge::LeftOut`], otherwise the defaults of `trainer fit`) of the best
//! of a sweep over [`Setting::candidates`], and of the choice; by `cargo xtask scales`. Times are those of one thread,
//! relative to the whole sweep. *Tuned*: the signal was looked at while the method was made; *blind*: only after it was
//! settled, and what to expect of a new signal.
//!
//! | signal | | best of 12 | chosen | costs | theory alone costs | time |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | picture: camera | tuned | 29.13 dB at 4.54 | 29.13 dB at 4.54 | 0.00 dB | 4.13 dB | 8 % |
//! | picture: dead leaves | tuned | 23.17 dB at 3.31 | 23.17 dB at 3.31 | 0.00 dB | 2.34 dB | 9 % |
//! | picture: coffee | tuned | 29.07 dB at 2.92 | 28.97 dB at 4.54 | 0.10 dB | 4.78 dB | 8 % |
//! | picture: strokes | tuned | 27.88 dB at 2.63 | 27.72 dB at 3.98 | 0.16 dB | 4.45 dB | 9 % |
//! | picture: textured leaves | tuned | 27.97 dB at 3.66 | 27.81 dB at 5.46 | 0.16 dB | 3.44 dB | 10 % |
//! | terrain: Jacksboro fault | tuned | 38.89 dB at 4.54 | 38.89 dB at 4.54 | 0.00 dB | 8.13 dB | 9 % |
//! | terrain: hills | tuned | 38.99 dB at 3.31 | 38.99 dB at 3.31 | 0.00 dB | 1.67 dB | 10 % |
//! | terrain: rough hills | tuned | 34.40 dB at 5.46 | 34.39 dB at 3.66 | 0.01 dB | 3.29 dB | 10 % |
//! | terrain: ridges | tuned | 37.09 dB at 3.98 | 37.01 dB at 6.03 | 0.08 dB | 1.25 dB | 11 % |
//! | terrain: craters | tuned | 43.54 dB at 3.31 | 43.43 dB at 2.27 | 0.11 dB | 3.49 dB | 8 % |
//! | line: tones and a step | tuned | 39.74 dB at 4.83 | 39.55 dB at 8.52 | 0.20 dB | 0.62 dB | 13 % |
//! | line: walk | tuned | 54.95 dB at 21.93 | 54.95 dB at 21.93 | 0.00 dB | 7.02 dB | 8 % |
//! | line: slow heartbeat | tuned | 42.33 dB at 2.74 | 39.58 dB at 15.02 | 2.75 dB | 8.00 dB | 10 % |
//! | line: demand | tuned | 34.86 dB at 14.89 | 34.86 dB at 14.89 | 0.00 dB | 3.45 dB | 14 % |
//! | line: tones | tuned | 53.05 dB at 6.22 | 53.05 dB at 6.22 | 0.00 dB | 4.78 dB | 17 % |
//! | line: chirp | tuned | 49.74 dB at 11.68 | 49.74 dB at 11.68 | 0.00 dB | 1.79 dB | 8 % |
//! | line: heartbeat | tuned | 37.17 dB at 27.00 | 37.17 dB at 27.00 | 0.00 dB | 1.87 dB | 7 % |
//! | picture: other leaves | tuned | 26.83 dB at 3.49 | 26.83 dB at 3.49 | 0.00 dB | 3.54 dB | 10 % |
//! | picture: dense strokes | tuned | 23.57 dB at 5.46 | 23.57 dB at 5.46 | 0.00 dB | 7.85 dB | 8 % |
//! | picture: few leaves | tuned | 33.99 dB at 2.27 | 33.48 dB at 1.55 | 0.52 dB | 5.20 dB | 11 % |
//! | terrain: other hills | tuned | 38.52 dB at 3.66 | 38.52 dB at 3.66 | 0.00 dB | 6.54 dB | 8 % |
//! | terrain: other ridges | tuned | 30.47 dB at 3.31 | 30.47 dB at 3.31 | 0.00 dB | 0.76 dB | 10 % |
//! | terrain: many craters | tuned | 43.35 dB at 3.83 | 43.35 dB at 3.83 | 0.00 dB | 9.36 dB | 8 % |
//! | line: long walk | tuned | 45.52 dB at 33.77 | 44.83 dB at 18.50 | 0.70 dB | 0.00 dB | 12 % |
//! | line: slow chirp | tuned | 52.09 dB at 8.52 | 52.09 dB at 8.52 | 0.00 dB | 5.16 dB | 14 % |
//! | line: quick heartbeat | tuned | 41.77 dB at 11.55 | 41.77 dB at 11.55 | 0.00 dB | 1.94 dB | 8 % |
//! | line: other demand | tuned | 36.32 dB at 9.64 | 36.01 dB at 17.42 | 0.32 dB | 3.04 dB | 11 % |
//! | line: four tones and a step | tuned | 51.94 dB at 4.35 | 50.18 dB at 7.48 | 1.76 dB | 1.91 dB | 17 % |
//! | picture: small leaves | blind | 25.19 dB at 5.75 | 25.07 dB at 3.83 | 0.12 dB | 2.93 dB | 7 % |
//! | picture: large leaves | blind | 29.56 dB at 2.22 | 29.56 dB at 2.22 | 0.00 dB | 3.71 dB | 7 % |
//! | picture: sparse strokes | blind | 29.17 dB at 2.37 | 28.90 dB at 3.49 | 0.27 dB | 4.59 dB | 7 % |
//! | terrain: gentle hills | blind | 42.80 dB at 3.49 | 42.80 dB at 3.49 | 0.00 dB | 4.20 dB | 8 % |
//! | terrain: steep ridges | blind | 35.11 dB at 3.83 | 35.11 dB at 3.83 | 0.00 dB | 3.44 dB | 7 % |
//! | terrain: few craters | blind | 45.57 dB at 3.49 | 45.57 dB at 3.49 | 0.00 dB | 3.75 dB | 7 % |
//! | line: other walk | blind | 49.67 dB at 20.44 | 49.67 dB at 20.44 | 0.00 dB | 8.92 dB | 8 % |
//! | line: other chirp | blind | 51.96 dB at 10.24 | 51.96 dB at 10.24 | 0.00 dB | 4.89 dB | 9 % |
//! | line: other heartbeat | blind | 34.14 dB at 33.77 | 32.93 dB at 18.50 | 1.21 dB | 1.55 dB | 9 % |
//! | line: third demand | blind | 34.89 dB at 16.20 | 34.02 dB at 28.93 | 0.88 dB | 3.14 dB | 12 % |
//! | line: three tones and a step | tuned | 58.55 dB at 8.02 | 57.49 dB at 4.60 | 1.06 dB | 0.00 dB | 14 % |
//! | line: other tones | blind | 53.27 dB at 4.07 | 53.27 dB at 4.07 | 0.00 dB | 2.59 dB | 10 % |
//!
//! The mean is 0.26 dB for 10 % of the time: 0.27 dB over tuned signals and 0.22 over blind ones; pictures 0.12,
//! terrains 0.02, lines 0.49. On lines neighbouring candidates differ by a decibel or more, and a tenth of a line is
//! few samples to judge by: the worst costs 2.8 dB. Short trainings of small data sets cost relatively more, up to 17 %
//! of the sweep.
//!
//! p is chosen in the same way. Over the 18 lines, on which its 6 dB were found, so that this flatters it, it costs
//! 0.65 dB.
//!
//! **Where the theory misleads.** Alone it costs 3.84 dB, mostly by a scale too large, one to four candidates above the
//! best. Why is not settled: that a kernel of patches does not see how few the m frequencies are, and that training
//! moves the features, are guesses.

mod plot;
mod setting;
mod trials;

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

pub use self::setting::Setting;
use self::trials::{Trials, best_after};
use crate::data::{Dataset, Split};
use crate::fit::{FitError, FitParams};
use crate::network::encoding::EncodingError;
use crate::theory::TheoryError;
use crate::theory::ntk::InfiniteMlpParams;
use crate::theory::select::{Samples, SelectParams};

/// How many candidates are compared, at least.
const CANDIDATES: usize = 12;
/// Fewer training samples tell nothing, where no guide stands in for them.
pub const LEAST_SAMPLES: usize = 20;
/// With a guide the candidates for σ are the powers of two between these.
const GUIDED_OCTAVES: (i32, i32) = (-4, 11);
/// Points of a patch that the kernel sees.
const PATCH_POINTS: usize = 256;

/// Why nothing could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum AutoScaleError {
    /// The encoding has no σ to choose.
    #[error("--scale auto is for --encoding gaussian; compare scales of others with `trainer sweep --scales`")]
    NotGaussian,
    /// The encoding has no p to choose.
    #[error("--amplitude-power auto is for --encoding fourier; the Gaussian encoding has --scale auto")]
    NotFourier,
    /// There are too few training samples to judge by.
    #[error(
        "choosing before training needs {LEAST_SAMPLES} training samples, there are {samples}; give a number instead of auto"
    )]
    Samples {
        /// Number of training samples.
        samples: usize,
    },
    /// The user asked to stop before the choice was made.
    #[error("interrupted while choosing before the training; nothing is written")]
    Interrupted,
    /// Every short training diverged.
    #[error("no short training succeeded; give a number instead of auto, or lower --learning-rate")]
    NoTrial,
    /// The kernel regression that says where to look failed.
    #[error("the choice before training")]
    Theory(#[from] TheoryError),
    /// The hyperparameters are impossible, or a short training failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The encoding of a candidate is impossible.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

/// One candidate and what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The value of σ or p.
    pub value: f64,
    /// PSNR on points left out that kernel regression predicts, dB; none where it was not asked.
    pub theory_psnr_db: Option<f64>,
    /// PSNR after the short training on the samples that judge, dB; none if it was not tried.
    pub trial_psnr_db: Option<f64>,
}

/// Which samples say how good a short training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// A tenth of the training samples, on which the short training does not train: for data whose values between the
    /// samples matter.
    LeftOut,
    /// The training samples themselves: for pictures and dense grids, which are to be stored.
    Stored,
    /// A tenth of the samples of a [guide](crate::fit::guide), on which the short training does not train.
    Guide,
}

impl Judge {
    /// In words, after "best on".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LeftOut => "a tenth of the training samples, left out of the short trainings",
            Self::Stored => "the training samples themselves, since all of them are to be stored",
            Self::Guide => "a tenth of the guide's samples, left out of the short trainings",
        }
    }
}

/// The choice and the curves that it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The hyperparameter that was chosen.
    pub setting: Setting,
    /// The value of the hyperparameter to train with.
    pub chosen: f64,
    /// What the kernel theory alone would take, where it was asked.
    pub theory: Option<f64>,
    /// Which samples the short trainings were judged on.
    pub judge: Judge,
    /// The best in the short trainings.
    pub trial: f64,
    /// Steps of a short training.
    pub trial_steps: u64,
    /// From the narrowest spectrum to the widest.
    pub candidates: Vec<Candidate>,
}

impl Choice {
    /// `params` with what was chosen.
    #[must_use]
    pub fn apply(&self, params: &FitParams) -> FitParams {
        self.setting.of(params, self.chosen)
    }

    /// Whether the best of the short trainings is the last that was tried on its side: a better value may lie beyond.
    #[must_use]
    pub fn is_at_an_end(&self) -> bool {
        let Some(best) = self.candidates.iter().position(|candidate| candidate.value == self.trial) else {
            return false;
        };
        let is_known = |at: Option<usize>| {
            at.and_then(|at| self.candidates.get(at)).is_some_and(|candidate| candidate.trial_psnr_db.is_some())
        };
        !(is_known(best.checked_sub(1)) && is_known(best.checked_add(1)))
    }
}

/// Chooses σ for a network that learns from the samples of a guide, `learned`; `near` is about where the best one lies.
///
/// The candidates are powers of two, and the trials climb from the one nearest to `near`.
///
/// # Errors
/// See [`AutoScaleError`].
pub fn choose_guided(
    params: &FitParams,
    learned: &Dataset,
    near: f64,
    stop: Option<&AtomicBool>,
) -> Result<Choice, AutoScaleError> {
    let setting = Setting::Scale;
    setting.check(params.encoding.kind)?;
    let values: Vec<f64> = (GUIDED_OCTAVES.0..=GUIDED_OCTAVES.1).map(|octave| f64::from(octave).exp2()).collect();
    let nearest = |a: &f64, b: &f64| (a / near).ln().abs().total_cmp(&(b / near).ln().abs());
    let start = (0..values.len()).min_by(|&a, &b| nearest(&values[a], &values[b])).unwrap_or(0);
    let data = ChoiceData { dataset: learned, split: &Split::all(learned), judge: Judge::Guide };
    let trials = Trials::new(setting, params, data, stop);
    let trial_psnr_db = trials.climb(&values, start)?;
    let chosen = values[best_after(&trial_psnr_db, |_| 0.0).ok_or(AutoScaleError::NoTrial)?];
    let candidates = values.iter().zip(trial_psnr_db);
    Ok(Choice {
        setting,
        chosen,
        theory: None,
        judge: Judge::Guide,
        trial: chosen,
        trial_steps: trials.steps(),
        candidates: candidates
            .map(|(&value, trial_psnr_db)| Candidate { value, theory_psnr_db: None, trial_psnr_db })
            .collect(),
    })
}

/// What short trainings are made on.
#[derive(Clone, Copy, Debug)]
pub struct ChoiceData<'a> {
    /// All samples.
    pub dataset: &'a Dataset,
    /// Which of them train; those that test are not looked at.
    pub split: &'a Split,
    /// Which of those that train say how good a short training is.
    pub judge: Judge,
}

/// Chooses σ or p for `params` on the training samples.
///
/// # Errors
/// See [`AutoScaleError`].
pub fn choose(
    setting: Setting,
    params: &FitParams,
    data: ChoiceData<'_>,
    stop: Option<&AtomicBool>,
) -> Result<Choice, AutoScaleError> {
    let ChoiceData { dataset, split, judge } = data;
    setting.check(params.encoding.kind)?;
    if split.train.len() < LEAST_SAMPLES {
        return Err(AutoScaleError::Samples { samples: split.train.len() });
    }
    let dims = dataset.inputs() - params.encoding.passthrough.min(dataset.inputs());
    let values = setting.candidates(dataset.len(), dims, CANDIDATES);
    let (theory, curve) = predict(setting, params, data, &values)?;
    let trials = Trials::new(setting, params, data, stop);
    let trial_psnr_db = trials.climb(&values, setting.start(&values, theory))?;
    let longer = params.steps as f64 / trials.steps() as f64;
    let place = |handicap: &dyn Fn(usize) -> f64| best_after(&trial_psnr_db, handicap).ok_or(AutoScaleError::NoTrial);
    let trial = values[place(&|_| 0.0)?];
    let chosen = values[place(&|at| setting.handicap(values[at], longer))?];
    let candidates = values.iter().zip(curve).zip(trial_psnr_db);
    Ok(Choice {
        setting,
        chosen,
        theory: Some(values[theory]),
        judge,
        trial,
        trial_steps: trials.steps(),
        candidates: candidates
            .map(|((&value, theory), trial_psnr_db)| Candidate { value, theory_psnr_db: Some(theory), trial_psnr_db })
            .collect(),
    })
}

/// The theory's choice among `values` by its place, and its curve in dB.
fn predict(
    setting: Setting,
    params: &FitParams,
    data: ChoiceData<'_>,
    values: &[f64],
) -> Result<(usize, Vec<f64>), AutoScaleError> {
    let ChoiceData { dataset, split, .. } = data;
    let turns = 2f64.powi(32);
    let points = dataset.coordinates.select(Axis(0), &split.train).mapv(|fixed| f64::from(fixed) / turns);
    let targets = dataset.targets.select(Axis(0), &split.train).mapv(f64::from);
    let hidden_layers = params.hidden.len().max(1);
    let network = InfiniteMlpParams { hidden_layers, ..SelectParams::default().network };
    let select = SelectParams { network, patch_points: PATCH_POINTS, seed: params.seed, ..SelectParams::default() };
    let features = |value: f64, points: ArrayView2<'_, f64>| -> Result<Array2<f64>, AutoScaleError> {
        let checked = setting.of(params, value).check(dataset.inputs(), dataset.outputs())?;
        let encoding = checked.encoding();
        let fixed = points.mapv(|unit| (unit * turns) as u32);
        let norm = encoding.amplitudes().iter().map(|a| f64::from(a * a)).sum::<f64>().sqrt();
        Ok(encoding.features(fixed.view()).mapv(|feature| f64::from(feature) / norm))
    };
    let selection =
        select.check()?.select(Samples { points: points.view(), targets: targets.view() }, values, features)?;
    let place = values.iter().position(|&value| value == selection.chosen).unwrap_or(0);
    Ok((place, selection.curve.iter().map(|score| -20.0 * score.error.log10()).collect()))
}
