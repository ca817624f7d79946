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
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

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

/// The largest share of the accumulator that a row may use; the rest is room for the rounding of weights.
const ACCUMULATOR_SHARE: f64 = 0.98;
/// Room above the largest activation seen in calibration.
const ACTIVATION_MARGIN: f64 = 1.1;
/// What a unit of the accumulator of a sigmoid layer is worth, in units of a logit; 0.5 is too much. The rest is room for
/// the refitting of the weights.
const LARGEST_LOGIT_RATIO: f64 = 0.4;
/// Ridge, relative to the mean diagonal of H.
const DAMPING: f64 = 1e-4;
/// Weights of sine layers from here on are refused: the multipliers of their rows could exceed 31 bits.
const SINE_WEIGHT_LIMIT: f32 = 1e5;
/// Shares of a row's largest weight that are tried as its full scale.
const FULL_SCALES: [f64; 7] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6];

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
/// If `precision` is `F32`, or the shapes do not chain.
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
    let mut integers = features.mapv(f64::from);
    let mut scale = 1.0 / f64::from(ONE);
    let mut exact = &integers * scale;
    let mut quantized = Vec::new();
    let mut raw_scale = Vec::new();
    for (l, layer) in layers.iter().enumerate() {
        let mut target = exact.dot(&layer.weights.mapv(f64::from).t()) + layer.bias.mapv(f64::from);
        if !target.iter().all(|value| value.is_finite()) {
            return Err(QuantizeError::NotFinite { layer: l + 1 });
        }
        let kind = RowKind::of(activations.hidden, l, layers.len());
        if kind == RowKind::Sine && layer.weights.iter().any(|weight| weight.abs() >= SINE_WEIGHT_LIMIT) {
            return Err(QuantizeError::SineWeights { layer: l + 1 });
        }
        let calibration = Calibration::new(&integers, scale, (largest_weight, kind));
        let calibration = calibration.ok_or(QuantizeError::Degenerate { layer: l + 1 })?;
        let residual = &target - &(calibration.inputs.dot(&augmented(layer).t()));
        let quantize = |r| calibration.quantize_row(layer.weights.row(r), layer.bias[r], residual.column(r));
        let rows: Vec<Row> = (0..layer.bias.len()).into_par_iter().map(quantize).collect();
        let is_last = l + 1 == layers.len();
        let mut multiplier = Vec::new();
        // The real size of an accumulator unit, row by row.
        let units = rows.iter().map(|row| row.scale * scale);
        let mut next_scale = 1.0;
        if kind == RowKind::Sine {
            target.mapv_inplace(f64::sin);
            next_scale = 1.0 / f64::from(ONE);
            multiplier = rows.iter().map(|row| (row.scale / SINE_STEP).round() as i32).collect();
        } else if !is_last {
            target.mapv_inplace(|value| value.max(0.0));
            let largest = target.iter().copied().fold(0.0, f64::max);
            next_scale = largest * ACTIVATION_MARGIN / f64::from(ACTIVATION_MAX);
            if l + 2 == layers.len() && activations.output == OutputActivation::Sigmoid {
                next_scale = next_scale.min(largest_logit_scale(&layers[l + 1], largest_weight));
                let saturated = next_scale * f64::from(ACTIVATION_MAX);
                target.mapv_inplace(|value| value.min(saturated));
            }
            // Multipliers stay below one half; a layer that is always zero needs no scale at all.
            next_scale = units.clone().fold(next_scale, |scale, unit| scale.max(unit * 2.001));
            multiplier = units.map(|unit| fixed_point(unit / next_scale)).collect();
        } else if activations.output == OutputActivation::Sigmoid {
            for (output, unit) in units.enumerate() {
                let ratio = unit * f64::from(1u32 << LOGIT_FRACTION_BITS);
                if ratio >= 0.5 {
                    return Err(QuantizeError::Logits { output: output + 1, precision });
                }
                multiplier.push(fixed_point(ratio));
                raw_scale.push(1.0 / f64::from(1u32 << SIGMOID_FRACTION_BITS));
            }
        } else {
            raw_scale = units.collect();
        }
        let inputs = layer.weights.ncols();
        let weights = rows.iter().flat_map(|row| row.weights.iter().copied()).collect();
        let this = QuantizedLayer {
            weights: Array2::from_shape_vec((rows.len(), inputs), weights).expect("rows of this length"),
            bias: rows.iter().map(|row| row.bias).collect(),
            multiplier,
        };
        if !is_last {
            integers = forward(&this, kind, &integers);
            (scale, exact) = (next_scale, target);
        }
        quantized.push(this);
    }
    Ok(QuantizedNetwork { layers: quantized, raw_scale })
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

/// A bias without whole turns, where they have no effect.
fn reduced(bias: f64, kind: RowKind) -> f64 {
    const TURN: f64 = std::f64::consts::TAU;
    match kind {
        RowKind::Sine => bias - TURN * (bias / TURN).round(),
        RowKind::Other => bias,
    }
}

/// A bias in units of the accumulator.
fn whole_bias(bias: f64, unit: f64) -> i32 {
    (bias / unit).round().clamp(-2_147_483_647.0, 2_147_483_647.0) as i32
}

/// One row of a layer, quantized.
struct Row {
    weights: Vec<i16>,
    bias: i32,
    /// What one unit of a weight is worth.
    scale: f64,
}

