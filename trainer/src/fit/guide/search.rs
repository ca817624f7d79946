//! The kernel of one output: the one with the least squared error at rows left out.
//!
//! The regression is a plane and a kernel's departure from it (universal kriging). With `A = (K + nugget)⁻¹`, the
//! plane's design T and `P = A - A T (Tᵀ A T)⁻¹ Tᵀ A`, the error at row i, when it alone is left out of both, is `(P
//! y)_i / P_ii` (Dubrule 1983). The search goes over a coarse lattice of σ and nuggets for each kernel, then changes
//! the best one axis at a time. It sees at most [`SEARCH_ROWS`] rows; the regression itself goes through all of them.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::seq::index;
use rayon::prelude::*;

use super::kernel::{Kernel, Smoothness};
use crate::base::random::{Purpose, step_rng};
use crate::theory::TheoryError;
use crate::theory::linalg::Cholesky;

/// Rows that choose: the cost of a candidate grows with their cube.
const SEARCH_ROWS: usize = 400;
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
/// A row whose part of P is smaller than this, relative to A, is determined by no other row.
const ALONE: f64 = 1e-9;

/// A fitted kernel regression: a plane, and what differs from it.
#[derive(Debug)]
pub(super) struct Regression {
    pub(super) kernel: Kernel,
    /// Mean squared error at rows left out, of the rows that chose and have others around them; infinite where there
    /// are too few rows to leave one out.
    pub(super) left_out: f64,
    plane: Plane,
    /// Of the plane.
    slopes: Array1<f64>,
    /// Of the kernel at each row.
    coefficients: Array1<f64>,
}

impl Regression {
    /// Values `[m]` at `points` `[m, d]`; `rows` `[n, d]` are those that it was fitted to.
    pub(super) fn predict(&self, points: ArrayView2<'_, f64>, rows: ArrayView2<'_, f64>) -> Array1<f64> {
        self.plane.design(points).dot(&self.slopes) + self.kernel.cross(points, rows).dot(&self.coefficients)
    }
}

/// What the function is far from all rows: a constant, and a slope along each axis that has an extent and no period,
/// where there are enough rows to tell slopes.
#[derive(Clone, Debug)]
struct Plane {
    axes: Vec<usize>,
}

impl Plane {
    fn of(points: ArrayView2<'_, f64>, periodic: &[bool]) -> Self {
        let has_extent = |axis: usize| points.column(axis).iter().any(|&x| x != points[[0, axis]]);
        let axes: Vec<usize> = (0..points.ncols()).filter(|&axis| !periodic[axis] && has_extent(axis)).collect();
        // With a slope along each, two rows more than unknowns must be left.
        Self { axes: if points.nrows() > axes.len() + 2 { axes } else { Vec::new() } }
    }

    /// T `[n, 1 + slopes]`.
    fn design(&self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        Array2::from_shape_fn((points.nrows(), 1 + self.axes.len()), |(row, column)| match column.checked_sub(1) {
            None => 1.0,
            Some(slope) => points[[row, self.axes[slope]]],
        })
    }
}

/// A kernel system that is solved for a plane and targets.
struct Solved {
    factor: Cholesky,
    /// `A T`
    plane: Array2<f64>,
    /// The Cholesky factor of `Tᵀ A T`.
    normal: Cholesky,
    slopes: Array1<f64>,
    /// `P y`
    coefficients: Array1<f64>,
}

impl Solved {
    /// `None` where the system is singular within rounding.
    fn new(kernel: &Kernel, nugget: f64, rows: Rows<'_>) -> Result<Option<Self>, TheoryError> {
        let Rows { plane, points, targets } = rows;
        let Some(factor) = Cholesky::new(kernel.gram(points, nugget).view())? else { return Ok(None) };
        let design = plane.design(points);
        let solved_plane = factor.solve(design.view())?;
        let mut normal = design.t().dot(&solved_plane);
        // Axes that lie in one plane by themselves are kept apart by a slight ridge.
        let ridge = 1e-9 * normal.diag().sum() / normal.nrows() as f64;
        normal.diag_mut().mapv_inplace(|value| value + ridge);
        let Some(normal) = Cholesky::new(normal.view())? else { return Ok(None) };
        let right = solved_plane.t().dot(&targets).insert_axis(Axis(1));
        let slopes = normal.solve(right.view())?.remove_axis(Axis(1));
        let rest = (&targets - &design.dot(&slopes)).insert_axis(Axis(1));
        let coefficients = factor.solve(rest.view())?.remove_axis(Axis(1));
        Ok(Some(Self { factor, plane: solved_plane, normal, slopes, coefficients }))
    }

