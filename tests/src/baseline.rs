//! What a plain table of the same size gives: the competitor of every network on a grid.
//!
//! A `[rows, columns]` table of 8- or 16-bit samples spread over a `[height, width]` grid is read back by bilinear
//! interpolation, its corners on the grid's corners. The table is the best there is: the least-squares fit of the
//! interpolation, not a mere down-sampling, then rounded to its range.

use ndarray::{Array2, ArrayView2, Axis};

/// A fitted table, read back on the grid that it was fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct BilinearTable {
    /// Samples of the table: rows, columns.
    pub shape: (usize, usize),
    /// 8 or 16.
    pub bits: u32,
    /// Size in bytes: the samples alone.
    pub bytes: usize,
    /// What it gives at every grid point, `[height, width]`.
    pub values: Array2<f32>,
}

/// The best table of at most `bytes` bytes for a `[height, width]` grid: of the grid's proportions, with `bits` a sample.
///
/// # Panics
/// If the grid is empty or `bits` is neither 8 nor 16.
pub fn bilinear_table(grid: ArrayView2<'_, f32>, bytes: usize, bits: u32) -> BilinearTable {
    assert!(!grid.is_empty() && (bits == 8 || bits == 16));
    let (height, width) = grid.dim();
    let samples = (bytes / (bits as usize / 8)).max(1);
    let rows = ((samples as f64 * height as f64 / width as f64).sqrt().floor() as usize).clamp(1, height);
    let columns = (samples / rows).clamp(1, width);
    let (vertical, horizontal) = (interpolation(rows, height), interpolation(columns, width));
    // min ‖V·T·Hᵀ - G‖ is separable: T = V⁺·G·(H⁺)ᵀ.
    let half = least_squares(&vertical, &grid.mapv(f64::from));
    let table = least_squares(&horizontal, &half.t().to_owned()).t().to_owned();
    let (low, high) =
        table.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let step = ((high - low) / f64::from((1u32 << bits) - 1)).max(f64::MIN_POSITIVE);
    let stored = table.mapv(|value| low + ((value - low) / step).round() * step);
    let values = vertical.dot(&stored).dot(&horizontal.t()).mapv(|value| value as f32);
    BilinearTable { shape: (rows, columns), bits, bytes: rows * columns * bits as usize / 8, values }
}

/// The matrix `[points, samples]` that interpolates linearly, ends on ends.
fn interpolation(samples: usize, points: usize) -> Array2<f64> {
    let mut matrix = Array2::zeros((points, samples));
    for (p, mut row) in matrix.rows_mut().into_iter().enumerate() {
        let position = if points > 1 { (p * (samples - 1)) as f64 / (points - 1) as f64 } else { 0.0 };
        let left = (position.floor() as usize).min(samples.saturating_sub(2));
        let share = position - left as f64;
        row[left] += 1.0 - share;
        if left + 1 < samples {
            row[left + 1] += share;
        }
    }
    matrix
}

/// argmin ‖a·x - b‖ for every column of `b`; `a` has full column rank, AᵀA is tridiagonal and well conditioned.
fn least_squares(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let mut normal = a.t().dot(a);
    let mut right = a.t().dot(b);
    let n = normal.nrows();
    for i in 1..n {
        let factor = normal[[i, i - 1]] / normal[[i - 1, i - 1]];
        let above = normal[[i - 1, i]];
        normal[[i, i]] -= factor * above;
        let (done, mut rest) = right.view_mut().split_at(Axis(0), i);
        rest.row_mut(0).scaled_add(-factor, &done.row(i - 1));
    }
    for i in (0..n).rev() {
        if i + 1 < n {
            let factor = normal[[i, i + 1]];
            let (mut rest, done) = right.view_mut().split_at(Axis(0), i + 1);
            rest.row_mut(i).scaled_add(-factor, &done.row(0));
        }
        let pivot = normal[[i, i]];
        right.row_mut(i).mapv_inplace(|value| value / pivot);
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bilinear_surface_is_reproduced() {
        let grid =
            Array2::from_shape_fn((40, 60), |(y, x)| 3.0 + 0.5 * x as f32 - 0.25 * y as f32 + 0.01 * (x * y) as f32);
        let table = bilinear_table(grid.view(), 200, 16);
        assert!(table.bytes <= 200 && table.bytes > 150, "{table:?}");
        let worst = table.values.iter().zip(&grid).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "{worst}");
    }

    #[test]
    fn no_down_sampling_of_the_same_size_is_better() {
        let grid = Array2::from_shape_fn((64, 64), |(y, x)| ((x * x + 3 * y) as f32 * 0.05).sin());
        let table = bilinear_table(grid.view(), 2 * 16 * 16, 16);
        let squares = |values: &Array2<f32>| values.iter().zip(&grid).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let sampled = Array2::from_shape_fn((16, 16), |(r, c)| f64::from(grid[[r * 63 / 15, c * 63 / 15]]));
        let matrix = interpolation(16, 64);
        let naive = matrix.dot(&sampled).dot(&matrix.t()).mapv(|value| value as f32);
        assert_eq!(table.shape, (16, 16));
        assert!(squares(&table.values) < 0.9 * squares(&naive));
    }

    #[test]
    fn one_sample_is_the_mean() {
        let grid = Array2::from_shape_vec((2, 2), vec![1.0, 2.0, 3.0, 6.0]).unwrap();
        assert_eq!(bilinear_table(grid.view(), 1, 8).values, Array2::from_elem((2, 2), 3.0));
    }
}
