//! The images that a table names: found, read and checked.

use std::path::{Path, PathBuf};

use super::super::error::CryoError;
use super::super::mrc::Mrc;
use super::Listing;

/// Deviations of pixels that single precision takes through all transforms and squares.
const DEVIATIONS: std::ops::RangeInclusive<f64> = 1e-9..=1e9;
/// Folders above the table's in which its stacks are looked for: RELION's jobs lie two below the project.
const ANCESTORS: usize = 4;

/// Images in the order of the table.
pub(super) struct Images {
    /// Pixels along an edge.
    pub size: usize,
    /// Å.
    pub pixel_size: f64,
    /// `[n, y, x]`.
    pub values: Vec<f32>,
    /// What is worth saying of the headers.
    pub note: Option<String>,
}

/// How far, in parts, a pixel's size may be from that of the table: programs round it.
const AGREEMENT: f64 = 0.01;
/// What headers say whose program does not know it, Å.
const UNKNOWN_PIXEL: f64 = 1.0;

/// Reads the images of a table, from `stack` if the caller names it.
pub(super) fn read(listing: &Listing, table: &Path, stack: Option<&Path>) -> Result<Images, CryoError> {
    let source = Source { listing, table };
    let stacks = source.stacks(stack)?;
    let mut all: Option<Images> = None;
    let mut unknown = Vec::new();
    for (path, members) in stacks.iter().zip(source.members(stacks.len())) {
        let mrc = Mrc::read(path)?;
        let size = source.side(&mrc, path)?;
        if !source.header_knows_pixel(&mrc, path)? {
            unknown.push(path.as_path());
        }
        let pixel_size = source.pixel_size(&mrc, path)?;
        source.check_count(&mrc, path)?;
        let all = all.get_or_insert_with(|| Images {
            size,
            pixel_size,
            values: vec![0.0; listing.particles.len() * size * size],
            note: None,
        });
        all.check_same_pixels((size, pixel_size), path, &stacks[0])?;
        for (particle, image) in members {
            let pixels = size * size;
            let from = mrc.values.chunks_exact(pixels).nth(image).ok_or_else(|| source.no_image(image, &mrc, path))?;
            check(from, size, image + 1, path)?;
            all.values[particle * pixels..(particle + 1) * pixels].copy_from_slice(from);
        }
    }
    let mut images = all.ok_or_else(|| CryoError::file(table, "it lists no particles; export it again"))?;
    images.note = source.note(&unknown);
    check_deviation(&images.values, if let [stack] = &stacks[..] { stack } else { table })?;
    Ok(images)
}

/// A table whose images are to be read.
struct Source<'a> {
    table: &'a Path,
    listing: &'a Listing,
}

impl Source<'_> {
    /// The files of the images: those that the table names, unless the caller names one.
    fn stacks(&self, named: Option<&Path>) -> Result<Vec<PathBuf>, CryoError> {
        let stacks = &self.listing.stacks;
        match named {
            Some(path) if stacks.len() <= 1 => Ok(vec![path.to_owned()]),
            Some(path) => {
                let (count, path) = (stacks.len(), path.display());
                let problem = format!("it names {count} stacks, and {path} cannot stand for all; leave out --stack");
                Err(CryoError::file(self.table, problem))
            }
            None if stacks.is_empty() => Ok(vec![self.table.with_file_name("particles.mrcs")]),
            None => stacks.iter().map(|named| find(self.table, named)).collect(),
        }
    }

    /// Of each stack the particles that have their image in it, and which image that is.
    fn members(&self, stacks: usize) -> Vec<Vec<(usize, usize)>> {
        let mut members = vec![Vec::new(); stacks];
        for (particle, &[stack, image]) in self.listing.images.iter().enumerate() {
            members[stack].push((particle, image));
        }
        members
    }

    /// Pixels along an edge of a stack's images, which must be as many as the table says.
    fn side(&self, mrc: &Mrc, path: &Path) -> Result<usize, CryoError> {
        let found = side(mrc, path)?;
        match self.listing.image_size {
            Some(expected) if expected != found => {
                Err(CryoError::BoxSize { path: path.to_owned(), found, table: self.table.to_owned(), expected })
            }
            _ => Ok(found),
        }
    }

    /// Whether the size of a pixel in a stack's header is that of the table, or the header has none to differ from it.
    /// It is not where the header has the size of programs that do not know it; any other is an error.
    fn header_knows_pixel(&self, mrc: &Mrc, path: &Path) -> Result<bool, CryoError> {
        let found = mrc.voxel_size;
        let differs = |expected: f64| found > 0.0 && (found / expected - 1.0).abs() > AGREEMENT;
        let Some(expected) = self.listing.pixel_size.filter(|&expected| differs(expected)) else { return Ok(true) };
        if (found - UNKNOWN_PIXEL).abs() > 1e-6 {
            let (path, table) = (path.to_owned(), self.table.to_owned());
            return Err(CryoError::PixelSize { path, found, table, expected });
        }
        Ok(false)
    }

    /// The size of a pixel by the table, or else by the header of a stack, Å.
    fn pixel_size(&self, mrc: &Mrc, path: &Path) -> Result<f64, CryoError> {
        let pixel_size = self.listing.pixel_size.unwrap_or(mrc.voxel_size);
        if (0.1..=100.0).contains(&pixel_size) {
            return Ok(pixel_size);
        }
        let problem = "the size of a pixel is unknown; set it in the file's header or the .star";
        Err(CryoError::file(path, problem))
    }

    /// The stack of a table that names none has an image for each row.
    fn check_count(&self, mrc: &Mrc, path: &Path) -> Result<(), CryoError> {
        let (rows, images) = (self.listing.particles.len(), mrc.shape[0]);
        if !self.listing.stacks.is_empty() || images == rows {
            return Ok(());
        }
        let problem = format!("it has {rows} rows and {} {images} images; they must match", path.display());
        Err(CryoError::file(self.table, problem))
    }

    fn no_image(&self, image: usize, mrc: &Mrc, path: &Path) -> CryoError {
        let (number, path, count) = (image + 1, path.display(), mrc.shape[0]);
        let problem = format!("it names image {number} of {path}, which has {count}; export both again");
        CryoError::file(self.table, problem)
    }

    /// What is worth saying of the stacks whose headers do not know the size of a pixel.
    fn note(&self, unknown: &[&Path]) -> Option<String> {
        let (path, expected) = (unknown.first()?.display(), self.listing.pixel_size?);
        let (count, table) = (unknown.len(), self.table.display());
        let files = if count == 1 { "header says" } else { "headers say" };
        Some(format!(
            "{count} {files} pixels of 1 Å, as programs write that do not know it, the first that of {path}: \
             {expected} Å of {table} is used."
        ))
    }
}

