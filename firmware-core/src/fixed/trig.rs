//! Sine and cosine of a phase in turns, in integers.
//!
//! | | |
//! | --- | --- |
//! | input | phase in turns, unsigned Q0.32: `0x4000_0000` is a quarter; the wrap of `u32` is the range reduction |
//! | output | [`ONE`]·cos and [`ONE`]·sin, rounded, within ±[`ONE`] |
//! | error against f64, all of 2²⁴ phases | maximum 2.5e-5, root mean square 9.8e-6 (pinned by a test) |
//! | cost | twelve instructions for both on a core with SMMLAR |
//!
//! The phase is folded to z ∈ [-1, 1] with cos = sin(πz/2) and |sin| = cos(πz/2): one fold and one square serve both.
//! The first is the minimax odd polynomial of degree 7 (error 5.7e-7), the second the minimax even one of degree 6 that
//! is exact at z = 0 (error 7.8e-6). Horner's rule goes in steps `(a·b + 2³¹) >> 32`: z is Q30 and z² Q28, so that
//! every step loses four fractional bits of the coefficients and nothing has to be shifted.

use super::requantize::mul_high_rounded;

/// The feature value that stands for 1.0.
pub const ONE: i32 = 32767;

/// Of sin(πz/2) for z, z³, z⁵, z⁷: 1.5707909 in Q17, -0.6458925 in Q21, 0.0794334 in Q25 and -0.0043324 in Q29, all
/// times ONE/2¹⁵.
pub(crate) const ODD: [i32; 4] = [205_880, -1_354_491, 2_665_261, -2_325_882];
/// Of cos(πz/2) for 1, z², z⁴, z⁶: 1 in Q15, -1.2335388 in Q19, 0.2527059 in Q23 and -0.0191640 in Q27, all times
/// ONE/2¹⁵.
pub(crate) const EVEN: [i32; 4] = [ONE, -646_711, 2_119_719, -2_572_067];

/// ([`ONE`]·cos, [`ONE`]·sin) of `phase` turns (unsigned Q0.32): the features of one frequency.
///
/// ```
/// use firmware_core::fixed::cos_sin;
/// assert_eq!([0, 1 << 30, 1 << 31].map(cos_sin), [(32_767, 0), (0, 32_767), (-32_767, 0)]);
/// ```
#[inline(always)]
#[must_use]
pub const fn cos_sin(phase: u32) -> (i32, i32) {
    let sign = phase as i32 >> 31;
    // Negative phases are mirrored to -1 - phase, one unit off: 1.5e-9 radians.
    // Nothing here wraps; checks for it would only keep a desktop's compiler from vectorizing.
    let z = (1i32 << 30).wrapping_sub(phase as i32 ^ sign);
    let square = mul_high_rounded(z, z);
    let even = EVEN[2].wrapping_add(mul_high_rounded(EVEN[3], square));
    let even = EVEN[1].wrapping_add(mul_high_rounded(even, square));
    let even = EVEN[0].wrapping_add(mul_high_rounded(even, square));
    (odd(z, square), (even ^ sign).wrapping_sub(sign))
}

/// [`ONE`]·sin of `phase` turns (unsigned Q0.32): the activation of a sine layer.
///
/// The phase of a unit is its accumulator times its multiplier modulo 2³², or [`phase_of_turns`] of it in `f32`. The
/// error against the real sine is at most 2.2e-5.
///
/// ```
/// use firmware_core::fixed::sine;
/// assert_eq!([0, 1 << 30, 1 << 31, 3 << 30].map(sine), [0, 32_767, 0, -32_767]);
/// let (accumulator, multiplier) = (-3_i32, 1 << 30); // three quarters of a turn, backwards
/// assert_eq!(sine(accumulator.wrapping_mul(multiplier) as u32), 32_767);
/// ```
#[inline(always)]
#[must_use]
pub const fn sine(phase: u32) -> i32 {
    // sin x = cos(x - π/2), and the cosine is the odd polynomial of the folded phase.
    let shifted = (phase as i32).wrapping_sub(1 << 30);
    let z = (1i32 << 30).wrapping_sub(shifted ^ shifted >> 31);
    odd(z, mul_high_rounded(z, z))
}

/// The phase (unsigned Q0.32) of a number of turns: the fraction, in steps of 2⁻³¹, rounded towards zero.
///
/// Exact from 2⁻⁷ turns on; `parse` has checked that no accumulator reaches 2³¹ turns.
///
/// ```
/// use firmware_core::fixed::phase_of_turns;
/// assert_eq!([0.25, 7.5, -0.25].map(phase_of_turns), [1 << 30, 1 << 31, 3 << 30]);
/// ```
#[inline(always)]
#[must_use]
pub const fn phase_of_turns(turns: f32) -> u32 {
    // Both are exact: the difference of a number and its whole part, and a multiplication by a power of two.
    let fraction = turns - (turns as i32) as f32;
    (((fraction * 2_147_483_648.0) as i32) << 1) as u32
}

/// [`ONE`]·sin(πz/2) for z in Q30, of which the square in Q28 is given.
#[inline(always)]
const fn odd(z: i32, square: i32) -> i32 {
    let odd = ODD[2].wrapping_add(mul_high_rounded(ODD[3], square));
    let odd = ODD[1].wrapping_add(mul_high_rounded(odd, square));
    let odd = ODD[0].wrapping_add(mul_high_rounded(odd, square));
    mul_high_rounded(odd, z)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn error_against_f64_over_the_whole_turn() {
        let (mut worst, mut squares, mut count) = (0.0f64, 0.0, 0u32);
        for phase in (0..=u32::MAX).step_by(if cfg!(miri) { 9_000_011 } else { 1 << 8 }) {
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
        assert!(worst < 2.5e-5 && rms < 9.8e-6, "maximum {worst:e}, rms {rms:e}");
    }

    #[test]
    fn sine_against_f64_over_the_whole_turn() {
        let mut worst = 0.0f64;
        for phase in (0..=u32::MAX).step_by(if cfg!(miri) { 9_000_011 } else { 251 }) {
            let value = sine(phase);
            assert!(value.abs() <= ONE);
            let exact = (f64::from(phase) / 4_294_967_296.0 * core::f64::consts::TAU).sin();
            worst = worst.max((f64::from(value) / f64::from(ONE) - exact).abs());
        }
        assert!(worst < 2.2e-5, "maximum {worst:e}");
    }

    #[test]
    fn phases_of_turns_against_f64() {
        let mut state = 1u32;
        for i in 0..if cfg!(miri) { 500 } else { 1_000_000 } {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Numbers of both signs from 2^-40 to below 2^31 turns.
            let exponent = (127 - 40) + i % 71;
            let turns = f32::from_bits(state & 0x807f_ffff | exponent << 23);
            let exact = (f64::from(turns).fract() * 2_147_483_648.0) as i64;
            assert_eq!(phase_of_turns(turns), (exact << 1) as u32, "{turns}");
        }
    }

    #[test]
    fn quadrants_are_exact_and_symmetric() {
        assert_eq!(cos_sin(0), (ONE, 0));
        assert_eq!(cos_sin(1 << 30), (0, ONE));
        assert_eq!(cos_sin(1 << 31), (-ONE, 0));
        assert_eq!(cos_sin(3 << 30), (0, -ONE));
    }
}
