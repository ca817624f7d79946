//! Heterogeneous proteins: from images to volumes, and to an artifact.

use std::sync::atomic::AtomicBool;

use firmware_core::Precision;
use ndarray::Array2;
use trainer::artifact::model_file::predict;
use trainer::cryo::atoms::Molecule;
use trainer::cryo::back_projection::back_project;
use trainer::cryo::comparison::{compare, sheet, steps, table};
use trainer::cryo::fit::reconstruct;
use trainer::cryo::fourier_volume::FourierVolume;
use trainer::cryo::fsc::shell_correlations;
use trainer::cryo::hartley;
use trainer::cryo::model::Model;
use trainer::cryo::params::CryoParams;
use trainer::cryo::slices::Slices;
use trainer::cryo::synthesis::{SynthesisParams, Truth, synthesize};
use trainer::network::Mlp;
use trainer::network::encoding::{EncodingKind, EncodingParams};
use trainer::training::Watch;

/// Small and clean, in seconds: the bar at full size is that of the command.
#[test]
fn the_motion_is_found_from_images() {
    let params = SynthesisParams { particles: 1000, snr: 2.0, ..SynthesisParams::default() };
    let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
    let stack = synthesize(&truth.molecule, &truth.params).unwrap();
    let params = CryoParams {
        encoding: EncodingParams { frequencies: 48, ..EncodingParams::default() },
        hidden: vec![48, 48],
        encoder_hidden: vec![16],
        steps: 700,
        images: 64,
        frequencies: 24,
        half_sets: false,
        ..CryoParams::default()
    };
    let results = reconstruct(&stack, Some(&truth), &params, &mut Watch::default()).unwrap().unwrap();
    assert!(results.spearman.unwrap().abs() > 0.9, "{:?}", results.spearman);
    let decoder = results.qualities[1].truth.as_ref().unwrap();
    assert!(decoder.at_half.angstrom < 9.0, "{}", decoder.at_half);
    assert!(decoder.correlations[..9].iter().all(|c| *c > 0.8), "{:?}", decoder.correlations);
    // What the motion changes, of which the one volume of the back-projection knows nothing.
    let change = |volumes: &[FourierVolume]| {
        let mut change = volumes[0].clone();
        change.ball(15).into_iter().for_each(|k| change.set(k, volumes[4].get(k) - volumes[0].get(k)));
        change
    };
    let (found, exact) = (change(&results.volumes), change(&results.truths));
    let agreement = shell_correlations(&found, &exact);
    assert!(agreement[..5].iter().all(|c| *c > 0.5), "{agreement:?}");
    let own = |volume: &FourierVolume, truth: usize| {
        shell_correlations(volume, &results.truths[truth])[1..8].iter().sum::<f64>() / 7.0
    };
    let ends = [0, 4]
        .map(|end| (own(&results.volumes[end], end), own(&results.volumes[end], 4 - end), own(&results.baseline, end)));
    assert!(ends.iter().all(|(own, other, baseline)| *own > other + 0.05 && own > baseline), "{ends:?}");
}

/// Nothing is held by one half of one image, and the truth of images of one conformation is that conformation.
#[test]
fn one_image_and_one_known_conformation_are_enough() {
    let params = SynthesisParams { particles: 2, motion: Some(0.5), ..SynthesisParams::default() };
    let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
    let mut stack = synthesize(&truth.molecule, &truth.params).unwrap().select(&[1]);
    stack.particles[0].motion = None;
    let params = CryoParams { hidden: vec![8], steps: 2, half_sets: false, ..CryoParams::default() };
    let results = reconstruct(&stack, Some(&truth), &params, &mut Watch::default()).unwrap().unwrap();
    assert!(results.qualities.iter().all(|quality| quality.half_sets.is_none() && quality.truth.is_some()));
    let refused = reconstruct(&stack, None, &CryoParams { half_sets: true, ..params }, &mut Watch::default());
    assert!(refused.unwrap_err().to_string().contains("--no-half-sets"));
}

/// Half sets that share a seed, or a mean volume, agree in what they share however little the images say.
#[test]
fn half_sets_agree_in_nothing_where_there_is_only_noise() {
    let synthesis = SynthesisParams { particles: 400, snr: 1e-6, ..SynthesisParams::default() };
    let stack = synthesize(&Molecule::adenylate_kinase(), &synthesis).unwrap();
    let params = CryoParams {
        encoding: EncodingParams { frequencies: 64, ..EncodingParams::default() },
        hidden: vec![32],
        encoder_hidden: vec![8],
        steps: 40,
        ..CryoParams::default()
    };
    for latent in [0, 1] {
        let params = CryoParams { latent, ..params.clone() };
        let results = reconstruct(&stack, None, &params, &mut Watch::default()).unwrap().unwrap();
        let curve = results.qualities[1].half_sets.as_ref().unwrap();
        // The first shells are a few smooth values, whose correlation is anything.
        assert!(curve.correlations[4..].iter().all(|c| c.abs() < 0.3), "{:?}", curve.correlations);
    }
}

