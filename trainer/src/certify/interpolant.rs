//! The data's own interpolant: linear between the rows of a table of one input, multilinear on a grid.

use ndarray::Array2;

use super::error::CertifyError;
use super::parts::Parts;
use super::region::{Affine, MAX_AXES, Region};
use crate::data::Dataset;

/// The most values of an interpolant's grid, holes included.
const MOST: usize = 1 << 26;

/// A function that goes through every sample of a grid.
#[derive(Clone, Debug)]
pub(super) struct Interpolant {
    /// The positions along each axis, user units, rising.
    knots: Vec<Vec<f64>>,
    /// `[n_0, …, n_{d-1}, outputs]`, row-major.
    values: Vec<f64>,
    outputs: usize,
    /// The largest slope along each axis of each output: `[d, outputs]`.
    steepest: Vec<f64>,
}

impl Interpolant {
    /// The interpolant of samples that make a whole grid, in any order.
    ///
    /// # Errors
    ///
    /// If the samples do not make a whole grid, or two samples at one of its points have different values.
    pub(super) fn of(data: &Dataset) -> Result<Self, CertifyError> {
        let points: &Array2<f32> = &data.points;
        let knots: Vec<Vec<f64>> = points
            .columns()
            .into_iter()
            .map(|column| {
                let mut all: Vec<f32> = column.to_vec();
                all.sort_unstable_by(f32::total_cmp);
                all.dedup_by(|a, b| a == b);
                all.into_iter().map(f64::from).collect()
            })
            .collect();
        let len = knots.iter().try_fold(1usize, |len, axis| len.checked_mul(axis.len())).filter(|&len| len <= MOST);
        let axes: Vec<String> = knots.iter().map(|axis| axis.len().to_string()).collect();
        let no_grid = || CertifyError::NoGrid { samples: data.len(), grid: axes.join(" x ") };
        if len.is_none_or(|len| len > data.len()) {
            return Err(no_grid());
        }
        let outputs = data.outputs();
        let mut values = vec![f64::NAN; len.unwrap_or_default() * outputs];
        let mut conflicts = Vec::new();
        for (sample, (point, targets)) in points.outer_iter().zip(data.targets.outer_iter()).enumerate() {
            let index = point
                .iter()
                .zip(&knots)
                .fold(0, |index, (&x, axis)| index * axis.len() + axis.partition_point(|&knot| knot < f64::from(x)));
            let places = &mut values[index * outputs..][..outputs];
            let given = targets.iter().zip(&data.output_maps);
            let given = given.map(|(&target, map)| f64::from(map.offset) + f64::from(map.scale) * f64::from(target));
            if places[0].is_nan() {
                places.iter_mut().zip(given).for_each(|(place, value)| *place = value);
            } else if given.ne(places.iter().copied()) {
                conflicts.push((sample, point));
            }
        }
        if let Some(&(second, at)) = conflicts.first() {
            let first = points.outer_iter().position(|point| point == at).unwrap_or(second);
            return Err(CertifyError::Twice { samples: [first + 1, second + 1], pairs: conflicts.len() });
        }
        if values.iter().any(|value| value.is_nan()) {
            return Err(no_grid());
        }
        let mut made = Self { knots, values, outputs, steepest: Vec::new() };
        made.steepest = made.steepest();
        Ok(made)
    }

    fn steepest(&self) -> Vec<f64> {
        let mut steepest = vec![0.0f64; self.knots.len() * self.outputs];
        let mut stride = self.values.len();
        for (axis, knots) in self.knots.iter().enumerate() {
            stride /= knots.len();
            for index in 0..self.values.len() {
                let place = index / stride % knots.len();
                if place + 1 < knots.len() {
                    let rise = (self.values[index + stride] - self.values[index]).abs();
                    let slope = &mut steepest[axis * self.outputs + index % self.outputs];
                    *slope = slope.max(rise / (knots[place + 1] - knots[place]));
                }
            }
        }
        steepest
    }

    /// The first and the last position along an axis.
    pub(super) fn ends(&self, axis: usize) -> [f64; 2] {
        let knots = &self.knots[axis];
        [knots[0], knots[knots.len() - 1]]
    }

    /// The positions along an axis.
    pub(super) fn knots(&self, axis: usize) -> &[f64] {
        &self.knots[axis]
    }

    /// The value at a point within the grid, user units.
    pub(super) fn at(&self, point: &[f64], output: usize) -> f64 {
        let place = |axis: usize| {
            let knots = &self.knots[axis];
            let cell = knots.partition_point(|&knot| knot <= point[axis]).saturating_sub(1).min(knots.len().max(2) - 2);
            let t = match knots.get(cell + 1) {
                Some(next) => ((point[axis] - knots[cell]) / (next - knots[cell])).clamp(0.0, 1.0),
                None => 0.0,
            };
            (cell, t)
        };
        let places: Vec<(usize, f64)> = (0..point.len()).map(place).collect();
        self.mean(&places, 0, output)
    }

