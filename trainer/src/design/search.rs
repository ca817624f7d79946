//! Successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943): short trainings of all candidates, and the best
//! quarter of them continued for longer, until two are left.
//!
//! Grids learn fast and networks over Fourier features slowly: after a short training a grid is ahead that a longer one
//! puts behind. The best of both kinds are therefore among those that are continued, whatever their rank. Only the last
//! round leaves out a kind that is far behind: a bet that it will not catch up, with its figures at `MOST_BEHIND_DB` in
//! `halving.rs`.
//!
//! A candidate is judged after its learning rate has fallen, and continued from the state before: the
//! [schedule](Schedule::Stable) falls only in its last third, so that nothing of the longer training is lost. The
//! winner is therefore what `trainer fit` gives in one run with the same settings, bit for bit.
//!
//! Tables come first, before the rounds: they are fitted once, by least squares, and need no training.
//!
//! The last round has half of the time; the rounds before it share the other half. In a round every candidate has the
//! same time. Exporting and judging the models is counted in it, and so is the training of the winner on all samples
//! where some were held out from the search. How many steps that is depends on the machine; the steps are kept with the
//! search, so that it continues with the same ones.

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
