//! Post-training quantization to the integer precisions of `firmware-core`.
//!
//! Every output row has a weight scale of its own, every layer one activation scale. Two things make eight bits enough
//! without fine-tuning:
//!
//! - **Error feedback.** Weights are rounded one input at a time, and what rounding did to a row so far is made good by
//!   the weights still to come: Babai's nearest plane for the quadratic form eᵀHe, H = XᵀX over calibration points
//!   (the same solution as GPTQ, Frantar et al. 2023, by one Cholesky factor of H). The bias, whose step is some
//!   thousand times finer, is fitted last.
//! - **Calibration through the quantized network.** X are the activations that the device will compute, the target is
//!   what the layer gives in f32: each layer is first refitted (ridge) to the errors of those before it.
//!
//! What the device computes is simulated exactly: all sums are whole numbers below 2⁵³ in f64.

use firmware_core::Precision;
use firmware_core::fixed::{ACTIVATION_MAX, LOGIT_FRACTION_BITS, ONE, SIGMOID_FRACTION_BITS, requantize, sine};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use crate::artifact::calibration::{Calibration, Row};
use crate::artifact::row_kind::{RowKind, SINE_STEP, STEPS};
use crate::network::{Activations, Mlp, OutputActivation};

/// A dense layer in f32: `weights · x + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseLayer {
    /// Weights `[out, in]`.
    pub weights: Array2<f32>,
    /// Biases `[out]`.
    pub bias: Array1<f32>,
}

impl DenseLayer {
    /// The layers of a network, first to last.
    pub fn of(network: &Mlp<f32>) -> Vec<Self> {
        let layer = |k| Self { weights: network.weights(k).to_owned(), bias: network.biases(k).to_owned() };
        (0..network.shape().layers()).map(layer).collect()
    }
}

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

/// Room above the largest activation seen in calibration.
const ACTIVATION_MARGIN: f64 = 1.1;
/// What a unit of the accumulator of a sigmoid layer is worth, in units of a logit; 0.5 is too much. The rest is room
/// for the refitting of the weights.
const LARGEST_LOGIT_RATIO: f64 = 0.4;
/// Weights of sine layers from here on are refused: the multipliers of their rows could exceed 31 bits.
const SINE_WEIGHT_LIMIT: f32 = 1e5;

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
    let network = Source { layers, precision, largest_weight, activations };
    let mut inputs = Inputs::of_features(features);
    let mut quantized = Vec::new();
    let last = layers.len() - 1;
    for l in 0..last {
        let (layer, next) = network.hidden_layer(l, &inputs)?;
        quantized.push(layer);
        inputs = next;
    }
    let (layer, raw_scale) = network.output_layer(&inputs)?;
    quantized.push(layer);
    Ok(QuantizedNetwork { layers: quantized, raw_scale })
}

/// What a layer takes at the calibration points.
struct Inputs {
    /// As the device computes them, `[n, in]`.
    integers: Array2<f64>,
    /// Real size of such an integer.
    scale: f64,
    /// As the network in f32 has them.
    exact: Array2<f64>,
}

impl Inputs {
    fn of_features(features: ArrayView2<'_, i16>) -> Self {
        let (integers, scale) = (features.mapv(f64::from), 1.0 / f64::from(ONE));
        Self { exact: &integers * scale, integers, scale }
    }
}

/// A layer whose rows are rounded, without what follows them.
struct Rounded {
    rows: Vec<Row>,
    /// The real size of a unit of the accumulator, row by row.
    units: Vec<f64>,
    /// What the layer gives in f32 at the calibration points, before its activation, `[n, out]`.
    exact: Array2<f64>,
    kind: RowKind,
}

impl Rounded {
    fn into_layer(self, inputs: usize, multiplier: Vec<i32>) -> QuantizedLayer {
        let weights = self.rows.iter().flat_map(|row| row.weights.iter().copied()).collect();
        QuantizedLayer {
            weights: Array2::from_shape_vec((self.rows.len(), inputs), weights).expect("rows of this length"),
            bias: self.rows.iter().map(|row| row.bias).collect(),
            multiplier,
        }
    }
}

/// The network that is quantized.
struct Source<'a> {
    layers: &'a [DenseLayer],
    precision: Precision,
    /// The largest whole number that a weight can be.
    largest_weight: f64,
    activations: Activations,
}

