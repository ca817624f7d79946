//! Computed tomography: a section from a few parallel projections.
//!
//! Projection k looks along the direction at angle kπ/20 + π/2. A detector bin holds the mean of the section over
//! samples along its ray, one a pixel's width, read by bilinear interpolation between pixels; outside there is nothing.

use serde::{Deserialize, Serialize};

use super::compare::{Comparison, LinearProblem, Problem};
use super::error::InverseError;
use super::linear::LinearOperator;
use super::phantom;
use super::training::{TableMapping, TrainingParams};
use crate::network::encoding::EncodingKind;
use crate::store::run::Run;
use crate::training::Watch;
use rayon::prelude::*;

/// Parallel projections over half a turn.
pub const PROJECTIONS: usize = 20;

/// Entries (index, weight) of rows, one row after the other.
#[derive(Clone, Debug, Default)]
struct Sparse {
    ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Sparse {
    fn row(&self, row: usize) -> &[(u32, f32)] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.entries[start..self.ends[row]]
    }

    fn apply(&self, values: &[f32]) -> Vec<f32> {
        let sum = |row| self.row(row).iter().map(|&(index, weight)| weight * values[index as usize]).sum();
        (0..self.ends.len()).into_par_iter().with_min_len(256).map(sum).collect()
    }

    /// The same matrix by columns, of which there are so many.
    fn transposed(&self, columns: usize) -> Self {
        let mut ends = vec![0; columns];
        self.entries.iter().for_each(|&(index, _)| ends[index as usize] += 1);
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        let mut entries = vec![(0, 0.0); self.entries.len()];
        let mut next: Vec<usize> = std::iter::once(0).chain(ends.iter().copied()).collect();
        for row in 0..self.ends.len() {
            for &(index, weight) in self.row(row) {
                entries[next[index as usize]] = (row as u32, weight);
                next[index as usize] += 1;
            }
        }
        Self { ends, entries }
    }
}

/// Parallel beams through a square section `[n, n]`.
#[derive(Clone, Debug)]
pub struct ParallelBeam {
    rays: Sparse,
    pixels: Sparse,
}

impl ParallelBeam {
    /// `projections` over half a turn, each with `n` bins.
    pub fn new(n: usize, projections: usize) -> Self {
        let mut rays = Sparse::default();
        for projection in 0..projections {
            let (sin, cos) = angle(projection, projections).sin_cos();
            for bin in 0..n {
                for sample in 0..n {
                    let (u, s) = (phantom::place(bin as f64, n), phantom::place(sample as f64, n));
                    add_bilinear(&mut rays.entries, n, [u * cos - s * sin, u * sin + s * cos]);
                }
                rays.ends.push(rays.entries.len());
            }
        }
        let pixels = rays.transposed(n * n);
        Self { rays, pixels }
    }
}

/// Of the normal of a projection's rays, radians.
fn angle(projection: usize, projections: usize) -> f64 {
    std::f64::consts::PI * projection as f64 / projections as f64
}

/// The pixels around a point of \[-1, 1\]², y upwards, with their shares of one sample of `n`.
fn add_bilinear(entries: &mut Vec<(u32, f32)>, n: usize, [x, y]: [f64; 2]) {
    let cell = |v: f64| (v + 1.0) / 2.0 * n as f64 - 0.5;
    let (column, row) = (cell(x), cell(-y));
    let (left, top) = (column.floor(), row.floor());
    for (r, share_r) in [(top, 1.0 - (row - top)), (top + 1.0, row - top)] {
        for (c, share_c) in [(left, 1.0 - (column - left)), (left + 1.0, column - left)] {
            let inside = (0.0..n as f64).contains(&r) && (0.0..n as f64).contains(&c);
            let share = share_r * share_c / n as f64;
            if inside && share > 0.0 {
                entries.push(((r as usize * n + c as usize) as u32, share as f32));
            }
        }
    }
}

impl LinearOperator for ParallelBeam {
    fn apply(&self, field: &[f32]) -> Vec<f32> {
        self.rays.apply(field)
    }

    fn adjoint(&self, residual: &[f32]) -> Vec<f32> {
        self.pixels.apply(residual)
    }
}

