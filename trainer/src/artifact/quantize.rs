//! Post-training quantization to the integer precisions of `firmware-core`.
//!
//! Every output row has a weight scale of its own, every layer one activation scale. Five things make eight bits enough
//! without fine-tuning:
//!
//! - **Equalization.** ReLU units and the weights behind them are scaled against each other, so that no weight decides
//!   the step of a row alone: `equalize` in this folder.
//! - **Error feedback.** Weights are rounded one input at a time, and what rounding did to a row so far is made good by
//!   the weights still to come: Babai's nearest plane for the quadratic form eᵀHe, H = XᵀX over calibration points
//!   (the same solution as GPTQ, Frantar et al. 2023, by one Cholesky factor of H). The bias, whose step is some
//!   thousand times finer, is fitted last.
//! - **The best of many steps.** Which step suits the weights of a row is chance. Many are tried, from that of the
//!   largest weight down to those that cut the largest ones off.
//! - **Correction of the outputs.** Before a row is rounded it moves to where it makes good what the rows and layers
//!   before it did to the outputs of the network, to first order: by H⁻¹ times the gradient of the outputs' squared
//!   errors, as far along this direction as the errors fall (`linearization` in this folder).
//! - **Calibration through the quantized network.** X are the activations that the device will compute.
//!
//! What the device computes is simulated exactly: all sums are whole numbers below 2⁵³ in f64.

use firmware_core::Precision;
use firmware_core::fixed::{ACTIVATION_MAX, LOGIT_FRACTION_BITS, ONE, SIGMOID_FRACTION_BITS, requantize, sine};
use ndarray::{Array1, Array2, ArrayView2};

use crate::artifact::calibration::{Calibration, Row};
pub use crate::artifact::dense_layer::DenseLayer;
use crate::artifact::equalize::equalize;
use crate::artifact::linearization::{Linearization, outputs};
use crate::artifact::row_kind::{RowKind, SINE_STEP, STEPS};
use crate::network::{Activations, HiddenActivation, OutputActivation};

/// One dense layer as the device stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantizedLayer {
    /// `[out, in]`, within ±127 for eight bits.
    pub weights: Array2<i16>,
    /// `[out]`, in units of the accumulator.
    pub bias: Vec<i32>,
    /// `[out]`, or empty for a linear output layer; of a sine layer the phase of one unit of the accumulator, Q0.32.
    pub multiplier: Vec<i32>,
}

/// A network as the device stores it in an integer precision.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedNetwork {
    /// The layers, first to last.
    pub layers: Vec<QuantizedLayer>,
    /// What one unit of a raw output is worth, per output: of the accumulator, or 1/65536 after a sigmoid.
    pub raw_scale: Vec<f64>,
}

/// Why a network cannot be quantized.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuantizeError {
    /// A weight, bias or calibration value is NaN or infinite.
    #[error("layer {layer} holds a number that is not finite; train again with a lower --learning-rate")]
    NotFinite {
        /// The layer, counted from 1.
        layer: usize,
    },
    /// A weight before a sine is so large that no whole multiplier fits.
    #[error("the weights of layer {layer} are too large for a sine; train again with a lower --learning-rate")]
    SineWeights {
        /// The layer, counted from 1.
        layer: usize,
    },
    /// The calibration matrix of a layer could not be factored.
    #[error("layer {layer} cannot be calibrated: its inputs are degenerate")]
    Degenerate {
        /// The layer, counted from 1.
        layer: usize,
    },
    /// Logits too large for their fixed-point format.
    #[error("the logits of output {output} are too large for {precision:?}; use --output linear or --precision f32")]
    Logits {
        /// The output, counted from 1.
        output: usize,
        /// The precision in which the logits do not fit.
        precision: Precision,
    },
}

/// How many calibration points a network of some thousand weights should get: more bring little, and networks of 32,768
/// weights or more take fewer of them, for the time and the memory.
pub const CALIBRATION_POINTS: usize = 16_384;