/// The quadratic form of a layer's inputs.
struct Calibration {
    /// `[n, 1 + in]`: ones, then the inputs in real units.
    inputs: Array2<f64>,
    /// Real size of an integer activation.
    scale: f64,
    /// Factor of the damped H = inputsᵀ·inputs in the order of `order`: H = L·Lᵀ; row j of `upper` is column j of L.
    upper: Array2<f64>,
    /// Column of `inputs` at each place of the factor; the bias first, then inputs of growing energy.
    order: Vec<usize>,
    /// The largest whole number that a weight can be.
    largest_weight: f64,
    /// What the rows feed.
    kind: RowKind,
}

impl Calibration {
    fn new(integers: &Array2<f64>, scale: f64, (largest_weight, kind): (f64, RowKind)) -> Option<Self> {
        let ones = Array2::ones((integers.nrows(), 1));
        let inputs = concatenate(Axis(1), &[ones.view(), (integers * scale).view()]).expect("equal rows");
        let mut form = inputs.t().dot(&inputs);
        let damping = DAMPING * form.diag().mean().unwrap_or(0.0);
        form.diag_mut().mapv_inplace(|value| value + damping);
        let mut order: Vec<usize> = (1..form.nrows()).collect();
        order.sort_by(|&a, &b| form[[a, a]].total_cmp(&form[[b, b]]));
        order.insert(0, 0);
        let ordered = faer::Mat::from_fn(order.len(), order.len(), |i, j| form[[order[i], order[j]]]);
        let factor = ordered.llt(faer::Side::Lower).ok()?;
        let lower = factor.L();
        let upper = Array2::from_shape_fn(form.raw_dim(), |(i, j)| if j >= i { lower[(j, i)] } else { 0.0 });
        Some(Self { inputs, scale, upper, order, largest_weight, kind })
    }

    /// Refits a row to `residual` (what it lacks on the calibration points) and rounds it.
    fn quantize_row(&self, weights: ArrayView1<'_, f32>, bias: f32, residual: ArrayView1<'_, f64>) -> Row {
        let gradient = self.inputs.t().dot(&residual);
        let correction = self.solve(&gradient);
        let mut row: Vec<f64> = self
            .order
            .iter()
            .zip(&correction)
            .map(|(&column, correction)| correction + f64::from(if column == 0 { bias } else { weights[column - 1] }))
            .collect();
        row[0] = reduced(row[0], self.kind);
        let largest = row.iter().skip(1).fold(0.0f64, |largest, weight| largest.max(weight.abs()));
        let sum: f64 = row.iter().skip(1).map(|weight| weight.abs()).sum();
        // What the accumulator must hold: full-scale inputs and the bias, which gets at most half of it.
        let accumulator = f64::from(i32::MAX) * ACCUMULATOR_SHARE;
        let least = (sum * f64::from(ACTIVATION_MAX) + row[0].abs() / self.scale) / accumulator;
        let least = least.max(row[0].abs() / self.scale * 2.0 / accumulator).max(f64::MIN_POSITIVE);
        FULL_SCALES
            .iter()
            .map(|share| {
                let mut scale = self.kind.step_from((largest * share / self.largest_weight).max(least));
                loop {
                    let (rounded, error) = self.round_row(&row, scale);
                    if rounded.fits() {
                        return (error, rounded);
                    }
                    scale = self.kind.step_from(scale * 1.02);
                }
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, row)| row)
            .expect("at least one full scale is tried")
    }

    /// H⁻¹·g in the factor's order, `g` in the order of the inputs.
    fn solve(&self, gradient: &Array1<f64>) -> Vec<f64> {
        let n = self.order.len();
        let mut x: Vec<f64> = self.order.iter().map(|&column| gradient[column]).collect();
        for i in 0..n {
            x[i] /= self.upper[[i, i]];
            let step = x[i];
            for (x, factor) in x[i + 1..].iter_mut().zip(self.upper.row(i).iter().skip(i + 1)) {
                *x -= factor * step;
            }
        }
        for i in (0..n).rev() {
            let tail: f64 = self.upper.row(i).iter().zip(&x).skip(i + 1).map(|(factor, x)| factor * x).sum();
            x[i] = (x[i] - tail) / self.upper[[i, i]];
        }
        x
    }

    /// Rounds `row` (in the factor's order) with error feedback; the error eᵀHe beside it.
    fn round_row(&self, row: &[f64], scale: f64) -> (Row, f64) {
        let mut errors = vec![0.0; row.len()];
        let mut rounded = Row { weights: vec![0; row.len() - 1], bias: 0, scale };
        let mut total = 0.0;
        for j in (0..row.len()).rev() {
            let factors = self.upper.row(j);
            let factors = factors.as_slice().expect("row-major");
            let carried: f64 =
                factors[j + 1..].iter().zip(&errors[j + 1..]).map(|(factor, error)| factor * error).sum();
            let wanted = row[j] + carried / factors[j];
            let value = if j == 0 {
                let unit = scale * self.scale;
                rounded.bias = whole_bias(wanted, unit);
                f64::from(rounded.bias) * unit
            } else {
                let weight = (wanted / scale).round().clamp(-self.largest_weight, self.largest_weight);
                rounded.weights[self.order[j] - 1] = weight as i16;
                weight * scale
            };
            errors[j] = row[j] - value;
            total += (factors[j] * errors[j] + carried).powi(2);
        }
        (rounded, total)
    }
}

impl Row {
    /// Whether no input can overflow the accumulator.
    fn fits(&self) -> bool {
        let sum: i64 = self.weights.iter().map(|&weight| i64::from(weight).abs()).sum();
        sum * i64::from(ACTIVATION_MAX) + i64::from(self.bias).abs() <= i64::from(i32::MAX)
    }
}
