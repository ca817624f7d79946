//! The functions between the layers over a box: ReLU, sine, and the sigmoid at the end.

use firmware_core::fixed;

use super::arithmetic::Arithmetic;
use super::forms::Forms;
use super::parts::{Dense, Parts};
use super::wave::{self, Tangent};

/// The largest hidden activation after ReLU.
const LARGEST: f64 = fixed::ACTIVATION_MAX as f64;
/// The device's sigmoid is this near to 65536·σ: 2.3e-5, and the rounding of this f64.
const SIGMOID_ERROR: f64 = 1.52;

/// The values of a layer between its accumulators and the next one; the range of the derivative of each.
pub(super) fn activate(parts: &Parts<'_>, layer: &Dense, forms: &mut Forms, arithmetic: Arithmetic) -> Vec<[f64; 2]> {
    let unit = |k: usize| f64::from(layer.multiplier[k]) / 4_294_967_296.0;
    let each = 0..layer.rows;
    if parts.has_sines {
        return each.map(|k| sine(forms, k, (!parts.is_float).then(|| unit(k)), arithmetic)).collect();
    }
    let of = |k: usize| match (parts.is_float, arithmetic) {
        (true, _) => Ramp { unit: 1.0, top: f64::INFINITY, rounding: 0.0, multiplier: None },
        (false, Arithmetic::Exact) => Ramp { unit: unit(k), top: LARGEST, rounding: 0.0, multiplier: None },
        (false, Arithmetic::Device) => {
            Ramp { unit: unit(k), top: LARGEST, rounding: 0.5, multiplier: Some(layer.multiplier[k]) }
        }
    };
    each.map(|k| ramp(forms, k, &of(k))).collect()
}

/// How an accumulator becomes an activation after ReLU.
struct Ramp {
    unit: f64,
    top: f64,
    rounding: f64,
    multiplier: Option<i32>,
}

fn ramp(forms: &mut Forms, k: usize, ramp: &Ramp) -> [f64; 2] {
    let Ramp { unit, top, rounding, multiplier } = *ramp;
    let (center, radius) = (forms.row(k)[0], forms.radius(k));
    let (low, high) = (unit * (center - radius), unit * (center + radius));
    let slack = 1e-9 + 1e-14 * (low.abs() + high.abs());
    let gate = match (low > slack && high < top - slack, high < -slack || low > top + slack) {
        (true, _) => [unit, unit],
        (_, true) => [0.0, 0.0],
        _ => [0.0, unit],
    };
    let f = |x: f64| x.clamp(0.0, top);
    let slope = if high > low { (f(high) - f(low)) / (high - low) } else { gate[1] / unit.max(f64::MIN_POSITIVE) };
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for x in [low, high, 0.0, top] {
        if x >= low && x <= high {
            let rest = f(x) - slope * x;
            (least, most) = (least.min(rest), most.max(rest));
        }
    }
    let rest = (most - least) / 2.0 + rounding + if multiplier.is_some() { 1e-9 } else { slack };
    if let Some(multiplier) = multiplier {
        let ends = [(center - radius).ceil(), (center + radius).floor()];
        let [first, last] = ends.map(|end| f64::from(fixed::requantize(end as i32, multiplier)));
        if (last - first) / 2.0 <= rest {
            forms.set(k, first, last);
            return gate;
        }
    } else if f(high) == 0.0 {
        forms.set(k, 0.0, 0.0);
        return gate;
    } else if low >= 0.0 && high <= top {
        forms.scale(k, unit, (0.0, 0.0)); // as it is: no rounding
        return gate;
    }
    forms.scale(k, slope * unit, (f64::midpoint(least, most), rest));
    gate
}

/// A sine layer: the accumulator times `unit` is the phase in turns, or in single precision the accumulator itself.
fn sine(forms: &mut Forms, k: usize, unit: Option<f64>, arithmetic: Arithmetic) -> [f64; 2] {
    let (center, radius) = (forms.row(k)[0], forms.radius(k));
    let factor = unit.unwrap_or(1.0);
    let turns = center * factor;
    // The product in f64, and in single precision the phase that is cut to steps of 2^-31.
    let error = turns.abs() * 2.3e-16 + if unit.is_none() { 4.7e-10 } else { 0.0 };
    let half = radius * factor + error;
    let wave = match arithmetic {
        Arithmetic::Device => wave::sine,
        Arithmetic::Exact => wave::real_sine,
    };
    let Tangent { center, slope, radius } = wave(turns - turns.floor(), half);
    let cos = wave::sine_range(turns - turns.floor() + 0.25, half);
    let gate = cos.map(|cos| cos * wave::ONE * std::f64::consts::TAU * factor);
    let radius = radius + slope.abs() * error;
    if slope == 0.0 {
        forms.set(k, center - radius, center + radius);
    } else {
        let middle = forms.row(k)[0] * factor * slope;
        forms.scale(k, factor * slope, (center - middle, radius + 1e-9 * middle.abs().min(1.0) + middle.abs() * 4e-16));
    }
    [gate[0].min(gate[1]), gate[0].max(gate[1])]
}

/// What the sigmoid makes of an output.
pub(super) fn sigmoid(forms: &mut Forms, k: usize, multiplier: Option<i32>, arithmetic: Arithmetic) -> [f64; 2] {
    let (center, radius) = (forms.row(k)[0], forms.radius(k));
    let unit = multiplier.map_or(16_384.0, |multiplier| f64::from(multiplier) / 4_294_967_296.0);
    // The logit of the device: rounded to the nearest, or towards zero in single precision.
    let error = if multiplier.is_some() { 0.5 } else { 1.0 } + 1e-9;
    let (middle, half) = (unit * center, unit * radius + error);
    let logits = match multiplier {
        Some(multiplier) => [(center - radius).ceil(), (center + radius).floor()]
            .map(|accumulator| (accumulator as i64 * i64::from(multiplier) + (1 << 31)) >> 32),
        None => [(middle - half).floor() as i64, (middle + half).ceil() as i64],
    };
    let [first, last] = logits.map(|logit| {
        let logit = logit.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        f64::from(fixed::sigmoid(logit))
    });
    let real = |logit: f64| 1.0 / (1.0 + (-logit / 16_384.0).exp());
    let derivative = |logit: f64| {
        let y = real(logit);
        65_536.0 * y * (1.0 - y) / 16_384.0
    };
    // σ' rises to zero and falls behind it.
    let (a, b) = (derivative(middle - half), derivative(middle + half));
    let most = if (middle - half) * (middle + half) <= 0.0 { derivative(0.0) } else { a.max(b) };
    let gate = [a.min(b) * unit * (1.0 - 1e-9), most * unit * (1.0 + 1e-9)];
    let slope = derivative(middle);
    // |σ''| is at most 0.09623.
    let curve = 65_536.0 * 0.096_23 / 2.0 * (half / 16_384.0).powi(2);
    let rest = curve + slope * error + SIGMOID_ERROR + 1e-6;
    if arithmetic == Arithmetic::Device && (last - first) / 2.0 <= rest {
        forms.set(k, first, last);
    } else {
        forms.scale(k, slope * unit, (65_536.0 * real(middle) - slope * middle, rest));
    }
    gate
}
