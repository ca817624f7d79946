//! Positive semi-definite kernels on points: the trait, the Gaussian (RBF) kernel and the Fourier kernel.
//!
//! A kernel turns points `[n, d]` and `[m, d]` into a matrix of covariances. The composed NTK is one too: see
//! [`ntk`](super::ntk).

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Zip, s};

use super::error::{check_columns, check_finite};
use super::memory::Workload;
use super::{TheoryError, fill};
use crate::network::encoding::{EncodingError, EncodingKind, EncodingParams};

/// Rows of B: more than any device takes, and little enough to hold.
const MAX_FREQUENCIES: usize = 1 << 20;

/// A positive semi-definite function of two points.
pub trait Kernel: Sync {
    /// The Gram matrix `[n, n]` of `points [n, d]`, symmetric to the last bit.
    ///
    /// # Errors
    /// Points that are empty, not finite, of the wrong dimension, or too many for the memory.
    fn gram(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError>;

    /// The matrix `[m, n]` of `k(left_i, right_j)` for `left [m, d]` and `right [n, d]`.
    ///
    /// # Errors
    /// As [`Kernel::gram`].
    fn cross(&self, left: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError>;
}

/// `exp(-|v1 - v2|² / (2 length²))`.
///
/// ```
/// use ndarray::array;
/// use trainer::theory::kernel::{Kernel, Rbf};
///
/// let gram = Rbf::new(1.0)?.gram(array![[0.0], [2.0]].view())?;
/// assert_eq!(gram[[0, 0]], 1.0);
/// assert!((gram[[0, 1]] - (-2.0f64).exp()).abs() < 1e-16);
/// # Ok::<(), trainer::theory::TheoryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rbf {
    length: f64,
}

impl Rbf {
    /// The kernel with standard deviation `length`, in the units of the points.
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] unless `length` is positive and finite.
    pub fn new(length: f64) -> Result<Self, TheoryError> {
        if length > 0.0 && length.is_finite() {
            Ok(Self { length })
        } else {
            Err(TheoryError::Parameter { name: "length", value: length, requirement: "must be positive and finite" })
        }
    }

    fn value(&self, left: ArrayView1<'_, f64>, right: ArrayView1<'_, f64>) -> f64 {
        let distance = left.iter().zip(right).map(|(a, b)| ((a - b) / self.length).powi(2)).sum::<f64>();
        (-0.5 * distance).exp()
    }
}

impl Kernel for Rbf {
    fn gram(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        check_finite("points", points)?;
        fill::symmetric(points.nrows(), |first, mut block| {
            for ((i, j), entry) in block.indexed_iter_mut() {
                *entry = self.value(points.row(first + i), points.row(first + j));
            }
        })
    }

    fn cross(&self, left: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        check_finite("points", right)?;
        check_finite("test points", left)?;
        check_columns("test points", left.ncols(), right.ncols(), "the points")?;
        fill::rows(left.nrows(), right.nrows(), |first, mut block| {
            for ((i, j), entry) in block.indexed_iter_mut() {
                *entry = self.value(left.row(first + i), right.row(j));
            }
        })
    }
}

/// The Fourier feature mapping `γ(v) = [a_j cos(2π b_j·v) | a_j sin(2π b_j·v)]`, exact in `f64`, and its kernel
/// `k_γ(v1, v2) = γ(v1)·γ(v2) = Σ_j a_j² cos(2π b_j·(v1 - v2))`.
#[derive(Debug, Clone, PartialEq)]
pub struct FourierFeatures {
    frequencies: Array2<f64>,
    amplitudes: Array1<f64>,
}

impl FourierFeatures {
    /// The mapping with `frequencies [m, d]` in cycles per unit and `amplitudes [m]`; `normalize` divides the
    /// amplitudes by their norm, so that γ has norm 1.
    ///
    /// # Errors
    /// Frequencies or amplitudes that are empty, not finite or differ in number, and amplitudes that are all zero.
    pub fn new(frequencies: Array2<f64>, amplitudes: Array1<f64>, normalize: bool) -> Result<Self, TheoryError> {
        check_finite("frequencies", frequencies.view())?;
        check_finite("amplitudes", amplitudes.view().insert_axis(ndarray::Axis(0)))?;
        check_columns("amplitudes", amplitudes.len(), frequencies.nrows(), "the frequencies")?;
        let norm = amplitudes.dot(&amplitudes).sqrt();
        if norm == 0.0 {
            let requirement = "at least one amplitude must differ from zero";
            return Err(TheoryError::Parameter { name: "amplitudes", value: 0.0, requirement });
        }
        let amplitudes = if normalize { amplitudes / norm } else { amplitudes };
        Ok(Self { frequencies, amplitudes })
    }

