//! Hyperparameters of a radiance field and their check.
//!
//! | hyperparameter | default | purpose | range |
//! | --- | --- | --- | --- |
//! | `encoding` | Gaussian, 64 rows, σ = 2 | see [`crate::network::encoding`]; no table | |
//! | `hidden` | 64, 64, 64 | widths of the ReLU layers | up to 8 of 1 … 2048 |
//! | `density` | softplus | from logit to density | relu, softplus |
//! | `view_direction` | no | colours depend on the direction of view, see [`super::direction`] | |
//! | `samples` | 128 | steps across the bounding cube | 8 … 4096 |
//! | `grid` | 64 | cells of the occupancy grid along each axis | 4 … 256 |
//! | `batch` | 24,576 | samples in occupied cells a step, about; rays are as many as that gives | 64 … 2²⁴ |
//! | `steps` | 6000 | updates | ≥ 1 |
//! | `optimizer` | Muon; Adam with `view_direction` | see [`crate::training::optimizer`] | Muon without `view_direction` |
//! | `learning_rate` | 5e-3; of Adam 2e-2, of grids 1e-2 | falling along a cosine to 1 % | > 0, ≤ 1 |
//! | `background` | white | what transparent parts show | white, black |
//! | `half_width` | the scene's, or 1.5 | of the bounding cube | > 0 |
//! | `center` | the scene's, or the origin | of the bounding cube | |
//! | `seed` | 0 | of B, the start, the rays and their samples | |
//!
//! Optimizer and training of the frequencies were chosen by the *validation* views of the synthesized scene, 1000 steps
//! each, one run of each (mean PSNR, dB; test views only report). Adam has a learning rate of 2e-2, which was chosen at
//! 1500 steps, and grids 1e-2; Muon had two or three rates to choose from:
//!
//! | encoding | Adam | Muon |
//! | --- | --- | --- |
//! | Gaussian, fixed frequencies (Muon at 5e-3; at 1e-2: 28.23, 2e-2: 24.92) | 26.08 | **28.61** |
//! | Gaussian, trained frequencies (Muon at 5e-3; at 1e-2: 27.99) | 25.38 | 28.55 |
//! | grids of 16, 32, 48 nodes and 2 channels, hidden layers 24, 24 (Muon at 2e-2: 30.39) | 29.31 | **30.33** |
//!
//! Such grids before hidden layers of 16, 16 come to 30.38 dB, with 6 bits to 30.34 dB; grids of 16, 32 nodes to 28.23
//! dB, of 24, 48 to 28.81 dB, of 48 nodes and 4 channels to 29.24 dB.
//!
//! Scales and the learning rate of Adam were chosen by the same views, 1500 steps each:
//!
//! | encoding | rate 5e-3 | 1e-2 | 2e-2 | 4e-2 |
//! | --- | --- | --- | --- | --- |
//! | none | 14.70 | 17.12 | **20.36** | 20.17 |
//! | basic | 20.83 | 21.91 | **23.14** | 22.29 |
//! | positional to 16 (at 1e-2 to 4: 26.78, to 8: 28.65, to 24: 29.12) | | 28.91 | **29.71** | |
//! | Gaussian, σ = 2 (at 1e-2 σ = 1.5: 27.72, 3: 26.87; at 2e-2 1.5: 27.90, 2.5: 28.05) | 27.16 | 28.00 | **28.31** | at 3e-2: 27.83 |

use std::ops::Range;

use firmware_core::limits::{MAX_HIDDEN_LAYERS, MAX_WIDTH};
use firmware_core::march::{DIRECTION_AXIS, Density, OUTPUTS};
use firmware_core::{Axis, OutputActivation};
use serde::{Deserialize, Serialize};

use super::direction::{clear, fixed_frequencies, with_direction, zero_blocks};
use super::error::NerfError;
use super::scene::{DEFAULT_HALF_WIDTH, check_half_width};
use crate::base::random::{Purpose, step_rng};
use crate::network::encoding::{Encoding, EncodingKind, EncodingParams};
use crate::network::grid::GridParams;
use crate::network::trained_encoding::TrainedEncoding;
use crate::network::{Initialization, Mlp, Shape};
use crate::training::muon::Muon;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::{LoopParams, TrainState};

