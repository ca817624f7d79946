//! Particle images of a moving molecule, made from its atoms.
//!
//! Each image is the exact projection of Gaussian atoms in a random conformation and orientation, moved within the
//! plane, times the CTF, plus white noise. It is made in Fourier space from the atoms in the microscope's frame,
//! without the slice theorem that the reconstruction relies on. What the CTF spreads beyond the edge of the box comes
//! back on the other side: exactly the model of a multiplication on the box's own grid.
//!
//! | parameter | default | meaning | range |
//! | --- | --- | --- | --- |
//! | `particles` | 10000 | images | 2 … 10,000,000, and 2²⁹ pixels in all |
//! | `size` | 32 | pixels along an edge | even, 16 … 256 |
//! | `pixel_size` | 3 | Å | 0.5 … 20; the molecule must fit |
//! | `deviation` | 2 | of an atom's Gaussian, Å | 0.1 … 50 |
//! | `snr` | 0.1 | variance of the images without noise over that of the noise, over the whole box | 1e-6 … 1e6 |
//! | `shift` | 4 | shifts are uniform within ± this, Å | 0 … 1000 |
//! | `defocus` | 10000 … 25000 | Å, uniform | 1 … 1e6 |
//! | `motion` | uniform on 0 … 1 | conformation; or always the same | 0 … 1 |

use super::atoms::Molecule;
use super::ctf::Ctf;
use super::density::Density;
use super::error::{CryoError, read_text};
use super::particles::{Particle, ParticleStack, remove_tables};
use super::poses::Rotation;
use crate::base::files;
use crate::base::fourier::{Direction, transform};
use crate::base::random::{Purpose, step_rng};
use crate::store::json;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Pixels of a stack: two gigabytes.
const MOST_PIXELS: usize = 1 << 29;

/// What to make; see the module's table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SynthesisParams {
    /// Number of images.
    pub particles: usize,
    /// Pixels along an edge.
    pub size: usize,
    /// Edge of a pixel, Å.
    pub pixel_size: f64,
    /// Deviation of an atom, Å.
    pub deviation: f32,
    /// Signal to noise, of variances.
    pub snr: f64,
    /// Largest shift along an axis, Å.
    pub shift: f64,
    /// Smallest and largest defocus, Å.
    pub defocus: [f64; 2],
    /// The one conformation of all; `None`: uniform.
    pub motion: Option<f64>,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for SynthesisParams {
    fn default() -> Self {
        Self {
            particles: 10_000,
            size: 32,
            pixel_size: 3.0,
            deviation: 2.0,
            snr: 0.1,
            shift: 4.0,
            defocus: [10_000.0, 25_000.0],
            motion: None,
            seed: 0,
        }
    }
}

impl SynthesisParams {
    pub(crate) fn check(&self, molecule: &Molecule) -> Result<(), CryoError> {
        let refuse = |text: String| Err(CryoError::Setting(text));
        let within = |value: f64, low: f64, high: f64| (low..=high).contains(&value);
        if self.particles < 2 || self.particles > 10_000_000 {
            return refuse(format!("{} particles are not possible; --particles takes 2 to 10000000", self.particles));
        }
        if !self.size.is_multiple_of(2) || !(16..=256).contains(&self.size) {
            return refuse(format!("a box of {} is not possible; --box takes even numbers from 16 to 256", self.size));
        }
        if !within(self.pixel_size, 0.5, 20.0) {
            return refuse(format!("pixels of {} Å are not possible; --pixel-size takes 0.5 to 20", self.pixel_size));
        }
        if self.particles > MOST_PIXELS / self.size.pow(2) {
            return refuse(format!(
                "{} images of {size} × {size} pixels are not possible; a stack has up to {MOST_PIXELS} pixels, so lower --particles to \
                 {} or --box",
                self.particles,
                MOST_PIXELS / self.size.pow(2),
                size = self.size
            ));
        }
        if !within(f64::from(self.deviation), 0.1, 50.0) {
            return refuse(format!("atoms of {} Å are not possible; --deviation takes 0.1 to 50", self.deviation));
        }
        if !within(self.snr, 1e-6, 1e6) {
            return refuse(format!("a signal to noise of {} is not possible; --snr takes 1e-6 to 1e6", self.snr));
        }
        if !within(self.shift, 0.0, 1e3) {
            return refuse(format!("shifts of {} Å are not possible; --shift takes 0 to 1000", self.shift));
        }
        if !within(self.defocus[0], 1.0, self.defocus[1]) || !within(self.defocus[1], 1.0, 1e6) {
            let [low, high] = self.defocus;
            return refuse(format!(
                "a defocus from {low} to {high} Å is not possible; --defocus takes two numbers from 1 to 1e6, the smaller first"
            ));
        }
        if self.motion.is_some_and(|motion| !within(motion, 0.0, 1.0)) {
            return refuse("--motion takes a number from 0 (open) to 1 (closed)".into());
        }
        let (edge, needed) = (self.size as f64 * self.pixel_size, 2.0 * (f64::from(molecule.radius()) + self.shift));
        if edge < needed {
            return refuse(format!(
                "a box of {edge} Å does not hold the molecule of {needed:.0} Å; raise --box or --pixel-size"
            ));
        }
        Ok(())
    }
}

