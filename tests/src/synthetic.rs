//! Networks from a seed, for tests and counts that need no training: the same bytes on every machine.

mod grids;

use std::iter::once;

use anyhow::{Context as _, Result, anyhow};
use firmware_core::artifact::{GridUse, Header, HiddenActivation};
use firmware_core::write::{self, Description, FloatLayer, IntegerLayer, Layers};
use firmware_core::{Axis, OutputActivation, OutputMap, Outside, Precision};

pub use self::grids::Grids;
use self::grids::OwnedLevel;
use crate::random::Random;
use trainer::artifact::export::Artifact;

/// Every precision.
pub const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::W8A16, Precision::W16A16];

/// What a network's numbers are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Random numbers that use the range of every activation.
    Random,
    /// The largest numbers that a model may have, of either sign, beside the smallest: sums reach either end of the
    /// accumulator, multipliers are none, one and the largest, and single precision has subnormal numbers and -0.
    Extreme,
}

/// The shape of a network, and what it does at its borders.
#[derive(Clone, Debug)]
pub struct Network {
    /// How numbers are stored.
    pub precision: Precision,
    /// What happens beyond the domain.
    pub outside: Outside,
    /// The axes along which it is periodic whatever `outside` says, one bit each.
    pub periodic: u16,
    /// What follows each hidden layer.
    pub hidden_activation: HiddenActivation,
    /// What follows the last layer.
    pub activation: OutputActivation,
    /// Coordinates of a point.
    pub inputs: u8,
    /// Rows of the frequency matrix; the features are twice as many.
    pub frequencies: u16,
    /// Grids in place of frequencies; those of a table are all that it has.
    pub grids: Option<Grids>,
    /// Coordinates that also enter as they are.
    pub passthrough: u8,
    /// Widths of the hidden layers.
    pub hidden: Vec<u16>,
    /// Values of a point.
    pub outputs: u8,
    /// What its weights, biases and multipliers are like.
    pub values: Values,
}

impl Network {
    /// A network small enough for hundreds of thousands of evaluations on an emulated core, of shapes that fill no
    /// block of a kernel evenly.
    pub fn tiny(precision: Precision) -> Self {
        let activation = OutputActivation::Linear;
        let outside = Outside::Clamp;
        Self {
            precision,
            outside,
            periodic: 0,
            hidden_activation: HiddenActivation::Relu,
            activation,
            inputs: 2,
            frequencies: 11,
            grids: None,
            passthrough: 1,
            hidden: vec![18, 13],
            outputs: 3,
            values: Values::Random,
        }
    }

    /// The tiny network with sine layers.
    pub fn tiny_sine(precision: Precision) -> Self {
        Self { hidden_activation: HiddenActivation::Sine, ..Self::tiny(precision) }
    }

    /// The small reference network of the counts: 2 inputs, 64 frequencies, 64-64-64, 3 outputs.
    pub fn small(precision: Precision) -> Self {
        Self { frequencies: 64, passthrough: 0, hidden: vec![64; 3], ..Self::tiny(precision) }
    }

    /// The big reference network of the counts: 2 inputs, 128 frequencies, 128-128-128, 3 outputs.
    pub fn big(precision: Precision) -> Self {
        Self { frequencies: 128, passthrough: 0, hidden: vec![128; 3], ..Self::tiny(precision) }
    }

    /// The artifact of this shape with weights from the seed.
    ///
    /// Integer weights use their whole range as far as the accumulators allow, and multipliers are such that
    /// activations do too: some rows are clamped at either end. Multipliers of sine layers are any, so that phases wrap
    /// up to 2³⁰ times.
    ///
    /// # Errors
    ///
    /// Where the shape is beyond the limits of firmware-core.
    pub fn artifact(&self, seed: u64) -> Result<Artifact> {
        self.artifact_over(seed, &self.axes())
    }

    /// The domain that it has by default: several spans and offsets, none of them exact in binary.
    pub fn axes(&self) -> Vec<Axis> {
        (0..self.inputs).map(f32::from).map(|i| Axis::new(-0.3 - i, 99.7 + 3.0 * i, 101.3 + 4.0 * i)).collect()
    }

