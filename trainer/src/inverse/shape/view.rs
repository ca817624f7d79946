//! A solid drawn from its occupancy alone: parallel rays from above the front, shaded by the slope of what they meet.
//!
//! The truth and the networks are drawn by the same means, so that differences are those of the solids.

use rayon::prelude::*;

use super::mesh::Point;

/// Steps through the cube, and halvings of the step in which the ray enters.
const STEPS: usize = 128;
const HALVINGS: usize = 6;
/// The cube's diagonal, half of which lies before its centre.
const DEPTH: f64 = 1.75;
/// White on either side of the solid, as a part of its width or height, whichever is larger.
const EDGE: f64 = 0.04;
/// From which the light comes: right, up, towards the eye.
const LIGHT: Point = [-0.45, 0.6, 0.66];

/// Towards the right, up and away, of length one each.
const RIGHT: Point = [0.857_492_926, 0.514_495_755, 0.0];
const UP: Point = [-0.257_247_878, 0.428_746_463, 0.866_025_404];
const AWAY: Point = [-0.445_566_394, 0.742_610_657, -0.500_000_000];

/// What of the cube is seen: a square of this width around a centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Towards the right and up, from the cube's corner at zero.
    centre: [f64; 2],
    width: f64,
}

impl Frame {
    /// All of a solid with these corners, of which there must be some.
    pub fn of(corners: &[Point]) -> Self {
        let spans = [RIGHT, UP].map(|axis| {
            let places = corners.iter().map(|corner| dot(corner, &axis));
            places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| (low.min(place), high.max(place)))
        });
        let [width, height] = spans.map(|(low, high)| high - low);
        Self { centre: spans.map(|(low, high)| (low + high) / 2.0), width: width.max(height) * (1.0 + 2.0 * EDGE) }
    }
}

fn dot(a: &Point, b: &Point) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// RGB of `[pixels, pixels]`. `within` tells which of many points of the domain, a box of the unit cube, the solid
/// holds; others it does not.
pub fn draw(pixels: usize, frame: Frame, domain: [Point; 2], within: impl Fn(&[Point]) -> Vec<bool>) -> Vec<u8> {
    let depths = depths(pixels, frame, domain, within);
    let at = |x: usize, y: usize| depths[y * pixels + x];
    let shade = |index: usize| {
        let (x, y) = (index % pixels, index / pixels);
        let Some(depth) = at(x, y) else { return 255 };
        // Towards the neighbour that differs less, so that edges of the solid stay sharp.
        let slope = |before: Option<f64>, after: Option<f64>| {
            let [before, after] = [before.map(|d| depth - d), after.map(|d| d - depth)];
            let less = |a: f64, b: f64| if a.abs() < b.abs() { a } else { b };
            before.zip(after).map(|(a, b)| less(a, b)).or(before).or(after).unwrap_or(0.0) * pixels as f64 / frame.width
        };
        let left = x.checked_sub(1).and_then(|x| at(x, y));
        let right = if x + 1 < pixels { at(x + 1, y) } else { None };
        let above = y.checked_sub(1).and_then(|y| at(x, y));
        let below = if y + 1 < pixels { at(x, y + 1) } else { None };
        let (across, down) = (slope(left, right), slope(above, below));
        let normal = [across, -down, 1.0];
        let length = normal.iter().map(|x| x * x).sum::<f64>().sqrt();
        let light = normal.iter().zip(LIGHT).map(|(n, l)| n * l).sum::<f64>() / length;
        (40.0 + 200.0 * light.max(0.0)) as u8
    };
    (0..pixels * pixels).into_par_iter().flat_map_iter(|index| [shade(index); 3]).collect()
}

