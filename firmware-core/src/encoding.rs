//! From coordinates to features.

use crate::error::ParseError;
use crate::fixed;
use crate::limits::{MAX_FREQUENCIES, MAX_INPUTS};

/// The encoding γ(v) = \[cos 2πBv, sin 2πBv\], then coordinates as they are: checked, over frequencies that lie
/// elsewhere (in flash, or in the trainer's memory).
///
/// - Coordinates `v`: `[d]`, unsigned Q0.32.
/// - Frequencies `B`: `[m, d]` row-major, signed Q16.16, in cycles over the unit domain.
/// - Phase of row j: Σ_d B\[j\]\[d\]·v\[d\] modulo one turn, as u32: each exact product `B·v` (Q16.48) is shifted right
///   by 16 (rounding down) and added modulo 2³². The overflow *is* the range reduction, and d·2⁻³² turns the whole
///   error.
/// - Features: `[2m + p]` signed 16 bits with 1.0 = [`ONE`](fixed::ONE), in this order: m cosines, m sines, then the
///   last p coordinates as `2v - 1`. An encoding `none` has m = 0 and p = d. Cosines and sines are those of two
///   polynomials: their error is at most 2.5e-5, root mean square 9.8e-6.
///
/// Amplitudes a_j (equation 5 of Tancik et al. 2020) are no part of the encoding: γ enters the network linearly, so
/// that the trainer folds them into the first layer's weights.
///
/// ```
/// use firmware_core::Encoding;
/// let whole_turns = [1 << 16, 2 << 16]; // b = 1 and b = 2, one input
/// let encoding = Encoding::new(1, &whole_turns, 0)?;
/// let mut features = [0; 4];
/// encoding.encode_into(&[1 << 30], &mut features); // v = 1/4
/// assert_eq!(features, [0, -32767, 32767, 0]); // cos π/2, cos π, sin π/2, sin π
/// # Ok::<(), firmware_core::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Encoding<'a> {
    inputs: usize,
    rows: usize,
    frequencies: &'a [i32],
    passthrough: usize,
}

impl<'a> Encoding<'a> {
    /// An encoding of `inputs` coordinates by `frequencies` (`[m, inputs]`, Q16.16) that passes the last `passthrough`
    /// coordinates through.
    ///
    /// # Errors
    ///
    /// [`ParseError::Shape`] for shapes beyond [`limits`](crate::limits), a ragged matrix, or no feature at all.
    pub fn new(inputs: usize, frequencies: &'a [i32], passthrough: usize) -> Result<Self, ParseError> {
        let rows = frequencies.len().checked_div(inputs).unwrap_or(0);
        let fits = (1..=MAX_INPUTS).contains(&inputs)
            && rows * inputs == frequencies.len()
            && rows <= MAX_FREQUENCIES
            && passthrough <= inputs
            && rows + passthrough > 0;
        if fits { Ok(Self { inputs, rows, frequencies, passthrough }) } else { Err(ParseError::Shape) }
    }

    /// What a [`Model`](crate::Model) has already checked.
    #[inline]
    pub(crate) fn checked(inputs: usize, rows: usize, frequencies: &'a [i32], passthrough: usize) -> Self {
        Self { inputs, rows, frequencies, passthrough }
    }

