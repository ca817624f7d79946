//! Fourier features whose frequencies are trained together with the network.

use super::encoding::Encoding;
use super::features::{FeatureGradient, Features, Rows, buffer_rows, filled_rows};
use super::vector_encoder::VectorEncoder;
use super::vectorized;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

/// γ(v) = \[a cos 2πBv, a sin 2πBv\] of any points, with B `[m, d]`, in cycles, among the parameters of the network.
///
/// Features are those of the device at every step: B is rounded to Q16.16 before it encodes. The gradient is that of
/// the exact phase, ∂γ/∂B = 2πv·\[-a sin, a cos\]; the rounding counts as the identity.
#[derive(Clone, Debug)]
pub(super) struct FrequencyEncoder {
    start: Encoding,
    /// The axes whose frequencies are trained.
    trained: Vec<bool>,
    /// What an integer feature is multiplied by, per column.
    factors: Vec<f32>,
}

impl FrequencyEncoder {
    pub(super) fn new(start: &Encoding, trained: Vec<bool>) -> Self {
        Self { factors: start.feature_factors(), start: start.clone(), trained }
    }

    pub(super) fn width(&self) -> usize {
        self.factors.len()
    }

    /// Writes the features of points `[d]` (Q0.32), one row of `out` each.
    pub(super) fn encode<'p>(
        &self,
        points: impl Iterator<Item = &'p [u32]>,
        parameters: &[f32],
        out: ArrayViewMut2<'_, f32>,
    ) {
        let encoding = self.start.with_frequencies(parameters);
        VectorEncoder::new(&encoding, &self.factors).encode_all(points, out);
    }

    /// Adds the gradient with respect to B to `into`, from that with respect to the features of points.
    pub(super) fn add_gradient<'p>(
        &self,
        points: impl Iterator<Item = &'p [u32]>,
        [features, gradient]: [ArrayView2<'_, f32>; 2],
        into: &mut [f32],
    ) {
        let (frequencies, inputs) = (self.start.amplitudes().len(), self.start.inputs());
        // By axis, so that the inner loops run over what lies side by side.
        let mut sums = vec![0.0; inputs * frequencies];
        let mut slopes = vec![0.0; frequencies];
        for ((point, features), gradient) in points.zip(features.rows()).zip(gradient.rows()) {
            let (features, gradient) = (features.to_slice().expect("a row"), gradient.to_slice().expect("a row"));
            let (cosines, rest) = features.split_at(frequencies);
            let (to_cosines, to_rest) = gradient.split_at(frequencies);
            let sines = &rest[..frequencies];
            vectorized(
                #[inline(always)]
                || {
                    let turned = cosines.iter().zip(to_rest).zip(sines.iter().zip(to_cosines));
                    for (slope, ((cosine, to_sine), (sine, to_cosine))) in slopes.iter_mut().zip(turned) {
                        *slope = cosine * to_sine - sine * to_cosine;
                    }
                    for (sums, &v) in sums.chunks_exact_mut(frequencies).zip(point) {
                        let v = v as f32 * (std::f32::consts::TAU / 4_294_967_296.0);
                        for (sum, slope) in sums.iter_mut().zip(&slopes) {
                            *sum += v * slope;
                        }
                    }
                },
            );
        }
        for (axis, sums) in sums.chunks_exact(frequencies).enumerate().filter(|&(axis, _)| self.trained[axis]) {
            for (frequency, sum) in sums.iter().enumerate() {
                into[frequency * inputs + axis] += sum;
            }
        }
    }
}

/// The Fourier features of the points of a data set, with B `[m, d]`, in cycles, among the parameters of the network.
#[derive(Clone, Debug)]
pub struct LearnedFrequencies {
    encoder: FrequencyEncoder,
    /// Coordinates `[n, d]`, Q0.32.
    coordinates: Array2<u32>,
}

impl LearnedFrequencies {
    /// Features of coordinates `[n, d]` (Q0.32), for training that starts from the frequencies of `start`. Those of an
    /// axis that is not `trained` stay as they are.
    #[must_use]
    pub fn new(start: &Encoding, coordinates: Array2<u32>, trained: Vec<bool>) -> Self {
        Self { encoder: FrequencyEncoder::new(start, trained), coordinates }
    }

    fn points<'a>(&'a self, rows: &'a Rows<'_>) -> impl Iterator<Item = &'a [u32]> {
        rows.iter().map(|index| self.coordinates.row(index).to_slice().expect("a row"))
    }
}

impl Features for LearnedFrequencies {
    fn samples(&self) -> usize {
        self.coordinates.nrows()
    }

    fn width(&self) -> usize {
        self.encoder.width()
    }

    fn rows<'a>(&'a self, rows: &Rows<'_>, parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        self.encoder.encode(self.points(rows), parameters, buffer_rows(buffer, rows.len(), self.width()));
        filled_rows(buffer, rows.len(), self.width())
    }

    fn add_gradient(&self, of: &FeatureGradient<'_>, into: &mut [f32]) {
        self.encoder.add_gradient(self.points(of.rows), [of.features, of.gradient], into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::encoding::EncodingParams;

    #[test]
    fn the_gradient_is_that_of_the_exact_features() {
        let params = EncodingParams { frequencies: 5, scale: 3.0, passthrough: 1, ..EncodingParams::default() };
        let encoding = params.check(3).unwrap();
        let coordinates =
            Array2::from_shape_fn((7, 3), |(i, j)| (3 * i as u32 + j as u32 + 1).wrapping_mul(2_654_435_761));
        let learned = LearnedFrequencies::new(&encoding, coordinates.clone(), vec![true, false, true]);
        let rows = Rows::Indices(&[4, 0, 6, 1]);
        let weight = |i: usize, j: usize| ((i * 11 + j * 7) % 5) as f32 - 2.0;
        let parameters = encoding.frequency_matrix().mapv(|b| b as f32);
        let mut buffer = Vec::new();
        let features = learned.rows(&rows, parameters.as_slice().unwrap(), &mut buffer);
        assert_eq!(features.row(0), encoding.features(coordinates.view()).row(4));
        let gradient = Array2::from_shape_fn((4, 11), |(i, j)| weight(i, j));
        let mut found = vec![0.0; 15];
        learned.add_gradient(&FeatureGradient { rows: &rows, features, gradient: gradient.view() }, &mut found);
        // The definition in f64, by differences.
        let loss = |b: &ndarray::Array2<f64>| -> f64 {
            let mut sum = 0.0;
            for (i, index) in rows.iter().enumerate() {
                for j in 0..5 {
                    let turns: f64 =
                        (0..3).map(|k| b[[j, k]] * f64::from(coordinates[[index, k]]) / 2f64.powi(32)).sum();
                    let (sin, cos) = (std::f64::consts::TAU * turns).sin_cos();
                    sum += f64::from(weight(i, j)) * cos + f64::from(weight(i, 5 + j)) * sin;
                }
            }
            sum
        };
        let b = encoding.frequency_matrix();
        for j in 0..5 {
            for k in 0..3 {
                let moved = |step: f64| {
                    let mut b = b.clone();
                    b[[j, k]] += step;
                    loss(&b)
                };
                let expected = if k == 1 { 0.0 } else { (moved(1e-5) - moved(-1e-5)) / 2e-5 };
                let found = f64::from(found[j * 3 + k]);
                assert!((found - expected).abs() < 1e-2, "{j} {k}: {found} {expected}");
            }
        }
    }
}
