//! Magnetic resonance imaging: a volume from a part of its Fourier coefficients, dense in the middle.
//!
//! An n³ volume is measured as `F(f)/√n³` on a mask: the cells hit by normal samples around frequency zero, of
//! deviation n·√(2/96), and as many of them as give the paper's density (at n = 96: a deviation of √(2·96) and 200,000
//! samples).

use rand_distr::{Distribution, Normal};
use rustfft::num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::compare::{Comparison, LinearProblem, Problem};
use super::error::InverseError;
use super::linear::LinearOperator;
use super::phantom;
use super::training::{TableMapping, TrainingParams};
use crate::base::fourier::{Direction, transform};
use crate::base::random::{Purpose, step_rng};
use crate::network::encoding::EncodingKind;
use crate::network::grid::GridParams;
use crate::store::run::Run;
use crate::training::Watch;

/// The paper's size, to which its mask is scaled.
const PUBLISHED_SIZE: f64 = 96.0;
/// Its samples of the mask.
const PUBLISHED_SAMPLES: f64 = 200_000.0;

/// The measured Fourier coefficients of a volume `[n, n, n]`.
#[derive(Clone, Debug)]
pub struct FourierMask {
    n: usize,
    /// Measured cells, ascending; frequency zero lies at n/2 on every axis.
    cells: Vec<u32>,
}

impl FourierMask {
    /// A mask of the paper's density around frequency zero; `n` is even.
    pub fn gaussian(n: usize, seed: u64) -> Self {
        let mut rng = step_rng(seed, Purpose::Subset, 0);
        let deviation = n as f64 * (2.0 / PUBLISHED_SIZE).sqrt();
        let normal = Normal::new(n as f64 / 2.0, deviation).expect("a positive deviation");
        let samples = (PUBLISHED_SAMPLES * (n as f64 / PUBLISHED_SIZE).powi(3)).round() as usize;
        let mut measured = vec![false; n * n * n];
        for _ in 0..samples {
            let cell: [f64; 3] = std::array::from_fn(|_| normal.sample(&mut rng).round());
            if cell.iter().all(|k| (0.0..n as f64).contains(k)) {
                measured[cell.iter().fold(0, |index, &k| index * n + k as usize)] = true;
            }
        }
        let cells = measured.iter().enumerate().filter(|&(_, &hit)| hit).map(|(cell, _)| cell as u32).collect();
        Self { n, cells }
    }

    /// The part of all coefficients that is measured.
    pub fn coverage(&self) -> f64 {
        self.cells.len() as f64 / self.n.pow(3) as f64
    }

    /// √n³, which makes the transform orthonormal.
    fn norm(&self) -> f32 {
        (self.n as f32).powi(3).sqrt()
    }
}

impl LinearOperator for FourierMask {
    /// Real and imaginary parts, in turn.
    fn apply(&self, field: &[f32]) -> Vec<f32> {
        let mut values: Vec<_> = field.iter().map(|&value| Complex32::new(value, 0.0)).collect();
        transform(&mut values, self.n, Direction::Forward);
        let norm = self.norm();
        self.cells.iter().flat_map(|&cell| [values[cell as usize].re / norm, values[cell as usize].im / norm]).collect()
    }

    fn adjoint(&self, residual: &[f32]) -> Vec<f32> {
        let mut values = vec![Complex32::default(); self.n.pow(3)];
        for (&cell, pair) in self.cells.iter().zip(residual.chunks_exact(2)) {
            values[cell as usize] = Complex32::new(pair[0], pair[1]);
        }
        transform(&mut values, self.n, Direction::Inverse);
        let norm = self.norm();
        values.iter().map(|value| value.re * norm).collect()
    }
}

/// The size of the problem, and how networks are trained for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MriParams {
    /// Voxels a side, even, 8 to 96.
    pub size: usize,
    /// How the networks are trained.
    pub training: TrainingParams,
}

/// Checked [`MriParams`].
#[derive(Clone, Debug)]
pub struct ValidMriParams(MriParams);

