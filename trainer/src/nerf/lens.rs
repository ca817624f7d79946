//! Lenses that are no ideal pinhole: a principal point off the middle of the picture, pixels that are not square, and
//! the distortion of OpenCV's model.
//!
//! A direction with x/z = u to the right and y/z = v downwards is seen at the place (x, y), in pixels from the
//! picture's upper left corner, where the centre of the first pixel is at (½, ½) as in [`Camera::ray`]:
//!
//! ```text
//! r² = u² + v²            L = 1 + k₁r² + k₂r⁴ + k₃r⁶
//! u' = u·L + 2p₁uv + p₂(r² + 2u²)        x = f_x·u' + c_x
//! v' = v·L + p₁(r² + 2v²) + 2p₂uv        y = f_y·v' + c_y
//! ```
//!
//! Drawing and learning need the opposite way, from the place to the direction. It has no closed form:
//! [`Distortion::invert`] solves for it by Newton's method, to the last digits of double precision.

use firmware_core::march::{Camera, Ray};

/// Newton's steps at most; from a good start it takes four.
const MOST_STEPS: usize = 30;
/// Largest error of a solution, in units of the focal length.
const TOLERANCE: f64 = 1e-12;
/// Stages of the way to a place that Newton's method does not reach at once, and points at which the way is checked.
const STAGES: u32 = 16;

/// OpenCV's distortion.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Distortion {
    /// k₁, k₂, k₃.
    pub radial: [f64; 3],
    /// p₁, p₂.
    pub tangential: [f64; 2],
}

impl Distortion {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// L and its derivative by r².
    fn stretch(&self, squared: f64) -> (f64, f64) {
        let [k1, k2, k3] = self.radial;
        (1.0 + squared * (k1 + squared * (k2 + squared * k3)), k1 + squared * (2.0 * k2 + 3.0 * squared * k3))
    }

    /// (u', v') of (u, v).
    pub fn apply(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let squared = u * u + v * v;
        let ((stretch, _), [p1, p2]) = (self.stretch(squared), self.tangential);
        [
            u * stretch + 2.0 * p1 * u * v + p2 * (squared + 2.0 * u * u),
            v * stretch + p1 * (squared + 2.0 * v * v) + 2.0 * p2 * u * v,
        ]
    }

    /// The derivatives of (u', v') by u, then by v.
    fn derivatives(&self, [u, v]: [f64; 2]) -> [[f64; 2]; 2] {
        let ((stretch, slope), [p1, p2]) = (self.stretch(u * u + v * v), self.tangential);
        let mixed = 2.0 * (slope * u * v + p1 * u + p2 * v);
        [
            [stretch + 2.0 * slope * u * u + 2.0 * p1 * v + 6.0 * p2 * u, mixed],
            [mixed, stretch + 2.0 * slope * v * v + 6.0 * p1 * v + 2.0 * p2 * u],
        ]
    }

    fn determinant(&self, place: [f64; 2]) -> f64 {
        let [[a, b], [c, d]] = self.derivatives(place);
        a * d - b * c
    }

    /// Newton's method from a start.
    fn solve(&self, seen: [f64; 2], start: [f64; 2]) -> Option<[f64; 2]> {
        let mut place = start;
        for _ in 0..MOST_STEPS {
            let found = self.apply(place);
            let error = [found[0] - seen[0], found[1] - seen[1]];
            if error[0].hypot(error[1]) <= TOLERANCE * (1.0 + seen[0].hypot(seen[1])) {
                return Some(place);
            }
            let [[a, b], [c, d]] = self.derivatives(place);
            let determinant = a * d - b * c;
            place[0] -= (d * error[0] - c * error[1]) / determinant;
            place[1] -= (a * error[1] - b * error[0]) / determinant;
        }
        None
    }

    /// (u, v) of (u', v'); `None` where the model has no such direction, or folds the picture on the way there: beyond
    /// the range in which a lens was measured its polynomial may turn back.
    pub fn invert(&self, seen: [f64; 2]) -> Option<[f64; 2]> {
        if self.is_none() {
            return Some(seen);
        }
        let staged = || {
            (1..=STAGES).try_fold([0.0; 2], |start, stage| {
                self.solve(seen.map(|value| value * f64::from(stage) / f64::from(STAGES)), start)
            })
        };
        let place = self.solve(seen, seen).or_else(staged)?;
        let unfolded = |stage: u32| self.determinant(place.map(|x| x * f64::from(stage) / f64::from(STAGES))) > 0.0;
        (1..=STAGES).all(unfolded).then_some(place)
    }
}

