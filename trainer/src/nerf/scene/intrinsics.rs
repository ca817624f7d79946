//! What list and frame say of the lens, for a picture of a known size.
//!
//! Focal lengths and principal point are in pixels of a picture of `w` × `h`. A picture that is a whole number of times
//! smaller or larger is taken as the same picture scaled, and the lens with it.

use std::path::Path;

use super::super::lens::{Distortion, Lens};
use super::error::SceneError;
use super::keys::Keys;
use super::{ANGLES, focal_length};

/// How far a focal length may be from that of the angle beside it: exporters round.
const AGREEMENT: f64 = 0.02;
/// Below these differences, relative and in pixels, a lens is a plain pinhole: single precision sees none.
const SAME_FOCAL: f64 = 1e-7;
const SAME_CENTER: f64 = 1e-5;
/// How many times smaller or larger than w × h a picture may be.
const MOST_TIMES: f64 = 64.0;
/// Focal lengths that are possible.
const SPAN: &str = "a focal length in pixels at which the picture spans 0.001 to 3.1 radians";
/// Where a principal point lies whose picture's size is not said.
const WITHIN: &str =
    "a place within the picture, or w and h beside it that say for which size of the picture it is meant";
/// The keys of each axis: focal length, angle in radians, angle in degrees, principal point, size.
const AXES: [[&str; 5]; 2] =
    [["fl_x", "camera_angle_x", "x_fov", "cx", "w"], ["fl_y", "camera_angle_y", "y_fov", "cy", "h"]];

/// A focal length as it is written.
#[derive(Clone, Copy, Debug)]
enum Focal {
    /// Pixels of a picture of w × h.
    Pixels(f64),
    /// Field of view, radians.
    Angle(f64),
}

/// What one object says, horizontally and vertically.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Intrinsics {
    focal: [Option<Focal>; 2],
    center: [Option<f64>; 2],
    size: [Option<u32>; 2],
    /// k1, k2, k3, p1, p2.
    distortion: [Option<f64>; 5],
}

/// A lens for a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitted {
    /// Of the plain pinhole.
    pub(super) focal: f32,
    /// Where it is none.
    pub(super) lens: Option<Lens>,
    /// The size that the picture is a scaled version of.
    pub(super) scaled_from: Option<[u32; 2]>,
}

impl Intrinsics {
    /// Reads what an object says.
    pub(super) fn of(keys: &Keys<'_>) -> Result<Self, SceneError> {
        let mut found = Self::default();
        for (axis, [focal, angle, degrees, center, size]) in AXES.into_iter().enumerate() {
            found.size[axis] = side(keys, size)?;
            found.center[axis] = keys.number(center)?;
            let pixels = keys.positive(focal)?;
            let (angle_key, radians) = match keys.number(angle)? {
                Some(radians) => (angle, Some(radians)),
                None => (degrees, keys.number(degrees)?.map(f64::to_radians)),
            };
            if let Some(radians) = radians {
                check_angle(keys, angle_key, radians)?;
            }
            found.focal[axis] = match (pixels, radians) {
                (Some(pixels), Some(radians)) => {
                    contradiction(keys, axis, (pixels, angle_key, radians), found.size[axis])?;
                    Some(Focal::Pixels(pixels))
                }
                (pixels, radians) => pixels.map(Focal::Pixels).or(radians.map(Focal::Angle)),
            };
        }
        for (slot, key) in found.distortion.iter_mut().zip(["k1", "k2", "k3", "p1", "p2"]) {
            *slot = keys.number(key)?;
        }
        Ok(found)
    }

    /// What is said here, and by the list where nothing is.
    pub(super) fn or(self, list: Self) -> Self {
        let has_size = self.size.iter().any(Option::is_some);
        Self {
            focal: [0, 1].map(|axis| self.focal[axis].or(list.focal[axis])),
            center: [0, 1].map(|axis| self.center[axis].or(list.center[axis])),
            size: if has_size { self.size } else { list.size },
            distortion: std::array::from_fn(|k| self.distortion[k].or(list.distortion[k])),
        }
    }

    /// The lens of a picture of a size.
    pub(super) fn fit(
        &self,
        (path, frame, picture): (&Path, usize, &Path),
        size: (u32, u32),
    ) -> Result<Fitted, SceneError> {
        let sides = [size.0, size.1];
        let expected = [0, 1].map(|axis| self.size[axis].unwrap_or(sides[axis]));
        let factors = self.factors(sides, expected).ok_or_else(|| SceneError::Size {
            path: path.to_owned(),
            frame,
            picture: picture.to_owned(),
            found: size,
            expected: (expected[0], expected[1]),
        })?;
        let unfit = |Unfit { key, value, expected }| SceneError::Value {
            path: path.to_owned(),
            frame: Some(frame),
            key: key.to_owned(),
            value: value.to_string(),
            expected,
        };
        let no_angle = || SceneError::NoAngle { path: path.to_owned(), frame: Some(frame) };
        let focal = self.focal_lengths(sides, factors).ok_or_else(no_angle)?;
        self.check_focal_lengths(focal, sides, factors).map_err(unfit)?;
        let center = self.principal_point(sides, factors).map_err(unfit)?;
        let [k1, k2, k3, p1, p2] = self.distortion.map(Option::unwrap_or_default);
        let lens = Lens { focal, center, distortion: Distortion { radial: [k1, k2, k3], tangential: [p1, p2] } };
        Ok(Fitted {
            focal: match self.focal[0] {
                Some(Focal::Angle(angle)) => focal_length(size.0, angle),
                _ => focal[0] as f32,
            },
            lens: (!is_plain(&lens, sides)).then_some(lens),
            scaled_from: (factors != [1.0; 2]).then_some(expected),
        })
    }

