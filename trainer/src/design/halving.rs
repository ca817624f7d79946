//! The rounds of a [`search`](super::search): which candidates are trained, for how long, and which are continued.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::DesignError;
use super::clock::{Clock, Shares};
use super::events::{DesignEvent, SearchWatch};
use super::search::{DECAY, Search, rank};
use super::store::Round;
use super::trial::{Share, Turn};
use crate::base::side_by_side::side_by_side;
use crate::training::Ended;

/// One of so many candidates is continued.
const KEPT: usize = 4;
/// Candidates of the last round.
const FINALISTS: usize = 2;
/// A kind (over Fourier features or not) that is further behind the best candidate than this, dB, does not come into
/// the last round. This is a bet. In 5 minutes for 32 KB, on four pictures and two tables of elevations, networks over
/// Fourier features gained up to 6.3 dB on grids in that round, so that one that is left out might still have come
/// first; but all that came first had been at most 3.7 dB behind. The time goes to a second candidate of the leading
/// kind instead.
const MOST_BEHIND_DB: f64 = 6.0;
/// Fewer steps at the highest rate than this tell nothing.
const LEAST_STABLE: u64 = 40;

/// A round that is to be planned.
struct Plan<'a> {
    /// The candidates, by their places in the manifest.
    candidates: Vec<usize>,
    /// The round before it.
    last: Option<&'a Round>,
    /// The time of the round.
    time: Duration,
}

impl Search<'_> {
    /// Runs the rounds of these candidates that are not done.
    ///
    /// # Errors
    /// Whatever keeps it from going on; what was judged is kept.
    pub fn run(&self, candidates: &[usize], watch: SearchWatch<'_>) -> Result<Ended, DesignError> {
        let begun = Instant::now();
        let (tables, candidates): (Vec<usize>, Vec<usize>) =
            candidates.iter().partition(|&&candidate| self.candidate(candidate).family.is_table());
        if self.fit_tables(&tables, watch)? == Ended::Interrupted {
            return Ok(Ended::Interrupted);
        }
        let (mut rounds, of) = (self.store.rounds()?, rounds_of(candidates.len()));
        let shares = Shares { rounds: of, again: !self.data.split.test.is_empty() };
        for number in 0..of {
            if rounds.len() == number {
                let survivors = match number.checked_sub(1) {
                    None => candidates.clone(),
                    Some(last) => self.best_of(&rounds[last], last)?,
                };
                if survivors.is_empty() {
                    break;
                }
                let left = watch.time.saturating_sub(begun.elapsed());
                let time = left.mul_f64(shares.of_left(number));
                rounds.push(self.planned(Plan { candidates: survivors, last: rounds.last(), time }, watch)?);
                self.store.keep_rounds(&rounds)?;
            }
            let round = &rounds[number];
            (watch.tell)(DesignEvent::Round { number: number + 1, of, round });
            let clock = Clock { begun, round: Instant::now(), number, shares, time: watch.time };
            if self.round(round, clock, watch)? == Ended::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Finished)
    }

    /// Fits and judges the tables that are not done.
    fn fit_tables(&self, tables: &[usize], watch: SearchWatch<'_>) -> Result<Ended, DesignError> {
        // Nothing is counted in steps.
        let round = Round { candidates: tables.to_vec(), stable: vec![0; tables.len()] };
        let open = self.open(&round, 0)?;
        if !open.is_empty() {
            (watch.tell)(DesignEvent::Tables { count: open.len() });
        }
        let turn = |candidate| Turn { candidate, round: &round, number: 0 };
        let ended = side_by_side(&open, watch.threads, |&table| self.work(turn(table), watch, &|_| {}))?;
        Ok(if ended.contains(&Ended::Interrupted) { Ended::Interrupted } else { Ended::Finished })
    }

    /// The candidates of a round that are not done.
    fn open(&self, round: &Round, number: usize) -> Result<Vec<usize>, DesignError> {
        let mut open = Vec::new();
        for &candidate in &round.candidates {
            if self.store.outcome(candidate, number)?.is_none() {
                open.push(candidate);
            }
        }
        Ok(open)
    }

    /// The best quarter of a round, the best over Fourier features and the best of the others among them unless they
    /// are far behind; what is not continued is forgotten.
    fn best_of(&self, round: &Round, number: usize) -> Result<Vec<usize>, DesignError> {
        let mut outcomes = Vec::new();
        for &candidate in &round.candidates {
            outcomes.extend(self.store.outcome(candidate, number)?);
        }
        outcomes.retain(|outcome| outcome.failure.is_none());
        outcomes.sort_by(|a, b| rank(self.manifest.goal, b).total_cmp(&rank(self.manifest.goal, a)));
        let ranked: Vec<Ranked> = outcomes
            .iter()
            .map(|outcome| Ranked {
                candidate: outcome.candidate,
                psnr_db: outcome.device.as_ref().map_or(f64::NAN, |metrics| metrics.psnr_db),
                is_fourier: self.candidate(outcome.candidate).family.is_fourier(),
            })
            .collect();
        let mut kept = continued(&ranked, left_of(round.candidates.len()));
        kept.sort_unstable();
        for &candidate in round.candidates.iter().filter(|candidate| !kept.contains(candidate)) {
            self.store.forget(candidate);
        }
        Ok(kept)
    }

    /// A round that takes about its time, shared equally. Of each family one candidate is timed.
    fn planned(&self, plan: Plan<'_>, watch: SearchWatch<'_>) -> Result<Round, DesignError> {
        let Plan { candidates, last, time } = plan;
        let jobs = candidates.len().min(watch.threads).max(1);
        let each = time.as_secs_f64() * jobs as f64 / candidates.len() as f64;
        let mut timed = BTreeMap::new();
        let mut stable = Vec::new();
        for &candidate in &candidates {
            let (a_step, to_judge) = match timed.entry(self.candidate(candidate).family) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => *new.insert(self.seconds(candidate, jobs, watch.threads)?),
            };
            let before = last.map_or(0, |round| round.stable_of(candidate));
            let steps = (each - to_judge).max(0.0) / a_step;
            let next = ((steps + before as f64) * (1.0 - DECAY)) as u64;
            // Even, so that the decay begins exactly after it.
            stable.push(next.max(before + before / 4).max(LEAST_STABLE).next_multiple_of(2));
        }
        Ok(Round { candidates, stable })
    }

    /// Trains and judges what is not done of a round.
    fn round(&self, round: &Round, clock: Clock, watch: SearchWatch<'_>) -> Result<Ended, DesignError> {
        let number = clock.number;
        let open = self.open(round, number)?;
        let done = Mutex::new(0.0);
        let all = round.candidates.len() as f64;
        let share = |part: f64| {
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += part / all;
            let (part, left) = clock.at(*done);
            (watch.tell)(DesignEvent::Progress(part, left));
        };
        share((round.candidates.len() - open.len()) as f64);
        let work = |&candidate: &usize| self.work(Turn { candidate, round, number }, watch, &share);
        let ended = side_by_side(&open, watch.threads, work)?;
        Ok(if ended.contains(&Ended::Interrupted) { Ended::Interrupted } else { Ended::Finished })
    }

    /// Trains, judges and keeps a candidate of a round. `share` is told of every part of it that is done.
    fn work(&self, turn: Turn<'_>, watch: SearchWatch<'_>, share: &Share<'_>) -> Result<Ended, DesignError> {
        if watch.stop.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        let Some(outcome) = self.trained(turn, watch.stop, share)? else {
            return Ok(Ended::Interrupted);
        };
        self.store.keep(&outcome)?;
        (watch.tell)(DesignEvent::Judged(self.candidate(turn.candidate), &outcome));
        Ok(Ended::Finished)
    }
}

