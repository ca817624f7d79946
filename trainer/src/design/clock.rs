//! How a search shares its time among the rounds, and how much of it is done.

use std::time::{Duration, Instant};

use crate::training::{Progress, StepDone};

/// What training the winner once more on all samples takes, relative to the last round: the steps of the rounds before
/// are done again.
const AGAIN: f64 = 1.3;

/// How the rounds share the time.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    /// How many rounds there are.
    pub(super) rounds: usize,
    /// Whether the winner is trained once more.
    pub(super) again: bool,
}

impl Shares {
    /// What a round takes, relative to the first.
    fn of(self, number: usize) -> f64 {
        if number + 1 == self.rounds { number.max(1) as f64 } else { 1.0 }
    }

    /// What all from this round on take, relative to the first.
    fn from(self, number: usize) -> f64 {
        let again = if self.again { AGAIN * self.of(self.rounds.saturating_sub(1)) } else { 0.0 };
        (number..self.rounds).map(|number| self.of(number)).sum::<f64>() + again
    }

    /// The part of the time that is left when a round begins that belongs to it.
    pub(super) fn of_left(self, number: usize) -> f64 {
        self.of(number) / self.from(number)
    }
}

/// The time of a search at a round.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// When the search began.
    pub(super) begun: Instant,
    /// When the round began.
    pub(super) round: Instant,
    /// Its number, from 0.
    pub(super) number: usize,
    /// How the rounds share the time.
    pub(super) shares: Shares,
    /// The time for all rounds.
    pub(super) time: Duration,
}

impl Clock {
    /// The part of the search that is done with so much of the round, and the time that is left: what was planned, or
    /// more if the round is slower.
    pub(super) fn at(self, of_round: f64) -> (f64, Duration) {
        /// Before so much of a round, its speed is not known.
        const KNOWN: f64 = 0.05;
        let Self { begun, round, number, shares, time } = self;
        let (of_round, all) = (of_round.min(1.0), shares.from(0));
        let done = (all - shares.from(number) + of_round * shares.of(number)) / all;
        let mut left = time.saturating_sub(begun.elapsed());
        if of_round > KNOWN {
            left = left.max(round.elapsed().mul_f64((1.0 - of_round) / of_round));
        }
        (done, left)
    }
}

/// Passes steps on to the search's progress, some at a time.
pub(super) struct Steps<'a> {
    /// Told of parts of the work.
    pub(super) share: &'a (dyn Fn(f64) + Sync),
    /// Of a step, of the candidate's work.
    pub(super) part: f64,
    /// Steps that are not passed on yet; 0 at first.
    pub(super) held: u64,
}

impl Progress for Steps<'_> {
    fn step(&mut self, _: StepDone) {
        const SOME: u64 = 16;
        self.held += 1;
        if self.held == SOME {
            (self.share)(self.part * self.held as f64);
            self.held = 0;
        }
    }

    fn end(&mut self) {}
}
