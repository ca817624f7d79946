//! Spectral bias, equation 4: the training error along each eigenvector of the kernel decays as `e^(-λ t)`, so that
//! directions of small eigenvalue, with raw coordinates those of high frequency, are learned last or never.
//!
//! Time is learning rate times steps, for the loss ½ Σ (f - y)², as in [`dynamics`](super::dynamics).

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::TheoryError;
use super::error::{check_finite, check_rows};
use super::linalg::SymmetricEigen;

/// The error `[n, c]` in the eigenbasis: component i is that along eigenvector i. Measured errors of a network in
/// training go through this as well as predicted ones.
///
/// # Errors
/// An error array that is not finite or has not n rows.
pub fn components(eigen: &SymmetricEigen, error: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
    check_finite("the error", error)?;
    check_rows("the error", error.nrows(), eigen.values.len(), "the eigenvectors")?;
    Ok(eigen.vectors.t().dot(&error))
}

/// Norm over the channels of each component, `[n]`.
#[must_use]
pub fn magnitudes(components: ArrayView2<'_, f64>) -> Vec<f64> {
    components.axis_iter(Axis(0)).map(|component| component.dot(&component).sqrt()).collect()
}

/// The time until `remaining` (a fraction of 1, such as 0.1) is left of the error along an eigenvector:
/// `-ln(remaining)/λ`, infinite for an eigenvalue of zero. Divided by the learning rate it is a number of steps.
#[must_use]
pub fn time_to_learn(eigenvalue: f64, remaining: f64) -> f64 {
    if eigenvalue > 0.0 { -remaining.ln() / eigenvalue } else { f64::INFINITY }
}

/// `(Σ λ)² / Σ λ²`: how many eigenvectors share the kernel's energy; 1 for a constant kernel, n for the identity.
#[must_use]
pub fn effective_rank(values: ArrayView1<'_, f64>) -> f64 {
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let scaled = values.mapv(|value| value / largest);
    scaled.sum().powi(2) / scaled.dot(&scaled)
}

/// The spectrum of a stationary kernel over one period, from its profile `k(0), k(h), …, k((n-1) h)`: entry f is the
/// eigenvalue of the waves with f cycles a period (`0 ≤ f ≤ n/2`), which are the eigenvectors of its circulant Gram
/// matrix.
///
/// # Errors
/// A profile that is empty or not finite.
pub fn stationary_spectrum(profile: ArrayView1<'_, f64>) -> Result<Vec<f64>, TheoryError> {
    check_finite("the kernel's profile", profile.insert_axis(Axis(0)))?;
    let mut spectrum: Vec<_> = profile.iter().map(|&value| Complex::new(value, 0.0)).collect();
    FftPlanner::new().plan_fft_forward(spectrum.len()).process(&mut spectrum);
    Ok(spectrum[..=spectrum.len() / 2].iter().map(|value| value.re).collect())
}

/// Whether a Gram matrix is that of a stationary kernel on evenly spaced points of one whole period: it depends only on
/// the difference of the indices modulo n, within 1e-9 of its first entry, and no two points are the same to it, as
/// they would be if they stood twice or went over several periods. Two points never tell.
#[must_use]
pub fn covers_one_period(gram: ArrayView2<'_, f64>) -> bool {
    let n = gram.nrows();
    let differs = |a: f64, b: f64| (a - b).abs() > 1e-9 * gram[[0, 0]].abs();
    n == gram.ncols()
        && n > 2
        && gram.indexed_iter().all(|((i, j), &value)| !differs(value, gram[[0, (j + n - i) % n]]))
        && gram.row(0).iter().skip(1).all(|&value| differs(value, gram[[0, 0]]))
}

/// The bandwidths of a stationary kernel, one in each domain.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bandwidth {
    /// width of the kernel's peak at half of its height above the profile's lowest value, in units of the spacing;
    /// none if it never falls that far
    pub full_width_half_maximum: Option<f64>,
    /// root mean square frequency of the spectrum's power-weighted waves, in cycles a period
    pub rms_frequency: f64,
}