impl MriParams {
    /// Minutes; or, if `quick`, seconds.
    pub fn new(quick: bool, seed: u64) -> Self {
        let (size, width, frequencies, steps) = if quick { (16, 48, 48, 300) } else { (32, 128, 96, 300) };
        let hidden = vec![width; 3];
        // A third of the published voxels a side resolve a third of the frequencies.
        let (rate_factor, scale_factor) = (2.0, 0.33);
        let grid = GridParams::of_volumes();
        let training = TrainingParams {
            hidden,
            frequencies,
            steps,
            rate_factor,
            scale_factor,
            grid,
            ..TrainingParams::field(seed)
        };
        Self { size, training }
    }

    /// That there is such a problem, with an encoding for every mapping.
    ///
    /// # Errors
    /// Names the setting that is impossible.
    pub fn check(self) -> Result<ValidMriParams, InverseError> {
        if !(8..=96).contains(&self.size) || !self.size.is_multiple_of(2) {
            return Err(InverseError::Setting { name: "--size", value: self.size.to_string(), range: "even, 8 to 96" });
        }
        self.training.check(&self.training.mappings(Self::published()), 3)?;
        Ok(ValidMriParams(self))
    }

    /// The mappings in the order of table 1. The published numbers are of brain scans; scales and rate are those that
    /// the paper found for the head of Shepp and Logan.
    fn published() -> [TableMapping; 4] {
        [
            TableMapping::published(EncodingKind::None, 1.0, 2e-3, 26.14),
            TableMapping::published(EncodingKind::Basic, 1.0, 2e-3, 28.58),
            TableMapping::published(EncodingKind::Positional, 4.0, 2e-3, 32.23),
            TableMapping::published(EncodingKind::Gaussian, 2.0, 2e-3, 34.51),
        ]
    }
}

/// Reconstructs the solid head with each mapping.
///
/// # Errors
/// If the watch stops it, training diverges, or a checkpoint of the `run` is of no use.
pub fn compare<S: Serialize>(
    ValidMriParams(params): &ValidMriParams,
    watch: &mut Watch<'_>,
    run: Option<&Run<S>>,
) -> Result<Comparison, InverseError> {
    let n = params.size;
    let truth = phantom::volume(n);
    let operator = FourierMask::gaussian(n, params.training.seed);
    let problem = Problem {
        name: "mri",
        title: format!("Magnetic resonance: {n}³ voxels from {:.1} % of their spectrum", 100.0 * operator.coverage()),
        differences: format!(
            "Published: brain scans (ATLAS) of 96³ voxels, 3 hidden layers of 256 units, 256 frequencies, 1000 steps. \
             Here: the head of Shepp and Logan in three dimensions, {n}³ voxels, {}, where the published are those for \
             that head. The loss is over measured coefficients only.",
            params.training.describe()
        ),
        measures: vec!["PSNR, dB"],
    };
    let (training, mappings) = (&params.training, params.training.mappings(MriParams::published()));
    let linear = LinearProblem { problem, truth: &truth, shape: [n; 3], operator: &operator, training, mappings };
    linear.solve(watch, run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_linear_with_its_adjoint() {
        let mask = FourierMask::gaussian(6, 0);
        assert!(!mask.cells.is_empty());
        crate::inverse::linear::tests::check(&mask, 216);
    }

    #[test]
    fn the_mask_covers_as_much_as_the_published_one() {
        for (n, tolerance) in [(32, 0.006), (96, 0.002)] {
            let coverage = FourierMask::gaussian(n, 0).coverage();
            assert!((coverage - 0.1256).abs() < tolerance, "{n}: {coverage}");
        }
    }

    #[test]
    fn a_full_mask_loses_nothing() {
        let mask = FourierMask { n: 8, cells: (0..512).collect() };
        let volume = phantom::volume(8);
        let back = mask.adjoint(&mask.apply(&volume));
        assert!(volume.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
