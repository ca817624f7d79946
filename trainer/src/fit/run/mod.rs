//! A run: a network that is fitted to data in a folder of its own, from which it can be resumed.
//!
//! The way of a run is [`Run::new`], [`Run::prepare`], [`Run::train`], [`Run::write`]. One that was interrupted goes on
//! with [`Run::resume`], [`Run::train`], [`Run::write`], to the same bits as if it had never stopped.
//!
//! ```
//! use ndarray::Array2;
//! use trainer::data::{Dataset, LoadOptions};
//! use trainer::fit::FitParams;
//! use trainer::fit::run::{Preparation, Run};
//! use trainer::fit::settings::FitSettings;
//! use trainer::training::Watch;
//! let values = Array2::from_shape_fn((64, 1), |(k, _)| 0.5 + 0.4 * (k as f32 * 0.2).sin());
//! let data = Dataset::from_grid(&[64], values);
//! let fit = FitParams { hidden: vec![16], steps: 50, ..FitParams::default() };
//! let settings = FitSettings { fit, precision: None, input: "sine".into(), load: LoadOptions::default(), imported: None };
//! let directory = tempfile::tempdir()?;
//! let mut run = Run::new(&directory.path().join("run"), settings, data)?;
//! run.prepare(&Preparation::default())?;
//! run.train(Watch::default())?;
//! let results = run.write()?;
//! assert_eq!((results.steps, results.finished), (50, true));
//! assert!(run.folder().model().is_file());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod preparation;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use firmware_core::Precision;
use serde::Serialize;

pub use self::error::FitRunError;
pub use self::preparation::Preparation;
use crate::base::files;
use crate::data::{Dataset, Split};
use crate::fit::advice::Advice;
use crate::fit::auto_scale::Choice;
use crate::fit::exportable::ExportableNetwork;
use crate::fit::guide;
use crate::fit::judge::{Judging, Quality, go_on};
use crate::fit::results::{ResultFiles, Results};
use crate::fit::saved_network::SavedNetwork;
use crate::fit::settings::FitSettings;
use crate::fit::validation::Measured;
use crate::fit::{Snapshot, TrainingData, ValidFitParams};
use crate::store::run::{RunError, RunFolder};
use crate::store::{self, checkpoint, json};
use crate::training::{Ended, TrainState, Watch};

/// A run at some point of its way.
#[derive(Clone, Debug)]
pub struct Run {
    folder: RunFolder,
    settings: FitSettings,
    params: ValidFitParams,
    dataset: Dataset,
    split: Split,
    prepared: Prepared,
    state: TrainState,
}

/// What was found before the training.
#[derive(Clone, Debug, Default)]
struct Prepared {
    /// What the network learns in place of the training samples, where a guide leads it.
    learned: Option<Dataset>,
    held_out: Option<Measured>,
    choice: Option<Choice>,
}

impl Run {
    /// Makes a run in a folder that does not exist or is empty. The data have gone through
    /// [`periodic::apply`](crate::data::periodic::apply) with the periods of the settings.
    ///
    /// # Errors
    /// If the settings are impossible for the data, or the folder holds something or cannot be written.
    pub fn new(path: &Path, settings: FitSettings, dataset: Dataset) -> Result<Self, FitRunError> {
        Self::create(path, settings, dataset, false)
    }

