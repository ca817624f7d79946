//! Particle images with what is known about each: orientation, shift, CTF.
//!
//! **The rule: a known column that would change the answer is used, or refused by name; columns that are not known are
//! counted in one line.** `known.rs` holds the lists of both. The size of the box and of a pixel are those of the
//! table and of the images: where both say it, they must agree.
//!
//! The table is a RELION `.star` (3.0, or 3.1 with optics groups) or a plain `.csv` with one row an image and the
//! columns of [`CSV_COLUMNS`], in RELION's conventions except for the shift: ours is where the particle lies, RELION's
//! origin is what moves it back.

mod images;
mod known;
mod plain;
mod relion;
mod row;

pub use plain::{CSV_COLUMNS, CSV_EXTRAS};

use super::ctf::{Ctf, NO_EXTRAS};
use super::error::{CryoError, read_text};
use super::mrc::{Content, Mrc};
use super::poses::Rotation;
use crate::base::files;
use images::Images;
use std::path::{Path, PathBuf};

/// What is known about one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Particle {
    /// Orientation, (rot, tilt, psi) in degrees.
    pub angles: [f64; 3],
    /// Where the particle's centre lies, Å from the image's.
    pub shift: [f64; 2],
    /// What the microscope does to the image, with its defocus.
    pub ctf: Ctf,
    /// The true conformation, 0 to 1, of synthetic images.
    pub motion: Option<f64>,
    /// The half set, 1 or 2, that another program refined its pose in.
    pub half: Option<u8>,
}

impl Particle {
    /// From the molecule's frame to the microscope's.
    pub fn rotation(&self) -> Rotation {
        Rotation::from_euler(self.angles)
    }
}

/// Images of one size with their particles.
#[derive(Clone, Debug, PartialEq)]
pub struct ParticleStack {
    /// Pixels along an edge, even.
    pub size: usize,
    /// Edge of a pixel, Å.
    pub pixel_size: f64,
    /// One for each image.
    pub particles: Vec<Particle>,
    /// `[n, y, x]`.
    pub images: Vec<f32>,
    /// What is worth saying of the files, in whole sentences.
    pub notes: Vec<String>,
}

/// A table before its images are read.
struct Listing {
    particles: Vec<Particle>,
    /// Of each particle the stack, an index of `stacks`, and the image in it, from 0.
    images: Vec<[usize; 2]>,
    /// The stacks that the table names: none in a plain one.
    stacks: Vec<PathBuf>,
    pixel_size: Option<f64>,
    /// Pixels along an edge, where the table says it.
    image_size: Option<usize>,
    notes: Vec<String>,
}

impl ParticleStack {
    /// Reads a table and its images. `stack` overrides the `.mrcs` that the table names (a plain table names none: then
    /// the default is `particles.mrcs` beside it).
    ///
    /// # Errors
    /// If either file is broken, a column is missing, or the two do not fit.
    pub fn read(table: &Path, stack: Option<&Path>) -> Result<Self, CryoError> {
        let is_star = table.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("star"));
        let text = read_text(table)?;
        let mut listing = if is_star { relion::parse(&text, table)? } else { plain::parse(&text, table)? };
        let Images { size, pixel_size, values, note } = images::read(&listing, table, stack)?;
        listing.notes.extend(note);
        Ok(Self { size, pixel_size, particles: listing.particles, images: values, notes: listing.notes })
    }

    /// The true conformations, if they are known of all.
    pub fn motions(&self) -> Option<Vec<f64>> {
        self.particles.iter().map(|particle| particle.motion).collect()
    }

    /// The half set of each image, if all are known and there are two.
    pub fn halves(&self) -> Option<Vec<u8>> {
        let halves: Vec<u8> = self.particles.iter().map(|particle| particle.half).collect::<Option<_>>()?;
        (halves.contains(&1) && halves.contains(&2)).then_some(halves)
    }

    /// An image `[y, x]`.
    pub fn image(&self, index: usize) -> &[f32] {
        let pixels = self.size * self.size;
        &self.images[index * pixels..(index + 1) * pixels]
    }

    /// Some of the images, with their particles.
    #[must_use]
    pub fn select(&self, images: &[u32]) -> Self {
        Self {
            particles: images.iter().map(|&image| self.particles[image as usize]).collect(),
            images: images.iter().flat_map(|&image| self.image(image as usize)).copied().collect(),
            notes: self.notes.clone(),
            ..*self
        }
    }

    /// Writes `particles.mrcs`, `particles.star` and `poses.csv` into a folder. The tables of an earlier stack are
    /// removed first, so that none ever lies beside other images.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CryoError> {
        remove_tables(folder)?;
        let shape = [self.particles.len(), self.size, self.size];
        let mrc = Mrc { shape, voxel_size: self.pixel_size, values: self.images.clone() };
        mrc.write(&folder.join("particles.mrcs"), Content::Stack)?;
        files::write(&folder.join("particles.star"), relion::to_text(self).as_bytes())?;
        files::write(&folder.join("poses.csv"), plain::to_text(&self.particles).as_bytes())?;
        Ok(())
    }
}

fn particle(values: [f64; 12], motion: Option<f64>) -> Result<Particle, String> {
    let [rot, tilt, psi, x, y, defocus_u, defocus_v, defocus_angle, voltage, aberration, contrast, phase_shift] =
        values;
    if voltage <= 0.0 || !(0.0..=1.0).contains(&contrast) {
        return Err(format!("a voltage of {voltage} kV with an amplitude contrast of {contrast} is not possible"));
    }
    if let Some(motion) = motion.filter(|motion| !(0.0..=1.0).contains(motion)) {
        return Err(format!("motion is {motion}; it runs from 0 (open) to 1 (closed)"));
    }
    let ctf = Ctf {
        defocus_u,
        defocus_v,
        defocus_angle,
        voltage,
        spherical_aberration: aberration,
        amplitude_contrast: contrast,
        phase_shift,
        ..Ctf::with_defocus(0.0)
    };
    Ok(Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, motion, half: None })
}

