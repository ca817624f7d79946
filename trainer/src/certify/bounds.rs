//! What a model answers anywhere in a box of coordinates: the operations of the device on sets in place of numbers.
//!
//! A value of a layer is a form `center + Σ slopes·ε + Σ symbols·δ ± own`, where the ε are the place in the box and each
//! δ, from -1 to 1, is something that an earlier value is not known to: what a wave or a ReLU is not linear in, and the
//! roundings. Dense layers are linear, so that the same symbol in two values cancels as far as it does in truth (affine
//! arithmetic, de Figueiredo and Stolfi 2004; for networks Singh et al. 2018, "Fast and effective robustness
//! certification"). Where a box is so small that an integer of the device has one or two values in it, these take the
//! place of the form, and in the end everything is exact.

use firmware_core::fixed;

use super::parts::{Dense, Parts};
use super::region::{Affine, MAX_AXES, Region};
use super::wave::{self, Phases, Tangent};

/// Which numbers are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// Those of the device, to the bit.
    Device,
    /// Those of the same weights without any rounding.
    Exact,
}

/// A center and the slopes: what every form begins with.
const FIXED: usize = 1 + MAX_AXES;
/// The largest hidden activation after ReLU.
const LARGEST: f64 = fixed::ACTIVATION_MAX as f64;
/// More than the rounding of f64 in a sum of products, relative to the sum of their magnitudes.
const ROUNDING: f64 = 2e-12;
/// The device's sigmoid is this near to 65536·σ: 2.3e-5, and the rounding of this f64.
const SIGMOID_ERROR: f64 = 1.52;

/// The values of a layer.
struct Forms {
    cols: usize,
    /// `[rows, cols]`: center, slopes, symbols.
    data: Vec<f64>,
    /// Of each row, what belongs to it alone.
    own: Vec<f64>,
}

/// What a model answers in a box.
pub(super) struct Answers {
    /// The raw outputs, not less than all that the device can give: smallest and largest.
    pub(super) raw: Vec<[f64; 2]>,
    /// The outputs in the user's units.
    pub(super) values: Vec<Affine>,
    /// For each hidden layer the range of each unit's derivative by its accumulator, in exact arithmetic.
    pub(super) gates: Vec<Vec<[f64; 2]>>,
    /// The same of what follows the last layer.
    pub(super) last: Vec<[f64; 2]>,
}

impl Forms {
    fn of(values: impl Iterator<Item = Affine>) -> Self {
        let (mut data, mut own) = (Vec::new(), Vec::new());
        for value in values {
            data.push(value.center);
            data.extend(value.slopes);
            own.push(value.radius);
        }
        Self { cols: FIXED, data, own }
    }

    fn row(&self, k: usize) -> &[f64] {
        &self.data[k * self.cols..][..self.cols]
    }

    /// The reach of a row around its center.
    fn radius(&self, k: usize) -> f64 {
        self.row(k)[1..].iter().map(|symbol| symbol.abs()).sum::<f64>() + self.own[k]
    }

    /// A row that is a number between two others.
    fn set(&mut self, k: usize, low: f64, high: f64) {
        let cols = self.cols;
        self.data[k * cols..][..cols].fill(0.0);
        self.data[k * cols] = f64::midpoint(low, high);
        self.own[k] = (high - low) / 2.0;
    }

    /// A row as a form of the place alone.
    fn affine(&self, k: usize) -> Affine {
        let row = self.row(k);
        Affine {
            center: row[0],
            slopes: std::array::from_fn(|axis| row[1 + axis]),
            radius: row[FIXED..].iter().map(|symbol| symbol.abs()).sum::<f64>() + self.own[k],
        }
    }

