//! Solids that a ray meets at a point known in closed form.
//!
//! All vectors are in world units, f64. A hit is the nearest one in front of the ray's origin, with the outward normal.

/// A point or a direction.
pub(super) type Vector = [f64; 3];

pub(super) fn add(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] + b[i])
}

pub(super) fn subtract(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] - b[i])
}

pub(super) fn scale(a: Vector, factor: f64) -> Vector {
    a.map(|x| x * factor)
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn unit(a: Vector) -> Vector {
    scale(a, 1.0 / dot(a, a).sqrt())
}

/// Where a ray meets a solid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    /// Distance in lengths of the direction.
    pub(super) distance: f64,
    /// Outward, of length one.
    pub(super) normal: Vector,
}

/// A convex solid, so that a ray enters it at most once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Solid {
    /// A ball.
    Sphere { center: Vector, radius: f64 },
    /// A box along the axes.
    Cuboid { center: Vector, half: Vector },
    /// A rod with flat ends, from `start` to `end`.
    Rod { start: Vector, end: Vector, radius: f64 },
}

impl Solid {
    /// The first point of the solid that the ray meets from outside.
    pub(super) fn hit(&self, origin: Vector, direction: Vector) -> Option<Hit> {
        match *self {
            Self::Sphere { center, radius } => hit_sphere(subtract(origin, center), direction, radius),
            Self::Cuboid { center, half } => hit_cuboid(subtract(origin, center), direction, half),
            Self::Rod { start, end, radius } => {
                hit_rod(subtract(origin, start), direction, subtract(end, start), radius)
            }
        }
    }
}

/// The smaller root of a·t² + 2b·t + c.
fn first_root(a: f64, b: f64, c: f64) -> Option<f64> {
    let discriminant = b * b - a * c;
    (a > 0.0 && discriminant > 0.0).then(|| (-b - discriminant.sqrt()) / a)
}

fn hit_sphere(origin: Vector, direction: Vector, radius: f64) -> Option<Hit> {
    let c = dot(origin, origin) - radius * radius;
    let distance = first_root(dot(direction, direction), dot(origin, direction), c)?;
    let normal = scale(add(origin, scale(direction, distance)), 1.0 / radius);
    (distance > 0.0).then_some(Hit { distance, normal })
}

fn hit_cuboid(origin: Vector, direction: Vector, half: Vector) -> Option<Hit> {
    let (mut near, mut far, mut normal) = (f64::NEG_INFINITY, f64::INFINITY, [0.0; 3]);
    for axis in 0..3 {
        if direction[axis] == 0.0 {
            if origin[axis].abs() > half[axis] {
                return None;
            }
            continue;
        }
        let side = -direction[axis].signum();
        let enters = (side * half[axis] - origin[axis]) / direction[axis];
        let leaves = (-side * half[axis] - origin[axis]) / direction[axis];
        if enters > near {
            near = enters;
            normal = [0.0; 3];
            normal[axis] = side;
        }
        far = far.min(leaves);
    }
    (near > 0.0 && near < far).then_some(Hit { distance: near, normal })
}

/// `origin` and `span` are relative to the rod's start.
fn hit_rod(origin: Vector, direction: Vector, span: Vector, radius: f64) -> Option<Hit> {
    let length = dot(span, span).sqrt();
    let axis = scale(span, 1.0 / length);
    let (along, rise) = (dot(origin, axis), dot(direction, axis));
    let (side, run) = (subtract(origin, scale(axis, along)), subtract(direction, scale(axis, rise)));
    let c = dot(side, side) - radius * radius;
    if let Some(distance) = first_root(dot(run, run), dot(side, run), c)
        && distance > 0.0
        && (0.0..=length).contains(&(along + distance * rise))
    {
        return Some(Hit { distance, normal: scale(add(side, scale(run, distance)), 1.0 / radius) });
    }
    // Else through the end that faces the ray.
    if rise == 0.0 {
        return None;
    }
    let end = if rise > 0.0 { 0.0 } else { length };
    let distance = (end - along) / rise;
    let place = add(side, scale(run, distance));
    let meets = distance > 0.0 && dot(place, place) <= radius * radius;
    meets.then_some(Hit { distance, normal: scale(axis, -rise.signum()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rays_meet_solids_where_geometry_says() {
        let from = [0.0, 0.0, 10.0];
        let down = [0.0, 0.0, -2.0];
        let sphere = Solid::Sphere { center: [0.0, 0.0, 1.0], radius: 2.0 };
        assert_eq!(sphere.hit(from, down), Some(Hit { distance: 3.5, normal: [0.0, 0.0, 1.0] }));
        assert_eq!(sphere.hit(from, [0.0, 0.0, 2.0]), None);
        let cuboid = Solid::Cuboid { center: [0.0; 3], half: [1.0, 2.0, 4.0] };
        assert_eq!(cuboid.hit(from, down), Some(Hit { distance: 3.0, normal: [0.0, 0.0, 1.0] }));
        assert_eq!(cuboid.hit([5.0, 0.0, 10.0], down), None);
        assert_eq!(cuboid.hit([5.0, 1.0, 0.0], [-1.0, 0.0, 0.0]).unwrap().normal, [1.0, 0.0, 0.0]);
        let rod = Solid::Rod { start: [-3.0, 0.0, 0.0], end: [3.0, 0.0, 0.0], radius: 0.5 };
        assert_eq!(rod.hit(from, down), Some(Hit { distance: 4.75, normal: [0.0, 0.0, 1.0] }));
        assert_eq!(rod.hit([4.0, 0.0, 10.0], down), None);
        assert_eq!(rod.hit([9.0, 0.2, 0.1], [-1.0, 0.0, 0.0]), Some(Hit { distance: 6.0, normal: [1.0, 0.0, 0.0] }));
        assert_eq!(rod.hit([9.0, 0.5, 0.1], [-1.0, 0.0, 0.0]), None);
    }
}
