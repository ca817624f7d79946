//! The whole way, on scenes of known content.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

use firmware_core::Precision;
use firmware_core::march::{Camera, Density, OUTPUTS, Sample, Volume};

use super::field::{Field, ModelField, NetworkField};
use super::fit::{continue_fit, export, judge, judge_network, start_occupancy, volume_words};
use super::objective::volume;
use super::params::{NerfParams, ValidNerfParams};
use super::poses::{resized, turntable};
use super::render::draw;
use super::run::{RunSettings, load, save};
use super::scene::{Part, View, read};
use super::synthesize::{SynthesizeParams, synthesize};
use crate::training::{Ended, TrainState, Watch};

/// A red ball of radius 1/2 about the origin.
struct Ball;

impl Field for Ball {
    type Scratch = ();

    fn logits(&self, samples: &[Sample], _: &mut (), logits: &mut Vec<[f32; OUTPUTS]>) {
        let inside = |sample: &Sample| sample.position.iter().map(|x| x * x).sum::<f32>() < 0.25;
        logits.clear();
        logits.extend(samples.iter().map(|sample| [9.0, -9.0, -9.0, if inside(sample) { 5.0 } else { 0.0 }]));
    }
}

#[test]
fn a_ball_is_drawn_where_geometry_says() {
    let all = [u32::MAX; 2];
    let volume = Volume {
        axes: NerfParams::default().check(Some(1.0)).unwrap().axes(),
        step: 0.004,
        density: Density::Relu,
        density_scale: 400.0,
        view_direction: false,
        termination: 0.001,
        background: [1.0; 3],
        resolution: 4,
        occupancy: &all,
    };
    let like = Camera { to_world: [[0.0; 4]; 3], focal: 50.0, width: 40, height: 30 };
    for camera in turntable(&like, 3.0, 20.0, 3) {
        let drawn = draw(&volume, &camera, &Ball);
        for (index, pixel) in drawn.pixels.iter().enumerate() {
            let ray = camera.ray((index % 40) as f32 + 0.5, (index / 40) as f32 + 0.5);
            let [o, d] = [ray.origin, ray.direction].map(|v| v.map(f64::from));
            let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (along, squared) = (dot(o, d), dot(o, o) - 0.25);
            let discriminant = along * along - squared;
            if discriminant < 0.0 {
                assert_eq!((pixel.color, pixel.opacity), ([1.0; 3], 0.0));
            } else if discriminant > 0.01 {
                // Longer chords than some steps.
                assert!(pixel.opacity > 0.999 && pixel.color[0] > 0.99 && pixel.color[1] < 0.01, "{pixel:?}");
                let exact = -along - discriminant.sqrt();
                assert!((f64::from(pixel.depth) - exact).abs() < 0.006, "{} {exact}", pixel.depth);
            }
        }
    }
}

fn scene(size: u32) -> (tempfile::TempDir, Vec<View>, Vec<View>) {
    let folder = tempfile::tempdir().unwrap();
    let views = [(Part::Train, 16), (Part::Validation, 1), (Part::Test, 2)];
    synthesize(folder.path(), &SynthesizeParams { size, views, glossy: false, seed: 1 }, |_| ()).unwrap();
    let [train, test] = [Part::Train, Part::Test].map(|part| read(folder.path(), part).unwrap().views);
    (folder, train, test)
}

fn small(steps: u64) -> ValidNerfParams {
    let base = NerfParams::quick();
    NerfParams { hidden: vec![32], samples: 48, grid: 16, batch: 4096, steps, ..base }.check(Some(1.0)).unwrap()
}

#[test]
fn a_scene_is_learned_and_its_artifact_draws_it() {
    let (_folder, train, test) = scene(32);
    let params = small(600);
    let (mut state, occupancy) = (params.start(), start_occupancy(&params));
    let before = judge_network(&params, &state.networks[0], &occupancy.read().unwrap(), &test);
    let ended = continue_fit(&params, &train, &mut state, &occupancy, &mut Watch::default()).unwrap();
    assert_eq!(ended, Ended::Finished);
    let after = judge_network(&params, &state.networks[0], &occupancy.read().unwrap(), &test);
    assert!(after.psnr_db > before.psnr_db + 5.0 && after.psnr_db > 17.0, "{} {}", before.psnr_db, after.psnr_db);
    assert!(after.ssim > before.ssim && occupancy.read().unwrap().occupied_part() < 0.7);

    let words = volume_words(&params, &occupancy.read().unwrap());
    let mut psnr = Vec::new();
    for precision in [Precision::F32, Precision::W8A16] {
        let artifact =
            export(&params, &state.networks[0], &occupancy.read().unwrap(), &train, precision, 20.0).unwrap();
        let model = artifact.model().unwrap();
        let volume = Volume::parse(bytemuck::cast_slice(&words), &model).unwrap();
        let field = ModelField::new(&model);
        psnr.push(judge(&volume, &test, &field).psnr_db);
        // What the host draws row by row is what a device draws ray by ray.
        let camera = resized(&test[0].camera, 20, 20);
        let drawn = draw(&volume, &camera, &field);
        let mut scratch = vec![0; model.scratch_words()];
        for (index, pixel) in drawn.pixels.iter().enumerate() {
            let ray = camera.ray((index % 20) as f32 + 0.5, (index / 20) as f32 + 0.5);
            assert_eq!(volume.draw(&ray, &model, &mut scratch).unwrap(), *pixel);
        }
    }
    assert!((psnr[0] - after.psnr_db).abs() < 0.02, "{} {}", psnr[0], after.psnr_db);
    assert!(psnr[1] > psnr[0] - 0.5, "{psnr:?}");

    let grid = occupancy.read().unwrap();
    let volume = volume(&params, grid.resolution(), grid.bits(false));
    let drawn = draw(&volume, &test[0].camera, &NetworkField::new(params.encoding(), &state.networks[0]));
    assert_eq!(drawn.depth_map().dimensions(), (32, 32));
}

