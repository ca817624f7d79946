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

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ndarray::{Array2, Axis, concatenate};

use crate::artifact::precision::NamedPrecision;
use crate::base::side_by_side::{available_threads, side_by_side};
use crate::data::metrics::Metrics;
use crate::data::{DataKind, Dataset, Split};
use crate::fit::exportable::ExportableNetwork;
use crate::fit::folds::divide;
pub use crate::fit::folds::{LEAST_SAMPLES, held_out_part};
use crate::fit::judge::{JudgeError, outputs};
pub use crate::fit::measured::Measured;
use crate::fit::{FitError, Snapshot, TrainingData, ValidFitParams};
use crate::training::{Ended, Watch};
use firmware_core::Precision;

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
