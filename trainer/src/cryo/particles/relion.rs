//! RELION's table: a `.star` of 3.0, or of 3.1 with optics groups.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::error::CryoError;
use super::super::star::{self, Table};
use super::known::{self, EXTRAS, STAR_COLUMNS, note_unknown};
use super::row::{Pixels, Source};
use super::{Listing, Particle, ParticleStack, have_extras, not_empty};

/// What RELION keeps of each optics group instead of each particle, since 3.1.
const OF_OPTICS: [&str; 3] = ["rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"];

/// The table of a stack, to lie beside its images, as RELION 3.1 and later read it.
pub(super) fn to_text(stack: &ParticleStack) -> String {
    let names = ["rlnOpticsGroup", "rlnOpticsGroupName"];
    let image = ["rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality"];
    let mut optics = Table::new("optics", &[&names[..], &OF_OPTICS, &image].concat());
    let columns = STAR_COLUMNS.map(|(name, _)| name).into_iter().filter(|name| !OF_OPTICS.contains(name));
    let has_extras = have_extras(&stack.particles);
    let extras = EXTRAS.into_iter().filter(|_| has_extras);
    let has_halves = stack.particles.iter().any(|particle| particle.half.is_some());
    let halves = has_halves.then_some("rlnRandomSubset");
    let columns: Vec<&str> =
        ["rlnImageName", "rlnOpticsGroup"].into_iter().chain(columns).chain(extras).chain(halves).collect();
    let mut table = Table::new("particles", &columns);
    let mut groups: Vec<[f64; 3]> = Vec::new();
    for (index, particle) in stack.particles.iter().enumerate() {
        let ([rot, tilt, psi], [x, y], ctf) = (particle.angles, particle.shift, particle.ctf);
        let microscope = [ctf.voltage, ctf.spherical_aberration, ctf.amplitude_contrast];
        let group = groups.iter().position(|group| *group == microscope).unwrap_or_else(|| {
            groups.push(microscope);
            groups.len() - 1
        });
        let values = [rot, tilt, psi, -x, -y, ctf.defocus_u, ctf.defocus_v, ctf.defocus_angle, ctf.phase_shift];
        let head = [format!("{:06}@particles.mrcs", index + 1), (group + 1).to_string()];
        let values = values.into_iter().chain(ctf.extras().into_iter().filter(|_| has_extras));
        let half = has_halves.then(|| particle.half.unwrap_or_default().to_string());
        table.rows.push(head.into_iter().chain(values.map(|v| format!("{v:.6}"))).chain(half).collect());
    }
    for (index, microscope) in groups.iter().enumerate() {
        let head = [(index + 1).to_string(), format!("opticsGroup{}", index + 1)];
        let image = [stack.pixel_size.to_string(), stack.size.to_string(), "2".to_owned()];
        optics.rows.push(head.into_iter().chain(microscope.map(|v| format!("{v:.6}"))).chain(image).collect());
    }
    star::to_text(&[optics, table])
}

/// Reads a table.
pub(super) fn parse(text: &str, path: &Path) -> Result<Listing, CryoError> {
    let tables = star::parse(text, path)?;
    let source = Source::of(&tables, path)?;
    let (mut particles, mut images, mut stacks) = (Vec::new(), Vec::new(), Stacks::default());
    let mut pixels = None;
    for row in 0..source.table.rows.len() {
        let row = source.row(row)?;
        let (particle, of_row) = row.particle(pixels)?;
        pixels = Some(of_row);
        particles.push(particle);
        let (stack, image) = row.image()?;
        images.push([stacks.index(stack), image]);
    }
    not_empty(&particles, path)?;
    let notes = note_columns(&source, path).into_iter().chain(note_half_sets(&source, &particles, path)).collect();
    let (pixel_size, side) = pixels.map_or((None, None), |Pixels { size, side }| (size, side));
    let image_size = side.map(|side| side as usize);
    Ok(Listing { particles, images, stacks: stacks.paths, pixel_size, image_size, notes })
}

/// Counts the columns that are not known.
fn note_columns(source: &Source<'_>, path: &Path) -> Option<String> {
    let used: Vec<&str> = STAR_COLUMNS.iter().map(|(name, _)| *name).chain(EXTRAS).collect();
    let columns = source.table.columns.iter().chain(source.optics.iter().flat_map(|optics| &optics.columns));
    note_unknown(path, columns.map(String::as_str).filter(|name| !known::is_known(name, &used)))
}

