//! The one-dimensional problem of the text: 32 samples of a random signal, seven mappings, and wide networks trained on
//! it by plain gradient descent, with the kernel's prediction of the same training.
//!
//! The loss is ½ Σ (f - y)² over the 32 training points i/32; the 224 other points of i/256 test. The signal has the
//! spectrum 1/(1 + k) below 64 cycles and lies in [-0.5, 0.5].
//!
//! While the learning rate stays well below 2/λmax, gradient descent follows gradient flow, and the flow knows only the
//! product of rate and steps: a rate ten times as large with a tenth of the steps is the same training. The quick
//! settings rest on this. It fails for the largest eigenvalue of the raw coordinate, 678 in the standard
//! parametrization: at 200 times the published rate its mode alternates in sign while it shrinks. The prediction is
//! that of descent at the rate in use.

mod predict;
mod run;
mod setting;

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use plotters::style::RGBColor;

pub(super) use self::predict::Predictor;
pub(super) use self::run::{Run, Snapshot, run, runs};
pub(super) use self::setting::{QUICK_SPEEDUP, Setting};
use super::error::ReproduceError;
use crate::data::npy;
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::report::style;
use crate::theory::kernel::FourierFeatures;

/// Samples of the signal over its period.
const SIGNAL: usize = 256;
/// Every eighth of them trains.
const SPACING: usize = 8;
/// Harmonics 1 … 16 of the mappings.
pub(super) const FREQUENCIES: usize = 16;
/// ReLU layers of every network here.
const HIDDEN_LAYERS: usize = 3;

/// What the network is fed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ToyMapping {
    /// The name of the mapping in legends.
    pub(super) name: &'static str,
    /// p of the amplitudes 1/j^p of harmonics 1 … 16; none: the coordinate itself, from the middle.
    pub(super) power: Option<f64>,
}

/// All seven, the raw coordinate last.
pub(super) const MAPPINGS: [ToyMapping; 7] = [
    ToyMapping { name: "p = 0", power: Some(0.0) },
    ToyMapping { name: "p = 0.5", power: Some(0.5) },
    ToyMapping { name: "p = 1", power: Some(1.0) },
    ToyMapping { name: "p = 1.5", power: Some(1.5) },
    ToyMapping { name: "p = 2", power: Some(2.0) },
    ToyMapping { name: "p = ∞", power: Some(f64::INFINITY) },
    ToyMapping { name: "no mapping", power: None },
];

impl ToyMapping {
    /// The features of unit norm, none for the coordinate itself. All 32 columns stay, those of amplitude zero too.
    pub(super) fn features(self) -> Result<Option<FourierFeatures>, ReproduceError> {
        let Some(amplitude_power) = self.power else { return Ok(None) };
        let (kind, frequencies) = (EncodingKind::Fourier, FREQUENCIES);
        let params =
            EncodingParams { kind, frequencies, amplitude_power, normalize: true, ..EncodingParams::default() };
        Ok(FourierFeatures::of(&params, 1)?)
    }

    /// The network's inputs `[n, f]` for points `[n, 1]`.
    pub(super) fn inputs(self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, ReproduceError> {
        Ok(match self.features()? {
            Some(features) => features.features(points)?,
            None => self.coordinates(points),
        })
    }

    /// Points as a kernel takes them: the raw coordinate counts from the middle, harmonics have no origin.
    pub(super) fn coordinates(self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        &points - if self.power.is_none() { 0.5 } else { 0.0 }
    }
}

/// Points and values; columns of length 32 and 224.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) train_points: Array2<f64>,
    pub(super) train_targets: Array2<f64>,
    pub(super) test_points: Array2<f64>,
    pub(super) test_targets: Array2<f64>,
}

