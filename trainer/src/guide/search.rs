//! The kernel of one output: the one with the least squared error at rows left out.
//!
//! With `A = (K + nugget)⁻¹` the error at row i, when it alone is left out, is `(A y)_i / A_ii`. The search goes over a coarse lattice of
//! σ and nuggets for each kernel, then changes the best one axis at a time. It sees at most [`SEARCH_ROWS`] rows; the regression
//! itself goes through all of them.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::seq::index;
use rayon::prelude::*;

use super::kernel::{Kernel, Smoothness};
use crate::theory::TheoryError;
use crate::theory::linalg::Cholesky;
use crate::train::step_rng;

/// Rows that choose: the cost of a candidate grows with their cube.
const SEARCH_ROWS: usize = 400;
/// Which random numbers pick them.
const PICK: u64 = 31;
/// σ of the lattice: this many, from [`LEAST_SCALE`], each twice the one before.
const SCALES: i32 = 11;
/// A twentieth of a cycle over the domain: nearly a parabola.
const LEAST_SCALE: f64 = 0.05;
/// Nuggets of the lattice, relative to the kernel's diagonal.
const NUGGETS: [f64; 5] = [1e-11, 1e-8, 1e-5, 1e-3, 3e-2];
/// The largest nugget that is tried when a system cannot be solved.
const MOST_NUGGET: f64 = 1.0;
/// Rounds over all axes after the lattice.
const ROUNDS: usize = 6;

/// A fitted kernel regression: a plane, and what differs from it.
#[derive(Debug)]
pub(super) struct Regression {
    pub(super) kernel: Kernel,
    /// Mean squared error at rows left out, of the rows that chose.
    pub(super) left_out: f64,
    plane: Plane,
    coefficients: Array1<f64>,
}

impl Regression {
    /// Values `[m]` at `points` `[m, d]`; `rows` `[n, d]` are those that it was fitted to.
    pub(super) fn predict(&self, points: ArrayView2<'_, f64>, rows: ArrayView2<'_, f64>) -> Array1<f64> {
        self.plane.at(points) + self.kernel.cross(points, rows).dot(&self.coefficients)
    }
}

/// The least-squares plane, level along periodic axes: what the function does far from all rows.
#[derive(Debug)]
struct Plane {
    /// At the origin, then along each axis.
    coefficients: Array1<f64>,
    periodic: Vec<bool>,
}

impl Plane {
    /// A slight ridge keeps axes without extent, and rows fewer than axes, solvable.
    fn fit(points: ArrayView2<'_, f64>, targets: ArrayView1<'_, f64>, periodic: &[bool]) -> Result<Self, TheoryError> {
        let design = Self::design(points, periodic);
        let mut normal = design.t().dot(&design);
        let ridge = 1e-9 * points.nrows() as f64;
        normal.diag_mut().mapv_inplace(|value| value + ridge);
        let right = design.t().dot(&targets).insert_axis(Axis(1));
        let coefficients = match Cholesky::new(normal.view())? {
            Some(factor) => factor.solve(right.view())?.remove_axis(Axis(1)),
            None => Array1::zeros(design.ncols()),
        };
        Ok(Self { coefficients, periodic: periodic.to_vec() })
    }

    fn design(points: ArrayView2<'_, f64>, periodic: &[bool]) -> Array2<f64> {
        Array2::from_shape_fn((points.nrows(), points.ncols() + 1), |(row, column)| match column.checked_sub(1) {
            None => 1.0,
            Some(axis) if periodic[axis] => 0.0,
            Some(axis) => points[[row, axis]],
        })
    }

    fn at(&self, points: ArrayView2<'_, f64>) -> Array1<f64> {
        Self::design(points, &self.periodic).dot(&self.coefficients)
    }
}

/// A kernel and its nugget, with the mean squared error at rows left out.
#[derive(Clone, Debug)]
struct Candidate {
    kernel: Kernel,
    nugget: f64,
    error: f64,
}

