//! The plain table: `.csv` with one row an image.

use std::fmt::Write;
use std::path::Path;

use super::super::ctf::{Ctf, NO_EXTRAS};
use super::super::error::CryoError;
use super::super::table::Csv;
use super::known::note_unknown;
use super::{Listing, Particle, have_extras, not_empty, particle, take_extras};

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

/// Columns that need not be there, in the order of [`Ctf::extras`].
pub const CSV_EXTRAS: [&str; 4] = ["ctf_scale", "b_factor", "beam_tilt_x", "beam_tilt_y"];

/// The table of these.
pub(super) fn to_text(particles: &[Particle]) -> String {
    let has_extras = have_extras(particles);
    let mut text = CSV_COLUMNS.join(",");
    if has_extras {
        text = text + "," + &CSV_EXTRAS.join(",");
    }
    text += "\n";
    for Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, motion, half: _ } in particles {
        let motion = motion.map_or_else(String::new, |motion| motion.to_string());
        let Ctf { defocus_u, defocus_v, defocus_angle, voltage, .. } = ctf;
        let (aberration, contrast, phase) = (ctf.spherical_aberration, ctf.amplitude_contrast, ctf.phase_shift);
        let _ = write!(
            text,
            "{rot},{tilt},{psi},{x},{y},{defocus_u},{defocus_v},{defocus_angle},{voltage},{aberration},{contrast},{phase},{motion}"
        );
        if has_extras {
            ctf.extras().iter().for_each(|value| text += &format!(",{value}"));
        }
        text += "\n";
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
    let extra_columns = CSV_EXTRAS.map(|name| table.find(name));
    let mut particles = Vec::new();
    for row in table.rows() {
        let mut values = [0.0; 12];
        for (slot, &column) in values.iter_mut().zip(&columns) {
            *slot = row.number(column)?;
        }
        let motion = motion_column.filter(|&column| !row.text(column).is_empty());
        let motion = motion.map(|column| row.number(column)).transpose()?;
        let mut particle = particle(values, motion).map_err(|problem| row.complaint(problem))?;
        let mut extras = NO_EXTRAS;
        for (slot, column) in extras.iter_mut().zip(extra_columns) {
            *slot = column.map_or(Ok(*slot), |column| row.number(column))?;
        }
        take_extras(&mut particle, extras, CSV_EXTRAS).map_err(|problem| row.complaint(problem))?;
        particles.push(particle);
    }
    not_empty(&particles, path)?;
    let images = (0..particles.len()).map(|image| [0, image]).collect();
    let known = |name: &&str| CSV_COLUMNS.contains(name) || CSV_EXTRAS.contains(name);
    let notes = note_unknown(path, table.columns().filter(|name| !known(name))).into_iter().collect();
    Ok(Listing { particles, images, stacks: Vec::new(), pixel_size: None, image_size: None, notes })
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
        let scale = csv("rot,tilt,psi,shift_x,shift_y,defocus_u,defocus_v,defocus_angle,voltage,spherical_aberration,\
             amplitude_contrast,phase_shift,ctf_scale\n0,0,0,0,0,1e4,1e4,0,300,2.7,0.1,0,0\n");
        assert!(scale.contains("p.csv, line 2: ctf_scale is 0; an image is multiplied"), "{scale}");
        let unknown = parse(&text.replacen("motion\n", "colour\n", 1), Path::new("p.csv")).unwrap().notes;
        assert_eq!(unknown, ["p.csv has 1 column that is not known and not used: colour."]);
        let motion = csv(&text.replacen(",0.25\n", ",1.25\n", 1));
        assert!(motion.contains("p.csv, line 3: motion is 1.25; it runs from 0"), "{motion}");
    }
}