/// Bandwidths from the profile over one period, as in [`stationary_spectrum`].
///
/// # Errors
/// A profile that is empty or not finite.
pub fn bandwidth(profile: ArrayView1<'_, f64>) -> Result<Bandwidth, TheoryError> {
    let spectrum = stationary_spectrum(profile)?;
    let half = profile.len() / 2;
    let lowest = profile.iter().copied().fold(f64::INFINITY, f64::min);
    let level = f64::midpoint(profile[0], lowest);
    let full_width_half_maximum = (1..=half).find(|&i| profile[i] <= level && profile[i] < profile[0]).map(|i| {
        let (before, after) = (profile[i - 1], profile[i]);
        2.0 * ((i - 1) as f64 + (before - level) / (before - after))
    });
    let (mut power, mut moment) = (0.0, 0.0);
    for (frequency, value) in spectrum.iter().enumerate() {
        // waves of both signs share a frequency, except the constant and the alternating one
        let twice = frequency != 0 && 2 * frequency != profile.len();
        let weight = value.max(0.0) * if twice { 2.0 } else { 1.0 };
        power += weight;
        moment += weight * (frequency as f64).powi(2);
    }
    let rms_frequency = if power > 0.0 { (moment / power).sqrt() } else { 0.0 };
    Ok(Bandwidth { full_width_half_maximum, rms_frequency })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use ndarray::{Array, Array1, array};

    use super::*;
    use crate::theory::dynamics::{Dynamics, Task, Training};
    use crate::theory::kernel::{FourierFeatures, Kernel};
    use crate::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel};

    fn circle(n: usize) -> Array2<f64> {
        Array::from_shape_fn((n, 1), |(i, _)| i as f64 / n as f64)
    }

    fn fourier(amplitude_power: i32) -> FourierFeatures {
        let frequencies = Array::linspace(1.0, 16.0, 16);
        let amplitudes = frequencies.mapv(|b: f64| b.powi(-amplitude_power));
        FourierFeatures::new(frequencies.insert_axis(Axis(1)), amplitudes, true).unwrap()
    }

    #[test]
    fn spectrum_of_the_fourier_kernel_is_its_squared_amplitudes() {
        let gram = fourier(1).gram(circle(64).view()).unwrap();
        let spectrum = stationary_spectrum(gram.row(0)).unwrap();
        let norm: f64 = (1..=16).map(|b| f64::from(b).powi(-2)).sum();
        for (frequency, value) in spectrum.iter().enumerate() {
            // a² cos has two waves of a²/2 each, on 64 points
            let expected = if (1..=16).contains(&frequency) { 32.0 / (frequency as f64).powi(2) / norm } else { 0.0 };
            assert!((value - expected).abs() < 1e-12, "{frequency}: {value} against {expected}");
        }
        let eigen = Dynamics::new(gram.view()).unwrap();
        assert!((eigen.eigen().values[0] - spectrum[1]).abs() < 1e-11);
        assert!(covers_one_period(gram.view()) && !covers_one_period(gram.slice(ndarray::s![..60, ..60])));
        // The same points twice, and one point: no period is to be seen.
        let columns = ndarray::concatenate![Axis(1), gram, gram];
        let twice = ndarray::concatenate![Axis(0), columns, columns];
        assert!(!covers_one_period(twice.view()));
        assert!(
            !covers_one_period(gram.slice(ndarray::s![..1, ..1]))
                && !covers_one_period(gram.slice(ndarray::s![..2, ..2]))
        );
    }

    #[test]
    fn bandwidth_of_a_cosine_and_of_wider_spectra() {
        let cosine = Array1::from_shape_fn(240, |i| (TAU * i as f64 / 240.0).cos());
        let measured = bandwidth(cosine.view()).unwrap();
        assert!((measured.full_width_half_maximum.unwrap() - 120.0).abs() < 1e-9);
        assert!((measured.rms_frequency - 1.0).abs() < 1e-6);
        let frequencies: Vec<f64> = (0..3)
            .map(|power| bandwidth(fourier(power).gram(circle(64).view()).unwrap().row(0)).unwrap().rms_frequency)
            .collect();
        assert!(frequencies[0] > frequencies[1] && frequencies[1] > frequencies[2], "{frequencies:?}");
        assert_eq!(bandwidth(array![1.0, 1.0, 1.0].view()).unwrap().full_width_half_maximum, None);
    }

    #[test]
    fn errors_decay_mode_by_mode_at_the_predicted_rate() {
        let points = circle(32);
        let targets = points.mapv(|x: f64| (x * 9.0).sin() + x);
        let network = InfiniteMlpParams::default().check().unwrap();
        let kernel = NetworkKernel { features: Some(fourier(1)), network, covariance: Covariance::Ntk };
        let dynamics = Dynamics::new(kernel.gram(points.view()).unwrap().view()).unwrap();
        let (time, start) = (0.37, components(dynamics.eigen(), targets.view()).unwrap());
        let outputs = dynamics.train(Task::from_zero(targets.view()), Training::Flow { time }).unwrap();
        let error = components(dynamics.eigen(), (&targets - &outputs).view()).unwrap();
        for (i, &value) in dynamics.eigen().values.iter().enumerate() {
            assert!((error[[i, 0]] - start[[i, 0]] * (-value * time).exp()).abs() < 1e-13);
            let tenth = Training::Flow { time: time_to_learn(value, 0.1) };
            assert!((dynamics.decay(value, tenth).unwrap() - 0.1).abs() < 1e-14);
        }
        assert_eq!(time_to_learn(0.0, 0.1), f64::INFINITY);
        assert!((magnitudes(array![[3.0, 4.0]].view())[0] - 5.0).abs() < 1e-15);
    }

    #[test]
    fn raw_coordinates_have_a_spectrum_that_falls_orders_of_magnitude_faster() {
        let network = InfiniteMlpParams { bias_std: Some(0.5), ..Default::default() }.check().unwrap();
        let ratio = |features| {
            let kernel = NetworkKernel { features, network, covariance: Covariance::Ntk };
            let gram = kernel.gram(circle(32).mapv(|x| x - 0.5).view()).unwrap();
            let values = Dynamics::new(gram.view()).unwrap().eigen().values.clone();
            // the constant function, first with both, is no part of the claim
            values[31] / values[1]
        };
        let (none, mapped) = (ratio(None), ratio(Some(fourier(0))));
        assert!(none * 100.0 < mapped, "{none} against {mapped}");
    }

    #[test]
    fn effective_rank_counts_equal_eigenvalues() {
        assert!((effective_rank(array![2.0, 2.0, 2.0, 0.0].view()) - 3.0).abs() < 1e-15);
        assert_eq!(effective_rank(array![0.0].view()), 0.0);
    }
}