/// B-factors that leave anything of an image, Å².
const B_FACTORS: std::ops::RangeInclusive<f64> = -1000.0..=10_000.0;

/// Takes scale, B-factor and beam tilt; `names` are those of the columns.
fn take_extras(particle: &mut Particle, extras: [f64; 4], names: [&str; 4]) -> Result<(), String> {
    let [scale, b_factor, ..] = extras;
    if scale <= 0.0 {
        return Err(format!("{} is {scale}; an image is multiplied by a number above 0", names[0]));
    }
    if !B_FACTORS.contains(&b_factor) {
        return Err(format!("{} is {b_factor}; it takes -1000 to 10000 Å²", names[1]));
    }
    particle.ctf = particle.ctf.with_extras(extras);
    Ok(())
}

/// Whether any of these has a scale, a B-factor or a beam tilt.
fn have_extras(particles: &[Particle]) -> bool {
    particles.iter().any(|particle| particle.ctf.extras() != NO_EXTRAS)
}

/// Removes the tables that [`ParticleStack::write`] wrote before.
pub(super) fn remove_tables(folder: &Path) -> Result<(), CryoError> {
    Ok(["particles.star", "poses.csv"].iter().try_for_each(|table| files::remove(&folder.join(table)))?)
}

fn not_empty(particles: &[Particle], path: &Path) -> Result<(), CryoError> {
    if particles.is_empty() { Err(CryoError::file(path, "it lists no particles; export it again")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn stack() -> ParticleStack {
        let particle = |i: usize| Particle {
            angles: [10.5 + i as f64, 40.0, -70.25],
            shift: [1.5, -2.0 + i as f64],
            ctf: Ctf { defocus_v: 14_000.0, defocus_angle: 12.5, ..Ctf::with_defocus(15_000.0 + 100.0 * i as f64) },
            motion: Some(0.25 * i as f64),
            half: None,
        };
        let images = (0..3 * 64).map(|i| i as f32).collect();
        let particles = (0..3).map(particle).collect();
        ParticleStack { size: 8, pixel_size: 3.0, particles, images, notes: Vec::new() }
    }

    #[test]
    fn both_tables_come_back() {
        let (folder, stack) = (tempfile::tempdir().unwrap(), stack());
        stack.write(folder.path()).unwrap();
        assert_eq!(ParticleStack::read(&folder.path().join("poses.csv"), None).unwrap(), stack);
        let mut from_star = ParticleStack::read(&folder.path().join("particles.star"), None).unwrap();
        for (particle, original) in from_star.particles.iter_mut().zip(&stack.particles) {
            particle.motion = original.motion;
        }
        assert_eq!(from_star, stack);
    }

    #[test]
    fn scale_b_factor_and_beam_tilt_come_back() {
        let (folder, mut stack) = (tempfile::tempdir().unwrap(), stack());
        stack.particles[1].ctf = stack.particles[1].ctf.with_extras([0.75, 40.0, 0.25, -0.5]);
        stack.write(folder.path()).unwrap();
        assert_eq!(ParticleStack::read(&folder.path().join("poses.csv"), None).unwrap(), stack);
        let from_star = ParticleStack::read(&folder.path().join("particles.star"), None).unwrap();
        assert_eq!(from_star.particles[1].ctf, stack.particles[1].ctf);
        assert!(from_star.notes.is_empty(), "{:?}", from_star.notes);
    }

    #[test]
    fn half_sets_come_back_if_all_images_have_one() {
        let (folder, mut stack) = (tempfile::tempdir().unwrap(), stack());
        let mut halves = |values: [Option<u8>; 3]| {
            stack.particles.iter_mut().zip(values).for_each(|(particle, half)| particle.half = half);
            stack.write(folder.path()).unwrap();
            ParticleStack::read(&folder.path().join("particles.star"), None).unwrap().halves()
        };
        assert_eq!(halves([Some(2), Some(1), Some(2)]), Some(vec![2, 1, 2]));
        assert_eq!(halves([Some(2), None, Some(1)]), None);
        assert_eq!(halves([Some(1); 3]), None);
    }

    #[test]
    fn tables_of_other_images_do_not_outlive_them() {
        let folder = tempfile::tempdir().unwrap();
        stack().write(folder.path()).unwrap();
        // As an interruption between images and tables: the images cannot be replaced.
        std::fs::remove_file(folder.path().join("particles.mrcs")).unwrap();
        std::fs::create_dir(folder.path().join("particles.mrcs")).unwrap();
        stack().write(folder.path()).unwrap_err();
        assert!(["particles.star", "poses.csv"].iter().all(|table| !folder.path().join(table).exists()));
    }

    #[test]
    fn a_table_that_does_not_fit_its_images_is_named() {
        let folder = tempfile::tempdir().unwrap();
        stack().write(folder.path()).unwrap();
        let table = folder.path().join("poses.csv");
        let text = std::fs::read_to_string(&table).unwrap();
        std::fs::write(&table, text.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
        let error = ParticleStack::read(&table, None).unwrap_err().to_string();
        assert!(error.contains("2 rows") && error.contains("3 images"), "{error}");
    }
}
