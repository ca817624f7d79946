//! The device's encoder for many points on a desktop: the same features, with the frequencies in the vector lanes.

use super::encoding::Encoding;
use super::vectorized;
use firmware_core::fixed::cos_sin;
use ndarray::ArrayViewMut2;

/// Frequencies are filled up with zeros to a multiple of this, so that vectors have no remainder.
const LANES: usize = 16;

/// B by axis, each number in two halves: `b·v >> 16` needs no products of 64 bits then.
pub(super) struct VectorEncoder<'a> {
    encoding: &'a Encoding,
    /// What an integer feature is multiplied by, per column.
    factors: &'a [f32],
    /// For each axis the whole cycles of all frequencies, two's complement.
    whole: Vec<u32>,
    /// For each axis the fractions of cycles of all frequencies, in 2⁻¹⁶.
    fraction: Vec<u32>,
    /// Frequencies with those that fill them up.
    padded: usize,
}

impl<'a> VectorEncoder<'a> {
    pub(super) fn new(encoding: &'a Encoding, factors: &'a [f32]) -> Self {
        let (frequencies, inputs) = (encoding.amplitudes().len(), encoding.inputs());
        let padded = frequencies.next_multiple_of(LANES).max(LANES);
        let (mut whole, mut fraction) = (vec![0; padded * inputs], vec![0; padded * inputs]);
        for (j, row) in encoding.frequencies().chunks_exact(inputs).enumerate() {
            for (axis, &b) in row.iter().enumerate() {
                (whole[axis * padded + j], fraction[axis * padded + j]) = ((b >> 16) as u32, b as u32 & 0xffff);
            }
        }
        Self { encoding, factors, whole, fraction, padded }
    }

    /// Writes the features of points `[d]` (Q0.32), times their factors, one row of `out` each.
    pub(super) fn encode_all<'p>(&self, points: impl Iterator<Item = &'p [u32]>, mut out: ArrayViewMut2<'_, f32>) {
        let mut scratch = vec![0; self.scratch_len()];
        vectorized(
            #[inline(always)]
            || {
                for (mut out, point) in out.rows_mut().into_iter().zip(points) {
                    self.encode(point, &mut scratch, out.as_slice_mut().expect("a row"));
                }
            },
        );
    }

    /// Words that [`Self::encode`] works in.
    fn scratch_len(&self) -> usize {
        3 * self.padded
    }

    /// Features of a point, times their factors.
    #[inline(always)]
    fn encode(&self, point: &[u32], scratch: &mut [i32], out: &mut [f32]) {
        let frequencies = self.encoding.amplitudes().len();
        let (phases, rest) = scratch.split_at_mut(self.padded);
        let (cosines, sines) = rest.split_at_mut(self.padded);
        phases.fill(0);
        let axes = self.whole.chunks_exact(self.padded).zip(self.fraction.chunks_exact(self.padded));
        for (&v, (whole, fraction)) in point.iter().zip(axes) {
            let (high, low) = (v >> 16, v & 0xffff);
            for ((phase, &whole), &fraction) in phases.iter_mut().zip(whole).zip(fraction) {
                let part = fraction.wrapping_mul(high).wrapping_add(fraction.wrapping_mul(low) >> 16);
                *phase = phase.wrapping_add(whole.wrapping_mul(v).wrapping_add(part) as i32);
            }
        }
        for ((cosine, sine), &phase) in cosines.iter_mut().zip(sines.iter_mut()).zip(&*phases) {
            (*cosine, *sine) = cos_sin(phase as u32);
        }
        let (to_cosines, to_rest) = out.split_at_mut(frequencies);
        let (to_sines, to_passed) = to_rest.split_at_mut(frequencies);
        let (of_cosines, of_rest) = self.factors.split_at(frequencies);
        let (of_sines, of_passed) = of_rest.split_at(frequencies);
        scale(cosines, of_cosines, to_cosines);
        scale(sines, of_sines, to_sines);
        let passed = point.iter().skip(point.len() - self.encoding.passthrough());
        for ((to, factor), &v) in to_passed.iter_mut().zip(of_passed).zip(passed) {
            *to = firmware_core::passed_through(v) as f32 * factor;
        }
    }
}

#[inline(always)]
fn scale(integers: &[i32], factors: &[f32], out: &mut [f32]) {
    for ((out, &integer), factor) in out.iter_mut().zip(integers).zip(factors) {
        *out = integer as f32 * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn features_are_those_of_the_device() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        for (inputs, frequencies, passthrough) in [(1, 1, 0), (2, 60, 0), (3, 33, 1), (4, 16, 4), (2, 0, 2)] {
            let b = (0..inputs * frequencies).map(|_| rng.random_range(-30 * 65_536..30 * 65_536)).collect();
            let amplitudes = (0..frequencies).map(|j| 1.0 / (1.0 + j as f32)).collect();
            let encoding = Encoding::from_parts(inputs, b, amplitudes, passthrough).unwrap();
            let factors = encoding.feature_factors();
            let encoder = VectorEncoder::new(&encoding, &factors);
            let extreme = [0, u32::MAX, 1 << 31, 0xffff, 1 << 16];
            let points = Array2::from_shape_fn((3000, inputs), |(n, _)| match extreme.get(n) {
                Some(&value) => value,
                None => rng.random(),
            });
            let mut found = Array2::from_elem((3000, encoding.features_len()), f32::NAN);
            encoder.encode_all(points.rows().into_iter().map(|row| row.to_slice().expect("a row")), found.view_mut());
            assert!(encoding.features(points.view()) == found, "{inputs} {frequencies}");
        }
    }
}