/// A candidate of a round.
struct Ranked {
    candidate: usize,
    psnr_db: f64,
    is_fourier: bool,
}

/// So many of the candidates, which are ordered from the best one on.
fn continued(ranked: &[Ranked], left: usize) -> Vec<usize> {
    let best = ranked.first().map_or(f64::NAN, |best| best.psnr_db);
    let may_win = |of_kind: &&Ranked| left > FINALISTS || best - of_kind.psnr_db <= MOST_BEHIND_DB;
    let of_kinds: Vec<usize> = [true, false]
        .iter()
        .filter_map(|is_fourier| ranked.iter().find(|candidate| candidate.is_fourier == *is_fourier))
        .filter(may_win)
        .map(|of_kind| of_kind.candidate)
        .collect();
    let mut kept: Vec<usize> = ranked.iter().map(|ranked| ranked.candidate).collect();
    // Stable: the best of both kinds first, then the others by their rank.
    kept.sort_by_key(|candidate| !of_kinds.contains(candidate));
    kept.truncate(left);
    kept
}

/// How many of so many candidates are continued.
fn left_of(candidates: usize) -> usize {
    candidates.div_ceil(KEPT).max(FINALISTS)
}

/// Rounds until the finalists are left of so many candidates.
fn rounds_of(candidates: usize) -> usize {
    let (mut left, mut rounds) = (candidates, 1);
    while left > FINALISTS {
        (left, rounds) = (left_of(left), rounds + 1);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::{Ranked, continued};

    #[test]
    fn the_best_of_a_kind_is_continued_unless_it_is_far_behind() {
        let ranked = |of_fourier: f64| {
            let grids = [40.0, 39.0, 38.5].into_iter().map(|psnr_db| (psnr_db, false));
            let all = grids.chain([(of_fourier, true)]).enumerate();
            all.map(|(candidate, (psnr_db, is_fourier))| Ranked { candidate, psnr_db, is_fourier }).collect::<Vec<_>>()
        };
        assert_eq!(continued(&ranked(34.5), 2), [0, 3]);
        assert_eq!(continued(&ranked(33.5), 2), [0, 1]);
        // Before the last round any distance can be made good.
        assert_eq!(continued(&ranked(20.0), 3), [0, 3, 1]);
        assert!(continued(&[], 2).is_empty());
    }
}