    /// By what pixels of the expected sides are to be multiplied; `None` where the picture is none of that one scaled.
    /// Angles alone hold for a picture of any size.
    fn factors(&self, sides: [u32; 2], expected: [u32; 2]) -> Option<[f64; 2]> {
        let in_pixels = |focal: &Option<Focal>| matches!(focal, Some(Focal::Pixels(_)));
        let is_absolute = self.focal.iter().any(in_pixels) || self.center.iter().any(Option::is_some);
        if is_absolute { scale(sides, expected) } else { Some([1.0; 2]) }
    }

    /// In pixels of the picture, which are square unless both are said; `None` where neither is.
    fn focal_lengths(&self, sides: [u32; 2], factors: [f64; 2]) -> Option<[f64; 2]> {
        let [x, y] = [0, 1].map(|axis| {
            self.focal[axis].map(|focal| match focal {
                Focal::Pixels(pixels) => pixels * factors[axis],
                Focal::Angle(angle) => 0.5 * f64::from(sides[axis]) / (0.5 * angle).tan(),
            })
        });
        Some([x.or(y)?, y.or(x)?])
    }

    /// Refuses those at which the picture is seen at an impossible angle.
    fn check_focal_lengths(&self, focal: [f64; 2], sides: [u32; 2], factors: [f64; 2]) -> Result<(), Unfit> {
        for axis in [0, 1] {
            let angle = 2.0 * (0.5 * f64::from(sides[axis]) / focal[axis]).atan();
            if !(ANGLES.0..=ANGLES.1).contains(&angle) {
                let key = AXES[if self.focal[axis].is_some() { axis } else { 1 - axis }][0];
                return Err(Unfit { key, value: focal[axis] / factors[axis], expected: SPAN });
            }
        }
        Ok(())
    }

    /// In pixels of the picture; its middle where nothing else is said.
    fn principal_point(&self, sides: [u32; 2], factors: [f64; 2]) -> Result<[f64; 2], Unfit> {
        let middle = middle(sides);
        let center = [0, 1].map(|axis| self.center[axis].map_or(middle[axis], |center| center * factors[axis]));
        for axis in [0, 1] {
            let is_within = (0.0..=f64::from(sides[axis])).contains(&center[axis]);
            if self.size[axis].is_none() && !is_within {
                return Err(Unfit { key: AXES[axis][3], value: center[axis], expected: WITHIN });
            }
        }
        Ok(center)
    }
}

/// A value that is none of those that its key can have.
struct Unfit {
    key: &'static str,
    value: f64,
    expected: &'static str,
}

fn middle(sides: [u32; 2]) -> [f64; 2] {
    sides.map(|side| 0.5 * f64::from(side))
}

/// Whether a lens is a pinhole before the middle of its picture, with square pixels.
fn is_plain(lens: &Lens, sides: [u32; 2]) -> bool {
    let [fx, fy] = lens.focal;
    let is_centered =
        lens.center.iter().zip(middle(sides)).all(|(center, middle)| (center - middle).abs() < SAME_CENTER);
    is_centered && (fx / fy - 1.0).abs() < SAME_FOCAL && lens.distortion.is_none()
}

/// A number of pixels.
fn side(keys: &Keys<'_>, key: &str) -> Result<Option<u32>, SceneError> {
    let whole = |side: f64| (side.fract() == 0.0 && (1.0..=1e6).contains(&side)).then_some(side as u32);
    keys.number(key)?.map(|side| whole(side).ok_or_else(|| keys.unfit(key, "a whole number of pixels"))).transpose()
}

fn check_angle(keys: &Keys<'_>, key: &'static str, angle: f64) -> Result<(), SceneError> {
    if (ANGLES.0..=ANGLES.1).contains(&angle) {
        return Ok(());
    }
    Err(SceneError::Angle { path: keys.path.to_owned(), frame: keys.frame, key, angle, range: ANGLES })
}

/// Refuses a focal length beside an angle that says something else.
fn contradiction(
    keys: &Keys<'_>,
    axis: usize,
    (focal, angle_key, angle): (f64, &'static str, f64),
    size: Option<u32>,
) -> Result<(), SceneError> {
    let Some(size) = size else { return Ok(()) };
    let implied = 0.5 * f64::from(size) / (0.5 * angle).tan();
    if (focal / implied - 1.0).abs() <= AGREEMENT {
        return Ok(());
    }
    let (path, key) = (keys.path.to_owned(), AXES[axis][0]);
    Err(SceneError::Contradiction { path, frame: keys.frame, key, focal, angle_key, angle, implied })
}

/// By what pixels are to be multiplied where a picture has other sides than it was meant to have: sides are a whole
/// number of times smaller, up to what was cut off to make them whole, or larger. `None` where they are neither.
pub(super) fn scale(sides: [u32; 2], expected: [u32; 2]) -> Option<[f64; 2]> {
    let ratios = [0, 1].map(|axis| f64::from(sides[axis]) / f64::from(expected[axis]));
    if sides == expected {
        return Some(ratios);
    }
    let smaller = (1.0 / ratios[0].max(ratios[1])).round();
    let is_part = |axis: usize| (f64::from(expected[axis]) / smaller - f64::from(sides[axis])).abs() < 1.0;
    let is_smaller = (2.0..=MOST_TIMES).contains(&smaller) && is_part(0) && is_part(1);
    let is_larger = ratios[0] == ratios[1] && ratios[0].fract() == 0.0 && (2.0..=MOST_TIMES).contains(&ratios[0]);
    (is_smaller || is_larger).then_some(ratios)
}
