//! The logistic function in integers, for models whose outputs are confined to a unit range.
//!
//! σ(z) = 1/(1 + 2^(-|z|·log₂e)), mirrored for negative z: a degree-4 polynomial for the fractional power, a shift for
//! the whole one, and one 32-bit division. Only outputs pass through it, so that its cost (about forty instructions and
//! a division) does not matter.

use core::num::NonZeroU32;

/// Fractional bits of the logit that [`sigmoid`] takes: 1.0 is 16384.
pub const LOGIT_FRACTION_BITS: u32 = 14;
/// Fractional bits of what [`sigmoid`] returns: 1.0 is 65536.
pub const SIGMOID_FRACTION_BITS: u32 = 16;

/// Of 2^-f, Q30, from f³ on; that of f⁴ stands in the code. Read in a loop, which costs less flash than its turns.
static TWO_TO_MINUS_F: [i32; 4] = [-57_315_453, 257_213_793, -744_188_266, 1 << 30];

/// σ of a Q14 logit, in Q16: 0 ..= 65536, monotone, σ(z) + σ(-z) = 1. Maximum error 2.3e-5 (pinned by a test).
#[must_use]
pub fn sigmoid(logit: i32) -> i32 {
    const LOG2_E_Q16: u64 = 94_548;
    // Beyond 22 the result is 0 or 1 to the last bit.
    let magnitude = u64::from(logit.unsigned_abs().min(22 << LOGIT_FRACTION_BITS));
    let power = (magnitude * LOG2_E_Q16) >> LOGIT_FRACTION_BITS; // Q16, at most 31.8
    let f = ((power as u32 & 0xffff) << 14) as i32; // the fraction in Q30
    // 2^-f on [0, 1), minimax, error 2.1e-6.
    let p = TWO_TO_MINUS_F.iter().fold(7_421_265, |p, c| ((i64::from(p) * i64::from(f)) >> 30) as i32 + c) as u32;
    let e = (p >> (power >> 16)).wrapping_add(1 << 13) >> 14; // Q16
    let one_plus_e = NonZeroU32::MIN.saturating_add(65_535 + e);
    let upper = (u32::MAX / one_plus_e + 1) as i32;
    if logit >= 0 { upper } else { (1 << SIGMOID_FRACTION_BITS) - upper }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn error_range_symmetry_and_monotony() {
        let (mut worst, mut previous) = (0.0f64, 0);
        for logit in (-(24 << 14)..(24 << 14)).step_by(if cfg!(miri) { 1009 } else { 1 }) {
            let y = sigmoid(logit);
            assert!(y >= previous && y <= 65_536, "monotone at {logit}: {previous} then {y}");
            assert!(y + sigmoid(-logit) == 65_536);
            let exact = 1.0 / (1.0 + (-f64::from(logit) / 16_384.0).exp());
            worst = worst.max((f64::from(y) / 65_536.0 - exact).abs());
            previous = y;
        }
        assert!(worst < 2.3e-5, "{worst:e}");
        assert_eq!((sigmoid(i32::MIN), sigmoid(0), sigmoid(i32::MAX)), (0, 32_768, 65_536));
    }
}
