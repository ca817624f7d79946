//! The voxel baseline: direct Fourier inversion of slices with known poses, regularized as Wiener's filter.
//!
//! Each coefficient is spread over the eight grid points around it on a grid of half the spacing (a box of twice the
//! edge): `V(k) = A/(B + C/(8 B S²))` with A = Σ w c F, B = Σ w c², C = Σ w² c² (the variance of A's noise), trilinear
//! weights w, CTF c, F in units of the noise, and S² the signal's power in the shell of k: Σ(|A|² - C)/ΣB² over the
//! shell. The 8 is because cutting back averages the noise of as many points of the finer grid, and the filter is for
//! what is left. The density is cut back to the box, where the weights' envelope sinc² is divided out. It knows no
//! motion: of particles that move it gives the mean.

use super::fourier_volume::{FourierVolume, corners};
use super::slices::Slices;
use crate::base::fourier::{Direction, transform};
use rustfft::num_complex::Complex32;
use std::f32::consts::PI;

/// Points of the finer grid for each point of the box's own.
const FINER: f32 = 8.0;

/// The volume of some images.
#[derive(Clone, Debug)]
pub struct Reconstruction {
    /// On the box's own grid, in the images' units.
    pub volume: FourierVolume,
    /// On the grid of half the spacing, for interpolation.
    pub padded: FourierVolume,
}

/// Reconstructs from the given images.
pub fn back_project(slices: &Slices, images: &[u32]) -> Reconstruction {
    let padded_size = 2 * slices.size();
    let mut sums = FourierVolume::zeros(padded_size, slices.pixel_size());
    let mut weights = sums.clone();
    for &image in images {
        for point in 0..slices.points() {
            let (coefficient, ctf) = slices.coefficient(image as usize, point);
            let position = slices.position(image as usize, point).map(|k| 2.0 * k);
            for (k, weight) in corners(position) {
                let opposite = k.map(|k| -k);
                let value = coefficient * (weight * ctf);
                sums.add(k, value);
                sums.add(opposite, value.conj());
                // B and C share a grid.
                let squared = Complex32::new(weight * ctf * ctf, weight * weight * ctf * ctf);
                weights.add(k, squared);
                weights.add(opposite, squared);
            }
        }
    }
    let radius = 2 * slices.radius();
    let points = sums.ball(radius);
    let shell = |k: &[i32; 3]| (k.iter().map(|k| (k * k) as f32).sum::<f32>().sqrt().round() as usize).min(radius);
    let mut power = vec![(0.0f64, 0.0f64); radius + 1];
    for k in &points {
        let (sum, weight) = (sums.get(*k).norm_sqr(), weights.get(*k));
        let (signal, squares) = &mut power[shell(k)];
        *signal += f64::from(sum - weight.im);
        *squares += f64::from(weight.re * weight.re);
    }
    let mut padded = FourierVolume::zeros(padded_size, slices.pixel_size());
    for k in points {
        let (signal, squares) = power[shell(&k)];
        let weight = weights.get(k);
        if signal > 0.0 && weight.re > 0.0 {
            let regularization = weight.im / weight.re * (squares / signal) as f32 / FINER;
            padded.set(k, sums.get(k) * (slices.noise() / (weight.re + regularization)));
        }
    }
    cut_to_box(&mut padded, slices.size());
    let mut volume = slices.empty_volume();
    for k in volume.ball(slices.radius()) {
        volume.set(k, padded.get(k.map(|k| 2 * k)));
    }
    Reconstruction { volume, padded }
}

#[expect(clippy::disallowed_methods, reason = "of a volume that starts a training on a desktop; no device computes it")]
fn cut_to_box(padded: &mut FourierVolume, size: usize) {
    let padded_size = padded.size();
    transform(padded.values_mut(), padded_size, Direction::Inverse);
    let sinc_squared = |i: i32| {
        let x = PI * i as f32 / padded_size as f32;
        if i == 0 { 1.0 } else { (x.sin() / x).powi(2) }
    };
    let (half, limit) = ((padded_size / 2) as i32, (size / 2) as i32);
    for (index, value) in padded.values_mut().iter_mut().enumerate() {
        let place = [index % padded_size, index / padded_size % padded_size, index / padded_size / padded_size]
            .map(|i| i as i32 - half);
        if place.iter().all(|i| (-limit..limit).contains(i)) {
            *value = Complex32::new(value.re / place.map(sinc_squared).iter().product::<f32>(), 0.0);
        } else {
            *value = Complex32::default();
        }
    }
    transform(padded.values_mut(), padded_size, Direction::Forward);
}
