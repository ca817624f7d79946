//! Muon: momentum, made orthogonal, for the weights of the inner layers.

use super::adam::Adam;
use crate::network::Shape;
use crate::network::matmul::{Accumulate, multiply_into};
use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

/// Muon (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon>) for the weight matrices of all layers but the
/// last, and Adam for the last layer, the biases and the encoding.
///
/// For a matrix with the gradient G: `M = βM + G`, `N = G + βM` (Nesterov's momentum), and `W -= r·η·O` where O is N
/// with all singular values moved near 1 by five Newton–Schulz steps, times √max(1, out/in).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Muon {
    /// β, the decay of the sum of gradients.
    pub momentum: f64,
    /// r: the learning rate of matrices as a multiple of that of all other parameters.
    pub matrix_rate: f64,
    /// What moves the other parameters.
    pub adam: Adam,
}

impl Default for Muon {
    fn default() -> Self {
        Self { momentum: 0.95, matrix_rate: 5.0, adam: Adam::default() }
    }
}

/// The layers whose weights Muon moves.
pub(super) fn matrices(shape: &Shape) -> std::ops::Range<usize> {
    0..shape.layers() - 1
}

/// The weights `[out, in]` of a layer, with all that belongs to them.
pub(super) struct MatrixStep<'a> {
    pub(super) parameters: &'a mut [f32],
    /// The decaying sum of gradients.
    pub(super) first: &'a mut [f32],
    pub(super) gradient: &'a [f32],
}

impl Muon {
    /// Moves the weights of one layer.
    pub(super) fn update(&self, rate: f64, dim: (usize, usize), step: MatrixStep<'_>) {
        let MatrixStep { parameters, first, gradient } = step;
        let beta = self.momentum as f32;
        let mut direction: Vec<f32> = first
            .iter_mut()
            .zip(gradient)
            .map(|(sum, &gradient)| {
                *sum = beta * *sum + gradient;
                gradient + beta * *sum
            })
            .collect();
        orthogonalize(&mut direction, dim);
        let growth = (dim.0 as f64 / dim.1 as f64).max(1.0).sqrt();
        let rate = (rate * self.matrix_rate * growth) as f32;
        for (parameter, direction) in parameters.iter_mut().zip(direction) {
            *parameter -= rate * direction;
        }
    }
}

/// Moves the singular values of a matrix `[rows, columns]` into about \[0.7, 1.2\], but for those that are zero.
fn orthogonalize(matrix: &mut [f32], (rows, columns): (usize, usize)) {
    // The quintic of the reference implementation: it lifts small singular values fastest.
    const COEFFICIENTS: [f32; 3] = [3.4445, -4.7750, 2.0315];
    const STEPS: usize = 5;
    let norm = matrix.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let factor = 1.0 / (norm + 1e-30) as f32;
    matrix.iter_mut().for_each(|x| *x *= factor);
    // Products are formed on the shorter side.
    let short = rows.min(columns);
    let (mut gram, mut square, mut product) =
        (vec![0.0; short * short], vec![0.0; short * short], vec![0.0; rows * columns]);
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..STEPS {
        let x = view(matrix, rows, columns);
        let wide = if rows <= columns { x } else { x.reversed_axes() };
        multiply_into(wide, wide.t(), Accumulate::Replace, view_mut(&mut gram, short, short));
        let g = view(&gram, short, short);
        multiply_into(g, g, Accumulate::Replace, view_mut(&mut square, short, short));
        for (square, gram) in square.iter_mut().zip(&gram) {
            *square = b * gram + c * *square;
        }
        let polynomial = view(&square, short, short);
        let into = view_mut(&mut product, rows, columns);
        let into = if rows <= columns { into } else { into.reversed_axes() };
        multiply_into(polynomial, wide, Accumulate::Replace, into);
        for (x, product) in matrix.iter_mut().zip(&product) {
            *x = a * *x + product;
        }
    }
}

fn view(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("the length fits the shape")
}

fn view_mut(values: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("the length fits the shape")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_direction_has_singular_values_near_one() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for dim in [(7, 7), (5, 12), (12, 5), (1, 9), (9, 1)] {
            let start: Vec<f32> = (0..dim.0 * dim.1).map(|_| rng.random_range(-1e-4..1e-4)).collect();
            let mut found = start.clone();
            orthogonalize(&mut found, dim);
            let matrix = faer::Mat::from_fn(dim.0, dim.1, |i, j| f64::from(found[i * dim.1 + j]));
            let values = matrix.singular_values().unwrap();
            assert!(values.iter().all(|value| (0.3..1.3).contains(value)), "{dim:?} {values:?}");
        }
        let mut zeros = vec![0.0; 6];
        orthogonalize(&mut zeros, (2, 3));
        assert_eq!(zeros, [0.0; 6]);
    }
}
