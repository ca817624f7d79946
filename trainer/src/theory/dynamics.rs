//! Training as linear dynamics, equation 3: what a network of constant tangent kernel K outputs during training.
//!
//! For the loss ½ Σ (f - y)², summed over the points, gradient flow of time `t = learning rate · steps` gives
//!
//! - on the training points `f(t) = y + e^(-K t) (f(0) - y)`,
//! - on test points `f*(t) = f*(0) + K* K⁻¹ (I - e^(-K t)) (y - f(0))`,
//!
//! and k steps of gradient descent put `(I - η K)^k` in the place of `e^(-K t)`. A loss that is a mean over n points
//! has the learning rate η/n here. In the eigenbasis of K each mode moves alone, at any time for the same price, and
//! K⁻¹ never appears by itself: `(1 - e^(-λ t))/λ` tends to t where λ vanishes. Only the limit t → ∞ has to decide what
//! is zero; it takes eigenvalues up to `n · ε · λmax` for zero, and so do times beyond the reciprocal of that cut-off.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::TheoryError;
use super::error::{check_columns, check_finite, check_rows};
use super::kernel::Kernel;
use super::linalg::{SymmetricEigen, cutoff, gram_eigen};
use super::memory::Workload;

/// How training goes, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Training {
    /// Gradient flow for this time: learning rate times steps.
    Flow {
        /// ≥ 0
        time: f64,
    },
    /// Plain gradient descent, full batch.
    Descent {
        /// η > 0
        learning_rate: f64,
        /// k
        steps: u64,
    },
    /// The limit of infinite time: kernel regression from the initial outputs.
    Converged,
}

/// What a learning rate does to gradient descent on this kernel.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Stability {
    /// largest eigenvalue λmax
    pub largest_eigenvalue: f64,
    /// 2/λmax: descent diverges at rates beyond it
    pub learning_rate_limit: f64,
    /// whether the rate is within the limit
    pub stable: bool,
}

/// Outputs at the start of training, zero where not given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Initial<'a> {
    /// on the training points, `[n, c]`
    pub train: Option<ArrayView2<'a, f64>>,
    /// on the test points, `[m, c]`
    pub test: Option<ArrayView2<'a, f64>>,
}

impl Initial<'_> {
    /// The outputs on the training points, of the shape of `targets`.
    ///
    /// # Errors
    /// Outputs that are not finite or have another shape.
    pub fn train_or_zeros(&self, targets: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        let Some(start) = self.train else { return Ok(Array2::zeros(targets.raw_dim())) };
        check_finite("initial outputs", start)?;
        check_rows("initial outputs", start.nrows(), targets.nrows(), "the points")?;
        check_columns("initial outputs", start.ncols(), targets.ncols(), "the targets")?;
        Ok(start.to_owned())
    }

    /// Whether they and the targets fit `points` training points and `tests` test points, before any work.
    ///
    /// # Errors
    /// Outputs that are not finite, or outputs or targets of another shape.
    pub fn check(&self, targets: ArrayView2<'_, f64>, points: usize, tests: usize) -> Result<(), TheoryError> {
        check_rows("targets", targets.nrows(), points, "the points")?;
        self.train_or_zeros(targets)?;
        self.add_test(Array2::zeros((tests, targets.ncols())))?;
        Ok(())
    }

    /// What training adds to the outputs on the test points `[m, c]`, and those at its start.
    ///
    /// # Errors
    /// Outputs that are not finite or have another shape.
    pub fn add_test(&self, learned: Array2<f64>) -> Result<Array2<f64>, TheoryError> {
        let Some(start) = self.test else { return Ok(learned) };
        check_finite("initial test outputs", start)?;
        check_rows("initial test outputs", start.nrows(), learned.nrows(), "the test points")?;
        check_columns("initial test outputs", start.ncols(), learned.ncols(), "the targets")?;
        Ok(learned + start)
    }
}

/// What is learned: targets on the training points, from the outputs before training on.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// y, `[n, c]`
    pub targets: ArrayView2<'a, f64>,
    /// f(0) and f*(0)
    pub initial: Initial<'a>,
}

