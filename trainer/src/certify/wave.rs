//! The device's integer sine and cosine over an interval of phases.
//!
//! [`firmware_core::fixed`] evaluates two polynomials of z, which is the phase folded to [-1, 1]: an odd one of degree
//! 7 for the cosine and an even one of degree 6 for the sine. Each step of Horner's rule is rounded, which moves the
//! result by at most 0.634 (odd) and 0.534 (even) units of 1/32767: half a unit in the last step, and what the steps
//! before it leave after their products by z² ≤ 2⁻⁴ and z ≤ 2⁻². The exact polynomials are within 0.091 (odd) and 0.282
//! (even) of 32767 times the true functions. A test compares both figures with the device's code.

use std::f64::consts::TAU;

/// How far the odd and the even polynomial of the device are from the exact ones, in units.
pub(super) const ROUNDING: [f64; 2] = [0.634, 0.534];
/// How far the exact polynomials are from 32767·cos and 32767·sin, in units.
const APPROXIMATION: [f64; 2] = [0.091, 0.282];
/// A feature of 1.
pub(super) const ONE: f64 = 32_767.0;
/// More than the rounding of these computations in f64 ever adds to a feature.
pub(super) const SLACK: f64 = 1e-6;
/// No third derivative of the polynomials is larger.
const THIRD: f64 = 150_000.0;

/// A function of a phase over an interval: `center + slope·(t - t_0) ± radius` of t in turns, t_0 in the middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tangent {
    pub(super) center: f64,
    pub(super) slope: f64,
    pub(super) radius: f64,
}

impl Tangent {
    /// A whole number between two others, none of which depends on the phase.
    fn whole(low: f64, high: f64) -> Self {
        let (low, high) = (low.ceil().max(-ONE), high.floor().min(ONE));
        Self { center: f64::midpoint(low, high), slope: 0.0, radius: (high - low) / 2.0 }
    }
}

/// 32767·sin of `turns` ± `half` turns, in real numbers.
pub(super) fn real_sine(turns: f64, half: f64) -> Tangent {
    let [low, high] = sine_range(turns, half);
    let hull = Tangent { center: ONE * f64::midpoint(low, high), slope: 0.0, radius: ONE * (high - low) / 2.0 + SLACK };
    let eta = TAU * half;
    if eta > 2.0 {
        return hull;
    }
    // Beyond the tangent there is -sin(ξ)·δ²/2.
    let (least, most) = (-high.max(0.0) * eta * eta / 2.0, -low.min(0.0) * eta * eta / 2.0);
    let (sin, cos) = (TAU * turns).sin_cos();
    let radius = ONE * (most - least) / 2.0 + SLACK;
    if radius >= hull.radius {
        return hull;
    }
    Tangent { center: ONE * (sin + f64::midpoint(least, most)), slope: ONE * TAU * cos, radius }
}

/// The range of sin over `turns` ± `half` turns.
pub(super) fn sine_range(turns: f64, half: f64) -> [f64; 2] {
    let (first, last) = (turns - half, turns + half);
    // Whether a point at this fraction of a turn lies between, with room for roundings.
    let has = |fraction: f64| (last - fraction + 1e-12).floor() >= (first - fraction - 1e-12).ceil();
    let [a, b] = [first, last].map(|turns| (TAU * (turns - turns.floor())).sin());
    [if has(0.75) { -1.0 } else { a.min(b) - 1e-12 }, if has(0.25) { 1.0 } else { a.max(b) + 1e-12 }]
}

/// An interval of phases, and where its middle is known better than to a whole unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phases {
    /// The first phase, Q0.32.
    pub(super) first: u32,
    /// From the first to the last one, units of 2⁻³² turns.
    pub(super) width: f64,
    /// The middle, turns.
    pub(super) turns: f64,
    /// What the phase of the middle may be off by, turns; a part of half the width.
    pub(super) error: f64,
}

/// The features cos and sin of the device over an interval of phases.
pub(super) fn cos_sin(phases: &Phases) -> [Tangent; 2] {
    let Phases { first, width, turns, error } = *phases;
    if width == 0.0 {
        let (cos, sin) = firmware_core::fixed::cos_sin(first);
        return [cos, sin].map(|value| Tangent { center: f64::from(value), slope: 0.0, radius: 0.0 });
    }
    let last = first.wrapping_add(width.min(f64::from(u32::MAX)) as u32);
    let is_folded = width >= 2_147_483_648.0 || (first as i32 >= 0) != (last as i32 >= 0);
    if is_folded {
        let half = width / 2.0 / 4_294_967_296.0 + error;
        let mut both = [real_sine(turns + 0.25, half), real_sine(turns, half)];
        for (k, tangent) in both.iter_mut().enumerate() {
            tangent.radius += APPROXIMATION[k] + ROUNDING[k] + tangent.slope.abs() * error;
        }
        return both;
    }
    // z of the two ends and of the middle, exact but for the middle's division.
    let fold = |phase: u32| {
        let signed = phase as i32;
        f64::from((1i32 << 30).wrapping_sub(signed ^ (signed >> 31))) / 1_073_741_824.0
    };
    let (z, half) = (f64::midpoint(fold(first), fold(last)), (fold(last) - fold(first)).abs() / 2.0);
    // Of the phase: z falls by four a turn in the first half of a turn and rises in the second.
    let (direction, sign) = if (first as i32) < 0 { (4.0, -1.0) } else { (-4.0, 1.0) };
    let all = [odd(z), even(z).map(|value| sign * value)];
    std::array::from_fn(|k| {
        let [value, derivative, second] = all[k];
        let reach = derivative.abs() * half + (second.abs() + THIRD * half) * half * half / 2.0;
        let hull = Tangent::whole(value - reach - ROUNDING[k] - SLACK, value + reach + ROUNDING[k] + SLACK);
        let least = (second - THIRD * half).min(0.0) * half * half / 2.0;
        let most = (second + THIRD * half).max(0.0) * half * half / 2.0;
        let slope = derivative * direction;
        // The middle of the ends and that of the box differ by less than the error and a unit.
        let offset = slope.abs() * (error + 2.0 / 4_294_967_296.0);
        let radius = (most - least) / 2.0 + ROUNDING[k] + SLACK + offset;
        if hull.radius <= radius {
            return hull;
        }
        Tangent { center: value + f64::midpoint(least, most), slope, radius }
    })
}

