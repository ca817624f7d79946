//! Kernel regression, equation 1: `f(v) = Σ_i (K⁻¹ y)_i k(v_i, v)`.

use ndarray::{Array2, ArrayView2};

use super::TheoryError;
use super::error::{check_columns, check_finite, check_rows};
use super::linalg::{Cholesky, cutoff, gram_eigen};

/// How the system was solved.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Solution {
    /// The Gram matrix is positive definite.
    Cholesky,
    /// It is singular, as with duplicated points: the pseudo-inverse, the least-squares fit of least norm.
    Eigen {
        /// eigenvalues up to this are taken for zero: `n · ε · λmax`
        cutoff: f64,
        /// eigenvalues above it
        rank: usize,
    },
}

/// A kernel regression fitted to targets.
///
/// ```
/// use ndarray::array;
/// use trainer::theory::{kernel::{Kernel, Rbf}, regression::KernelRegression};
///
/// let (kernel, points) = (Rbf::new(0.5)?, array![[0.0], [1.0]]);
/// let fitted = KernelRegression::fit(kernel.gram(points.view())?.view(), array![[2.0], [3.0]].view(), 0.0)?;
/// let outputs = fitted.predict(kernel.cross(points.view(), points.view())?.view())?;
/// assert!((outputs[[0, 0]] - 2.0).abs() < 1e-12);
/// # Ok::<(), trainer::theory::TheoryError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KernelRegression {
    coefficients: Array2<f64>,
    solution: Solution,
}

impl KernelRegression {
    /// Solves `(gram + ridge·I) · coefficients = targets` for `gram [n, n]` and `targets [n, c]`: by Cholesky, or by
    /// eigendecomposition if that finds the matrix singular within rounding.
    ///
    /// # Errors
    /// Arrays that are empty, not finite or disagree, a negative ridge, a matrix that is not positive semi-definite, or
    /// too little memory.
    pub fn fit(gram: ArrayView2<'_, f64>, targets: ArrayView2<'_, f64>, ridge: f64) -> Result<Self, TheoryError> {
        check_finite("targets", targets)?;
        check_rows("targets", targets.nrows(), gram.nrows(), "the Gram matrix")?;
        if !(ridge >= 0.0 && ridge.is_finite()) {
            let requirement = "must be zero or positive, and finite";
            return Err(TheoryError::Parameter { name: "ridge", value: ridge, requirement });
        }
        let mut regularized = gram.to_owned();
        regularized.diag_mut().mapv_inplace(|value| value + ridge);
        if let Some(factor) = Cholesky::new(regularized.view())? {
            return Ok(Self { coefficients: factor.solve(targets)?, solution: Solution::Cholesky });
        }
        let eigen = gram_eigen(regularized.view())?;
        let cutoff = cutoff(gram.nrows(), eigen.values[0]);
        let inverse = eigen.values.mapv(|value| if value > cutoff { value.recip() } else { 0.0 });
        let modes = eigen.vectors.t().dot(&targets) * inverse.insert_axis(ndarray::Axis(1));
        let rank = eigen.values.iter().filter(|&&value| value > cutoff).count();
        Ok(Self { coefficients: eigen.vectors.dot(&modes), solution: Solution::Eigen { cutoff, rank } })
    }

    /// Outputs `[m, c]` at test points, from their `cross [m, n]` kernel with the training points.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] if `cross` has not n columns.
    pub fn predict(&self, cross: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        check_columns("the cross kernel", cross.ncols(), self.coefficients.nrows(), "the training points")?;
        Ok(cross.dot(&self.coefficients))
    }

    /// `K⁻¹ y`, `[n, c]`.
    #[must_use]
    pub fn coefficients(&self) -> ArrayView2<'_, f64> {
        self.coefficients.view()
    }

    /// How the system was solved.
    #[must_use]
    pub fn solution(&self) -> Solution {
        self.solution
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;
    use crate::theory::kernel::{Kernel, Rbf};

    #[test]
    fn interpolates_and_matches_a_closed_form() {
        // two points, k = e^(-1/2) between them: the prediction halfway is 2 k(½) y / (1 + k) for equal targets
        let (kernel, points) = (Rbf::new(1.0).unwrap(), array![[0.0], [1.0]]);
        let fitted =
            KernelRegression::fit(kernel.gram(points.view()).unwrap().view(), array![[3.0], [3.0]].view(), 0.0)
                .unwrap();
        assert_eq!(fitted.solution(), Solution::Cholesky);
        let halfway = fitted.predict(kernel.cross(array![[0.5]].view(), points.view()).unwrap().view()).unwrap();
        let expected = 2.0 * (-0.125f64).exp() * 3.0 / (1.0 + (-0.5f64).exp());
        assert!((halfway[[0, 0]] - expected).abs() < 1e-14);
    }

    #[test]
    fn duplicated_points_fall_back_and_average() {
        let (kernel, points) = (Rbf::new(0.1).unwrap(), array![[0.0], [1.0], [0.0]]);
        let gram = kernel.gram(points.view()).unwrap();
        let fitted = KernelRegression::fit(gram.view(), array![[1.0], [5.0], [3.0]].view(), 0.0).unwrap();
        assert!(matches!(fitted.solution(), Solution::Eigen { rank: 2, .. }));
        let outputs = fitted.predict(gram.view()).unwrap();
        assert!((outputs[[0, 0]] - 2.0).abs() < 1e-12 && (outputs[[1, 0]] - 5.0).abs() < 1e-12);
    }

    #[test]
    fn smooth_kernels_on_close_points_fall_back_and_still_fit() {
        let points = Array::linspace(0.0, 1.0, 60).insert_axis(ndarray::Axis(1));
        let targets = points.mapv(|x: f64| (6.0 * x).sin());
        let gram = Rbf::new(0.5).unwrap().gram(points.view()).unwrap();
        let fitted = KernelRegression::fit(gram.view(), targets.view(), 0.0).unwrap();
        assert!(matches!(fitted.solution(), Solution::Eigen { rank, .. } if rank < 60));
        let gap = fitted.predict(gram.view()).unwrap() - targets;
        assert!(gap.iter().all(|gap| gap.abs() < 1e-6));
    }

    #[test]
    fn one_point_is_enough_and_nan_is_not() {
        let fitted = KernelRegression::fit(array![[2.0]].view(), array![[3.0]].view(), 0.0).unwrap();
        assert!((fitted.coefficients()[[0, 0]] - 1.5).abs() < 1e-15);
        assert!(KernelRegression::fit(array![[2.0]].view(), array![[f64::NAN]].view(), 0.0).is_err());
        assert!(KernelRegression::fit(array![[2.0]].view(), array![[1.0], [2.0]].view(), 0.0).is_err());
        assert!(KernelRegression::fit(array![[2.0]].view(), array![[1.0]].view(), -1.0).is_err());
    }
}
