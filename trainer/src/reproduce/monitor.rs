//! Who watches the figures being made: progress, interruption, and the work of many settings side by side.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ReproduceError;
use super::parts::Parts;
use crate::base::side_by_side::available_threads;

/// What is going on.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A figure begins; it takes about so many units of work, whatever they are.
    Begin {
        /// The figure's name.
        figure: &'static str,
        /// Units of work in all.
        units: u64,
    },
    /// Units done since the last of these.
    Advance(u64),
    /// The figure is finished.
    End,
}

/// Progress goes out, the wish to stop comes in.
#[derive(Clone, Copy)]
pub struct FigureWatch<'a> {
    /// Set from elsewhere (ctrl-C): the trainings at hand are given up, what is written stays.
    pub stop: &'a AtomicBool,
    /// Told of every event, from any thread.
    pub tell: &'a (dyn Fn(Event) + Sync),
    /// Where results of trainings are kept until the figure is whole.
    pub(super) parts: Option<&'a Parts>,
}

impl<'a> FigureWatch<'a> {
    /// A way to stop, and one to be told.
    #[must_use]
    pub fn new(stop: &'a AtomicBool, tell: &'a (dyn Fn(Event) + Sync)) -> Self {
        Self { stop, tell, parts: None }
    }

    /// The result of a training of `units` units of work, which `work` does and advances by, unless an interrupted run
    /// has left it. `what` names all that the result depends on.
    pub(super) fn part<R: Serialize + DeserializeOwned>(
        &self,
        units: u64,
        what: impl Debug,
        work: impl FnOnce() -> Result<R, ReproduceError>,
    ) -> Result<R, ReproduceError> {
        let Some(parts) = self.parts else { return work() };
        let what = format!("{what:?}");
        if let Some(result) = parts.find(&what) {
            self.advance(units);
            return Ok(result);
        }
        let result = work()?;
        parts.keep(&what, &result)?;
        Ok(result)
    }

    pub(super) fn advance(&self, units: u64) {
        (self.tell)(Event::Advance(units));
    }

    /// # Errors
    /// [`ReproduceError::Interrupted`] if asked to stop.
    pub(super) fn check(&self) -> Result<(), ReproduceError> {
        if self.stop.load(Ordering::Relaxed) { Err(ReproduceError::Interrupted) } else { Ok(()) }
    }
}

/// `work` of every job, one job a core at a time, results in the order of the jobs.
///
/// # Errors
/// The first error in the order of the jobs; the jobs not begun by then are left.
pub(super) fn side_by_side<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> Result<R, ReproduceError> + Sync,
) -> Result<Vec<R>, ReproduceError> {
    crate::base::side_by_side::side_by_side(jobs, available_threads(), work)
}