/// The best regression of `targets` `[n]` at `points` `[n, d]`.
///
/// # Errors
/// If there is too little memory, or no nugget makes the system solvable.
pub(super) fn fit(
    points: ArrayView2<'_, f64>,
    targets: ArrayView1<'_, f64>,
    periodic: &[bool],
    seed: u64,
) -> Result<Regression, TheoryError> {
    let n = points.nrows();
    let mut picked = index::sample(&mut step_rng(seed, PICK, 0), n, n.min(SEARCH_ROWS)).into_vec();
    picked.sort_unstable();
    let (some, their) = (points.select(Axis(0), &picked), targets.select(Axis(0), &picked));
    let rest = &their - &Plane::fit(some.view(), their.view(), periodic)?.at(some.view());
    let best = refine(lattice(some.view(), rest.view(), periodic)?, some.view(), rest.view())?;

    let plane = Plane::fit(points, targets, periodic)?;
    let rest = (&targets - &plane.at(points)).insert_axis(Axis(1));
    let mut nugget = best.nugget;
    loop {
        let factor = Cholesky::new(best.kernel.gram(points, nugget).view())?;
        if let Some(factor) = factor {
            let coefficients = factor.solve(rest.view())?.remove_axis(Axis(1));
            return Ok(Regression { kernel: best.kernel, left_out: best.error, plane, coefficients });
        }
        if nugget >= MOST_NUGGET {
            let requirement = "must make the kernel of these rows solvable";
            return Err(TheoryError::Parameter { name: "nugget", value: nugget, requirement });
        }
        nugget *= 10.0;
    }
}

/// The best of the lattice, the same σ on all axes.
fn lattice(
    points: ArrayView2<'_, f64>,
    rest: ArrayView1<'_, f64>,
    periodic: &[bool],
) -> Result<Candidate, TheoryError> {
    let kernels = Smoothness::ALL
        .into_iter()
        .flat_map(|smoothness| (0..SCALES).map(move |k| (smoothness, LEAST_SCALE * 2f64.powi(k))));
    let candidates: Vec<(Kernel, f64)> = kernels
        .flat_map(|(smoothness, scale)| {
            let kernel = Kernel { smoothness, scales: vec![scale; points.ncols()], periodic: periodic.to_vec() };
            NUGGETS.into_iter().map(move |nugget| (kernel.clone(), nugget))
        })
        .collect();
    best_of(candidates, points, rest)
}

/// The best after changing σ of one axis, or the nugget, at a time.
fn refine(
    mut best: Candidate,
    points: ArrayView2<'_, f64>,
    rest: ArrayView1<'_, f64>,
) -> Result<Candidate, TheoryError> {
    for _ in 0..ROUNDS {
        let before = best.error;
        for axis in 0..points.ncols() {
            let candidates = [0.5, 0.5f64.sqrt(), 2f64.sqrt(), 2.0].map(|factor| {
                let mut kernel = best.kernel.clone();
                kernel.scales[axis] *= factor;
                (kernel, best.nugget)
            });
            best = better(best, best_of(candidates.to_vec(), points, rest)?);
        }
        let nuggets = [0.1, 0.3, 3.0, 10.0].map(|factor| (best.kernel.clone(), (best.nugget * factor).max(NUGGETS[0])));
        best = better(best, best_of(nuggets.to_vec(), points, rest)?);
        if best.error > 0.98 * before {
            break;
        }
    }
    Ok(best)
}

fn better(a: Candidate, b: Candidate) -> Candidate {
    if b.error < a.error { b } else { a }
}

fn best_of(
    candidates: Vec<(Kernel, f64)>,
    points: ArrayView2<'_, f64>,
    rest: ArrayView1<'_, f64>,
) -> Result<Candidate, TheoryError> {
    let judged: Vec<Candidate> = candidates
        .into_par_iter()
        .map(|(kernel, nugget)| {
            let error = left_out(&kernel, nugget, points, rest)?;
            Ok(Candidate { kernel, nugget, error })
        })
        .collect::<Result<_, TheoryError>>()?;
    // The first of equals, whatever the order in which they were judged.
    let first = judged.into_iter().reduce(better);
    first.ok_or(TheoryError::Parameter { name: "candidates", value: 0.0, requirement: "must be at least one" })
}

/// The mean squared error at rows left out; infinite where the system cannot be solved.
fn left_out(
    kernel: &Kernel,
    nugget: f64,
    points: ArrayView2<'_, f64>,
    rest: ArrayView1<'_, f64>,
) -> Result<f64, TheoryError> {
    let Some(factor) = Cholesky::new(kernel.gram(points, nugget).view())? else {
        return Ok(f64::INFINITY);
    };
    let solution = factor.solve(rest.insert_axis(Axis(1)))?;
    let errors = solution.iter().zip(factor.inverse_diagonal()).map(|(a, diagonal)| (a / diagonal).powi(2));
    Ok(errors.sum::<f64>() / points.nrows() as f64)
}