    /// The accumulators of a layer.
    fn dense(&self, layer: &Dense, is_float: bool) -> Self {
        let active: Vec<usize> =
            (0..layer.inputs).filter(|&k| self.own[k] != 0.0 || self.row(k).iter().any(|&x| x != 0.0)).collect();
        let owners: Vec<usize> = active.iter().copied().filter(|&k| self.own[k] > 0.0).collect();
        let is_exact = owners.is_empty() && active.iter().all(|&k| self.row(k)[1..].iter().all(|&x| x == 0.0));
        let magnitudes: Vec<f64> = (0..layer.inputs).map(|k| self.row(k)[0].abs() + self.radius(k)).collect();
        let cols = self.cols + owners.len();
        let mut forms = Self { cols, data: vec![0.0; layer.rows * cols], own: vec![0.0; layer.rows] };
        for i in 0..layer.rows {
            let weights = &layer.weights[i * layer.inputs..][..layer.inputs];
            let out = &mut forms.data[i * cols..][..cols];
            out[0] = layer.bias[i];
            for &k in &active {
                let weight = weights[k];
                for (out, &x) in out.iter_mut().zip(&self.data[k * self.cols..][..self.cols]) {
                    *out += weight * x;
                }
            }
            for (out, &k) in out[self.cols..].iter_mut().zip(&owners) {
                *out = weights[k] * self.own[k];
            }
            if is_float || !is_exact {
                let sum = weights.iter().zip(&magnitudes).map(|(w, x)| w.abs() * x).sum::<f64>() + layer.bias[i].abs();
                // Single precision rounds every product and every sum, to within 2^-24 (Higham 2002, section 3.1).
                let steps = if is_float { 1.01 * (layer.inputs + 2) as f64 / 16_777_216.0 } else { 0.0 };
                forms.own[i] = sum * (ROUNDING + steps) + if is_float { 1e-40 } else { 0.0 };
            }
        }
        forms
    }

    /// A row of which the linear part is multiplied, and what comes on top of that.
    fn scale(&mut self, k: usize, factor: f64, on_top: (f64, f64)) {
        let cols = self.cols;
        self.data[k * cols..][..cols].iter_mut().for_each(|value| *value *= factor);
        self.data[k * cols] += on_top.0;
        self.own[k] = self.own[k] * factor.abs() + on_top.1;
    }
}