/// Room above the largest activation seen in calibration.
const ACTIVATION_MARGIN: f64 = 1.1;
/// What a unit of the accumulator of a sigmoid layer is worth, in units of a logit; 0.5 is too much. The rest is room
/// for the refitting of the weights.
const LARGEST_LOGIT_RATIO: f64 = 0.4;
/// Weights of sine layers from here on are refused: the multipliers of their rows could exceed 31 bits.
const SINE_WEIGHT_LIMIT: f32 = 1e5;
/// Calibration points times weights, at most: some seconds on one core.
const POINTS_TIMES_WEIGHTS: usize = 1 << 29;
/// Calibration points times outputs times rows of the widest layer, at most: 256 MiB.
const POINTS_TIMES_SLOPES: usize = 1 << 25;
/// As many calibration points are taken in any case.
const FEWEST_POINTS: usize = 2048;

/// Quantizes a network whose amplitudes are folded in: `features` `[n, 2m + p]` are calibration points as the device
/// encodes them (1.0 = 32767), `layers` take them as real numbers.
///
/// ```
/// use firmware_core::Precision;
/// use ndarray::array;
/// use trainer::artifact::quantize::{DenseLayer, quantize};
/// use trainer::network::OutputActivation;
/// let layer = DenseLayer { weights: array![[0.5, -0.25]], bias: array![0.1] };
/// let features = array![[32767, 0], [0, 32767], [16384, 16384], [-32767, 8192]];
/// let network = quantize(&[layer], features.view(), Precision::W8A16, OutputActivation::Linear.into())?;
/// // At the features (1, 0) the layer gives 0.5 · 1 - 0.25 · 0 + 0.1.
/// let first = &network.layers[0];
/// let sum = i32::from(first.weights[[0, 0]]) * 32767 + first.bias[0];
/// assert!((f64::from(sum) * network.raw_scale[0] - 0.6).abs() < 0.01);
/// # Ok::<(), trainer::artifact::quantize::QuantizeError>(())
/// ```
///
/// # Errors
/// See [`QuantizeError`].
///
/// # Panics
/// If `precision` is `F32`, there are no layers, or the shapes do not chain.
pub fn quantize(
    layers: &[DenseLayer],
    features: ArrayView2<'_, i16>,
    precision: Precision,
    activations: Activations,
) -> Result<QuantizedNetwork, QuantizeError> {
    let largest_weight = match precision {
        Precision::W8A16 => STEPS,
        Precision::W16A16 => 32_767.0,
        Precision::F32 => panic!("f32 is not quantized"),
    };
    let inputs = Inputs::of_features(thinned(features, layers));
    let real = inputs.real();
    check(layers, &real, activations)?;
    let mut layers = layers.to_vec();
    // Weights of 16 bits need none of it, and activations have no more bits than they.
    if precision == Precision::W8A16 && activations.hidden == HiddenActivation::Relu {
        equalize(&mut layers, &real);
    }
    let wanted = outputs(&layers, &real, activations);
    let network = Source { layers: &layers, precision, largest_weight, activations, wanted };
    network.quantize(inputs)
}

/// As many of the calibration points as such layers leave time and memory for, evenly chosen.
fn thinned<'a>(features: ArrayView2<'a, i16>, layers: &[DenseLayer]) -> ArrayView2<'a, i16> {
    let weights: usize = layers.iter().map(|layer| layer.weights.len()).sum();
    let widest = layers.iter().map(|layer| layer.bias.len()).max().unwrap_or(1);
    let slopes = widest * layers.last().map_or(1, |layer| layer.bias.len());
    let most = (POINTS_TIMES_WEIGHTS / weights.max(1)).min(POINTS_TIMES_SLOPES / slopes.max(1)).max(FEWEST_POINTS);
    features.slice_move(ndarray::s![..;features.nrows().div_ceil(most).max(1), ..])
}

/// Whether the layers can be quantized at all.
fn check(layers: &[DenseLayer], inputs: &Array2<f64>, activations: Activations) -> Result<(), QuantizeError> {
    let mut values = inputs.clone();
    for (l, layer) in layers.iter().enumerate() {
        values = layer.apply(&values);
        if !values.iter().all(|value| value.is_finite()) {
            return Err(QuantizeError::NotFinite { layer: l + 1 });
        }
        let kind = RowKind::of(activations.hidden, l, layers.len());
        if kind == RowKind::Sine && layer.weights.iter().any(|weight| weight.abs() >= SINE_WEIGHT_LIMIT) {
            return Err(QuantizeError::SineWeights { layer: l + 1 });
        }
        values.mapv_inplace(|z| if kind == RowKind::Sine { z.sin() } else { z.max(0.0) });
    }
    Ok(())
}

