//! Particle images with what is known about each: orientation, shift, CTF.
//!
//! The table is a RELION `.star` (3.0, or 3.1 with optics groups) or a plain `.csv` with one row an image and the columns
//! of [`CSV_COLUMNS`], in RELION's conventions except for the shift: ours is where the particle lies, RELION's origin is what
//! moves it back.

use super::ctf::Ctf;
use super::error::{CryoError, read_text};
use super::mrc::{Kind, Mrc};
use super::poses::Rotation;
use super::star::{self, Table};
use crate::files;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Columns of the plain table; `motion`, where the images are synthetic, is the truth.
pub const CSV_COLUMNS: [&str; 13] = [
    "rot",
    "tilt",
    "psi",
    "shift_x",
    "shift_y",
    "defocus_u",
    "defocus_v",
    "defocus_angle",
    "voltage",
    "spherical_aberration",
    "amplitude_contrast",
    "phase_shift",
    "motion",
];

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
        let listing = if is_star { parse_star(&text, table)? } else { parse_csv(&text, table)? };
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

    /// Writes `particles.mrcs`, `particles.star` and `poses.csv` into a folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CryoError> {
        let shape = [self.particles.len(), self.size, self.size];
        let mrc = Mrc { shape, voxel_size: self.pixel_size, values: self.images.clone() };
        mrc.write(&folder.join("particles.mrcs"), Kind::Stack)?;
        files::write(&folder.join("particles.star"), self.to_star().as_bytes())?;
        files::write(&folder.join("poses.csv"), self.to_csv().as_bytes())?;
        Ok(())
    }

    fn to_csv(&self) -> String {
        let mut text = CSV_COLUMNS.join(",") + "\n";
        for Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, motion } in &self.particles {
            let motion = motion.map_or_else(String::new, |motion| motion.to_string());
            let Ctf { defocus_u, defocus_v, defocus_angle, voltage, .. } = ctf;
            let (aberration, contrast, phase) = (ctf.spherical_aberration, ctf.amplitude_contrast, ctf.phase_shift);
            let _ = writeln!(
                text,
                "{rot},{tilt},{psi},{x},{y},{defocus_u},{defocus_v},{defocus_angle},{voltage},{aberration},{contrast},{phase},{motion}"
            );
        }
        text
    }

    fn to_star(&self) -> String {
        let mut optics = Table::new(
            "optics",
            &["rlnOpticsGroup", "rlnOpticsGroupName", "rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality"],
        );
        optics.rows.push(vec![
            "1".into(),
            "opticsGroup1".into(),
            self.pixel_size.to_string(),
            self.size.to_string(),
            "2".into(),
        ]);
        let columns = STAR_COLUMNS.map(|(name, _)| name);
        let mut table = Table::new("particles", &[&["rlnImageName", "rlnOpticsGroup"][..], &columns].concat());
        for (index, particle) in self.particles.iter().enumerate() {
            let ([rot, tilt, psi], ctf) = (particle.angles, particle.ctf);
            let values = [
                rot,
                tilt,
                psi,
                -particle.shift[0],
                -particle.shift[1],
                ctf.defocus_u,
                ctf.defocus_v,
                ctf.defocus_angle,
                ctf.voltage,
                ctf.spherical_aberration,
                ctf.amplitude_contrast,
                ctf.phase_shift,
            ];
            let name = format!("{:06}@particles.mrcs", index + 1);
            table.rows.push([name, "1".into()].into_iter().chain(values.map(|v| format!("{v:.6}"))).collect());
        }
        star::to_text(&[optics, table])
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

/// RELION's columns in the order of [`CSV_COLUMNS`], and what stands in for those that are missing.
const STAR_COLUMNS: [(&str, Option<f64>); 12] = [
    ("rlnAngleRot", None),
    ("rlnAngleTilt", None),
    ("rlnAnglePsi", None),
    ("rlnOriginXAngst", Some(0.0)),
    ("rlnOriginYAngst", Some(0.0)),
    ("rlnDefocusU", None),
    ("rlnDefocusV", None),
    ("rlnDefocusAngle", None),
    ("rlnVoltage", None),
    ("rlnSphericalAberration", None),
    ("rlnAmplitudeContrast", None),
    ("rlnPhaseShift", Some(0.0)),
];

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

fn parse_star(text: &str, path: &Path) -> Result<Listing, CryoError> {
    let tables = star::parse(text, path)?;
    let is_particles = |table: &&Table| table.column("rlnImageName").is_some();
    let missing = |column: &str| CryoError::Column {
        path: path.to_owned(),
        column: column.into(),
        remedy: "fit needs images with known orientations and CTF: export the result of a refinement",
    };
    let table = tables.iter().find(is_particles).ok_or_else(|| missing("rlnImageName"))?;
    let optics = tables.iter().find(|table| table.name == "optics");
    let names = table.column("rlnImageName").expect("found by it");
    let group = table.column("rlnOpticsGroup").zip(optics.and_then(|optics| optics.column("rlnOpticsGroup")));
    // A value of a row, or of its optics group, or the default.
    let value = |row: usize, name: &str, default: Option<f64>| -> Result<f64, CryoError> {
        if let Some(column) = table.column(name) {
            return table.number(row, column);
        }
        if let (Some((of_row, of_optics)), Some(optics)) = (group, optics)
            && let Some(column) = optics.column(name)
        {
            let wanted = &table.rows[row][of_row];
            let found = optics.rows.iter().position(|optics| &optics[of_optics] == wanted);
            let found =
                found.ok_or_else(|| table.complaint(row, format!("optics group {wanted} is not in data_optics")))?;
            return optics.number(found, column);
        }
        default.ok_or_else(|| missing(name))
    };
    let (mut particles, mut images, mut stack) = (Vec::new(), Vec::new(), None);
    let mut pixel_size = None;
    for row in 0..table.rows.len() {
        let mut values = [0.0; 12];
        for (slot, (name, default)) in values.iter_mut().zip(STAR_COLUMNS) {
            *slot = value(row, name, default)?;
        }
        let pixel = angstrom_per_pixel(|name| value(row, name, None));
        for (slot, name) in values[3..5].iter_mut().zip(["rlnOriginX", "rlnOriginY"]) {
            // Before RELION 3.1 origins were in pixels.
            if table.column(name).is_some() && table.column(&format!("{name}Angst")).is_none() {
                *slot = value(row, name, None)? * pixel.ok_or_else(|| missing("rlnImagePixelSize"))?;
            }
            *slot = -*slot;
        }
        if row > 0 && pixel != pixel_size {
            return Err(
                table.complaint(row, "another pixel size than the first image's; rescale all to one".to_owned())
            );
        }
        pixel_size = pixel;
        particles.push(particle(values, None).map_err(|problem| table.complaint(row, problem))?);
        let name = &table.rows[row][names];
        let image =
            name.split_once('@').and_then(|(index, file)| Some((index.parse::<usize>().ok()?.checked_sub(1)?, file)));
        let (index, file) = image.ok_or_else(|| table.complaint(row, format!("'{name}' is not number@stack.mrcs")))?;
        if stack.get_or_insert_with(|| PathBuf::from(file)) != Path::new(file) {
            return Err(table.complaint(row, format!("a second stack, {file}; join them into one first")));
        }
        images.push(index);
    }
    not_empty(&particles, path)?;
    Ok(Listing { particles, images, stack, pixel_size })
}

/// The size of a pixel by RELION's columns: its own, or that of the detector (µm) over the magnification, as before 3.1.
fn angstrom_per_pixel(value: impl Fn(&str) -> Result<f64, CryoError>) -> Option<f64> {
    let own = ["rlnImagePixelSize", "rlnPixelSize"].into_iter().find_map(|name| value(name).ok());
    let of_detector = || Some(1e4 * value("rlnDetectorPixelSize").ok()? / value("rlnMagnification").ok()?);
    own.or_else(of_detector).filter(|size| size.is_finite() && *size > 0.0)
}

fn parse_csv(text: &str, path: &Path) -> Result<Listing, CryoError> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or("").split(',').map(str::trim).collect();
    let mut columns = [0; 12];
    for (slot, name) in columns.iter_mut().zip(CSV_COLUMNS) {
        *slot = header.iter().position(|column| *column == name).ok_or_else(|| CryoError::Column {
            path: path.to_owned(),
            column: name.into(),
            remedy: "see a table that `trainer cryo synthesize` wrote",
        })?;
    }
    let motion_column = header.iter().position(|column| *column == "motion");
    let mut particles = Vec::new();
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let complain = |problem: String| CryoError::line(path, index + 2, problem);
        let number = |column: usize| {
            let field = fields.get(column).copied().unwrap_or("");
            let value = field.parse().ok().filter(|value: &f64| value.is_finite());
            value.ok_or_else(|| complain(format!("{} is '{field}', not a number", header[column])))
        };
        let mut values = [0.0; 12];
        for (slot, &column) in values.iter_mut().zip(&columns) {
            *slot = number(column)?;
        }
        let has_motion = |&column: &usize| fields.get(column).is_some_and(|field| !field.is_empty());
        let motion = motion_column.filter(has_motion).map(number).transpose()?;
        particles.push(particle(values, motion).map_err(complain)?);
    }
    not_empty(&particles, path)?;
    let images = (0..particles.len()).collect();
    Ok(Listing { particles, images, stack: None, pixel_size: None })
}