/// Makes the images.
///
/// # Errors
/// If a parameter is out of its range.
pub fn synthesize(molecule: &Molecule, params: &SynthesisParams) -> Result<ParticleStack, CryoError> {
    params.check(molecule)?;
    let (size, pixels) = (params.size, params.size * params.size);
    let particles: Vec<Particle> = (0..params.particles).map(|index| draw(params, index)).collect();
    let mut images = vec![0.0; params.particles * pixels];
    images
        .par_chunks_mut(pixels)
        .zip(&particles)
        .for_each(|(image, particle)| clean(molecule, params, particle, image));
    // Signal of all images together, so that faint views stay faint.
    let (sum, squares) = images.iter().fold((0.0, 0.0), |(s, q), &v| (s + f64::from(v), q + f64::from(v).powi(2)));
    let count = images.len() as f64;
    let noise = ((squares / count - (sum / count).powi(2)) / params.snr).sqrt();
    images.par_chunks_mut(pixels).enumerate().for_each(|(index, image)| {
        let mut rng = step_rng(params.seed, Purpose::ParticleNoise, index as u64);
        for value in image {
            let deviate: f64 = StandardNormal.sample(&mut rng);
            *value += (noise * deviate) as f32;
        }
    });
    Ok(ParticleStack { size, pixel_size: params.pixel_size, particles, images, notes: Vec::new() })
}

/// What synthetic particles were made from: the true volume of every conformation.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The atoms that the images show, in both conformations.
    pub molecule: Molecule,
    /// How the images were made.
    pub params: SynthesisParams,
}

impl Truth {
    /// The density at motion t.
    pub fn density(&self, t: f64) -> Density {
        Density::new(self.molecule.at(t as f32), self.params.deviation)
    }

    /// The true motion of each image of a stack: what its table says, or the one that all were made with. `None` if
    /// neither is known: then there is nothing to compare volumes with.
    pub fn motions(&self, stack: &ParticleStack) -> Option<Vec<f64>> {
        stack.motions().or_else(|| Some(vec![self.params.motion?; stack.particles.len()]))
    }

    /// Writes `truth.csv` and `truth.json` into a folder, before the particles: tables of earlier ones are removed.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn write(&self, folder: &Path) -> Result<(), CryoError> {
        remove_tables(folder)?;
        files::write(&folder.join("truth.csv"), self.molecule.to_csv().as_bytes())?;
        json::write(&folder.join("truth.json"), &self.params)?;
        Ok(())
    }

    /// Reads what [`Self::write`] wrote; `None` where there is no such file.
    ///
    /// # Errors
    /// If one of the two files is missing or broken.
    pub fn read(folder: &Path) -> Result<Option<Self>, CryoError> {
        let path = folder.join("truth.json");
        if !path.exists() {
            return Ok(None);
        }
        let params: SynthesisParams = serde_json::from_str(&read_text(&path)?)
            .map_err(|error| CryoError::file(&path, format!("{error}; make it anew with `trainer cryo synthesize`")))?;
        let molecule = Molecule::read(&folder.join("truth.csv"), None)?;
        params.check(&molecule)?;
        Ok(Some(Self { molecule, params }))
    }
}

fn draw(params: &SynthesisParams, index: usize) -> Particle {
    let mut rng = step_rng(params.seed, Purpose::ParticlePose, index as u64);
    let angles = Rotation::random(&mut rng).to_euler();
    let mut uniform = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
    let shift = [uniform(-params.shift, params.shift), uniform(-params.shift, params.shift)];
    let ctf = Ctf::with_defocus(uniform(params.defocus[0], params.defocus[1]));
    let motion = Some(params.motion.unwrap_or_else(|| uniform(0.0, 1.0)));
    Particle { angles, shift, ctf, motion, half: None }
}