impl Problem {
    /// The bundled signal.
    pub(super) fn load() -> Self {
        let signal =
            npy::read(include_bytes!("../../../testdata/ntk/target_256.npy")).expect("the bundled array is sound");
        let part = |train: bool| {
            let chosen = (0..SIGNAL).filter(move |i| i.is_multiple_of(SPACING) == train);
            let points: Vec<f64> = chosen.clone().map(|i| i as f64 / SIGNAL as f64).collect();
            let targets: Vec<f64> = chosen.map(|i| signal.values[i]).collect();
            (Array1::from(points).insert_axis(Axis(1)), Array1::from(targets).insert_axis(Axis(1)))
        };
        let ((train_points, train_targets), (test_points, test_targets)) = (part(true), part(false));
        Self { train_points, train_targets, test_points, test_targets }
    }

    /// The same without the test points, for what asks of the training points alone: evaluating 224 points at every
    /// logged step costs more than a short training does.
    pub(super) fn training_only(mut self) -> Self {
        self.test_points = Array2::zeros((0, 1));
        self.test_targets = Array2::zeros((0, 1));
        self
    }

    /// Whether there are test points.
    fn tests(&self) -> bool {
        !self.test_points.is_empty()
    }

    /// Values at the training and the test points merged into the order of the 256 samples, with their places.
    pub(super) fn curve(&self, train: ArrayView1<'_, f64>, test: ArrayView1<'_, f64>) -> Vec<(f64, f64)> {
        let pairs = |points: &Array2<f64>, values: ArrayView1<'_, f64>| {
            points.iter().copied().zip(values.iter().copied()).collect::<Vec<_>>()
        };
        let mut all = pairs(&self.train_points, train);
        all.extend(pairs(&self.test_points, test));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }
}

/// One colour for each mapping, that of the raw coordinate grey.
pub(super) fn color(index: usize) -> RGBColor {
    style::SERIES.get(index).copied().unwrap_or(RGBColor(110, 110, 110))
}

/// Amplitude of the wave of `frequency` cycles in an error on the 32 training points.
pub(super) fn wave(error: &Array1<f64>, frequency: usize) -> f64 {
    let n = error.len() as f64;
    let phase = |i: usize| TAU * (frequency * i) as f64 / n;
    let sum = |of: fn(f64) -> f64| error.iter().enumerate().map(|(i, e)| e * of(phase(i))).sum::<f64>();
    2.0 / n * sum(f64::cos).hypot(sum(f64::sin))
}

/// Cycles over evenly spaced points of the wave that holds the largest part of a vector's energy.
pub(super) fn main_frequency(vector: ArrayView1<'_, f64>) -> usize {
    let (vector, n) = (vector.to_owned(), vector.len());
    // The constant and the alternating wave have no partner of the other phase: half the energy at the same amplitude.
    let energy = |k: usize| wave(&vector, k).powi(2) * if k == 0 || 2 * k == n { 0.5 } else { 1.0 };
    (0..=n / 2).max_by(|&a, &b| energy(a).total_cmp(&energy(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eigenvector_has_the_frequency_of_its_largest_wave() {
        let sum = |low: f64, high: f64| {
            let at = |i: usize, k: f64| (TAU * k * i as f64 / 32.0 + 0.3).sin();
            main_frequency(Array1::from_shape_fn(32, |i| low * at(i, 2.0) + high * at(i, 7.0)).view())
        };
        assert_eq!([sum(1.0, 0.9), sum(0.9, 1.0)], [2, 7]);
        // Energy of the constant 0.8: 32 · 0.64 = 20.5; of the wave of amplitude 1: 32 / 2 = 16; of amplitude 1.2:
        // 23.04.
        let raised = |amplitude: f64| {
            main_frequency(Array1::from_shape_fn(32, |i| 0.8 + amplitude * (TAU * i as f64 / 32.0).cos()).view())
        };
        assert_eq!([raised(1.0), raised(1.2)], [0, 1]);
        assert_eq!(main_frequency(Array1::from_shape_fn(32, |i| if i % 2 == 0 { 1.0 } else { -1.0 }).view()), 16);
    }

    #[test]
    fn waves_are_measured_by_their_amplitude() {
        let error = Array1::from_shape_fn(32, |i| 0.3 * (TAU * 5.0 * i as f64 / 32.0 + 0.4).cos());
        assert!((wave(&error, 5) - 0.3).abs() < 1e-12 && wave(&error, 4) < 1e-12);
    }
}
