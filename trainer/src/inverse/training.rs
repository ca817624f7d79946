//! How the networks of a comparison are trained: what the mappings share, what the paper gives each, and who watches.

use std::sync::atomic::AtomicBool;

use firmware_core::OutputActivation;
use serde::{Deserialize, Serialize};

use super::checkpoints::Checkpoints;
use super::error::InverseError;
use crate::base::random::{Purpose, step_rng};
use crate::network::encoding::{Encoding, EncodingError, EncodingKind, EncodingParams};
use crate::network::{Initialization, Mlp, Shape};
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::{Ended, LoopParams, Objective, Progress, TrainError, TrainState, Watch, train};

/// Published rates are not raised beyond this.
const MOST_RATE: f64 = 1e-2;

/// What all mappings of a comparison share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingParams {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Rows of B, for positional shared by the axes.
    pub frequencies: usize,
    /// Steps of Adam.
    pub steps: u64,
    /// Of the rate.
    pub schedule: Schedule,
    /// What published rates are multiplied by, up to 1e-2: small networks and few steps want more.
    pub rate_factor: f64,
    /// What published frequencies are multiplied by: coarse grids want lower ones.
    pub scale_factor: f64,
    /// Of everything random.
    pub seed: u64,
}

impl TrainingParams {
    /// For fields of values from 0 to 1. Sizes are for others to fill in. The paper's rates are constant; at several times them a
    /// network of full width may die in its first steps, a constant from then on, unless they rise to their height.
    pub fn field(seed: u64) -> Self {
        Self {
            hidden: vec![256; 3],
            frequencies: 256,
            steps: 1000,
            schedule: Schedule::Cosine { warmup: 50, floor: 0.01 },
            rate_factor: 1.0,
            scale_factor: 1.0,
            seed,
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        let width = self.hidden.first().copied().unwrap_or(0);
        let (layers, rows, steps) = (self.hidden.len(), self.frequencies, self.steps);
        let (rates, scales) = (self.rate_factor, self.scale_factor);
        let course = match self.schedule {
            Schedule::Cosine { .. } => ", which rise at first and fall along half a cosine",
            _ => "",
        };
        format!(
            "{layers} hidden layers of {width} units, {rows} frequencies, {steps} steps, published rates times {rates} (at most \
             {MOST_RATE}){course}, published frequencies times {scales:.3}"
        )
    }

    fn encoding(&self, mapping: &TableMapping, inputs: usize) -> Result<Encoding, InverseError> {
        let params = EncodingParams {
            kind: mapping.kind,
            frequencies: self.frequencies,
            scale: mapping.scaled(self.scale_factor),
            notebook: mapping.kind == EncodingKind::Positional,
            seed: self.seed,
            ..EncodingParams::default()
        };
        let factor =
            |range| InverseError::Setting { name: "--scale-factor", value: self.scale_factor.to_string(), range };
        // The scales are published ones: only their factor can be wrong.
        params.check(inputs).map_err(|error| match error {
            // A positional one counts octaves: it rounds to zero where a Gaussian one's frequencies do.
            EncodingError::Scale { scale } if scale > 0.0 => {
                factor("so small that no frequency is beyond 32767 cycles")
            }
            EncodingError::Frequency { .. } => factor("so small that no frequency is beyond 32767 cycles"),
            EncodingError::Scale { .. } | EncodingError::AllZero => {
                factor("so large that not all frequencies round to zero")
            }
            error => error.into(),
        })
    }

    /// That every mapping has an encoding of `inputs` coordinates: to be known before the first is trained.
    ///
    /// # Errors
    /// If one has not.
    pub fn check(&self, mappings: &[TableMapping], inputs: usize) -> Result<(), InverseError> {
        mappings.iter().try_for_each(|mapping| self.encoding(mapping, inputs).map(|_| ()))
    }

    /// A mapping's encoding of `inputs` coordinates and its network of one output at the start.
    ///
    /// # Errors
    /// If there is no such encoding.
    pub fn start(
        &self,
        mapping: &TableMapping,
        inputs: usize,
        output: OutputActivation,
    ) -> Result<(Encoding, TrainState), InverseError> {
        let encoding = self.encoding(mapping, inputs)?;
        let shape = Shape::new(encoding.features_len(), &self.hidden, 1, output);
        let network = Mlp::new(shape, Initialization::Glorot, &mut step_rng(self.seed, Purpose::InitialParameters, 0));
        Ok((encoding, TrainState::new(vec![network])))
    }

    /// Trains with a mapping's rate, from where its checkpoint left it, if there is one.
    ///
    /// # Errors
    /// If the user stops it, training diverges, or a checkpoint is of no use or cannot be written.
    pub fn run<O: Objective>(
        &self,
        mapping: &TableMapping,
        objective: &mut O,
        state: &mut TrainState,
        monitor: &ComparisonMonitor<'_>,
    ) -> Result<(), InverseError> {
        let params = LoopParams {
            steps: self.steps,
            learning_rate: (mapping.learning_rate * self.rate_factor).min(mapping.learning_rate.max(MOST_RATE)),
            schedule: self.schedule,
            optimizer: Optimizer::default(),
        };
        let mut save = |state: &TrainState| match monitor.checkpoints {
            Some(kept) => kept.save(mapping.kind, state).map_err(|error| TrainError::Save(Box::new(error))),
            None => Ok(()),
        };
        if let Some(kept) = monitor.checkpoints {
            kept.resume(mapping.kind, state)?;
        }
        // A disk that is full or read-only shows before the training, not after it.
        save(state)?;
        let mut shown = (monitor.progress)(mapping.kind, self.steps, state.step);
        let mut watch =
            Watch { stop: Some(monitor.stop), progress: Some(shown.as_mut()), save: Some(&mut save), observe: None };
        let ended = train(objective, state, &params, &mut watch)?;
        save(state)?;
        match ended {
            Ended::Finished => Ok(()),
            Ended::Interrupted => Err(InverseError::Interrupted),
        }
    }
}

/// One mapping and what the paper says of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TableMapping {
    /// Which.
    pub kind: EncodingKind,
    /// σ of Gaussian, S of positional, else unused; as published.
    pub scale: f64,
    /// Rate of Adam, as published.
    pub learning_rate: f64,
    /// The first measure in table 1 of the paper.
    pub published: Option<f64>,
}

impl TableMapping {
    /// The scale for all frequencies times `factor`: the highest positional one is 2^S - 1.
    pub fn scaled(&self, factor: f64) -> f64 {
        match self.kind {
            EncodingKind::Positional => (1.0 + (self.scale.exp2() - 1.0) * factor).log2(),
            EncodingKind::Gaussian => self.scale * factor,
            _ => self.scale,
        }
    }
}

/// Progress goes out, the wish to stop comes in.
#[derive(Clone, Copy)]
pub struct ComparisonMonitor<'a> {
    /// Set from elsewhere (ctrl-C).
    pub stop: &'a AtomicBool,
    /// Shows the training of a mapping: its steps, and those already done.
    pub progress: &'a dyn Fn(EncodingKind, u64, u64) -> Box<dyn Progress + 'a>,
    /// Where trainings are kept and gone on with.
    pub checkpoints: Option<&'a Checkpoints<'a>>,
}
