//! How the networks of a comparison are trained: what the mappings share, and what the paper gives each.

use firmware_core::OutputActivation;
use serde::{Deserialize, Serialize};

use super::error::InverseError;
use crate::base::random::{Purpose, step_rng};
use crate::network::encoding::{EncodingError, EncodingKind, EncodingParams};
use crate::network::grid::GridParams;
use crate::network::trained_encoding::TrainedEncoding;
use crate::network::{Initialization, Mlp, Shape};
use crate::store::run::Run;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::{Ended, LoopParams, Objective, TrainState, Watch, train};

/// For trainings that keep no checkpoints.
pub const NO_RUN: Option<&Run<()>> = None;
/// Published rates are not raised beyond this.
const MOST_RATE: f64 = 1e-2;

/// What all mappings of a comparison share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingParams {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Rows of B, for positional shared by the axes.
    pub frequencies: usize,
    /// Number of updates of the parameters.
    pub steps: u64,
    /// How the learning rate changes over the steps.
    pub schedule: Schedule,
    /// What published rates are multiplied by, up to 1e-2: small networks and few steps want more.
    pub rate_factor: f64,
    /// What published frequencies are multiplied by: coarse grids want lower ones.
    pub scale_factor: f64,
    /// How gradients become updates.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Mappings to compare beside the published ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<FurtherMapping>,
    /// Of the mapping [`FurtherMapping::Grid`].
    #[serde(default)]
    pub grid: GridParams,
    /// Seed of the frequencies, of the networks at their start, and of whatever a problem draws.
    pub seed: u64,
}

impl TrainingParams {
    /// For fields of values from 0 to 1. Sizes are for others to fill in. The paper's rates are constant; at several
    /// times them a network of full width may die in its first steps, a constant from then on, unless they rise to
    /// their height.
    pub fn field(seed: u64) -> Self {
        Self {
            hidden: vec![256; 3],
            frequencies: 256,
            steps: 1000,
            schedule: Schedule::Cosine { warmup: 50, floor: 0.01 },
            rate_factor: 1.0,
            scale_factor: 1.0,
            optimizer: Optimizer::default(),
            also: Vec::new(),
            grid: GridParams::default(),
            seed,
        }
    }

    /// The settings in words, for the heading of a comparison.
    pub fn describe(&self) -> String {
        let width = self.hidden.first().copied().unwrap_or(0);
        let (layers, rows, steps) = (self.hidden.len(), self.frequencies, self.steps);
        let (rates, scales) = (self.rate_factor, self.scale_factor);
        let schedule = match self.schedule {
            Schedule::Stable { .. } => ", which fall at the end",
            Schedule::Cosine { .. } => ", which rise at first and fall along half a cosine",
            _ => "",
        };
        format!(
            "{layers} hidden layers of {width} units, {rows} frequencies, {steps} steps, published rates times {rates} (at most \
             {MOST_RATE}){schedule}, published frequencies times {scales:.3}"
        )
    }

    /// The published mappings, and what is compared beside them.
    pub(super) fn mappings(&self, published: [TableMapping; 4]) -> Vec<TableMapping> {
        let further = |further: &FurtherMapping| match further {
            FurtherMapping::Learned => {
                TableMapping { further: Some(*further), published: None, ..published[published.len() - 1] }
            }
            FurtherMapping::Grid => TableMapping {
                kind: EncodingKind::Grid,
                scale: 1.0,
                learning_rate: MOST_RATE,
                published: None,
                further: Some(*further),
            },
        };
        published.iter().copied().chain(self.also.iter().map(further)).collect()
    }

    fn encoding(&self, mapping: &TableMapping, inputs: usize) -> Result<TrainedEncoding, InverseError> {
        let params = EncodingParams {
            kind: mapping.kind,
            frequencies: self.frequencies,
            scale: mapping.scaled(self.scale_factor),
            notebook: mapping.kind == EncodingKind::Positional,
            learned: mapping.further == Some(FurtherMapping::Learned),
            grid: self.grid.clone(),
            seed: self.seed,
            ..EncodingParams::default()
        };
        let factor =
            |range| InverseError::Setting { name: "--scale-factor", value: self.scale_factor.to_string(), range };
        // The scales are published ones: only their factor can be wrong.
        let checked = params.check(inputs).map_err(|error| match error {
            // A positional one counts octaves: it rounds to zero where a Gaussian one's frequencies do.
            EncodingError::Scale { scale } if scale > 0.0 => {
                factor("so small that no frequency is beyond 32767 cycles")
            }
            EncodingError::Frequency { .. } => factor("so small that no frequency is beyond 32767 cycles"),
            EncodingError::Scale { .. } | EncodingError::AllZero => {
                factor("so large that not all frequencies round to zero")
            }
            error => error.into(),
        })?;
        Ok(TrainedEncoding::new(&params, checked))
    }

