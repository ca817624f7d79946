//! Sine and cosine of a phase in turns, in integers.
//!
//! | | |
//! | --- | --- |
//! | input | phase in turns, unsigned Q0.32: `0x4000_0000` is a quarter turn; the wrap of `u32` is the range reduction |
//! | output | [`ONE`]·cos and [`ONE`]·sin, rounded, within ±[`ONE`] |
//! | error against f64, all of 2²⁴ phases | maximum 2.2e-5, root mean square 9.1e-6 (pinned by a test) |
//! | cost | eight instructions each on a core with SMMLAR |
//!
//! The phase is folded into ±1/4 turn, z ∈ [-1, 1], where sin(πz/2) is the minimax odd polynomial of degree 7
//! (Chebyshev error 5.7e-7). It is evaluated by Horner's rule in steps `(a·b + 2³¹) >> 32`: z is Q30 and z² Q28, so
//! that every step loses four fractional bits of the coefficients (Q29, Q25, Q21, Q17) and nothing has to be shifted.

/// The feature value that stands for 1.0.
pub const ONE: i32 = 32767;

const C1: i32 = 205_880; // 1.5707909 in Q17, times ONE/2^15
const C3: i32 = -1_354_491; // -0.6458925 in Q21
const C5: i32 = 2_665_261; // 0.0794334 in Q25
const C7: i32 = -2_325_882; // -0.0043324 in Q29

/// The high word of the product, rounded: `(a·b + 2³¹) >> 32`. One SMMULR where there is one.
#[inline(always)]
#[must_use]
pub const fn mul_high_rounded(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 31)) >> 32) as i32
}

/// [`ONE`]·sin of `phase` turns.
#[inline(always)]
#[must_use]
pub const fn sin(phase: u32) -> i32 {
    let mut t = phase as i32;
    // Where the two top bits differ, |t| is beyond a quarter turn (or just at it): sin(1/2 - t) = sin(t).
    if (t ^ (t << 1)) < 0 {
        t = i32::MIN.wrapping_sub(t);
    }
    let square = mul_high_rounded(t, t);
    let p = C5 + mul_high_rounded(C7, square);
    let p = C3 + mul_high_rounded(p, square);
    let p = C1 + mul_high_rounded(p, square);
    mul_high_rounded(p, t)
}

/// ([`ONE`]·cos, [`ONE`]·sin) of `phase` turns.
#[inline(always)]
#[must_use]
pub const fn cos_sin(phase: u32) -> (i32, i32) {
    (sin(phase.wrapping_add(1 << 30)), sin(phase))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn error_against_f64_over_the_whole_turn() {
        let (mut worst, mut squares, mut count) = (0.0f64, 0.0, 0u32);
        for phase in (0..=u32::MAX).step_by(1 << 8) {
            let (cos, sin) = cos_sin(phase);
            assert!(cos.abs() <= ONE && sin.abs() <= ONE);
            let angle = f64::from(phase) / 4_294_967_296.0 * core::f64::consts::TAU;
            for error in [f64::from(cos) / f64::from(ONE) - angle.cos(), f64::from(sin) / f64::from(ONE) - angle.sin()]
            {
                worst = worst.max(error.abs());
                squares += error * error;
            }
            count += 2;
        }
        let rms = (squares / f64::from(count)).sqrt();
        assert!(worst < 2.2e-5 && rms < 9.1e-6, "maximum {worst:e}, rms {rms:e}");
    }

    #[test]
    fn quadrants_are_exact_and_symmetric() {
        assert_eq!(cos_sin(0), (ONE, 0));
        assert_eq!(cos_sin(1 << 30), (0, ONE));
        assert_eq!(cos_sin(1 << 31), (-ONE, 0));
        assert_eq!(cos_sin(3 << 30), (0, -ONE));
    }
}
