//! Fitting a network to a data set: hyperparameters, their check, the run.
//!
//! | hyperparameter | default | purpose | range |
//! | --- | --- | --- | --- |
//! | `encoding` | Gaussian, 64 rows, σ = 10 | see [`crate::network::encoding`] | |
//! | `hidden` | 64, 64, 64 | widths of the ReLU layers | up to 8 of 1 … 2048 |
//! | `output` | sigmoid | last activation; targets lie in [0, 1], and it keeps Adam's noise small near both ends | linear, sigmoid |
//! | `initialization` | Glorot | how parameters start | see [`Initialization`] |
//! | `steps` | 2000 | updates | ≥ 1 |
//! | `batch` | 4096 | samples a step | ≥ 1, or all |
//! | `learning_rate` | 1e-2 | of Adam | > 0, ≤ 10 |
//! | `schedule` | cosine to 1 %, 20 steps of warm-up | of the learning rate | see [`Schedule`] |
//! | `loss` | mean squared error | what is made small | see [`SquaredError`] |
//! | `outside` | clamp | points beyond the domain; periodic rounds B to whole cycles | |
//! | `periodic` | none | axes that repeat after a period of their own, whatever `outside` says of the others | > 0 |
//! | `guide` | no | learn from kernel regression through the samples instead of the samples alone | see [`crate::fit::guide`] |
//! | `holdout` | none | samples that test instead of train | |
//! | `seed` | 0 | of B, the start, the order of samples and the held-out ones | |
//!
//! The defaults were chosen on the bundled picture and terrain: a sigmoid gains 3 and 5 dB over a linear output, Glorot
//! is as good as He on one and 2 dB better on the other, and twice the learning rate gains another decibel on networks
//! this small but is less safe for wider ones.

pub mod advice;
pub mod auto_scale;
pub mod effect;
pub mod guide;
pub mod outcome;
pub mod saved;
pub mod validation;

use self::guide::Guide;
use crate::base::random::{Purpose, step_rng};
use crate::data::metrics::Metrics;
use crate::data::periodic::Period;
use crate::data::{Dataset, DatasetError, Holdout, OutputMap, Outside, Split, in_user_units, split};
use crate::fit::outcome::RunData;
use crate::network::encoding::{Encoding, EncodingError, EncodingKind, EncodingParams};
use crate::network::features::EncodedFeatures;
use crate::network::{Initialization, Mlp, OutputActivation, Shape};
use crate::theory::TheoryError;
use crate::training::loss::SquaredError;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::regression::Regression;
use crate::training::{Ended, LoopParams, TrainError, TrainState, Watch, train};
use firmware_core::limits::{MAX_HIDDEN_LAYERS, MAX_OUTPUTS, MAX_WIDTH};
use ndarray::{Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

/// Hyperparameters; [`FitParams::check`] makes them [`ValidFitParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FitParams {
    /// The encoding; its seed is replaced by `seed`.
    pub encoding: EncodingParams,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Last activation.
    pub output: OutputActivation,
    /// How parameters start.
    pub initialization: Initialization,
    /// Updates.
    pub steps: u64,
    /// Samples a step; `None`: all.
    pub batch: Option<usize>,
    /// Learning rate where the schedule's factor is 1.
    pub learning_rate: f64,
    /// Its course.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// What is made small.
    pub loss: SquaredError,
    /// Points beyond the domain.
    pub outside: Outside,
    /// Axes that repeat; their data have gone through [`periodic::apply`](crate::data::periodic::apply).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub periodic: Vec<Period>,
    /// Learn from kernel regression through the samples, where there are not too many: see [`crate::fit::guide`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub guide: bool,
    /// Samples that test.
    #[serde(with = "holdout_text")]
    pub holdout: Holdout,
    /// Of everything random.
    pub seed: u64,
}

impl Default for FitParams {
    fn default() -> Self {
        Self {
            encoding: EncodingParams::default(),
            hidden: vec![64, 64, 64],
            output: OutputActivation::Sigmoid,
            initialization: Initialization::Glorot,
            steps: 2000,
            batch: Some(4096),
            learning_rate: 1e-2,
            schedule: Schedule::Cosine { warmup: 20, floor: 0.01 },
            optimizer: Optimizer::default(),
            loss: SquaredError::Mean,
            outside: Outside::Clamp,
            periodic: Vec::new(),
            guide: false,
            holdout: Holdout::None,
            seed: 0,
        }
    }
}

