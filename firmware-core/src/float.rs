//! Floats: the only place that calls micromath.
//!
//! Through its newtype, never through its extension trait: on a host std's own methods would silently win and the two
//! sides would differ. What is used here is exact: no approximation of micromath decides a bit.

use micromath::F32;

/// The fractional part of `x` in [0, 1], exact up to one rounding of the subtraction. NaN and infinities give NaN.
#[inline]
pub(crate) fn fraction(x: f32) -> f32 {
    // Values of 2^23 and above are whole; below, micromath's floor goes through i32 and is exact.
    if x.abs() < 8_388_608.0 { x - F32(x).floor().0 } else { x * 0.0 }
}

/// `x`, computed by scalar instructions.
///
/// MVE's vectors of floats flush subnormal numbers to zero and LLVM uses them all the same, so that a loop whose
/// products are not kept apart would give other bits on such a core. Elsewhere this is nothing.
#[inline(always)]
pub(crate) fn scalar(x: f32) -> f32 {
    if cfg!(kernels = "mve") { core::hint::black_box(x) } else { x }
}

#[cfg(test)]
mod tests {
    use super::fraction;

    #[test]
    fn is_the_distance_to_the_integer_below() {
        for (x, expected) in [
            (0.0, 0.0),
            (0.25, 0.25),
            (-0.25, 0.75),
            (3.0, 0.0),
            (-3.0, 0.0),
            (-7.5, 0.5),
            (8_388_607.5, 0.5),
            (1e30, 0.0),
        ] {
            assert_eq!(fraction(x), expected, "{x}");
        }
        assert!(fraction(f32::NAN).is_nan() && fraction(f32::INFINITY).is_nan());
        assert_eq!(fraction(-1e-10), 1.0, "rounds up to the full turn, which saturates as a coordinate");
    }
}
