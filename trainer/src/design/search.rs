//! What a search works on, the schedule of its trainings, and what its candidates are ordered by.

use super::budget::{Goal, largest_error};
use super::samples::SearchData;
use super::store::{DesignManifest, DesignStore, Outcome};
use crate::training::optimizer::Schedule;

/// The part of a training in which the learning rate falls.
pub const DECAY: f64 = 1.0 / 3.0;
/// Steps over which the rate rises.
const WARMUP: u64 = 20;

/// The learning-rate schedule of every training of a search.
pub const SCHEDULE: Schedule = Schedule::Stable { warmup: WARMUP, decay: DECAY, floor: 0.01 };

/// A search in its folder.
pub struct Search<'a> {
    /// What is searched for.
    pub manifest: &'a DesignManifest,
    /// Among which samples.
    pub data: &'a SearchData<'a>,
    /// Where it is kept.
    pub store: &'a DesignStore,
}

/// What candidates are ordered by: the larger, the better.
#[must_use]
pub fn rank(goal: Option<Goal>, outcome: &Outcome) -> f64 {
    match (goal, &outcome.device) {
        (Some(Goal::MaxError(_)), Some(metrics)) => -largest_error(metrics),
        (_, Some(metrics)) if metrics.psnr_db.is_nan() => f64::NEG_INFINITY,
        (_, Some(metrics)) => metrics.psnr_db,
        (_, None) => f64::NEG_INFINITY,
    }
}
