//! Closed triangle meshes.

use std::collections::HashMap;

use rand::{Rng, RngExt};
use thiserror::Error;

/// A point of space.
pub type Point = [f64; 3];

/// Between a mesh and the unit cube that holds it, in lengths of the cube: room for points near the surface.
pub const MARGIN: f64 = 0.05;

/// Less of the box around a mesh is taken for nothing, or for rounding.
const LEAST_VOLUME: f64 = 1e-9;

/// Why a mesh has no inside.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum MeshError {
    /// No triangles.
    #[error("it has no faces; give a mesh of triangles, not of points or lines")]
    Empty,
    /// A coordinate is infinite or no number.
    #[error("vertex {vertex} is not finite; repair the mesh")]
    NotFinite {
        /// The number of the vertex, counted from 0.
        vertex: usize,
    },
    /// A corner that does not exist.
    #[error("face {face} has corner {vertex}, but there are {vertices} vertices; the file is damaged")]
    NoVertex {
        /// The number of the face, counted from 0.
        face: usize,
        /// The number that a face gives for its corner, from 0.
        vertex: u32,
        /// How many there are.
        vertices: usize,
    },
    /// An edge whose faces do not cancel.
    #[error(
        "its surface is not closed: {edges} edges do not join two faces that turn the same way, the first at ({:.4}, {:.4}, {:.4}); \
         close its holes and orient its faces, as MeshLab or Blender do",
        at[0], at[1], at[2]
    )]
    Open {
        /// How many such edges there are.
        edges: usize,
        /// Where one of them begins.
        at: Point,
    },
    /// Nothing along an axis, such as a sheet with two sides.
    #[error("it has no thickness along {axis}; give the closed surface of a solid")]
    Flat {
        /// x, y or z.
        axis: char,
    },
    /// Nothing between its faces, or as much outside as inside.
    #[error("its faces enclose no volume; give the closed surface of a solid, all of its parts turned the same way")]
    Hollow,
}

/// Triangles that close a surface and turn counterclockwise seen from outside (or all clockwise).
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    vertices: Vec<Point>,
    faces: Vec<[u32; 3]>,
}

/// Where the unit cube lies in the units of a mesh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Its corner with the smallest coordinates.
    pub origin: Point,
    /// The length of its edges.
    pub side: f64,
}

impl Mesh {
    /// Joins vertices at the same place, drops faces without area, and checks that the rest closes a surface.
    ///
    /// # Errors
    /// [`MeshError`], whichever is found first.
    pub fn new(vertices: &[Point], faces: &[[u32; 3]]) -> Result<Self, MeshError> {
        if let Some(vertex) = vertices.iter().position(|vertex| vertex.iter().any(|x| !x.is_finite())) {
            return Err(MeshError::NotFinite { vertex });
        }
        let mut places = HashMap::new();
        let mut joined = Vec::new();
        let index: Vec<u32> = vertices
            .iter()
            .map(|vertex| {
                // Adding zero makes one of the two zeros.
                *places.entry(vertex.map(|x| (x + 0.0).to_bits())).or_insert_with(|| {
                    joined.push(*vertex);
                    (joined.len() - 1) as u32
                })
            })
            .collect();
        let mut kept = Vec::with_capacity(faces.len());
        for (face, corners) in faces.iter().enumerate() {
            if let Some(&vertex) = corners.iter().find(|&&vertex| vertex as usize >= vertices.len()) {
                return Err(MeshError::NoVertex { face, vertex, vertices: vertices.len() });
            }
            let [a, b, c] = corners.map(|vertex| index[vertex as usize]);
            if a != b && b != c && c != a {
                kept.push([a, b, c]);
            }
        }
        let mesh = Self { vertices: joined, faces: kept };
        if mesh.faces.is_empty() {
            return Err(MeshError::Empty);
        }
        mesh.check_closed()?;
        mesh.check_solid()?;
        Ok(mesh)
    }

    /// There is something between the faces.
    fn check_solid(&self) -> Result<(), MeshError> {
        let [low, high] = self.bounds();
        if let Some(axis) = (0..3).find(|&axis| high[axis] <= low[axis]) {
            return Err(MeshError::Flat { axis: ['x', 'y', 'z'][axis] });
        }
        let around: f64 = (0..3).map(|axis| high[axis] - low[axis]).product();
        if self.volume() <= LEAST_VOLUME * around { Err(MeshError::Hollow) } else { Ok(()) }
    }