    /// The same over another domain, one axis an input.
    ///
    /// # Errors
    ///
    /// As [`Network::artifact`].
    pub fn artifact_over(&self, seed: u64, axes: &[Axis]) -> Result<Artifact> {
        let mut random = Random::new(seed);
        let frequencies: Vec<i32> =
            (0..usize::from(self.frequencies) * usize::from(self.inputs)).map(|_| random.within(12 << 16)).collect();
        let grid = self.grids.as_ref().map(|grids| grids.shape);
        let features = 2 * usize::from(self.frequencies) + usize::from(self.passthrough);
        let features = grid.map_or(features, |grid| grid.features());
        let rows = self.hidden.iter().map(|&width| usize::from(width)).chain(once(usize::from(self.outputs)));
        let is_table = grid.is_some_and(|grid| grid.used_as == GridUse::Outputs);
        let rows = rows.take(if is_table { 0 } else { usize::MAX });
        let mut layers = Vec::new();
        let mut inputs = features;
        for (l, rows) in rows.enumerate() {
            let place = LayerPlace { is_first: l == 0, is_hidden: l < self.hidden.len(), rows, inputs };
            layers.push(match self.values {
                Values::Random => OwnedLayer::random(self, &mut random, place),
                Values::Extreme => OwnedLayer::extreme(self, &mut random, place),
            });
            inputs = rows;
        }

        let header = Header {
            precision: self.precision,
            outside: self.outside,
            periodic: self.periodic,
            hidden_activation: self.hidden_activation,
            grid,
            code_bits: Default::default(),
            activation: self.activation,
            inputs: self.inputs,
            outputs: self.outputs,
            frequencies: self.frequencies,
            passthrough: self.passthrough,
            hidden: self.hidden.iter().copied().collect(),
            training_psnr_db: f32::NAN,
            quantization_loss_db: f32::NAN,
        };
        let raw_full_scale = match (self.activation, self.precision) {
            (OutputActivation::Sigmoid, _) => 65_536.0,
            (OutputActivation::Linear, Precision::F32) => 1.0,
            (OutputActivation::Linear, _) => 1e9,
        };
        let maps: Vec<OutputMap> = (0..self.outputs)
            .map(|k| OutputMap { scale: (1.7 + f32::from(k)) / raw_full_scale, offset: 0.1 * f32::from(k) })
            .collect();
        let levels = OwnedLevel::all(self, &mut random);
        let levels: Vec<_> = levels.iter().map(OwnedLevel::level).collect();
        let description = |layers| Description {
            header: &header,
            axes,
            output_maps: &maps,
            frequencies: &frequencies,
            grids: &levels,
            text: "source: synthetic",
            layers,
        };
        if self.precision == Precision::F32 {
            let layers: Vec<_> = layers.iter().map(OwnedLayer::float).collect();
            write(&description(Layers::Float(&layers)))
        } else {
            let layers: Vec<_> = layers.iter().map(OwnedLayer::integer).collect();
            write(&description(Layers::Integer(&layers)))
        }
    }
}

/// Writes an artifact into memory of its own.
fn write(description: &Description<'_>) -> Result<Artifact> {
    let message = |error| anyhow!("cannot make the network: {error}");
    let len = write::artifact_len(description).map_err(message)?;
    let mut words = vec![0u32; len.div_ceil(4)];
    // Two buffers of the widest layer that the limits allow, in f32.
    let mut scratch = vec![0u32; 8 * firmware_core::limits::MAX_WIDTH];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let len = write::artifact(description, &mut scratch, bytes).map_err(message)?;
    Ok(Artifact::from_bytes(bytes.get(..len).context("the artifact is longer than announced")?))
}

/// Where a layer stands in its network, and its size.
#[derive(Clone, Copy)]
struct LayerPlace {
    is_first: bool,
    is_hidden: bool,
    rows: usize,
    inputs: usize,
}

struct OwnedLayer {
    float_weights: Vec<f32>,
    float_bias: Vec<f32>,
    weights: Vec<i16>,
    bias: Vec<i32>,
    multiplier: Vec<i32>,
}

