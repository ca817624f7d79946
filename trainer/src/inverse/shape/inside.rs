//! Whether points lie within a closed mesh.
//!
//! From a point a ray goes up; faces that it leaves through count 1, those that it enters through -1. The sum is the winding
//! number, zero outside. Whether the ray passes left or right of an edge is computed the same for both faces of the edge, and
//! ties go one way, so that a ray through an edge or a corner passes exactly one face on either side of a closed surface.

use super::mesh::{Mesh, Point};

/// Cells along x and y; a cell lists the faces above and below it.
const CELLS: usize = 128;

/// A mesh sorted for questions.
#[derive(Clone, Debug)]
pub struct Inside<'a> {
    mesh: &'a Mesh,
    low: [f64; 2],
    /// Cells a unit of length.
    density: [f64; 2],
    /// Faces of cell (x, y) are `faces[starts[y·CELLS + x]..starts[y·CELLS + x + 1]]`.
    starts: Vec<u32>,
    faces: Vec<u32>,
}

impl<'a> Inside<'a> {
    /// Sorts the faces into cells.
    pub fn new(mesh: &'a Mesh) -> Self {
        let [low, high] = mesh.bounds();
        let density = [0, 1].map(|axis| CELLS as f64 / (high[axis] - low[axis]).max(f64::MIN_POSITIVE));
        let mut sorted =
            Self { mesh, low: [low[0], low[1]], density, starts: vec![0; CELLS * CELLS + 1], faces: Vec::new() };
        let covered = |face: usize| {
            let corners = mesh.corners(face);
            let [x, y] = [0, 1].map(|axis| {
                let places = corners.map(|corner| sorted.cell(axis, corner[axis]));
                places[0].min(places[1]).min(places[2])..=places[0].max(places[1]).max(places[2])
            });
            y.flat_map(move |y| x.clone().map(move |x| y * CELLS + x))
        };
        let mut cells: Vec<(u32, u32)> = (0..mesh.faces().len())
            .flat_map(|face| covered(face).map(move |cell| (cell as u32, face as u32)))
            .collect();
        cells.sort_unstable();
        for &(cell, _) in &cells {
            sorted.starts[cell as usize + 1] += 1;
        }
        for cell in 0..CELLS * CELLS {
            sorted.starts[cell + 1] += sorted.starts[cell];
        }
        sorted.faces = cells.into_iter().map(|(_, face)| face).collect();
        sorted
    }

    fn cell(&self, axis: usize, position: f64) -> usize {
        (((position - self.low[axis]) * self.density[axis]).max(0.0) as usize).min(CELLS - 1)
    }

    /// Whether the surface winds around the point.
    pub fn contains(&self, point: Point) -> bool {
        let cell = self.cell(1, point[1]) * CELLS + self.cell(0, point[0]);
        let faces = &self.faces[self.starts[cell] as usize..self.starts[cell + 1] as usize];
        faces.iter().map(|&face| self.passes(face as usize, point)).sum::<i32>() != 0
    }

    /// 1 or -1 if the ray from the point upwards passes the face, by the way that this turns.
    fn passes(&self, face: usize, point: Point) -> i32 {
        let [a, b, c] = self.mesh.faces()[face];
        let sides = [self.side(a, b, point), self.side(b, c, point), self.side(c, a, point)];
        let turn = match sides.map(|(left, _)| left) {
            [true, true, true] => 1,
            [false, false, false] => -1,
            _ => return 0,
        };
        // Weights of the corners: each is the area opposite to it.
        let [opposite_c, opposite_a, opposite_b] = sides.map(|(_, area)| area);
        let sum = opposite_a + opposite_b + opposite_c;
        let [za, zb, zc] = self.mesh.corners(face).map(|corner| corner[2]);
        let height = if sum == 0.0 { za } else { (opposite_a * za + opposite_b * zb + opposite_c * zc) / sum };
        if height > point[2] { turn } else { 0 }
    }

    /// Whether the point lies left of the edge from `a` to `b` seen from above, and twice the area of the triangle with it.
    fn side(&self, a: u32, b: u32, point: Point) -> (bool, f64) {
        let (first, second) = (self.mesh.vertices()[a.min(b) as usize], self.mesh.vertices()[a.max(b) as usize]);
        let area = (second[0] - first[0]) * (point[1] - first[1]) - (second[1] - first[1]) * (point[0] - first[0]);
        if a < b { (area >= 0.0, area) } else { (area < 0.0, -area) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverse::shape::made;
    use crate::inverse::shape::mesh::tests::cube;
    use crate::train::step_rng;
    use rand::RngExt;

    #[test]
    fn a_cube_holds_its_inside_and_rays_along_edges_count_once() {
        let (vertices, faces) = cube();
        let mesh = Mesh::new(&vertices, &faces).unwrap();
        let inside = Inside::new(&mesh);
        // On a grid that meets diagonals of the faces, and the shadows of edges and corners.
        for k in 0..9 * 9 * 9 {
            let point = [k % 9, k / 9 % 9, k / 81].map(|i| f64::from(i) * 0.5 - 1.0);
            let strictly = point.iter().all(|x| *x > 0.0 && *x < 2.0);
            let outside = point.iter().any(|x| *x < 0.0 || *x > 2.0);
            assert!(inside.contains(point) == strictly || (!strictly && !outside), "{point:?}");
        }
    }

    #[test]
    fn the_volume_is_that_of_the_divergence_theorem() {
        let made = made::knot();
        let (mesh, _) = made.in_unit_cube();
        let inside = Inside::new(&mesh);
        let mut rng = step_rng(1, 0, 0);
        let n = 40_000;
        let hits = (0..n).filter(|_| inside.contains(std::array::from_fn(|_| rng.random()))).count();
        let tetrahedron = |[a, b, c]: [Point; 3]| {
            let k = |i: usize, j: usize| b[i] * c[j] - b[j] * c[i];
            (a[0] * k(1, 2) + a[1] * k(2, 0) + a[2] * k(0, 1)) / 6.0
        };
        let volume = (0..mesh.faces().len()).map(|face| tetrahedron(mesh.corners(face))).sum::<f64>().abs();
        let deviation = (volume * (1.0 - volume) / f64::from(n)).sqrt();
        assert!((hits as f64 / f64::from(n) - volume).abs() < 4.0 * deviation, "{hits} {volume}");
    }
}