    /// What the faces enclose, by the divergence theorem.
    pub fn volume(&self) -> f64 {
        // From a corner of its own, not from a far zero.
        let [origin, _] = self.bounds();
        let tetrahedron = |face: usize| {
            let [a, b, c] =
                self.corners(face).map(|corner| -> Point { std::array::from_fn(|k| corner[k] - origin[k]) });
            (0..3).map(|k| a[k] * (b[(k + 1) % 3] * c[(k + 2) % 3] - b[(k + 2) % 3] * c[(k + 1) % 3])).sum::<f64>()
                / 6.0
        };
        (0..self.faces.len()).map(tetrahedron).sum::<f64>().abs()
    }

    /// Every edge is passed as often one way as the other.
    fn check_closed(&self) -> Result<(), MeshError> {
        let mut passes: HashMap<(u32, u32), i32> = HashMap::new();
        for (a, b) in self.faces.iter().flat_map(|&[a, b, c]| [(a, b), (b, c), (c, a)]) {
            *passes.entry((a.min(b), a.max(b))).or_default() += if a < b { 1 } else { -1 };
        }
        let open = || passes.iter().filter(|(_, passes)| **passes != 0).map(|(edge, _)| *edge);
        match open().min() {
            Some((vertex, _)) => Err(MeshError::Open { edges: open().count(), at: self.vertices[vertex as usize] }),
            None => Ok(()),
        }
    }

    /// The corners of the triangles.
    pub fn vertices(&self) -> &[Point] {
        &self.vertices
    }

    /// Triangles of corners.
    pub fn faces(&self) -> &[[u32; 3]] {
        &self.faces
    }

    /// The corners of a face.
    pub fn corners(&self, face: usize) -> [Point; 3] {
        self.faces[face].map(|vertex| self.vertices[vertex as usize])
    }

    /// Smallest and largest coordinates.
    pub fn bounds(&self) -> [Point; 2] {
        let fold = |by: fn(f64, f64) -> f64, start: f64| -> Point {
            std::array::from_fn(|axis| self.vertices.iter().map(|vertex| vertex[axis]).fold(start, by))
        };
        [fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY)]
    }

    /// The mesh within the unit cube, with a margin on three sides at least, and where that cube lies.
    #[must_use]
    pub fn in_unit_cube(&self) -> (Self, Fit) {
        let [low, high] = self.bounds();
        let extent = (0..3).map(|axis| high[axis] - low[axis]).fold(0.0, f64::max);
        let side = extent / (1.0 - 2.0 * MARGIN);
        let origin: Point = low.map(|low| low - MARGIN * side);
        let vertices =
            self.vertices.iter().map(|v| std::array::from_fn(|axis| (v[axis] - origin[axis]) / side)).collect();
        (Self { vertices, faces: self.faces.clone() }, Fit { origin, side })
    }

    /// Points spread evenly over the surface.
    pub fn sample(&self, count: usize, rng: &mut impl Rng) -> Vec<Point> {
        let mut ends = Vec::with_capacity(self.faces.len());
        let mut sum = 0.0;
        for face in 0..self.faces.len() {
            sum += area(self.corners(face));
            ends.push(sum);
        }
        let mut point = || {
            let at = sum * rng.random::<f64>();
            let face = ends.partition_point(|&end| end <= at).min(ends.len() - 1);
            let [a, b, c] = self.corners(face);
            let (mut u, mut v) = (rng.random::<f64>(), rng.random::<f64>());
            if u + v > 1.0 {
                (u, v) = (1.0 - u, 1.0 - v);
            }
            std::array::from_fn(|k| a[k] + u * (b[k] - a[k]) + v * (c[k] - a[k]))
        };
        (0..count).map(|_| point()).collect()
    }
}

