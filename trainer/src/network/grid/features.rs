//! Grids whose coefficients are trained together with the network.

use super::Grid;
use crate::network::features::{FeatureGradient, Features, Rows, buffer_rows, filled_rows};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

/// The values of grids at any points, with the coefficients of all levels among the parameters of the network.
///
/// From step `round_from` on the network sees the coefficients as they will be stored, while the optimizer goes on
/// moving real numbers (the straight-through estimator, Bengio et al. 2013).
#[derive(Clone, Debug)]
pub(in crate::network) struct GridEncoder {
    grid: Grid,
    round_from: u64,
    /// The coefficients as they will be stored, where the network sees these.
    rounded: Option<Vec<f32>>,
}

impl GridEncoder {
    pub(in crate::network) fn new(grid: &Grid, round_from: u64) -> Self {
        Self { grid: grid.clone(), round_from, rounded: None }
    }

    pub(in crate::network) fn width(&self) -> usize {
        self.grid.shape().features()
    }

    /// Hears the number of a step and the coefficients that it begins with.
    pub(in crate::network) fn begin_step(&mut self, step: u64, parameters: &[f32]) {
        self.rounded = (step >= self.round_from).then(|| self.grid.with_coefficients(parameters).values());
    }

    /// Writes the features of points `[d]` (Q0.32), one row of `out` each.
    pub(in crate::network) fn encode<'p>(
        &self,
        points: impl Iterator<Item = &'p [u32]>,
        parameters: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
    ) {
        let (order, channels) = (self.grid.shape().order, usize::from(self.grid.shape().channels));
        let parameters = self.rounded.as_deref().unwrap_or(parameters);
        out.fill(0.0);
        for (mut out, point) in out.rows_mut().into_iter().zip(points) {
            let out = out.as_slice_mut().expect("a row");
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
    }

    /// Adds the gradient with respect to the coefficients to `into`, from that with respect to the features of points.
    pub(in crate::network) fn add_gradient<'p>(
        &self,
        points: impl Iterator<Item = &'p [u32]>,
        gradient: ArrayView2<'_, f32>,
        into: &mut [f32],
    ) {
        let (order, channels) = (self.grid.shape().order, usize::from(self.grid.shape().channels));
        for (point, gradient) in points.zip(gradient.rows()) {
            let gradient = gradient.to_slice().expect("a row");
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

    /// Where the coefficients of each level begin.
    fn starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.grid.levels().iter().scan(0, |start, level| {
            let begin = *start;
            *start += level.coefficients().len();
            Some(begin)
        })
    }
}

/// The values of grids at the points of a data set, with the coefficients among the parameters of the network. From a
/// step on it sees them as they will be stored.
#[derive(Clone, Debug)]
pub struct GridFeatures {
    encoder: GridEncoder,
    /// `[n, d]`, Q0.32.
    coordinates: Array2<u32>,
}

impl GridFeatures {
    /// Features of coordinates `[n, d]` (Q0.32) under grids of this shape, rounded from a step on.
    #[must_use]
    pub fn new(grid: &Grid, coordinates: Array2<u32>, round_from: u64) -> Self {
        Self { encoder: GridEncoder::new(grid, round_from), coordinates }
    }

    fn points<'a>(&'a self, rows: &'a Rows<'_>) -> impl Iterator<Item = &'a [u32]> {
        rows.iter().map(|index| self.coordinates.row(index).to_slice().expect("a row"))
    }
}

impl Features for GridFeatures {
    fn samples(&self) -> usize {
        self.coordinates.nrows()
    }

    fn width(&self) -> usize {
        self.encoder.width()
    }

    fn begin_step(&mut self, step: u64, parameters: &[f32]) {
        self.encoder.begin_step(step, parameters);
    }

    fn rows<'a>(&'a self, rows: &Rows<'_>, parameters: &[f32], buffer: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        self.encoder.encode(self.points(rows), parameters, buffer_rows(buffer, rows.len(), self.width()));
        filled_rows(buffer, rows.len(), self.width())
    }

    fn add_gradient(&self, of: &FeatureGradient<'_>, into: &mut [f32]) {
        self.encoder.add_gradient(self.points(of.rows), of.gradient, into);
    }
}
