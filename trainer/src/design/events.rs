//! What is told while a search runs, and who may stop it.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::candidates::Candidate;
use super::store::{Outcome, Round};

/// What is going on, told from any thread.
#[derive(Clone, Copy, Debug)]
pub enum DesignEvent<'a> {
    /// Tables are fitted.
    Tables {
        /// How many.
        count: usize,
    },
    /// A round begins.
    Round {
        /// Its number, from 1.
        number: usize,
        /// How many rounds there will be.
        of: usize,
        /// Its trainings.
        round: &'a Round,
    },
    /// A candidate was judged.
    Judged(&'a Candidate, &'a Outcome),
    /// Some work is done: a part of all, and the time that is left.
    Progress(f64, Duration),
}

/// How long a search takes, on how many threads, and who may stop it.
#[derive(Clone, Copy)]
pub struct SearchWatch<'a> {
    /// The time for all rounds.
    pub time: Duration,
    /// Trainings at the same time.
    pub threads: usize,
    /// Set from elsewhere (ctrl-C): what is at work is left, what was judged is kept.
    pub stop: &'a AtomicBool,
    /// Told of every event.
    pub tell: &'a (dyn Fn(DesignEvent<'_>) + Sync),
}
