//! Which of RELION's columns are used, which are refused, and which change nothing here.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::error::CryoError;
use super::super::star::Table;

/// RELION's columns in the order of [`CSV_COLUMNS`](super::CSV_COLUMNS), and what stands in for those that are missing.
pub(super) const STAR_COLUMNS: [(&str, Option<f64>); 12] = [
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

/// Columns in the order of [`Ctf::extras`](super::super::ctf::Ctf::extras); [`NO_EXTRAS`](super::super::ctf::NO_EXTRAS)
/// stands in for those that are missing.
pub(super) const EXTRAS: [&str; 4] = ["rlnCtfScalefactor", "rlnCtfBfactor", "rlnBeamTiltX", "rlnBeamTiltY"];

/// What says nothing of orientation, place, microscope or pixels. Weights, priors and figures of merit are another
/// refinement's; `rlnMtfFileName` bears on amplitudes alone, which no correlation sees.
const WITHOUT_EFFECT: [&str; 46] = [
    "rlnAnglePsiFlip",
    "rlnAnglePsiFlipRatio",
    "rlnAnglePsiPrior",
    "rlnAngleRotFlipRatio",
    "rlnAngleRotPrior",
    "rlnAngleTiltPrior",
    "rlnAutopickFigureOfMerit",
    "rlnBeamTiltClass",
    "rlnClassNumber",
    "rlnCoordinateX",
    "rlnCoordinateY",
    "rlnCtfAstigmatism",
    "rlnCtfFigureOfMerit",
    "rlnCtfMaxResolution",
    "rlnCtfPowerSpectrum",
    "rlnDetectorPixelSize",
    "rlnGroupName",
    "rlnGroupNrParticles",
    "rlnGroupNumber",
    "rlnGroupScaleCorrection",
    "rlnHelicalTrackLength",
    "rlnHelicalTrackLengthAngst",
    "rlnHelicalTubeID",
    "rlnImageId",
    "rlnImageOriginalName",
    "rlnLogLikeliContribution",
    "rlnMagnification",
    "rlnMaxValueProbDistribution",
    "rlnMicrographBinning",
    "rlnMicrographId",
    "rlnMicrographMovieName",
    "rlnMicrographName",
    "rlnMicrographOriginalPixelSize",
    "rlnMicrographPixelSize",
    "rlnMtfFileName",
    "rlnNormCorrection",
    "rlnNrOfSignificantSamples",
    "rlnOpticsGroupName",
    "rlnOriginXPrior",
    "rlnOriginXPriorAngst",
    "rlnOriginYPrior",
    "rlnOriginYPriorAngst",
    "rlnParticleFigureOfMerit",
    "rlnParticleId",
    "rlnParticleName",
    "rlnParticleSelectZScore",
];
/// What is read beside the columns of angles, origins, microscope and extras.
const USED: [&str; 8] = [
    "rlnImageName",
    "rlnOpticsGroup",
    "rlnImagePixelSize",
    "rlnPixelSize",
    "rlnImageSize",
    "rlnRandomSubset",
    "rlnOriginX",
    "rlnOriginY",
];

const PREMULTIPLIED: &str = "images are taken as the microscope made them; extract the particles again without multiplying or flipping \
                             them by their CTF";
const MAGNIFICATION: &str = "pixels are square; correct the magnification while extracting the particles, or set the matrix to 1 0 0 1 if \
                             it does not matter at this pixel size";
const ABERRATIONS: &str = "of aberrations only defocus, astigmatism, spherical aberration and beam tilt are used; remove the column if the \
                           others do not matter at this pixel size";
const VOLUMES: &str = "images are projections; give projections of single particles";
/// Columns that are refused where the value is another than the plain one.
const REFUSED: [(&str, f64, &str); 11] = [
    ("rlnCtfDataAreCtfPremultiplied", 0.0, PREMULTIPLIED),
    ("rlnCtfDataArePhaseFlipped", 0.0, PREMULTIPLIED),
    ("rlnIsFlip", 0.0, "images are not mirrored; mirror the images and remove the column"),
    ("rlnMagMat00", 1.0, MAGNIFICATION),
    ("rlnMagMat01", 0.0, MAGNIFICATION),
    ("rlnMagMat10", 0.0, MAGNIFICATION),
    ("rlnMagMat11", 1.0, MAGNIFICATION),
    ("rlnOddZernike", 0.0, ABERRATIONS),
    ("rlnEvenZernike", 0.0, ABERRATIONS),
    ("rlnImageDimensionality", 2.0, VOLUMES),
    ("rlnOriginZAngst", 0.0, VOLUMES),
];
/// What differs by less changes nothing: the matrices of a fit are never quite 1.
const SAME: f64 = 1e-5;

/// Refuses what is known and not modelled.
pub(super) fn check(table: &Table) -> Result<(), CryoError> {
    for (name, plain, remedy) in REFUSED {
        let Some(column) = table.column(name) else { continue };
        for (row, values) in table.rows.iter().enumerate() {
            let value = &values[column];
            // A list of coefficients stands in brackets.
            let numbers = value.trim_matches(['[', ']']).split(',').map(str::trim).filter(|text| !text.is_empty());
            let is_plain = |text: &str| match text.to_ascii_lowercase().as_str() {
                "false" => plain == 0.0,
                text => text.parse().is_ok_and(|number: f64| (number - plain).abs() < SAME),
            };
            if !{ numbers }.all(is_plain) {
                let (path, line, value) = (table.path().to_owned(), table.line(row), value.clone());
                return Err(CryoError::NotModelled { path, line, column: name, value, remedy });
            }
        }
    }
    Ok(())
}

/// Whether a column is known; `used` are those that the reader takes numbers from.
pub(super) fn is_known(name: &str, used: &[&str]) -> bool {
    used.contains(&name)
        || USED.contains(&name)
        || WITHOUT_EFFECT.contains(&name)
        || REFUSED.iter().any(|(refused, ..)| *refused == name)
}

/// Counts the columns that are not known, in one line.
pub(super) fn note_unknown<'a>(path: &Path, unknown: impl Iterator<Item = &'a str>) -> Option<String> {
    const NAMED: usize = 6;
    let unknown: BTreeSet<&str> = unknown.collect();
    let named: Vec<&str> = unknown.iter().take(NAMED).copied().collect();
    let rest = if unknown.len() > NAMED { format!(" and {} more", unknown.len() - NAMED) } else { String::new() };
    let columns = if unknown.len() == 1 { "column that is" } else { "columns that are" };
    let path = path.display();
    (!unknown.is_empty())
        .then(|| format!("{path} has {} {columns} not known and not used: {}{rest}.", unknown.len(), named.join(", ")))
}