/// The odd polynomial of the device in exact arithmetic, its derivative and its second one.
fn odd(z: f64) -> [f64; 3] {
    let c = [205_880.0 / 4.0, -1_354_491.0 / 64.0, 2_665_261.0 / 1024.0, -2_325_882.0 / 16_384.0];
    let s = z * z;
    [
        z * (c[0] + s * (c[1] + s * (c[2] + s * c[3]))),
        c[0] + s * (3.0 * c[1] + s * (5.0 * c[2] + s * 7.0 * c[3])),
        z * (6.0 * c[1] + s * (20.0 * c[2] + s * 42.0 * c[3])),
    ]
}

/// The same of the even polynomial.
fn even(z: f64) -> [f64; 3] {
    let c = [ONE, -646_711.0 / 16.0, 2_119_719.0 / 256.0, -2_572_067.0 / 4096.0];
    let s = z * z;
    [
        c[0] + s * (c[1] + s * (c[2] + s * c[3])),
        z * (2.0 * c[1] + s * (4.0 * c[2] + s * 6.0 * c[3])),
        2.0 * c[1] + s * (12.0 * c[2] + s * 30.0 * c[3]),
    ]
}

/// The device's sine of a sine layer over `turns` ± `half` turns.
pub(super) fn sine(turns: f64, half: f64) -> Tangent {
    let tangent = real_sine(turns, half);
    // The sine of a layer is the odd polynomial.
    let radius = tangent.radius + APPROXIMATION[0] + ROUNDING[0];
    let [low, high] = sine_range(turns, half);
    let error = APPROXIMATION[0] + ROUNDING[0] + SLACK;
    let hull = Tangent::whole(ONE * low - error, ONE * high + error);
    if hull.radius <= radius { hull } else { Tangent { radius, ..tangent } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_as_near_to_the_polynomials_as_is_said() {
        let mut worst = [0.0f64; 4];
        for phase in (0..=u32::MAX).step_by(4099) {
            let (cos, sin) = firmware_core::fixed::cos_sin(phase);
            let signed = phase as i32;
            let z = f64::from((1i32 << 30).wrapping_sub(signed ^ (signed >> 31))) / 1_073_741_824.0;
            let sign = if signed < 0 { -1.0 } else { 1.0 };
            let angle = f64::from(phase) / 4_294_967_296.0 * TAU;
            let (exact, values) = ([odd(z)[0], sign * even(z)[0]], [f64::from(cos), f64::from(sin)]);
            for k in 0..2 {
                worst[k] = worst[k].max((values[k] - exact[k]).abs());
                let real = ONE * if k == 0 { angle.cos() } else { angle.sin() };
                worst[2 + k] = worst[2 + k].max((exact[k] - real).abs());
            }
        }
        for k in 0..2 {
            assert!(worst[k] < ROUNDING[k] && worst[k] > ROUNDING[k] - 0.11, "{worst:?}");
            assert!(worst[2 + k] < APPROXIMATION[k] && worst[2 + k] > 0.95 * APPROXIMATION[k], "{worst:?}");
        }
    }

    #[test]
    fn no_phase_leaves_its_interval() {
        let mut state = 1u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        for _ in 0..20_000 {
            let (first, width) = (random(), random() >> (random() % 32));
            let middle = (f64::from(first) + f64::from(width) / 2.0) / 4_294_967_296.0;
            let phases = Phases { first, width: f64::from(width), turns: middle, error: 0.0 };
            let tangents = cos_sin(&phases);
            for k in 0..=16u64 {
                let offset = (u64::from(width) * k / 16) as u32;
                let (cos, sin) = firmware_core::fixed::cos_sin(first.wrapping_add(offset));
                let t = (f64::from(offset) - f64::from(width) / 2.0) / 4_294_967_296.0;
                for (tangent, value) in tangents.iter().zip([cos, sin]) {
                    let error = f64::from(value) - tangent.center - tangent.slope * t;
                    assert!(error.abs() <= tangent.radius, "{phases:?} {tangent:?} at {t}: {value}");
                }
            }
            let layer = sine(middle, f64::from(width) / 2.0 / 4_294_967_296.0);
            let value = f64::from(firmware_core::fixed::sine(first.wrapping_add(width)));
            let t = f64::from(width) / 2.0 / 4_294_967_296.0;
            assert!((value - layer.center - layer.slope * t).abs() <= layer.radius, "{first} {width} {layer:?}");
        }
        assert!((real_sine(0.3, 0.0).center - ONE * (TAU * 0.3).sin()).abs() < 1e-6);
    }
}
