//! The training error along each eigenvector of the network's own tangent kernel, measured beside predicted (equation
//! 4).

use ndarray::Axis;
use serde::Serialize;

use crate::reproduce::error::ReproduceError;
use crate::reproduce::toy::{Problem, Run, main_frequency};
use crate::theory::dynamics::{Dynamics, Training};
use crate::theory::spectrum::components;

/// A rate is read where this much of the error is left, or as close to it as the run gets.
const READ_AT: f64 = 0.5;
/// Eigenvectors that hold less than this of the initial error, as a share of its norm, drown in what leaks from others.
const VISIBLE: f64 = 0.1;
/// Less decay than this says nothing about a rate.
const LEAST_DECAY: f64 = 0.2;

/// How the error along one eigenvector falls.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mode {
    /// From 1, the largest eigenvalue first.
    pub(super) index: usize,
    pub(super) eigenvalue: f64,
    /// Main frequency of the eigenvector, cycles over the signal.
    pub(super) cycles: usize,
    /// Norm of the initial error along it over the norm of the initial error; the squares of all add up to one.
    pub(super) share: f64,
    /// Component of the error over its initial value, at the run's steps.
    pub(super) measured: Vec<f64>,
    /// (1 - ηλ)^k
    pub(super) predicted: Vec<f64>,
    /// (step, measured eigenvalue): the one whose decay is that measured at this step; none where nothing is to be
    /// seen.
    pub(super) rate: Option<(u64, f64)>,
}

/// All eigenvectors of one run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Modes {
    pub(super) steps: Vec<u64>,
    pub(super) all: Vec<Mode>,
}

impl Modes {
    pub(super) fn new(problem: &Problem, run: &Run, dynamics: &Dynamics) -> Result<Self, ReproduceError> {
        let steps: Vec<u64> = run.measured.iter().map(|snapshot| snapshot.step).collect();
        let errors = run
            .measured
            .iter()
            .map(|snapshot| {
                let error = snapshot.train.view().insert_axis(Axis(1)).to_owned() - &problem.train_targets;
                Ok(components(dynamics.eigen(), error.view())?.column(0).to_owned())
            })
            .collect::<Result<Vec<_>, ReproduceError>>()?;
        let norm = errors[0].dot(&errors[0]).sqrt();
        let learning_rate = run.setting.learning_rate;
        let all = dynamics.eigen().values.iter().enumerate().map(|(i, &eigenvalue)| {
            let measured: Vec<f64> = errors.iter().map(|error| error[i] / errors[0][i]).collect();
            let predicted = steps
                .iter()
                .map(|&steps| dynamics.decay(eigenvalue, Training::Descent { learning_rate, steps }))
                .collect::<Result<Vec<_>, _>>()?;
            let share = errors[0][i].abs() / norm;
            let rate = if share >= VISIBLE { rate(&steps, &measured, &predicted, learning_rate) } else { None };
            let cycles = main_frequency(dynamics.eigen().vectors.column(i));
            Ok(Mode { index: i + 1, eigenvalue, cycles, share, measured, predicted, rate })
        });
        let all = all.collect::<Result<_, ReproduceError>>()?;
        Ok(Self { steps, all })
    }

    /// Largest |measured - predicted| of all eigenvectors and steps, in units of the norm of the initial error.
    pub(super) fn largest_gap(&self) -> f64 {
        let gap = |mode: &Mode| {
            let gaps = mode.measured.iter().zip(&mode.predicted).map(|(m, p)| (m - p).abs() * mode.share);
            gaps.fold(0.0, f64::max)
        };
        self.all.iter().map(gap).fold(0.0, f64::max)
    }

    /// (eigenvalue, measured rate) where there is one.
    pub(super) fn rates(&self) -> Vec<(f64, f64)> {
        self.all.iter().filter_map(|mode| Some((mode.eigenvalue, mode.rate?.1))).collect()
    }
}

/// Where the prediction is nearest to [`READ_AT`], the λ of which `(1 - ηλ)^k` is what was measured there.
fn rate(steps: &[u64], measured: &[f64], predicted: &[f64], learning_rate: f64) -> Option<(u64, f64)> {
    let distance = |k: &usize| (predicted[*k] - READ_AT).abs();
    let at = (1..steps.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    if predicted[at] > 1.0 - LEAST_DECAY || predicted[at] <= 0.0 || measured[at] <= 0.0 {
        return None;
    }
    let per_step = measured[at].powf(1.0 / steps[at] as f64);
    Some((steps[at], (1.0 - per_step) / learning_rate))
}
