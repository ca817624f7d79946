//! From the user's units to coordinates: unsigned Q0.32, [0, 1) of the trained period.

use crate::float::fraction;
use crate::limits::MAX_CODE_BITS;
use serde::{Deserialize, Serialize};

/// What a model does with a point beyond the trained domain, along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outside {
    /// Evaluate at the nearest point of the domain.
    #[default]
    Clamp,
    /// Continue with the period of the axis.
    Periodic,
    /// Refuse with [`EvalError::OutsideDomain`](crate::EvalError::OutsideDomain).
    Reject,
}

/// One axis of the domain: the affine map from the user's units to [0, 1).
///
/// A point at `x` has the coordinate `(x - minimum) · scale`, computed in f32 with one rounding each. Samples were seen
/// in `[minimum, maximum]`; the axis repeats, for a network whose frequencies are whole, every `1/scale`. For n samples
/// one unit apart the period is n, so that sample k lies at k/n.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Axis {
    /// The smallest trained position, user units.
    pub minimum: f32,
    /// The largest trained position, user units.
    pub maximum: f32,
    /// Coordinates per user unit: one over the period.
    pub scale: f32,
}

impl Axis {
    /// An axis with samples from `minimum` to `maximum` and the given period (all in user units).
    #[must_use]
    pub fn new(minimum: f32, maximum: f32, period: f32) -> Self {
        Self { minimum, maximum, scale: 1.0 / period }
    }

    /// The axis of integer codes of so many bits, 1 to 16, as those of a converter: from 0 to 2^bits - 1, of the period
    /// 2^bits. The coordinate of the code k is exactly k·2^(32 - bits).
    ///
    /// ```
    /// use firmware_core::{Axis, Outside};
    /// assert_eq!(Axis::codes(12).to_fixed(1000.0, Outside::Clamp), Some(1000 << 20));
    /// ```
    #[must_use]
    pub fn codes(bits: u8) -> Self {
        let period = (1u32 << bits.min(MAX_CODE_BITS)) as f32;
        Self { minimum: 0.0, maximum: period - 1.0, scale: 1.0 / period }
    }

    /// The Q0.32 coordinate of an integer code of so many bits, or `None` where `outside` rejects it: what
    /// [`Axis::codes`] makes of it, without a float.
    #[inline]
    #[must_use]
    pub fn code_to_fixed(code: u32, bits: u8, outside: Outside) -> Option<u32> {
        let bits = u32::from(bits.clamp(1, MAX_CODE_BITS));
        let largest = (1 << bits) - 1;
        let code = match outside {
            Outside::Clamp => code.min(largest),
            // The bits above fall out.
            Outside::Periodic => code,
            Outside::Reject if code <= largest => code,
            Outside::Reject => return None,
        };
        Some(code << (32 - bits))
    }

    /// The period in user units.
    #[must_use]
    pub fn period(&self) -> f32 {
        1.0 / self.scale
    }

    /// Whether all three numbers are finite, the domain is not reversed and the scale positive.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.minimum.is_finite()
            && self.maximum.is_finite()
            && self.minimum <= self.maximum
            && self.scale.is_finite()
            && self.scale > 0.0
    }

    /// The Q0.32 coordinate of `x`, or `None` where `outside` rejects it.
    ///
    /// NaN is rejected by [`Outside::Reject`] and otherwise taken as the minimum. A coordinate of 1 (one period above
    /// the minimum, or what rounds to it) saturates at 1 - 2⁻³².
    #[inline]
    #[must_use]
    pub fn to_fixed(&self, x: f32, outside: Outside) -> Option<u32> {
        let unit = match outside {
            // What is below the minimum becomes negative, and then zero.
            Outside::Clamp => (at_most(x, self.maximum) - self.minimum) * self.scale,
            Outside::Periodic => fraction((x - self.minimum) * self.scale),
            Outside::Reject if x >= self.minimum && x <= self.maximum => (x - self.minimum) * self.scale,
            Outside::Reject => return None,
        };
        Some(to_q32(unit))
    }
}

/// Whether floats are computed in software, where bits are faster to look at.
const IS_SOFT: bool = cfg!(all(any(target_arch = "arm", kernels = "rv32m"), not(kernels_fpu)));

/// `x` or the bound, the smaller one; NaN remains. Which zero comes out of two is left open.
#[inline]
fn at_most(x: f32, maximum: f32) -> f32 {
    if IS_SOFT {
        return at_most_by_bits(x, maximum);
    }
    // Not f32::min, which takes NaN for the larger one.
    if x > maximum { maximum } else { x }
}

#[inline]
fn at_most_by_bits(x: f32, maximum: f32) -> f32 {
    // Two's complement in place of sign and magnitude: ordered as the numbers are, with NaN at both ends.
    let order = |x: f32| {
        let bits = x.to_bits() as i32;
        bits ^ ((bits >> 31) as u32 >> 1) as i32
    };
    let (x_order, infinity) = (order(x), 0x7f80_0000);
    if x_order > order(maximum) && x_order <= infinity { maximum } else { x }
}

