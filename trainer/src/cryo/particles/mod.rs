//! Particle images with what is known about each: orientation, shift, CTF.
//!
//! The table is a RELION `.star` (3.0, or 3.1 with optics groups) or a plain `.csv` with one row an image and the columns
//! of [`CSV_COLUMNS`], in RELION's conventions except for the shift: ours is where the particle lies, RELION's origin is what
//! moves it back.

mod plain;
mod relion;

pub use plain::CSV_COLUMNS;

use super::ctf::Ctf;
use super::error::{CryoError, read_text};
use super::mrc::{Kind, Mrc};
use super::poses::Rotation;
use crate::files;
use std::path::{Path, PathBuf};

/// What is known about one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Particle {
    /// Orientation, (rot, tilt, psi) in degrees.
    pub angles: [f64; 3],
    /// Where the particle's centre lies, Å from the image's.
    pub shift: [f64; 2],
    /// The microscope.
    pub ctf: Ctf,
    /// The true conformation, 0 to 1, of synthetic images.
    pub motion: Option<f64>,
}

impl Particle {
    /// The orientation.
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
}

/// A table before its images are read.
struct Listing {
    particles: Vec<Particle>,
    /// Index from 0 of each image in its stack.
    images: Vec<usize>,
    /// The stack that the table names.
    stack: Option<PathBuf>,
    pixel_size: Option<f64>,
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
        let listing = if is_star { relion::parse(&text, table)? } else { plain::parse(&text, table)? };
        let folder = table.parent().unwrap_or(Path::new(""));
        let path = match (stack, &listing.stack) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => find_stack(table, path)?,
            (None, None) => folder.join("particles.mrcs"),
        };
        Self::from_parts(listing, Mrc::read(&path)?, table, &path)
    }

    fn from_parts(listing: Listing, mrc: Mrc, table: &Path, path: &Path) -> Result<Self, CryoError> {
        let [count, height, size] = mrc.shape;
        if height != size || !size.is_multiple_of(2) || !(8..=512).contains(&size) {
            let problem =
                format!("its images have {size} × {height} pixels; crop them to squares of an even side from 8 to 512");
            return Err(CryoError::file(path, problem));
        }
        if listing.stack.is_none() && count != listing.particles.len() {
            let problem = format!(
                "it has {} rows and {} {count} images; they must match",
                listing.particles.len(),
                path.display()
            );
            return Err(CryoError::file(table, problem));
        }
        if let Some(&image) = listing.images.iter().find(|&&image| image >= count) {
            let problem = format!("it names image {} of {}, which has {count}", image + 1, path.display());
            return Err(CryoError::file(table, problem));
        }
        let pixel_size = listing.pixel_size.unwrap_or(mrc.voxel_size);
        if !(0.1..=100.0).contains(&pixel_size) {
            return Err(CryoError::file(
                path,
                "the size of a pixel is unknown; set it in the file's header or the .star",
            ));
        }
        let pixels = size * size;
        if let Some(place) = mrc.values.iter().position(|value| !value.is_finite()) {
            let (image, pixel) = (place / pixels + 1, place % pixels);
            let problem = format!(
                "image {image}, row {}, column {} holds {}, not a finite number; leave the image out or copy the file again",
                pixel / size + 1,
                pixel % size + 1,
                mrc.values[place]
            );
            return Err(CryoError::file(path, problem));
        }
        let images = listing.images.iter().flat_map(|&i| &mrc.values[i * pixels..(i + 1) * pixels]).copied().collect();
        Ok(Self { size, pixel_size, particles: listing.particles, images })
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
            ..*self
        }
    }

    /// Writes `particles.mrcs`, `particles.star` and `poses.csv` into a folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CryoError> {
        let shape = [self.particles.len(), self.size, self.size];
        let mrc = Mrc { shape, voxel_size: self.pixel_size, values: self.images.clone() };
        mrc.write(&folder.join("particles.mrcs"), Kind::Stack)?;
        files::write(&folder.join("particles.star"), relion::to_text(self).as_bytes())?;
        files::write(&folder.join("poses.csv"), plain::to_text(&self.particles).as_bytes())?;
        Ok(())
    }
}

/// Folders above the table's in which its stack is looked for: RELION's jobs lie two below the project.
const ANCESTORS: usize = 4;

/// The stack that a `.star` names: relative to the table's folder, or to one above it, since RELION's paths are relative to
/// the project and not to the table.
fn find_stack(table: &Path, named: &Path) -> Result<PathBuf, CryoError> {
    // Of a bare file name the folders above are known only once it is absolute.
    let whole = std::path::absolute(table).unwrap_or_else(|_| table.to_owned());
    let tried: Vec<PathBuf> = whole.ancestors().skip(1).take(1 + ANCESTORS).map(|folder| folder.join(named)).collect();
    tried.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let folders: Vec<String> =
            whole.ancestors().skip(1).take(tried.len()).map(|f| f.display().to_string()).collect();
        let problem =
            format!("its images {} are in none of {}; name the file with --stack", named.display(), folders.join(", "));
        CryoError::file(table, problem)
    })
}

fn particle(values: [f64; 12], motion: Option<f64>) -> Result<Particle, String> {
    let [rot, tilt, psi, x, y, defocus_u, defocus_v, defocus_angle, voltage, aberration, contrast, phase_shift] =
        values;
    if voltage <= 0.0 || !(0.0..=1.0).contains(&contrast) {
        return Err(format!("a voltage of {voltage} kV with an amplitude contrast of {contrast} is not possible"));
    }
    let ctf = Ctf {
        defocus_u,
        defocus_v,
        defocus_angle,
        voltage,
        spherical_aberration: aberration,
        amplitude_contrast: contrast,
        phase_shift,
    };
    Ok(Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, motion })
}

fn not_empty(particles: &[Particle], path: &Path) -> Result<(), CryoError> {
    if particles.is_empty() { Err(CryoError::file(path, "it lists no particles")) } else { Ok(()) }
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
        };
        let images = (0..3 * 64).map(|i| i as f32).collect();
        ParticleStack { size: 8, pixel_size: 3.0, particles: (0..3).map(particle).collect(), images }
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
    fn stacks_are_found_from_the_project_folder() {
        let project = tempfile::tempdir().unwrap();
        let job = project.path().join("Refine3D/job012");
        std::fs::create_dir_all(&job).unwrap();
        stack().write(&job).unwrap();
        let (table, images) = (job.join("particles.star"), project.path().join("Extract/particles.mrcs"));
        std::fs::create_dir(images.parent().unwrap()).unwrap();
        std::fs::rename(job.join("particles.mrcs"), &images).unwrap();
        let missing = ParticleStack::read(&table, None).unwrap_err().to_string();
        assert!(missing.contains("particles.mrcs are in none of") && missing.contains("--stack"), "{missing}");
        assert!(missing.contains(&project.path().display().to_string()), "{missing}");
        let text = std::fs::read_to_string(&table).unwrap().replace("@particles", "@Extract/particles");
        std::fs::write(&table, text).unwrap();
        assert_eq!(ParticleStack::read(&table, None).unwrap().images, stack().images);
    }

    #[test]
    fn a_pixel_that_is_no_number_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for value in [f32::NAN, f32::INFINITY] {
            let mut broken = stack();
            broken.images[64 + 2 * 8 + 5] = value;
            broken.write(folder.path()).unwrap();
            let error = ParticleStack::read(&folder.path().join("poses.csv"), None).unwrap_err().to_string();
            assert!(error.contains("particles.mrcs") && error.contains("image 2, row 3, column 6"), "{error}");
        }
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