fn area([a, b, c]: [Point; 3]) -> f64 {
    let (u, v): (Point, Point) = (std::array::from_fn(|k| b[k] - a[k]), std::array::from_fn(|k| c[k] - a[k]));
    let normal: Point = std::array::from_fn(|k| {
        let (i, j) = ((k + 1) % 3, (k + 2) % 3);
        u[i] * v[j] - u[j] * v[i]
    });
    0.5 * normal.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::random::{Purpose, step_rng};

    /// A cube from 0 to 2 along each axis.
    pub(crate) fn cube() -> (Vec<Point>, Vec<[u32; 3]>) {
        let vertices = (0..8u32).map(|k| [0, 1, 2].map(|axis| f64::from(k >> axis & 1) * 2.0)).collect();
        let squares = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        (vertices, squares.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect())
    }

    #[test]
    fn a_cube_is_closed_and_loses_that_with_a_face() {
        let (vertices, mut faces) = cube();
        let mesh = Mesh::new(&vertices, &faces).unwrap();
        let (unit, fit) = mesh.in_unit_cube();
        assert_eq!((mesh.bounds(), fit.side), ([[0.0; 3], [2.0; 3]], 2.0 / 0.9));
        assert!(unit.bounds()[0].iter().all(|x| (x - 0.05).abs() < 1e-12));
        let on_surface = |p: &Point| p.iter().any(|x| *x == 0.0 || *x == 2.0);
        assert!(mesh.sample(500, &mut step_rng(0, Purpose::SamplePoints, 0)).iter().all(on_surface));
        // Corners of its own for every face, as in STL.
        let loose: Vec<Point> = faces.iter().flatten().map(|&v| vertices[v as usize]).collect();
        let own: Vec<[u32; 3]> = (0..12).map(|k| [3 * k, 3 * k + 1, 3 * k + 2]).collect();
        assert_eq!(Mesh::new(&loose, &own).unwrap().vertices().len(), 8);
        faces[3].swap(0, 1);
        assert!(matches!(Mesh::new(&vertices, &faces), Err(MeshError::Open { edges: 3, .. })));
        faces.pop();
        let error = Mesh::new(&vertices, &faces).unwrap_err().to_string();
        assert!(error.starts_with("its surface is not closed: "), "{error}");
    }

    #[test]
    fn what_has_no_inside_is_refused() {
        let (mut vertices, faces) = cube();
        assert_eq!(Mesh::new(&vertices, &[]), Err(MeshError::Empty));
        assert_eq!(Mesh::new(&vertices, &[[0, 0, 1]]), Err(MeshError::Empty));
        let far = Mesh::new(&vertices, &[[0, 1, 8]]);
        assert_eq!(far, Err(MeshError::NoVertex { face: 0, vertex: 8, vertices: 8 }));
        vertices[5][1] = f64::NAN;
        assert_eq!(Mesh::new(&vertices, &faces), Err(MeshError::NotFinite { vertex: 5 }));
    }

    #[test]
    fn sheets_are_no_solids() {
        let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let both_ways = [[0, 1, 2], [0, 2, 1]];
        assert_eq!(Mesh::new(&corners, &both_ways), Err(MeshError::Flat { axis: 'z' }));
        assert_eq!(Mesh::new(&corners.map(|[x, y, z]| [z, x, y]), &both_ways), Err(MeshError::Flat { axis: 'x' }));
        // Across all three axes.
        assert_eq!(Mesh::new(&corners.map(|[x, y, _]| [x, y, 1.0 - x - y]), &both_ways), Err(MeshError::Hollow));
        let (vertices, mut faces) = cube();
        assert!((Mesh::new(&vertices, &faces).unwrap().volume() - 8.0).abs() < 1e-12);
        // A thin plate far from zero is a solid.
        let plate: Vec<Point> = vertices.iter().map(|[x, y, z]| [x + 1e4, *y, z * 1e-4]).collect();
        assert!(Mesh::new(&plate, &faces).is_ok());
        // As much of it one way as the other.
        let turned: Vec<[u32; 3]> = faces.iter().map(|&[a, b, c]| [a + 8, c + 8, b + 8]).collect();
        faces.extend(turned);
        let twice: Vec<Point> = vertices.iter().copied().chain(vertices.iter().map(|v| v.map(|x| x + 5.0))).collect();
        assert_eq!(Mesh::new(&twice, &faces), Err(MeshError::Hollow));
    }
}
