//! Heterogeneous proteins: adenylate kinase from noisy projections, with three encodings and a voxel baseline.

use super::monitor::{Event, FigureWatch};
use super::{Claim, Draft, FigureContent, Options, ReproduceError, Table, paragraphs};
use crate::cryo::atoms::Molecule;
use crate::cryo::comparison::{ENCODINGS, Entry, compare, sheet, steps, table, to_json};
use crate::cryo::params::CryoParams;
use crate::cryo::synthesis::{SynthesisParams, Truth, synthesize};
use crate::report::sheet::Sheet;
use crate::training::Watch;
use serde_json::json;

/// Makes the figure: 10,000 particles at a signal-to-noise ratio of 0.1, or, quickly, 1000 at 0.3 with fewer steps.
///
/// # Errors
/// If interrupted, or training diverges.
pub(super) fn make(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let seed = options.seed;
    let (synthesis, params) = if options.quick {
        (
            SynthesisParams { particles: 1000, snr: 0.3, seed, ..SynthesisParams::default() },
            // At the default rate, so few steps do not order the images.
            CryoParams {
                hidden: vec![64; 3],
                steps: 400,
                images: 32,
                learning_rate: 6e-3,
                half_sets: false,
                seed,
                ..CryoParams::default()
            },
        )
    } else {
        (SynthesisParams { seed, ..SynthesisParams::default() }, CryoParams { seed, ..CryoParams::default() })
    };
    (monitor.tell)(Event::Begin { figure: "cryo", units: steps(&params) });
    let truth = Truth { molecule: Molecule::adenylate_kinase(), params: synthesis };
    let stack = synthesize(&truth.molecule, &truth.params)?;
    monitor.check()?;
    let mut observe = |_: &_, _| monitor.advance(1);
    let mut watch = Watch { stop: Some(monitor.stop), observe: Some(&mut observe), ..Watch::default() };
    let entries = compare(&stack, Some(&truth), &params, &mut watch)?.ok_or(ReproduceError::Interrupted)?;
    let motions: Vec<f64> = stack.particles.iter().filter_map(|particle| particle.motion).collect();
    let title = "A protein that moves, from noisy projections";
    let (head, rows) = table(&entries);
    let (particles, snr) = (truth.params.particles, truth.params.snr);
    let content = FigureContent {
        title: title.to_owned(),
        what_you_see: paragraphs([
            "Above: volumes of a protein that a network with Gaussian features has learned from noisy pictures, seen \
             from the side and in slices, each above the true one. The first column is the one volume that all \
             pictures together give; the others are volumes at several points of the motion.",
            "Below: the coordinate z of the motion that was found for each picture beside the true one, and how well \
             the volumes agree with the truth at each resolution, for every encoding and for the one volume of all \
             pictures.",
        ]),
        why: paragraphs([
            "The network maps a spatial frequency and z to the strength of the molecule's wave at that frequency. That \
             function changes quickly from frequency to frequency. A network on plain coordinates learns its slow \
             parts only, which is a blurred molecule; features let it learn the rest.",
        ]),
        method: vec![
            format!(
                "There are {particles} projections of adenylate kinase between its open and closed structures, in \
                 random orientations, each {0} × {0} pixels of {1} Å, with a contrast transfer function and white \
                 noise, at a signal-to-noise ratio of {snr}. A decoder of encoded 3-D frequencies and a latent z is \
                 fitted to the central slices of the images, with an encoder from image to z, as in CryoDRGN (Zhong et \
                 al. 2021).",
                truth.params.size, truth.params.pixel_size
            ),
            "It differs from CryoDRGN in its size, in that the encoder sees the image's residual in the molecule's \
             frame, and in that a step sees some random frequencies of an image."
                .to_owned(),
        ],
        caption: "Slices and latent with the Gaussian encoding; correlations of all.".to_owned(),
        tables: vec![Table {
            caption: "Resolution by Fourier shell correlation, and rank correlation".to_owned(),
            head,
            rows,
        }],
        claims: claims(&entries, snr),
        numbers: json!({
            "synthesis": truth.params,
            "parameters": params,
            "entries": to_json(&entries),
        }),
    };
    let sheet = sheet(title, &entries, Some(&motions)).unwrap_or(Sheet { title: String::new(), rows: Vec::new() });
    Ok(Draft { content, sheet })
}

fn claims([none, _, gaussian]: &[Entry; ENCODINGS.len()], snr: f64) -> Vec<Claim> {
    let angstrom = |entry: &Entry, quality: usize| {
        entry.results.qualities[quality].truth.as_ref().map_or(f64::INFINITY, |curve| curve.at_half.angstrom)
    };
    let rho = gaussian.results.spearman.unwrap_or(0.0).abs();
    let (of_none, of_gaussian, baseline) = (angstrom(none, 1), angstrom(gaussian, 1), angstrom(gaussian, 0));
    vec![
        Claim::new(
            format!("the latent orders the images by the true motion at a signal-to-noise ratio of {snr}: |ρ| ≥ 0.9"),
            format!("|ρ| = {rho:.3}"),
            rho >= 0.9,
        ),
        Claim::new(
            "Fourier features resolve finer details than raw frequencies",
            format!("{of_gaussian:.1} Å against {of_none:.1} Å at 0.5"),
            of_gaussian < of_none,
        ),
        Claim::new(
            "volumes that follow the motion agree with the truth to finer details than one volume of all images",
            format!("{of_gaussian:.1} Å against {baseline:.1} Å at 0.5"),
            of_gaussian < baseline,
        ),
    ]
}