/// `unit` in Q0.32, rounded down: 1 - 2⁻³² at most, and 0 for NaN and for what is negative.
#[inline]
fn to_q32(unit: f32) -> u32 {
    if IS_SOFT {
        return to_q32_by_bits(unit);
    }
    // `as` saturates and takes NaN to zero, on every target alike.
    (unit * 4_294_967_296.0) as u32
}

#[inline]
fn to_q32_by_bits(unit: f32) -> u32 {
    let bits = unit.to_bits();
    if bits > 0x7f80_0000 {
        return 0; // negative, or NaN
    }
    // The number is mantissa·2^(exponent - 150).
    let (exponent, mantissa) = (bits >> 23, bits & 0x007f_ffff | 0x0080_0000);
    match exponent {
        127.. => u32::MAX,
        118.. => mantissa << (exponent - 118),
        _ => mantissa.checked_shr(118 - exponent).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_their_bits_are_numbers() {
        let mut bits = 0u32;
        loop {
            let x = f32::from_bits(bits);
            assert_eq!(to_q32_by_bits(x), (x * 4_294_967_296.0) as u32, "{x:e}");
            for (minimum, maximum) in [(-0.0, 255.0), (0.0, 0.0), (-7.5, -0.0), (-1e30, 1e-40)] {
                let bounded = if x > maximum { maximum } else { x };
                assert!(at_most_by_bits(x, maximum) == bounded || x.is_nan() && at_most_by_bits(x, maximum).is_nan());
                let inner = if x > minimum { x } else { minimum };
                let unit = (if inner < maximum { inner } else { maximum } - minimum) * 0.01;
                let axis = Axis { minimum, maximum, scale: 0.01 };
                assert_eq!(axis.to_fixed(x, Outside::Clamp), Some(to_q32(unit)), "{x:e}");
            }
            // A prime step, and all numbers near the ends of the exponents that matter.
            let Some(next) = bits.checked_add(if cfg!(miri) { 20_000_003 } else { 10_007 }) else { break };
            bits = next;
        }
        for edge in [0u32, 0x3f80_0000, 0x3b00_0000, 0x2f80_0000, 0x7f80_0000, 0x8000_0000, 0xff80_0000, u32::MAX] {
            let step = if cfg!(miri) { 100 } else { 1 };
            for bits in (0..2000).step_by(step).map(|k| edge.wrapping_add(k).wrapping_sub(1000)) {
                let x = f32::from_bits(bits);
                assert_eq!(to_q32_by_bits(x), (x * 4_294_967_296.0) as u32, "{x:e}");
            }
        }
    }

    const AXIS: Axis = Axis { minimum: 0.0, maximum: 255.0, scale: 1.0 / 256.0 };

    #[test]
    fn samples_lie_at_k_over_n() {
        for k in 0..256u32 {
            for outside in [Outside::Clamp, Outside::Periodic, Outside::Reject] {
                assert_eq!(AXIS.to_fixed(k as f32, outside), Some(k << 24));
            }
        }
    }

    #[test]
    fn outside_points_are_clamped_wrapped_or_rejected() {
        assert_eq!(AXIS.to_fixed(-3.0, Outside::Clamp), Some(0));
        assert_eq!(AXIS.to_fixed(300.0, Outside::Clamp), Some(255 << 24));
        assert_eq!(AXIS.to_fixed(f32::NAN, Outside::Clamp), Some(0));
        assert_eq!(AXIS.to_fixed(f32::INFINITY, Outside::Clamp), Some(255 << 24));
        assert_eq!(AXIS.to_fixed(-3.0, Outside::Periodic), Some(253 << 24));
        assert_eq!(AXIS.to_fixed(256.0 + 7.0, Outside::Periodic), Some(7 << 24));
        assert_eq!(AXIS.to_fixed(f32::INFINITY, Outside::Periodic), Some(0));
        for x in [-0.01, 255.01, f32::NAN, f32::INFINITY] {
            assert_eq!(AXIS.to_fixed(x, Outside::Reject), None);
        }
    }

    #[test]
    fn codes_have_the_coordinates_that_they_have_as_numbers() {
        for bits in 1..=16 {
            let axis = Axis::codes(bits);
            let step = if cfg!(miri) { 1 + (1 << bits >> 5) } else { 1 };
            for code in (0..=(1u32 << bits) + 5).step_by(step).chain([(1 << bits) - 1, 1 << 20, (1 << 24) - 1]) {
                for outside in [Outside::Clamp, Outside::Periodic, Outside::Reject] {
                    let coordinate = Axis::code_to_fixed(code, bits, outside);
                    assert_eq!(coordinate, axis.to_fixed(code as f32, outside), "{code} of {bits} bits, {outside:?}");
                    assert!(code >> bits != 0 || coordinate == Some(code << (32 - bits)));
                }
            }
            assert_eq!(Axis::code_to_fixed(u32::MAX, bits, Outside::Clamp), Some(u32::MAX << (32 - bits)));
        }
    }

    #[test]
    fn a_constant_axis_maps_to_zero() {
        let axis = Axis::new(5.0, 5.0, 1.0);
        assert!(axis.is_valid());
        assert_eq!(axis.to_fixed(5.0, Outside::Reject), Some(0));
        assert_eq!(axis.to_fixed(9.0, Outside::Clamp), Some(0));
    }
}
