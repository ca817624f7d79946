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

mod task;
mod training;

use ndarray::{Array1, Array2, ArrayView2, Axis};

pub use task::{Initial, Task};
pub use training::Training;

use self::training::power;
use super::TheoryError;
use super::error::{check_columns, check_finite, check_rows};
use super::kernel::Kernel;
use super::linalg::{SymmetricEigen, cutoff, gram_eigen};
use super::memory::Workload;

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
        Training::Descent { learning_rate, steps: 0 }.checked()?;
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
        Ok(match training.checked()? {
            _ if self.is_null(eigenvalue, training) => 1.0,
            Training::Flow { time } => (-eigenvalue * time).exp(),
            Training::Descent { learning_rate, steps } => power(learning_rate * eigenvalue, steps),
            Training::Converged => 0.0,
        })
    }

    /// `(1 - decay)/λ`, at λ = 0 its limit.
    fn gain(&self, eigenvalue: f64, training: Training) -> Result<f64, TheoryError> {
        Ok(match training.checked()? {
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

#[cfg(test)]
mod tests;
