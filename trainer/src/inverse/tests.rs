//! A problem end to end, small. That the order of the mappings is the published one is shown where the figures are
//! made.

use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;

use super::ct::{self, CtParams};
use super::error::InverseError;
use super::run::{InverseSettings, Run};
use super::training::{FurtherMapping, NO_RUN, TrainingParams};
use crate::network::grid::GridParams;
use crate::store::run::RunFolder;
use crate::training::muon::Muon;
use crate::training::optimizer::Optimizer;
use crate::training::{TrainState, Watch};

#[test]
fn the_same_seed_gives_the_same_numbers_and_stopping_stops() {
    let mut params = CtParams::new(true, 3);
    params.size = 16;
    params.training = TrainingParams { steps: 5, hidden: vec![8], frequencies: 4, ..params.training };
    let params = params.check().unwrap();
    let solve = || ct::compare(&params, &mut Watch::default(), NO_RUN).unwrap().to_json();
    assert_eq!(solve(), solve());
    let stop = AtomicBool::new(true);
    let stopped = ct::compare(&params, &mut Watch { stop: Some(&stop), ..Watch::default() }, NO_RUN);
    assert!(matches!(stopped, Err(InverseError::Interrupted)));
}

#[test]
fn further_mappings_are_compared_and_continue_to_the_same_numbers() {
    let mut params = CtParams::new(true, 3);
    params.size = 16;
    params.training = TrainingParams {
        steps: 12,
        hidden: vec![8, 8],
        frequencies: 4,
        optimizer: Optimizer::Muon(Muon::default()),
        also: FurtherMapping::value_variants().to_vec(),
        grid: GridParams { levels: vec!["6".parse().unwrap()], ..GridParams::default() },
        ..params.training
    };
    let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let start = |folder: &tempfile::TempDir| {
        let settings = InverseSettings::Ct(params.clone()).check().unwrap();
        Run::start(RunFolder::at(folder.path()), settings).unwrap()
    };
    let expected = start(&whole).finish(&mut Watch::default()).unwrap().to_json();
    let mappings = expected["mappings"].as_array().unwrap();
    assert_eq!(mappings.len(), 6);
    assert_ne!(mappings[3]["training_loss"], mappings[4]["training_loss"], "trained frequencies learn otherwise");

    // In the last quarter of the grid's training, which sees rounded coefficients.
    let (stop, mut steps) = (AtomicBool::new(false), 0);
    let mut observe = |_: &TrainState, _: f64| {
        steps += 1;
        stop.store(steps == 5 * 12 + 10, Ordering::Relaxed);
    };
    let mut watch = Watch { stop: Some(&stop), observe: Some(&mut observe), ..Watch::default() };
    assert!(matches!(start(&parts).finish(&mut watch), Err(InverseError::Interrupted)));
    let resumed = Run::resume(parts.path()).unwrap().finish(&mut Watch::default()).unwrap();
    assert_eq!(resumed.to_json(), expected);
}