impl OwnedLayer {
    fn random(network: &Network, random: &mut Random, place: LayerPlace) -> Self {
        let LayerPlace { is_first, is_hidden, rows, inputs } = place;
        let has_sines = network.hidden_activation == HiddenActivation::Sine;
        let mut layer = Self {
            float_weights: Vec::new(),
            float_bias: Vec::new(),
            weights: Vec::new(),
            bias: Vec::new(),
            multiplier: Vec::new(),
        };
        if network.precision == Precision::F32 {
            // Uniform with a variance of 2/inputs (He et al. 2015), on features with 1.0 = 32767, as sines have it too.
            let unit = if is_first || has_sines { 32_767.0 } else { 1.0 };
            let bound = (6.0 / inputs as f32).sqrt() / unit;
            layer.float_weights = (0..rows * inputs).map(|_| (2.0 * random.unit() - 1.0) * bound).collect();
            layer.float_bias = (0..rows).map(|_| 0.2 * random.unit() - 0.1).collect();
            return layer;
        }
        let narrow = network.precision == Precision::W8A16;
        // Half of what the accumulator takes, for the bias to have the rest.
        let bound = (32_768 / inputs as i32).min(if narrow { 127 } else { i32::from(i16::MAX) });
        layer.weights = (0..rows * inputs).map(|_| random.within(bound) as i16).collect();
        // Standard deviation of a sum of products of two uniform numbers.
        let spread = f64::from(bound) * 32_767.0 * (inputs as f64).sqrt() / 3.0;
        layer.bias = (0..rows).map(|_| random.within((spread / 4.0).min(5e8) as i32)).collect();
        if is_hidden || network.activation == OutputActivation::Sigmoid {
            let multiplier = (4_294_967_296.0 * 16_384.0 / spread).min(f64::from(i32::MAX)) as i32;
            if is_hidden && has_sines {
                layer.multiplier = (0..rows).map(|_| (random.bits() >> 33) as i32).collect();
                return layer;
            }
            layer.multiplier = (0..rows).map(|_| multiplier - multiplier / 8 + random.within(multiplier / 8)).collect();
        }
        layer
    }

    fn extreme(network: &Network, random: &mut Random, place: LayerPlace) -> Self {
        let LayerPlace { is_hidden, rows, inputs, .. } = place;
        let sign = |random: &mut Random, row: usize| match row % 3 {
            0 => 1,
            1 => -1,
            _ => random.within(1),
        };
        let mut layer = Self {
            float_weights: Vec::new(),
            float_bias: Vec::new(),
            weights: Vec::new(),
            bias: Vec::new(),
            multiplier: Vec::new(),
        };
        for row in 0..rows {
            if network.precision == Precision::F32 {
                // Four layers of such sums stay below the largest number.
                let magnitude =
                    |k: usize| [1000.0, 1e-40, 0.0, 1e-3][(row + k) % 4] * if row % 3 == 1 { -1.0 } else { 1.0 };
                layer.float_weights.extend((0..inputs).map(magnitude));
                layer.float_bias.push(magnitude(3));
                continue;
            }
            let largest = if network.precision == Precision::W8A16 { 127 } else { i32::from(i16::MAX) };
            let weight = (65_535 / inputs as i32).min(largest);
            let rest = i32::MAX - weight * inputs as i32 * 32_767;
            layer.weights.extend((0..inputs).map(|_| (weight * sign(random, row)) as i16));
            layer.bias.push(rest * sign(random, row));
            if is_hidden || network.activation == OutputActivation::Sigmoid {
                layer.multiplier.push([i32::MAX, 1, 1 << 16, 0][row / 3 % 4]);
            }
        }
        layer
    }

    fn float(&self) -> FloatLayer<'_> {
        FloatLayer { weights: &self.float_weights, bias: &self.float_bias }
    }

    fn integer(&self) -> IntegerLayer<'_> {
        IntegerLayer { weights: &self.weights, bias: &self.bias, multiplier: &self.multiplier }
    }
}
