//! From an accumulator of 32 bits to the next layer's activation.

/// The largest hidden activation.
pub const ACTIVATION_MAX: i32 = 32_767;

/// The high word of the product, rounded: `(a·b + 2³¹) >> 32`. One SMMULR where there is one.
#[inline(always)]
#[must_use]
pub(crate) const fn mul_high_rounded(a: i32, b: i32) -> i32 {
    ((a as i64).wrapping_mul(b as i64).wrapping_add(1 << 31) >> 32) as i32
}

/// The hidden activation of an integer layer: `(accumulator·multiplier + 2³¹) >> 32`, confined to 0 ..=
/// [`ACTIVATION_MAX`].
///
/// ```
/// use firmware_core::fixed::requantize;
/// let quarter = 1 << 30; // 0.25 in Q0.32
/// assert_eq!(requantize(4000, quarter), 1000);
/// assert_eq!(requantize(-4000, quarter), 0); // ReLU
/// assert_eq!(requantize(1 << 20, quarter), 32_767);
/// ```
#[inline(always)]
#[must_use]
pub const fn requantize(accumulator: i32, multiplier: i32) -> i32 {
    let scaled = mul_high_rounded(accumulator, multiplier);
    // Not Ord::clamp, which is not const.
    if scaled < 0 {
        0
    } else if scaled > ACTIVATION_MAX {
        ACTIVATION_MAX
    } else {
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantization_rounds_half_up_and_saturates() {
        assert_eq!(requantize(1 << 16, 1 << 16), 1);
        assert_eq!(requantize(1 << 15, 1 << 16), 1, "one half rounds up");
        assert_eq!(requantize((1 << 15) - 1, 1 << 16), 0);
        assert_eq!(requantize(-5 << 20, 1 << 20), 0);
        assert_eq!(requantize(i32::MAX, i32::MAX), 32767);
    }
}