/// Where a camera sees which direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// f_x, f_y, pixels.
    pub focal: [f64; 2],
    /// c_x, c_y, pixels.
    pub center: [f64; 2],
    /// By how far places lie from where an ideal pinhole would have them.
    pub distortion: Distortion,
}

impl Lens {
    /// Numbers of [`Lens::to_values`].
    pub const VALUES: usize = 9;

    /// As a row of numbers: f_x, f_y, c_x, c_y, k₁, k₂, k₃, p₁, p₂.
    pub fn to_values(&self) -> [f64; Self::VALUES] {
        let Self { focal: [fx, fy], center: [cx, cy], distortion } = *self;
        let Distortion { radial: [k1, k2, k3], tangential: [p1, p2] } = distortion;
        [fx, fy, cx, cy, k1, k2, k3, p1, p2]
    }

    /// The lens of such a row.
    pub fn from_values(&[fx, fy, cx, cy, k1, k2, k3, p1, p2]: &[f64; Self::VALUES]) -> Self {
        let distortion = Distortion { radial: [k1, k2, k3], tangential: [p1, p2] };
        Self { focal: [fx, fy], center: [cx, cy], distortion }
    }

    /// (u', v') of a place: what a lens without distortion would see there.
    fn seen(&self, x: f64, y: f64) -> [f64; 2] {
        [(x - self.center[0]) / self.focal[0], (y - self.center[1]) / self.focal[1]]
    }

    /// x/z to the right and y/z downwards of the direction seen at a place of the picture; `None` as
    /// [`Distortion::invert`].
    pub fn direction(&self, x: f64, y: f64) -> Option<[f64; 2]> {
        self.distortion.invert(self.seen(x, y))
    }
}

/// A camera with its lens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewpoint {
    /// Place, direction, size of the picture, and the focal length of a pinhole.
    pub camera: Camera,
    /// Where it is no pinhole whose axis meets the middle of the picture.
    pub lens: Option<Lens>,
}

impl From<&Camera> for Viewpoint {
    fn from(camera: &Camera) -> Self {
        Self { camera: *camera, lens: None }
    }
}

impl From<&Self> for Viewpoint {
    fn from(viewpoint: &Self) -> Self {
        *viewpoint
    }
}

impl Viewpoint {
    /// The ray through a place of the picture, as [`Camera::ray`], whose bits it gives where there is no lens.
    pub fn ray(&self, x: f32, y: f32) -> Ray {
        let Some(lens) = &self.lens else { return self.camera.ray(x, y) };
        let (x, y) = (f64::from(x), f64::from(y));
        // Reading a scene has checked that its own pixels have a direction; others are drawn as without distortion.
        let [u, v] = lens.direction(x, y).unwrap_or_else(|| lens.seen(x, y));
        let focal = f64::from(self.camera.focal);
        let place = |offset: f64, side: u16| (0.5 * f64::from(side) + offset * focal) as f32;
        self.camera.ray(place(u, self.camera.width), place(v, self.camera.height))
    }