/// What a layer takes at the calibration points, as the device computes it.
struct Inputs {
    /// `[n, in]`.
    integers: Array2<f64>,
    /// Real size of such an integer.
    scale: f64,
}

impl Inputs {
    fn of_features(features: ArrayView2<'_, i16>) -> Self {
        Self { integers: features.mapv(f64::from), scale: 1.0 / f64::from(ONE) }
    }

    /// As real numbers.
    fn real(&self) -> Array2<f64> {
        &self.integers * self.scale
    }
}

/// A layer whose rows are rounded, without what follows them.
struct Rounded {
    rows: Vec<Row>,
    /// The real size of a unit of the accumulator, row by row.
    units: Vec<f64>,
    kind: RowKind,
}

impl Rounded {
    fn into_layer(self, inputs: usize, multiplier: Vec<i32>) -> QuantizedLayer {
        QuantizedLayer { weights: self.weights(inputs), bias: self.biases(), multiplier }
    }

    fn weights(&self, inputs: usize) -> Array2<i16> {
        let weights = self.rows.iter().flat_map(|row| row.weights.iter().copied()).collect();
        Array2::from_shape_vec((self.rows.len(), inputs), weights).expect("rows of this length")
    }

    fn biases(&self) -> Vec<i32> {
        self.rows.iter().map(|row| row.bias).collect()
    }

    /// Accumulators `[n, out]` of the device for whole inputs `[n, in]`.
    fn accumulators(&self, integers: &Array2<f64>) -> Array2<f64> {
        let biases: Array1<f64> = self.rows.iter().map(|row| f64::from(row.bias)).collect();
        integers.dot(&self.weights(integers.ncols()).mapv(f64::from).t()) + biases
    }
}

/// The network that is quantized.
struct Source<'a> {
    layers: &'a [DenseLayer],
    precision: Precision,
    /// The largest whole number that a weight can be.
    largest_weight: f64,
    activations: Activations,
    /// Its outputs in f32 at the calibration points, `[n, out]`.
    wanted: Array2<f64>,
}