impl<'a> Task<'a> {
    /// Targets that are learned from outputs of zero on.
    #[must_use]
    pub fn from_zero(targets: ArrayView2<'a, f64>) -> Self {
        Self { targets, initial: Initial::default() }
    }
}

/// The dynamics of one kernel on one set of training points.
///
/// ```
/// use ndarray::array;
/// use trainer::theory::dynamics::{Dynamics, Task, Training};
///
/// let dynamics = Dynamics::new(array![[2.0]].view())?;
/// let outputs = dynamics.train(Task::from_zero(array![[1.0]].view()), Training::Flow { time: 0.5 })?;
/// assert!((outputs[[0, 0]] - (1.0 - (-1.0f64).exp())).abs() < 1e-15);
/// # Ok::<(), trainer::theory::TheoryError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamics {
    eigen: SymmetricEigen,
    cutoff: f64,
}

impl Dynamics {
    /// Decomposes the Gram matrix `[n, n]` of the training points.
    ///
    /// # Errors
    /// A matrix that is empty, not square, not finite, not positive semi-definite or too large for the memory.
    pub fn new(gram: ArrayView2<'_, f64>) -> Result<Self, TheoryError> {
        let eigen = gram_eigen(gram)?;
        let cutoff = cutoff(gram.nrows(), eigen.values[0]);
        Ok(Self { eigen, cutoff })
    }

    /// The dynamics of a kernel on `points [n, d]`; what does not fit in the memory is refused before the first number
    /// is computed.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Kernel::gram`].
    pub fn of(kernel: &dyn Kernel, points: ArrayView2<'_, f64>) -> Result<Self, TheoryError> {
        Workload::MatrixAndEigen.check(points.nrows(), points.nrows())?;
        Self::new(kernel.gram(points)?.view())
    }

    /// The eigenvalues, largest first and none negative, and their eigenvectors.
    #[must_use]
    pub fn eigen(&self) -> &SymmetricEigen {
        &self.eigen
    }

    /// Eigenvalues up to this are taken for zero in the limit of infinite time.
    #[must_use]
    pub fn cutoff(&self) -> f64 {
        self.cutoff
    }