    /// The mean squared error at rows left out, of those that count; infinite where a row cannot be left out.
    fn left_out(&self, counts: impl Fn(usize) -> bool) -> Result<f64, TheoryError> {
        let inverse = self.normal.solve(self.plane.t())?;
        let (mut sum, mut count) = (0.0, 0);
        for (row, (diagonal, p)) in self.factor.inverse_diagonal().into_iter().zip(&self.coefficients).enumerate() {
            let own = diagonal - self.plane.row(row).dot(&inverse.column(row));
            if own <= ALONE * diagonal {
                return Ok(f64::INFINITY);
            }
            if counts(row) {
                sum += (p / own).powi(2);
                count += 1;
            }
        }
        Ok(if count == 0 { f64::INFINITY } else { sum / f64::from(count) })
    }
}

/// A kernel and its nugget, with the mean squared error at rows left out.
#[derive(Clone, Debug)]
struct Candidate {
    kernel: Kernel,
    nugget: f64,
    error: f64,
}

/// What a regression goes through: targets `[n]` at points `[n, d]`, with the plane below them.
#[derive(Clone, Copy)]
struct Rows<'a> {
    plane: &'a Plane,
    points: ArrayView2<'a, f64>,
    targets: ArrayView1<'a, f64>,
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
    let plane = Plane::of(points, periodic);
    let mut picked = index::sample(&mut step_rng(seed, Purpose::Subset, 0), n, n.min(SEARCH_ROWS)).into_vec();
    picked.sort_unstable();
    let (some, their) = (points.select(Axis(0), &picked), targets.select(Axis(0), &picked));
    let choosing = Rows { plane: &plane, points: some.view(), targets: their.view() };
    let best = choosing.refine(choosing.lattice(periodic)?)?;
    let mut nugget = best.nugget;
    loop {
        if let Some(solved) = Solved::new(&best.kernel, nugget, Rows { plane: &plane, points, targets })? {
            let Solved { slopes, coefficients, .. } = solved;
            return Ok(Regression { kernel: best.kernel, left_out: best.error, plane, slopes, coefficients });
        }
        if nugget >= MOST_NUGGET {
            let requirement = "must make the kernel of these rows solvable";
            return Err(TheoryError::Parameter { name: "nugget", value: nugget, requirement });
        }
        nugget *= 10.0;
    }
}

