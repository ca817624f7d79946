//! Many settings on one data set: trained side by side, judged on held-out samples, kept one by one.
//!
//! [`grid`] makes the settings, [`store`] keeps what is finished, [`table`] puts it side by side. A setting trains on
//! one thread, from seeds that do not depend on its neighbours, so that its numbers are the same however many run at
//! once, in however many shards, and however often they were interrupted.

mod error;
pub mod grid;
mod plot;
mod row;
pub mod store;
pub mod table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use firmware_core::Precision;
use ndarray::Axis;

pub use crate::base::shard::Shard;
pub use error::SweepError;
pub use grid::{Grid, Hyperparameter};
pub use row::{Measured, SweepRow};
pub use store::{SweepManifest, SweepStore};

use crate::base::side_by_side::side_by_side;
use crate::data::metrics::Metrics;
use crate::data::{Dataset, Holdout, Split};
use crate::fit::exportable::ExportableNetwork;
use crate::fit::judge::outputs;
use crate::fit::settings::FitSettings;
use crate::fit::{FitError, FitParams, Snapshot, TrainingData, ValidFitParams};
use crate::store::checkpoint;
use crate::store::error::StoreError;
use crate::training::{Ended, Progress, StepDone, TrainError, TrainState, Watch};

/// What is going on, told from any thread.
#[derive(Clone, Copy, Debug)]
pub enum SweepEvent<'a> {
    /// So many settings are to be done, of so many steps each.
    Begin {
        /// Settings that are not finished yet.
        settings: usize,
        /// Training steps of each setting.
        steps: u64,
    },
    /// A setting has done so many steps more.
    Steps(u64),
    /// A setting is finished, with this result.
    Finished(&'a SweepRow),
}

/// A sweep whose settings are all possible.
///
/// Two scales on a wave of 60 samples; the table names the better one on held-out samples:
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// use std::sync::atomic::AtomicBool;
/// use trainer::data::{Dataset, Holdout};
/// use trainer::fit::{FitParams, settings::FitSettings};
/// use trainer::sweep::{Grid, Shard, SweepStore, Sweep, SweepWatch, table::Table};
///
/// let wave = ndarray::Array2::from_shape_fn((60, 1), |(k, _)| (k as f32 * 0.4).sin());
/// let dataset = Dataset::from_grid(&[60], wave);
/// let fit = FitParams { hidden: vec![8], steps: 60, holdout: Holdout::Fraction(0.2), ..FitParams::default() };
/// let base = FitSettings { fit, precision: None, input: "wave.npy".into(), load: Default::default(), imported: None };
/// let grid = Grid { scales: vec![1.0, 4.0], ..Grid::default() };
///
/// let sweep = Sweep::new(base, grid, firmware_core::Precision::W8A16, &dataset)?;
/// let path = folder.path().join("sweep");
/// let store = SweepStore::create(&path, sweep.manifest())?;
/// sweep.run(&store, Shard::WHOLE, SweepWatch { threads: 2, stop: &AtomicBool::new(false), tell: &|_| {} })?;
/// let (manifest, rows) = SweepStore::collect(&[path])?;
/// let table = Table::new(manifest, rows);
/// assert_eq!(table.rows().count(), 2);
/// assert!(table.best().is_some_and(|best| best.test_psnr_db().is_finite()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sweep<'a> {
    manifest: SweepManifest,
    settings: Vec<ValidFitParams>,
    dataset: &'a Dataset,
    split: Split,
    precision: Precision,
}

/// How many settings train at a time, who is told of their progress, and who may stop them.
#[derive(Clone, Copy)]
pub struct SweepWatch<'a> {
    /// Settings that train side by side, each on one thread.
    pub threads: usize,
    /// Set from elsewhere (ctrl-C): settings at work are saved, none is begun.
    pub stop: &'a AtomicBool,
    /// Told of every event, from any thread.
    pub tell: &'a (dyn Fn(SweepEvent<'_>) + Sync),
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
        let manifest = SweepManifest { base, grid, data };
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

    /// All that the sweep's numbers depend on: the fixed settings, the lists of values, the data's fingerprint.
    #[must_use]
    pub fn manifest(&self) -> &SweepManifest {
        &self.manifest
    }

    /// The settings, in the order of their numbers.
    #[must_use]
    pub fn settings(&self) -> &[ValidFitParams] {
        &self.settings
    }

    /// Trains what is not finished of a shard.
    ///
    /// # Errors
    /// Whatever keeps it from going on; finished settings are kept. A setting whose training diverges is finished, with
    /// that as its result.
    pub fn run(&self, store: &SweepStore, shard: Shard, watch: SweepWatch<'_>) -> Result<Ended, SweepError> {
        let mut open = Vec::new();
        for (index, setting) in self.settings.iter().enumerate().filter(|(index, _)| shard.holds(*index)) {
            if store.row(index, setting.params())?.is_none() {
                open.push(index);
            }
        }
        (watch.tell)(SweepEvent::Begin { settings: open.len(), steps: self.manifest.base.fit.steps });
        let ended = side_by_side(&open, watch.threads, |&index| self.finish(index, store, watch))?;
        Ok(if ended.contains(&Ended::Interrupted) { Ended::Interrupted } else { Ended::Finished })
    }

    /// Trains one setting from where it is.
    fn finish(&self, index: usize, store: &SweepStore, watch: SweepWatch<'_>) -> Result<Ended, SweepError> {
        if watch.stop.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        let (setting, path) = (&self.settings[index], store.checkpoint(index));
        let fingerprint = store.fingerprint(index);
        let untrained = setting.start();
        let mut state = checkpoint::kept(&path, &untrained, fingerprint).unwrap_or(untrained);
        let save = |state: &TrainState| checkpoint::write(&path, state, setting.params(), fingerprint);
        let mut save_now = |state: &TrainState| save(state).map_err(|error| TrainError::Save(Box::new(error)));
        let mut steps = Steps { tell: watch.tell };
        if state.step > 0 {
            (watch.tell)(SweepEvent::Steps(state.step));
        }
        let (resumed, begun) = (state.step > 0, Instant::now());
        let mut of_training =
            Watch { stop: Some(watch.stop), progress: Some(&mut steps), save: Some(&mut save_now), observe: None };
        let mut row = SweepRow::new(index, setting.params());
        let data = TrainingData::new(self.dataset, &self.split);
        match setting.train(data, &mut state, &mut of_training) {
            Ok(Ended::Interrupted) => {
                save(&state).map_err(StoreError::from)?;
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
        (watch.tell)(SweepEvent::Finished(&row));
        Ok(Ended::Finished)
    }

    fn measure(&self, snapshot: Snapshot<'_>) -> Result<Measured, SweepError> {
        let (train, test) = (snapshot.metrics(&self.split.train), snapshot.metrics(&self.split.test));
        let network = ExportableNetwork::new(snapshot, train.psnr_db).with_settings(&self.manifest.base);
        let artifact = network.export(self.precision)?.artifact()?;
        let held_out = &self.split.test;
        let outputs = outputs(&artifact, &self.dataset.points.select(Axis(0), held_out))?;
        let targets = self.dataset.targets.select(Axis(0), held_out);
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
    tell: &'a (dyn Fn(SweepEvent<'_>) + Sync),
}

impl Progress for Steps<'_> {
    fn step(&mut self, _: StepDone) {
        (self.tell)(SweepEvent::Steps(1));
    }

    fn end(&mut self) {}
}
