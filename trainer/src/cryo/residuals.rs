//! What the encoder sees of an image: how it differs from the mean volume, back-projected into the molecule's frame.
//!
//! `b(r) = Σ_k c(k) Re[(F(k) - c(k) V̄(Rᵀk)) exp(2πi Rᵀk·r)]` at the points r of a coarse grid within a ball, over the
//! frequencies below the encoder's resolution. With the pose taken out the encoder need not learn rotations, and a
//! linear map of b is already the projection on a mode of motion. CryoDRGN (Zhong et al. 2021) feeds the image itself.

use super::fourier_volume::FourierVolume;
use super::slices::Slices;
use ndarray::Array2;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use std::f64::consts::TAU;

/// Details smaller than this, in ångström, are not shown to the encoder: its own input stays small.
const RESOLUTION: f64 = 16.0;
/// Radius of the ball over the edge of the box.
const BALL: f64 = 0.4;

/// Inputs `[n, points of the ball]`, each of unit root mean square over the images.
///
/// `mean` is the mean volume on the grid of half the spacing.
pub fn residuals(slices: &Slices, mean: &FourierVolume) -> Array2<f32> {
    let edge = slices.edge();
    let radius = (edge / RESOLUTION).clamp(3.0, slices.radius() as f64);
    let spacing = edge / (2.0 * radius);
    let reach = (BALL * edge / spacing).floor() as i32;
    let side = (2 * reach + 1) as usize;
    let within = |&i: &usize| {
        let squared = |i: usize| (i as i32 - reach).pow(2);
        let distance = f64::from(squared(i % side) + squared(i / side % side) + squared(i / side / side)).sqrt();
        distance * spacing <= BALL * edge
    };
    let ball: Vec<usize> = (0..side.pow(3)).filter(within).collect();
    let points: Vec<usize> = (0..slices.points())
        .filter(|&point| {
            let [x, y] = slices.frequency(point).map(f64::from);
            x.hypot(y) <= radius
        })
        .collect();
    let mut values = vec![0.0f32; slices.images() * ball.len()];
    values.par_chunks_mut(ball.len()).enumerate().for_each_init(
        || vec![0.0f32; side.pow(3)],
        |grid, (image, row)| {
            grid.fill(0.0);
            for &point in &points {
                let position = slices.position(image, point);
                let (coefficient, ctf) = slices.coefficient(image, point);
                let expected = mean.interpolate(position.map(|k| 2.0 * k)) * (ctf / slices.noise());
                let along = position.map(|k| phases(f64::from(k) * spacing / edge, reach));
                spread(grid, (coefficient - expected) * ctf, &along);
            }
            for (value, &place) in row.iter_mut().zip(&ball) {
                *value = grid[place];
            }
        },
    );
    let mut inputs = Array2::from_shape_vec((slices.images(), ball.len()), values).expect("as many as counted");
    for mut column in inputs.columns_mut() {
        let rms = (column.iter().map(|v| f64::from(v * v)).sum::<f64>() / column.len() as f64).sqrt() as f32;
        if rms > 0.0 {
            column.mapv_inplace(|value| value / rms);
        }
    }
    inputs
}

/// exp(2πi·turns·j) for j = -reach … reach.
fn phases(turns: f64, reach: i32) -> Vec<Complex32> {
    let phase = |j: i32| {
        let (sin, cos) = (TAU * turns * f64::from(j)).sin_cos();
        Complex32::new(cos as f32, sin as f32)
    };
    (-reach..=reach).map(phase).collect()
}

/// Adds the wave of one frequency to the grid `[z, y, x]`.
fn spread(grid: &mut [f32], amplitude: Complex32, [x, y, z]: &[Vec<Complex32>; 3]) {
    for (plane, &z) in grid.chunks_exact_mut(x.len() * y.len()).zip(z) {
        for (row, &y) in plane.chunks_exact_mut(x.len()).zip(y) {
            let factor = amplitude * z * y;
            for (value, x) in row.iter_mut().zip(x) {
                *value += factor.re * x.re - factor.im * x.im;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::back_projection::back_project;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};

    /// Open and closed molecules differ from their mean in opposite ways.
    #[test]
    fn residuals_point_along_the_motion() {
        let params = SynthesisParams { particles: 400, snr: 10.0, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
        let slices = Slices::new(&stack);
        let images: Vec<u32> = (0..400).collect();
        let inputs = residuals(&slices, &back_project(&slices, &images).padded);
        assert!((300..700).contains(&inputs.ncols()), "{}", inputs.ncols());
        let motion: Vec<f32> = stack.particles.iter().map(|p| p.motion.unwrap() as f32 - 0.5).collect();
        // The difference of both halves of the motion, from even images, tells them apart in odd ones.
        let mut mode = vec![0.0; inputs.ncols()];
        for (row, t) in inputs.rows().into_iter().zip(&motion).step_by(2) {
            mode.iter_mut().zip(row).for_each(|(mode, value)| *mode += t * value);
        }
        let odd = inputs.rows().into_iter().zip(&motion).skip(1).step_by(2);
        let right = odd.filter(|(row, t)| {
            let projection: f32 = row.iter().zip(&mode).map(|(value, mode)| value * mode).sum();
            projection * **t > 0.0
        });
        assert!(right.count() > 150, "of 200");
    }
}