fn not_empty(particles: &[Particle], path: &Path) -> Result<(), CryoError> {
    if particles.is_empty() { Err(CryoError::file(path, "it lists no particles")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAR: &str = include_str!("../../testdata/cryo/relion31.star");

    fn stack() -> ParticleStack {
        let particle = |i: usize| Particle {
            angles: [10.5 + i as f64, 40.0, -70.25],
            shift: [1.5, -2.0 + i as f64],
            ctf: Ctf { defocus_v: 14_000.0, defocus_angle: 12.5, ..Ctf::with_defocus(15_000.0 + 100.0 * i as f64) },
            motion: Some(0.25 * i as f64),
        };
        let images = (0..3 * 64).map(|i| i as f32).collect();
        ParticleStack { size: 8, pixel_size: 3.0, particles: (0..3).map(particle).collect(), images }
    }

    /// The fixture is by starfile 0.5.
    #[test]
    fn relions_columns_are_understood() {
        let listing = parse_star(STAR, Path::new("p.star")).unwrap();
        assert_eq!(listing.particles.len(), 3);
        let second = listing.particles[1];
        assert_eq!((second.angles, second.shift), ([-20.25, 50.0, 80.0], [2.0, -3.0]));
        assert_eq!((second.ctf.defocus_v, second.ctf.defocus_angle, second.ctf.voltage), (15_900.0, 45.0, 300.0));
        assert_eq!((listing.images, listing.pixel_size), (vec![0, 1, 2], Some(3.0)));
        assert_eq!(listing.stack.unwrap(), Path::new("particles.mrcs"));
    }

    #[test]
    fn the_columns_of_older_versions_are_understood() {
        let head = "data_\nloop_\n_rlnImageName\n_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n_rlnOriginX\n_rlnOriginY\n_rlnDefocusU\n\
                    _rlnDefocusV\n_rlnDefocusAngle\n_rlnVoltage\n_rlnSphericalAberration\n_rlnAmplitudeContrast\n";
        let row = "10 20 30 2 -1.5 15000 14000 45 300 2.7 0.1";
        let old =
            format!("{head}_rlnDetectorPixelSize\n_rlnMagnification\n1@a.mrcs {row} 5 20000\n2@a.mrcs {row} 5 20000\n");
        let listing = parse_star(&old, Path::new("p.star")).unwrap();
        assert_eq!((listing.pixel_size, listing.particles[1].shift), (Some(2.5), [-5.0, 3.75]));
        let said = |text: &str| parse_star(text, Path::new("p.star")).err().unwrap().to_string();
        assert!(said(&format!("{head}1@a.mrcs {row}\n")).contains("no column rlnImagePixelSize"));
        assert!(
            said(&old.replace(
                "2@a.mrcs 10 20 30 2 -1.5 15000 14000 45 300 2.7 0.1 5 20000",
                &format!("2@a.mrcs {row} 5 10000")
            ))
            .contains("another pixel size")
        );
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
    fn what_is_missing_or_does_not_fit_is_named() {
        let parse = |text: &str| parse_star(text, Path::new("p.star")).err().unwrap().to_string();
        assert!(parse(&STAR.replace("rlnAngleTilt", "rlnOther")).contains("no column rlnAngleTilt"));
        assert!(parse(&STAR.replace("rlnVoltage", "rlnOther")).contains("no column rlnVoltage"));
        assert!(parse("data_\nloop_\n_rlnAngleRot #1\n5\n").contains("no column rlnImageName"));
        assert!(parse(&STAR.replace("000002@particles", "000002@others")).contains("line 30: a second stack"));
        assert!(parse(&STAR.replace("000002@", "second:")).contains("not number@stack"));
        let csv = |text: &str| parse_csv(text, Path::new("p.csv")).err().unwrap().to_string();
        assert!(csv("rot,tilt\n").contains("no column psi"));
        let text = stack().to_csv();
        assert!(csv(&text.replace("11.5", "x")).contains("p.csv, line 3: rot is 'x'"));
        assert!(csv(&CSV_COLUMNS.join(",")).contains("no particles"));

        let folder = tempfile::tempdir().unwrap();
        stack().write(folder.path()).unwrap();
        let table = folder.path().join("poses.csv");
        std::fs::write(&table, text.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
        let error = ParticleStack::read(&table, None).unwrap_err().to_string();
        assert!(error.contains("2 rows") && error.contains("3 images"), "{error}");
    }
}
