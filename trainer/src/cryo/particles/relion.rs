//! RELION's table: a `.star` of 3.0, or of 3.1 with optics groups.

use std::path::{Path, PathBuf};

use super::super::error::CryoError;
use super::super::star::{self, Table};
use super::{Listing, ParticleStack, not_empty, particle};

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

/// The table of a stack, to lie beside its images.
pub(super) fn to_text(stack: &ParticleStack) -> String {
    let mut optics = Table::new(
        "optics",
        &["rlnOpticsGroup", "rlnOpticsGroupName", "rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality"],
    );
    optics.rows.push(vec![
        "1".into(),
        "opticsGroup1".into(),
        stack.pixel_size.to_string(),
        stack.size.to_string(),
        "2".into(),
    ]);
    let columns = STAR_COLUMNS.map(|(name, _)| name);
    let mut table = Table::new("particles", &[&["rlnImageName", "rlnOpticsGroup"][..], &columns].concat());
    for (index, particle) in stack.particles.iter().enumerate() {
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

/// Reads a table.
pub(super) fn parse(text: &str, path: &Path) -> Result<Listing, CryoError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const STAR: &str = include_str!("../../../testdata/cryo/relion31.star");

    /// The fixture is by starfile 0.5.
    #[test]
    fn relions_columns_are_understood() {
        let listing = parse(STAR, Path::new("p.star")).unwrap();
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
        let listing = parse(&old, Path::new("p.star")).unwrap();
        assert_eq!((listing.pixel_size, listing.particles[1].shift), (Some(2.5), [-5.0, 3.75]));
        let said = |text: &str| parse(text, Path::new("p.star")).err().unwrap().to_string();
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
    fn what_is_missing_is_named() {
        let said = |text: &str| parse(text, Path::new("p.star")).err().unwrap().to_string();
        assert!(said(&STAR.replace("rlnAngleTilt", "rlnOther")).contains("no column rlnAngleTilt"));
        assert!(said(&STAR.replace("rlnVoltage", "rlnOther")).contains("no column rlnVoltage"));
        assert!(said("data_\nloop_\n_rlnAngleRot #1\n5\n").contains("no column rlnImageName"));
        assert!(said(&STAR.replace("000002@particles", "000002@others")).contains("line 30: a second stack"));
        assert!(said(&STAR.replace("000002@", "second:")).contains("not number@stack"));
    }
}
