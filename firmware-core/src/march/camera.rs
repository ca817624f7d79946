//! A pinhole camera.

use super::elementary::inverse_sqrt;

/// A pinhole camera in the convention of OpenGL and Blender: it looks along -z of its own axes, y up, x to the right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The upper three rows of the camera-to-world matrix: rotation `[3, 3]` and, last in each row, the position.
    pub to_world: [[f32; 4]; 3],
    /// Pixels per unit of x/z, horizontally and vertically alike.
    pub focal: f32,
    /// The width of the picture in pixels.
    pub width: u16,
    /// The height of the picture in pixels.
    pub height: u16,
}

/// A half-line along which a pixel sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ray {
    /// Where the ray begins, in the user's units.
    pub origin: [f32; 3],
    /// Where it goes: a vector of length one.
    pub direction: [f32; 3],
}

impl Camera {
    /// Length of the row that [`Camera::to_values`] returns.
    pub const VALUES: usize = 15;

    /// The camera as a row of numbers: matrix (row-major), focal length, width, height.
    #[must_use]
    pub fn to_values(&self) -> [f32; Self::VALUES] {
        let mut values = [0.0; Self::VALUES];
        let tail = [self.focal, f32::from(self.width), f32::from(self.height)];
        for (value, from) in values.iter_mut().zip(self.to_world.as_flattened().iter().chain(&tail)) {
            *value = *from;
        }
        values
    }

    /// The camera of a row that [`Camera::to_values`] made. Sizes saturate; no number makes anything else fail.
    #[must_use]
    pub fn from_values(values: &[f32; Self::VALUES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, focal, width, height] = *values;
        Self { to_world: [[a, b, c, d], [e, f, g, h], [i, j, k, l]], focal, width: width as u16, height: height as u16 }
    }

    /// The ray through a place of the picture, in pixels from its upper left corner: the centre of the first pixel is
    /// at (0.5, 0.5).
    #[must_use]
    pub fn ray(&self, x: f32, y: f32) -> Ray {
        let u = (x - 0.5 * f32::from(self.width)) / self.focal;
        let v = (0.5 * f32::from(self.height) - y) / self.focal;
        let turned = self.to_world.map(|row| u * row[0] + v * row[1] - row[2]);
        let [dx, dy, dz] = turned;
        let scale = inverse_sqrt(dx * dx + dy * dy + dz * dz);
        Ray { origin: self.to_world.map(|row| row[3]), direction: turned.map(|d| d * scale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_along_its_minus_z() {
        let to_world = [[1.0, 0.0, 0.0, 5.0], [0.0, 1.0, 0.0, 6.0], [0.0, 0.0, 1.0, 7.0]];
        let camera = Camera { to_world, focal: 4.0, width: 8, height: 6 };
        let ray = camera.ray(4.0, 3.0);
        assert_eq!(ray.origin, [5.0, 6.0, 7.0]);
        assert_eq!(ray.direction[..2], [0.0, 0.0]);
        assert!((ray.direction[2] + 1.0).abs() < 1e-6);
        // One focal length to the right and half a one up.
        let ray = camera.ray(8.0, 1.0);
        let norm = (1.0f32 + 0.25 + 1.0).sqrt();
        for (found, expected) in ray.direction.iter().zip([1.0 / norm, 0.5 / norm, -1.0 / norm]) {
            assert!((found - expected).abs() < 1e-6);
        }
        assert_eq!(Camera::from_values(&camera.to_values()), camera);
    }
}
