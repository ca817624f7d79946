//! The plain table: `.csv` with one row an image.

use std::fmt::Write;
use std::path::Path;

use super::super::ctf::Ctf;
use super::super::error::CryoError;
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
    }
}