/// The size of the problem, and how networks are trained for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CtParams {
    /// Pixels a side, 16 to 512.
    pub size: usize,
    /// How the networks are trained.
    pub training: TrainingParams,
}

/// Checked [`CtParams`].
#[derive(Clone, Debug)]
pub struct ValidCtParams(CtParams);

impl CtParams {
    /// Minutes; or, if `quick`, seconds.
    pub fn new(quick: bool, seed: u64) -> Self {
        if quick {
            let training = TrainingParams {
                hidden: vec![64; 3],
                frequencies: 64,
                steps: 160,
                rate_factor: 10.0,
                ..TrainingParams::field(seed)
            };
            Self { size: 48, training }
        } else {
            // The published network: of half as many units and steps the mappings come out in another order.
            Self { size: 128, training: TrainingParams { rate_factor: 2.0, ..TrainingParams::field(seed) } }
        }
    }

    /// That there is such a problem, with an encoding for every mapping.
    ///
    /// # Errors
    /// Names the setting that is impossible.
    pub fn check(self) -> Result<ValidCtParams, InverseError> {
        if !(16..=512).contains(&self.size) {
            return Err(InverseError::Setting { name: "--size", value: self.size.to_string(), range: "16 to 512" });
        }
        self.training.check(&self.training.mappings(Self::published()), 2)?;
        Ok(ValidCtParams(self))
    }

    /// The mappings in the order of table 1, with the scales and rates that the paper found for this phantom.
    fn published() -> [TableMapping; 4] {
        [
            TableMapping::published(EncodingKind::None, 1.0, 1e-2, 16.75),
            TableMapping::published(EncodingKind::Basic, 1.0, 1e-2, 23.31),
            TableMapping::published(EncodingKind::Positional, 3.0, 1e-3, 26.89),
            TableMapping::published(EncodingKind::Gaussian, 4.0, 1e-3, 28.33),
        ]
    }
}

/// Reconstructs the plane head with each mapping.
///
/// # Errors
/// If the watch stops it, training diverges, or a checkpoint of the `run` is of no use.
pub fn compare<S: Serialize>(
    ValidCtParams(params): &ValidCtParams,
    watch: &mut Watch<'_>,
    run: Option<&Run<S>>,
) -> Result<Comparison, InverseError> {
    let n = params.size;
    let truth = phantom::section(n);
    let operator = ParallelBeam::new(n, PROJECTIONS);
    let problem = Problem {
        name: "ct",
        title: format!("Computed tomography: {n}×{n} pixels from {PROJECTIONS} parallel projections"),
        differences: format!(
            "Published: 512×512 pixels, 3 hidden layers of 256 units, 256 frequencies, 1000 steps, means over several variants of \
             the phantom. Here: {n}×{n} pixels of the one of Shepp and Logan, {}; rays are \
             interpolated bilinearly, not to the nearest pixel.",
            params.training.describe()
        ),
        measures: vec!["PSNR, dB"],
    };
    let (training, mappings) = (&params.training, params.training.mappings(CtParams::published()));
    let linear = LinearProblem { problem, truth: &truth, shape: [1, n, n], operator: &operator, training, mappings };
    linear.solve(watch, run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_linear_with_its_adjoint() {
        crate::inverse::linear::tests::check(&ParallelBeam::new(9, 5), 81);
    }

    #[test]
    fn projections_are_those_of_the_ellipses() {
        let n = 128;
        let measured = ParallelBeam::new(n, PROJECTIONS).apply(&phantom::section(n));
        let mut squares = [0.0; 2];
        for (index, &value) in measured.iter().enumerate() {
            // The mean over a ray of length 2 and over the width of the bin, as the pixels are means.
            let within = (0..8).map(|k| (index % n) as f64 + (f64::from(k) + 0.5) / 8.0 - 0.5);
            let angle = angle(index / n, PROJECTIONS);
            let exact =
                within.map(|bin| phantom::line_integral(phantom::place(bin, n), angle)).sum::<f64>() / (8.0 * 2.0);
            squares[0] += (f64::from(value) - exact).powi(2);
            squares[1] += exact * exact;
        }
        let error = (squares[0] / squares[1]).sqrt();
        assert!(error < 0.02, "{error}");
    }
}