/// The values of a layer between its accumulators and the next one; the range of the derivative of each.
fn activate(parts: &Parts<'_>, layer: &Dense, forms: &mut Forms, arithmetic: Arithmetic) -> Vec<[f64; 2]> {
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

/// The phases of a row of B over a box, and the slope of the phase along each axis: turns from the middle to an end.
pub(super) fn phases(parts: &Parts<'_>, row: &[i32], region: &Region) -> (Phases, [f64; MAX_AXES]) {
    let (mut first, mut last, mut doubled) = (0i64, 0i64, 0i128);
    let mut slopes = [0.0; MAX_AXES];
    for (k, &b) in row.iter().enumerate() {
        let (low, high) = (region.lower[k], region.upper[k]);
        let ends = if b < 0 { [high, low] } else { [low, high] };
        let [from, to] = ends.map(|v| (i64::from(b) * i64::from(v)) >> 16);
        first = first.wrapping_add(from);
        last = last.wrapping_add(to);
        doubled += i128::from(b) * (i128::from(low) + i128::from(high));
        slopes[k] = f64::from(b) * region.half(k) / 281_474_976_710_656.0;
    }
    // Twice the middle in Q.48, modulo two turns.
    let turns = doubled.rem_euclid(1 << 49) as f64 / 562_949_953_421_312.0;
    // Each product is rounded down.
    let half_floor = parts.inputs() as f64 / 8_589_934_592.0;
    let width = (last - first) as f64;
    (Phases { first: first as u32, width, turns: turns - half_floor, error: half_floor }, slopes)
}

/// The features of the network, or the raw outputs of a table.
fn features(parts: &Parts<'_>, region: &Region) -> Vec<Affine> {
    if let Some(spline) = &parts.spline {
        return spline.values(region);
    }
    let inputs = parts.inputs();
    let (mut cosines, mut sines) = (Vec::new(), Vec::new());
    for row in parts.frequencies.chunks_exact(inputs) {
        let (phases, slopes) = phases(parts, row, region);
        let [cos, sin] = wave::cos_sin(&phases).map(|Tangent { center, slope, radius }| {
            let slopes = slopes.map(|turns| slope * turns);
            Affine { center, slopes, radius }
        });
        cosines.push(cos);
        sines.push(sin);
    }
    let mut all = cosines;
    all.extend(sines);
    for axis in inputs - parts.passthrough..inputs {
        let [low, high] = [region.lower[axis], region.upper[axis]].map(|v| f64::from(firmware_core::passed_through(v)));
        let mut slopes = [0.0; MAX_AXES];
        slopes[axis] = region.half(axis) / 65_536.0;
        let end = if region.lower[axis] >> 16 == 0 { 0.5 } else { 0.0 };
        let center = region.center(axis) / 65_536.0 - 32_768.5 + end;
        let form = Affine { center, slopes, radius: 0.5 + end + 1e-6 };
        all.push(if (high - low) / 2.0 <= form.radius { Affine::between(low, high) } else { form });
    }
    all
}

/// The features of the network in exact arithmetic.
fn exact_features(parts: &Parts<'_>, region: &Region) -> Vec<Affine> {
    if let Some(spline) = &parts.spline {
        return spline.exact_values(region);
    }
    let inputs = parts.inputs();
    let mut all = vec![Affine::default(); 2 * parts.frequencies.len() / inputs];
    let rows = all.len() / 2;
    for (j, row) in parts.frequencies.chunks_exact(inputs).enumerate() {
        let (phases, slopes) = phases(parts, row, region);
        let half = slopes.iter().map(|slope| slope.abs()).sum::<f64>() + 2.0 * phases.error;
        for (k, turns) in [(j, 0.25), (rows + j, 0.0)] {
            let wave = wave::real_sine(phases.turns + turns, half);
            let radius = wave.radius + wave.slope.abs() * 2.0 * phases.error;
            all[k] = Affine { center: wave.center, slopes: slopes.map(|turns| wave.slope * turns), radius };
        }
    }
    for axis in inputs - parts.passthrough..inputs {
        let mut slopes = [0.0; MAX_AXES];
        slopes[axis] = region.half(axis) / 65_536.0;
        all.push(Affine { center: region.center(axis) / 65_536.0 - 32_768.0, slopes, radius: 0.0 });
    }
    all
}

/// What the model answers in a box. In exact arithmetic its raw outputs and values count nothing of a device's rounding.
pub(super) fn answers(parts: &Parts<'_>, region: &Region, arithmetic: Arithmetic) -> Answers {
    let features = match arithmetic {
        Arithmetic::Device => features(parts, region),
        Arithmetic::Exact => exact_features(parts, region),
    };
    let mut forms = Forms::of(features.into_iter());
    let mut gates = Vec::new();
    for (l, layer) in parts.layers.iter().enumerate() {
        forms = forms.dense(layer, parts.is_float && arithmetic == Arithmetic::Device);
        if l + 1 < parts.layers.len() {
            gates.push(activate(parts, layer, &mut forms, arithmetic));
        }
    }
    let mut last = vec![[1.0, 1.0]; parts.outputs()];
    if parts.has_sigmoid
        && let Some(layer) = parts.layers.last()
    {
        for (k, last) in last.iter_mut().enumerate() {
            *last = sigmoid(&mut forms, k, (!parts.is_float).then(|| layer.multiplier[k]), arithmetic);
        }
    }
    let is_whole = arithmetic == Arithmetic::Device && (!parts.is_float || parts.has_sigmoid);
    let raw: Vec<[f64; 2]> = (0..parts.outputs())
        .map(|k| {
            let (center, radius) = (forms.row(k)[0], forms.radius(k));
            let ends = [center - radius, center + radius];
            if is_whole { [ends[0].ceil(), ends[1].floor()] } else { ends }
        })
        .collect();
    let values = parts.maps.iter().enumerate().map(|(k, map)| {
        let (scale, offset) = (f64::from(map.scale), f64::from(map.offset));
        let hull = Affine::between(raw[k][0], raw[k][1]);
        let form = forms.affine(k);
        let form = if form.reach() == 0.0 { hull } else { form };
        let value = Affine { center: offset, ..Affine::default() }.add(&form, scale);
        // Raw to f32, the product and the sum: a relative 2^-24 each.
        let largest = raw[k][0].abs().max(raw[k][1].abs()) * scale.abs();
        value.shifted(0.0, (3.0 * largest + offset.abs()) * 6.1e-8 + 1e-40)
    });
    let values = values.collect();
    Answers { raw, values, gates, last }
}

/// What the sigmoid makes of an output.
fn sigmoid(forms: &mut Forms, k: usize, multiplier: Option<i32>, arithmetic: Arithmetic) -> [f64; 2] {
    let (center, radius) = (forms.row(k)[0], forms.radius(k));
    let unit = multiplier.map_or(16_384.0, |multiplier| f64::from(multiplier) / 4_294_967_296.0);
    // The logit of the device: rounded to the nearest, or towards zero in single precision.
    let error = if multiplier.is_some() { 0.5 } else { 1.0 } + 1e-9;
    let (middle, half) = (unit * center, unit * radius + error);
    let logits = match multiplier {
        Some(multiplier) => [(center - radius).ceil(), (center + radius).floor()].map(|accumulator| {
            (accumulator as i64 * i64::from(multiplier) + (1 << 31)) >> 32
        }),
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