impl Source<'_> {
    /// Refits the rows of a layer to what the layers before it lack, and rounds them.
    fn round(&self, l: usize, inputs: &Inputs) -> Result<Rounded, QuantizeError> {
        let layer = &self.layers[l];
        let exact = inputs.exact.dot(&layer.weights.mapv(f64::from).t()) + layer.bias.mapv(f64::from);
        if !exact.iter().all(|value| value.is_finite()) {
            return Err(QuantizeError::NotFinite { layer: l + 1 });
        }
        let kind = RowKind::of(self.activations.hidden, l, self.layers.len());
        if kind == RowKind::Sine && layer.weights.iter().any(|weight| weight.abs() >= SINE_WEIGHT_LIMIT) {
            return Err(QuantizeError::SineWeights { layer: l + 1 });
        }
        let calibration = Calibration::new(&inputs.integers, inputs.scale, (self.largest_weight, kind));
        let calibration = calibration.ok_or(QuantizeError::Degenerate { layer: l + 1 })?;
        let residual = &exact - &(calibration.inputs.dot(&augmented(layer).t()));
        let quantize = |r| calibration.quantize_row(layer.weights.row(r), layer.bias[r], residual.column(r));
        let rows: Vec<Row> = (0..layer.bias.len()).into_par_iter().map(quantize).collect();
        let units = rows.iter().map(|row| row.scale * inputs.scale).collect();
        Ok(Rounded { rows, units, exact, kind })
    }

    /// A hidden layer, and what the next one takes from it.
    fn hidden_layer(&self, l: usize, inputs: &Inputs) -> Result<(QuantizedLayer, Inputs), QuantizeError> {
        let mut rounded = self.round(l, inputs)?;
        let (kind, mut exact) = (rounded.kind, std::mem::take(&mut rounded.exact));
        let (scale, multiplier) = match kind {
            RowKind::Sine => {
                exact.mapv_inplace(f64::sin);
                let phase = |row: &Row| (row.scale / SINE_STEP).round() as i32;
                (1.0 / f64::from(ONE), rounded.rows.iter().map(phase).collect())
            }
            RowKind::Other => {
                let scale = self.rectify(l, &mut exact, &rounded.units);
                (scale, rounded.units.iter().map(|unit| fixed_point(unit / scale)).collect())
            }
        };
        let layer = rounded.into_layer(self.layers[l].weights.ncols(), multiplier);
        let integers = forward(&layer, kind, &inputs.integers);
        Ok((layer, Inputs { integers, scale, exact }))
    }

    /// Applies the ReLU of layer `l` to `exact`, as far as the device has room for its values, and returns what one
    /// unit of them is worth; `units` are those of the accumulator.
    fn rectify(&self, l: usize, exact: &mut Array2<f64>, units: &[f64]) -> f64 {
        exact.mapv_inplace(|value| value.max(0.0));
        let largest = exact.iter().copied().fold(0.0, f64::max);
        let mut scale = largest * ACTIVATION_MARGIN / f64::from(ACTIVATION_MAX);
        if l + 2 == self.layers.len() && self.activations.output == OutputActivation::Sigmoid {
            scale = scale.min(largest_logit_scale(&self.layers[l + 1], self.largest_weight));
            let saturated = scale * f64::from(ACTIVATION_MAX);
            exact.mapv_inplace(|value| value.min(saturated));
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

/// Bias first, then weights: `[out, 1 + in]`.
fn augmented(layer: &DenseLayer) -> Array2<f64> {
    let bias = layer.bias.mapv(f64::from).insert_axis(Axis(1));
    concatenate(Axis(1), &[bias.view(), layer.weights.mapv(f64::from).view()]).expect("equal rows")
}

/// A hidden layer as the device computes it.
fn forward(layer: &QuantizedLayer, kind: RowKind, integers: &Array2<f64>) -> Array2<f64> {
    let mut sums = integers.dot(&layer.weights.mapv(f64::from).t());
    for mut row in sums.rows_mut() {
        for ((sum, &bias), &multiplier) in row.iter_mut().zip(&layer.bias).zip(&layer.multiplier) {
            let accumulator = (*sum + f64::from(bias)) as i32;
            *sum = f64::from(match kind {
                RowKind::Sine => sine(accumulator.wrapping_mul(multiplier) as u32),
                RowKind::Other => requantize(accumulator, multiplier),
            });
        }
    }
    sums
}
