//! What kernels predict of a training, without it.

use ndarray::{Array1, Array2, Axis};

use super::run::squares;
use super::{Problem, Run, Setting, Snapshot};
use crate::reproduce::error::ReproduceError;
use crate::theory::dynamics::{Dynamics, Initial, Task, Training};
use crate::theory::empirical::EmpiricalNtk;
use crate::theory::kernel::Kernel;

/// Which kernel predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reproduce) enum Predictor {
    /// That of infinite width, in closed form.
    Infinite,
    /// That of the network itself before its first update.
    Own,
}

/// Gram matrix of the training points `[32, 32]` and cross matrix `[224, 32]` of the test points with them.
#[derive(Clone, Debug)]
pub(in crate::reproduce) struct Kernels {
    pub(in crate::reproduce) gram: Array2<f64>,
    cross: Array2<f64>,
}

impl Run {
    /// The kernel's prediction at the same steps, from the network's own initial outputs.
    pub(in crate::reproduce) fn predict(
        &self,
        problem: &Problem,
        predictor: Predictor,
    ) -> Result<Vec<Snapshot>, ReproduceError> {
        let kernels = self.kernels(problem, predictor)?;
        self.predict_by(problem, &Dynamics::new(kernels.gram.view())?, &kernels)
    }

    /// As [`Self::predict`], by kernels that are known and the dynamics of their Gram matrix.
    pub(in crate::reproduce) fn predict_by(
        &self,
        problem: &Problem,
        dynamics: &Dynamics,
        kernels: &Kernels,
    ) -> Result<Vec<Snapshot>, ReproduceError> {
        let projected = kernels.cross.dot(&dynamics.eigen().vectors);
        let start = &self.measured[0];
        let (train, test) = (start.train.view().insert_axis(Axis(1)), start.test.view().insert_axis(Axis(1)));
        let initial = Initial { train: Some(train), test: problem.tests().then_some(test) };
        let task = Task { targets: problem.train_targets.view(), initial };
        self.measured
            .iter()
            .map(|measured| {
                let learning_rate = self.setting.learning_rate;
                let training = Training::Descent { learning_rate, steps: measured.step };
                let column = |outputs: Array2<f64>| outputs.column(0).to_owned();
                Ok(Snapshot {
                    step: measured.step,
                    train: column(dynamics.train(task, training)?),
                    test: if problem.tests() {
                        column(dynamics.test_modes(&projected, task, training)?)
                    } else {
                        Array1::zeros(0)
                    },
                })
            })
            .collect()
    }

    /// The predictor's kernels on this problem.
    pub(in crate::reproduce) fn kernels(
        &self,
        problem: &Problem,
        predictor: Predictor,
    ) -> Result<Kernels, ReproduceError> {
        // Kernels are of at least one point.
        let none = || Array2::zeros((0, problem.train_points.nrows()));
        let tested = problem.tests();
        match predictor {
            Predictor::Infinite => {
                let kernel = self.setting.kernel(self.mapping)?;
                let [train, test] =
                    [&problem.train_points, &problem.test_points].map(|points| self.mapping.coordinates(points.view()));
                let cross = if tested { kernel.cross(test.view(), train.view())? } else { none() };
                Ok(Kernels { gram: kernel.gram(train.view())?, cross })
            }
            Predictor::Own => {
                let network = EmpiricalNtk::new(&self.start, &self.setting.descent(self.start.shape()).factors)?;
                let train = self.mapping.inputs(problem.train_points.view())?;
                let cross = if tested {
                    let test = self.mapping.inputs(problem.test_points.view())?;
                    network.cross(test.view(), train.view(), 0)?
                } else {
                    none()
                };
                Ok(Kernels { gram: network.gram(train.view(), 0)?, cross })
            }
        }
    }

    /// Mean square on the test points of what the kernel of infinite width predicts at `time` of gradient flow from
    /// outputs of zero, in the published setting: the theory alone, without any draw of weights.
    pub(in crate::reproduce) fn test_error_from_zero(
        &self,
        problem: &Problem,
        time: f64,
    ) -> Result<f64, ReproduceError> {
        let published = Self { setting: Setting::published(1, self.setting.seed), ..self.clone() };
        let kernels = published.kernels(problem, Predictor::Infinite)?;
        let dynamics = Dynamics::new(kernels.gram.view())?;
        let projected = kernels.cross.dot(&dynamics.eigen().vectors);
        let (targets, training) = (problem.train_targets.view(), Training::Flow { time });
        let outputs = dynamics.test_modes(&projected, Task::from_zero(targets), training)?.column(0).to_owned();
        Ok(squares(&outputs, &problem.test_targets) / outputs.len() as f64)
    }

    /// The largest `|measured - predicted training loss| / initial loss` over the logged steps.
    pub(in crate::reproduce) fn largest_gap(&self, problem: &Problem, predicted: &[Snapshot]) -> f64 {
        let initial = self.measured[0].train_loss(problem);
        let gap = |(measured, predicted): (&Snapshot, &Snapshot)| {
            (measured.train_loss(problem) - predicted.train_loss(problem)).abs() / initial
        };
        self.measured.iter().zip(predicted).map(gap).fold(0.0, f64::max)
    }
}
