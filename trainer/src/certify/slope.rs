//! The slopes of a model over a box of coordinates, in exact arithmetic: as if nothing were rounded.
//!
//! The answers of a device are steps, so that between two neighbouring coordinates they have no slope. What is bounded is
//! the derivative of the function that the same weights make without rounding.

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

/// The derivatives of an output along each axis, user units of the output for one of the input. `answers` are those of
/// the same box.
pub(super) fn slopes(parts: &Parts<'_>, region: &Region, answers: &Answers, output: usize) -> [Affine; MAX_AXES] {
    let mut weights = vec![Known::default(); parts.outputs()];
    weights[output] = Known { middle: f64::from(parts.maps[output].scale), radius: 0.0 }.within(answers.last[output]);
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
        if let Some(gates) = l.checked_sub(1).map(|l| &answers.gates[l]) {
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
