//! Filling kernel matrices by blocks of rows on all cores.

use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::TheoryError;
use super::memory::Workload;

/// Rows a task: small enough to balance the triangle between the cores, large enough for the matrix products inside.
const BLOCK_ROWS: usize = 32;

/// A matrix `[rows, columns]` whose blocks `f(first_row, block)` fills; the block covers whole rows.
///
/// # Errors
/// [`TheoryError::Memory`] if the matrix does not fit.
pub(super) fn rows(
    rows: usize,
    columns: usize,
    f: impl Fn(usize, ArrayViewMut2<'_, f64>) + Sync,
) -> Result<Array2<f64>, TheoryError> {
    Workload::Matrix.check(rows, columns)?;
    let mut matrix = Array2::zeros((rows, columns));
    matrix
        .axis_chunks_iter_mut(Axis(0), BLOCK_ROWS)
        .into_par_iter()
        .enumerate()
        .for_each(|(index, block)| f(index * BLOCK_ROWS, block));
    Ok(matrix)
}

/// A symmetric matrix `[n, n]`: `f(first, block)` fills the rows from `first` and the columns from `first` on; what
/// lies below the diagonal is mirrored, so that the result is symmetric to the last bit.
///
/// # Errors
/// [`TheoryError::Memory`] if the matrix does not fit.
pub(super) fn symmetric(
    n: usize,
    f: impl Fn(usize, ArrayViewMut2<'_, f64>) + Sync,
) -> Result<Array2<f64>, TheoryError> {
    let mut matrix = rows(n, n, |first, mut block| {
        f(first, block.slice_mut(s![.., first..]));
    })?;
    for first in (0..n).step_by(BLOCK_ROWS) {
        let last = (first + BLOCK_ROWS).min(n);
        for row in first..last {
            for column in first..row {
                matrix[[row, column]] = matrix[[column, row]];
            }
        }
        let (above, mut below) = matrix.view_mut().split_at(Axis(0), last);
        below.slice_mut(s![.., first..last]).assign(&above.slice(s![first..last, last..]).t());
    }
    Ok(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetric_fill_mirrors_the_upper_triangle() {
        let n = 2 * BLOCK_ROWS + 7;
        let entry = |i: usize, j: usize| (i.min(j) * 1000 + i.max(j)) as f64;
        let matrix = symmetric(n, |first, mut block| {
            for ((i, j), value) in block.indexed_iter_mut() {
                *value = entry(first + i, first + j);
            }
        })
        .unwrap();
        assert!(matrix.indexed_iter().all(|((i, j), &value)| value == entry(i, j)));
    }
}