    /// The mean over the last axes, of which the places are given, behind the `index` of those before.
    fn mean(&self, places: &[(usize, f64)], index: usize, output: usize) -> f64 {
        let Some((&(cell, t), rest)) = places.split_first() else { return self.values[index * self.outputs + output] };
        let len = self.knots[self.knots.len() - places.len()].len();
        let next = |cell: usize| self.mean(rest, index * len + cell, output);
        let left = next(cell);
        if t == 0.0 { left } else { left + t * (next(cell + 1) - left) }
    }

    /// The values in a box within the grid, user units.
    pub(super) fn over(&self, parts: &Parts<'_>, region: &Region, output: usize) -> Affine {
        let mut places = Vec::new();
        let mut radius = 0.0;
        for (axis, knots) in self.knots.iter().enumerate() {
            let middle = parts.position(axis, region.center(axis)).0;
            let error = parts.position(axis, f64::from(region.upper[axis])).1;
            let half = region.half(axis) / 4_294_967_296.0 / f64::from(parts.axes[axis].scale);
            // A place that is off by the error, and beyond the cell by as much, where another slope is.
            radius += 3.0 * error * self.steepest[axis * self.outputs + output];
            let inside = |x: f64| x.clamp(knots[0], knots[knots.len() - 1]);
            let (from, to) = (inside(middle - half + error), inside(middle + half - error));
            let cell = |x: f64| knots.partition_point(|&knot| knot <= x).saturating_sub(1).min(knots.len().max(2) - 2);
            let first = cell(from);
            let last = if to <= knots[(first + 1).min(knots.len() - 1)] { first } else { cell(to) };
            let width = knots.get(first + 1).map_or(1.0, |next| next - knots[first]);
            let mut t = Affine { center: (middle - knots[first]) / width, ..Affine::default() };
            t.slopes[axis] = half / width;
            t.radius = 1e-14 * (middle.abs() / width + 1.0);
            if knots.len() == 1 {
                t = Affine::default();
            }
            places.push((first, last, t));
        }
        // Steep where the axis has one position only.
        let single = places.iter().all(|(first, last, _)| first == last);
        let value = if single {
            self.mean_over(&places, 0, output)
        } else {
            let [low, high] = self.range_over(&places, 0, output);
            Affine::between(low, high)
        };
        let magnitude = value.center.abs() + value.reach() + value.radius;
        value.shifted(0.0, radius + 1e-13 * magnitude)
    }

    fn mean_over(&self, places: &[(usize, usize, Affine)], index: usize, output: usize) -> Affine {
        let Some(((cell, _, t), rest)) = places.split_first() else {
            return Affine { center: self.values[index * self.outputs + output], ..Affine::default() };
        };
        let len = self.knots[self.knots.len() - places.len()].len();
        let left = self.mean_over(rest, index * len + cell, output);
        if len == 1 {
            return left;
        }
        let right = self.mean_over(rest, index * len + cell + 1, output);
        left.add(&t.times(&right.add(&left, -1.0)), 1.0)
    }

    /// The smallest and the largest value of the cells that are reached.
    fn range_over(&self, places: &[(usize, usize, Affine)], index: usize, output: usize) -> [f64; 2] {
        let Some((&(first, last, _), rest)) = places.split_first() else {
            return [self.values[index * self.outputs + output]; 2];
        };
        let len = self.knots[self.knots.len() - places.len()].len();
        let ranges = (first..=(last + 1).min(len - 1)).map(|cell| self.range_over(rest, index * len + cell, output));
        ranges.fold([f64::INFINITY, f64::NEG_INFINITY], |all, range| [all[0].min(range[0]), all[1].max(range[1])])
    }

    /// The part of the domain that lies within the grid, with the coordinates of positions that round into it.
    pub(super) fn domain(&self, parts: &Parts<'_>) -> Region {
        let mut domain = parts.domain();
        for axis in 0..self.knots.len().min(MAX_AXES) {
            let coordinate = |x: f64| {
                let axis = parts.axes[axis];
                ((x - f64::from(axis.minimum)) * f64::from(axis.scale) * 4_294_967_296.0).clamp(0.0, 4_294_967_295.0)
            };
            let [first, last] = self.ends(axis);
            domain.lower[axis] = domain.lower[axis].max((coordinate(first) * (1.0 - 2.5e-7)) as u32);
            domain.upper[axis] = domain.upper[axis].min((coordinate(last) * (1.0 + 2.5e-7) + 1.0) as u32);
            domain.lower[axis] = domain.lower[axis].min(domain.upper[axis]);
        }
        domain
    }
}