/// The image without noise: pixel values are the density integrated over the pixel's column.
fn clean(molecule: &Molecule, params: &SynthesisParams, particle: &Particle, image: &mut [f32]) {
    let (size, rotation) = (params.size, particle.rotation());
    let turned = molecule.at(particle.motion.unwrap_or_default() as f32).into_iter().map(|r| {
        let [x, y, z] = rotation.apply(r.map(f64::from));
        [(x + particle.shift[0]) as f32, (y + particle.shift[1]) as f32, z as f32]
    });
    let mut values = Density::new(turned.collect(), params.deviation).projection_transform(size, params.pixel_size);
    let spacing = 1.0 / (size as f64 * params.pixel_size);
    for (index, value) in values.iter_mut().enumerate() {
        let frequency = |i: usize| (i as f64 - (size / 2) as f64) * spacing;
        *value *= particle.ctf.at(frequency(index % size), frequency(index / size)) as f32;
    }
    transform(&mut values, size, Direction::Inverse);
    for (pixel, value) in image.iter_mut().zip(&values) {
        *pixel = value.re;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> SynthesisParams {
        SynthesisParams { particles: 40, ..SynthesisParams::default() }
    }

    #[test]
    fn noise_has_the_variance_that_was_asked_for() {
        let molecule = Molecule::adenylate_kinase();
        let variance = |snr: f64| {
            let stack = synthesize(&molecule, &SynthesisParams { snr, ..params() }).unwrap();
            stack.images.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / stack.images.len() as f64
        };
        let (clean, noisy) = (variance(1e6), variance(0.1));
        // The mean is not quite zero, so the ratio is not quite 11.
        assert!((noisy / clean - 11.0).abs() < 0.8, "{}", noisy / clean);
    }

    #[test]
    fn a_seed_decides_everything_and_prefixes_agree() {
        let molecule = Molecule::adenylate_kinase();
        let (a, b) = (synthesize(&molecule, &params()).unwrap(), synthesize(&molecule, &params()).unwrap());
        assert_eq!(a, b);
        let other = synthesize(&molecule, &SynthesisParams { seed: 1, ..params() }).unwrap();
        assert_ne!(a.particles[0].angles, other.particles[0].angles);
    }

    #[test]
    fn a_heavy_atom_lands_where_the_pose_says() {
        // One atom 12 Å along x and its counterweight of nothing: the centre of mass is the atom itself, so two atoms.
        let molecule = Molecule::new(
            vec![[12.0, 0.0, 0.0], [-12.0, 0.0, 0.0]],
            vec![[12.0, 0.0, 0.0], [-12.0, 0.0, 0.0]],
            "m".as_ref(),
        )
        .unwrap();
        let ctf = Ctf { amplitude_contrast: 1.0, spherical_aberration: 0.0, ..Ctf::with_defocus(1e-9) };
        let particle = Particle { angles: [0.0; 3], shift: [3.0, -6.0], ctf, motion: None, half: None };
        let mut image = vec![0.0; 32 * 32];
        clean(&molecule, &params(), &particle, &mut image);
        // Pixels of 3 Å: x = (12 + 3)/3 = 5 and (-12 + 3)/3 = -3 from the middle, y = -2.
        let peak = image[14 * 32 + 21];
        assert!(image.iter().all(|&value| value <= peak + 1e-6));
        assert!((image[14 * 32 + 13] - peak).abs() < 1e-5);
        assert!((image.iter().sum::<f32>() - 2.0).abs() < 1e-3, "an atom adds one");
    }

    #[test]
    fn the_truth_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Truth::read(folder.path()).unwrap(), None);
        let truth = Truth { molecule: Molecule::adenylate_kinase(), params: params() };
        truth.write(folder.path()).unwrap();
        let read = Truth::read(folder.path()).unwrap().unwrap();
        assert_eq!(read.params, truth.params);
        let moved =
            |t: f32| read.molecule.at(t).into_iter().zip(truth.molecule.at(t)).all(|(a, b)| (a[0] - b[0]).abs() < 1e-3);
        assert!(moved(0.0) && moved(1.0));
        std::fs::write(folder.path().join("truth.json"), "{}").unwrap();
        assert!(Truth::read(folder.path()).unwrap_err().to_string().contains("truth.json"));
    }

    #[test]
    fn impossible_settings_are_refused() {
        let molecule = Molecule::adenylate_kinase();
        for broken in [
            SynthesisParams { size: 31, ..params() },
            SynthesisParams { size: 16, ..params() },
            SynthesisParams { snr: 0.0, ..params() },
            SynthesisParams { motion: Some(1.5), ..params() },
            SynthesisParams { particles: 1, ..params() },
            SynthesisParams { particles: 10_000_000, size: 256, ..params() },
            SynthesisParams { shift: -1.0, ..params() },
            SynthesisParams { defocus: [2e4, 1e4], ..params() },
            SynthesisParams { defocus: [1e4, 1e7], ..params() },
        ] {
            assert!(matches!(synthesize(&molecule, &broken), Err(CryoError::Setting(_))), "{broken:?}");
        }
    }
}
