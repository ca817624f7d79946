//! The problems end to end, small: the order of the mappings is the published one.

use std::sync::atomic::AtomicBool;

use super::compare::Comparison;
use super::ct::{self, CtParams};
use super::error::InverseError;
use super::mri::{self, MriParams};
use super::shape::{self, ShapeParams, made};
use super::training::{ComparisonMonitor, TrainingParams};
use crate::training::{Progress, StepDone};

struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: StepDone) {}
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
fn tomography_keeps_the_published_order() {
    let comparison = watched(false, |monitor| ct::compare(&CtParams::new(true, 0), monitor)).unwrap();
    assert!(comparison.has_published_order(), "{:#?}", comparison.rows);
    let (best, artifact) = (comparison.best().scores[0], comparison.artifact_scores[0]);
    assert!(artifact > best - 0.5, "{best} {artifact}");
}

#[test]
fn magnetic_resonance_keeps_the_published_order() {
    let comparison = watched(false, |monitor| mri::compare(&MriParams::new(true, 0), monitor)).unwrap();
    assert!(comparison.has_published_order(), "{:#?}", comparison.rows);
    let (best, artifact) = (comparison.best().scores[0], comparison.artifact_scores[0]);
    assert!(artifact > best - 0.5, "{best} {artifact}");
}

#[test]
fn occupancy_keeps_the_published_order() {
    let knot = made::knot();
    let comparison =
        watched(false, |monitor| shape::compare(("knot", &knot), &ShapeParams::new(true, 0), monitor)).unwrap();
    assert!(comparison.has_published_order(), "{:#?}", comparison.rows);
    let (best, artifact) = (comparison.best().scores[0], comparison.artifact_scores[0]);
    assert!(artifact > best - 0.01, "{best} {artifact}");
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
