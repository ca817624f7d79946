//! A scene whose pictures are exact: textured solids, ray-traced in closed form.
//!
//! A table with a ball, a tower and a leaning rod inside a cage of thin rods, all within the cube of half width 1.
//! Colours do not depend on the direction of view: texture times (ambient + diffuse light from afar), no shadows. A
//! *glossy* scene adds Phong's highlight, 0.6·(r·v)¹² of white, r the mirrored light and v the way to the eye. The
//! finest textures have four periods per unit; the rods are 0.06 wide, some three pixels at the default size. Pixels
//! are means over [`SUBPIXELS`]² rays, transparent where those miss.
//!
//! Nothing here knows how a network renders, so that no network is judged by its own renderer.

use std::f64::consts::TAU;
use std::path::Path;

use firmware_core::march::Camera;
use rand::RngExt;
use rayon::prelude::*;

use super::error::NerfError;
use super::poses::{on_sphere, toward_origin};
use super::scene::{Frame, Part, Transforms, View, Views, focal_length};
use super::solids::{Solid, Vector, add, dot, scale, subtract, unit};
use crate::base::files;
use crate::base::random::{Purpose, step_rng};
use crate::store::json;

/// Rays along each side of a pixel.
pub const SUBPIXELS: u32 = 4;
/// Half width of the cube that holds everything.
pub const HALF_WIDTH: f32 = 1.0;
/// Horizontal field of view, radians: 35 mm film behind a 50 mm lens, as in the well-known synthetic scenes.
const CAMERA_ANGLE: f64 = 0.691_111_2;
/// Distance of the cameras from the origin.
const RADIUS: f64 = 3.6;
/// Light that comes from everywhere, as a part of all light.
const AMBIENT: f64 = 0.45;
/// Where the rest comes from.
const LIGHT: Vector = [0.5, -0.35, 0.8];
/// What a highlight adds at its brightest.
const GLOSS: f64 = 0.6;
/// How sharp it is.
const SHININESS: i32 = 12;

/// How large the pictures of a scene are, how many there are, and where they are taken from.
#[derive(Clone, Debug)]
pub struct SynthesizeParams {
    /// Pixels a side.
    pub size: u32,
    /// Views to train on, to validate and to test with.
    pub views: [(Part, usize); 3],
    /// Whether surfaces shine: colours then depend on the direction of view.
    pub glossy: bool,
    /// Seed of the cameras' places.
    pub seed: u64,
}

impl Default for SynthesizeParams {
    /// 128×128 pixels; 100 views to train on, 7 to validate and 13 to test with, as in Tancik et al. (2020).
    fn default() -> Self {
        Self { size: 128, views: [(Part::Train, 100), (Part::Validation, 7), (Part::Test, 13)], glossy: false, seed: 0 }
    }
}

impl SynthesizeParams {
    /// Few small pictures: a trial in seconds.
    pub fn quick() -> Self {
        Self { size: 48, views: [(Part::Train, 24), (Part::Validation, 2), (Part::Test, 4)], glossy: false, seed: 0 }
    }
}

/// A solid with its texture.
struct Textured {
    solid: Solid,
    texture: Texture,
}

/// Two colours that follow each other as the product of two waves.
#[derive(Clone, Copy)]
struct Texture {
    colors: [Vector; 2],
    /// Wave vectors, periods per unit.
    waves: [Vector; 2],
}

impl Texture {
    fn color(&self, place: Vector) -> Vector {
        let wave: f64 = self.waves.iter().map(|&wave| (TAU * dot(wave, place) + 0.7).sin()).product();
        // Steeper than a sine, so that fields of colour have borders, but still band-limited to what pixels resolve.
        let part = 0.5 + 0.5 * (2.5 * wave).tanh() / 2.5f64.tanh();
        add(scale(self.colors[0], 1.0 - part), scale(self.colors[1], part))
    }
}

