//! Boxes of coordinates, and forms that are linear over them.

use serde::{Deserialize, Serialize};

/// The most inputs of a model that bounds are found for.
pub const MAX_AXES: usize = 3;

/// A box of Q0.32 coordinates, both ends included; along the axes that a model has not it is one zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The smallest coordinate along each axis.
    pub lower: [u32; MAX_AXES],
    /// The largest coordinate along each axis.
    pub upper: [u32; MAX_AXES],
}

impl Region {
    /// The middle along an axis.
    pub(super) fn center(&self, axis: usize) -> f64 {
        f64::midpoint(f64::from(self.lower[axis]), f64::from(self.upper[axis]))
    }

    /// Half of the length along an axis; 0 where the axis has one coordinate.
    pub(super) fn half(&self, axis: usize) -> f64 {
        f64::from(self.upper[axis] - self.lower[axis]) / 2.0
    }

    /// The number of coordinates.
    pub(super) fn len(&self) -> f64 {
        (0..MAX_AXES).map(|axis| 2.0 * self.half(axis) + 1.0).product()
    }

    /// Two boxes that meet before the coordinate `at` along an axis: above the lower end, at most the upper one.
    pub(super) fn split(&self, axis: usize, at: u32) -> [Self; 2] {
        let (mut low, mut high) = (*self, *self);
        low.upper[axis] = at - 1;
        high.lower[axis] = at;
        [low, high]
    }

    /// Every point, axis 0 fastest.
    pub(super) fn points(&self) -> impl Iterator<Item = [u32; MAX_AXES]> + use<> {
        let Self { lower, upper } = *self;
        let axis = move |k: usize| lower[k]..=upper[k];
        axis(2).flat_map(move |z| axis(1).flat_map(move |y| axis(0).map(move |x| [x, y, z])))
    }

    /// The point in the middle, rounded down.
    pub(super) fn middle(&self) -> [u32; MAX_AXES] {
        std::array::from_fn(|axis| self.lower[axis] + (self.upper[axis] - self.lower[axis]) / 2)
    }
}

/// A quantity over a box: `center + Σ slopes[k]·ε_k ± radius`, where ε_k runs from -1 to 1 along axis k.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Affine {
    pub(super) center: f64,
    pub(super) slopes: [f64; MAX_AXES],
    /// Everything that is not linear, and the roundings.
    pub(super) radius: f64,
}

impl Affine {
    /// What lies between two numbers.
    pub(super) fn between(low: f64, high: f64) -> Self {
        Self { center: f64::midpoint(low, high), radius: (high - low) / 2.0, ..Self::default() }
    }

    /// How far the linear part reaches.
    pub(super) fn reach(&self) -> f64 {
        self.slopes.iter().map(|slope| slope.abs()).sum()
    }

    /// The smallest and the largest value.
    pub(super) fn range(&self) -> [f64; 2] {
        let all = self.reach() + self.radius;
        [self.center - all, self.center + all]
    }

    pub(super) fn add(&self, other: &Self, factor: f64) -> Self {
        Self {
            center: self.center + factor * other.center,
            slopes: std::array::from_fn(|k| self.slopes[k] + factor * other.slopes[k]),
            radius: self.radius + factor.abs() * other.radius,
        }
    }

    pub(super) fn shifted(self, center: f64, radius: f64) -> Self {
        Self { center: self.center + center, radius: self.radius + radius, ..self }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let (a, b) = (self.reach() + self.radius, other.reach() + other.radius);
        Self {
            center: self.center * other.center,
            slopes: std::array::from_fn(|k| self.center * other.slopes[k] + other.center * self.slopes[k]),
            radius: self.center.abs() * other.radius + other.center.abs() * self.radius + a * b,
        }
    }

    /// The square: what is not linear in it is never negative.
    pub(super) fn squared(&self) -> Self {
        let linear = self.reach();
        let all = linear + self.radius;
        Self {
            center: self.center * self.center + all * all / 2.0,
            slopes: self.slopes.map(|slope| 2.0 * self.center * slope),
            radius: 2.0 * self.center.abs() * self.radius + all * all / 2.0,
        }
    }
}
