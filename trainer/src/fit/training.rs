//! Training on a data set, and the network that comes of it.

use crate::artifact::export::{Artifact, ExportError};
use crate::data::metrics::Metrics;
use crate::data::{Dataset, Outside, Split, split};
use crate::fit::exportable::ExportableNetwork;
use crate::fit::guide::{self, Guide};
use crate::fit::snapshot::{Snapshot, TrainingData};
use crate::fit::{FitError, ValidFitParams, table};
use crate::network::Mlp;
use crate::training::regression::{Batches, Regression};
use crate::training::{Ended, Objective, TrainState, Watch, train};
use firmware_core::Precision;
use ndarray::Axis;

impl ValidFitParams {
    /// Which samples train and which test.
    ///
    /// # Errors
    /// If nothing would be left for either.
    pub fn split(&self, dataset: &Dataset) -> Result<Split, FitError> {
        if u32::try_from(dataset.len()).is_err() {
            return Err(FitError::Samples { samples: dataset.len() });
        }
        Ok(split(dataset, self.params().holdout, self.params().seed)?)
    }

    /// What the network learns in place of the given samples: those of a [guide] that was fitted to them. `None` if no
    /// guide is wanted, or there are too few or too many samples for one.
    ///
    /// # Errors
    /// [`FitError::Guide`].
    pub fn guided(&self, dataset: &Dataset, samples: &[usize]) -> Result<Option<Dataset>, FitError> {
        let guide = self.guide(dataset, samples)?;
        Ok(guide.map(|guide| guide.dataset(dataset, samples, self.params().seed)))
    }

    /// A guide through the given samples. `None` as in [`Self::guided`].
    ///
    /// # Errors
    /// [`FitError::Guide`].
    pub fn guide(&self, dataset: &Dataset, samples: &[usize]) -> Result<Option<Guide>, FitError> {
        let params = self.params();
        if !params.guide || !guide::is_possible(samples.len()) {
            return Ok(None);
        }
        let is_periodic =
            |axis| params.outside == Outside::Periodic || params.periodic.iter().any(|period| period.axis == axis);
        let periodic: Vec<bool> = (0..dataset.inputs()).map(is_periodic).collect();
        Ok(Some(Guide::fit(dataset, samples, &periodic, params.seed)?))
    }

    /// Trains `state` from where it is on what the network is to learn.
    ///
    /// # Errors
    /// [`FitError::Train`].
    pub fn train(
        &self,
        data: TrainingData<'_>,
        state: &mut TrainState,
        watch: &mut Watch<'_>,
    ) -> Result<Ended, FitError> {
        let (dataset, samples) = data.learned();
        if let Some(grid) = self.encoding().grid().filter(|grid| grid.is_table()) {
            if state.step == 0 {
                table::fit(grid, dataset, &samples, state);
                state.step = self.params().steps;
            }
            return Ok(Ended::Finished);
        }
        Ok(train(&mut self.objective(dataset, &samples), state, &self.loop_params(), watch)?)
    }

    fn objective(&self, dataset: &Dataset, samples: &[usize]) -> impl Objective {
        let (coordinates, targets) = if samples.len() == dataset.len() {
            (dataset.coordinates.clone(), dataset.targets.clone())
        } else {
            (dataset.coordinates.select(Axis(0), samples), dataset.targets.select(Axis(0), samples))
        };
        let features = self.trained_encoding().features(coordinates, self.params().steps);
        let params = self.params();
        Regression::new(features, targets, params.loss, Batches { size: params.batch, seed: params.seed })
    }

    /// Trains a new network on the training samples of a data set.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use trainer::data::Dataset;
    /// use trainer::fit::FitParams;
    /// use trainer::training::Watch;
    /// // A line of 64 samples that a small network learns in a moment.
    /// let values = Array2::from_shape_fn((64, 1), |(k, _)| 0.5 + 0.4 * (k as f32 * 0.2).sin());
    /// let data = Dataset::from_grid(&[64], values);
    /// let params = FitParams { hidden: vec![32], steps: 200, ..FitParams::default() };
    /// let fitted = params.check(1, 1)?.fit(&data, &mut Watch::default())?;
    /// assert!(fitted.metrics(&data, &fitted.split.train).psnr_db > 30.0);
    /// # Ok::<(), trainer::fit::FitError>(())
    /// ```
    ///
    /// # Errors
    /// See [`FitError`].
    pub fn fit(&self, dataset: &Dataset, watch: &mut Watch<'_>) -> Result<Fitted, FitError> {
        let (split, mut state) = (self.split(dataset)?, self.start());
        let learned = self.guided(dataset, &split.train)?;
        let data = TrainingData { learned: learned.as_ref(), ..TrainingData::new(dataset, &split) };
        let ended = self.train(data, &mut state, watch)?;
        Ok(Fitted { params: self.clone(), state, split, learned, ended })
    }
}

/// What [`ValidFitParams::fit`] returns: a trained network.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The hyperparameters that it was trained with.
    pub params: ValidFitParams,
    /// The network, and the history of its loss.
    pub state: TrainState,
    /// Which samples trained and which are held out.
    pub split: Split,
    /// What the network learned in place of the training samples, if a [guide] led it.
    pub learned: Option<Dataset>,
    /// Whether all steps were done, or [`Watch::stop`] ended the training.
    pub ended: Ended,
}

impl Fitted {
    /// The network in f32.
    pub fn network(&self) -> &Mlp<f32> {
        &self.state.networks[0]
    }

    /// The network with the data set that it was fitted to.
    #[must_use]
    pub fn snapshot<'a>(&'a self, dataset: &'a Dataset) -> Snapshot<'a> {
        let data = TrainingData { dataset, split: &self.split, learned: self.learned.as_ref() };
        Snapshot { params: &self.params, state: &self.state, data }
    }

    /// How well the network meets the given samples of the data set that it was fitted to, in f32.
    pub fn metrics(&self, dataset: &Dataset, samples: &[usize]) -> Metrics {
        self.snapshot(dataset).metrics(samples)
    }

    /// The artifact for a device: what `trainer fit` writes as `model.ffm` but for the figures of held-out samples.
    /// `dataset` is the one that the network was fitted to.
    ///
    /// ```
    /// use firmware_core::{Model, Precision};
    /// use ndarray::Array2;
    /// use trainer::data::Dataset;
    /// use trainer::fit::FitParams;
    /// use trainer::training::Watch;
    /// let values = Array2::from_shape_fn((64, 1), |(k, _)| 0.5 + 0.4 * (k as f32 * 0.2).sin());
    /// let data = Dataset::from_grid(&[64], values);
    /// let params = FitParams { hidden: vec![32], steps: 200, ..FitParams::default() };
    /// let fitted = params.check(1, 1)?.fit(&data, &mut Watch::default())?;
    /// let artifact = fitted.artifact(&data, Precision::W8A16)?;
    /// let model = Model::parse(artifact.as_bytes()).expect("an artifact");
    /// assert_eq!((model.inputs(), model.outputs()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn artifact(&self, dataset: &Dataset, precision: Precision) -> Result<Artifact, ExportError> {
        let training_psnr_db = self.metrics(dataset, &self.split.train).psnr_db;
        let network = ExportableNetwork::new(self.snapshot(dataset), training_psnr_db);
        network.export(precision)?.artifact()
    }
}