/// Everything there is.
fn solids() -> Vec<Textured> {
    let plain = |color: Vector, other: Vector, waves: [Vector; 2]| Texture { colors: [color, other], waves };
    let rod = |start: Vector, end: Vector, radius: f64, texture| Textured {
        solid: Solid::Rod { start, end, radius },
        texture,
    };
    let mut all = vec![
        Textured {
            solid: Solid::Cuboid { center: [0.0, 0.0, -0.72], half: [0.9, 0.9, 0.06] },
            texture: plain([0.93, 0.87, 0.72], [0.25, 0.42, 0.62], [[2.5, 0.0, 0.0], [0.0, 2.5, 0.0]]),
        },
        Textured {
            solid: Solid::Sphere { center: [-0.28, -0.25, -0.24], radius: 0.42 },
            texture: plain([0.90, 0.32, 0.18], [0.98, 0.90, 0.55], [[0.0, 0.0, 4.0], [2.0, 2.0, 0.0]]),
        },
        Textured {
            solid: Solid::Cuboid { center: [0.42, 0.40, -0.26], half: [0.22, 0.22, 0.40] },
            texture: plain([0.20, 0.55, 0.35], [0.85, 0.92, 0.60], [[2.0, -2.0, 4.0], [0.0, 0.0, 1.0]]),
        },
        Textured {
            solid: Solid::Sphere { center: [0.42, 0.40, 0.30], radius: 0.16 },
            texture: plain([0.55, 0.25, 0.60], [0.95, 0.75, 0.90], [[3.0, 3.0, 0.0], [0.0, 0.0, 3.0]]),
        },
        rod(
            [0.75, -0.70, -0.66],
            [-0.35, 0.55, 0.55],
            0.05,
            plain([0.15, 0.15, 0.20], [0.95, 0.80, 0.15], [[2.0, -2.0, -2.0], [0.0, 0.0, 0.1]]),
        ),
    ];
    let steel = plain([0.35, 0.38, 0.45], [0.80, 0.82, 0.86], [[0.0, 0.0, 3.0], [0.3, 0.3, 0.0]]);
    let corners = [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]];
    for (index, [x, y]) in corners.into_iter().enumerate() {
        let [next_x, next_y] = corners[(index + 1) % 4];
        all.push(rod([x, y, -0.66], [x, y, 0.72], 0.03, steel));
        all.push(rod([x, y, 0.72], [next_x, next_y, 0.72], 0.03, steel));
    }
    all
}

/// What a ray sees: colour, or nothing.
fn trace(solids: &[Textured], origin: Vector, direction: Vector, glossy: bool) -> Option<Vector> {
    let hits = solids.iter().filter_map(|textured| Some((textured.solid.hit(origin, direction)?, textured.texture)));
    let (hit, texture) = hits.min_by(|(a, _), (b, _)| a.distance.total_cmp(&b.distance))?;
    let place = add(origin, scale(direction, hit.distance));
    // A little inside, where a wave's phase does not jump between the faces of a box.
    let place = subtract(place, scale(hit.normal, 1e-6));
    let incidence = dot(hit.normal, unit(LIGHT)).max(0.0);
    let color = scale(texture.color(place), AMBIENT + (1.0 - AMBIENT) * incidence);
    if !glossy || incidence == 0.0 {
        return Some(color);
    }
    let mirrored = subtract(scale(hit.normal, 2.0 * incidence), unit(LIGHT));
    let highlight = GLOSS * (-dot(mirrored, unit(direction))).max(0.0).powi(SHININESS);
    Some(color.map(|channel| (channel + highlight).min(1.0)))
}

/// Renders one view as RGBA, eight bits, colour not multiplied by alpha.
fn render(solids: &[Textured], to_world: &[[f64; 4]; 3], params: &SynthesizeParams) -> image::RgbaImage {
    let size = params.size;
    let focal = 0.5 * f64::from(size) / (0.5 * CAMERA_ANGLE).tan();
    let photograph = Photograph { solids, to_world, focal, params };
    let rows: Vec<Vec<u8>> =
        (0..size).into_par_iter().map(|y| (0..size).flat_map(|x| photograph.pixel([x, y])).collect()).collect();
    image::RgbaImage::from_raw(size, size, rows.concat()).expect("four bytes a pixel")
}

/// A view to be taken.
struct Photograph<'a> {
    solids: &'a [Textured],
    to_world: &'a [[f64; 4]; 3],
    /// Focal length, pixels.
    focal: f64,
    params: &'a SynthesizeParams,
}

