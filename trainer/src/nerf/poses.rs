//! Where cameras stand: around the origin, z up.

use firmware_core::march::Camera;

use super::solids::{Vector, cross, scale, unit};

/// Camera to world (upper three rows) of a camera at `position` that looks at the origin with z up.
pub(super) fn toward_origin(position: Vector) -> [[f64; 4]; 3] {
    let back = unit(position); // the camera looks along its -z
    // Straight above or below, any direction is to the right.
    let right = cross([0.0, 0.0, 1.0], back);
    let right = if right.iter().all(|x| x.abs() < 1e-9) { [1.0, 0.0, 0.0] } else { unit(right) };
    let up = cross(back, right);
    std::array::from_fn(|row| [right[row], up[row], back[row], position[row]])
}

/// The point at a distance from the origin, turned by `azimuth` about z and raised by `elevation`, radians.
pub(super) fn on_sphere(radius: f64, azimuth: f64, elevation: f64) -> Vector {
    scale([elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin()], radius)
}

/// Cameras evenly around the origin, all at one height.
///
/// `like` gives lens and size; `elevation` is in degrees.
pub fn turntable(like: &Camera, radius: f64, elevation: f64, frames: usize) -> Vec<Camera> {
    (0..frames)
        .map(|frame| {
            let azimuth = std::f64::consts::TAU * frame as f64 / frames as f64;
            let to_world = toward_origin(on_sphere(radius, azimuth, elevation.to_radians()));
            Camera { to_world: to_world.map(|row| row.map(|value| value as f32)), ..*like }
        })
        .collect()
}

/// The same camera with a picture of another size (pixels a side): the same field of view across the larger side.
#[must_use]
pub fn resized(camera: &Camera, width: u16, height: u16) -> Camera {
    let factor = f32::from(width.max(height)) / f32::from(camera.width.max(camera.height));
    Camera { width, height, focal: camera.focal * factor, ..*camera }
}

/// The mean distance of cameras from the origin.
pub fn mean_distance<'a>(cameras: impl ExactSizeIterator<Item = &'a Camera>) -> f64 {
    let count = cameras.len().max(1) as f64;
    let distance = |camera: &Camera| camera.to_world.iter().map(|row| f64::from(row[3]).powi(2)).sum::<f64>().sqrt();
    cameras.map(distance).sum::<f64>() / count
}

/// The same camera elsewhere.
#[must_use]
pub fn moved(camera: &Camera, by: [f32; 3]) -> Camera {
    let mut to_world = camera.to_world;
    to_world.iter_mut().zip(by).for_each(|(row, by)| row[3] += by);
    Camera { to_world, ..*camera }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::solids::dot;

    #[test]
    fn cameras_look_at_the_origin_upright() {
        let like = Camera { to_world: [[0.0; 4]; 3], focal: 50.0, width: 20, height: 10 };
        for camera in turntable(&like, 3.0, 25.0, 7) {
            let ray = camera.ray(10.0, 5.0);
            let toward: f32 = ray.origin.iter().zip(ray.direction).map(|(o, d)| o * d).sum();
            assert!((toward + 3.0).abs() < 1e-5, "{toward}");
            assert!(camera.ray(10.0, 0.0).direction[2] > ray.direction[2], "up is up");
        }
        let above = toward_origin([0.0, 0.0, 2.0]);
        let column = |j: usize| [above[0][j], above[1][j], above[2][j]];
        assert!((0..3).all(|i| (0..i).all(|j| dot(column(i), column(j)).abs() < 1e-12)));
        assert_eq!(resized(&like, 40, 40).focal, 100.0);
        assert!((mean_distance(turntable(&like, 3.0, 10.0, 4).iter()) - 3.0).abs() < 1e-6);
        let camera = moved(&Camera { to_world: [[1.0; 4]; 3], ..like }, [1.0, -3.0, 0.5]);
        assert_eq!(camera.to_world, [[1.0, 1.0, 1.0, 2.0], [1.0, 1.0, 1.0, -2.0], [1.0, 1.0, 1.0, 1.5]]);
    }
}