/// The bias that softplus' logits start with: nearly transparent, so that rays reach every part of the cube at first.
/// ReLU has no such start: below zero it has no gradient, and the field would stay empty.
const SOFTPLUS_BIAS: f32 = -4.0;
/// What a density logit is multiplied by, in units of 1/δ: a logit of 2 nearly hides what is behind the sample.
const DENSITY_PER_STEP: f32 = 0.5;

/// How the output z of the network becomes a density.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DensityKind {
    /// The density is max(z, 0).
    Relu,
    /// The density is ln(1 + e^z).
    #[default]
    Softplus,
}

impl From<DensityKind> for Density {
    fn from(kind: DensityKind) -> Self {
        match kind {
            DensityKind::Relu => Self::Relu,
            DensityKind::Softplus => Self::Softplus,
        }
    }
}

/// What transparent parts of the pictures show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    /// White, where all three colours are 1.
    #[default]
    White,
    /// Black, where all three colours are 0.
    Black,
}

impl Background {
    /// Red, green and blue from 0 to 1.
    pub fn color(self) -> [f32; 3] {
        match self {
            Self::White => [1.0; 3],
            Self::Black => [0.0; 3],
        }
    }
}

/// Hyperparameters; the module's table tells what they mean. [`NerfParams::check`] makes them [`ValidNerfParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NerfParams {
    /// The encoding; its seed is replaced by `seed`.
    pub encoding: EncodingParams,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// How the output z of the network becomes a density.
    pub density: DensityKind,
    /// Whether colours depend on the direction of view.
    pub view_direction: bool,
    /// Steps across the bounding cube.
    pub samples: usize,
    /// Cells along each axis.
    pub grid: u32,
    /// Samples a step, about.
    pub batch: usize,
    /// Number of updates of the parameters.
    pub steps: u64,
    /// How gradients become updates.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Learning rate at its highest.
    pub learning_rate: f64,
    /// What a ray sees behind the scene.
    pub background: Background,
    /// Of the bounding cube; `None`: the scene's.
    pub half_width: Option<f32>,
    /// The middle of the bounding cube.
    pub center: [f32; 3],
    /// Seed of the frequencies, the network at its start, the rays and their samples.
    pub seed: u64,
}

impl Default for NerfParams {
    fn default() -> Self {
        Self {
            encoding: EncodingParams {
                kind: EncodingKind::Gaussian,
                frequencies: 64,
                scale: 2.0,
                grid: GridParams::of_volumes(),
                ..EncodingParams::default()
            },
            hidden: vec![64, 64, 64],
            density: DensityKind::default(),
            view_direction: false,
            samples: 128,
            grid: 64,
            batch: 24_576,
            steps: 6000,
            optimizer: Optimizer::Muon(Muon::default()),
            learning_rate: 5e-3,
            background: Background::default(),
            half_width: None,
            center: [0.0; 3],
            seed: 0,
        }
    }
}

impl NerfParams {
    /// A small network and few steps: seconds on a scene of small pictures.
    pub fn quick() -> Self {
        let mut params =
            Self { hidden: vec![32, 32], samples: 64, grid: 32, batch: 8192, steps: 1000, ..Self::default() };
        params.encoding.frequencies = 32;
        params
    }

    /// The same with an optimizer, and the learning rate that suits it and the encoding.
    #[must_use]
    pub fn with_optimizer(self, optimizer: Optimizer) -> Self {
        let learning_rate = match optimizer {
            _ if self.encoding.kind.has_grid() => 1e-2,
            Optimizer::Muon(_) => 5e-3,
            _ => 2e-2,
        };
        Self { optimizer, learning_rate, ..self }
    }

    /// The scale that an encoding has by default, cycles over the cube.
    pub fn default_scale(kind: EncodingKind) -> f64 {
        match kind {
            EncodingKind::Positional => 16.0,
            _ => 2.0,
        }
    }
}

/// Checked hyperparameters for a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidNerfParams {
    params: NerfParams,
    encoding: TrainedEncoding,
    half_width: f32,
}