impl Images {
    /// The images of a further stack must have as many pixels of the same size as those of the `first`.
    fn check_same_pixels(&self, (size, pixel_size): (usize, f64), path: &Path, first: &Path) -> Result<(), CryoError> {
        if (size, pixel_size) == (self.size, self.pixel_size) {
            return Ok(());
        }
        let problem = format!(
            "its images have {size} pixels of {pixel_size} Å a side, those of {} {} of {} Å; rescale all to one size",
            first.display(),
            self.size,
            self.pixel_size
        );
        Err(CryoError::file(path, problem))
    }
}

/// Pixels along an edge.
fn side(mrc: &Mrc, path: &Path) -> Result<usize, CryoError> {
    let [_, height, size] = mrc.shape;
    if height == size && size.is_multiple_of(2) && (8..=512).contains(&size) {
        return Ok(size);
    }
    let problem =
        format!("its images have {size} × {height} pixels; crop them to squares of an even side from 8 to 512");
    Err(CryoError::file(path, problem))
}

/// Every pixel is a number, and not all are the same.
fn check(image: &[f32], size: usize, number: usize, path: &Path) -> Result<(), CryoError> {
    if let Some(pixel) = image.iter().position(|value| !value.is_finite()) {
        let problem = format!(
            "image {number}, row {}, column {} holds {}, not a finite number; leave the image out or copy the file \
             again",
            pixel / size + 1,
            pixel % size + 1,
            image[pixel]
        );
        return Err(CryoError::file(path, problem));
    }
    if image.iter().all(|value| *value == image[0]) {
        let problem = format!("image {number} shows nothing, all its pixels are {}; leave the image out", image[0]);
        return Err(CryoError::file(path, problem));
    }
    Ok(())
}

fn check_deviation(values: &[f32], path: &Path) -> Result<(), CryoError> {
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let deviation = (values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count).sqrt();
    if DEVIATIONS.contains(&deviation) {
        return Ok(());
    }
    let problem = format!(
        "its pixels have a standard deviation of {deviation:e}, which single precision cannot square; scale them to \
         about 1"
    );
    Err(CryoError::file(path, problem))
}

