//! Quality at samples that were held out, where none are spared for it: several trainings, each without some of the
//! samples.
//!
//! Few rows are divided into five parts, and each part is predicted by a network that was trained on the others
//! (cross-validation); of many rows one part is held out once. The network that is kept then trains on all rows. Each
//! network is quantized like the one that is kept, and both its f32 outputs and those of its artifact are compared.
//!
//! All settings are those of the kept network: the ranges of the data, and a scale that was chosen, come from all rows.
//!
//! The rows with the smallest and the largest value of each input always train: without them a network would have to
//! extrapolate, which the kept one never does within its domain.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ndarray::{Array2, Axis, concatenate};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::artifact::precision::NamedPrecision;
use crate::base::random::{Purpose, step_rng};
use crate::base::side_by_side::{available_threads, side_by_side};
use crate::data::metrics::HeldOut;
use crate::data::metrics::Metrics;
use crate::data::{DataKind, Dataset, Split};
use crate::fit::exportable::ExportableNetwork;
use crate::fit::judge::{JudgeError, outputs};
use crate::fit::{FitError, Snapshot, TrainingData, ValidFitParams};
use crate::training::{Ended, Watch};
use firmware_core::Precision;

/// So many parts are few rows divided into.
const FOLDS: usize = 5;
/// From so many rows on, one part is enough.
const MANY_ROWS: usize = 400;
/// Fewer samples than this cannot be divided.
pub const LEAST_SAMPLES: usize = 8;
/// More rows than this to judge by tell nothing new.
const MOST_JUDGES: usize = 8192;

/// What trainings without some of the samples gave, as a run's folder keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How samples were held out, in words, as in [`HeldOut`].
    pub how: String,
    /// Steps of each extra training.
    pub steps: u64,
    /// Quality of the networks in f32.
    pub f32: Metrics,
    /// Quality of their artifacts, by the name of each precision that the run may be stored in.
    pub models: Vec<(String, Metrics)>,
    /// Whether the same samples also chose the model among others, so that these figures are somewhat too good.
    #[serde(default)]
    pub chose: bool,
}

impl Measured {
    /// The quality in a precision, for a run of so many steps; none if it was not measured in this precision.
    #[must_use]
    pub fn in_precision(&self, precision: Precision, steps: u64) -> Option<HeldOut> {
        let name = NamedPrecision(precision).name();
        let (_, model) = self.models.iter().find(|(measured, _)| measured == name)?;
        let how =
            if steps == self.steps { self.how.clone() } else { format!("{}, of {} steps each", self.how, self.steps) };
        Some(HeldOut { how, precision: name.to_owned(), f32: self.f32.clone(), model: model.clone() })
    }
}

/// Why the quality at held-out samples could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// The user asked to stop before all extra trainings were done.
    #[error("interrupted while measuring the quality at held-out rows; nothing is written")]
    Interrupted,
    /// An extra training failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// An artifact could not be made or read.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The system gives no threads.
    #[error("the threads of the trainings cannot be made")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// A measurement of the quality at held-out samples by extra trainings.
#[derive(Clone, Copy)]
pub struct Validation<'a> {
    /// The hyperparameters of the run.
    pub params: &'a ValidFitParams,
    /// All samples of the run, none of which is held out from its own training.
    pub dataset: &'a Dataset,
    /// The precision of the artifacts; `None` if it is yet to be chosen: then both integer precisions are measured.
    pub precision: Option<Precision>,
    /// Set when the user asks to stop.
    pub stop: Option<&'a AtomicBool>,
    /// Hears how many of how many trainings are done, 0 before the first.
    pub tell: &'a (dyn Fn(usize, usize) + Sync),
}

