//! The functions that volume rendering needs, in single precision with plain sums and products.
//!
//! | function | domain | error (pinned by tests) |
//! | --- | --- | --- |
//! | [`exp_negative`] | x ≥ 0 | 3e-7 + 1e-7·x relative up to x = 87, where it ends in 0 |
//! | [`sigmoid`] | all | 2e-7 absolute |
//! | [`softplus`] | all | 5e-7 + 1e-7·x absolute |
//! | [`inverse_sqrt`] | normal x > 0 | 3e-7 relative |
//!
//! Polynomials are minimax, by Horner's rule from the highest power.

/// e^-x for x ≥ 0; 0 from x = 87 on, and for NaN. Relative error 3e-7 + 1e-7·x.
#[inline]
#[must_use]
pub fn exp_negative(x: f32) -> f32 {
    // Not `x >= 87.0`, so that NaN ends here too.
    if !(0.0..87.0).contains(&x) {
        return if x < 0.0 { 1.0 } else { 0.0 };
    }
    let power = x * core::f32::consts::LOG2_E;
    let whole = power as u32; // at most 125
    let f = power - whole as f32;
    let p = 0.009_212_545 + f * -0.000_948_228_9;
    let p = 0.240_179_99 + f * (-0.055_301_048 + f * p);
    let p = 1.0 + f * (-0.693_143_25 + f * p);
    p * f32::from_bits((127 - whole) << 23)
}

/// 1/(1 + e^-z), with an absolute error of 2e-7.
#[inline]
#[must_use]
pub fn sigmoid(z: f32) -> f32 {
    let e = exp_negative(z.abs());
    let upper = 1.0 / (1.0 + e);
    if z >= 0.0 { upper } else { e * upper }
}

/// ln(1 + e^z), with an absolute error of 5e-7 + 1e-7·|z|.
#[inline]
#[must_use]
pub fn softplus(z: f32) -> f32 {
    let above = if z > 0.0 { z } else { 0.0 };
    above + ln_1p(exp_negative(z.abs()))
}

/// ln(1 + u) for u in [0, 1].
fn ln_1p(u: f32) -> f32 {
    let p = 0.044_942_34 + u * -0.008_782_866;
    let p = 0.178_251_64 + u * (-0.108_854_07 + u * p);
    let p = 0.332_801_37 + u * (-0.245_234_3 + u * p);
    u * (1.0 + u * (-0.499_976_96 + u * p))
}

/// 1/√x of a normal number x > 0, with a relative error of 3e-7.
#[inline]
#[must_use]
pub(super) fn inverse_sqrt(x: f32) -> f32 {
    // The exponent halved and negated, then three of Newton's steps, each of which doubles the digits.
    let mut y = f32::from_bits(0x5f37_59df_u32.wrapping_sub(x.to_bits() >> 1));
    for _ in 0..3 {
        y *= 1.5 - 0.5 * x * y * y;
    }
    y
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn errors_against_f64_are_those_of_the_table() {
        for i in (-200_000..200_000).step_by(if cfg!(miri) { 997 } else { 1 }) {
            let x = i as f32 * 5e-4;
            let exact = f64::from(x);
            let error = (f64::from(sigmoid(x)) - 1.0 / (1.0 + (-exact).exp())).abs();
            assert!(error < 2e-7, "sigmoid({x}): {error:e}");
            let error = (f64::from(softplus(x)) - (exact.max(0.0) + (-exact.abs()).exp().ln_1p())).abs();
            assert!(error < 5e-7 + 1e-7 * exact.abs(), "softplus({x}): {error:e}");
            if x > 0.0 {
                let e = if x < 87.0 { (-exact).exp() } else { 0.0 };
                let error = (f64::from(exp_negative(x)) - e).abs();
                assert!(error <= (3e-7 + 1e-7 * exact) * e, "exp_negative({x}): {error:e}");
                let relative = (f64::from(inverse_sqrt(x)) * exact.sqrt() - 1.0).abs();
                assert!(relative < 3e-7, "inverse_sqrt({x}): {relative:e}");
            }
        }
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(exp_negative(0.0), 1.0);
        assert_eq!((exp_negative(f32::INFINITY), exp_negative(f32::NAN)), (0.0, 0.0));
        assert_eq!((sigmoid(f32::INFINITY), sigmoid(f32::NEG_INFINITY)), (1.0, 0.0));
        assert_eq!(softplus(-1e9), 0.0);
        assert_eq!(softplus(1e9), 1e9);
    }
}
