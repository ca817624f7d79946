//! The rows of one layer, rounded with error feedback for the inputs that calibration points give: the module
//! [`quantize`](super::quantize) tells how.

use firmware_core::fixed::ACTIVATION_MAX;
use ndarray::{Array2, Axis, concatenate};

use super::row_kind::RowKind;

/// The largest share of the accumulator that a row may use; the rest is room for the rounding of weights.
const ACCUMULATOR_SHARE: f64 = 0.98;
/// Ridge, relative to the mean diagonal of H.
const DAMPING: f64 = 1e-4;
/// So many full scales of a row are tried at most, evenly from its largest weight down to [`LEAST_FULL_SCALE`] of it.
/// How well the weights round is chance at each of them, so that the best of many is better than that of few.
const FULL_SCALES: usize = 64;
/// Full scales times weights of a row, at most, since the time of a full scale grows with the square of the weights.
const SCALES_TIMES_WEIGHTS: usize = 8192;
/// At least so many full scales are tried, however many weights there are.
const FEWEST_FULL_SCALES: usize = 8;
/// A smaller full scale would cut off too many weights.
const LEAST_FULL_SCALE: f64 = 0.6;

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
pub(super) struct Row {
    pub(super) weights: Vec<i16>,
    pub(super) bias: i32,
    /// What one unit of a weight is worth.
    pub(super) scale: f64,
}

/// The quadratic form of a layer's inputs.
pub(super) struct Calibration {
    /// `[n, 1 + in]`: ones, then the inputs in real units.
    pub(super) inputs: Array2<f64>,
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
    pub(super) fn new(integers: &Array2<f64>, scale: f64, (largest_weight, kind): (f64, RowKind)) -> Option<Self> {
        let ones = Array2::ones((integers.nrows(), 1));
        let inputs = concatenate(Axis(1), &[ones.view(), (integers * scale).view()]).expect("equal rows");
        let inputs = inputs.as_standard_layout().into_owned();
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

    /// Rounds a row, bias first. Weights of zero stay zero.
    pub(super) fn quantize_row(&self, row: &[f64]) -> Row {
        let mut row: Vec<f64> = self.order.iter().map(|&column| row[column]).collect();
        row[0] = reduced(row[0], self.kind);
        let largest = row.iter().skip(1).fold(0.0f64, |largest, weight| largest.max(weight.abs()));
        let sum: f64 = row.iter().skip(1).map(|weight| weight.abs()).sum();
        // What the accumulator must hold: full-scale inputs and the bias, which gets at most half of it.
        let accumulator = f64::from(i32::MAX) * ACCUMULATOR_SHARE;
        let least = (sum * f64::from(ACTIVATION_MAX) + row[0].abs() / self.scale) / accumulator;
        let least = least.max(row[0].abs() / self.scale * 2.0 / accumulator).max(f64::MIN_POSITIVE);
        let scales = (SCALES_TIMES_WEIGHTS / row.len()).clamp(FEWEST_FULL_SCALES, FULL_SCALES);
        let share = |i: usize| 1.0 - (1.0 - LEAST_FULL_SCALE) * i as f64 / (scales - 1) as f64;
        let mut steps: Vec<f64> =
            (0..scales).map(|i| self.kind.step_from((largest * share(i) / self.largest_weight).max(least))).collect();
        // Equal steps follow each other: a sine has few to choose from, and where the accumulator decides there is one.
        steps.dedup();
        steps
            .into_iter()
            .map(|mut scale| {
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

    /// -H⁻¹·g; bias first.
    pub(super) fn solve(&self, gradient: &[f64]) -> Vec<f64> {
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
        let mut solution = vec![0.0; n];
        self.order.iter().zip(x).for_each(|(&column, value)| solution[column] = -value);
        solution
    }

    /// A row as real numbers, bias first, which stands for the one nearest `bias` of those that give the same.
    pub(super) fn real(&self, row: &Row, bias: f64) -> impl Iterator<Item = f64> {
        let rounded = f64::from(row.bias) * row.scale * self.scale;
        let rounded = bias + reduced(rounded - bias, self.kind);
        [rounded].into_iter().chain(row.weights.iter().map(|&weight| f64::from(weight) * row.scale))
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
                let wanted = if row[j] == 0.0 { 0.0 } else { wanted };
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
