//! The nodes that the value at a point is made of.

use super::Level;
use firmware_core::limits::MAX_GRID_INPUTS;

/// Along one axis: the nodes and their weights, which add up to 1.
type AxisTaps<const N: usize> = [(u32, f32); N];

impl Level {
    /// Visits each node that the value at a point `[d]` (Q0.32) is made of: its number in row-major order and its
    /// weight. Weights add up to 1. Positions are those of the device.
    #[inline(always)]
    pub fn visit_taps(&self, point: &[u32], order: u8, visit: impl FnMut(usize, f32)) {
        if order == 1 {
            self.visit(point, linear, visit);
        } else {
            self.visit(point, quadratic, visit);
        }
    }

    /// The same with weights that are a function of the place between two nodes, from 0 to 1.
    #[inline(always)]
    fn visit<const N: usize>(
        &self,
        point: &[u32],
        weights: impl Fn(f32) -> [f32; N],
        mut visit: impl FnMut(usize, f32),
    ) {
        // Nearly all grids have two axes.
        if point.len() == 2 {
            let (rows, columns) = (self.along(0, point[0], &weights), self.along(1, point[1], &weights));
            for (row, of_row) in rows {
                for (column, of_column) in columns {
                    visit((row * self.nodes[1] + column) as usize, of_row * of_column);
                }
            }
            return;
        }
        let mut axes = [[(0, 0.0); N]; MAX_GRID_INPUTS];
        let axes = &mut axes[..point.len()];
        for (axis, taps) in axes.iter_mut().enumerate() {
            *taps = self.along(axis, point[axis], &weights);
        }
        for corner in 0..N.pow(axes.len() as u32) {
            // The digits of the corner's number choose a node along each axis.
            let (mut node, mut weight) = (0, 1.0);
            for (axis, taps) in axes.iter().enumerate() {
                let (along, of_axis) = taps[corner / N.pow((axes.len() - 1 - axis) as u32) % N];
                node = node * self.nodes[axis] + along;
                weight *= of_axis;
            }
            visit(node as usize, weight);
        }
    }

    /// The taps of a coordinate along one axis.
    #[inline(always)]
    fn along<const N: usize>(&self, axis: usize, v: u32, weights: impl Fn(f32) -> [f32; N]) -> AxisTaps<N> {
        let (nodes, cells) = (self.nodes[axis], self.cells[axis]);
        let position = ((u64::from(v) * u64::from(cells)) >> 32) as u32;
        let (first, weights) = (position >> 16, weights((position & 0xffff) as f32 / 65_536.0));
        let mut taps = [(0, 0.0); N];
        for (node, (tap, weight)) in (first..).zip(taps.iter_mut().zip(weights)) {
            *tap = (if node < nodes { node } else { node - nodes }, weight);
        }
        taps
    }
}

#[inline(always)]
fn linear(f: f32) -> [f32; 2] {
    [1.0 - f, f]
}

#[inline(always)]
fn quadratic(f: f32) -> [f32; 3] {
    let (left, right) = (0.5 * (1.0 - f) * (1.0 - f), 0.5 * f * f);
    [left, 1.0 - left - right, right]
}
