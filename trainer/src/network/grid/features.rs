//! Grids whose coefficients are trained together with the network.

use super::{Grid, Level};
use crate::network::features::{FeatureGradient, Features, Rows, buffer_rows, filled_rows};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

/// Work on so many channels, compiled once for each usual number of them, with loops of a known length.
macro_rules! for_channels {
    ($channels:expr, |$known:ident| $work:expr) => {
        match usize::from($channels) {
            1 => for_channels!(@one 1, $known, $work),
            2 => for_channels!(@one 2, $known, $work),
            4 => for_channels!(@one 4, $known, $work),
            any => for_channels!(@one any, $known, $work),
        }
    };
    (@one $value:expr, $known:ident, $work:expr) => {{
        let $known = $value;
        $work
    }};
}

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
        self.rounded = (step >= self.round_from).then(|| self.grid.rounded(parameters));
    }

    /// Writes the features of points `[d]` (Q0.32), one row of `out` each.
    pub(in crate::network) fn encode<'p>(
        &self,
        points: impl Iterator<Item = &'p [u32]>,
        parameters: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
    ) {
        let parameters = self.rounded.as_deref().unwrap_or(parameters);
        out.fill(0.0);
        let rows = points.zip(out.as_slice_mut().expect("rows without gaps").chunks_exact_mut(self.width()));
        for_channels!(self.grid.shape().channels, |channels| self.add_values(channels, rows, parameters));
    }

    #[inline(always)]
    fn add_values<'p, 'o>(
        &self,
        channels: usize,
        rows: impl Iterator<Item = (&'p [u32], &'o mut [f32])>,
        parameters: &[f32],
    ) {
        let order = self.grid.shape().order;
        for (point, out) in rows {
            for ((level, start), out) in self.levels().zip(out.chunks_exact_mut(channels)) {
                level.visit_taps(point, order, |node, weight| {
                    let values = &parameters[start + node * channels..][..channels];
                    for (out, value) in out.iter_mut().zip(values) {
                        *out += weight * value;
                    }
                });
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
        let rows = points.zip(gradient.to_slice().expect("rows without gaps").chunks_exact(self.width()));
        for_channels!(self.grid.shape().channels, |channels| self.add_gradients(channels, rows, into));
    }

    #[inline(always)]
    fn add_gradients<'p, 'g>(
        &self,
        channels: usize,
        rows: impl Iterator<Item = (&'p [u32], &'g [f32])>,
        into: &mut [f32],
    ) {
        let order = self.grid.shape().order;
        for (point, gradient) in rows {
            for ((level, start), gradient) in self.levels().zip(gradient.chunks_exact(channels)) {
                level.visit_taps(point, order, |node, weight| {
                    let sums = &mut into[start + node * channels..][..channels];
                    for (sum, gradient) in sums.iter_mut().zip(gradient) {
                        *sum += weight * gradient;
                    }
                });
            }
        }
    }

    /// The levels, and where the coefficients of each begin.
    fn levels(&self) -> impl Iterator<Item = (&Level, usize)> {
        self.grid.levels().iter().scan(0, |start, level| {
            let begin = *start;
            *start += level.coefficients().len();
            Some((level, begin))
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
        let coordinates =
            if coordinates.is_standard_layout() { coordinates } else { coordinates.as_standard_layout().into_owned() };
        Self { encoder: GridEncoder::new(grid, round_from), coordinates }
    }

    fn points<'a>(&'a self, rows: &'a Rows<'_>) -> impl Iterator<Item = &'a [u32]> {
        let (inputs, all) = (self.coordinates.ncols(), self.coordinates.as_slice().expect("rows without gaps"));
        rows.iter().map(move |index| &all[index * inputs..][..inputs])
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