/// As on the command line.
mod holdout_text {
    use super::Holdout;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(holdout: &Holdout, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(holdout)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Holdout, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Why there is nothing to fit, or fitting failed.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The encoding is impossible.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The data cannot be split.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The kernel regression that guides the training failed.
    #[error("kernel regression through the samples")]
    Guide(#[from] TheoryError),
    /// A layer of no width or of too much.
    #[error("a hidden layer of {width} units is not possible; --hidden takes widths from 1 to {MAX_WIDTH}")]
    Width {
        /// The width.
        width: usize,
    },
    /// Too many layers.
    #[error("{layers} hidden layers are not possible; a device takes up to {MAX_HIDDEN_LAYERS}")]
    Layers {
        /// How many.
        layers: usize,
    },
    /// Too many outputs.
    #[error("{outputs} outputs are not possible; a device takes up to {MAX_OUTPUTS}")]
    Outputs {
        /// How many.
        outputs: usize,
    },
    /// No learning rate.
    #[error("a learning rate of {rate} is not possible; --learning-rate takes a number above 0 and up to 10")]
    LearningRate {
        /// What was given.
        rate: f64,
    },
    /// No schedule.
    #[error("the schedule has impossible numbers; its factor must be above 0 and up to 1, its period positive")]
    Schedule,
    /// Nothing to do.
    #[error("0 steps train nothing; give --steps at least 1")]
    Steps,
    /// Empty batches.
    #[error("a batch of 0 samples trains nothing; give --batch at least 1, or all")]
    Batch,
    /// More samples than can be told apart.
    #[error("{samples} samples are too many; this program takes up to 4294967295")]
    Samples {
        /// How many.
        samples: usize,
    },
}

/// Checked hyperparameters for data of a certain shape.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidFitParams {
    params: FitParams,
    encoding: Encoding,
    shape: Shape,
}

impl FitParams {
    /// Checks everything that can be wrong, before anything is computed.
    ///
    /// # Errors
    /// [`FitError`], with the option to change.
    pub fn check(&self, inputs: usize, outputs: usize) -> Result<ValidFitParams, FitError> {
        let mut params = self.clone();
        params.encoding.seed = self.seed;
        params.encoding.whole |= self.outside == Outside::Periodic && self.encoding.kind != EncodingKind::None;
        params.encoding.whole_axes = self.periodic.iter().map(|period| period.axis).collect();
        let encoding = params.encoding.check(inputs)?;
        if let Some(&width) = self.hidden.iter().find(|&&width| width == 0 || width > MAX_WIDTH) {
            return Err(FitError::Width { width });
        }
        if self.hidden.len() > MAX_HIDDEN_LAYERS {
            return Err(FitError::Layers { layers: self.hidden.len() });
        }
        if !(1..=MAX_OUTPUTS).contains(&outputs) {
            return Err(FitError::Outputs { outputs });
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 10.0) {
            return Err(FitError::LearningRate { rate: self.learning_rate });
        }
        let possible = match self.schedule {
            Schedule::Constant => true,
            Schedule::Exponential { factor, every } => factor > 0.0 && factor <= 1.0 && every > 0.0,
            Schedule::Cosine { floor, .. } => (0.0..=1.0).contains(&floor),
        };
        if !possible {
            return Err(FitError::Schedule);
        }
        if self.steps == 0 {
            return Err(FitError::Steps);
        }
        if self.batch == Some(0) {
            return Err(FitError::Batch);
        }
        let shape = Shape::new(encoding.features_len(), &self.hidden, outputs, self.output);
        Ok(ValidFitParams { params, encoding, shape })
    }

    /// What a model of `inputs` axes does beyond its domain: along all axes, but for those of the bits.
    #[must_use]
    pub fn beyond(&self, inputs: usize) -> (Outside, u16) {
        let axes = self.periodic.iter().fold(0, |axes, period| axes | 1 << period.axis);
        // The simplest form, which every device can read.
        if self.outside == Outside::Periodic || self.periodic.len() == inputs {
            return (Outside::Periodic, 0);
        }
        (self.outside, axes)
    }
}

impl ValidFitParams {
    /// What was checked.
    pub fn params(&self) -> &FitParams {
        &self.params
    }

    /// The encoding.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// The network's shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The untrained network.
    pub fn start(&self) -> TrainState {
        let mut rng = step_rng(self.params.seed, Purpose::InitialParameters, 0);
        TrainState::new(vec![Mlp::new(self.shape.clone(), self.params.initialization, &mut rng)])
    }

    /// Which samples train and which test.
    ///
    /// # Errors
    /// If nothing would be left for either.
    pub fn split(&self, dataset: &Dataset) -> Result<Split, FitError> {
        if u32::try_from(dataset.len()).is_err() {
            return Err(FitError::Samples { samples: dataset.len() });
        }
        Ok(split(dataset, self.params.holdout, self.params.seed)?)
    }