#[test]
fn colours_may_depend_on_the_direction_and_the_artifact_draws_them() {
    let folder = tempfile::tempdir().unwrap();
    let views = [(Part::Train, 8), (Part::Validation, 1), (Part::Test, 1)];
    synthesize(folder.path(), &SynthesizeParams { size: 20, views, glossy: true, seed: 1 }, |_| ()).unwrap();
    let train = read(folder.path(), Part::Train).unwrap().views;
    let params = NerfParams { view_direction: true, ..small(120).params().clone() }.check(Some(1.0)).unwrap();
    let (mut state, occupancy) = (params.start(), start_occupancy(&params));
    continue_fit(&params, &train, &mut state, &occupancy, &mut Watch::default()).unwrap();
    let network = &state.networks[0];
    assert!(params.zeros(network.shape()).into_iter().flatten().all(|index| network.parameters()[index] == 0.0));

    let words = volume_words(&params, &occupancy.read().unwrap());
    let artifact = export(&params, network, &occupancy.read().unwrap(), &train, Precision::W8A16, 20.0).unwrap();
    let model = artifact.model().unwrap();
    let volume = Volume::parse(bytemuck::cast_slice(&words), &model).unwrap();
    let camera = resized(&train[0].camera, 12, 12);
    let drawn = draw(&volume, &camera, &ModelField::new(&model));
    let mut scratch = vec![0; model.scratch_words()];
    for (index, pixel) in drawn.pixels.iter().enumerate() {
        let ray = camera.ray((index % 12) as f32 + 0.5, (index / 12) as f32 + 0.5);
        assert_eq!(volume.draw(&ray, &model, &mut scratch).unwrap(), *pixel);
    }
    // One place from two sides: another colour and, in every bit, the same density.
    let mut at = |direction: [f32; 3]| {
        let [u, v, w] = direction;
        let mut logits = [0.0; OUTPUTS];
        model.eval_into(&[-0.3, -0.2, 0.1, u, v, w], &mut scratch, &mut logits).unwrap();
        logits
    };
    let (a, b) = (at([0.0, 0.0, -1.0]), at([0.6, 0.8, 0.0]));
    assert_eq!(a[3].to_bits(), b[3].to_bits());
    assert_ne!(a[..3], b[..3]);
}

#[test]
fn an_interrupted_run_continues_to_the_same_bits() {
    let (folder, train, _) = scene(16);
    let params = small(300);
    let (mut whole, occupancy) = (params.start(), start_occupancy(&params));
    continue_fit(&params, &train, &mut whole, &occupancy, &mut Watch::default()).unwrap();

    let path = folder.path().join("checkpoint.safetensors");
    let scene = folder.path().to_owned();
    let settings = RunSettings { nerf: params.params().clone(), scene, fingerprint: 7 };
    save(&path, &settings, &params.start(), &start_occupancy(&params)).unwrap();
    let mut last = None;
    for stop_at in [7, 33, 290, 300] {
        let (found, mut state, occupancy) = load(&path).unwrap();
        assert_eq!(found, settings);
        let stop = AtomicBool::new(false);
        let mut observe = |state: &TrainState, _: f64| stop.store(state.step + 1 == stop_at, Ordering::Relaxed);
        let mut watch = Watch { stop: Some(&stop), observe: Some(&mut observe), ..Watch::default() };
        continue_fit(&params, &train, &mut state, &occupancy, &mut watch).unwrap();
        save(&path, &settings, &state, &occupancy).unwrap();
        last = Some((state, occupancy));
    }
    let (state, grid) = last.unwrap();
    assert_eq!(state, whole);
    let state_of = |grid: RwLock<super::occupancy::Occupancy>| grid.into_inner().unwrap().state();
    assert_eq!(state_of(grid), state_of(occupancy));

    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("damaged"));
}
