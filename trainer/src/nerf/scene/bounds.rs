//! The cube that holds the scene: what the list says, or what the cameras look at.
//!
//! `half_width` is our own key: a cube around the origin. Of instant-ngp's, `aabb_scale` a, `scale` s (0.33) and
//! `offset` o (½, ½, ½) put the scene into a cube of width a around (½, ½, ½) by p ↦ s·p + o, which is the cube of half
//! width a/(2s) around (½ - o)/s; `aabb` gives two corners. Where a list says nothing, cameras that look at something
//! do: at the point that is nearest to all their axes, as much as the pictures show of it at that distance.

use firmware_core::march::Camera;
use serde_json::Value;

use super::error::SceneError;
use super::keys::Keys;
use super::{View, check_half_width};

/// Our own key.
pub(super) const OWN: &str = "half_width";
/// instant-ngp's default.
const NGP_SCALE: f64 = 0.33;
const NGP_OFFSET: [f64; 3] = [0.5; 3];
/// Least sine of the angle between axes, squared and on average: below, they meet nowhere in particular.
const LEAST_SPREAD: f64 = 1e-3;
/// Of the half width: a middle that is nearer to the origin than this is the origin.
const NEAR_ORIGIN: f64 = 0.05;

/// The cube that holds a scene: what its list says, or what its cameras look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The middle of the cube, in the units of the cameras.
    pub center: [f32; 3],
    /// Half its width.
    pub half_width: f32,
}

/// What a list says, and by which key.
pub(super) fn of_list(list: &Keys<'_>) -> Result<Option<(Bounds, &'static str)>, SceneError> {
    if let Some(half_width) = list.number(OWN)? {
        let half_width = half_width as f32;
        check_half_width(half_width)
            .map_err(|_| SceneError::SceneHalfWidth { path: list.path.to_owned(), half_width })?;
        return Ok(Some((Bounds { center: [0.0; 3], half_width }, OWN)));
    }
    let (center, half_width, key) = if list.get("aabb").is_some() {
        let expected = "two corners of three numbers each, the smaller first";
        let corners = list.get("aabb").and_then(Value::as_array).filter(|corners| corners.len() == 2);
        let corner = |index: usize| corners.and_then(|corners| vector(&corners[index]));
        let (Some(low), Some(high)) = (corner(0), corner(1)) else { return Err(list.unfit("aabb", expected)) };
        let width = (0..3).map(|axis| high[axis] - low[axis]).fold(0.0, f64::max);
        (std::array::from_fn(|axis| 0.5 * (low[axis] + high[axis])), 0.5 * width, "aabb")
    } else if ["aabb_scale", "scale", "offset"].iter().any(|key| list.get(key).is_some()) {
        let (aabb, scale) = (list.positive("aabb_scale")?.unwrap_or(1.0), list.positive("scale")?.unwrap_or(NGP_SCALE));
        let offset = match list.get("offset") {
            None => NGP_OFFSET,
            Some(value) => vector(value).ok_or_else(|| list.unfit("offset", "three numbers"))?,
        };
        (offset.map(|offset| (0.5 - offset) / scale), 0.5 * aabb / scale, "aabb_scale")
    } else {
        return Ok(None);
    };
    let bounds = Bounds { center: center.map(|x: f64| x as f32), half_width: half_width as f32 };
    let is_placed = bounds.center.iter().all(|x| x.abs() < 1e6);
    match check_half_width(bounds.half_width) {
        Ok(_) if is_placed => Ok(Some((bounds, key))),
        _ => Err(list.unfit(key, "what gives a cube of a half width above 0 and below 1e6")),
    }
}

/// Three finite numbers.
fn vector(value: &Value) -> Option<[f64; 3]> {
    let values: Vec<f64> = value.as_array()?.iter().map(Value::as_f64).collect::<Option<_>>()?;
    values.try_into().ok()
}

/// What the cameras look at; `None` if that is nothing in particular.
///
/// The point p with the least Σ|(1 - d dᵀ)(p - o)|² over cameras at o that look along d; the cube's half width is what
/// half the field of view spans at their mean distance.
pub fn of_cameras(views: &[View]) -> Option<Bounds> {
    let column = |camera: &Camera, j: usize| camera.to_world.map(|row| f64::from(row[j]));
    let (mut matrix, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
    for View { camera, .. } in views {
        let (axis, origin) = (column(camera, 2), column(camera, 3));
        for i in 0..3 {
            for j in 0..3 {
                let value = f64::from(u8::from(i == j)) - axis[i] * axis[j];
                matrix[i][j] += value / views.len() as f64;
                right[i] += value * origin[j] / views.len() as f64;
            }
        }
    }
    let focus = solve(matrix, right)?;
    let (mut distance, mut half_width) = (0.0, 0.0);
    for View { camera, .. } in views {
        let (axis, origin) = (column(camera, 2), column(camera, 3));
        // The camera looks along its -z.
        let along: f64 = (0..3).map(|i| (origin[i] - focus[i]) * axis[i]).sum();
        if along <= 0.0 {
            return None;
        }
        let side = f64::from(camera.width.max(camera.height));
        distance += along / views.len() as f64;
        half_width += along * 0.5 * side / f64::from(camera.focal) / views.len() as f64;
    }
    if !(half_width > 0.0 && half_width < 1e6 && distance.is_finite()) {
        return None;
    }
    // Two digits, rounded up: it is no more than an estimate.
    let digit = 10f64.powi(half_width.log10().floor() as i32 - 1);
    let half_width = (half_width / digit).ceil() * digit;
    let is_origin = focus.iter().map(|x| x * x).sum::<f64>().sqrt() < NEAR_ORIGIN * half_width;
    let center = if is_origin { [0.0; 3] } else { focus.map(|x| (x / digit).round() * digit) };
    Some(Bounds { center: center.map(|x| x as f32), half_width: half_width as f32 })
}

/// The solution of a symmetric system of the mean of projections, by Cramer's rule; `None` if axes are parallel.
fn solve(m: [[f64; 3]; 3], right: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(m);
    if whole.is_nan() || whole < LEAST_SPREAD {
        return None;
    }
    Some(std::array::from_fn(|column| {
        let mut replaced = m;
        (0..3).for_each(|row| replaced[row][column] = right[row]);
        determinant(replaced) / whole
    }))
}