    /// How the loop shall run.
    pub fn loop_params(&self) -> LoopParams {
        LoopParams {
            steps: self.params.steps,
            learning_rate: self.params.learning_rate,
            schedule: self.params.schedule,
            optimizer: self.params.optimizer.clone(),
        }
    }

    /// What the network learns in place of the given samples: those of a [guide] that was fitted to them. `None` if no guide
    /// is wanted, or there are too few or too many samples for one.
    ///
    /// # Errors
    /// [`FitError::Guide`].
    pub fn guided(&self, dataset: &Dataset, samples: &[usize]) -> Result<Option<Dataset>, FitError> {
        let guide = self.guide(dataset, samples)?;
        Ok(guide.map(|guide| guide.dataset(dataset, samples, self.params.seed)))
    }

    /// The guide itself.
    ///
    /// # Errors
    /// [`FitError::Guide`].
    pub fn guide(&self, dataset: &Dataset, samples: &[usize]) -> Result<Option<Guide>, FitError> {
        if !self.params.guide || !guide::is_possible(samples.len()) {
            return Ok(None);
        }
        let is_periodic =
            |axis| self.params.outside == Outside::Periodic || self.params.periodic.iter().any(|p| p.axis == axis);
        let periodic: Vec<bool> = (0..dataset.inputs()).map(is_periodic).collect();
        Ok(Some(Guide::fit(dataset, samples, &periodic, self.params.seed)?))
    }

    /// Trains `state` on the samples of `split` from where it is.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn continue_fit(
        &self,
        dataset: &Dataset,
        split: &Split,
        state: &mut TrainState,
        watch: &mut Watch<'_>,
    ) -> Result<Ended, FitError> {
        let everything = split.train.len() == dataset.len();
        let (coordinates, targets) = if everything {
            (EncodedFeatures::new(&self.encoding, dataset.coordinates.view()), dataset.targets.clone())
        } else {
            let coordinates = dataset.coordinates.select(Axis(0), &split.train);
            let features = EncodedFeatures::new(&self.encoding, coordinates.view());
            (features, dataset.targets.select(Axis(0), &split.train))
        };
        let mut objective =
            Regression::new(coordinates, targets, self.params.loss, self.params.batch, self.params.seed);
        Ok(train(&mut objective, state, &self.loop_params(), watch)?)
    }

    /// Trains `state` from where it is on what the network is to learn.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn train(&self, data: RunData<'_>, state: &mut TrainState, watch: &mut Watch<'_>) -> Result<Ended, FitError> {
        match data.learned {
            Some(learned) => self.continue_fit(learned, &Split::all(learned), state, watch),
            None => self.continue_fit(data.dataset, data.split, state, watch),
        }
    }

    /// Trains from the start, with nobody watching: what sweeps and figures call.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use trainer::data::{Dataset, DataKind};
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
        let data = RunData { dataset, split: &split, learned: learned.as_ref(), held_out: None };
        let ended = self.train(data, &mut state, watch)?;
        let output_maps = data.output_maps().to_vec();
        Ok(Fitted { encoding: self.encoding.clone(), state, split, output_maps, ended })
    }
}

/// What fitting gave.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The encoding.
    pub encoding: Encoding,
    /// The network, and the history of its loss.
    pub state: TrainState,
    /// Which samples it was trained on.
    pub split: Split,
    /// From the network's unit outputs to the user's units.
    pub output_maps: Vec<OutputMap>,
    /// Whether all steps were done.
    pub ended: Ended,
}

impl Fitted {
    /// The network.
    pub fn network(&self) -> &Mlp<f32> {
        &self.state.networks[0]
    }

    /// How well the given samples are met in f32.
    pub fn metrics(&self, dataset: &Dataset, samples: &[usize]) -> Metrics {
        let outputs = unit_outputs(&self.encoding, self.network(), dataset.coordinates.select(Axis(0), samples).view());
        let targets = dataset.targets.select(Axis(0), samples);
        Metrics::compare(&in_user_units(outputs, &self.output_maps), &targets, &dataset.output_maps)
    }
}

