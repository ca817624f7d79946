//! Where a ray is sampled.

use super::camera::Ray;
use super::volume::{DIRECTED_INPUTS, Volume};
use crate::coordinate::Outside;

/// One sample of a ray.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The distance from the ray's origin, in the user's units.
    pub distance: f32,
    /// Where it lies, in the user's units.
    pub position: [f32; 3],
    /// The direction of the ray, of length one.
    pub direction: [f32; 3],
    /// The model's coordinates of the position, Q0.32.
    pub coordinates: [u32; 3],
}

impl Sample {
    /// Position and direction: what a model takes, or the first half of it where colours do not depend on the
    /// direction.
    #[inline]
    #[must_use]
    pub fn point(&self) -> [f32; DIRECTED_INPUTS] {
        let ([x, y, z], [u, v, w]) = (self.position, self.direction);
        [x, y, z, u, v, w]
    }
}

/// The samples of a ray, front to back: what [`Volume::samples`] returns.
#[derive(Clone, Debug)]
pub struct Samples<'a, P> {
    volume: &'a Volume<'a>,
    ray: Ray,
    near: f32,
    far: f32,
    interval: u32,
    place: P,
}

impl Volume<'_> {
    /// The samples of a ray in occupied cells, front to back. Interval k of length δ behind the entrance is sampled at
    /// the part `place()` of its length, from [0, 1): 0.5 to draw, random numbers to learn (stratified samples).
    pub fn samples<P: FnMut() -> f32>(&self, ray: &Ray, place: P) -> Samples<'_, P> {
        let (near, far) = self.span(ray).unwrap_or((0.0, 0.0));
        Samples { volume: self, ray: *ray, near, far, interval: 0, place }
    }
}

impl<P: FnMut() -> f32> Iterator for Samples<'_, P> {
    type Item = Sample;

    #[inline]
    fn next(&mut self) -> Option<Sample> {
        loop {
            let start = self.near + self.interval as f32 * self.volume.step;
            if start >= self.far {
                return None;
            }
            self.interval += 1;
            let distance = start + (self.place)() * self.volume.step;
            if distance >= self.far {
                continue;
            }
            let mut position = self.ray.origin;
            let mut coordinates = [0; 3];
            for (((x, coordinate), direction), axis) in
                position.iter_mut().zip(&mut coordinates).zip(self.ray.direction).zip(&self.volume.axes)
            {
                *x += distance * direction;
                *coordinate = axis.to_fixed(*x, Outside::Clamp).unwrap_or(0);
            }
            if self.volume.is_occupied(&coordinates) {
                return Some(Sample { distance, position, direction: self.ray.direction, coordinates });
            }
        }
    }
}
