//! The encodings of the trainer as exact `f64` feature mappings of points in their own units, for the kernels.
//!
//! | mapping | rows of B, in cycles per unit | amplitudes |
//! | --- | --- | --- |
//! | none | the points themselves | |
//! | basic | the identity | 1 |
//! | positional | `scale^(j/m)` for j = 0 … m-1 on each axis | 1 |
//! | Gaussian | `scale · N(0, 1)` in every place | 1 |
//! | Fourier | 1 … m on each axis | `1/j^p`, p = ∞ keeps j = 1 only |
//!
//! Where frequencies are counted for all axes together, each axis gets an equal share.

use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::TheoryError;
use super::kernel::FourierFeatures;

/// More than any trained network takes, and little enough to hold.
const MAX_FREQUENCIES: usize = 1 << 20;

/// Which mapping, with its hyperparameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mapping {
    /// the points themselves
    None,
    /// one frequency of 1 on each axis
    Basic,
    /// log-linear frequencies on each axis
    Positional {
        /// frequencies in all
        frequencies: usize,
        /// the frequency that the series approaches
        scale: f64,
    },
    /// frequencies in random directions
    Gaussian {
        /// frequencies in all
        frequencies: usize,
        /// σ, their standard deviation along an axis
        scale: f64,
        /// of the draw
        seed: u64,
    },
    /// the harmonics of one period on each axis
    Fourier {
        /// frequencies in all
        frequencies: usize,
        /// p in `a_j = 1/j^p`; may be infinite
        amplitude_power: f64,
    },
}

impl Mapping {
    /// The mapping of points with `dims` coordinates; `normalize` gives γ norm 1. None for [`Mapping::None`].
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] for fewer frequencies than axes, a scale that is not positive, or a power that is NaN.
    pub fn features(self, dims: usize, normalize: bool) -> Result<Option<FourierFeatures>, TheoryError> {
        let (frequencies, amplitudes) = match self {
            Self::None => return Ok(None),
            Self::Basic => (Array2::eye(dims), Array1::ones(dims)),
            Self::Positional { frequencies, scale } => {
                let per_axis = per_axis(frequencies, dims)?;
                check_scale(scale)?;
                let rows = on_each_axis(per_axis, dims, |j| scale.powf(j as f64 / per_axis as f64));
                (rows, Array1::ones(per_axis * dims))
            }
            Self::Gaussian { frequencies, scale, seed } => {
                per_axis(frequencies, 1)?;
                check_scale(scale)?;
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let draw = || scale * Distribution::<f64>::sample(&StandardNormal, &mut rng);
                (Array2::from_shape_simple_fn((frequencies, dims), draw), Array1::ones(frequencies))
            }
            Self::Fourier { frequencies, amplitude_power } => {
                let per_axis = per_axis(frequencies, dims)?;
                if amplitude_power.is_nan() {
                    let requirement = "must be a number or inf";
                    return Err(TheoryError::Parameter {
                        name: "amplitude-power",
                        value: amplitude_power,
                        requirement,
                    });
                }
                let amplitude = |row: usize| ((row % per_axis + 1) as f64).powf(-amplitude_power);
                (on_each_axis(per_axis, dims, |j| (j + 1) as f64), (0..per_axis * dims).map(amplitude).collect())
            }
        };
        FourierFeatures::new(frequencies, amplitudes, normalize).map(Some)
    }
}

/// Rows `value(j)` for j = 0 … per_axis-1 along each axis in turn.
fn on_each_axis(per_axis: usize, dims: usize, value: impl Fn(usize) -> f64) -> Array2<f64> {
    let entry = |(row, axis)| if row / per_axis == axis { value(row % per_axis) } else { 0.0 };
    Array2::from_shape_fn((per_axis * dims, dims), entry)
}

fn per_axis(frequencies: usize, dims: usize) -> Result<usize, TheoryError> {
    if dims == 0 || frequencies < dims {
        let requirement = "at least one frequency for each axis is needed";
        return Err(TheoryError::Parameter { name: "frequencies", value: frequencies as f64, requirement });
    }
    if frequencies > MAX_FREQUENCIES {
        let requirement = "at most 1048576 are possible";
        return Err(TheoryError::Parameter { name: "frequencies", value: frequencies as f64, requirement });
    }
    Ok(frequencies / dims)
}

fn check_scale(scale: f64) -> Result<(), TheoryError> {
    if scale > 0.0 && scale.is_finite() {
        Ok(())
    } else {
        Err(TheoryError::Parameter { name: "scale", value: scale, requirement: "must be positive and finite" })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Axis, array};

    use super::*;
    use crate::theory::kernel::Kernel;

    #[test]
    fn infinite_power_keeps_one_harmonic_and_all_columns() {
        let features = Mapping::Fourier { frequencies: 16, amplitude_power: f64::INFINITY }.features(1, true).unwrap();
        let row = features.unwrap().features(array![[0.125]].view()).unwrap();
        assert_eq!(row.ncols(), 32);
        assert!((row[[0, 0]] - 0.5f64.sqrt()).abs() < 1e-15 && row.iter().filter(|value| **value != 0.0).count() == 2);
    }

    #[test]
    fn gaussian_frequencies_make_a_gaussian_kernel() {
        let mapping = Mapping::Gaussian { frequencies: 100_000, scale: 2.0, seed: 3 };
        let kernel = mapping.features(2, true).unwrap().unwrap();
        let cross = kernel.cross(array![[0.0, 0.0]].view(), array![[0.06, 0.08]].view()).unwrap();
        // E cos(2π σ N Δ) = exp(-2 (π σ Δ)²)
        let expected = (-2.0 * (std::f64::consts::PI * 2.0 * 0.1).powi(2)).exp();
        assert!((cross[[0, 0]] - expected).abs() < 0.01, "{} against {expected}", cross[[0, 0]]);
    }

    #[test]
    fn axes_share_the_frequencies() {
        let points = Array::from_shape_fn((1, 2), |(_, axis)| axis as f64 * 0.25);
        for mapping in [
            Mapping::Positional { frequencies: 8, scale: 16.0 },
            Mapping::Fourier { frequencies: 9, amplitude_power: 0.0 },
        ] {
            let features = mapping.features(2, false).unwrap().unwrap().features(points.view()).unwrap();
            assert_eq!(features.len_of(Axis(1)), 16);
            // the second axis, first frequency: a quarter turn
            assert!(features[[0, 4]].abs() < 1e-15 && (features[[0, 12]] - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn impossible_hyperparameters_are_refused() {
        assert!(Mapping::Fourier { frequencies: 1, amplitude_power: 1.0 }.features(2, true).is_err());
        assert!(Mapping::Fourier { frequencies: 4, amplitude_power: f64::NAN }.features(2, true).is_err());
        assert!(Mapping::Gaussian { frequencies: 4, scale: 0.0, seed: 0 }.features(1, true).is_err());
        assert!(Mapping::Gaussian { frequencies: 0, scale: 1.0, seed: 0 }.features(1, true).is_err());
        assert_eq!(Mapping::None.features(2, true).unwrap(), None);
    }
}
