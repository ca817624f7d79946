//! The volume that rays march through.

use super::camera::Ray;
use crate::coordinate::Axis;

/// The number of outputs of a model that can be marched: three colour logits and one of density.
pub const OUTPUTS: usize = 4;
/// The number of inputs of a model whose colours depend on the direction of view: position and direction.
pub const DIRECTED_INPUTS: usize = 6;
/// An axis of the direction of view: a component of a vector of length one.
pub const DIRECTION_AXIS: Axis = Axis { minimum: -1.0, maximum: 1.0, scale: 0.5 };

/// How a logit becomes a density.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Density {
    /// max(z, 0) of the logit z.
    Relu,
    /// ln(1 + e^z) of the logit z.
    #[default]
    Softplus,
}

/// What rays march through: settings and the occupancy grid, which stays where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'a> {
    /// The bounding box, and the model's coordinates in it.
    pub axes: [Axis; 3],
    /// δ: the distance between two samples, user units.
    pub step: f32,
    /// How a logit becomes a density.
    pub density: Density,
    /// What the density of the logit is multiplied by, per user unit.
    pub density_scale: f32,
    /// Whether the model also takes the direction of the ray, behind the position.
    pub view_direction: bool,
    /// The transmittance below which a ray ends; 0 marches every ray to its end.
    pub termination: f32,
    /// The colour (red, green, blue) behind everything.
    pub background: [f32; 3],
    /// The number of occupancy cells along each axis.
    pub resolution: u32,
    /// The occupancy, one bit a cell as in the file; cells beyond its end count as occupied.
    pub occupancy: &'a [u32],
}

impl Volume<'_> {
    /// Inputs of the model that draws it: 3, or [`DIRECTED_INPUTS`].
    #[inline]
    #[must_use]
    pub fn inputs(&self) -> usize {
        if self.view_direction { DIRECTED_INPUTS } else { self.axes.len() }
    }

    /// Whether rays can march: valid axes, a positive step that a ray takes at most 65,536 times, a positive density
    /// scale, a termination in [0, 1), and a finite background.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        // A ray takes a bounded number of steps, and every step moves it: f32 would lose steps far below the box's
        // size.
        let span = self.axes.iter().fold(0.0f32, |span, axis| span + (axis.maximum - axis.minimum));
        self.axes.iter().all(Axis::is_valid)
            && self.step > 0.0
            && span / self.step < 65_536.0
            && self.density_scale > 0.0
            && self.density_scale.is_finite()
            && (0.0..1.0).contains(&self.termination)
            && self.background.iter().all(|channel| channel.is_finite())
    }

    /// The distances at which a ray enters and leaves the box; `None` where it misses it.
    #[must_use]
    pub fn span(&self, ray: &Ray) -> Option<(f32, f32)> {
        let (mut near, mut far) = (0.0f32, f32::INFINITY);
        for ((axis, &origin), &direction) in self.axes.iter().zip(&ray.origin).zip(&ray.direction) {
            let (low, high) = (axis.minimum - origin, axis.maximum - origin);
            if direction == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return None;
                }
                continue;
            }
            let (a, b) = (low / direction, high / direction);
            let (first, last) = if a < b { (a, b) } else { (b, a) };
            near = if first > near { first } else { near };
            far = if last < far { last } else { far };
        }
        (near < far && far.is_finite()).then_some((near, far))
    }

    /// The number of the cell in which Q0.32 coordinates lie, counted as in the file.
    #[inline]
    #[must_use]
    pub fn cell(&self, coordinates: &[u32; 3]) -> usize {
        let n = u64::from(self.resolution);
        let [x, y, z] = coordinates.map(|v| (u64::from(v) * n) >> 32);
        ((z * n + y) * n + x) as usize
    }

    /// Whether the cell of Q0.32 coordinates is occupied.
    #[inline]
    #[must_use]
    pub fn is_occupied(&self, coordinates: &[u32; 3]) -> bool {
        let cell = self.cell(coordinates);
        self.occupancy.get(cell / 32).is_none_or(|word| word >> (cell % 32) & 1 == 1)
    }
}
