//! The whole way, on scenes of known content.

use std::sync::atomic::{AtomicBool, Ordering};

use firmware_core::Precision;
use firmware_core::march::{Camera, Density, OUTPUTS, Sample, Volume};

use trainer::nerf::field::{Field, ModelField};
use trainer::nerf::fit::{FieldTraining, judge};
use trainer::nerf::params::{NerfParams, ValidNerfParams};
use trainer::nerf::poses::{resized, turntable};
use trainer::nerf::render::draw;
use trainer::nerf::run::{Run, Scene};
use trainer::nerf::scene::{Part, View, read};
use trainer::nerf::synthesize::{SynthesizeParams, synthesize};
use trainer::network::encoding::{EncodingKind, EncodingParams};
use trainer::network::grid::GridParams;
use trainer::training::optimizer::Optimizer;
use trainer::training::{Ended, TrainState, Watch};

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
    small_with(EncodingKind::Gaussian, steps)
}

fn small_with(kind: EncodingKind, steps: u64) -> ValidNerfParams {
    let base = NerfParams::quick();
    let levels = ["6", "12", "20"].map(|level| level.parse().unwrap()).to_vec();
    let grid = GridParams { levels, bits: 6, ..GridParams::default() };
    let encoding = EncodingParams { kind, grid, ..base.encoding.clone() };
    let params = NerfParams { encoding, hidden: vec![32], samples: 48, grid: 16, batch: 4096, steps, ..base };
    params.check(Some(1.0)).unwrap()
}

#[test]
fn a_scene_is_learned_and_its_artifact_draws_it() {
    let (_folder, train, test) = scene(32);
    let occupied = is_learned_and_drawn(small(600), &train, &test).1;
    assert!(occupied < 0.7, "{occupied}");
}

#[test]
fn a_grid_learns_a_scene_better_than_positions_alone_and_its_artifact_draws_it() {
    let (_folder, train, test) = scene(32);
    let grid = is_learned_and_drawn(small_with(EncodingKind::Grid, 300), &train, &test).0;
    let none = small_with(EncodingKind::None, 300);
    let (mut state, training) = (none.start(), FieldTraining::new(none));
    training.train(&train, &mut state, &mut Watch::default()).unwrap();
    let none = training.finish(state).judge(&test).psnr_db;
    assert!(grid > none + 1.0, "{grid} {none}");
}

/// Returns the PSNR of the views `test` in single precision, and the occupied part of the cube.
fn is_learned_and_drawn(params: ValidNerfParams, train: &[View], test: &[View]) -> (f64, f64) {
    let before = FieldTraining::new(params.clone()).finish(params.start()).judge(test);
    let (mut state, training) = (params.start(), FieldTraining::new(params));
    assert_eq!(training.train(train, &mut state, &mut Watch::default()).unwrap(), Ended::Finished);
    let field = training.finish(state);
    let after = field.judge(test);
    assert!(after.psnr_db > before.psnr_db + 5.0 && after.psnr_db > 17.0, "{} {}", before.psnr_db, after.psnr_db);
    assert!(after.ssim > before.ssim, "{} {}", before.ssim, after.ssim);

    let words = field.volume_words();
    let mut psnr = Vec::new();
    for precision in [Precision::F32, Precision::W8A16] {
        let artifact = field.export(train, precision, 20.0).unwrap();
        let model = artifact.model().unwrap();
        let volume = Volume::parse(bytemuck::cast_slice(&words), &model).unwrap();
        let on_device = ModelField::new(&model);
        psnr.push(judge(&volume, test, &on_device).psnr_db);
        // What the host draws row by row is what a device draws ray by ray.
        let camera = resized(&test[0].camera, 20, 20);
        let drawn = draw(&volume, &camera, &on_device);
        let mut scratch = vec![0; model.scratch_words()];
        for (index, pixel) in drawn.pixels.iter().enumerate() {
            let ray = camera.ray((index % 20) as f32 + 0.5, (index / 20) as f32 + 0.5);
            assert_eq!(volume.draw(&ray, &model, &mut scratch).unwrap(), *pixel);
        }
    }
    assert!((psnr[0] - after.psnr_db).abs() < 0.02, "{} {}", psnr[0], after.psnr_db);
    assert!(psnr[1] > psnr[0] - 0.5, "{psnr:?}");

    let drawn = draw(&field.volume(), &test[0].camera, &field.field());
    assert_eq!(drawn.depth_map().dimensions(), (32, 32));
    (after.psnr_db, field.occupancy.occupied_part())
}

