//! Quality at samples that were held out, where none are spared for it: several trainings, each without some of the samples.
//!
//! Few rows are divided into [`FOLDS`] parts, and each part is predicted by a network that was trained on the others (cross-validation);
//! of many rows one part is held out once. The network that is kept then trains on all rows. Each network is quantized like the one
//! that is kept, and both its f32 outputs and those of its artifact are compared.
//!
//! The rows with the smallest and the largest value of each input always train: without them a network would have to extrapolate, which
//! the kept one never does within its domain.

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, Axis, concatenate};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Split};
use crate::fit::{FitError, ValidFitParams, in_user_units, unit_outputs};
use crate::metrics::Metrics;
use crate::model_file::predict;
use crate::outcome::{OutcomeError, RunData};
use crate::saved::{RunSettings, SavedNetwork};
use crate::side_by_side::{available_threads, side_by_side};
use crate::train::{Ended, Watch, step_rng};
use firmware_core::Precision;

/// Parts of few rows.
const FOLDS: usize = 5;
/// From so many rows on, one part is enough.
const MANY_ROWS: usize = 400;
/// Fewer than this cannot be divided.
const LEAST_ROWS: usize = 8;
/// More rows than this to judge by tell nothing new.
const MOST_JUDGES: usize = 8192;
/// Which random numbers divide the rows.
const DIVISION: u64 = 33;

/// Quality at samples that their network was not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// How they were held out, a phrase such as `each row left out of one of 5 trainings`.
    pub how: String,
    /// In f32.
    pub f32: Metrics,
    /// Of the artifacts, computed as on the device.
    pub model: Metrics,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// The user asked to stop.
    #[error("interrupted while measuring the quality at held-out rows; nothing is written")]
    Interrupted,
    /// A training failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// An artifact could not be made or read.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// No threads.
    #[error("the threads of the trainings cannot be made")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Validation<'a> {
    /// The settings of the run.
    pub settings: &'a RunSettings,
    /// Its checked hyperparameters.
    pub params: &'a ValidFitParams,
    /// All data.
    pub dataset: &'a Dataset,
    /// Of the artifacts.
    pub precision: Precision,
    /// Set when the user asks to stop.
    pub stop: Option<&'a AtomicBool>,
}

impl Validation<'_> {
    /// Trains once for each part, and compares at the samples held out; none where there are too few samples.
    ///
    /// # Errors
    /// See [`ValidationError`].
    pub fn measure(&self) -> Result<Option<HeldOut>, ValidationError> {
        let folds = divide(self.dataset, self.params.params().seed);
        if folds.is_empty() {
            return Ok(None);
        }
        let parts = if folds.len() == 1 {
            vec![self.train_and_predict(&folds[0])?]
        } else {
            side_by_side(&folds, available_threads(), |fold| self.train_and_predict(fold))?
        };
        let tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.iter().copied()).collect();
        let targets = self.dataset.targets.select(Axis(0), &tested);
        let compare = |of: fn(&(Array2<f32>, Array2<f32>)) -> &Array2<f32>| {
            let views: Vec<_> = parts.iter().map(|part| of(part).view()).collect();
            let predictions = concatenate(Axis(0), &views).expect("all have one column for each output");
            Metrics::compare(&predictions, &targets, &self.dataset.output_maps)
        };
        let how = if folds.len() == 1 {
            format!("{} of {} rows, left out of a training of their own", tested.len(), self.dataset.len())
        } else {
            format!(
                "{} of {} rows, each left out of one of {} trainings (cross-validation)",
                tested.len(),
                self.dataset.len(),
                folds.len()
            )
        };
        Ok(Some(HeldOut { how, f32: compare(|part| &part.0), model: compare(|part| &part.1) }))
    }

    /// Outputs in f32 and of the artifact at the samples that a fold holds out, in user units.
    fn train_and_predict(&self, fold: &Split) -> Result<(Array2<f32>, Array2<f32>), ValidationError> {
        let learned = self.params.guided(self.dataset, &fold.train)?;
        let mut state = self.params.start();
        let mut watch = Watch { stop: self.stop, ..Watch::default() };
        let ended = match &learned {
            Some(learned) => self.params.continue_fit(learned, &Split::all(learned), &mut state, &mut watch)?,
            None => self.params.continue_fit(self.dataset, fold, &mut state, &mut watch)?,
        };
        if ended == Ended::Interrupted {
            return Err(ValidationError::Interrupted);
        }
        let encoding = self.params.encoding();
        let data = RunData { dataset: self.dataset, split: fold, learned: learned.as_ref(), held_out: None };
        let coordinates = self.dataset.coordinates.select(Axis(0), &fold.test);
        let exact = unit_outputs(encoding, &state.networks[0], coordinates.view());
        let exact = in_user_units(exact, data.output_maps());
        let saved = SavedNetwork::new(self.settings.clone(), encoding, &state, data, f64::NAN);
        let artifact = saved.export(self.precision).map_err(OutcomeError::from)?.artifact;
        let points = self.dataset.points.select(Axis(0), &fold.test);
        let model = artifact.model().map_err(OutcomeError::Parse)?;
        Ok((exact, predict(&model, &points).map_err(OutcomeError::from)?))
    }
}

/// The parts: which rows train and which are held out.
fn divide(dataset: &Dataset, seed: u64) -> Vec<Split> {
    let n = dataset.len();
    if n < LEAST_ROWS {
        return Vec::new();
    }
    let mut free = vec![true; n];
    for column in dataset.coordinates.columns() {
        for end in [(0..n).min_by_key(|&row| column[row]), (0..n).max_by_key(|&row| column[row])] {
            end.into_iter().for_each(|row| free[row] = false);
        }
    }
    let mut rows: Vec<usize> = (0..n).filter(|&row| free[row]).collect();
    rows.shuffle(&mut step_rng(seed, DIVISION, 0));
    let folds = if n < MANY_ROWS { FOLDS } else { 1 };
    let judges = rows.len() / FOLDS;
    let parts = (0..folds).map(|fold| {
        let part = if folds == 1 {
            &rows[..judges.min(MOST_JUDGES)]
        } else {
            &rows[fold * rows.len() / folds..(fold + 1) * rows.len() / folds]
        };
        let mut is_test = vec![false; n];
        part.iter().for_each(|&row| is_test[row] = true);
        let (test, train) = (0..n).partition(|&row| is_test[row]);
        Split { train, test }
    });
    parts.filter(|split| !split.test.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(len: usize) -> Dataset {
        let values = Array2::from_shape_fn((len, 1), |(k, _)| 0.5 + 0.4 * (k as f32 * 6.0 / len as f32).sin());
        Dataset::from_grid(&[len], values)
    }

    #[test]
    fn every_row_but_the_ends_is_held_out_once() {
        let folds = divide(&line(41), 3);
        assert_eq!(folds.len(), 5);
        let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (1..40).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.train.len() + fold.test.len(), 41);
            assert!(fold.test.iter().all(|row| !fold.train.contains(row)));
        }
        assert_eq!(divide(&line(1000), 0).len(), 1);
        assert_eq!(divide(&line(1000), 0)[0].test.len(), 998 / 5);
        assert!(divide(&line(7), 0).is_empty());
    }
}
