//! A problem end to end, small. That the order of the mappings is the published one is shown where the figures are made.

use std::sync::atomic::AtomicBool;

use super::ct::{self, CtParams};
use super::error::InverseError;
use super::training::TrainingParams;
use crate::training::Watch;

#[test]
fn the_same_seed_gives_the_same_numbers_and_stopping_stops() {
    let mut params = CtParams::new(true, 3);
    params.size = 16;
    params.training = TrainingParams { steps: 5, hidden: vec![8], frequencies: 4, ..params.training };
    let params = params.check().unwrap();
    let solve = || ct::compare(&params, &mut Watch::default(), None).unwrap().to_json();
    assert_eq!(solve(), solve());
    let stop = AtomicBool::new(true);
    let stopped = ct::compare(&params, &mut Watch { stop: Some(&stop), ..Watch::default() }, None);
    assert!(matches!(stopped, Err(InverseError::Interrupted)));
}