#[test]
fn a_stopped_run_gives_nothing_and_bad_settings_are_named() {
    let params = SynthesisParams { particles: 20, ..SynthesisParams::default() };
    let stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
    let stop = AtomicBool::new(true);
    let small = CryoParams { hidden: vec![8], steps: 5, half_sets: false, ..CryoParams::default() };
    assert!(reconstruct(&stack, None, &small, &mut Watch { stop: Some(&stop), ..Watch::default() }).unwrap().is_none());
    let broken = CryoParams { latent: 9, ..small };
    assert!(reconstruct(&stack, None, &broken, &mut Watch::default()).unwrap_err().to_string().contains("--latent"));
}

#[test]
fn every_encoding_gets_a_row() {
    let params = SynthesisParams { particles: 40, ..SynthesisParams::default() };
    let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
    let stack = synthesize(&truth.molecule, &truth.params).unwrap();
    let params = CryoParams { hidden: vec![8], steps: 4, images: 8, frequencies: 4, ..CryoParams::default() };
    let mut count = 0;
    let mut observe = |_: &_, _| count += 1;
    let mut watch = Watch { observe: Some(&mut observe), ..Watch::default() };
    let entries = compare(&stack, Some(&truth), &params, &mut watch).unwrap().unwrap();
    assert_eq!(count, steps(&params));
    let (head, rows) = table(&entries);
    assert!(rows.len() == 4 && rows.iter().all(|row| row.len() == head.len()));
    assert!(rows[1][0].ends_with("none") && rows[3][3] != "–" && rows[2][3] == "–", "{rows:?}");
    assert!(sheet("t", &entries, None).is_some() && sheet("t", &[], None).is_none());
}

#[test]
fn a_still_molecule_is_recovered() {
    let params = SynthesisParams { particles: 1500, snr: 1.0, motion: Some(0.0), ..SynthesisParams::default() };
    let truth = Truth { molecule: Molecule::adenylate_kinase(), params };
    let slices = Slices::new(&synthesize(&truth.molecule, &truth.params).unwrap());
    let images: Vec<u32> = (0..1500).collect();
    let found = back_project(&slices, &images).volume;
    let exact = truth.density(0.0).volume(32, 3.0);
    let curve = shell_correlations(&found, &exact);
    assert!(curve[..11].iter().all(|&correlation| correlation > 0.9), "{curve:?}");
    // In the truth's units too.
    let ratio = found.get([3, 1, 0]).norm() / exact.get([3, 1, 0]).norm();
    assert!((ratio - 1.0).abs() < 0.15, "{ratio}");
}

fn model(kind: EncodingKind) -> (Model, Mlp<f32>) {
    let stack =
        synthesize(&Molecule::adenylate_kinase(), &SynthesisParams { particles: 4, ..SynthesisParams::default() });
    let slices = Slices::new(&stack.unwrap());
    let encoding = EncodingParams { kind, frequencies: 24, learned: true, ..EncodingParams::default() };
    let params = CryoParams { encoding, hidden: vec![24, 16], latent: 2, ..CryoParams::default() };
    let mut mean = slices.empty_volume();
    mean.ball(15).into_iter().for_each(|k| mean.set(k, hartley::to_fourier(3.0, -1.0)));
    let params = params.check(slices.images(), slices.size()).unwrap();
    let model = Model::new(&params, &slices, &mean);
    let mut decoder = model.start(&params, 10).networks.remove(0);
    // Frequencies are trained where there can be such: the answers are those of the decoder's own.
    let range = decoder.shape().encoder_range();
    assert_eq!(range.is_empty(), kind != EncodingKind::Gaussian);
    decoder.parameters_mut()[range].iter_mut().step_by(5).for_each(|cycles| *cycles *= 1.5);
    (model, decoder)
}

/// The device's program on the host: the same bits as on any core, as the parity tests show for every artifact.
#[test]
fn the_artifact_answers_for_frequency_and_conformation() {
    for kind in [EncodingKind::Gaussian, EncodingKind::Positional, EncodingKind::None] {
        let (model, decoder) = model(kind);
        // Beyond the decoder's unit, as latents of a weak prior are.
        let (z, edge) = ([0.7, -5.3], 96.0);
        let latents = Array2::from_shape_fn((20, 2), |(image, d)| z[d] * (image as f32 - 9.0) / 10.0);
        let volume = model.volume(&decoder, &z);
        let ks = [[3, -2, 5], [0, 4, 1], [7, 7, 7]];
        let points = Array2::from_shape_fn((3, 5), |(i, d)| if d < 3 { ks[i][d] as f32 / edge } else { z[d - 3] });
        for (precision, bound) in [(Precision::F32, 1e-4), (Precision::W16A16, 2e-3), (Precision::W8A16, 0.05)] {
            let artifact = model.artifact(&decoder, latents.view(), precision).unwrap();
            let answers = predict(&artifact.model().unwrap(), &points).unwrap();
            for (k, answer) in ks.iter().zip(answers.rows()) {
                let error = (hartley::to_fourier(answer[0], answer[1]) - volume.get(*k)).norm() / model.scale();
                assert!(error < bound, "{kind:?} {precision:?} {k:?}: {error}");
                assert_eq!(volume.get(k.map(|k| -k)), volume.get(*k).conj());
            }
        }
    }
}
