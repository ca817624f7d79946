//! Grids whose coefficients are trained together with the network.

use super::Grid;
use crate::network::features::{Features, Rows, buffer_rows, filled_rows};
use ndarray::{Array2, ArrayView2};

/// The values of grids at points, with the coefficients of all levels among the parameters of the network.
///
/// From step `round_from` on the network sees the coefficients as they will be stored, while the optimizer goes on
/// moving real numbers (the straight-through estimator, Bengio et al. 2013).
#[derive(Clone, Debug)]
pub struct GridFeatures {
    grid: Grid,
    /// `[n, d]`, Q0.32.
    coordinates: Array2<u32>,
    round_from: u64,
    /// The coefficients as they will be stored, where the network sees these.
    rounded: Option<Vec<f32>>,
}

impl GridFeatures {
    /// Features of coordinates `[n, d]` (Q0.32) under grids of this shape, rounded from a step on.
    #[must_use]
    pub fn new(grid: &Grid, coordinates: Array2<u32>, round_from: u64) -> Self {
        Self { grid: grid.clone(), coordinates, round_from, rounded: None }
    }

    /// Where the coefficients of each level begin.
    fn starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.grid.levels().iter().scan(0, |start, level| {
            let begin = *start;
            *start += level.coefficients().len();
            Some(begin)
        })
    }
}

impl Features for GridFeatures {
    fn samples(&self) -> usize {
        self.coordinates.nrows()
    }

    fn width(&self) -> usize {
        self.grid.shape().features()
    }

    fn begin_step(&mut self, step: u64, parameters: &[f32]) {
        self.rounded = (step >= self.round_from).then(|| self.grid.with_coefficients(parameters).values());
    }

    fn rows<'a>(&'a self, rows: &Rows<'_>, parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        let (order, channels) = (self.grid.shape().order, usize::from(self.grid.shape().channels));
        let parameters = self.rounded.as_deref().unwrap_or(parameters);
        let mut out = buffer_rows(buffer, rows.len(), self.width());
        out.fill(0.0);
        for (mut out, index) in out.rows_mut().into_iter().zip(rows.iter()) {
            let (out, point) = (out.as_slice_mut().expect("a row"), self.coordinates.row(index));
            let point = point.to_slice().expect("a row");
            let levels = self.grid.levels().iter().zip(self.starts()).zip(out.chunks_exact_mut(channels));
            for ((level, start), out) in levels {
                for (node, weight) in level.taps(point, order).iter() {
                    let values = &parameters[start + node * channels..][..channels];
                    for (out, value) in out.iter_mut().zip(values) {
                        *out += weight * value;
                    }
                }
            }
        }
        filled_rows(buffer, rows.len(), self.width())
    }

    fn add_gradient(
        &self,
        rows: &Rows<'_>,
        _features: ArrayView2<'_, f32>,
        gradient: ArrayView2<'_, f32>,
        into: &mut [f32],
    ) {
        let (order, channels) = (self.grid.shape().order, usize::from(self.grid.shape().channels));
        for (index, gradient) in rows.iter().zip(gradient.rows()) {
            let (point, gradient) = (self.coordinates.row(index), gradient.to_slice().expect("a row"));
            let point = point.to_slice().expect("a row");
            let levels = self.grid.levels().iter().zip(self.starts()).zip(gradient.chunks_exact(channels));
            for ((level, start), gradient) in levels {
                for (node, weight) in level.taps(point, order).iter() {
                    let sums = &mut into[start + node * channels..][..channels];
                    for (sum, gradient) in sums.iter_mut().zip(gradient) {
                        *sum += weight * gradient;
                    }
                }
            }
        }
    }
}