    /// That every mapping has an encoding of `inputs` coordinates: to be known before the first is trained.
    ///
    /// # Errors
    /// If one has not.
    pub fn check(&self, mappings: &[TableMapping], inputs: usize) -> Result<(), InverseError> {
        mappings.iter().try_for_each(|mapping| self.encoding(mapping, inputs).map(|_| ()))
    }

    /// A mapping's encoding of `inputs` coordinates, and the training of its network of one output at the start.
    ///
    /// # Errors
    /// If there is no such encoding.
    pub fn start(
        &self,
        mapping: &TableMapping,
        inputs: usize,
        output: OutputActivation,
    ) -> Result<(TrainedEncoding, MappingTraining), InverseError> {
        let encoding = self.encoding(mapping, inputs)?;
        let shape = Shape::new(encoding.start().features_len(), &self.hidden, 1, output)
            .with_encoder(encoding.parameters_len());
        let mut rng = step_rng(self.seed, Purpose::InitialParameters, 0);
        let mut network = Mlp::new(shape, Initialization::Glorot, &mut rng);
        encoding.begin(&mut network, &mut rng);
        let params = LoopParams {
            steps: self.steps,
            learning_rate: (mapping.learning_rate * self.rate_factor).min(mapping.learning_rate.max(MOST_RATE)),
            encoder_rate: encoding.rate(),
            schedule: self.schedule,
            optimizer: self.optimizer.clone(),
            row_limit: None,
        };
        Ok((encoding, MappingTraining { mapping: *mapping, params, state: TrainState::new(vec![network]) }))
    }
}

/// The training of one mapping.
pub struct MappingTraining {
    mapping: TableMapping,
    params: LoopParams,
    state: TrainState,
}

impl MappingTraining {
    /// Trains to the end; with a `run` from where its checkpoint left it, if there is one. Returns the network and its
    /// last loss.
    ///
    /// # Errors
    /// If the watch stops it, training diverges, or a checkpoint is of no use or cannot be written.
    pub fn finish<O: Objective, S: Serialize>(
        mut self,
        objective: &mut O,
        watch: &mut Watch<'_>,
        run: Option<&Run<S>>,
    ) -> Result<(Mlp<f32>, f64), InverseError> {
        let (state, params) = (&mut self.state, &self.params);
        watch.stage(self.mapping.label());
        let ended = match run.map(|run| run.checkpoint_of(self.mapping.name())) {
            Some(checkpoint) => {
                checkpoint.load(state)?;
                checkpoint.train(state, watch, |state, watch| train(objective, state, params, watch))?
            }
            None => train(objective, state, params, watch)?,
        };
        match ended {
            Ended::Finished => {
                let loss = state.history.last().map_or(f64::NAN, |&(_, loss)| loss);
                Ok((state.networks.swap_remove(0), loss))
            }
            Ended::Interrupted => Err(InverseError::Interrupted),
        }
    }
}

/// A mapping that the paper does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FurtherMapping {
    /// The Gaussian one, with frequencies that are trained with the network.
    Learned,
    /// Values of grids, which are trained with the network.
    Grid,
}

impl FurtherMapping {
    /// As the command line and files spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Grid => "grid",
        }
    }
}

/// One mapping and what the paper says of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TableMapping {
    /// How coordinates become features.
    pub kind: EncodingKind,
    /// σ of Gaussian, S of positional, else unused; as published.
    pub scale: f64,
    /// Rate of Adam, as published. Muon takes the same, and five times as much for the matrices that it moves.
    pub learning_rate: f64,
    /// The first measure in table 1 of the paper.
    pub published: Option<f64>,
    /// None of a mapping that is in the table of the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub further: Option<FurtherMapping>,
}

impl TableMapping {
    /// A mapping of the paper's table.
    pub(super) const fn published(kind: EncodingKind, scale: f64, learning_rate: f64, score: f64) -> Self {
        Self { kind, scale, learning_rate, published: Some(score), further: None }
    }

    /// As files spell it.
    pub fn name(&self) -> &'static str {
        self.further.map_or(self.kind.name(), FurtherMapping::name)
    }

    /// As figures and tables spell it.
    pub fn label(&self) -> &'static str {
        match self.further {
            Some(FurtherMapping::Learned) => "learned",
            _ => self.kind.label(),
        }
    }

    /// The scale for all frequencies times `factor`: the highest positional one is 2^S - 1.
    pub fn scaled(&self, factor: f64) -> f64 {
        match self.kind {
            EncodingKind::Positional => (1.0 + (self.scale.exp2() - 1.0) * factor).log2(),
            EncodingKind::Gaussian => self.scale * factor,
            _ => self.scale,
        }
    }
}
