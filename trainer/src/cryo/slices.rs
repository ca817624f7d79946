//! Images as central slices: what training and back-projection see of a stack.
//!
//! Of each image the Hartley coefficients of the half plane `ky > 0, or ky = 0 and kx ≥ 0` within the radius size/2 -
//! 1, as pairs H(k), H(-k), in units of the noise's deviation, the particle moved to the centre. The noise is white;
//! its deviation is measured in the corners of the transforms, beyond the circle of Nyquist's frequency, where little
//! signal is. In the molecule's frame k lies at `Rᵀ(kx, ky, 0)`.

use super::fourier_volume::FourierVolume;
use super::hartley;
use super::particles::ParticleStack;
use super::poses::Rotation;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;

/// The coefficients of all images; frequencies are in cycles over the box.
#[derive(Clone, Debug)]
pub struct Slices {
    size: usize,
    pixel_size: f64,
    noise: f32,
    frequencies: Vec<[i32; 2]>,
    rotations: Vec<Rotation>,
    /// `[n, points]`.
    pairs: Vec<[f32; 2]>,
    /// `[n, points]`.
    ctf: Vec<f32>,
}

impl Slices {
    /// Transforms all images.
    pub fn new(stack: &ParticleStack) -> Self {
        let (size, half) = (stack.size, (stack.size / 2) as i32);
        let radius = half - 1;
        let frequencies: Vec<[i32; 2]> = (0..=radius)
            .flat_map(|ky| (-radius..=radius).map(move |kx| [kx, ky]))
            .filter(|&[kx, ky]| kx * kx + ky * ky <= radius * radius && (ky > 0 || kx >= 0))
            .collect();
        let edge = size as f64 * stack.pixel_size;
        let images: Vec<_> = (0..stack.particles.len())
            .into_par_iter()
            .map(|index| {
                let particle = &stack.particles[index];
                let transform = hartley::of_image(stack.image(index), size);
                let mut corners = (0.0, 0usize);
                for (place, value) in transform.iter().enumerate() {
                    let [y, x] = [place / size, place % size].map(|i| i as i32 - half);
                    if x * x + y * y > half * half {
                        corners = (corners.0 + f64::from(*value).powi(2), corners.1 + 1);
                    }
                }
                let at = |kx: i32, ky: i32| transform[((ky + half) * 2 * half + kx + half) as usize];
                let (mut pairs, mut ctf) =
                    (Vec::with_capacity(frequencies.len()), Vec::with_capacity(frequencies.len()));
                for &[kx, ky] in &frequencies {
                    let k = [f64::from(kx) / edge, f64::from(ky) / edge];
                    let turns = k[0] * particle.shift[0] + k[1] * particle.shift[1];
                    let turns = turns + particle.ctf.tilt_turns(k[0], k[1]);
                    pairs.push(hartley::shift([at(kx, ky), at(-kx, -ky)], -turns));
                    ctf.push(particle.ctf.at(k[0], k[1]) as f32);
                }
                (pairs, ctf, corners)
            })
            .collect();
        let (sum, count) = images.iter().fold((0.0, 0), |(s, c), (_, _, corners)| (s + corners.0, c + corners.1));
        // Images without any noise, which only tests have, still get a unit.
        let noise = ((sum / count as f64).sqrt() as f32).max(1e-12);
        let (mut pairs, mut ctf) = (Vec::new(), Vec::new());
        for (of_image, ctf_of_image, _) in images {
            pairs.extend(of_image.into_iter().map(|pair| pair.map(|value| value / noise)));
            ctf.extend(ctf_of_image);
        }
        let rotations = stack.particles.iter().map(|particle| particle.rotation()).collect();
        Self { size, pixel_size: stack.pixel_size, noise, frequencies, rotations, pairs, ctf }
    }

    /// Pixels along an edge.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Edge of a pixel, Å.
    pub fn pixel_size(&self) -> f64 {
        self.pixel_size
    }

    /// Edge of the box, Å.
    pub fn edge(&self) -> f64 {
        self.size as f64 * self.pixel_size
    }

    /// The largest |k|, cycles over the box.
    pub fn radius(&self) -> usize {
        self.size / 2 - 1
    }

    /// Deviation of the noise of a Hartley coefficient, in the images' units.
    pub fn noise(&self) -> f32 {
        self.noise
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.rotations.len()
    }

    /// Pairs of each image.
    pub fn points(&self) -> usize {
        self.frequencies.len()
    }

