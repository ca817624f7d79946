//! The two factorizations that the theory needs, of `faer`, between `ndarray` arrays.

use faer::linalg::solvers::{DenseSolveCore, Llt, SelfAdjointEigen, Solve};
use faer::{MatRef, Side};
use ndarray::{Array1, Array2, ArrayView2, CowArray, Ix2, ShapeBuilder};

use super::TheoryError;
use super::error::{check_columns, check_finite, check_rows};
use super::memory::Workload;

/// An eigenvalue of a Gram matrix below minus this, relative to the largest, is no rounding: the angle of two rows
/// that coincide is known to about 1e-8 at worst, and a factor of a thousand stands above that.
const INDEFINITE: f64 = 1e-5;

/// The eigenvalue below which an n x n Gram matrix says nothing about its null space: `n · ε · λmax`.
/// It is the cut-off wherever an inverse is needed.
#[must_use]
pub fn cutoff(n: usize, largest: f64) -> f64 {
    n as f64 * f64::EPSILON * largest
}

/// Eigenvalues and eigenvectors of a symmetric matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricEigen {
    /// eigenvalues `[n]`, the largest first
    pub values: Array1<f64>,
    /// orthonormal eigenvectors `[n, n]`, one a column, in the same order
    pub vectors: Array2<f64>,
}

/// Decomposes a symmetric matrix `[n, n]`; only its lower triangle is read.
///
/// # Errors
/// A matrix that is empty, not square, not finite, too large for the memory, or on which the iteration fails.
pub fn symmetric_eigen(matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen, TheoryError> {
    let n = check_square(matrix)?;
    Workload::Eigen.check(n, n)?;
    let eigen = SelfAdjointEigen::new(as_faer(&matrix.as_standard_layout()), Side::Lower)
        .map_err(|_| TheoryError::Eigen { n })?;
    let (values, vectors) = (eigen.S().column_vector(), eigen.U());
    Ok(SymmetricEigen {
        values: Array1::from_shape_fn(n, |k| values[n - 1 - k]),
        vectors: Array2::from_shape_fn((n, n).f(), |(row, k)| vectors[(row, n - 1 - k)]),
    })
}

/// As [`symmetric_eigen`], of a Gram matrix: eigenvalues that rounding made negative are set to zero.
///
/// # Errors
/// Also [`TheoryError::Indefinite`] if one is negative beyond rounding.
pub fn gram_eigen(gram: ArrayView2<'_, f64>) -> Result<SymmetricEigen, TheoryError> {
    let mut eigen = symmetric_eigen(gram)?;
    let (largest, smallest) = (eigen.values[0], eigen.values[eigen.values.len() - 1]);
    if smallest < -INDEFINITE * largest.abs() {
        return Err(TheoryError::Indefinite { smallest, largest });
    }
    eigen.values.mapv_inplace(|value| value.max(0.0));
    Ok(eigen)
}

/// The Cholesky factor of a positive definite matrix.
#[derive(Debug, Clone)]
pub struct Cholesky {
    factor: Llt<f64>,
}

impl Cholesky {
    /// Factors a symmetric matrix; `None` if it is not positive definite, or so nearly singular (smallest squared pivot
    /// within the [`cutoff`] of the largest) that a solution would be rounding.
    ///
    /// # Errors
    /// A matrix that is empty, not square, not finite or too large for the memory.
    pub fn new(matrix: ArrayView2<'_, f64>) -> Result<Option<Self>, TheoryError> {
        let n = check_square(matrix)?;
        Workload::Cholesky.check(n, n)?;
        let Ok(factor) = Llt::new(as_faer(&matrix.as_standard_layout()), Side::Lower) else {
            return Ok(None);
        };
        let pivots = || (0..n).map(|i| factor.L()[(i, i)].powi(2));
        let (smallest, largest) = (pivots().fold(f64::INFINITY, f64::min), pivots().fold(0.0, f64::max));
        if smallest <= cutoff(n, largest) || smallest.is_nan() {
            return Ok(None);
        }
        Ok(Some(Self { factor }))
    }

    /// The solution `[n, c]` of `matrix · x = right`.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] if `right` has not n rows.
    pub fn solve(&self, right: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        check_rows("the right-hand side", right.nrows(), self.factor.L().nrows(), "the Gram matrix")?;
        let mut x = faer::Mat::from_fn(right.nrows(), right.ncols(), |i, j| right[[i, j]]);
        self.factor.solve_in_place(x.as_mut());
        Ok(Array2::from_shape_fn(right.raw_dim(), |(i, j)| x[(i, j)]))
    }

    /// The diagonal `[n]` of the inverse.
    #[must_use]
    pub fn inverse_diagonal(&self) -> Vec<f64> {
        let inverse = self.factor.inverse();
        (0..inverse.nrows()).map(|i| inverse[(i, i)]).collect()
    }
}

fn check_square(matrix: ArrayView2<'_, f64>) -> Result<usize, TheoryError> {
    check_finite("the Gram matrix", matrix)?;
    check_columns("the Gram matrix", matrix.ncols(), matrix.nrows(), "its rows")?;
    Ok(matrix.nrows())
}

/// A view for faer; of symmetric matrices only, since rows and columns may be exchanged.
fn as_faer<'a>(matrix: &'a CowArray<'_, f64, Ix2>) -> MatRef<'a, f64> {
    let entries = matrix.as_slice().expect("as_standard_layout makes the entries contiguous");
    MatRef::from_row_major_slice(entries, matrix.nrows(), matrix.ncols())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn eigenvectors_rebuild_the_matrix_largest_first() {
        let matrix = array![[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 1.0]];
        let eigen = symmetric_eigen(matrix.view()).unwrap();
        let rebuilt = (&eigen.vectors * &eigen.values).dot(&eigen.vectors.t());
        assert!((&rebuilt - &matrix).iter().all(|gap| gap.abs() < 1e-14));
        assert!(eigen.values.windows(2).into_iter().all(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn cholesky_solves_and_refuses_what_is_singular() {
        let matrix = array![[4.0, 1.0], [1.0, 3.0]];
        let factor = Cholesky::new(matrix.view()).unwrap().unwrap();
        let x = factor.solve(array![[1.0], [2.0]].view()).unwrap();
        assert!((matrix.dot(&x) - array![[1.0], [2.0]]).iter().all(|gap| gap.abs() < 1e-15));
        assert!((factor.inverse_diagonal()[1] - 4.0 / 11.0).abs() < 1e-15);
        assert!(Cholesky::new(array![[1.0, 1.0], [1.0, 1.0]].view()).unwrap().is_none());
        assert!(Cholesky::new(array![[1.0, 2.0], [2.0, 1.0]].view()).unwrap().is_none());
    }

    #[test]
    fn bad_matrices_are_refused() {
        let nan = Cholesky::new(array![[f64::NAN]].view()).unwrap_err();
        assert!(matches!(nan, TheoryError::NotFinite { row: 0, column: 0, .. }));
        assert!(matches!(symmetric_eigen(array![[1.0, 2.0]].view()), Err(TheoryError::Shape { .. })));
        assert!(matches!(gram_eigen(array![[1.0, 2.0], [2.0, 1.0]].view()), Err(TheoryError::Indefinite { .. })));
    }
}