impl Photograph<'_> {
    fn pixel(&self, [x, y]: [u32; 2]) -> [u8; 4] {
        let Self { solids, to_world, focal, params: &SynthesizeParams { size, glossy, .. } } = *self;
        let origin = to_world.map(|row| row[3]);
        let (mut color, mut seen) = ([0.0; 3], 0.0);
        let part = |index: u32| (f64::from(index) + 0.5) / f64::from(SUBPIXELS);
        for index in 0..SUBPIXELS * SUBPIXELS {
            let u = (f64::from(x) + part(index % SUBPIXELS) - 0.5 * f64::from(size)) / focal;
            let v = (0.5 * f64::from(size) - f64::from(y) - part(index / SUBPIXELS)) / focal;
            let direction = to_world.map(|row| u * row[0] + v * row[1] - row[2]);
            if let Some(found) = trace(solids, origin, direction, glossy) {
                color = add(color, found);
                seen += 1.0;
            }
        }
        let byte = |value: f64| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let [red, green, blue] = if seen > 0.0 { color.map(|sum| byte(sum / seen)) } else { [0; 3] };
        [red, green, blue, byte(seen / f64::from(SUBPIXELS * SUBPIXELS))]
    }
}

/// Camera places of a part: evenly spread over the upper half of a sphere along a spiral, each moved a little at
/// random.
fn places(part: Part, count: usize, seed: u64) -> Vec<Vector> {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let stream = match part {
        Part::Train => 0,
        Part::Validation => 1,
        Part::Test => 2,
    };
    let mut rng = step_rng(seed, Purpose::Cameras, stream);
    let start: f64 = rng.random_range(0.0..1.0);
    (0..count)
        .map(|index| {
            let height: f64 = (index as f64 + rng.random_range(0.0..1.0)) / count as f64;
            let azimuth = TAU * (start + GOLDEN * index as f64 + 0.1 * rng.random_range(0.0..1.0));
            // Evenly over the area from the horizon to straight above, apart from the pole itself.
            on_sphere(RADIUS, azimuth, (0.02 + 0.93 * height).asin())
        })
        .collect()
}

/// The views of a part, without files: what reading the written ones gives.
pub fn views(params: &SynthesizeParams, part: Part) -> Views {
    let (solids, size) = (solids(), params.size);
    let count = params.views.iter().find(|(found, _)| *found == part).map_or(0, |&(_, count)| count);
    let focal = focal_length(size, CAMERA_ANGLE);
    let view = |(index, place): (usize, Vector)| {
        let to_world = toward_origin(place);
        let picture = render(&solids, &to_world, params);
        let pixels = picture.pixels().map(|pixel| pixel.0.map(|value| f32::from(value) / f32::from(u8::MAX))).collect();
        let to_world = to_world.map(|row| row.map(|value| value as f32));
        let camera = Camera { to_world, focal, width: size as u16, height: size as u16 };
        View::new(format!("r_{index}"), camera, pixels)
    };
    let views = places(part, count, params.seed).into_iter().enumerate().map(view).collect();
    Views { views, half_width: Some(HALF_WIDTH), ..Views::default() }
}

