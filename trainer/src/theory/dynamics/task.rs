//! What is learned: targets, from the outputs at the start of training on.

use ndarray::{Array2, ArrayView2};

use crate::theory::TheoryError;
use crate::theory::error::{check_columns, check_finite, check_rows};

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
