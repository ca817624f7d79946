//! How good a reconstruction is: its latent against the true motion, its volumes against the truth and between half
//! sets.

use super::fourier_volume::FourierVolume;
use super::fsc::{Resolution, mean_curve, resolution, shell_correlations};
use super::synthesis::Truth;
use ndarray::{Array2, ArrayView2};
use serde::Serialize;

/// Ranks among the images at which volumes are drawn and compared.
pub const QUANTILES: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// Spearman's rank correlation; `None` where one side does not vary.
pub fn spearman(first: &[f64], second: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(first), ranks(second));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let sums = a.iter().zip(&b).fold((0.0, 0.0, 0.0), |(ab, aa, bb), (a, b)| {
        let (a, b) = (a - mean, b - mean);
        (ab + a * b, aa + a * a, bb + b * b)
    });
    let norm = (sums.1 * sums.2).sqrt();
    (norm > 0.0).then(|| sums.0 / norm)
}

/// Ranks from 0; equal values share their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + (group.len() as f64 - 1.0) / 2.0;
        group.iter().for_each(|&index| ranks[index] = rank);
        start += group.len();
    }
    ranks
}

/// The direction in which latents vary most.
#[derive(Clone, Debug)]
pub struct PrincipalAxis {
    mean: Vec<f64>,
    direction: Vec<f64>,
}

impl PrincipalAxis {
    /// Of latents `[n, dimensions]`, by power iteration on their covariance.
    pub fn new(latents: ArrayView2<'_, f32>) -> Self {
        let (count, dimensions) = latents.dim();
        let mean: Vec<f64> = latents
            .columns()
            .into_iter()
            .map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / count as f64)
            .collect();
        let mut covariance = vec![vec![0.0; dimensions]; dimensions];
        for row in latents.rows() {
            for i in 0..dimensions {
                for j in 0..dimensions {
                    covariance[i][j] += (f64::from(row[i]) - mean[i]) * (f64::from(row[j]) - mean[j]);
                }
            }
        }
        // The start leans to no axis and is orthogonal to none.
        let mut direction: Vec<f64> = (0..dimensions).map(|i| 1.0 + 0.1 * i as f64).collect();
        for _ in 0..100 {
            let next: Vec<f64> =
                covariance.iter().map(|row| row.iter().zip(&direction).map(|(a, b)| a * b).sum()).collect();
            let norm = next.iter().map(|v| v * v).sum::<f64>().sqrt();
            if norm == 0.0 {
                break;
            }
            direction = next.into_iter().map(|v| v / norm).collect();
        }
        if dimensions == 1 {
            direction = vec![1.0];
        }
        Self { mean, direction }
    }

    /// Positions of latents along it.
    pub fn scores(&self, latents: ArrayView2<'_, f32>) -> Vec<f64> {
        let score = |row: ndarray::ArrayView1<'_, f32>| {
            row.iter().zip(&self.mean).zip(&self.direction).map(|((&z, m), d)| (f64::from(z) - m) * d).sum()
        };
        latents.rows().into_iter().map(score).collect()
    }

    /// The latent at a position.
    pub fn latent(&self, score: f64) -> Vec<f32> {
        self.mean.iter().zip(&self.direction).map(|(m, d)| (m + score * d) as f32).collect()
    }
}

/// The value below which a share of the values lies.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((share * sorted.len() as f64) as usize).min(sorted.len() - 1)]
}

/// Two curves, one against the truth, one between half sets, as far as there are such, with their resolutions.
#[derive(Clone, Debug, Serialize)]
pub struct Quality {
    /// What was reconstructed how.
    pub method: String,
    /// Against the truth, the mean over the conformations.
    pub truth: Option<Curve>,
    /// Between half sets.
    pub half_sets: Option<Curve>,
}

/// A correlation curve.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// Shells 1, 2, … cycles over the box.
    pub correlations: Vec<f64>,
    /// Where it falls below 0.5.
    pub at_half: Resolution,
    /// Where it falls below 0.143.
    pub at_seventh: Resolution,
    /// Twice the size of a pixel, ångström: no resolution is finer.
    pub nyquist_angstrom: f64,
}

impl Curve {
    /// The mean of the correlations of pairs.
    pub fn of(pairs: &[(&FourierVolume, &FourierVolume)]) -> Self {
        let edge = pairs.first().map_or(1.0, |(volume, _)| volume.size() as f64 * volume.voxel_size());
        let curves: Vec<Vec<f64>> = pairs.iter().map(|(a, b)| shell_correlations(a, b)).collect();
        let correlations = mean_curve(&curves);
        let (at_half, at_seventh) = (resolution(&correlations, 0.5, edge), resolution(&correlations, 0.143, edge));
        let nyquist_angstrom = 2.0 * pairs.first().map_or(0.0, |(volume, _)| volume.voxel_size());
        Self { correlations, at_half, at_seventh, nyquist_angstrom }
    }
}

/// The true volumes at the ranks of [`QUANTILES`], of the size and voxels of `like`; reversed if the latent runs
/// against the motion.
pub fn true_volumes(truth: &Truth, motions: &[f64], reversed: bool, like: &FourierVolume) -> Vec<FourierVolume> {
    QUANTILES
        .iter()
        .map(|&share| {
            let motion = quantile(motions, if reversed { 1.0 - share } else { share });
            truth.density(motion).volume(like.size(), like.voxel_size())
        })
        .collect()
}

/// Latents as a table: `image, z1, …, motion`.
pub fn latent_table(latents: &Array2<f32>, motions: Option<&[f64]>) -> String {
    let mut text = "image".to_owned();
    (1..=latents.ncols()).for_each(|i| text += &format!(",z{i}"));
    text += if motions.is_some() { ",motion\n" } else { "\n" };
    for (image, row) in latents.rows().into_iter().enumerate() {
        text += &(image + 1).to_string();
        row.iter().for_each(|z| text += &format!(",{z}"));
        if let Some(motions) = motions {
            text += &format!(",{}", motions[image]);
        }
        text += "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlations_are_the_textbook_ones() {
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let cubes: Vec<f64> = x.iter().map(|x| (x - 20.0).powi(3)).collect();
        let falling: Vec<f64> = x.iter().map(|x| -x.exp()).collect();
        assert!((spearman(&x, &cubes).unwrap() - 1.0).abs() < 1e-12);
        assert!((spearman(&x, &falling).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&x, &[3.0; 50]), None);
        // 1 - 6·Σd²/(n(n²-1)) with d = 0, 1, 1, 0 for four values.
        let swapped = spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((swapped - 0.8).abs() < 1e-12);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
    }

    #[test]
    fn the_axis_follows_the_spread() {
        let latents = Array2::from_shape_fn((200, 2), |(i, d)| {
            let t = i as f32 / 100.0 - 1.0;
            if d == 0 { 1.0 + 0.6 * t } else { -0.8 * t + 0.01 * (i % 3) as f32 }
        });
        let axis = PrincipalAxis::new(latents.view());
        let scores = axis.scores(latents.view());
        let motion: Vec<f64> = (0..200).map(f64::from).collect();
        assert!(spearman(&scores, &motion).unwrap().abs() > 0.999);
        let back = axis.latent(scores[10]);
        assert!((back[0] - latents[[10, 0]]).abs() < 0.02 && (back[1] - latents[[10, 1]]).abs() < 0.02);
        assert_eq!(quantile(&motion, 0.5), 100.0);
    }
}