#[test]
fn colours_may_depend_on_the_direction_and_the_artifact_draws_them() {
    let folder = tempfile::tempdir().unwrap();
    let views = [(Part::Train, 8), (Part::Validation, 1), (Part::Test, 1)];
    synthesize(folder.path(), &SynthesizeParams { size: 20, views, glossy: true, seed: 1 }, |_| ()).unwrap();
    let train = read(folder.path(), Part::Train).unwrap().views;
    let params = small(120).params().clone().with_optimizer(Optimizer::default());
    let encoding = EncodingParams { learned: true, ..params.encoding.clone() };
    let params = NerfParams { view_direction: true, encoding, ..params }.check(Some(1.0)).unwrap();
    let (mut state, training) = (params.start(), FieldTraining::new(params));
    training.train(&train, &mut state, &mut Watch::default()).unwrap();
    let field = training.finish(state);

    let words = field.volume_words();
    let artifact = field.export(&train, Precision::W8A16, 20.0).unwrap();
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
    for precision in [Precision::W8A16, Precision::F32] {
        let artifact = field.export(&train, precision, 20.0).unwrap();
        let model = artifact.model().unwrap();
        let mut scratch = vec![0; model.scratch_words()];
        let mut at = |[u, v, w]: [f32; 3]| {
            let mut logits = [0.0; OUTPUTS];
            model.eval_into(&[-0.3, -0.2, 0.1, u, v, w], &mut scratch, &mut logits).unwrap();
            logits
        };
        let (a, b) = (at([0.0, 0.0, -1.0]), at([0.6, 0.8, 0.0]));
        assert_eq!(a[3].to_bits(), b[3].to_bits());
        assert_ne!(a[..3], b[..3]);
    }
}

#[test]
fn an_interrupted_run_continues_to_the_same_bits() {
    // Cells of the scene are empty from step 256 on.
    is_continued(small(300), [7, 33, 290, 300]);
    // The grid of the encoding is rounded from step 45 on.
    is_continued(small_with(EncodingKind::Grid, 60), [7, 33, 50, 60]);
}

/// Whether a run that stops at these steps ends as one that does not.
fn is_continued(params: ValidNerfParams, stops: [u64; 4]) {
    let (folder, ..) = scene(16);
    let scene = Scene::read(folder.path(), Part::Test).unwrap();
    let [whole, run] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    Run::start(whole.path(), params.clone(), &scene).unwrap().train(&scene, &mut Watch::default()).unwrap();
    Run::start(run.path(), params, &scene).unwrap();
    for stop_at in stops {
        let stop = AtomicBool::new(false);
        let mut observe = |state: &TrainState, _: f64| stop.store(state.step + 1 == stop_at, Ordering::Relaxed);
        let mut watch = Watch { stop: Some(&stop), observe: Some(&mut observe), ..Watch::default() };
        Run::resume(run.path(), &scene, None).unwrap().train(&scene, &mut watch).unwrap();
    }
    // Networks, moments, and what is known of where the scene is empty.
    let [expected, found] = [&whole, &run].map(|run| std::fs::read(run.path().join("checkpoint.safetensors")).unwrap());
    assert!(found == expected);
    let resumed = Run::resume(run.path(), &scene, None).unwrap();
    resumed.finish(&scene).unwrap();
    assert!(run.path().join("model.ffm").exists() && run.path().join("report.html").exists());

    let other = Scene::read(folder.path(), Part::Train).unwrap();
    assert!(Run::resume(run.path(), &other, None).is_ok(), "other views may judge it");
    let path = run.path().join("checkpoint.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(Run::resume(run.path(), &scene, None).err().unwrap().to_string().contains(" is cut short: "));
}