/// Tells where the table has half sets that cannot be used.
fn note_half_sets(source: &Source<'_>, particles: &[Particle], path: &Path) -> Option<String> {
    source.table.column("rlnRandomSubset")?;
    let has_both = [1, 2].iter().all(|half| particles.iter().any(|particle| particle.half == Some(*half)));
    let is_whole = particles.iter().all(|particle| particle.half.is_some());
    let path = path.display();
    (!(has_both && is_whole)).then(|| {
        format!(
            "rlnRandomSubset of {path} does not put every image into one of two halves: half sets are the odd and \
             the even images."
        )
    })
}

/// The stacks of a table, each once, in the order in which they come.
#[derive(Default)]
struct Stacks {
    paths: Vec<PathBuf>,
    indices: HashMap<String, usize>,
}

impl Stacks {
    fn index(&mut self, file: &str) -> usize {
        *self.indices.entry(file.to_owned()).or_insert_with(|| {
            self.paths.push(PathBuf::from(file));
            self.paths.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ctf::NO_EXTRAS;
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
        assert_eq!((listing.images, listing.pixel_size), (vec![[0, 0], [0, 1], [0, 2]], Some(3.0)));
        assert_eq!(listing.stacks, [Path::new("particles.mrcs")]);
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
    fn microscopes_are_written_where_relion_looks_for_them() {
        let mut stack = super::super::tests::stack();
        stack.particles[1].ctf.voltage = 200.0;
        let tables = star::parse(&to_text(&stack), Path::new("p.star")).unwrap();
        let [optics, particles] = &tables[..] else { panic!("two tables") };
        for name in OF_OPTICS {
            assert!(optics.column(name).is_some() && particles.column(name).is_none(), "{name}");
        }
        let voltage = optics.column("rlnVoltage").unwrap();
        assert_eq!([0, 1].map(|row| optics.number(row, voltage).unwrap()), [300.0, 200.0]);
        let listing = parse(&to_text(&stack), Path::new("p.star")).unwrap();
        assert_eq!(
            listing.particles.iter().map(|p| p.ctf).collect::<Vec<_>>(),
            stack.particles.iter().map(|p| p.ctf).collect::<Vec<_>>()
        );
    }

    #[test]
    fn pixel_sizes_and_optics_groups_that_cannot_be_are_named_by_line() {
        let said = |text: &str| parse(text, Path::new("p.star")).err().unwrap().to_string();
        for (value, words) in
            [("abc", "is 'abc', not a number"), ("0", "is 0; pixels have"), ("-3", "is -3; pixels have")]
        {
            let error = said(&STAR.replace("0.100000\t3.000000", &format!("0.100000\t{value}")));
            assert!(error.contains("p.star, line 13: rlnImagePixelSize") && error.contains(words), "{error}");
        }
        let other = STAR.replace("16900.000000\t10.000000\t1", "16900.000000\t10.000000\t7");
        assert!(said(&other).contains("line 31: optics group 7 is not in data_optics"), "{}", said(&other));
        // Even where nothing is asked of it: all columns are the particles' own.
        let head = "data_optics\nloop_\n_rlnOpticsGroup\n1\ndata_particles\nloop_\n_rlnImageName\n_rlnOpticsGroup\n";
        let columns: String = STAR_COLUMNS.iter().map(|(name, _)| format!("_{name}\n")).collect();
        let own = format!("{head}{columns}1@a.mrcs 7 10 20 30 0 0 15000 14000 45 300 2.7 0.1 0\n");
        assert!(said(&own).contains("optics group 7 is not in data_optics"), "{}", said(&own));
        assert_eq!(parse(&own.replace("mrcs 7", "mrcs 1"), Path::new("p.star")).unwrap().pixel_size, None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |text: &str| parse(text, Path::new("p.star")).err().unwrap().to_string();
        assert!(said(&STAR.replace("rlnAngleTilt", "rlnOther")).contains("no column rlnAngleTilt"));
        assert!(said(&STAR.replace("rlnVoltage", "rlnOther")).contains("no column rlnVoltage"));
        assert!(said("data_\nloop_\n_rlnAngleRot #1\n5\n").contains("no column rlnImageName"));
        assert!(said(&STAR.replace("000002@", "second:")).contains("not number@stack"));
    }

    /// The fixture with another column of the optics group, or of the particles.
    fn with_column(name: &str, of_optics: &str, of_particles: &str) -> String {
        let text = STAR.replace("_rlnImageSize #6\n", &format!("_rlnImageSize #6\n_{name} #7\n"));
        let text = text.replace("3.000000\t32\n", &format!("3.000000\t32\t{of_optics}\n"));
        if of_particles.is_empty() {
            return text;
        }
        let text = STAR.replace("_rlnOpticsGroup #10\n", &format!("_rlnOpticsGroup #10\n_{name} #11\n"));
        text.lines().map(|line| line.to_owned() + if line.contains('@') { of_particles } else { "" } + "\n").collect()
    }

    #[test]
    fn scale_b_factor_and_beam_tilt_are_of_the_group_or_the_particle() {
        let read = |text: &str| parse(text, Path::new("p.star")).unwrap().particles[1].ctf.extras();
        assert_eq!(read(STAR), NO_EXTRAS);
        assert_eq!(read(&with_column("rlnBeamTiltX", "0.25", "")), [1.0, 0.0, 0.25, 0.0]);
        assert_eq!(read(&with_column("rlnCtfBfactor", "", "\t55.5")), [1.0, 55.5, 0.0, 0.0]);
        assert_eq!(read(&with_column("rlnCtfScalefactor", "", "\t0.9")), [0.9, 0.0, 0.0, 0.0]);
        let said = |text: &str| parse(text, Path::new("p.star")).err().unwrap().to_string();
        assert!(
            said(&with_column("rlnCtfScalefactor", "", "\t0")).contains("line 30: rlnCtfScalefactor is 0; an image")
        );
        assert!(said(&with_column("rlnCtfBfactor", "", "\t1e6")).contains("rlnCtfBfactor is 1000000; it takes -1000"));
        assert!(said(&with_column("rlnBeamTiltY", "much", "")).contains("rlnBeamTiltY is 'much', not a number"));
    }

    #[test]
    fn what_is_known_and_not_modelled_is_refused_by_name() {
        for (name, plain, other) in [
            ("rlnCtfDataAreCtfPremultiplied", "0", "1"),
            ("rlnCtfDataArePhaseFlipped", "0", "1"),
            ("rlnIsFlip", "0", "1"),
            ("rlnMagMat00", "1.000000", "1.01"),
            ("rlnMagMat10", "0.000001", "-0.002"),
            ("rlnOddZernike", "[0,0,0,0,0,0]", "[0,0.1,0,0,0,0]"),
            ("rlnEvenZernike", "[]", "[3]"),
            ("rlnImageDimensionality", "2", "3"),
            ("rlnOriginZAngst", "0.0", "4.5"),
        ] {
            assert!(parse(&with_column(name, plain, ""), Path::new("p.star")).unwrap().notes.is_empty(), "{name}");
            let error = parse(&with_column(name, other, ""), Path::new("p.star")).err().unwrap().to_string();
            assert!(error.contains(&format!("p.star, line 14: {name} is {other}, which is not modelled: ")), "{error}");
            let of_particles = with_column(name, "", &format!("\t{other}"));
            let error = parse(&of_particles, Path::new("p.star")).err().unwrap().to_string();
            assert!(error.contains(&format!("p.star, line 30: {name} is {other}, which")), "{error}");
        }
    }

    #[test]
    fn columns_that_are_not_known_are_counted_and_half_sets_are_spoken_of() {
        let notes = parse(&with_column("rlnSurprise", "7", ""), Path::new("p.star")).unwrap().notes;
        assert_eq!(notes, ["p.star has 1 column that is not known and not used: rlnSurprise."]);
        let listing = parse(&with_column("rlnRandomSubset", "", "\t2"), Path::new("p.star")).unwrap();
        assert!(listing.particles.iter().all(|particle| particle.half == Some(2)));
        let notes = listing.notes;
        assert!(notes.len() == 1 && notes[0].contains("half sets are the odd and the even images"), "{notes:?}");
        assert!(parse(&with_column("rlnNormCorrection", "", "\t0.7"), Path::new("p.star")).unwrap().notes.is_empty());
    }
}
