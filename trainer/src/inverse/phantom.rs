//! The head of Shepp and Logan (1974) with the contrasts of Toft (1996), and its body in three dimensions.

/// Intensity, half axes (x, y, z), centre (x, y, z), rotation about z in degrees; the head fits \[-1, 1\]³. Sections at
/// the height of each ellipsoid's centre are those of the plane phantom.
const ELLIPSOIDS: [(f64, [f64; 3], [f64; 3], f64); 10] = [
    (1.0, [0.69, 0.92, 0.81], [0.0, 0.0, 0.0], 0.0),
    (-0.8, [0.6624, 0.874, 0.78], [0.0, -0.0184, 0.0], 0.0),
    (-0.2, [0.11, 0.31, 0.22], [0.22, 0.0, 0.0], -18.0),
    (-0.2, [0.16, 0.41, 0.28], [-0.22, 0.0, 0.0], 18.0),
    (0.1, [0.21, 0.25, 0.41], [0.0, 0.35, -0.15], 0.0),
    (0.1, [0.046, 0.046, 0.05], [0.0, 0.1, 0.25], 0.0),
    (0.1, [0.046, 0.046, 0.05], [0.0, -0.1, 0.25], 0.0),
    (0.1, [0.046, 0.023, 0.05], [-0.08, -0.605, 0.0], 0.0),
    (0.1, [0.023, 0.023, 0.02], [0.0, -0.606, 0.0], 0.0),
    (0.1, [0.023, 0.046, 0.02], [0.06, -0.605, 0.0], 0.0),
];

/// Position along an axis of `n` cells over \[-1, 1\]: the centre of cell 0 is position 0.
pub fn place(position: f64, n: usize) -> f64 {
    2.0 * (position + 0.5) / n as f64 - 1.0
}

/// Intensities `[n, n]` of the plane head, row by row from the top, averaged over each pixel; from 0 to 1.
pub fn section(n: usize) -> Vec<f32> {
    const WITHIN: usize = 4;
    grid(n, 1, WITHIN, |point| intensity(&point[..2]))
}

/// Intensities `[n, n, n]` (z, y, x) of the whole head, averaged over each voxel; from 0 to 1.
pub fn volume(n: usize) -> Vec<f32> {
    const WITHIN: usize = 3;
    grid(n, n, WITHIN, |point| intensity(&point))
}

/// Sum over the ellipsoids (in the plane: ellipses) that hold a point.
fn intensity(point: &[f64]) -> f64 {
    ELLIPSOIDS.iter().filter(|ellipsoid| norm(ellipsoid, point) <= 1.0).map(|(intensity, ..)| intensity).sum()
}

/// The distance of a point from an ellipsoid's centre in units of its half axes, squared.
fn norm(&(_, axes, centre, degrees): &(f64, [f64; 3], [f64; 3], f64), point: &[f64]) -> f64 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (x, y) = (point[0] - centre[0], point[1] - centre[1]);
    let height = point.get(2).map_or(0.0, |z| (z - centre[2]) / axes[2]);
    ((x * cos + y * sin) / axes[0]).powi(2) + ((y * cos - x * sin) / axes[1]).powi(2) + height * height
}

/// Means over `within` points along each axis of every cell of `depth` planes of `[n, n]`.
fn grid(n: usize, depth: usize, within: usize, value: impl Fn([f64; 3]) -> f64) -> Vec<f32> {
    let offset = |k: usize| (k as f64 + 0.5) / within as f64 - 0.5;
    let planes = if depth == 1 { 1 } else { within };
    let mut values = Vec::with_capacity(depth * n * n);
    for (z, row, column) in (0..depth).flat_map(|z| (0..n * n).map(move |i| (z, i / n, i % n))) {
        let mut sum = 0.0;
        for (k, i) in (0..planes).flat_map(|k| (0..within * within).map(move |i| (k, i))) {
            let x = place(column as f64 + offset(i % within), n);
            let y = -place(row as f64 + offset(i / within), n);
            let z = if depth == 1 { 0.0 } else { place(z as f64 + offset(k), n) };
            sum += value([x, y, z]);
        }
        values.push((sum / (planes * within * within) as f64) as f32);
    }
    values
}

/// The integral of the plane head along the line at distance `u` from the centre, whose normal is at `angle` radians.
#[cfg(test)]
pub(super) fn line_integral(u: f64, angle: f64) -> f64 {
    ELLIPSOIDS
        .iter()
        .map(|&(intensity, [a, b, _], [x, y, _], degrees)| {
            let turned = angle - degrees.to_radians();
            let square = (a * turned.cos()).powi(2) + (b * turned.sin()).powi(2);
            let distance = u - x * angle.cos() - y * angle.sin();
            2.0 * intensity * a * b * (square - distance * distance).max(0.0).sqrt() / square
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_has_its_known_values() {
        let n = 64;
        let plane = section(n);
        assert!(plane.iter().all(|value| (-1e-6..=1.0 + 1e-6).contains(value)));
        // Outside, skull, brain, a ventricle.
        let at =
            |x: f64, y: f64| plane[((1.0 - y) / 2.0 * n as f64) as usize * n + ((x + 1.0) / 2.0 * n as f64) as usize];
        assert_eq!(at(-0.95, 0.0), 0.0);
        assert!((at(0.0, 0.9) - 1.0).abs() < 0.3 && (at(0.5, 0.0) - 0.2).abs() < 1e-6 && at(0.22, 0.0).abs() < 1e-6);
        // The area of the skull's outer ellipse minus the inner, etc.: the integral over the square.
        let area: f64 = ELLIPSOIDS.iter().map(|(c, [a, b, _], ..)| std::f64::consts::PI * c * a * b).sum();
        let sum: f64 = plane.iter().map(|&value| f64::from(value)).sum();
        assert!((sum * 4.0 / (n * n) as f64 - area).abs() < 0.01 * area);
        let solid = volume(16);
        let whole: f64 =
            ELLIPSOIDS.iter().map(|(c, [a, b, h], ..)| 4.0 / 3.0 * std::f64::consts::PI * c * a * b * h).sum();
        let sum: f64 = solid.iter().map(|&value| f64::from(value)).sum();
        assert!((sum * 8.0 / 4096.0 - whole).abs() < 0.02 * whole, "{} {whole}", sum * 8.0 / 4096.0);
    }
}