    /// The mapping of an encoding for points with `dims` coordinates, frequencies in cycles per unit of the points and
    /// not rounded to what a device stores; none for [`EncodingKind::None`], behind which a network sees the points
    /// themselves.
    ///
    /// # Errors
    /// [`TheoryError::Encoding`] for one that does not exist, or that passes coordinates through.
    pub fn of(encoding: &EncodingParams, dims: usize) -> Result<Option<Self>, TheoryError> {
        if encoding.passthrough > 0 {
            return Err(EncodingError::Passthrough { passthrough: encoding.passthrough, inputs: dims }.into());
        }
        let (frequencies, amplitudes) = encoding.rows(dims, MAX_FREQUENCIES)?;
        if encoding.kind == EncodingKind::None {
            return Ok(None);
        }
        Self::new(frequencies, amplitudes, encoding.normalize).map(Some)
    }

    /// γ of `points [n, d]`: `[n, 2m]`, the cosines first. Amplitudes of zero keep their columns, which count in the
    /// fan-in of a network.
    ///
    /// # Errors
    /// Points that are empty, not finite, of the wrong dimension, or too many for the memory.
    pub fn features(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        check_finite("points", points)?;
        check_columns("points", points.ncols(), self.frequencies.ncols(), "the frequencies")?;
        let m = self.amplitudes.len();
        // The phases and both halves of γ.
        Workload::Features.check(points.nrows(), 3 * m)?;
        let turns = points.dot(&self.frequencies.t());
        let mut features = Array2::zeros((points.nrows(), 2 * m));
        let (mut cosines, mut sines) = features.multi_slice_mut((s![.., ..m], s![.., m..]));
        let amplitudes = self.amplitudes.broadcast(turns.raw_dim()).expect("one amplitude a column");
        Zip::from(&mut cosines).and(&mut sines).and(&turns).and(amplitudes).for_each(
            |cosine, sine, &turns, &amplitude| {
                // whole turns go first: 2π is not exact, and its error grows with the phase
                let (sin, cos) = (TAU * (turns - turns.round())).sin_cos();
                (*cosine, *sine) = (amplitude * cos, amplitude * sin);
            },
        );
        Ok(features)
    }
}

impl Kernel for FourierFeatures {
    fn gram(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        let features = self.features(points)?;
        fill::symmetric(features.nrows(), |first, mut block| {
            let rows = features.slice(s![first..first + block.nrows(), ..]);
            ndarray::linalg::general_mat_mul(1.0, &rows, &features.slice(s![first.., ..]).t(), 0.0, &mut block);
        })
    }

