//! Runs of older versions.

use std::sync::atomic::{AtomicBool, Ordering};

use super::params::{NerfParams, ValidNerfParams};
use super::run::{Run, Scene};
use super::scene::Part;
use super::synthesize::{SynthesizeParams, synthesize};
use crate::store::tensors::Tensors;
use crate::training::optimizer::Optimizer;
use crate::training::{TrainState, Watch};

fn small(steps: u64) -> ValidNerfParams {
    let base = NerfParams::quick();
    NerfParams { hidden: vec![32], samples: 48, grid: 16, batch: 4096, steps, ..base }.check(Some(1.0)).unwrap()
}

/// Settings that name no optimizer are of a run that Adam trained, with frequencies that stay.
#[test]
fn settings_of_old_runs_mean_what_they_meant() {
    let mut settings = serde_json::to_value(NerfParams::default()).unwrap();
    assert!(settings.as_object_mut().unwrap().remove("optimizer").is_some());
    let old: NerfParams = serde_json::from_value(settings).unwrap();
    assert_eq!((old.optimizer, old.encoding.learned), (Optimizer::default(), false));
    assert_ne!(NerfParams::default().optimizer, Optimizer::default());
}

/// As version 0.1 wrote it: layer by layer, the grid's counts beside the steps, the fingerprint among the settings.
#[test]
fn a_checkpoint_with_the_old_names_is_continued_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let views = [(Part::Train, 16), (Part::Validation, 1), (Part::Test, 2)];
    synthesize(folder.path(), &SynthesizeParams { size: 16, views, glossy: false, seed: 1 }, |_| ()).unwrap();
    let (scene, [run, old]) =
        (Scene::read(folder.path(), Part::Test).unwrap(), [(); 2].map(|()| tempfile::tempdir().unwrap()));
    let stop = AtomicBool::new(false);
    let mut observe = |state: &TrainState, _: f64| stop.store(state.step + 1 == 20, Ordering::Relaxed);
    let mut watch = Watch { stop: Some(&stop), observe: Some(&mut observe), ..Watch::default() };
    let mut begun = Run::start(run.path(), small(40), &scene).unwrap();
    begun.train(&scene, &mut watch).unwrap();

    let new = Tensors::read(&run.path().join("checkpoint.safetensors")).unwrap();
    let mut settings: serde_json::Value = new.settings().unwrap();
    let [step, fingerprint] = new.get::<u64>("state").unwrap().1[..] else { panic!("step and fingerprint") };
    settings["fingerprint"] = fingerprint.into();
    let (state, grid) = begun.state_and_grid();
    let mut tensors = Tensors::default();
    tensors.put_network("", &state.networks[0]);
    for (name, values) in [("first_moment", &state.moments[0].first), ("second_moment", &state.moments[0].second)] {
        tensors.put(name, &[values.len()], values);
    }
    tensors.put("grid.opacity", &[grid.opacity.len()], &grid.opacity);
    tensors.put("grid.sight", &[grid.sight.len()], &grid.sight);
    for (name, values) in [("grid.seen", &grid.seen), ("grid.bits", &grid.bits)] {
        tensors.put(name, &[values.len()], values);
    }
    tensors.put("history.steps", &[state.history.len()], &new.get::<u64>("history.steps").unwrap().1);
    tensors.put("history.losses", &[state.history.len()], &new.get::<f64>("history.losses").unwrap().1);
    tensors.put("state", &[4], &[step, grid.counts[0], grid.counts[1], grid.counts[2]]);
    tensors.put_settings(&settings);
    tensors.write(&old.path().join("checkpoint.safetensors")).unwrap();

    let [continued, renamed] = [run.path(), old.path()].map(|path| {
        let mut run = Run::resume(path, &scene, None).unwrap();
        run.train(&scene, &mut Watch::default()).unwrap();
        run
    });
    assert_eq!(continued.step(), 40);
    assert_eq!(continued.state_and_grid(), renamed.state_and_grid());
}