    /// (kx, ky) of a pair.
    pub fn frequency(&self, point: usize) -> [i32; 2] {
        self.frequencies[point]
    }

    /// Where a pair lies in the molecule's frame.
    pub fn position(&self, image: usize, point: usize) -> [f32; 3] {
        let [kx, ky] = self.frequencies[point];
        self.rotations[image].slice_point(f64::from(kx), f64::from(ky)).map(|k| k as f32)
    }

    /// H(k), H(-k) over the noise, and the CTF.
    pub fn pair(&self, image: usize, point: usize) -> ([f32; 2], f32) {
        let index = image * self.points() + point;
        (self.pairs[index], self.ctf[index])
    }

    /// F(k) over the noise, and the CTF.
    pub fn coefficient(&self, image: usize, point: usize) -> (Complex32, f32) {
        let ([plus, minus], ctf) = self.pair(image, point);
        (hartley::to_fourier(plus, minus), ctf)
    }

    /// A volume of zeros of the images' size.
    pub fn empty_volume(&self) -> FourierVolume {
        FourierVolume::zeros(self.size, self.pixel_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::synthesis::{SynthesisParams, Truth, synthesize};

    #[test]
    fn images_are_slices_of_the_volume_times_the_ctf() {
        let params = SynthesisParams { particles: 6, snr: 1e6, motion: Some(0.3), ..SynthesisParams::default() };
        let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
        let slices = Slices::new(&synthesize(&truth.molecule, &truth.params).unwrap());
        let density = truth.density(0.3);
        for image in 0..6 {
            for point in (0..slices.points()).step_by(17) {
                let (found, ctf) = slices.coefficient(image, point);
                let k = slices.position(image, point).map(|k| f64::from(k) / slices.edge());
                let exact = density.transform(k) * f64::from(ctf);
                let error = (f64::from(found.re * slices.noise()) - exact.re)
                    .hypot(f64::from(found.im * slices.noise()) - exact.im);
                assert!(error < 0.3, "image {image} at {k:?}: {error} of {}", exact.norm());
            }
        }
    }

    /// Images whose coefficients were turned as a tilted beam turns them give the slices of those that were not.
    #[test]
    fn the_beams_tilt_is_undone() {
        use crate::base::fourier::{Direction, transform};
        let params = SynthesisParams { particles: 3, snr: 1.0, ..SynthesisParams::default() };
        let mut stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
        let plain = Slices::new(&stack);
        for index in 0..3 {
            // Strong, so that it shows at 6 Å.
            let ctf = &mut stack.particles[index].ctf;
            ctf.beam_tilt = [20.0, -12.0];
            let ctf = *ctf;
            let pixels = &mut stack.images[index * 1024..(index + 1) * 1024];
            let mut values: Vec<Complex32> = pixels.iter().map(|&value| Complex32::new(value, 0.0)).collect();
            transform(&mut values, 32, Direction::Forward);
            for (place, value) in values.iter_mut().enumerate() {
                let [kx, ky] = [place % 32, place / 32].map(|i| i as f64 - 16.0);
                if kx > -16.0 && ky > -16.0 {
                    let turns = ctf.tilt_turns(kx / 96.0, ky / 96.0);
                    *value *= Complex32::from_polar(1.0, -(std::f64::consts::TAU * turns) as f32);
                }
            }
            transform(&mut values, 32, Direction::Inverse);
            pixels.iter_mut().zip(&values).for_each(|(pixel, value)| *pixel = value.re);
        }
        let (mut ignored, found) = (stack.clone(), Slices::new(&stack));
        ignored.particles.iter_mut().for_each(|particle| particle.ctf.beam_tilt = [0.0; 2]);
        let difference = |other: &Slices| {
            let pairs = plain.pairs.as_flattened().iter().zip(other.pairs.as_flattened());
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(difference(&found) < 1e-3, "{}", difference(&found));
        assert!(difference(&Slices::new(&ignored)) > 1.0);
    }

    #[test]
    fn the_noise_is_measured() {
        let params = SynthesisParams { particles: 200, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
        let variance = stack.images.iter().map(|v| v * v).sum::<f32>() / stack.images.len() as f32;
        // One eleventh of the variance is signal; a coefficient sums 32² pixels.
        let expected = (variance / 1.1).sqrt() * 32.0;
        assert!((Slices::new(&stack).noise() / expected - 1.0).abs() < 0.03);
    }
}
