//! The affine maps between the user's units and the unit domain and range.

use ndarray::Array2;

pub use firmware_core::{Axis, OutputMap, Outside};

/// Largest integer up to which f32 holds every integer: the longest axis whose indices are exact.
pub(super) const LONGEST_AXIS: usize = 1 << 24;

/// The domain of an axis of `len` ≥ 1 samples at 0, 1, …, len-1: sample k is at k/len of the unit domain.
pub(super) fn index_axis(len: usize) -> Axis {
    Axis::new(0.0, (len - 1) as f32, len as f32)
}

/// The points of a grid, `[n, d]`: x, the index along the last axis of `shape`, first; x varies fastest.
pub(super) fn lattice_points(shape: &[usize]) -> Array2<f32> {
    let n = shape.iter().product();
    let mut points = Array2::zeros((n, shape.len()));
    for (sample, mut row) in points.outer_iter_mut().enumerate() {
        let mut rest = sample;
        for (value, &len) in row.iter_mut().zip(shape.iter().rev()) {
            *value = (rest % len) as f32;
            rest /= len;
        }
    }
    points
}

/// The index of the element at a row-major position.
pub(super) fn unravel(position: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = position;
    let mut index = vec![0; shape.len()];
    for (k, &len) in index.iter_mut().zip(shape).rev() {
        *k = rest % len;
        rest /= len;
    }
    index
}

/// The Q0.32 coordinates of points within their axes, `[n, d]`.
pub(super) fn to_fixed(points: &Array2<f32>, axes: &[Axis]) -> Array2<u32> {
    let mut coordinates = Array2::zeros(points.dim());
    for (mut coordinate, point) in coordinates.outer_iter_mut().zip(points.outer_iter()) {
        for ((fixed, &x), axis) in coordinate.iter_mut().zip(point).zip(axes) {
            // Clamping never refuses a finite value, and loaders only let finite values through.
            *fixed = axis.to_fixed(x, Outside::Clamp).unwrap_or(0);
        }
    }
    coordinates
}

/// The map from unit values to the range `minimum..=maximum`; scale 1 if the range is empty. `None` if f32 does not
/// hold the limits and their difference, with the room for the integers of a quantized network that the artifact's
/// check asks for.
pub(super) fn range_map(minimum: f64, maximum: f64) -> Option<OutputMap> {
    let (scale, offset) = ((maximum - minimum) as f32, minimum as f32);
    let scale = if scale == 0.0 { 1.0 } else { scale };
    // A range so small that its inverse overflows is as good as constant.
    let scale = if scale < f32::MIN_POSITIVE { 1.0 } else { scale };
    let largest = 2_147_483_648.0 * scale + offset.abs();
    largest.is_finite().then_some(OutputMap { scale, offset })
}

/// The unit value of `value`, in [0, 1] for values of the range that made the map.
pub(super) fn to_unit(value: f64, map: &OutputMap) -> f32 {
    ((value - f64::from(map.offset)) / f64::from(map.scale)).clamp(0.0, 1.0) as f32
}

/// `x`, `y`, `z` for up to three axes, as many as there are.
pub(super) fn index_names(axes: usize) -> Vec<String> {
    ["x", "y", "z"].iter().take(axes).map(|name| (*name).to_owned()).collect()
}

/// Unit outputs `[n, c]` in the user's units.
pub fn in_user_units(mut outputs: Array2<f32>, output_maps: &[OutputMap]) -> Array2<f32> {
    for (mut column, map) in outputs.columns_mut().into_iter().zip(output_maps) {
        column.mapv_inplace(|unit| unit * map.scale + map.offset);
    }
    outputs
}
