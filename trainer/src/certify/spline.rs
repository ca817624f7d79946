//! The values of grids over a box of coordinates.

use super::arithmetic::Arithmetic;
use super::parts::{Level, Spline};
use super::region::{Affine, Region};

/// The cells of an axis that a box reaches, and the place within one.
struct Reach {
    /// The first and the last cell.
    cells: [u32; 2],
    /// The weights of the nodes of a cell, where there is only one.
    weights: Option<Vec<Affine>>,
}

impl Spline {
    /// The values `[levels · channels]`, as the device computes them: rounded features, or the sums of a table.
    pub(super) fn values(&self, region: &Region) -> Vec<Affine> {
        self.all(region, Arithmetic::Device)
    }

    /// The same without any rounding.
    pub(super) fn exact_values(&self, region: &Region) -> Vec<Affine> {
        self.all(region, Arithmetic::Exact)
    }

    fn all(&self, region: &Region, arithmetic: Arithmetic) -> Vec<Affine> {
        let mut values = Vec::new();
        for level in &self.levels {
            let reach: Vec<Reach> =
                (0..level.nodes.len()).map(|axis| self.reach((level, axis), region, arithmetic)).collect();
            for channel in 0..self.channels {
                let value = self.value((level, &reach), channel, arithmetic);
                values.push(if self.is_table {
                    value.times(&Affine { center: 32_768.0, ..Affine::default() })
                } else {
                    value
                });
            }
        }
        values
    }

    /// The ranges `[levels · channels]` of the derivative along an axis in exact arithmetic, by the coordinate.
    pub(super) fn slopes(&self, region: &Region, axis: usize) -> Vec<[f64; 2]> {
        let mut slopes = Vec::new();
        for level in &self.levels {
            let reach: Vec<Reach> =
                (0..level.nodes.len()).map(|axis| self.reach((level, axis), region, Arithmetic::Exact)).collect();
            // Differences of neighbours are the coefficients of the derivative; cells of 2^48 / (cells Q16.16).
            let unit = f64::from(level.cells[axis]) / 281_474_976_710_656.0;
            let unit = if self.is_table { 32_768.0 * unit } else { unit };
            for channel in 0..self.channels {
                let mut range = [f64::INFINITY, f64::NEG_INFINITY];
                self.each_node(level, &reach, |node| {
                    if node[axis] < reach[axis].cells[1] + self.order as u32 {
                        let mut next = node.to_vec();
                        next[axis] += 1;
                        let difference =
                            level.at(&next, channel, self.channels) - level.at(node, channel, self.channels);
                        range = [range[0].min(difference * unit), range[1].max(difference * unit)];
                    }
                });
                slopes.push(range);
            }
        }
        slopes
    }

    fn reach(&self, (level, axis): (&Level, usize), region: &Region, arithmetic: Arithmetic) -> Reach {
        let cells = level.cells[axis];
        let position = |v: u32| ((u64::from(v) * u64::from(cells)) >> 32) as u32;
        let ends = [position(region.lower[axis]), position(region.upper[axis])];
        let (first, last) = (ends[0] >> 16, ends[1] >> 16);
        if first != last {
            return Reach { cells: [first, last], weights: None };
        }
        let unit = f64::from(cells) / 281_474_976_710_656.0;
        let mut t = Affine { center: region.center(axis) * unit - f64::from(first), ..Affine::default() };
        t.slopes[axis] = region.half(axis) * unit;
        // Rounded down twice, to a multiple of 2^-15 in the end.
        let t = if arithmetic == Arithmetic::Exact {
            t
        } else if ends[0] >> 1 == ends[1] >> 1 {
            Affine { center: f64::from((ends[0] & 0xffff) >> 1) / 32_768.0, ..Affine::default() }
        } else {
            t.shifted(-1.0 / 65_536.0, 1.0 / 65_536.0)
        };
        let one = Affine { center: 1.0, ..Affine::default() };
        let left = one.add(&t, -1.0);
        let weights = if self.order == 1 {
            vec![left, t]
        } else {
            // Each rounded down to a multiple of 2^-15.
            let half = |value: &Affine| {
                let square = value.squared();
                let half = Affine::default().add(&square, 0.5);
                if arithmetic == Arithmetic::Exact { half } else { half.shifted(-1.0 / 65_536.0, 1.0 / 65_536.0) }
            };
            let (low, high) = (half(&left), half(&t));
            let middle = one.add(&low, -1.0).add(&high, -1.0);
            vec![low, middle, high]
        };
        Reach { cells: [first, last], weights: Some(weights) }
    }

    fn value(&self, (level, reach): (&Level, &[Reach]), channel: usize, arithmetic: Arithmetic) -> Affine {
        // A rounded mean of numbers lies between the smallest and the largest one.
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        self.each_node(level, reach, |node| {
            let value = level.at(node, channel, self.channels);
            (low, high) = (low.min(value), high.max(value));
        });
        let hull = Affine::between(low, high);
        if reach.iter().any(|axis| axis.weights.is_none()) {
            return hull;
        }
        let mut node = vec![0; reach.len()];
        let mut value = self.sum((level, reach), (&mut node, 0), channel);
        // Half a unit along every axis, which a mean hands on; along the first axis the sum of a table is not rounded.
        let roundings = reach.len() - usize::from(self.is_table);
        value.radius += 1e-6 + if arithmetic == Arithmetic::Device { 0.5 * roundings as f64 } else { 0.0 };
        if hull.radius <= value.radius { hull } else { value }
    }

    /// The sum over the axes from `at.1` on, at the nodes `at.0` along those before, but for the roundings.
    fn sum(&self, (level, reach): (&Level, &[Reach]), at: (&mut Vec<u32>, usize), channel: usize) -> Affine {
        let (node, axis) = at;
        let Some(Reach { cells, weights: Some(weights) }) = reach.get(axis) else {
            return Affine { center: level.at(node, channel, self.channels), ..Affine::default() };
        };
        // The weights add up to one: differences to one of the values lose less.
        let reference = self.order - 1;
        node[axis] = cells[0] + reference as u32;
        let base = self.sum((level, reach), (node, axis + 1), channel);
        let mut sum = base;
        for (k, weight) in weights.iter().enumerate().filter(|&(k, _)| k != reference) {
            node[axis] = cells[0] + k as u32;
            let value = self.sum((level, reach), (node, axis + 1), channel);
            sum = sum.add(&weight.times(&value.add(&base, -1.0)), 1.0);
        }
        sum
    }

    /// Calls `each` with every node, not wrapped, that the box reaches.
    fn each_node(&self, level: &Level, reach: &[Reach], mut each: impl FnMut(&[u32])) {
        let first: Vec<u32> = reach.iter().map(|axis| axis.cells[0]).collect();
        let last: Vec<u32> = reach.iter().map(|axis| axis.cells[1] + self.order as u32).collect();
        let mut node = first.clone();
        debug_assert_eq!(node.len(), level.nodes.len());
        loop {
            each(&node);
            let Some(axis) = (0..node.len()).find(|&axis| node[axis] < last[axis]) else { return };
            node[axis] += 1;
            node[..axis].copy_from_slice(&first[..axis]);
        }
    }
}

impl Level {
    /// The coefficient of a node; nodes of a periodic axis count modulo their number.
    fn at(&self, node: &[u32], channel: usize, channels: usize) -> f64 {
        let index = node
            .iter()
            .zip(&self.nodes)
            .fold(0, |index, (&node, &nodes)| index * nodes as usize + (node % nodes) as usize);
        self.coefficients.get(index * channels + channel).copied().unwrap_or(0.0)
    }
}