impl Source<'_> {
    fn quantize(&self, mut inputs: Inputs) -> Result<QuantizedNetwork, QuantizeError> {
        let mut layers = Vec::new();
        for l in 0..self.layers.len() - 1 {
            let (layer, next) = self.hidden_layer(l, &inputs)?;
            layers.push(layer);
            inputs = next;
        }
        let (layer, raw_scale) = self.output_layer(&inputs)?;
        layers.push(layer);
        Ok(QuantizedNetwork { layers, raw_scale })
    }

    /// Rounds the rows of a layer, each after it was moved to where it corrects the outputs.
    fn round(&self, l: usize, inputs: &Inputs) -> Result<Rounded, QuantizeError> {
        let layer = &self.layers[l];
        let kind = RowKind::of(self.activations.hidden, l, self.layers.len());
        let mut outputs = Linearization::new(&self.layers[l..], &inputs.real(), self.activations, &self.wanted);
        let calibration = Calibration::new(&inputs.integers, inputs.scale, (self.largest_weight, kind));
        let calibration = calibration.ok_or(QuantizeError::Degenerate { layer: l + 1 })?;
        let mut rows = Vec::new();
        for (r, weights) in layer.weights.rows().into_iter().enumerate() {
            let trained: Vec<f64> = [layer.bias[r]].iter().chain(weights).map(|&value| f64::from(value)).collect();
            let gradient = outputs.gradient(r, &calibration.inputs);
            let mut direction = calibration.solve(&gradient);
            // A weight of zero is one that is not there, such as from a view's direction to a density.
            direction.iter_mut().zip(&trained).skip(1).filter(|(_, value)| **value == 0.0).for_each(|(d, _)| *d = 0.0);
            let multiple = outputs.best_multiple(r, &direction, &calibration.inputs);
            let moved: Vec<f64> = trained.iter().zip(&direction).map(|(value, d)| value + multiple * d).collect();
            let row = calibration.quantize_row(&moved);
            let change: Vec<f64> = calibration.real(&row, moved[0]).zip(&trained).map(|(new, old)| new - old).collect();
            outputs.change(r, &change, &calibration.inputs);
            rows.push(row);
        }
        let units = rows.iter().map(|row| row.scale * inputs.scale).collect();
        Ok(Rounded { rows, units, kind })
    }

    /// A hidden layer, and what the next one takes from it.
    fn hidden_layer(&self, l: usize, inputs: &Inputs) -> Result<(QuantizedLayer, Inputs), QuantizeError> {
        let rounded = self.round(l, inputs)?;
        let kind = rounded.kind;
        let accumulators = rounded.accumulators(&inputs.integers);
        let (scale, multiplier) = match kind {
            RowKind::Sine => {
                let phase = |row: &Row| (row.scale / SINE_STEP).round() as i32;
                (1.0 / f64::from(ONE), rounded.rows.iter().map(phase).collect::<Vec<_>>())
            }
            RowKind::Other => {
                let scale = self.activation_scale(l, &accumulators, &rounded.units);
                (scale, rounded.units.iter().map(|unit| fixed_point(unit / scale)).collect())
            }
        };
        let integers = activated(accumulators, kind, &multiplier);
        let layer = rounded.into_layer(self.layers[l].weights.ncols(), multiplier);
        Ok((layer, Inputs { integers, scale }))
    }

    /// What one unit of the activations behind the ReLU layer `l` is worth, so that there is room for all that its
    /// accumulators give, as far as the device has room for such values; `units` are those of the accumulators.
    fn activation_scale(&self, l: usize, accumulators: &Array2<f64>, units: &[f64]) -> f64 {
        let columns = accumulators.columns().into_iter().zip(units);
        let largest =
            columns.map(|(column, unit)| column.iter().copied().fold(0.0, f64::max) * unit).fold(0.0, f64::max);
        let mut scale = largest * ACTIVATION_MARGIN / f64::from(ACTIVATION_MAX);
        if l + 2 == self.layers.len() && self.activations.output == OutputActivation::Sigmoid {
            scale = scale.min(largest_logit_scale(&self.layers[l + 1], self.largest_weight));
        }
        // Multipliers stay below one half; a layer that is always zero needs no scale at all.
        units.iter().fold(scale, |scale, unit| scale.max(unit * 2.001))
    }

    /// The last layer, and what one unit of each of its outputs is worth.
    fn output_layer(&self, inputs: &Inputs) -> Result<(QuantizedLayer, Vec<f64>), QuantizeError> {
        let l = self.layers.len() - 1;
        let rounded = self.round(l, inputs)?;
        let (multiplier, raw_scale) = match self.activations.output {
            OutputActivation::Linear => (Vec::new(), rounded.units.clone()),
            OutputActivation::Sigmoid => {
                let ratios = rounded.units.iter().map(|unit| unit * f64::from(1u32 << LOGIT_FRACTION_BITS));
                let multiplier = ratios.enumerate().map(|(output, ratio)| {
                    let too_large = QuantizeError::Logits { output: output + 1, precision: self.precision };
                    if ratio >= 0.5 { Err(too_large) } else { Ok(fixed_point(ratio)) }
                });
                let unit = 1.0 / f64::from(1u32 << SIGMOID_FRACTION_BITS);
                (multiplier.collect::<Result<_, _>>()?, vec![unit; rounded.units.len()])
            }
        };
        Ok((rounded.into_layer(self.layers[l].weights.ncols(), multiplier), raw_scale))
    }
}

/// The largest activation scale with which a unit of the accumulator of a sigmoid layer is not too large for a logit.
/// Larger activations saturate then; a single one of them decides its output alone, by a logit of more than 100.
fn largest_logit_scale(layer: &DenseLayer, largest_weight: f64) -> f64 {
    let largest = layer.weights.iter().fold(0.0f64, |largest, &weight| largest.max(f64::from(weight.abs())));
    let unit = LARGEST_LOGIT_RATIO / f64::from(1u32 << LOGIT_FRACTION_BITS);
    unit * largest_weight / largest.max(f64::MIN_POSITIVE)
}

fn fixed_point(ratio: f64) -> i32 {
    (ratio * 4_294_967_296.0).round() as i32
}

/// What the device makes of the accumulators of a hidden layer, in place.
fn activated(mut accumulators: Array2<f64>, kind: RowKind, multiplier: &[i32]) -> Array2<f64> {
    for mut row in accumulators.rows_mut() {
        for (value, &multiplier) in row.iter_mut().zip(multiplier) {
            let accumulator = *value as i32;
            *value = f64::from(match kind {
                RowKind::Sine => sine(accumulator.wrapping_mul(multiplier) as u32),
                RowKind::Other => requantize(accumulator, multiplier),
            });
        }
    }
    accumulators
}
