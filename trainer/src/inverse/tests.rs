//! A problem end to end, small. That the order of the mappings is the published one is shown where the figures are made.

use std::sync::atomic::AtomicBool;

use super::compare::Comparison;
use super::ct::{self, CtParams};
use super::error::InverseError;
use super::training::{ComparisonMonitor, TrainingParams};
use crate::training::Progress;

struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: u64, _: u64, _: f64, _: Option<f64>) {}
    fn end(&mut self) {}
}

fn watched(
    stopped: bool,
    solve: impl FnOnce(&ComparisonMonitor<'_>) -> Result<Comparison, InverseError>,
) -> Result<Comparison, InverseError> {
    solve(&ComparisonMonitor {
        stop: &AtomicBool::new(stopped),
        progress: &|_, _, _| Box::new(Silent),
        checkpoints: None,
    })
}

#[test]
fn the_same_seed_gives_the_same_numbers_and_stopping_stops() {
    let mut params = CtParams::new(true, 3);
    params.size = 16;
    params.training = TrainingParams { steps: 5, hidden: vec![8], frequencies: 4, ..params.training };
    let solve = || watched(false, |monitor| ct::compare(&params, monitor)).unwrap().to_json();
    assert_eq!(solve(), solve());
    assert!(matches!(watched(true, |monitor| ct::compare(&params, monitor)), Err(InverseError::Interrupted)));
    params.size = 8;
    let error = watched(false, |monitor| ct::compare(&params, monitor)).unwrap_err();
    assert!(error.to_string().contains("--size is 8; it must be 16 to 512"));
}