    /// Whether gradient descent at `learning_rate` is stable.
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] unless the rate is positive and finite.
    pub fn stability(&self, learning_rate: f64) -> Result<Stability, TheoryError> {
        check_training(Training::Descent { learning_rate, steps: 0 })?;
        let largest_eigenvalue = self.eigen.values[0];
        let learning_rate_limit = 2.0 / largest_eigenvalue;
        Ok(Stability { largest_eigenvalue, learning_rate_limit, stable: learning_rate <= learning_rate_limit })
    }

    /// The outputs `[n, c]` on the training points.
    ///
    /// # Errors
    /// Arrays that are empty, not finite or disagree, a time or learning rate out of range, or
    /// [`TheoryError::Diverged`].
    pub fn train(&self, task: Task<'_>, training: Training) -> Result<Array2<f64>, TheoryError> {
        let modes = self.modes(task)?;
        let decay =
            self.eigen.values.iter().map(|&value| self.decay(value, training)).collect::<Result<Array1<_>, _>>()?;
        let outputs = &task.targets - &self.eigen.vectors.dot(&(modes * decay.insert_axis(Axis(1))));
        self.finite(outputs, training)
    }

    /// The outputs `[m, c]` on test points, from their `cross [m, n]` kernel with the training points.
    ///
    /// # Errors
    /// As [`Self::train`].
    pub fn test(
        &self,
        cross: ArrayView2<'_, f64>,
        task: Task<'_>,
        training: Training,
    ) -> Result<Array2<f64>, TheoryError> {
        check_finite("the cross kernel", cross)?;
        check_columns("the cross kernel", cross.ncols(), self.eigen.values.len(), "the training points")?;
        self.test_modes(&cross.dot(&self.eigen.vectors), task, training)
    }

    /// As [`Self::test`], from `projected = cross · eigenvectors [m, n]`: for many times on the same test points.
    ///
    /// # Errors
    /// As [`Self::train`].
    pub fn test_modes(
        &self,
        projected: &Array2<f64>,
        task: Task<'_>,
        training: Training,
    ) -> Result<Array2<f64>, TheoryError> {
        check_columns("the projected kernel", projected.ncols(), self.eigen.values.len(), "the training points")?;
        let modes = self.modes(task)?;
        let gain =
            self.eigen.values.iter().map(|&value| self.gain(value, training)).collect::<Result<Array1<_>, _>>()?;
        let outputs = task.initial.add_test(projected.dot(&(modes * gain.insert_axis(Axis(1)))))?;
        self.finite(outputs, training)
    }

    /// `y - f(0)` in the eigenbasis, `[n, c]`.
    ///
    /// # Errors
    /// Arrays that are empty, not finite or disagree.
    pub fn modes(&self, task: Task<'_>) -> Result<Array2<f64>, TheoryError> {
        let Task { targets, initial } = task;
        check_finite("targets", targets)?;
        check_rows("targets", targets.nrows(), self.eigen.values.len(), "the points")?;
        Ok(self.eigen.vectors.t().dot(&(&targets - &initial.train_or_zeros(targets)?)))
    }

    /// What is left of an error along an eigenvector of this eigenvalue: `e^(-λ t)`, `(1 - η λ)^k` or 0; all of it, 1,
    /// where the eigenvalue is only rounding and the training long enough to learn along it nevertheless.
    ///
    /// # Errors
    /// A time or learning rate out of range.
    pub fn decay(&self, eigenvalue: f64, training: Training) -> Result<f64, TheoryError> {
        Ok(match check_training(training)? {
            _ if self.is_null(eigenvalue, training) => 1.0,
            Training::Flow { time } => (-eigenvalue * time).exp(),
            Training::Descent { learning_rate, steps } => power(learning_rate * eigenvalue, steps),
            Training::Converged => 0.0,
        })
    }

    /// `(1 - decay)/λ`, at λ = 0 its limit.
    fn gain(&self, eigenvalue: f64, training: Training) -> Result<f64, TheoryError> {
        Ok(match check_training(training)? {
            _ if self.is_null(eigenvalue, training) => 0.0,
            Training::Converged => eigenvalue.recip(),
            Training::Flow { time } if eigenvalue == 0.0 => time,
            Training::Flow { time } => -(-eigenvalue * time).exp_m1() / eigenvalue,
            Training::Descent { learning_rate, steps } if eigenvalue == 0.0 => learning_rate * steps as f64,
            Training::Descent { learning_rate, steps } if learning_rate * eigenvalue < 0.5 => {
                -(steps as f64 * (-learning_rate * eigenvalue).ln_1p()).exp_m1() / eigenvalue
            }
            Training::Descent { learning_rate, steps } => (1.0 - power(learning_rate * eigenvalue, steps)) / eigenvalue,
        })
    }

    /// Whether the eigenvalue is only rounding and the training long enough to learn along it nevertheless: both
    /// predictions leave such directions as they are.
    fn is_null(&self, eigenvalue: f64, training: Training) -> bool {
        let time = match training {
            Training::Flow { time } => time,
            Training::Descent { learning_rate, steps } => learning_rate * steps as f64,
            // A kernel of zeros has a cut-off of zero: no product of it with infinity.
            Training::Converged => return eigenvalue <= self.cutoff,
        };
        eigenvalue <= self.cutoff && time * self.cutoff >= 1.0
    }

    fn finite(&self, outputs: Array2<f64>, training: Training) -> Result<Array2<f64>, TheoryError> {
        match training {
            Training::Descent { learning_rate, steps } if outputs.iter().any(|value| !value.is_finite()) => {
                let limit = self.stability(learning_rate)?.learning_rate_limit;
                Err(TheoryError::Diverged { learning_rate, limit, steps })
            }
            _ => check_finite("the prediction", outputs.view()).map(|()| outputs),
        }
    }
}

/// The loss of the module, ½ Σ (outputs - targets)², summed over points and channels.
#[must_use]
pub fn half_squared_error(outputs: ArrayView2<'_, f64>, targets: ArrayView2<'_, f64>) -> f64 {
    0.5 * outputs.iter().zip(targets).map(|(output, target)| (output - target).powi(2)).sum::<f64>()
}

