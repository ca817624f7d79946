//! The normal equations of a table.

use crate::data::Dataset;
use crate::network::grid::Grid;

/// λ, relative to the mean diagonal of AᵀA.
const SMOOTHNESS: f64 = 1e-6;
/// Steps of conjugate gradients at most.
const STEPS: usize = 3000;
/// What is left of the residual when they end, relative to the right-hand side.
const TOLERANCE: f64 = 1e-9;

/// H = AᵀA + λDᵀD of one channel, as the non-zero columns of each row.
pub(super) struct Normal {
    /// Where the entries of each row begin, and the end of the last: `[nodes + 1]`.
    starts: Vec<usize>,
    /// The entries of all rows: column and value, columns in order.
    entries: Vec<(u32, f64)>,
    /// `[nodes]`.
    diagonal: Vec<f64>,
    /// The rows of A: nodes and weights of each sample.
    samples: Vec<(u32, f32)>,
    taps: usize,
}

impl Normal {
    /// The equations of the given samples of a data set.
    pub(super) fn new(grid: &Grid, dataset: &Dataset, samples: &[usize]) -> Self {
        let level = &grid.levels()[0];
        let order = grid.shape().order;
        let nodes: usize = level.nodes().iter().map(|&nodes| nodes as usize).product();
        let taps = (usize::from(order) + 1).pow(level.nodes().len() as u32);
        let mut rows = Vec::with_capacity(samples.len() * taps);
        let mut matrix = vec![std::collections::BTreeMap::<u32, f64>::new(); nodes];
        for &sample in samples {
            let point = dataset.coordinates.row(sample);
            let found = level.taps(point.to_slice().expect("a row"), order);
            for (node, weight) in found.iter() {
                rows.push((node as u32, weight));
                for (other, product) in found.iter() {
                    *matrix[node].entry(other as u32).or_default() += f64::from(weight) * f64::from(product);
                }
            }
        }
        let mean =
            matrix.iter().enumerate().filter_map(|(node, row)| row.get(&(node as u32))).sum::<f64>() / nodes as f64;
        for stencil in second_differences(grid) {
            for &(node, factor) in &stencil {
                for &(other, product) in &stencil {
                    *matrix[node as usize].entry(other).or_default() += SMOOTHNESS * mean * factor * product;
                }
            }
        }
        // A grid of too few nodes for a second difference.
        for (node, row) in matrix.iter_mut().enumerate() {
            *row.entry(node as u32).or_default() += 1e-12 * mean;
        }
        let diagonal = matrix.iter().enumerate().map(|(node, row)| row[&(node as u32)]).collect();
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for row in matrix {
            entries.extend(row);
            starts.push(entries.len());
        }
        Self { starts, entries, diagonal, samples: rows, taps }
    }

    /// The number of unknowns.
    pub(super) fn len(&self) -> usize {
        self.diagonal.len()
    }

    /// The diagonal of H.
    pub(super) fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// The entries of a row of H: column and value, the diagonal among them.
    pub(super) fn row(&self, node: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[node]..self.starts[node + 1]]
    }

    /// H·x.
    pub(super) fn apply(&self, x: &[f64]) -> Vec<f64> {
        let product = |node| self.row(node).iter().map(|&(column, value)| value * x[column as usize]).sum();
        (0..self.len()).map(product).collect()
    }

    /// Aᵀy.
    fn transposed(&self, targets: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        for (row, target) in self.samples.chunks_exact(self.taps).zip(targets) {
            for &(node, weight) in row {
                sums[node as usize] += f64::from(weight) * target;
            }
        }
        sums
    }

    /// The c that minimizes the squared error, by conjugate gradients with the diagonal as preconditioner.
    pub(super) fn solve(&self, targets: &[f64]) -> Vec<f64> {
        let right = self.transposed(targets);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let precondition = |r: &[f64]| -> Vec<f64> { r.iter().zip(&self.diagonal).map(|(r, d)| r / d).collect() };
        let mut x = vec![0.0; self.len()];
        let mut residual = right.clone();
        let mut z = precondition(&residual);
        let (mut direction, mut size) = (z.clone(), dot(&residual, &z));
        let wanted = TOLERANCE * TOLERANCE * size;
        for _ in 0..STEPS {
            if size <= wanted {
                break;
            }
            let product = self.apply(&direction);
            let length = size / dot(&direction, &product);
            x.iter_mut().zip(&direction).for_each(|(x, d)| *x += length * d);
            residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= length * p);
            z = precondition(&residual);
            let next = dot(&residual, &z);
            let factor = next / size;
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + factor * *d);
            size = next;
        }
        x
    }
}

/// The nodes and factors of every second difference along every axis.
fn second_differences(grid: &Grid) -> Vec<[(u32, f64); 3]> {
    let nodes = grid.levels()[0].nodes();
    let total: u32 = nodes.iter().product();
    let mut stencils = Vec::new();
    let mut stride = total;
    for (axis, &along) in nodes.iter().enumerate() {
        stride /= along;
        let is_periodic = grid.is_periodic(axis);
        for node in 0..total {
            let position = node / stride % along;
            if along < 3 || !is_periodic && position + 2 >= along {
                continue;
            }
            let at = |k: u32| node - position * stride + (position + k) % along * stride;
            stencils.push([(at(0), 1.0), (at(1), -2.0), (at(2), 1.0)]);
        }
    }
    stencils
}
