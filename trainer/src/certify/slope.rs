//! The slopes of a model over a box of coordinates, in exact arithmetic: as if nothing were rounded.
//!
//! The answers of a device are steps, so that between two neighbouring coordinates they have no slope. What is bounded
//! is the derivative of the function that the same weights make without rounding.

use std::f64::consts::TAU;

use super::bounds::{Answers, phases};
use super::parts::Parts;
use super::region::{Affine, MAX_AXES, Region};
use super::wave;

/// A number known to within a radius.
#[derive(Clone, Copy, Default)]
struct Known {
    middle: f64,
    radius: f64,
}

impl Known {
    fn within(self, range: [f64; 2]) -> Self {
        let (middle, radius) = (f64::midpoint(range[0], range[1]), (range[1] - range[0]) / 2.0);
        Self {
            middle: self.middle * middle,
            radius: self.middle.abs() * radius + self.radius * (middle.abs() + radius),
        }
    }
}

/// ReLU units of a box that may be on and off, and for which both are looked at: more take too long.
const MOST_KINKS: usize = 3;

/// The smallest and the largest derivative of an output along `axis`, user units of the output for one of the input.
/// `answers` are those of the same box.
///
/// A unit with its kink in the box is on or off for all that comes behind it. Where such units are few, each of the
/// combinations is bounded alone: a range for each unit would forget that it is the same one in all rows.
pub(super) fn slope_range(
    parts: &Parts<'_>,
    region: &Region,
    answers: &Answers,
    (output, axis): (usize, usize),
) -> [f64; 2] {
    let has_kink = |gate: &[f64; 2]| !parts.has_sines && gate[0] == 0.0 && gate[1] > 0.0;
    let kinks = answers.gates.iter().flatten().filter(|gate| has_kink(gate)).count();
    let kinks = if kinks > MOST_KINKS { 0 } else { kinks };
    let (mut smallest, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
    for on in 0..1 << kinks {
        let mut gates = answers.gates.clone();
        for (k, gate) in gates.iter_mut().flatten().filter(|gate| has_kink(gate)).take(kinks).enumerate() {
            *gate = [gate[usize::from(on >> k & 1 == 1)]; 2];
        }
        let [low, high] = slopes(parts, region, (&gates, answers.last[output]), output)[axis].range();
        (smallest, largest) = (smallest.min(low), largest.max(high));
    }
    [smallest, largest]
}

/// The derivatives of an output along each axis, for the ranges of the hidden units' derivatives and of what follows
/// the last layer.
fn slopes(
    parts: &Parts<'_>,
    region: &Region,
    (gates, last): (&[Vec<[f64; 2]>], [f64; 2]),
    output: usize,
) -> [Affine; MAX_AXES] {
    let mut weights = vec![Known::default(); parts.outputs()];
    weights[output] = Known { middle: f64::from(parts.maps[output].scale), radius: 0.0 }.within(last);
    for (l, layer) in parts.layers.iter().enumerate().rev() {
        let mut below = vec![Known::default(); layer.inputs];
        for (known, row) in weights.iter().zip(layer.weights.chunks_exact(layer.inputs)) {
            if known.middle == 0.0 && known.radius == 0.0 {
                continue;
            }
            for (below, weight) in below.iter_mut().zip(row) {
                below.middle += weight * known.middle;
                below.radius += weight.abs() * known.radius;
            }
        }
        if let Some(gates) = l.checked_sub(1).map(|l| &gates[l]) {
            below.iter_mut().zip(gates).for_each(|(known, &gate)| *known = known.within(gate));
        }
        weights = below;
    }
    let mut slopes = [Affine::default(); MAX_AXES];
    for (axis, slope) in slopes.iter_mut().enumerate().take(parts.inputs()) {
        for (known, feature) in weights.iter().zip(derivatives(parts, region, axis)) {
            *slope = slope.add(&feature, known.middle);
            let [low, high] = feature.range();
            slope.radius += known.radius * low.abs().max(high.abs());
        }
        // From a step of the coordinate to one of the user's.
        *slope = Affine::default().add(slope, 4_294_967_296.0 * f64::from(parts.axes[axis].scale));
        let [low, high] = slope.range();
        slope.radius += 1e-11 * low.abs().max(high.abs());
    }
    slopes
}

/// The derivatives of the features along an axis, by the coordinate.
fn derivatives(parts: &Parts<'_>, region: &Region, axis: usize) -> Vec<Affine> {
    if let Some(spline) = &parts.spline {
        return spline.slopes(region, axis).into_iter().map(|[low, high]| Affine::between(low, high)).collect();
    }
    let inputs = parts.inputs();
    let (mut cosines, mut sines) = (Vec::new(), Vec::new());
    for row in parts.frequencies.chunks_exact(inputs) {
        let (phases, slopes) = phases(parts, row, region);
        let half = slopes.iter().map(|slope| slope.abs()).sum::<f64>() + 2.0 * phases.error;
        let factor = TAU * f64::from(row[axis]) / 281_474_976_710_656.0;
        // cos' = -sin and sin' = cos, which is the sine a quarter of a turn ahead.
        for (turns, factor, all) in [(0.0, -factor, &mut cosines), (0.25, factor, &mut sines)] {
            let wave = wave::real_sine(phases.turns + turns, half);
            let form = Affine {
                center: wave.center,
                slopes: slopes.map(|turns| wave.slope * turns),
                radius: wave.radius + wave.slope.abs() * 2.0 * phases.error,
            };
            all.push(Affine::default().add(&form, factor));
        }
    }
    let mut all = cosines;
    all.extend(sines);
    for passed in inputs - parts.passthrough..inputs {
        all.push(Affine { center: if passed == axis { 1.0 / 65_536.0 } else { 0.0 }, ..Affine::default() });
    }
    all
}