    /// The number of coordinates of a point, d.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of rows of B, m.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The frequency matrix B, `[m, d]` row-major in Q16.16.
    #[must_use]
    pub fn frequencies(&self) -> &'a [i32] {
        self.frequencies
    }

    /// The number of coordinates that are passed through, p; they are the last ones.
    #[must_use]
    pub fn passthrough(&self) -> usize {
        self.passthrough
    }

    /// The length of the feature vector, 2m + p.
    #[must_use]
    pub fn features_len(&self) -> usize {
        2 * self.rows() + self.passthrough
    }

    /// Encodes one point. Where `coordinates` is not `[d]` or `features` not `[2m + p]` long, the shorter one decides.
    pub fn encode_into(&self, coordinates: &[u32], features: &mut [i16]) {
        self.encode(coordinates, |feature, value| {
            if let Some(slot) = features.get_mut(feature) {
                *slot = value as i16;
            }
        });
    }

    /// Encodes a point and hands every feature to `store(feature, value)`.
    #[inline(always)]
    pub(crate) fn encode(&self, point: &[u32], mut store: impl FnMut(usize, i32)) {
        self.encode_rows(point, &mut store);
        self.pass_through(point, store);
    }

    /// Hands the cosines and sines to `store(feature, value)`.
    #[inline(always)]
    pub(crate) fn encode_rows(&self, point: &[u32], mut store: impl FnMut(usize, i32)) {
        // max(1) only tells the compiler what `new` has checked.
        for (j, row) in self.frequencies.chunks_exact(self.inputs.max(1)).enumerate() {
            let (cos, sin) = fixed::cos_sin(phase(row, point));
            store(j, cos);
            store(self.rows + j, sin);
        }
    }

    /// Hands the features of the coordinates that are passed through to `store(feature, value)`.
    #[inline(always)]
    pub(crate) fn pass_through(&self, point: &[u32], mut store: impl FnMut(usize, i32)) {
        let first = self.inputs - self.passthrough;
        for i in 0..self.passthrough {
            if let Some(&v) = point.get(first + i) {
                store(2 * self.rows + i, passed_through(v));
            }
        }
    }
}

/// Σ b·v in turns, modulo one, as u32: `row` in Q16.16, `point` in Q0.32.
#[inline(always)]
fn phase(row: &[i32], point: &[u32]) -> u32 {
    row.iter()
        .zip(point)
        .fold(0, |turns: u32, (&b, &v)| turns.wrapping_add(((i64::from(b) * i64::from(v)) >> 16) as u32))
}

/// The feature of a coordinate (Q0.32) that passes by: 2v - 1 with 1.0 = [`fixed::ONE`].
#[inline(always)]
#[must_use]
pub fn passed_through(v: u32) -> i32 {
    ((v >> 16) as i32 - 32_768).max(-fixed::ONE)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn cosines_come_first_then_sines_then_coordinates() {
        let frequencies = [1 << 16, 0, 0, 3 << 15]; // (1, 0) and (0, 1.5)
        let encoding = Encoding::new(2, &frequencies, 2).unwrap();
        let mut features = [0i16; 6];
        let v = [0.1f64, 0.7];
        encoding.encode_into(&v.map(|v| (v * 4_294_967_296.0) as u32), &mut features);
        let turn = core::f64::consts::TAU;
        let expected = [
            (turn * 0.1).cos(),
            (turn * 1.05).cos(),
            (turn * 0.1).sin(),
            (turn * 1.05).sin(),
            2.0 * 0.1 - 1.0,
            2.0 * 0.7 - 1.0,
        ];
        for (feature, expected) in features.iter().zip(expected) {
            assert!((f64::from(*feature) / 32767.0 - expected).abs() < 5e-5, "{features:?} against {expected:?}");
        }
    }

    #[test]
    fn phases_match_f64_at_high_and_negative_frequencies() {
        let rows: Vec<i32> = vec![-(40 << 16) - 12_345, 32_000 << 16, i32::MIN, i32::MAX, 77, -1];
        for pair in rows.chunks_exact(2) {
            for v in [[1u32, u32::MAX], [0x1234_5678, 0x9abc_def0], [u32::MAX, u32::MAX]] {
                let exact: i128 = pair.iter().zip(v).map(|(&b, v)| (i128::from(b) * i128::from(v)) >> 16).sum();
                assert_eq!(phase(pair, &v), exact as u32);
            }
        }
    }

    #[test]
    fn unusable_shapes_are_refused() {
        assert!(Encoding::new(0, &[], 0).is_err());
        assert!(Encoding::new(2, &[1, 2, 3], 0).is_err());
        assert!(Encoding::new(2, &[], 3).is_err());
        assert!(Encoding::new(2, &[], 0).is_err());
        assert!(Encoding::new(1, &vec![0; MAX_FREQUENCIES + 1], 0).is_err());
        assert!(Encoding::new(17, &[], 17).is_err());
    }
}
