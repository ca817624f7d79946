//! One candidate in one round: timed, trained to the end of the round, and judged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ndarray::Axis;

use super::DesignError;
use super::candidates::Candidate;
use super::clock::Steps;
use super::search::{SCHEDULE, Search};
use super::store::{Outcome, Round};
use crate::artifact::precision::NamedPrecision;
use crate::base::side_by_side::side_by_side;
use crate::data::metrics::{HeldOut, Metrics};
use crate::fit::exportable::ExportableNetwork;
use crate::fit::judge::{JudgeError, outputs};
use crate::fit::{FitError, FitParams, Snapshot, ValidFitParams};
use crate::training::{TrainError, TrainState, Watch};

/// Steps that are timed before a round.
const TIMED_STEPS: u64 = 4;

/// A candidate in a round.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    /// The place of the candidate in the manifest.
    pub(super) candidate: usize,
    pub(super) round: &'a Round,
    /// The number of the round, from 0.
    pub(super) number: usize,
}

/// Told of parts of a candidate's training that are done; together they are 1.
pub(super) type Share<'a> = dyn Fn(f64) + Sync + 'a;

impl Search<'_> {
    /// The seconds that a step of a candidate takes, and those that judging it takes, if so many jobs share so many
    /// threads.
    pub(super) fn seconds(&self, candidate: usize, jobs: usize, threads: usize) -> Result<(f64, f64), DesignError> {
        let fit = FitParams { steps: TIMED_STEPS, schedule: SCHEDULE, ..self.candidate(candidate).fit.clone() };
        let params = self.checked(&fit)?;
        let timed = || -> Result<(f64, f64), DesignError> {
            let (mut state, mut first) = (params.start(), None);
            let mut observe = |state: &TrainState, _: f64| {
                // Before this, the first step allocates.
                if state.step == 0 {
                    first = Some(Instant::now());
                }
            };
            let mut watch = Watch { observe: Some(&mut observe), ..Watch::default() };
            let data = self.data.training();
            params.train(data, &mut state, &mut watch)?;
            let a_step = first.map_or(0.0, |first| first.elapsed().as_secs_f64()) / (TIMED_STEPS - 1) as f64;
            let judged = Instant::now();
            let mut outcome = Outcome::new(candidate, 0, TIMED_STEPS);
            self.judge(Snapshot { params: &params, state: &state, data }, &mut outcome)?;
            Ok((a_step, judged.elapsed().as_secs_f64()))
        };
        let times = side_by_side(&vec![(); jobs], threads, |()| timed())?;
        Ok(times.into_iter().fold((1e-6, 0.0), |(step, judge), next| (step.max(next.0), judge.max(next.1))))
    }

    /// Trains a candidate to the end of a round; none if it was stopped.
    pub(super) fn trained(
        &self,
        turn: Turn<'_>,
        stop: &AtomicBool,
        share: &Share<'_>,
    ) -> Result<Option<Outcome>, DesignError> {
        let Turn { candidate, round, number } = turn;
        let begun = Instant::now();
        let settings = &self.candidate(candidate).fit;
        let (stable, all_steps) = (round.stable_of(candidate), round.steps_of(candidate));
        let params = self.checked(&FitParams { steps: all_steps, schedule: SCHEDULE, ..settings.clone() })?;
        let untrained = params.start();
        let mut state = self.store.read_state(candidate, false, &untrained).unwrap_or_else(|| untrained.clone());
        let all = (all_steps - state.step.min(all_steps)).max(1);
        let mut steps = Steps { share, part: 1.0 / all as f64, held: 0 };
        let data = self.data.training();
        let mut failed = None;
        // Before the rate falls nothing depends on how many steps there will be: the next round goes on from there.
        for until in [stable, all_steps] {
            if state.step >= until {
                continue;
            }
            let pause = AtomicBool::new(false);
            let mut observe = |state: &TrainState, _: f64| {
                pause.store(state.step + 1 >= until || stop.load(Ordering::Relaxed), Ordering::Relaxed);
            };
            let observe = Some(&mut observe as _);
            let mut watch = Watch { stop: Some(&pause), progress: Some(&mut steps), observe, ..Watch::default() };
            match params.train(data, &mut state, &mut watch) {
                Ok(_) if state.step < until.min(params.params().steps) => {
                    // What was learned at the highest rate is continued; a decay is begun anew.
                    if state.step < stable {
                        self.store.keep_state(candidate, false, &state)?;
                    }
                    return Ok(None);
                }
                Ok(_) if until < all_steps => self.store.keep_state(candidate, false, &state)?,
                Ok(_) => {}
                Err(FitError::Train(error @ TrainError::Diverged { .. })) => {
                    failed = Some(error.to_string());
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut outcome = Outcome::new(candidate, number, params.params().steps);
        (outcome.seconds, outcome.failure) = (begun.elapsed().as_secs_f64(), failed);
        if outcome.failure.is_none() {
            let snapshot = Snapshot { params: &params, state: &state, data };
            self.judge(snapshot, &mut outcome)?;
        }
        // A model that cannot be exported leaves the one of the round before in its place.
        if outcome.failure.is_none() {
            self.store.keep_state(candidate, true, &state)?;
        }
        Ok(Some(outcome))
    }

    fn judge(&self, snapshot: Snapshot<'_>, outcome: &mut Outcome) -> Result<(), DesignError> {
        let (dataset, judges) = (self.data.dataset, self.data.judges());
        let network = ExportableNetwork::new(snapshot, f64::NAN).with_settings(&self.manifest.base);
        let precision = self.candidate(outcome.candidate).precision.0;
        let exported = network.export(precision).and_then(|exported| Ok((exported.artifact()?, exported)));
        let (artifact, mut exported) = match exported {
            Ok(exported) => exported,
            // Such as weights too large for a sine: another candidate will do.
            Err(error) => {
                outcome.failure = Some(error.to_string());
                return Ok(());
            }
        };
        let predictions = outputs(&artifact, &dataset.points.select(Axis(0), &judges))?;
        let targets = dataset.targets.select(Axis(0), &judges);
        let device = Metrics::compare(&predictions, &targets, &dataset.output_maps);
        let f32 = snapshot.metrics(&judges);
        outcome.bytes = Some(artifact.as_bytes().len());
        if !self.data.split.test.is_empty() {
            // The artifact tells how good it is there.
            let (how, precision) = (super::judged_on(self.data), NamedPrecision(precision).name().to_owned());
            let held_out = HeldOut { how, precision, f32: f32.clone(), model: device.clone() };
            exported.text = exported.text.held_out(&held_out);
            outcome.bytes = Some(exported.artifact().map_err(JudgeError::from)?.as_bytes().len());
        }
        (outcome.device, outcome.f32) = (Some(device), Some(f32));
        Ok(())
    }

    pub(super) fn candidate(&self, candidate: usize) -> &Candidate {
        &self.manifest.candidates[candidate]
    }

    fn checked(&self, fit: &FitParams) -> Result<ValidFitParams, DesignError> {
        Ok(fit.check(self.data.dataset.inputs(), self.data.dataset.outputs())?)
    }
}