impl NerfParams {
    /// Checks everything that can be wrong, before anything is computed. `scene_half_width` is what the scene says.
    ///
    /// # Errors
    /// [`NerfError`], with the option to change.
    pub fn check(&self, scene_half_width: Option<f32>) -> Result<ValidNerfParams, NerfError> {
        let mut params = self.clone();
        params.encoding.seed = self.seed;
        let encoding = params.check_encoding()?;
        self.check_numbers()?;
        let half_width = check_half_width(self.half_width.or(scene_half_width).unwrap_or(DEFAULT_HALF_WIDTH))?;
        params.half_width = Some(half_width);
        let encoding = TrainedEncoding::new(&params.encoding, encoding);
        Ok(ValidNerfParams { params, encoding, half_width })
    }

    /// The encoding of positions, with that of directions where colours depend on them.
    fn check_encoding(&self) -> Result<Encoding, NerfError> {
        let kind = self.encoding.kind;
        let no_table = "grid or any other: a field needs the layers of a network";
        require("--encoding", "table", no_table, kind != EncodingKind::Table)?;
        let encoding = self.encoding.check(3)?;
        if !self.view_direction {
            return Ok(encoding);
        }
        let no_grid = "any other with --view-direction, which makes six inputs";
        require("--encoding", "grid", no_grid, !kind.has_grid())?;
        // Muon makes whole matrices orthogonal, and density would see the direction.
        let is_muon = matches!(self.optimizer, Optimizer::Muon(_));
        require("--optimizer", "muon", "adam with --view-direction", !is_muon)?;
        with_direction(&encoding).ok_or_else(|| NerfError::Setting {
            name: "--frequencies",
            value: self.encoding.frequencies.to_string(),
            range: "at most 1012 with --view-direction",
        })
    }

    fn check_numbers(&self) -> Result<(), NerfError> {
        let layers = self.hidden.len();
        require("the number of hidden layers", layers, "1 to 8", (1..=MAX_HIDDEN_LAYERS).contains(&layers))?;
        for &width in &self.hidden {
            require("--hidden", width, "1 to 2048 in each layer", (1..=MAX_WIDTH).contains(&width))?;
        }
        let is_narrow = self.view_direction && self.hidden.contains(&1);
        require("--hidden", 1, "at least 2 in each layer with --view-direction", !is_narrow)?;
        require("--samples", self.samples, "8 to 4096", (8..=4096).contains(&self.samples))?;
        require("--grid", self.grid, "4 to 256", (4..=256).contains(&self.grid))?;
        // More would not fit the memory of a step.
        require("--batch", self.batch, "64 to 16777216", (64..=1 << 24).contains(&self.batch))?;
        require("--steps", self.steps, "at least 1", self.steps > 0)?;
        let rate = self.learning_rate;
        require("--learning-rate", rate, "above 0 and up to 1", rate > 0.0 && rate <= 1.0)
    }
}

/// The error of a hyperparameter that is not what it must be.
fn require(name: &'static str, value: impl ToString, range: &'static str, holds: bool) -> Result<(), NerfError> {
    if holds { Ok(()) } else { Err(NerfError::Setting { name, value: value.to_string(), range }) }
}

impl ValidNerfParams {
    /// The hyperparameters, with the half width filled in.
    pub fn params(&self) -> &NerfParams {
        &self.params
    }

    /// The encoding of positions, and directions behind them where colours depend on them.
    pub fn encoding(&self) -> &TrainedEncoding {
        &self.encoding
    }

    /// The bounding cube: each coordinate from one face to the other.
    pub fn axes(&self) -> [Axis; 3] {
        let half_width = self.half_width;
        self.params.center.map(|center| Axis::new(center - half_width, center + half_width, 2.0 * half_width))
    }

    /// The model's axes: position, and direction where colours depend on it.
    pub fn model_axes(&self) -> Vec<Axis> {
        let directions = if self.params.view_direction { &[DIRECTION_AXIS; 3][..] } else { &[] };
        [&self.axes()[..], directions].concat()
    }

    /// Where the network's parameters are zero for good.
    pub(super) fn zeros(&self, shape: &Shape) -> Vec<Range<usize>> {
        if self.params.view_direction { zero_blocks(self.encoding.start(), shape) } else { Vec::new() }
    }