/// Unit outputs `[n, c]` of a network at coordinates `[n, d]`, in bounded memory.
pub fn unit_outputs(encoding: &Encoding, network: &Mlp<f32>, coordinates: ArrayView2<'_, u32>) -> Array2<f32> {
    const ROWS: usize = 16_384;
    let mut outputs = Array2::zeros((coordinates.nrows(), network.shape().outputs()));
    for start in (0..coordinates.nrows()).step_by(ROWS) {
        let rows = s![start..(start + ROWS).min(coordinates.nrows()), ..];
        outputs.slice_mut(rows).assign(&network.predict(encoding.features(coordinates.slice(rows)).view()));
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn waves(side: usize) -> Dataset {
        let value = |(k, _): (usize, usize)| {
            let (x, y) = ((k % side) as f32 / side as f32, (k / side) as f32 / side as f32);
            0.5 + 0.25 * (12.0 * x + 3.0 * y).sin() + 0.2 * (9.0 * y * y).cos()
        };
        Dataset::from_grid(&[side, side], Array2::from_shape_fn((side * side, 1), value))
    }

    #[test]
    fn impossible_settings_are_refused_before_training() {
        let base = FitParams::default();
        let with = |change: fn(&mut FitParams)| {
            let mut params = base.clone();
            change(&mut params);
            params.check(2, 1).map(|_| ()).unwrap_err().to_string()
        };
        for (error, words) in [
            (with(|p| p.hidden = vec![64, 0]), "--hidden"),
            (with(|p| p.hidden = vec![2049]), "1 to 2048"),
            (with(|p| p.hidden = vec![8; 9]), "up to 8"),
            (with(|p| p.learning_rate = f64::NAN), "--learning-rate"),
            (with(|p| p.learning_rate = 0.0), "--learning-rate"),
            (with(|p| p.steps = 0), "--steps"),
            (with(|p| p.batch = Some(0)), "--batch"),
            (with(|p| p.encoding.scale = 1e9), "--scale"),
            (with(|p| p.schedule = Schedule::Exponential { factor: f64::NAN, every: 1.0 }), "schedule"),
        ] {
            assert!(error.contains(words), "{error}");
        }
        assert!(base.check(2, 17).is_err() && base.check(2, 0).is_err());
        assert!(base.check(2, 1).is_ok());
    }

    #[test]
    fn a_default_network_learns_a_picture_and_settings_survive_json() {
        let params = FitParams { hidden: vec![32, 32], steps: 300, holdout: Holdout::Even, ..FitParams::default() };
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<FitParams>(&text).unwrap(), params);
        let params = FitParams { encoding: EncodingParams { scale: 1.0, ..params.encoding }, ..params };
        let data = waves(48);
        let fitted = params.check(2, 1).unwrap().fit(&data, &mut Watch::default()).unwrap();
        let (train, test) = (fitted.metrics(&data, &fitted.split.train), fitted.metrics(&data, &fitted.split.test));
        assert!(train.psnr_db > 40.0 && test.psnr_db > 35.0, "{} {}", train.psnr_db, test.psnr_db);
    }

    #[test]
    fn a_periodic_domain_gets_whole_frequencies() {
        let params = FitParams { outside: Outside::Periodic, ..FitParams::default() }.check(2, 1).unwrap();
        assert!(params.encoding().frequencies().iter().all(|frequency| frequency % 65_536 == 0));
    }

    #[test]
    fn only_the_periodic_axis_gets_whole_frequencies() {
        let plain = FitParams { seed: 3, ..FitParams::default() };
        let periodic = vec![Period { axis: 1, period: 360.0 }];
        let params = FitParams { periodic: periodic.clone(), ..plain.clone() };
        let cycles = |params: &FitParams| params.check(2, 1).unwrap().encoding().frequency_matrix();
        let (free, found) = (cycles(&plain), cycles(&params));
        assert_eq!(found.column(0), free.column(0));
        assert_eq!(found.column(1), free.column(1).mapv(f64::round));
        assert_ne!(found.column(1), free.column(1));
        assert_eq!(params.beyond(2), (Outside::Clamp, 0b10));
        assert_eq!(FitParams { outside: Outside::Reject, ..params.clone() }.beyond(2), (Outside::Reject, 0b10));
        // What is periodic everywhere is written as it always was.
        assert_eq!(FitParams { outside: Outside::Periodic, ..params.clone() }.beyond(2), (Outside::Periodic, 0));
        let one = FitParams { periodic: vec![Period { axis: 0, period: 360.0 }], ..plain.clone() };
        assert_eq!(one.beyond(1), (Outside::Periodic, 0));
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<FitParams>(&text).unwrap(), params);
        assert!(!serde_json::to_string(&plain).unwrap().contains("periodic"), "settings of old are written as of old");
        let unencoded = EncodingParams { kind: EncodingKind::None, ..EncodingParams::default() };
        let error = FitParams { encoding: unencoded, ..params }.check(2, 1).unwrap_err().to_string();
        assert!(error.contains("input 2 is not encoded") && error.contains("--periodic"), "{error}");
    }
}