/// Renders the scene into a folder, which is made where it is missing. Lists of an earlier scene are removed first, so
/// that none ever lies beside other pictures.
///
/// # Errors
/// If a file cannot be written or removed.
pub fn synthesize(folder: &Path, params: &SynthesizeParams, mut rendered: impl FnMut(usize)) -> Result<(), NerfError> {
    let solids = solids();
    for (part, _) in params.views {
        files::remove(&part.list(folder))?;
    }
    let mut done = 0;
    for &(part, count) in &params.views {
        let pictures = folder.join(part.name());
        files::make_folder(&pictures)?;
        let mut frames = Vec::with_capacity(count);
        for (index, place) in places(part, count, params.seed).into_iter().enumerate() {
            let to_world = toward_origin(place);
            let mut png = std::io::Cursor::new(Vec::new());
            render(&solids, &to_world, params)
                .write_to(&mut png, image::ImageFormat::Png)
                .map_err(|error| NerfError::Encode(error.to_string()))?;
            files::write(&pictures.join(format!("r_{index}.png")), png.get_ref())?;
            let mut matrix: Vec<Vec<f64>> = to_world.iter().map(|row| row.to_vec()).collect();
            matrix.push(vec![0.0, 0.0, 0.0, 1.0]);
            let file_path = format!("./{}/r_{index}", part.name());
            frames.push(Frame { file_path, transform_matrix: matrix });
            done += 1;
            rendered(done);
        }
        let list = Transforms { camera_angle_x: Some(CAMERA_ANGLE), half_width: Some(HALF_WIDTH), frames };
        json::write(&part.list(folder), &list)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::scene;

    #[test]
    fn what_is_written_can_be_read_and_everything_fits_the_cube() {
        let folder = tempfile::tempdir().unwrap();
        let views = [(Part::Train, 3), (Part::Validation, 1), (Part::Test, 2)];
        let params = SynthesizeParams { size: 24, views, glossy: false, seed: 5 };
        synthesize(folder.path(), &params, |_| ()).unwrap();
        for (part, count) in views {
            let found = scene::read(folder.path(), part).unwrap();
            assert_eq!((found.views.len(), found.half_width), (count, Some(1.0)));
            assert_eq!(super::views(&params, part).views, found.views);
            for view in &found.views {
                let opaque = view.pixels.iter().filter(|pixel| pixel[3] == 1.0).count();
                let clear = view.pixels.iter().filter(|pixel| pixel[3] == 0.0).count();
                assert!(opaque > 24 * 24 / 10 && clear > 24 * 24 / 10, "{opaque} {clear}");
            }
        }
        // Rays from afar in every direction: whatever they meet lies in the cube.
        let solids = solids();
        for azimuth in 0..60 {
            for elevation in -8..=8 {
                let place = on_sphere(4.0, f64::from(azimuth) * 0.1, f64::from(elevation) * 0.18);
                for target in solids.iter().map(|_| scale(unit(place), 0.2)) {
                    let direction = subtract(target, place);
                    for textured in &solids {
                        if let Some(hit) = textured.solid.hit(place, direction) {
                            let at = add(place, scale(direction, hit.distance));
                            assert!(at.iter().all(|x| x.abs() <= f64::from(HALF_WIDTH)), "{at:?}");
                        }
                    }
                }
            }
        }
    }

    /// Whenever it is interrupted, no list of the scene before names the pictures of this one.
    #[test]
    fn lists_of_another_scene_do_not_outlive_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let params = SynthesizeParams {
            size: 8,
            views: [(Part::Train, 2), (Part::Validation, 1), (Part::Test, 1)],
            glossy: false,
            seed: 5,
        };
        synthesize(folder.path(), &params, |_| ()).unwrap();
        let lists = params.views.map(|(part, _)| part.list(folder.path()));
        assert!(lists.iter().all(|list| list.exists()));
        let mut counts = Vec::new();
        let count = |_| counts.push(lists.iter().filter(|list| list.exists()).count());
        synthesize(folder.path(), &SynthesizeParams { seed: 6, ..params }, count).unwrap();
        assert_eq!(counts, [0, 0, 1, 2], "lists after each picture");
    }

    #[test]
    fn nearer_solids_hide_those_behind() {
        let texture = |color| Texture { colors: [color, color], waves: [[0.0; 3]; 2] };
        let sphere = |z, color| Textured {
            solid: Solid::Sphere { center: [0.0, 0.0, z], radius: 0.5 },
            texture: texture(color),
        };
        let solids = [sphere(-2.0, [0.0, 1.0, 0.0]), sphere(2.0, [1.0, 0.0, 0.0])];
        let seen = trace(&solids, [0.0, 0.0, 5.0], [0.0, 0.0, -1.0], false).unwrap();
        assert!(seen[0] > 0.4 && seen[1] == 0.0);
        assert!(trace(&solids, [0.0, 0.0, 5.0], [1.0, 0.0, 0.0], false).is_none());
    }

    #[test]
    fn highlights_are_where_the_light_is_mirrored_to_the_eye() {
        let texture = Texture { colors: [[0.2; 3]; 2], waves: [[0.0; 3]; 2] };
        let ball = [Textured { solid: Solid::Sphere { center: [0.0; 3], radius: 1.0 }, texture }];
        // The place whose normal points to the light, seen from there and from the side.
        let toward = |eye: Vector, glossy| {
            let place = scale(unit(LIGHT), 1.0);
            trace(&ball, eye, subtract(place, eye), glossy).unwrap()[0]
        };
        let (above, side) = (scale(unit(LIGHT), 3.0), add(scale(unit(LIGHT), 1.5), [2.0, 0.0, 0.0]));
        assert!((toward(above, false) - 0.2).abs() < 1e-6 && (toward(side, false) - 0.2).abs() < 1e-6);
        assert!((toward(above, true) - 0.8).abs() < 1e-6 && toward(side, true) < 0.25);
        // The dark side has none.
        let below = scale(above, -1.0);
        assert_eq!(trace(&ball, below, unit(LIGHT), true), trace(&ball, below, unit(LIGHT), false));
    }
}
