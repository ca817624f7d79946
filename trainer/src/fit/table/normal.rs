//! The normal equations of a table.

use crate::data::Dataset;
use crate::network::grid::Grid;

/// Steps of conjugate gradients at most.
const STEPS: usize = 3000;
/// What is left of the residual when they end, relative to the right-hand side.
const TOLERANCE: f64 = 1e-9;

/// AᵀA and DᵀD, as the non-zero columns of each row, and A.
pub(super) struct Equations {
    /// Where the entries of each row begin, and the end of the last: `[nodes + 1]`.
    starts: Vec<usize>,
    /// The entries of all rows: column, value in AᵀA and value in DᵀD; columns in order.
    entries: Vec<(u32, [f64; 2])>,
    /// The mean diagonal of AᵀA.
    mean: f64,
    /// The rows of A: nodes and weights of each sample.
    samples: Vec<(u32, f32)>,
    taps: usize,
}

/// H = AᵀA + λDᵀD of one channel.
pub(super) struct Normal<'a> {
    equations: &'a Equations,
    /// The entries of all rows: column and value, columns in order.
    entries: Vec<(u32, f64)>,
    /// `[nodes]`.
    diagonal: Vec<f64>,
}

impl Equations {
    /// The equations of the given samples of a data set.
    pub(super) fn new(grid: &Grid, dataset: &Dataset, samples: &[usize]) -> Self {
        let level = &grid.levels()[0];
        let order = grid.shape().order;
        let nodes: usize = level.nodes().iter().map(|&nodes| nodes as usize).product();
        let taps = (usize::from(order) + 1).pow(level.nodes().len() as u32);
        let mut rows = Vec::with_capacity(samples.len() * taps);
        let mut matrix = vec![std::collections::BTreeMap::<u32, [f64; 2]>::new(); nodes];
        for &sample in samples {
            let point = dataset.coordinates.row(sample);
            let first = rows.len();
            level.visit_taps(point.to_slice().expect("a row"), order, |node, weight| rows.push((node as u32, weight)));
            for &(node, weight) in &rows[first..] {
                for &(other, product) in &rows[first..] {
                    matrix[node as usize].entry(other).or_default()[0] += f64::from(weight) * f64::from(product);
                }
            }
        }
        let diagonal = matrix.iter().enumerate().filter_map(|(node, row)| row.get(&(node as u32)));
        let mean = diagonal.map(|[data, _]| data).sum::<f64>() / nodes as f64;
        for stencil in second_differences(grid) {
            for &(node, factor) in &stencil {
                for &(other, product) in &stencil {
                    matrix[node as usize].entry(other).or_default()[1] += factor * product;
                }
            }
        }
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for (node, mut row) in matrix.into_iter().enumerate() {
            // A grid of too few nodes for a second difference.
            row.entry(node as u32).or_default()[0] += 1e-12 * mean;
            entries.extend(row);
            starts.push(entries.len());
        }
        Self { starts, entries, mean, samples: rows, taps }
    }

    /// H for a λ that is `smoothness` times the mean diagonal of AᵀA.
    pub(super) fn smoothed(&self, smoothness: f64) -> Normal<'_> {
        let factor = smoothness * self.mean;
        let entries: Vec<_> =
            self.entries.iter().map(|&(column, [data, smooth])| (column, data + factor * smooth)).collect();
        let diagonal = self.starts.windows(2).enumerate().map(|(node, ends)| {
            let row = &entries[ends[0]..ends[1]];
            row.iter().find(|(column, _)| *column as usize == node).map_or(0.0, |(_, value)| *value)
        });
        Normal { diagonal: diagonal.collect(), entries, equations: self }
    }

    /// |Ac - y|².
    pub(super) fn squared_error(&self, coefficients: &[f64], targets: &[f64]) -> f64 {
        let error = |(row, target): (&[(u32, f32)], &f64)| {
            let value: f64 = row.iter().map(|&(node, weight)| f64::from(weight) * coefficients[node as usize]).sum();
            (value - target).powi(2)
        };
        self.samples.chunks_exact(self.taps).zip(targets).map(error).sum()
    }
}

impl Normal<'_> {
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
        &self.entries[self.equations.starts[node]..self.equations.starts[node + 1]]
    }

    /// H·x.
    pub(super) fn apply(&self, x: &[f64]) -> Vec<f64> {
        let product = |node| self.row(node).iter().map(|&(column, value)| value * x[column as usize]).sum();
        (0..self.len()).map(product).collect()
    }

    /// Aᵀy.
    fn transposed(&self, targets: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        for (row, target) in self.equations.samples.chunks_exact(self.equations.taps).zip(targets) {
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