    /// Where the network's parameters stay as they are: its [`Self::zeros`], and the frequencies of directions.
    pub(super) fn fixed(&self, shape: &Shape) -> Vec<Range<usize>> {
        let mut fixed = self.zeros(shape);
        if self.params.view_direction && shape.encoder > 0 {
            fixed.extend(fixed_frequencies(self.encoding.start(), shape));
        }
        fixed
    }

    /// δ, world units.
    pub fn step(&self) -> f32 {
        2.0 * self.half_width / self.params.samples as f32
    }

    /// What the activation of a density logit is multiplied by, per world unit.
    pub fn density_scale(&self) -> f32 {
        DENSITY_PER_STEP / self.step()
    }

    /// The shape of the network.
    pub fn shape(&self) -> Shape {
        let features = self.encoding.start().features_len();
        Shape::new(features, &self.params.hidden, OUTPUTS, OutputActivation::Linear)
            .with_encoder(self.encoding.parameters_len())
    }

    /// The network at its start.
    pub fn start(&self) -> TrainState {
        let shape = self.shape();
        let mut rng = step_rng(self.params.seed, Purpose::InitialParameters, 0);
        let zeros = self.zeros(&shape);
        let mut network = Mlp::new(shape, Initialization::Glorot, &mut rng);
        clear(network.parameters_mut(), &zeros);
        self.encoding.begin(&mut network, &mut rng);
        let layers = network.shape().encoder_range().start;
        if let Some(bias) = network.parameters_mut()[..layers].last_mut() {
            *bias += match self.params.density {
                DensityKind::Softplus => SOFTPLUS_BIAS,
                DensityKind::Relu => 0.0,
            };
        }
        TrainState::new(vec![network])
    }

    /// How the loop shall run.
    pub fn loop_params(&self) -> LoopParams {
        LoopParams {
            steps: self.params.steps,
            learning_rate: self.params.learning_rate,
            encoder_rate: self.encoding.rate(),
            schedule: Schedule::Cosine { warmup: 100.min(self.params.steps / 10), floor: 0.01 },
            optimizer: self.params.optimizer.clone(),
            row_limit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_explained() {
        let base = NerfParams::default();
        let directed = NerfParams { view_direction: true, ..base.clone().with_optimizer(Optimizer::default()) };
        let of = |kind| EncodingParams { kind, ..base.encoding.clone() };
        let many = EncodingParams { frequencies: 1020, ..base.encoding.clone() };
        for (params, words) in [
            (NerfParams { samples: 4, ..base.clone() }, "--samples"),
            (NerfParams { grid: 300, ..base.clone() }, "--grid"),
            (NerfParams { batch: 3, ..base.clone() }, "--batch"),
            (NerfParams { batch: 1_000_000_000_000, ..base.clone() }, "--batch"),
            (NerfParams { steps: 0, ..base.clone() }, "--steps"),
            (NerfParams { learning_rate: f64::NAN, ..base.clone() }, "--learning-rate"),
            (NerfParams { hidden: vec![], ..base.clone() }, "hidden layers"),
            (NerfParams { hidden: vec![64, 0], ..base.clone() }, "--hidden"),
            (NerfParams { half_width: Some(0.0), ..base.clone() }, "--half-width"),
            (NerfParams { hidden: vec![64, 1], ..directed.clone() }, "--view-direction"),
            (NerfParams { encoding: many, ..directed.clone() }, "--view-direction"),
            (NerfParams { encoding: of(EncodingKind::Grid), ..directed.clone() }, "--view-direction"),
            (NerfParams { encoding: of(EncodingKind::Table), ..base.clone() }, "--encoding"),
            (NerfParams { view_direction: true, ..base.clone() }, "adam"),
        ] {
            let error = params.check(None).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(base.check(None).unwrap().params().half_width, Some(1.5));
        let axes = base.check(Some(1.0)).unwrap().axes();
        assert_eq!((axes[0].minimum, axes[2].maximum, axes[1].scale), (-1.0, 1.0, 0.5));
        let elsewhere = NerfParams { center: [3.0, 0.0, -2.0], ..base }.check(Some(0.5)).unwrap().axes();
        assert_eq!((elsewhere[0].minimum, elsewhere[2].maximum, elsewhere[1].scale), (2.5, -1.5, 1.0));
    }
}