/// The stack that a `.star` names: relative to the table's folder, or to one above it, since RELION's paths are
/// relative to the project and not to the table.
fn find(table: &Path, named: &Path) -> Result<PathBuf, CryoError> {
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

#[cfg(test)]
mod tests {
    use super::super::super::mrc::{Content, Mrc};
    use super::super::ParticleStack;
    use super::super::tests::stack;
    use std::fs;

    #[test]
    fn stacks_are_found_from_the_project_folder() {
        let project = tempfile::tempdir().unwrap();
        let job = project.path().join("Refine3D/job012");
        fs::create_dir_all(&job).unwrap();
        stack().write(&job).unwrap();
        let (table, images) = (job.join("particles.star"), project.path().join("Extract/particles.mrcs"));
        fs::create_dir(images.parent().unwrap()).unwrap();
        fs::rename(job.join("particles.mrcs"), &images).unwrap();
        let missing = ParticleStack::read(&table, None).unwrap_err().to_string();
        assert!(missing.contains("particles.mrcs are in none of") && missing.contains("--stack"), "{missing}");
        assert!(missing.contains(&project.path().display().to_string()), "{missing}");
        let text = fs::read_to_string(&table).unwrap().replace("@particles", "@Extract/particles");
        fs::write(&table, text).unwrap();
        assert_eq!(ParticleStack::read(&table, None).unwrap().images, stack().images);
    }

    /// As RELION extracts them: a stack for each micrograph.
    #[test]
    fn a_table_may_name_several_stacks() {
        let folder = tempfile::tempdir().unwrap();
        let whole = stack();
        whole.write(folder.path()).unwrap();
        let part = |name: &str, images: &[u32], voxel_size| {
            let values = whole.select(images).images;
            let mrc = Mrc { shape: [images.len(), 8, 8], voxel_size, values };
            mrc.write(&folder.path().join(name), Content::Stack).unwrap();
        };
        part("a.mrcs", &[2, 0], 3.0);
        part("b.mrcs", &[1], 3.0);
        let table = folder.path().join("particles.star");
        let text = fs::read_to_string(&table).unwrap();
        let text = text.replace("000001@particles", "2@a").replace("000002@particles", "1@b");
        let text = text.replace("000003@particles", "1@a");
        fs::write(&table, &text).unwrap();
        assert_eq!(ParticleStack::read(&table, None).unwrap().images, whole.images);

        let said = |stack: Option<&str>| {
            let stack = stack.map(|name| folder.path().join(name));
            ParticleStack::read(&table, stack.as_deref()).unwrap_err().to_string()
        };
        assert!(said(Some("a.mrcs")).contains("names 2 stacks"));
        let large = Mrc { shape: [1, 10, 10], voxel_size: 3.0, values: (0..100).map(|v| v as f32).collect() };
        large.write(&folder.path().join("b.mrcs"), Content::Stack).unwrap();
        assert!(said(None).contains("b.mrcs: its images have 10 pixels a side, and"), "{}", said(None));
        // The same where the table does not say what they should have.
        fs::write(&table, text.replace("rlnImageSize", "rlnElse")).unwrap();
        assert!(said(None).contains("b.mrcs: its images have 10 pixels of 3 Å a side, those of"), "{}", said(None));
        fs::write(&table, text.replace("2@a", "5@a")).unwrap();
        assert!(said(None).contains("it names image 5 of"), "{}", said(None));
    }

    /// A table of images of twice the size, which programs leave as it is when they shrink a stack.
    #[test]
    fn boxes_and_pixels_of_table_and_images_must_agree() {
        let folder = tempfile::tempdir().unwrap();
        stack().write(folder.path()).unwrap();
        let table = folder.path().join("particles.star");
        let text = fs::read_to_string(&table).unwrap();
        let read = |text: &str, voxel_size: f64| {
            fs::write(&table, text).unwrap();
            let mrc = Mrc { shape: [3, 8, 8], voxel_size, values: stack().images };
            mrc.write(&folder.path().join("particles.mrcs"), Content::Stack).unwrap();
            ParticleStack::read(&table, None)
        };
        let said = |text: &str, voxel_size| read(text, voxel_size).unwrap_err().to_string();
        let binned = text.replace("0.100000\t3\t8\t2", "0.100000\t1.5\t16\t2");
        assert_ne!(binned, text);
        let error = said(&binned, 3.0);
        assert!(
            error.contains("particles.mrcs: its images have 8 pixels a side") && error.contains("rlnImageSize 16"),
            "{error}"
        );
        let error = said(&binned.replace("\t16\t2", "\t8\t2"), 3.0);
        assert!(error.contains("pixels of 3.0000 Å") && error.contains("says 1.5000 Å"), "{error}");
        // Rounded, not said, and not known.
        for voxel_size in [3.02, 0.0] {
            let found = read(&text, voxel_size).unwrap();
            assert!(found.pixel_size == 3.0 && found.notes.is_empty());
        }
        let found = read(&text, 1.0).unwrap();
        assert!(found.pixel_size == 3.0 && found.notes[0].contains("1 header says pixels of 1 Å"), "{:?}", found.notes);
        let mixed = text.replacen("0.100000\t3\t8\t2", "0.100000\t3\tbox\t2", 1);
        assert!(said(&mixed, 3.0).contains("rlnImageSize is 'box', not a number"));
    }

    #[test]
    fn images_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let said = |change: fn(&mut [f32])| {
            let mut broken = stack();
            change(&mut broken.images);
            broken.write(folder.path()).unwrap();
            ParticleStack::read(&folder.path().join("poses.csv"), None).unwrap_err().to_string()
        };
        for change in
            [|images: &mut [f32]| images[64 + 2 * 8 + 5] = f32::NAN, |images: &mut [f32]| images[85] = f32::INFINITY]
        {
            let error = said(change);
            assert!(error.contains("particles.mrcs") && error.contains("image 2, row 3, column 6"), "{error}");
        }
        let error = said(|images| images[128..].fill(7.0));
        assert!(error.contains("image 3 shows nothing, all its pixels are 7"), "{error}");
        for change in
            [|images: &mut [f32]| images[9] = 1e30, |images: &mut [f32]| images.iter_mut().for_each(|v| *v *= 1e-30)]
        {
            let error = said(change);
            assert!(error.contains("particles.mrcs: its pixels have a standard deviation of"), "{error}");
        }
    }
}
