//! The hyperparameters of a training, and their check.

use super::FitError;
use crate::base::random::{Purpose, step_rng};
use crate::data::codes::Codes;
use crate::data::periodic::Period;
use crate::data::{Holdout, Outside};
use crate::network::encoding::{Encoding, EncodingKind, EncodingParams};
use crate::network::trained_encoding::TrainedEncoding;
use crate::network::{Activations, HiddenActivation, Initialization, Mlp, OutputActivation, Shape};
use crate::training::loss::SquaredError;
use crate::training::muon::Muon;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::{LoopParams, TrainState};
use firmware_core::limits::{MAX_HIDDEN_LAYERS, MAX_OUTPUTS, MAX_WIDTH};
use serde::{Deserialize, Serialize};

/// The [limit of weights](LoopParams::row_limit) of ReLU networks behind Gaussian frequencies. Of 1.8, 2.0, 2.2 and
/// 2.5 it has the best mean PSNR in `w8a16` for networks of 16 KB on a photograph and on terrain (2000 steps, one
/// seed). Compared with no limit it gains 0.03 dB on the first and 0.12 dB on the second (means of two seeds). After
/// 400 steps it loses 0.07 dB and gains 0.08 dB (means of three). Networks of sines, or behind grids or positional
/// features, end worse with a limit.
const ROW_LIMIT: f64 = 2.2;
/// Updates with a guide.
const GUIDED_STEPS: u64 = 2500;
/// What is left of the learning rate at the end of a training with a guide.
const GUIDED_FALL: f64 = 1.0 / 4000.0;
/// Samples of an update with a guide.
const GUIDED_BATCH: usize = 1024;

/// Hyperparameters; [`FitParams::check`] makes them [`ValidFitParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FitParams {
    /// The encoding; its seed is replaced by `seed`.
    pub encoding: EncodingParams,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers.
    #[serde(skip_serializing_if = "is_relu")]
    pub activation: HiddenActivation,
    /// Last activation.
    pub output: OutputActivation,
    /// How parameters start.
    pub initialization: Initialization,
    /// Number of updates of the parameters.
    pub steps: u64,
    /// Samples a step; `None`: all.
    pub batch: Option<usize>,
    /// Learning rate where the schedule's factor is 1.
    pub learning_rate: f64,
    /// How the learning rate changes over the steps.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// How the errors of a batch become the number that training lowers.
    pub loss: SquaredError,
    /// Points beyond the domain.
    pub outside: Outside,
    /// Axes that repeat; their data have gone through [`periodic::apply`](crate::data::periodic::apply).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub periodic: Vec<Period>,
    /// Axes of integer codes; their data have gone through [`codes::apply`](crate::data::codes::apply).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Codes>,
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
            encoding: EncodingParams { learned: true, ..EncodingParams::default() },
            hidden: vec![64, 64, 64],
            activation: HiddenActivation::Relu,
            output: OutputActivation::Sigmoid,
            initialization: Initialization::Glorot,
            steps: 2000,
            batch: Some(4096),
            learning_rate: 1e-2,
            schedule: Schedule::Cosine { warmup: 20, floor: 0.01 },
            optimizer: Optimizer::Muon(Muon::default()),
            loss: SquaredError::Mean,
            outside: Outside::Clamp,
            periodic: Vec::new(),
            codes: Vec::new(),
            guide: false,
            holdout: Holdout::None,
            seed: 0,
        }
    }
}

