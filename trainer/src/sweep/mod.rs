//! Many settings on one data set: trained side by side, judged on held-out samples, kept one by one.
//!
//! [`grid`] makes the settings, [`store`] keeps what is finished, [`table`] puts it side by side. A setting trains on one
//! thread, from seeds that do not depend on its neighbours, so that its numbers are the same however many run at once, in
//! however many shards, and however often they were interrupted.

mod error;
pub mod grid;
pub mod store;
pub mod table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use firmware_core::Precision;
use ndarray::Axis as Dimension;
use serde::{Deserialize, Serialize};

pub use error::SweepError;
pub use grid::{Axis, Grid, Shard};
pub use store::{Manifest, Store};

use crate::base::side_by_side::side_by_side;
use crate::data::metrics::Metrics;
use crate::data::{Dataset, Holdout, Split};
use crate::fit::exportable::ExportableNetwork;
use crate::fit::judge::outputs;
use crate::fit::settings::FitSettings;
use crate::fit::{FitError, FitParams, Snapshot, TrainingData, ValidFitParams};
use crate::store::checkpoint;
use crate::training::{Ended, Progress, TrainError, TrainState, Watch};

/// What came out of one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number in the sweep, from 0.
    pub index: usize,
    /// σ.
    pub scale: f64,
    /// p, as text: JSON knows no infinity.
    #[serde(with = "crate::network::encoding::power")]
    pub amplitude_power: f64,
    /// m.
    pub frequencies: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// How good the network is; none if training failed.
    pub measured: Option<Measured>,
    /// Why training failed.
    pub failure: Option<String>,
    /// Training time on one thread; none if it was interrupted in between.
    pub seconds: Option<f64>,
}

/// How good a network is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Weights and biases.
    pub parameters: usize,
    /// Length of the artifact.
    pub model_bytes: usize,
    /// On the samples that trained, in f32.
    pub train: Metrics,
    /// On those held out, in f32: what settings are judged by.
    pub test: Metrics,
    /// On those held out, as the device computes it.
    pub model_test: Metrics,
}

impl Row {
    fn new(index: usize, setting: &FitParams) -> Self {
        Self {
            index,
            scale: setting.encoding.scale,
            amplitude_power: setting.encoding.amplitude_power,
            frequencies: setting.encoding.frequencies,
            hidden: setting.hidden.clone(),
            measured: None,
            failure: None,
            seconds: None,
        }
    }

    fn is_of(&self, setting: &FitParams) -> bool {
        let expected = Self::new(self.index, setting);
        (self.scale, self.amplitude_power, self.frequencies, &self.hidden)
            == (expected.scale, expected.amplitude_power, expected.frequencies, &expected.hidden)
    }

    /// PSNR on held-out samples, dB; minus infinity if training failed.
    #[must_use]
    pub fn test_psnr_db(&self) -> f64 {
        self.measured.as_ref().map_or(f64::NEG_INFINITY, |measured| measured.test.psnr_db)
    }
}

/// What is going on, told from any thread.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// So many settings are to be done, of so many steps each.
    Begin {
        /// Settings that are not finished yet.
        settings: usize,
        /// Steps of each.
        steps: u64,
    },
    /// A setting has done so many steps more.
    Steps(u64),
    /// A setting is finished.
    Finished(&'a Row),
}

/// A sweep ready to run.
#[derive(Debug)]
pub struct Sweep<'a> {
    manifest: Manifest,
    settings: Vec<ValidFitParams>,
    dataset: &'a Dataset,
    split: Split,
    precision: Precision,
}

/// How to run it.
#[derive(Clone, Copy)]
pub struct Watcher<'a> {
    /// Settings at a time.
    pub threads: usize,
    /// Set from elsewhere (ctrl-C): settings at work are saved, none is begun.
    pub stop: &'a AtomicBool,
    /// Told of every event.
    pub tell: &'a (dyn Fn(Event<'_>) + Sync),
}

impl<'a> Sweep<'a> {
    /// Checks every setting before anything is computed.
    ///
    /// # Errors
    /// No held-out samples, no list of values, or a setting that is impossible.
    pub fn new(base: FitSettings, grid: Grid, precision: Precision, dataset: &'a Dataset) -> Result<Self, SweepError> {
        if base.fit.holdout == Holdout::None {
            return Err(SweepError::NoHoldout);
        }
        let data = format!("{:016x}", dataset.fingerprint());
        let manifest = Manifest { base, grid, data };
        let check = |setting: FitParams| {
            let (inputs, asked) = (dataset.inputs(), setting.encoding.frequencies);
            // Two counts could come to one network.
            if !manifest.grid.frequency_counts.is_empty() && setting.encoding.shared_frequencies(inputs) != asked {
                return Err(SweepError::Uneven { asked, inputs });
            }
            Ok(setting.check(inputs, dataset.outputs())?)
        };
        let settings = manifest.settings()?.into_iter().map(check).collect::<Result<Vec<_>, SweepError>>()?;
        // The split depends on the data, the seed and the holdout, which no list varies.
        let split = settings[0].split(dataset)?;
        Ok(Self { manifest, settings, dataset, split, precision })
    }