    fn cross(&self, left: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        let (left, right) = (self.features(left)?, self.features(right)?);
        fill::rows(left.nrows(), right.nrows(), |first, mut block| {
            let rows = left.slice(s![first..first + block.nrows(), ..]);
            ndarray::linalg::general_mat_mul(1.0, &rows, &right.t(), 0.0, &mut block);
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn fourier_kernel_is_the_sum_of_cosines() {
        let frequencies = array![[1.0, 0.0], [2.5, -3.0], [0.0, 7.0]];
        let amplitudes = array![1.0, 0.5, 0.25];
        let kernel = FourierFeatures::new(frequencies.clone(), amplitudes.clone(), false).unwrap();
        let left = array![[0.1, 0.9], [0.33, -4.2]];
        let right = array![[0.5, 0.5], [12.0, 0.125], [0.1, 0.9]];
        let cross = kernel.cross(left.view(), right.view()).unwrap();
        for ((i, j), &value) in cross.indexed_iter() {
            let delta = &left.row(i) - &right.row(j);
            let expected: f64 =
                (0..3).map(|k| amplitudes[k].powi(2) * (TAU * frequencies.row(k).dot(&delta)).cos()).sum();
            assert!((value - expected).abs() < 1e-13, "{i}, {j}: {value} against {expected}");
        }
        let gram = kernel.gram(right.view()).unwrap();
        assert_eq!(gram, gram.t());
        assert!((gram[[0, 0]] - 1.3125).abs() < 1e-15);
    }

    #[test]
    fn normalized_features_have_unit_norm() {
        let kernel = FourierFeatures::new(array![[1.0], [2.0], [3.0]], array![1.0, 0.5, 0.0], true).unwrap();
        let features = kernel.features(array![[0.3]].view()).unwrap();
        assert_eq!(features.ncols(), 6);
        assert!((features.row(0).dot(&features.row(0)) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn infinite_power_keeps_one_harmonic_and_all_columns() {
        let params = EncodingParams {
            kind: EncodingKind::Fourier,
            frequencies: 16,
            amplitude_power: f64::INFINITY,
            normalize: true,
            ..EncodingParams::default()
        };
        let row = FourierFeatures::of(&params, 1).unwrap().unwrap().features(array![[0.125]].view()).unwrap();
        assert_eq!(row.ncols(), 32);
        assert!((row[[0, 0]] - 0.5f64.sqrt()).abs() < 1e-15 && row.iter().filter(|value| **value != 0.0).count() == 2);
    }

    #[test]
    fn gaussian_frequencies_are_those_of_training_and_make_a_gaussian_kernel() {
        let params = EncodingParams { frequencies: 1000, scale: 2.0, seed: 3, ..EncodingParams::default() };
        let trained = params.check(2).unwrap().frequency_matrix();
        let gap = &FourierFeatures::of(&params, 2).unwrap().unwrap().frequencies - trained;
        assert!(gap.iter().all(|gap| gap.abs() <= 0.5 / 65_536.0), "but for the device's rounding");
        let params = EncodingParams { frequencies: 100_000, normalize: true, ..params };
        let kernel = FourierFeatures::of(&params, 2).unwrap().unwrap();
        let cross = kernel.cross(array![[0.0, 0.0]].view(), array![[0.06, 0.08]].view()).unwrap();
        // E cos(2π σ N Δ) = exp(-2 (π σ Δ)²)
        let expected = (-2.0 * (std::f64::consts::PI * 2.0 * 0.1).powi(2)).exp();
        assert!((cross[[0, 0]] - expected).abs() < 0.01, "{} against {expected}", cross[[0, 0]]);
    }

    #[test]
    fn axes_share_the_frequencies_of_an_encoding() {
        let points = array![[0.0, 0.25]];
        for (kind, frequencies) in [(EncodingKind::Positional, 8), (EncodingKind::Fourier, 9)] {
            let params = EncodingParams { kind, frequencies, scale: 16.0, ..EncodingParams::default() };
            let features = FourierFeatures::of(&params, 2).unwrap().unwrap().features(points.view()).unwrap();
            assert_eq!(features.ncols(), 16);
            // the second axis, first frequency: a quarter turn
            assert!(features[[0, 4]].abs() < 1e-15 && (features[[0, 12]] - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn impossible_encodings_are_refused() {
        let of = |kind, frequencies, scale| {
            let params = EncodingParams { kind, frequencies, scale, ..EncodingParams::default() };
            FourierFeatures::of(&params, 2)
        };
        assert!(of(EncodingKind::Fourier, 1, 1.0).is_err() && of(EncodingKind::Gaussian, 0, 1.0).is_err());
        assert!(of(EncodingKind::Gaussian, 4, 0.0).is_err() && of(EncodingKind::Gaussian, usize::MAX, 1.0).is_err());
        assert_eq!(of(EncodingKind::None, 4, 1.0), Ok(None));
        assert!(FourierFeatures::of(&EncodingParams { passthrough: 1, ..EncodingParams::default() }, 2).is_err());
    }

    #[test]
    fn phases_stay_exact_far_from_the_origin() {
        let kernel = FourierFeatures::new(array![[3.0]], array![1.0], false).unwrap();
        let features = kernel.features(array![[1.0e9 + 0.25]].view()).unwrap();
        assert!(features[[0, 0]].abs() < 1e-15 && (features[[0, 1]] + 1.0).abs() < 1e-15);
    }

    #[test]
    fn rbf_cross_and_gram_agree() {
        let (kernel, points) = (Rbf::new(0.3).unwrap(), array![[0.0, 0.1], [0.4, 0.2], [0.0, 0.1]]);
        let gram = kernel.gram(points.view()).unwrap();
        assert_eq!(gram, kernel.cross(points.view(), points.view()).unwrap());
        assert_eq!(gram[[0, 2]], 1.0, "duplicates have covariance one");
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(Rbf::new(0.0).is_err() && Rbf::new(f64::NAN).is_err());
        assert!(FourierFeatures::new(array![[1.0]], array![1.0, 2.0], false).is_err());
        assert!(FourierFeatures::new(array![[1.0]], array![0.0], true).is_err());
        let kernel = FourierFeatures::new(array![[1.0]], array![1.0], false).unwrap();
        assert!(matches!(kernel.gram(array![[0.0, 1.0]].view()), Err(TheoryError::Shape { .. })));
        assert!(matches!(kernel.gram(array![[f64::INFINITY]].view()), Err(TheoryError::NotFinite { .. })));
        assert!(matches!(kernel.gram(Array2::zeros((0, 1)).view()), Err(TheoryError::Empty { .. })));
    }
}
