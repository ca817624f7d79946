//! The plain table: `.csv` with one row an image.

use std::fmt::Write;
use std::path::Path;

use super::super::ctf::Ctf;
use super::super::error::CryoError;
use super::super::table::Csv;
use super::{Listing, Particle, not_empty, particle};

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

/// The table of these.
pub(super) fn to_text(particles: &[Particle]) -> String {
    let mut text = CSV_COLUMNS.join(",") + "\n";
    for Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, motion } in particles {
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

/// Reads a table.
pub(super) fn parse(text: &str, path: &Path) -> Result<Listing, CryoError> {
    let table = Csv::parse(text, path)?;
    let mut columns = [0; 12];
    for (slot, name) in columns.iter_mut().zip(CSV_COLUMNS) {
        *slot = table.column(name, "see a table that `trainer cryo synthesize` wrote")?;
    }
    let motion_column = table.find("motion");
    let mut particles = Vec::new();
    for row in table.rows() {
        let mut values = [0.0; 12];
        for (slot, &column) in values.iter_mut().zip(&columns) {
            *slot = row.number(column)?;
        }
        let motion = motion_column.filter(|&column| !row.text(column).is_empty());
        let motion = motion.map(|column| row.number(column)).transpose()?;
        particles.push(particle(values, motion).map_err(|problem| row.complaint(problem))?);
    }
    not_empty(&particles, path)?;
    let images = (0..particles.len()).map(|image| [0, image]).collect();
    Ok(Listing { particles, images, stacks: Vec::new(), pixel_size: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_no_number_is_named() {
        let csv = |text: &str| parse(text, Path::new("p.csv")).err().unwrap().to_string();
        assert!(csv("rot,tilt\n").contains("no column psi"));
        let text = to_text(&super::super::tests::stack().particles);
        assert!(csv(&text.replace("11.5", "x")).contains("p.csv, line 3: rot is 'x'"));
        assert!(csv(&CSV_COLUMNS.join(",")).contains("no particles"));
        let surplus = csv(&text.replacen(",0.25\n", ",0.25,9\n", 1));
        assert!(surplus.contains("p.csv, line 3: 14 fields for the 13 columns"), "{surplus}");
        let motion = csv(&text.replacen(",0.25\n", ",1.25\n", 1));
        assert!(motion.contains("p.csv, line 3: motion is 1.25; it runs from 0"), "{motion}");
    }
}
