//! Whether points lie within a closed mesh.
//!
//! From a point a ray goes up; faces that it leaves through count 1, those that it enters through -1. The sum is the
//! winding number, zero outside. Whether the ray passes left or right of an edge is computed the same for both faces of
//! the edge, and ties go one way, so that a ray through an edge or a corner passes exactly one face on either side of a
//! closed surface.

use std::ops::RangeInclusive;

use super::mesh::{Mesh, Point};

/// Cells along x and y, at most; about as many in all as there are faces.
const MOST_CELLS: usize = 1024;
/// Entries of all lists for each face, at most. Long slivers cross many cells; cells grow until this holds.
const ENTRIES: usize = 32;
/// What rounding may add to the shadow of a face, in cells.
const ROUNDING: f64 = 1e-6;

/// A mesh sorted for questions.
#[derive(Clone, Debug)]
pub struct Inside<'a> {
    mesh: &'a Mesh,
    grid: Grid,
    /// Faces above and below cell (x, y) are `faces[starts[y·cells + x]..starts[y·cells + x + 1]]`.
    starts: Vec<usize>,
    faces: Vec<u32>,
}

impl<'a> Inside<'a> {
    /// Sorts the faces into cells.
    pub fn new(mesh: &'a Mesh) -> Self {
        let count = mesh.faces().len();
        let mut cells = count.isqrt().clamp(1, MOST_CELLS);
        let entries = |grid: &Grid| -> usize {
            (0..count).flat_map(|face| grid.shadow(mesh, face)).map(|(_, x)| x.count()).sum()
        };
        let mut grid = Grid::new(mesh, cells);
        while cells > 1 && entries(&grid) > ENTRIES * count {
            cells /= 2;
            grid = Grid::new(mesh, cells);
        }
        let covered =
            |face: usize| grid.shadow(mesh, face).flat_map(move |(y, columns)| columns.map(move |x| y * cells + x));
        let mut ends = vec![0; cells * cells + 1];
        (0..count).flat_map(covered).for_each(|cell| ends[cell] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        // Filled from the ends, which become the starts.
        let mut faces = vec![0; sum];
        for face in 0..count {
            for cell in covered(face) {
                ends[cell] -= 1;
                faces[ends[cell]] = face as u32;
            }
        }
        Self { mesh, grid, starts: ends, faces }
    }

    /// Whether the surface winds around the point.
    pub fn contains(&self, point: Point) -> bool {
        let [x, y] = self.grid.place(point).map(|place| self.grid.cell(place));
        let cell = y * self.grid.cells + x;
        let faces = &self.faces[self.starts[cell]..self.starts[cell + 1]];
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

    /// Whether the point lies left of the edge from `a` to `b` seen from above, and twice the area of the triangle with
    /// it.
    fn side(&self, a: u32, b: u32, point: Point) -> (bool, f64) {
        let (first, second) = (self.mesh.vertices()[a.min(b) as usize], self.mesh.vertices()[a.max(b) as usize]);
        let area = (second[0] - first[0]) * (point[1] - first[1]) - (second[1] - first[1]) * (point[0] - first[0]);
        if a < b { (area >= 0.0, area) } else { (area < 0.0, -area) }
    }
}

/// Cells, as many along x as along y, over the bounds of a mesh.
#[derive(Clone, Debug)]
struct Grid {
    cells: usize,
    low: [f64; 2],
    /// Cells a unit of length.
    density: [f64; 2],
}

impl Grid {
    fn new(mesh: &Mesh, cells: usize) -> Self {
        let [low, high] = mesh.bounds();
        let density = [0, 1].map(|axis| cells as f64 / (high[axis] - low[axis]).max(f64::MIN_POSITIVE));
        Self { cells, low: [low[0], low[1]], density }
    }

    /// Where a point is seen from above, in cells.
    fn place(&self, point: Point) -> [f64; 2] {
        [0, 1].map(|axis| (point[axis] - self.low[axis]) * self.density[axis])
    }

    fn cell(&self, place: f64) -> usize {
        (place.max(0.0) as usize).min(self.cells - 1)
    }

    /// Rows of cells that a face is above or below, and in each the columns.
    fn shadow(&self, mesh: &Mesh, face: usize) -> impl Iterator<Item = (usize, RangeInclusive<usize>)> {
        let corners = mesh.corners(face).map(|corner| self.place(corner));
        let [low, high] = [f64::min, f64::max].map(|of| of(of(corners[0][1], corners[1][1]), corners[2][1]));
        (self.cell(low - ROUNDING)..=self.cell(high + ROUNDING)).map(move |row| {
            // What of each edge lies in the row; the bottom and the top row reach as far as need be.
            let bottom = if row == 0 { f64::NEG_INFINITY } else { row as f64 - ROUNDING };
            let top = if row + 1 == self.cells { f64::INFINITY } else { (row + 1) as f64 + ROUNDING };
            let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
            for k in 0..3 {
                let ([ax, ay], [bx, by]) = (corners[k], corners[(k + 1) % 3]);
                for y in [ay.clamp(bottom, top), by.clamp(bottom, top)] {
                    if (ay.min(by)..=ay.max(by)).contains(&y) {
                        let x = if y == ay {
                            ax
                        } else if y == by {
                            bx
                        } else {
                            ax + (bx - ax) * (y - ay) / (by - ay)
                        };
                        (left, right) = (left.min(x), right.max(x));
                    }
                }
            }
            (row, self.cell(left - ROUNDING)..=self.cell(right + ROUNDING))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Purpose, step_rng};
    use crate::inverse::shape::knot;
    use crate::inverse::shape::mesh::tests::cube;
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
        let (mesh, _) = knot::mesh().in_unit_cube();
        let inside = Inside::new(&mesh);
        let mut rng = step_rng(1, Purpose::SamplePoints, 0);
        let n = 40_000;
        let hits = (0..n).filter(|_| inside.contains(std::array::from_fn(|_| rng.random()))).count();
        let volume = mesh.volume();
        let deviation = (volume * (1.0 - volume) / f64::from(n)).sqrt();
        assert!((hits as f64 / f64::from(n) - volume).abs() < 4.0 * deviation, "{hits} {volume}");
    }

    #[test]
    fn slivers_take_no_more_room_than_other_faces() {
        // A cylinder whose ends are fans from one corner, as CAD programs export it: no cell is far from most slivers'
        // boxes.
        let n = 5_000u32;
        let corner = |k: u32| {
            let angle = std::f64::consts::TAU * f64::from(k % n) / f64::from(n);
            [angle.cos(), angle.sin(), f64::from(k / n)]
        };
        let vertices: Vec<Point> = (0..2 * n).map(corner).collect();
        let ends = (1..n - 1).flat_map(|k| [[0, k + 1, k], [n, n + k, n + k + 1]]);
        let side = (0..n).flat_map(|k| {
            let next = (k + 1) % n;
            [[k, next, n + next], [k, n + next, n + k]]
        });
        let mesh = Mesh::new(&vertices, &ends.chain(side).collect::<Vec<_>>()).unwrap();
        let inside = Inside::new(&mesh);
        assert!(inside.faces.len() <= ENTRIES * mesh.faces().len());
        assert!(inside.grid.cells >= 8, "{}", inside.grid.cells);
        let mut rng = step_rng(1, Purpose::SamplePoints, 0);
        for _ in 0..5_000 {
            let point: Point = std::array::from_fn(|_| 2.4 * rng.random::<f64>() - 1.2);
            let radius = point[0].hypot(point[1]);
            if (radius - 1.0).abs() > 1e-6 {
                let within = radius < 1.0 && point[2] > 0.0 && point[2] < 1.0;
                assert_eq!(inside.contains(point), within, "{point:?}");
            }
        }
    }
}