impl Rows<'_> {
    /// Whether there are rows around this one. A row at the end of the only axis is not told by others when it is left
    /// out: there the function would be continued, and not found between rows.
    fn is_inside(&self, row: usize) -> bool {
        let (x, column) = (self.points[[row, 0]], self.points.column(0));
        let is_line = self.points.ncols() == 1 && !self.plane.axes.is_empty();
        !is_line || (column.iter().any(|&other| other < x) && column.iter().any(|&other| other > x))
    }

    /// The best of the lattice, the same σ on all axes.
    fn lattice(&self, periodic: &[bool]) -> Result<Candidate, TheoryError> {
        let kernels = Smoothness::ALL
            .into_iter()
            .flat_map(|smoothness| (0..SCALES).map(move |k| (smoothness, LEAST_SCALE * 2f64.powi(k))));
        let candidates: Vec<(Kernel, f64)> = kernels
            .flat_map(|(smoothness, scale)| {
                let scales = vec![scale; self.points.ncols()];
                let kernel = Kernel { smoothness, scales, periodic: periodic.to_vec() };
                NUGGETS.into_iter().map(move |nugget| (kernel.clone(), nugget))
            })
            .collect();
        self.best_of(candidates)
    }

    /// The best after changing σ of one axis, or the nugget, at a time.
    fn refine(&self, mut best: Candidate) -> Result<Candidate, TheoryError> {
        for _ in 0..ROUNDS {
            let before = best.error;
            for axis in 0..self.points.ncols() {
                let candidates = [0.5, 0.5f64.sqrt(), 2f64.sqrt(), 2.0].map(|factor| {
                    let mut kernel = best.kernel.clone();
                    kernel.scales[axis] *= factor;
                    (kernel, best.nugget)
                });
                best = better(best, self.best_of(candidates.to_vec())?);
            }
            let nuggets =
                [0.1, 0.3, 3.0, 10.0].map(|factor| (best.kernel.clone(), (best.nugget * factor).max(NUGGETS[0])));
            best = better(best, self.best_of(nuggets.to_vec())?);
            if best.error.is_infinite() || best.error > 0.98 * before {
                break;
            }
        }
        Ok(best)
    }

    /// The first of the best, in the order given.
    fn best_of(&self, candidates: Vec<(Kernel, f64)>) -> Result<Candidate, TheoryError> {
        let judged: Vec<Candidate> = candidates
            .into_par_iter()
            .map(|(kernel, nugget)| {
                let solved = Solved::new(&kernel, nugget, *self)?;
                let error = solved.map_or(Ok(f64::INFINITY), |solved| solved.left_out(|row| self.is_inside(row)))?;
                Ok(Candidate { kernel, nugget, error })
            })
            .collect::<Result<_, TheoryError>>()?;
        let first = judged.into_iter().reduce(better);
        first.ok_or(TheoryError::Parameter { name: "candidates", value: 0.0, requirement: "must be at least one" })
    }
}

fn better(a: Candidate, b: Candidate) -> Candidate {
    if b.error < a.error { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition: fit without a row, predict it, for each row.
    #[test]
    fn the_closed_form_is_leaving_one_out() {
        let points = Array2::from_shape_fn((12, 2), |(row, axis)| ((row * (axis + 3) * 7) % 13) as f64 / 13.0);
        let targets = Array1::from_shape_fn(12, |row| (row as f64 * 1.3).sin() + points[[row, 0]]);
        let kernel = Kernel { smoothness: Smoothness::Matern, scales: vec![0.4, 0.7], periodic: vec![false; 2] };
        let plane = Plane::of(points.view(), &[false; 2]);
        let fit = |rows: &[usize]| {
            let (points, targets) = (points.select(Axis(0), rows), targets.select(Axis(0), rows));
            let solved =
                Solved::new(&kernel, 1e-3, Rows { plane: &plane, points: points.view(), targets: targets.view() });
            (points, solved.unwrap().unwrap())
        };
        let mut squares = 0.0;
        for row in 0..12 {
            let others: Vec<usize> = (0..12).filter(|&other| other != row).collect();
            let (rows, solved) = fit(&others);
            let at = points.select(Axis(0), &[row]);
            let value = plane.design(at.view()).dot(&solved.slopes)
                + kernel.cross(at.view(), rows.view()).dot(&solved.coefficients);
            squares += (value[0] - targets[row]).powi(2);
        }
        let (_, all) = fit(&(0..12).collect::<Vec<_>>());
        let error = all.left_out(|_| true).unwrap();
        assert!((error / (squares / 12.0) - 1.0).abs() < 1e-5, "{error} {}", squares / 12.0);
    }

    #[test]
    fn two_rows_give_a_regression_and_no_error_at_rows_left_out_is_claimed() {
        let points = ndarray::array![[0.0, 0.0], [0.5, 0.5]];
        let regression = fit(points.view(), ndarray::array![0.2, 0.6].view(), &[false; 2], 0).unwrap();
        let values = regression.predict(points.view(), points.view());
        assert!((values[0] - 0.2).abs() < 1e-3 && (values[1] - 0.6).abs() < 1e-3, "{values}");
    }
}
