//! Training on the problem, measured as it goes.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{Problem, Setting, ToyMapping};
use crate::network::Mlp;
use crate::reproduce::error::ReproduceError;
use crate::reproduce::monitor::{FigureWatch, side_by_side};
use crate::training::loss::SquaredError;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::regression::{Batches, Regression};
use crate::training::{Ended, LoopParams, TrainState, Watch, train};

/// Steps that are logged, about.
const LOGGED: usize = 60;

/// Outputs after some number of updates, on the training and the test points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::reproduce) struct Snapshot {
    pub(in crate::reproduce) step: u64,
    pub(in crate::reproduce) train: Array1<f64>,
    pub(in crate::reproduce) test: Array1<f64>,
}

impl Snapshot {
    /// ½ Σ (f - y)² on the training points.
    pub(in crate::reproduce) fn train_loss(&self, problem: &Problem) -> f64 {
        0.5 * squares(&self.train, &problem.train_targets)
    }

    /// Mean of (f - y)² on the test points.
    pub(in crate::reproduce) fn test_error(&self, problem: &Problem) -> f64 {
        squares(&self.test, &problem.test_targets) / self.test.len() as f64
    }
}

pub(super) fn squares(outputs: &Array1<f64>, targets: &Array2<f64>) -> f64 {
    outputs.iter().zip(targets).map(|(output, target)| (output - target).powi(2)).sum()
}

/// A training run as it was measured, and what is needed to predict it.
#[derive(Clone, Debug)]
pub(in crate::reproduce) struct Run {
    pub(in crate::reproduce) setting: Setting,
    pub(in crate::reproduce) mapping: ToyMapping,
    /// At the logged steps, the start and the end included.
    pub(in crate::reproduce) measured: Vec<Snapshot>,
    /// The network before training.
    pub(super) start: Mlp<f32>,
}

/// 0, the last step, and about [`LOGGED`] between them at even ratios.
fn logged_steps(steps: u64) -> Vec<u64> {
    let ratio = (steps.max(1) as f64).ln() / LOGGED as f64;
    let mut logged: Vec<u64> = (0..=LOGGED).map(|k| (ratio * k as f64).exp().round() as u64).collect();
    logged.push(steps);
    logged.insert(0, 0);
    logged.retain(|&step| step <= steps);
    logged.dedup();
    logged
}

/// Trains one network on the problem.
pub(in crate::reproduce) fn run(
    problem: &Problem,
    mapping: ToyMapping,
    setting: Setting,
    monitor: &FigureWatch<'_>,
) -> Result<Run, ReproduceError> {
    let f32_inputs = |points: &Array2<f64>| Ok::<_, ReproduceError>(mapping.inputs(points.view())?.mapv(|x| x as f32));
    let train_inputs = f32_inputs(&problem.train_points)?;
    let start = setting.network(train_inputs.ncols());
    let logged = logged_steps(setting.steps);
    let what = (mapping, setting, problem.tests());
    let measured = monitor.part(setting.steps, what, || {
        let test_inputs = if problem.tests() { Some(f32_inputs(&problem.test_points)?) } else { None };
        let params = LoopParams {
            steps: setting.steps,
            learning_rate: setting.learning_rate,
            encoder_rate: 1.0,
            schedule: Schedule::Constant,
            optimizer: Optimizer::GradientDescent(setting.descent(start.shape())),
            row_limit: None,
        };
        let snapshot = |step, network: &Mlp<f32>| {
            let outputs = |inputs: &Array2<f32>| network.predict(inputs.view()).column(0).mapv(f64::from);
            let test = test_inputs.as_ref().map_or_else(|| Array1::zeros(0), outputs);
            Snapshot { step, train: outputs(&train_inputs), test }
        };
        let targets = problem.train_targets.mapv(|y| y as f32);
        let batches = Batches { size: None, seed: 0 };
        let mut objective = Regression::new(train_inputs.clone(), targets, SquaredError::HalfSum, batches);
        let mut state = TrainState::new(vec![start.clone()]);
        let mut measured = Vec::with_capacity(logged.len());
        let mut observe = |state: &TrainState, _loss: f64| {
            if logged.binary_search(&state.step).is_ok() {
                measured.push(snapshot(state.step, &state.networks[0]));
            }
            monitor.advance(1);
        };
        let mut watch = Watch { stop: Some(monitor.stop), observe: Some(&mut observe), ..Watch::default() };
        if train(&mut objective, &mut state, &params, &mut watch)? == Ended::Interrupted {
            return Err(ReproduceError::Interrupted);
        }
        measured.push(snapshot(state.step, &state.networks[0]));
        Ok(measured)
    })?;
    Ok(Run { setting, mapping, measured, start })
}

/// Trains the mappings side by side.
pub(in crate::reproduce) fn runs(
    problem: &Problem,
    mappings: &[ToyMapping],
    setting: Setting,
    monitor: &FigureWatch<'_>,
) -> Result<Vec<Run>, ReproduceError> {
    side_by_side(mappings, |&mapping| run(problem, mapping, setting, monitor))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::reproduce::Figure;
    use crate::reproduce::parts::Parts;
    use crate::reproduce::toy::MAPPINGS;

    #[test]
    fn a_training_is_kept_by_all_that_it_depends_on() {
        let (stop, out) = (AtomicBool::new(false), tempfile::tempdir().unwrap());
        let parts = Parts::of(Figure::Toy1d, out.path());
        let monitor = FigureWatch { parts: Some(&parts), ..FigureWatch::new(&stop, &|_| {}) };
        let problem = Problem::load();
        let setting = Setting { width: 8, steps: 4, ..Setting::published(1, 1) };
        let made = run(&problem, MAPPINGS[0], setting, &monitor).unwrap();
        // Whatever must be trained is interrupted.
        stop.store(true, Ordering::Relaxed);
        let kept = run(&problem, MAPPINGS[0], setting, &monitor).unwrap();
        assert_eq!((made.measured.len(), &made.measured), (5, &kept.measured));
        let other_seed = Setting { seed: 2, ..setting };
        for other in [
            run(&problem, MAPPINGS[1], setting, &monitor),
            run(&problem, MAPPINGS[0], other_seed, &monitor),
            run(&problem, MAPPINGS[0], Setting { steps: 5, ..setting }, &monitor),
            run(&Problem::load().training_only(), MAPPINGS[0], setting, &monitor),
        ] {
            assert!(matches!(other, Err(ReproduceError::Interrupted)), "{:?}", other.map(|run| run.measured));
        }
    }
}