    /// The ray through the centre of a pixel; pixels are counted row by row.
    pub fn pixel_ray(&self, pixel: usize) -> Ray {
        let width = usize::from(self.camera.width);
        self.ray((pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5)
    }

    /// The same with a picture of another size (pixels a side), see [`super::poses::resized`].
    #[must_use]
    pub fn resized(&self, width: u16, height: u16) -> Self {
        let Camera { width: old_width, height: old_height, .. } = self.camera;
        let factor = f64::from(width.max(height)) / f64::from(old_width.max(old_height));
        let moved = |center: f64, old: u16, new: u16| (center - 0.5 * f64::from(old)) * factor + 0.5 * f64::from(new);
        let lens = self.lens.map(|lens| Lens {
            focal: lens.focal.map(|focal| focal * factor),
            center: [moved(lens.center[0], old_width, width), moved(lens.center[1], old_height, height)],
            ..lens
        });
        Self { camera: super::poses::resized(&self.camera, width, height), lens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a wide lens of a telephone has it.
    const DISTORTION: Distortion = Distortion { radial: [-0.2, 0.05, 0.0], tangential: [0.01, -0.005] };

    #[test]
    fn places_are_those_of_opencvs_model() {
        // By hand at (0.3, -0.2): r² = 0.13, L = 1 - 0.026 + 0.000845 = 0.974845,
        // u' = 0.2924535 - 0.0012 - 0.00155, v' = -0.194969 + 0.0021 + 0.0006.
        let [u, v] = DISTORTION.apply([0.3, -0.2]);
        assert!((u - 0.2897035).abs() < 1e-12 && (v + 0.192269).abs() < 1e-12, "{u} {v}");
        // cv2.projectPoints (opencv-python-headless 5.0.0) of (-0.41, 0.37, 1) with k₁ = 0.11, k₂ = -0.23, p₁ = 0.004,
        // p₂ = -0.003, k₃ = 0.31, f = (500, 480), c = (310, 245).
        let distortion = Distortion { radial: [0.11, -0.23, 0.31], tangential: [0.004, -0.003] };
        let lens = Lens { focal: [500.0, 480.0], center: [310.0, 245.0], distortion };
        let [u, v] = lens.direction(99.136_698_431_250_01, 427.868_870_042).unwrap();
        assert!((u + 0.41).abs() < 1e-9 && (v - 0.37).abs() < 1e-9, "{u} {v}");
        assert_eq!(Lens::from_values(&lens.to_values()), lens);
    }

    #[test]
    fn inverting_comes_back_to_the_start() {
        let strong = Distortion { radial: [0.4, 0.3, 0.1], tangential: [-0.02, 0.03] };
        for distortion in [DISTORTION, strong, Distortion::default()] {
            for step in 0..400 {
                let place = [f64::from(step % 20) * 0.08 - 0.8, f64::from(step / 20) * 0.06 - 0.6];
                let found = distortion.invert(distortion.apply(place)).unwrap();
                let error = (found[0] - place[0]).hypot(found[1] - place[1]);
                assert!(error < 1e-10, "{distortion:?} at {place:?}: {error:e}");
            }
        }
    }

    /// u' = u - u³/2 along the axis turns back at u = √(2/3), where u' = 0.5443: beyond there is nothing.
    #[test]
    fn where_the_model_folds_there_is_no_direction() {
        let folding = Distortion { radial: [-0.5, 0.0, 0.0], tangential: [0.0; 2] };
        let near = folding.invert([0.54, 0.0]).unwrap()[0];
        assert!((near - 0.5 * near.powi(3) - 0.54).abs() < 1e-12 && near < (2.0f64 / 3.0).sqrt(), "{near}");
        assert_eq!(folding.invert([0.55, 0.0]), None);
        assert_eq!(folding.invert([-3.0, 1.0]), None);
    }

    #[test]
    fn rays_go_where_the_lens_says() {
        let to_world = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
        let camera = Camera { to_world, focal: 40.0, width: 48, height: 32 };
        let plain = Viewpoint::from(&camera);
        assert_eq!(plain.pixel_ray(48 * 3 + 5), camera.ray(5.5, 3.5));
        let lens = Lens { focal: [40.0, 50.0], center: [20.0, 18.0], distortion: DISTORTION };
        let viewpoint = Viewpoint { camera, lens: Some(lens) };
        // The principal point looks along -z, whatever the distortion.
        let ahead = viewpoint.ray(20.0, 18.0).direction;
        assert!(ahead[0].abs() < 1e-6 && ahead[1].abs() < 1e-6 && (ahead[2] + 1.0).abs() < 1e-6, "{ahead:?}");
        // (0.3, -0.2) is seen at 40·0.2897035 + 20 and 50·(-0.192269) + 18; y is up in the world.
        let ray = viewpoint.ray(31.588_14, 8.386_55).direction;
        let (right, up) = (ray[0] / -ray[2], ray[1] / -ray[2]);
        assert!((right - 0.3).abs() < 1e-5 && (up - 0.2).abs() < 1e-5, "{right} {up}");
        // Half the size sees the same at half the place.
        let half = viewpoint.resized(24, 16);
        let [a, b] = [viewpoint.ray(30.0, 10.0), half.ray(15.0, 5.0)].map(|ray| ray.direction);
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    }
}