/// How far each ray goes until it enters the solid.
fn depths(
    pixels: usize,
    frame: Frame,
    [low, high]: [Point; 2],
    within: impl Fn(&[Point]) -> Vec<bool>,
) -> Vec<Option<f64>> {
    let place = |k: usize| ((k as f64 + 0.5) / pixels as f64 - 0.5) * frame.width;
    // The domain's middle is met halfway.
    let middle = dot(&std::array::from_fn(|k| (low[k] + high[k]) / 2.0), &AWAY);
    let point = |index: usize, depth: f64| -> Point {
        let (u, v) = (frame.centre[0] + place(index % pixels), frame.centre[1] - place(index / pixels));
        std::array::from_fn(|k| u * RIGHT[k] + v * UP[k] + (middle + depth - DEPTH / 2.0) * AWAY[k])
    };
    let entered = |rays: &[(usize, f64)]| -> Vec<bool> {
        let points: Vec<Point> = rays.iter().map(|&(index, depth)| point(index, depth)).collect();
        let in_domain = |point: &Point| (0..3).all(|k| (low[k]..high[k]).contains(&point[k]));
        let asked: Vec<Point> = points.iter().copied().filter(in_domain).collect();
        let mut answers = within(&asked).into_iter();
        points.iter().map(|point| in_domain(point) && answers.next() == Some(true)).collect()
    };
    let mut open: Vec<usize> = (0..pixels * pixels).collect();
    let mut found: Vec<(usize, f64)> = Vec::new();
    let length = DEPTH / STEPS as f64;
    for step in 1..=STEPS {
        let depth = step as f64 * length;
        let rays: Vec<(usize, f64)> = open.iter().map(|&index| (index, depth)).collect();
        let entered = entered(&rays);
        found.extend(rays.iter().zip(&entered).filter(|(_, entered)| **entered).map(|(ray, _)| *ray));
        let mut still = entered.iter();
        open.retain(|_| still.next() == Some(&false));
    }
    let mut part = length;
    for _ in 0..HALVINGS {
        part /= 2.0;
        let before: Vec<(usize, f64)> = found.iter().map(|&(index, depth)| (index, depth - part)).collect();
        for (ray, entered) in found.iter_mut().zip(entered(&before)) {
            if entered {
                ray.1 -= part;
            }
        }
    }
    let mut depths = vec![None; pixels * pixels];
    found.into_iter().for_each(|(index, depth)| depths[index] = Some(depth));
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ball_is_a_disc_brightest_towards_the_light() {
        let ball = |points: &[Point]| {
            points.iter().map(|p| p.iter().map(|x| (x - 0.5) * (x - 0.5)).sum::<f64>() < 0.16).collect()
        };
        let (n, cube) = (60, [[0.0; 3], [1.0; 3]]);
        for (a, b) in [(RIGHT, UP), (UP, AWAY), (AWAY, RIGHT), (RIGHT, RIGHT), (UP, UP), (AWAY, AWAY)] {
            assert!((dot(&a, &b) - f64::from(u8::from(a == b))).abs() < 1e-7);
        }
        let frame = Frame { centre: [RIGHT, UP].map(|axis| dot(&[0.5; 3], &axis)), width: 1.05 };
        let picture = draw(n, frame, cube, ball);
        let at = |x: usize, y: usize| picture[3 * (y * n + x)];
        let covered = (0..n * n).filter(|i| at(i % n, i / n) < 255).count() as f64 / (n * n) as f64;
        assert!((covered - std::f64::consts::PI * 0.16 / (1.05 * 1.05)).abs() < 0.02, "{covered}");
        assert_eq!((at(0, 0), at(n - 1, n - 1)), (255, 255));
        assert!(at(20, 18) > 220 && at(40, 44) < 140, "{} {}", at(20, 18), at(40, 44));
        let middle = depths(n, frame, cube, ball)[n / 2 * n + n / 2].unwrap();
        assert!((middle - (DEPTH / 2.0 - 0.4)).abs() < 1e-2, "{middle}");
    }

    #[test]
    fn a_box_is_seen_whole_and_fills_the_picture() {
        for [low, high] in [[[0.05; 3], [0.95; 3]], [[0.05; 3], [0.95, 0.3, 0.1]], [[0.05; 3], [0.1, 0.2, 0.95]]] {
            let corners: Vec<Point> =
                (0..8).map(|k| [0, 1, 2].map(|axis| if k >> axis & 1 == 0 { low[axis] } else { high[axis] })).collect();
            let within = |points: &[Point]| -> Vec<bool> {
                points.iter().map(|p| (0..3).all(|k| (low[k]..=high[k]).contains(&p[k]))).collect()
            };
            let n = 100;
            let domain = [[0.0; 3], high.map(|high| high + 0.05)];
            let picture = draw(n, Frame::of(&corners), domain, within);
            let covered = |x: usize, y: usize| picture[3 * (y * n + x)] < 255;
            let (mut columns, mut rows) = (vec![false; n], vec![false; n]);
            for (x, y) in (0..n * n).map(|i| (i % n, i / n)).filter(|&(x, y)| covered(x, y)) {
                (columns[x], rows[y]) = (true, true);
            }
            let span = |seen: &[bool]| seen.iter().filter(|seen| **seen).count();
            assert!(!columns[0] && !columns[n - 1] && !rows[0] && !rows[n - 1], "{high:?}");
            assert!(span(&columns).max(span(&rows)) >= 90, "{high:?}");
        }
    }
}