    /// What is swept.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The settings, checked.
    #[must_use]
    pub fn settings(&self) -> &[ValidFitParams] {
        &self.settings
    }

    /// Trains what is not finished of a shard.
    ///
    /// # Errors
    /// Whatever keeps it from going on; finished settings are kept. A setting whose training diverges is finished, with
    /// that as its result.
    pub fn run(&self, store: &Store, shard: Shard, watcher: Watcher<'_>) -> Result<Ended, SweepError> {
        let mut open = Vec::new();
        for (index, setting) in self.settings.iter().enumerate().filter(|(index, _)| shard.holds(*index)) {
            if store.row(index, setting.params())?.is_none() {
                open.push(index);
            }
        }
        (watcher.tell)(Event::Begin { settings: open.len(), steps: self.manifest.base.fit.steps });
        let ended = side_by_side(&open, watcher.threads, |&index| self.finish(index, store, watcher))?;
        Ok(if ended.contains(&Ended::Interrupted) { Ended::Interrupted } else { Ended::Finished })
    }

    /// Trains one setting from where it is.
    fn finish(&self, index: usize, store: &Store, watcher: Watcher<'_>) -> Result<Ended, SweepError> {
        if watcher.stop.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        let (setting, path) = (&self.settings[index], store.checkpoint(index));
        let fingerprint = store.fingerprint(index);
        let mut state = setting.start();
        // One that cannot be read is no loss beyond its time: the setting starts anew.
        if path.is_file() && checkpoint::read(&path, &mut state).ok() != Some(fingerprint) {
            state = setting.start();
        }
        let save = |state: &TrainState| checkpoint::write(&path, state, setting.params(), fingerprint);
        let mut save_now = |state: &TrainState| save(state).map_err(|error| TrainError::Save(Box::new(error)));
        let mut steps = Steps { tell: watcher.tell };
        if state.step > 0 {
            (watcher.tell)(Event::Steps(state.step));
        }
        let (resumed, begun) = (state.step > 0, Instant::now());
        let mut watch =
            Watch { stop: Some(watcher.stop), progress: Some(&mut steps), save: Some(&mut save_now), observe: None };
        let mut row = Row::new(index, setting.params());
        let data = TrainingData::new(self.dataset, &self.split);
        match setting.train(data, &mut state, &mut watch) {
            Ok(Ended::Interrupted) => {
                save(&state)?;
                return Ok(Ended::Interrupted);
            }
            Ok(Ended::Finished) => {
                row.seconds = (!resumed).then(|| begun.elapsed().as_secs_f64());
                row.measured = Some(self.measure(Snapshot { params: setting, state: &state, data })?);
            }
            Err(FitError::Train(error @ TrainError::Diverged { .. })) => row.failure = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        store.keep(&row)?;
        (watcher.tell)(Event::Finished(&row));
        Ok(Ended::Finished)
    }

    fn measure(&self, snapshot: Snapshot<'_>) -> Result<Measured, SweepError> {
        let (train, test) = (snapshot.metrics(&self.split.train), snapshot.metrics(&self.split.test));
        let network = ExportableNetwork::new(snapshot, train.psnr_db).with_no_data(&self.manifest.base.load.no_data);
        let artifact = network.export(self.precision)?.artifact()?;
        let held_out = &self.split.test;
        let outputs = outputs(&artifact, &self.dataset.points.select(Dimension(0), held_out))?;
        let targets = self.dataset.targets.select(Dimension(0), held_out);
        Ok(Measured {
            parameters: snapshot.network().parameters().len(),
            model_bytes: artifact.as_bytes().len(),
            train,
            test,
            model_test: Metrics::compare(&outputs, &targets, &self.dataset.output_maps),
        })
    }
}

/// Passes steps on to the sweep's progress.
struct Steps<'a> {
    tell: &'a (dyn Fn(Event<'_>) + Sync),
}

impl Progress for Steps<'_> {
    fn step(&mut self, _: u64, _: u64, _: f64, _: Option<f64>) {
        (self.tell)(Event::Steps(1));
    }

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests;
