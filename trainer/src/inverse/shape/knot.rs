//! A knot as the solid to learn where no mesh is given: detail at three scales, and nothing to download.

use std::f64::consts::TAU;

use super::mesh::{Mesh, Point};
use super::read::NamedMesh;

/// Rings along the knot, and corners of a ring.
const RINGS: usize = 720;
const CORNERS: usize = 96;
/// Radius of the tube; the knot itself measures about 6 across.
const TUBE: f64 = 0.72;

/// The knot with its name.
pub fn solid() -> NamedMesh {
    NamedMesh { name: "a trefoil knot with ridges and studs".to_owned(), mesh: mesh() }
}

/// A trefoil knot of a tube with a twisted relief of ridges and fine studs.
pub fn mesh() -> Mesh {
    let vertices: Vec<Point> = (0..RINGS * CORNERS).map(|k| surface(k / CORNERS, k % CORNERS)).collect();
    let at = |ring: usize, corner: usize| (ring % RINGS * CORNERS + corner % CORNERS) as u32;
    let square = |k: usize| {
        let (ring, corner) = (k / CORNERS, k % CORNERS);
        let [a, b, c, d] = [at(ring, corner), at(ring + 1, corner), at(ring + 1, corner + 1), at(ring, corner + 1)];
        [[a, b, c], [a, c, d]]
    };
    let faces: Vec<[u32; 3]> = (0..RINGS * CORNERS).flat_map(square).collect();
    Mesh::new(&vertices, &faces).expect("a torus is closed")
}

fn surface(ring: usize, corner: usize) -> Point {
    let (u, v) = (TAU * ring as f64 / RINGS as f64, TAU * corner as f64 / CORNERS as f64);
    let step = 1e-4;
    let (centre, before, after) = (core(u), core(u - step), core(u + step));
    let along = unit(std::array::from_fn(|k| after[k] - before[k]));
    // The knot is nowhere vertical, so up serves to hold the ring.
    let side = unit(cross(along, [0.0, 0.0, 1.0]));
    let up = cross(side, along);
    let ridges = 0.14 * (5.0 * v + 9.0 * u).cos();
    let studs = 0.07 * ((16.0 * v).cos() * (120.0 * u).cos()).max(0.0);
    let radius = TUBE * (1.0 + ridges + studs);
    std::array::from_fn(|k| centre[k] + radius * (v.cos() * side[k] + v.sin() * up[k]))
}

/// A place on the curve in the middle of the tube.
fn core(u: f64) -> Point {
    [u.sin() + 2.0 * (2.0 * u).sin(), u.cos() - 2.0 * (2.0 * u).cos(), -1.3 * (3.0 * u).sin()]
}

fn cross(a: Point, b: Point) -> Point {
    std::array::from_fn(|k| a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3])
}

fn unit(a: Point) -> Point {
    let length = a.iter().map(|x| x * x).sum::<f64>().sqrt();
    a.map(|x| x / length)
}