impl Validation<'_> {
    /// Trains once for each part, and compares at the samples held out; none where there are too few samples.
    ///
    /// # Errors
    /// See [`ValidationError`].
    pub fn measure(&self) -> Result<Option<Measured>, ValidationError> {
        let folds = divide(self.dataset, self.params.params().seed);
        if folds.is_empty() {
            return Ok(None);
        }
        (self.tell)(0, folds.len());
        let parts = if folds.len() == 1 {
            vec![self.train_and_predict(&folds[0])?]
        } else {
            let done = AtomicUsize::new(0);
            side_by_side(&folds, available_threads(), |fold| {
                let outputs = self.train_and_predict(fold)?;
                (self.tell)(done.fetch_add(1, Ordering::Relaxed) + 1, folds.len());
                Ok::<_, ValidationError>(outputs)
            })?
        };
        let tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.iter().copied()).collect();
        let targets = self.dataset.targets.select(Axis(0), &tested);
        // Of each part: in f32, then in each precision.
        let compare = |which: usize| {
            let views: Vec<_> = parts.iter().map(|part| part[which].view()).collect();
            let predictions = concatenate(Axis(0), &views).expect("all have one column for each output");
            Metrics::compare(&predictions, &targets, &self.dataset.output_maps)
        };
        let samples = if self.dataset.kind == DataKind::Table { "rows" } else { "cells" };
        let how = if folds.len() == 1 {
            format!(
                "{} of {} {samples} (never those at the ends of an input), left out of one extra training",
                tested.len(),
                self.dataset.len()
            )
        } else {
            format!(
                "{} of {} {samples} (never those at the ends of an input), each left out of one of {} extra trainings",
                tested.len(),
                self.dataset.len(),
                folds.len()
            )
        };
        let names = self.precisions().into_iter().map(|precision| NamedPrecision(precision).name().to_owned());
        let models = names.enumerate().map(|(k, name)| (name, compare(k + 1))).collect();
        Ok(Some(Measured { how, steps: self.params.params().steps, f32: compare(0), models, chose: false }))
    }

    /// The precisions that the run may be stored in.
    fn precisions(&self) -> Vec<Precision> {
        self.precision.map_or_else(|| vec![Precision::W8A16, Precision::W16A16], |precision| vec![precision])
    }

    /// Outputs at the samples that a fold holds out, in user units: in f32, and of the artifact in each precision.
    fn train_and_predict(&self, fold: &Split) -> Result<Vec<Array2<f32>>, ValidationError> {
        let learned = self.params.guided(self.dataset, &fold.train)?;
        let mut state = self.params.start();
        let mut watch = Watch { stop: self.stop, ..Watch::default() };
        let data = TrainingData { learned: learned.as_ref(), ..TrainingData::new(self.dataset, fold) };
        if self.params.train(data, &mut state, &mut watch)? == Ended::Interrupted {
            return Err(ValidationError::Interrupted);
        }
        let snapshot = Snapshot { params: self.params, state: &state, data };
        let coordinates = self.dataset.coordinates.select(Axis(0), &fold.test);
        let points = self.dataset.points.select(Axis(0), &fold.test);
        let network = ExportableNetwork::new(snapshot, f64::NAN);
        let mut predictions = vec![snapshot.predict(coordinates.view())];
        for precision in self.precisions() {
            let artifact = network.export(precision).and_then(|exported| exported.artifact());
            predictions.push(outputs(&artifact.map_err(JudgeError::from)?, &points)?);
        }
        Ok(predictions)
    }
}

/// The first of the parts that a [`Validation`] holds out, for comparing many trainings; none where there are too few
/// samples.
#[must_use]
pub fn held_out_part(dataset: &Dataset, seed: u64) -> Option<Split> {
    divide(dataset, seed).into_iter().next()
}

/// The parts: which rows train and which are held out.
fn divide(dataset: &Dataset, seed: u64) -> Vec<Split> {
    let n = dataset.len();
    if n < LEAST_SAMPLES {
        return Vec::new();
    }
    let mut free = vec![true; n];
    for column in dataset.coordinates.columns() {
        for end in [(0..n).min_by_key(|&row| column[row]), (0..n).max_by_key(|&row| column[row])] {
            end.into_iter().for_each(|row| free[row] = false);
        }
    }
    // Rows at the same point go together: one of them would give the others away.
    let mut groups: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for row in 0..n {
        groups.entry(dataset.coordinates.row(row).to_vec()).or_default().push(row);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|rows| rows.iter().all(|&row| free[row])).collect();
    groups.shuffle(&mut step_rng(seed, Purpose::HeldOut, 0));
    let folds = if n < MANY_ROWS { FOLDS } else { 1 };
    let judges = (groups.len() / FOLDS).min(MOST_JUDGES);
    let parts = (0..folds).map(|fold| {
        let part = if folds == 1 {
            &groups[..judges]
        } else {
            &groups[fold * groups.len() / folds..(fold + 1) * groups.len() / folds]
        };
        let mut is_test = vec![false; n];
        part.iter().flatten().for_each(|&row| is_test[row] = true);
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
        // Each row of a table twice: a pair is never divided.
        let mut twice = line(30);
        twice.coordinates = concatenate(Axis(0), &[twice.coordinates.view(), twice.coordinates.view()]).unwrap();
        twice.points = concatenate(Axis(0), &[twice.points.view(), twice.points.view()]).unwrap();
        for fold in divide(&twice, 0) {
            assert!(fold.test.iter().all(|&row| fold.test.contains(&((row + 30) % 60))));
        }
    }
}