fn check_training(training: Training) -> Result<Training, TheoryError> {
    match training {
        Training::Flow { time } if !(time >= 0.0 && time.is_finite()) => {
            let requirement =
                "must be zero or positive, and finite; the limit of infinite time has an option of its own";
            Err(TheoryError::Parameter { name: "the time, learning rate times steps,", value: time, requirement })
        }
        Training::Descent { learning_rate, .. } if !(learning_rate > 0.0 && learning_rate.is_finite()) => {
            let requirement = "must be positive and finite";
            Err(TheoryError::Parameter { name: "learning-rate", value: learning_rate, requirement })
        }
        _ => Ok(training),
    }
}

/// `(1 - rate)^steps` for any number of steps, precise where the rate is near 0 or 2.
fn power(rate: f64, steps: u64) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    let ln_magnitude = if rate < 1.0 { (-rate).ln_1p() } else { (rate - 2.0).ln_1p() };
    let magnitude = (steps as f64 * ln_magnitude).exp();
    if rate > 1.0 && steps % 2 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::theory::kernel::Rbf;
    use crate::theory::regression::KernelRegression;

    fn problem() -> (Array2<f64>, Array2<f64>, Array2<f64>) {
        let points = array![[0.0], [0.3], [0.5], [0.9]];
        let kernel = Rbf::new(0.3).unwrap();
        let cross = kernel.cross(array![[0.1], [0.7]].view(), points.view()).unwrap();
        (kernel.gram(points.view()).unwrap(), cross, array![[1.0, 0.0], [-0.5, 0.2], [0.3, -1.0], [0.8, 0.4]])
    }

    fn gap(left: &Array2<f64>, right: &Array2<f64>) -> f64 {
        (left - right).iter().fold(0.0, |gap, value| value.abs().max(gap))
    }

    #[test]
    fn descent_is_what_iterating_it_gives() {
        let (gram, cross, targets) = problem();
        let (mut train, mut test) =
            (array![[0.1, 0.2], [0.0, 0.3], [-0.4, 0.0], [0.5, 0.5]], array![[0.7, 0.1], [0.0, -0.2]]);
        let (start, test_start) = (train.clone(), test.clone());
        // 2/λmax is about 1.2 here: the largest mode alternates
        let rate = 0.9;
        for _ in 0..7 {
            let error = &targets - &train;
            test += &(rate * cross.dot(&error));
            train += &(rate * gram.dot(&error));
        }
        let dynamics = Dynamics::new(gram.view()).unwrap();
        let training = Training::Descent { learning_rate: rate, steps: 7 };
        let initial = Initial { train: Some(start.view()), test: Some(test_start.view()) };
        assert!(gap(&dynamics.train(Task { targets: targets.view(), initial }, training).unwrap(), &train) < 1e-13);
        assert!(
            gap(&dynamics.test(cross.view(), Task { targets: targets.view(), initial }, training).unwrap(), &test)
                < 1e-13
        );
    }

    #[test]
    fn small_steps_approach_the_flow_at_first_order() {
        let (gram, cross, targets) = problem();
        let dynamics = Dynamics::new(gram.view()).unwrap();
        let test = |training| dynamics.test(cross.view(), Task::from_zero(targets.view()), training).unwrap();
        let flow = test(Training::Flow { time: 2.0 });
        let error = |steps| gap(&test(Training::Descent { learning_rate: 2.0 / steps as f64, steps }), &flow);
        assert!(error(20) > 1e-3);
        assert!((error(2000) / error(20_000) - 10.0).abs() < 0.1);
        assert!(error(1 << 40) < 1e-11);
    }

    #[test]
    fn infinite_time_is_kernel_regression_from_the_start() {
        let (gram, cross, targets) = problem();
        let dynamics = Dynamics::new(gram.view()).unwrap();
        let regression = KernelRegression::fit(gram.view(), targets.view(), 0.0).unwrap();
        let limit = dynamics.test(cross.view(), Task::from_zero(targets.view()), Training::Converged).unwrap();
        assert!(gap(&limit, &regression.predict(cross.view()).unwrap()) < 1e-12);
        let late = dynamics.test(cross.view(), Task::from_zero(targets.view()), Training::Flow { time: 1e12 }).unwrap();
        assert!(gap(&limit, &late) < 1e-12);
        assert!(gap(&dynamics.train(Task::from_zero(targets.view()), Training::Converged).unwrap(), &targets) < 1e-13);
    }

    #[test]
    fn duplicated_points_never_blow_up() {
        // the difference of the two targets lies in the null space: it is never learned and never amplified
        let gram = array![[1.0, 1.0], [1.0, 1.0]];
        let dynamics = Dynamics::new(gram.view()).unwrap();
        for training in [
            Training::Converged,
            Training::Flow { time: 1e30 },
            Training::Descent { learning_rate: 0.5, steps: u64::MAX },
        ] {
            let outputs = dynamics.test(gram.view(), Task::from_zero(array![[1.0], [3.0]].view()), training).unwrap();
            assert!(gap(&outputs, &array![[2.0], [2.0]]) < 1e-12, "{training:?}: {outputs}");
            let outputs = dynamics.train(Task::from_zero(array![[1.0], [3.0]].view()), training).unwrap();
            assert!(gap(&outputs, &array![[2.0], [2.0]]) < 1e-12, "{training:?}: {outputs}");
        }
    }

    #[test]
    fn a_kernel_of_zeros_learns_nothing_in_any_time() {
        let (gram, targets) = (Array2::zeros((2, 2)), array![[1.0], [3.0]]);
        let dynamics = Dynamics::new(gram.view()).unwrap();
        for training in [Training::Converged, Training::Flow { time: 1e30 }] {
            let train = dynamics.train(Task::from_zero(targets.view()), training).unwrap();
            let test = dynamics.test(gram.view(), Task::from_zero(targets.view()), training).unwrap();
            assert!(train.iter().chain(&test).all(|&output| output == 0.0), "{training:?}: {train} {test}");
        }
    }

    #[test]
    fn training_outputs_are_the_test_outputs_at_the_same_points() {
        // A point that stands twice among eight: its eigenvalue is rounding, not zero.
        let points = array![[0.0], [0.1], [0.25], [0.31], [0.31], [0.5], [0.77], [0.9]];
        let gram = Rbf::new(0.05).unwrap().gram(points.view()).unwrap();
        let targets = array![[0.3], [1.0], [-0.5], [1.0], [3.0], [0.2], [-1.0], [0.7]];
        let dynamics = Dynamics::new(gram.view()).unwrap();
        let smallest = dynamics.eigen().values[7];
        for training in [
            Training::Converged,
            Training::Flow { time: 1e30 },
            Training::Descent { learning_rate: 0.5, steps: u64::MAX },
            Training::Descent { learning_rate: 0.5, steps: 10 },
        ] {
            let train = dynamics.train(Task::from_zero(targets.view()), training).unwrap();
            let test = dynamics.test(gram.view(), Task::from_zero(targets.view()), training).unwrap();
            assert!(gap(&train, &test) < 1e-9, "{training:?}, smallest eigenvalue {smallest:e}: {train} {test}");
        }
    }

    #[test]
    fn learning_rates_beyond_the_limit_are_told() {
        let dynamics = Dynamics::new(array![[2.0]].view()).unwrap();
        assert!(dynamics.stability(1.0).unwrap().stable && !dynamics.stability(1.001).unwrap().stable);
        assert_eq!(dynamics.stability(1.0).unwrap().learning_rate_limit, 1.0);
        let diverge = |steps| {
            let training = Training::Descent { learning_rate: 1.5, steps };
            dynamics.train(Task::from_zero(array![[1.0]].view()), training)
        };
        assert!((diverge(3).unwrap()[[0, 0]] - 9.0).abs() < 1e-14);
        assert!(matches!(diverge(5000), Err(TheoryError::Diverged { .. })));
    }

    #[test]
    fn bad_times_are_refused() {
        let dynamics = Dynamics::new(array![[2.0]].view()).unwrap();
        for training in [
            Training::Flow { time: -1.0 },
            Training::Flow { time: f64::INFINITY },
            Training::Descent { learning_rate: 0.0, steps: 1 },
            Training::Descent { learning_rate: f64::NAN, steps: 1 },
        ] {
            assert!(dynamics.train(Task::from_zero(array![[1.0]].view()), training).is_err(), "{training:?}");
        }
    }
}