    /// The same, in a folder that may hold another run: its files are replaced when the training begins.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn replace(path: &Path, settings: FitSettings, dataset: Dataset) -> Result<Self, FitRunError> {
        Self::create(path, settings, dataset, true)
    }

    fn create(path: &Path, settings: FitSettings, dataset: Dataset, force: bool) -> Result<Self, FitRunError> {
        let params = settings.fit.check(dataset.inputs(), dataset.outputs())?;
        let (split, state) = (params.split(&dataset)?, params.start());
        let folder = RunFolder::create(path, force)?;
        files::check_writable(folder.path())?;
        Ok(Self { folder, settings, params, dataset, split, prepared: Prepared::default(), state })
    }

    /// The settings of the run in a folder.
    ///
    /// # Errors
    /// If it is not the folder of a run, or its files are damaged.
    pub fn settings_of(path: &Path) -> Result<FitSettings, FitRunError> {
        Ok(SavedNetwork::read(&RunFolder::open(path)?.network())?.settings)
    }

    /// A run as its last checkpoint left it. `settings` are those that [`Self::settings_of`] reads; another number of
    /// steps makes it longer or shorter. `dataset` holds the same data, prepared as for [`Self::new`].
    ///
    /// # Errors
    /// If files of the run are damaged, the data are other ones, or more steps are done than the settings ask for.
    pub fn resume(path: &Path, settings: FitSettings, dataset: Dataset) -> Result<Self, FitRunError> {
        let folder = RunFolder::open(path)?;
        let params = settings.fit.check(dataset.inputs(), dataset.outputs())?;
        let split = params.split(&dataset)?;
        let is_guided = settings.fit.guide && guide::is_possible(split.train.len());
        let learned = is_guided.then(|| guide::read(&folder.guide(), &dataset)).transpose()?;
        let prepared =
            Prepared { learned, held_out: json::read(&folder.held_out())?, choice: json::read(&folder.choice())? };
        let mut state = params.start();
        if checkpoint::read(&folder.checkpoint(), &mut state)? != fingerprint(&dataset, &prepared) {
            return Err(RunError::OtherData { path: path.to_owned() }.into());
        }
        let (steps, done) = (params.params().steps, state.step);
        if steps < done {
            return Err(FitRunError::FewerSteps { path: path.to_owned(), steps, done });
        }
        Ok(Self { folder, settings, params, dataset, split, prepared, state })
    }

    /// Trains to the end, or until [`Watch::stop`] is set, and leaves a checkpoint, also after a failure. The network,
    /// what was prepared and a first checkpoint are written before the first step: a disk that is full or read-only
    /// shows before the training. [`Watch::save`] is not called.
    ///
    /// # Errors
    /// If training diverges or files cannot be written. A run that could not begin leaves nothing.
    pub fn train(&mut self, mut watch: Watch<'_>) -> Result<Ended, FitRunError> {
        let Self { folder, settings, params, dataset, split, prepared, state } = self;
        let fingerprint = fingerprint(dataset, prepared);
        let run = store::run::Run { folder: folder.clone(), settings: settings.clone(), fingerprint };
        let data = TrainingData { learned: prepared.learned.as_ref(), ..TrainingData::new(dataset, split) };
        let exportable = ExportableNetwork::new(Snapshot { params, state, data }, f64::NAN);
        let exportable = exportable.with_settings(settings);
        let network = SavedNetwork { settings: settings.clone(), exportable };
        let mut has_begun = state.step > 0;
        let ended = (|| -> Result<Ended, FitRunError> {
            network.write(&folder.network())?;
            prepared.write(folder)?;
            Ok(run.checkpoint().train(state, &mut watch, |state, watch| {
                has_begun = true;
                params.train(data, state, watch)
            })?)
        })();
        if !has_begun {
            folder.discard();
        }
        ended
    }

    /// Judges the network, makes its artifact, and writes the files of the run, whether its training is finished or
    /// not.
    ///
    /// # Errors
    /// If the artifact cannot be made or a file cannot be written; files written before it stay.
    pub fn write(&self) -> Result<Results, FitRunError> {
        self.written(None)
    }

    /// As [`Self::write`], unless `stop` is set before the network is judged: nothing is written then, and the run can
    /// be resumed.
    ///
    /// # Errors
    /// As [`Self::write`], and an [interruption](FitRunError::is_interruption).
    pub fn write_unless(&self, stop: &AtomicBool) -> Result<Results, FitRunError> {
        self.written(Some(stop))
    }

    fn written(&self, stop: Option<&AtomicBool>) -> Result<Results, FitRunError> {
        go_on(stop)?;
        let (snapshot, settings) = (self.snapshot(), &self.settings);
        let exact = snapshot.predict(self.dataset.coordinates.view());
        go_on(stop)?;
        let f32 = Quality::new(&exact, &self.dataset, &self.split);
        let exportable = ExportableNetwork::new(snapshot, f32.train.psnr_db).with_settings(settings);
        let precision = settings.precision.map(Precision::from);
        let judging = Judging { snapshot, f32: &f32, precision, measured: self.prepared.held_out.as_ref(), stop };
        let judged = judging.judge(&exportable)?;

        let artifact = judged.device.exported.artifact()?;
        let mut results = Results::new(snapshot, f32, &judged, &artifact);
        if settings.imported.is_some() && results.steps == 0 {
            // Nothing was trained here: nothing is unfinished, and only the precision can be advised on.
            results.finished = true;
            results.advice = judged.advice.iter().map(ToString::to_string).collect();
        }

        if results.held_out.is_some() && self.prepared.held_out.as_ref().is_some_and(|measured| measured.chose) {
            results.advice.insert(0, Advice::AlsoChose.to_string());
        }

        let (text, predictions) = (judged.device.exported.text, judged.device.predictions);
        let exportable = ExportableNetwork { text, ..exportable };
        let files = ResultFiles {
            network: SavedNetwork { settings: settings.clone(), exportable },
            artifact,
            results: &results,
            dataset: &self.dataset,
            predictions,
            choice: self.choice(),
        };
        files.write(&self.folder)?;
        Ok(results)
    }

    /// Writes a run whose network needs no training here, as [`Self::train`] and [`Self::write`] do after one. It can
    /// be resumed, which trains the network on the data.
    ///
    /// # Errors
    /// If the artifact cannot be made or a file cannot be written.
    pub fn write_untrained(&mut self) -> Result<Results, FitRunError> {
        let stop = AtomicBool::new(true);
        self.train(Watch { stop: Some(&stop), ..Watch::default() })?;
        self.write()
    }

    /// Goes on from a state that a training with the same settings left elsewhere.
    pub fn continue_from(&mut self, state: TrainState) {
        self.state = state;
    }

    /// Takes a quality at held-out samples that was measured elsewhere.
    pub fn take_held_out(&mut self, measured: Measured) {
        self.prepared.held_out = Some(measured);
    }

    /// The network, trained or not, with its data.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        let learned = self.prepared.learned.as_ref();
        let data = TrainingData { learned, ..TrainingData::new(&self.dataset, &self.split) };
        Snapshot { params: &self.params, state: &self.state, data }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Its settings, with what was chosen.
    #[must_use]
    pub fn settings(&self) -> &FitSettings {
        &self.settings
    }

    /// The last choice that was made before the training, if one was.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        self.prepared.choice.as_ref()
    }
}

/// What a checkpoint depends on: the data, and what a guide made of them.
fn fingerprint(dataset: &Dataset, prepared: &Prepared) -> u64 {
    let guided = prepared.learned.as_ref().map_or(0, Dataset::fingerprint);
    dataset.fingerprint() ^ guided.rotate_left(1)
}

impl Prepared {
    /// Writes what was found, and removes what an earlier run in the same folder left of it.
    fn write(&self, folder: &RunFolder) -> Result<(), FitRunError> {
        keep(&folder.choice(), self.choice.as_ref())?;
        keep(&folder.held_out(), self.held_out.as_ref())?;
        match &self.learned {
            Some(learned) => Ok(guide::write(&folder.guide(), learned)?),
            None => Ok(files::remove(&folder.guide())?),
        }
    }
}

/// Writes a value as JSON, or removes the file where there is none.
fn keep(path: &Path, value: Option<&impl Serialize>) -> Result<(), FitRunError> {
    match value {
        Some(value) => Ok(json::write(path, value)?),
        None => Ok(files::remove(path)?),
    }
}
