//! The density of atoms and its exact Fourier transform.
//!
//! Each atom is a normalized Gaussian of deviation s: `ρ(r) = Σ_a (2πs²)^(-3/2) exp(-|r - r_a|²/2s²)`. With
//! `F(k) = ∫ ρ(r) exp(-2πi k·r) dr`, k in cycles per ångström, `F(k) = exp(-2π²s²|k|²) Σ_a exp(-2πi k·r_a)`. The
//! projection along z has `F(kx, ky, 0)`: the central-slice theorem.

use super::atoms::Position;
use super::fourier_volume::FourierVolume;
use rayon::prelude::*;
use rustfft::num_complex::{Complex32, Complex64};
use std::f64::consts::PI;

/// Atoms as Gaussians.
#[derive(Clone, Debug)]
pub struct Density {
    atoms: Vec<Position>,
    deviation: f64,
}

impl Density {
    /// `deviation` is s in ångström.
    pub fn new(atoms: Vec<Position>, deviation: f32) -> Self {
        Self { atoms, deviation: f64::from(deviation) }
    }

    /// F at k (cycles per ångström), exact.
    pub fn transform(&self, k: [f64; 3]) -> Complex64 {
        let sum: Complex64 = self
            .atoms
            .iter()
            .map(|r| {
                let phase: f64 = (0..3).map(|d| k[d] * f64::from(r[d])).sum();
                Complex64::from_polar(1.0, -2.0 * PI * phase)
            })
            .sum();
        sum * self.envelope(k.iter().map(|k| k * k).sum())
    }

    /// ρ at r (ångström), atoms per cubic ångström.
    pub fn at(&self, r: [f64; 3]) -> f64 {
        let squared_deviation = self.deviation * self.deviation;
        let gaussian = |atom: &Position| {
            let squared: f64 = (0..3).map(|d| (r[d] - f64::from(atom[d])).powi(2)).sum();
            (-0.5 * squared / squared_deviation).exp()
        };
        self.atoms.iter().map(gaussian).sum::<f64>() * (2.0 * PI * squared_deviation).powf(-1.5)
    }

    fn envelope(&self, squared_frequency: f64) -> f64 {
        (-2.0 * PI * PI * self.deviation * self.deviation * squared_frequency).exp()
    }

    /// F of the projection along z on the centred `size × size` grid `[ky, kx]` of spacing `1/(size·pixel_size)`; the
    /// unpaired row and column of index -size/2 are zero.
    ///
    /// The phases factor into those of kx and of ky, so a projection is one small matrix product.
    pub fn projection_transform(&self, size: usize, pixel_size: f64) -> Vec<Complex32> {
        let (half, spacing) = ((size / 2) as i64, 1.0 / (size as f64 * pixel_size));
        let powers = |x: f32| -> Vec<Complex64> {
            let step = -2.0 * PI * spacing * f64::from(x);
            (-half + 1..half).map(|k| Complex64::from_polar(1.0, step * k as f64)).collect()
        };
        let mut transform = vec![Complex64::default(); size * size];
        for atom in &self.atoms {
            let (along_x, along_y) = (powers(atom[0]), powers(atom[1]));
            // ky < 0 follows from the symmetry of real projections.
            for (ky, &y) in along_y.iter().enumerate().skip(half as usize - 1) {
                let row = &mut transform[(ky + 1) * size + 1..(ky + 2) * size];
                for (sum, &x) in row.iter_mut().zip(&along_x) {
                    *sum += x * y;
                }
            }
        }
        let mut out = vec![Complex32::default(); size * size];
        for ky in 0..half {
            for kx in -half + 1..half {
                let index = |ky: i64, kx: i64| (ky + half) as usize * size + (kx + half) as usize;
                let envelope = self.envelope((kx * kx + ky * ky) as f64 * spacing * spacing);
                let value = transform[index(ky, kx)] * envelope;
                out[index(ky, kx)] = Complex32::new(value.re as f32, value.im as f32);
                out[index(-ky, -kx)] = out[index(ky, kx)].conj();
            }
        }
        out
    }

    /// F on the centred grid of `size³`, in cycles per `size·voxel_size`, within radius `size/2 - 1`.
    pub fn volume(&self, size: usize, voxel_size: f64) -> FourierVolume {
        let mut volume = FourierVolume::zeros(size, voxel_size);
        let spacing = 1.0 / (size as f64 * voxel_size);
        let points = volume.ball(size / 2 - 1);
        let values: Vec<Complex32> = points
            .par_iter()
            .map(|k| {
                let value = self.transform(k.map(|k| f64::from(k) * spacing));
                Complex32::new(value.re as f32, value.im as f32)
            })
            .collect();
        for (k, value) in points.into_iter().zip(values) {
            volume.set(k, value);
        }
        volume
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn density() -> Density {
        Density::new(vec![[3.0, -2.0, 5.0], [-6.0, 1.0, 0.5], [0.0, 7.0, -4.0]], 2.5)
    }

    /// Sums ρ exp(-2πi k·r) over a fine grid: 1.25 Å, half the deviation, where the sum of Gaussians is exact to 1e-30.
    #[test]
    fn the_transform_is_the_integral() {
        let (density, step, half) = (density(), 1.25, 24);
        for k in [[0.0, 0.0, 0.0], [0.03, -0.05, 0.02], [-0.1, 0.0, 0.07]] {
            let mut sum = Complex64::default();
            for index in 0..(2 * half as usize).pow(3) {
                let side = 2 * half as usize;
                let r = [index % side, index / side % side, index / side / side]
                    .map(|i| (i as f64 - f64::from(half)) * step);
                let phase: f64 = (0..3).map(|d| k[d] * r[d]).sum();
                sum += density.at(r) * Complex64::from_polar(1.0, -2.0 * PI * phase);
            }
            let exact = density.transform(k);
            assert!((sum * step.powi(3) - exact).norm() < 1e-6, "{k:?}: {sum} {exact}");
        }
    }

    #[test]
    fn projections_are_central_slices() {
        let (size, pixel) = (16, 3.0);
        let projection = density().projection_transform(size, pixel);
        for (ky, kx) in [(0i32, 0i32), (3, -5), (-7, 2), (-1, -6)] {
            let found = projection[(ky + 8) as usize * size + (kx + 8) as usize];
            let exact = density().transform([f64::from(kx) / 48.0, f64::from(ky) / 48.0, 0.0]);
            assert!((f64::from(found.re) - exact.re).abs() < 1e-5 && (f64::from(found.im) - exact.im).abs() < 1e-5);
        }
    }
}