fn is_relu(activation: &HiddenActivation) -> bool {
    *activation == HiddenActivation::Relu
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

/// Checked hyperparameters for data of a certain shape.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidFitParams {
    /// With the encoding's parameters completed.
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
        if self.encoding.kind == EncodingKind::Table {
            params = params.as_table();
            params.encoding.grid.channels = outputs;
        }
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
            Schedule::Stable { decay, floor, .. } => (0.0..=1.0).contains(&floor) && (0.0..=1.0).contains(&decay),
        };
        if !possible {
            return Err(FitError::Schedule);
        }
        if params.steps == 0 {
            return Err(FitError::Steps);
        }
        if self.batch == Some(0) {
            return Err(FitError::Batch);
        }
        params.encoding.learned &= params.encoding.kind == EncodingKind::Gaussian;
        let encoder = TrainedEncoding::new(&params.encoding, encoding.clone()).parameters_len();
        let shape = Shape::new(encoding.features_len(), &params.hidden, outputs, params.output)
            .with_hidden(params.activation)
            .with_encoder(encoder);
        Ok(ValidFitParams { params, encoding, shape })
    }

    /// What follows the layers.
    #[must_use]
    pub fn activations(&self) -> Activations {
        Activations { hidden: self.activation, output: self.output }
    }

    /// The same with a [guide](crate::fit::guide), and with the steps, batch and loss that suit its samples, which are
    /// many and of which none is wrong.
    #[must_use]
    pub fn with_guide(self) -> Self {
        let loss = if self.output == OutputActivation::Sigmoid { SquaredError::Logistic } else { self.loss };
        let schedule = Self::guided_schedule(GUIDED_STEPS);
        let guided = Self { guide: true, steps: GUIDED_STEPS, batch: Some(GUIDED_BATCH), schedule, loss, ..self };
        if guided.encoding.kind == EncodingKind::Table { guided.as_table() } else { guided }
    }

    /// The schedule of a training of so many steps with a guide: what the network learns has no noise, so that its
    /// error ends where the noise of the steps does, and the rate falls much further than to 1 %.
    #[must_use]
    pub fn guided_schedule(steps: u64) -> Schedule {
        Schedule::Exponential { factor: GUIDED_FALL, every: steps as f64 }
    }

    /// The same with sines after the hidden layers, and the initial parameters that suit them.
    #[must_use]
    pub fn with_sines(self) -> Self {
        Self { activation: HiddenActivation::Sine, initialization: Initialization::Siren, ..self }
    }

    /// The same for a [table](EncodingKind::Table), which has no layers and is fitted in one step.
    #[must_use]
    pub fn as_table(self) -> Self {
        Self {
            encoding: EncodingParams { kind: EncodingKind::Table, learned: false, ..self.encoding },
            hidden: Vec::new(),
            activation: HiddenActivation::Relu,
            output: OutputActivation::Linear,
            initialization: Initialization::Glorot,
            steps: 1,
            ..self
        }
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
        let mut network = Mlp::new(self.shape.clone(), self.params.initialization, &mut rng);
        self.trained_encoding().begin(&mut network, &mut rng);
        TrainState::new(vec![network])
    }

    /// The encoding of a network that was trained with these hyperparameters: with its own frequencies, if they are
    /// trained.
    #[must_use]
    pub fn encoding_of(&self, network: &Mlp<f32>) -> Encoding {
        self.trained_encoding().of(network)
    }

    /// What of the encoding is trained.
    pub(super) fn trained_encoding(&self) -> TrainedEncoding {
        TrainedEncoding::new(&self.params.encoding, self.encoding.clone())
    }

    /// How the loop shall run.
    pub fn loop_params(&self) -> LoopParams {
        LoopParams {
            steps: self.params.steps,
            learning_rate: self.params.learning_rate,
            encoder_rate: self.trained_encoding().rate(),
            schedule: self.params.schedule,
            optimizer: self.params.optimizer.clone(),
            row_limit: self.row_limit(),
        }
    }

    /// The limit of the weights, for networks that gain by one.
    fn row_limit(&self) -> Option<f64> {
        let params = &self.params;
        let gains = params.encoding.kind == EncodingKind::Gaussian
            && is_relu(&params.activation)
            && !params.hidden.is_empty()
            && matches!(params.optimizer, Optimizer::Muon(_));
        gains.then_some(ROW_LIMIT)
    }
}
