//! What a model answers anywhere in a box of coordinates: the operations of the device on sets in place of numbers.
//!
//! A value of a layer is a form `center + Σ slopes·ε + Σ symbols·δ ± own`, where the ε are the place in the box and
//! each δ, from -1 to 1, is something that an earlier value is not known to: what a wave or a ReLU is not linear in,
//! and the roundings. Dense layers are linear, so that the same symbol in two values cancels as far as it does in truth
//! (affine arithmetic, de Figueiredo and Stolfi 2004; for networks Singh et al. 2018, "Fast and effective robustness
//! certification"). Where a box is so small that an integer of the device has one or two values in it, these take the
//! place of the form, and in the end everything is exact.

use super::activations::{activate, sigmoid};
use super::arithmetic::Arithmetic;
use super::forms::Forms;
use super::parts::Parts;
use super::region::{Affine, MAX_AXES, Region};
use super::wave::{self, Phases, Tangent};

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

/// What the model answers in a box. In exact arithmetic its raw outputs and values count nothing of a device's
/// rounding.
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
