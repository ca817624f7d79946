//! Short trainings of the candidates, and where they are best.

use std::sync::atomic::AtomicBool;

use rand::seq::SliceRandom;

use super::{AutoScaleError, ChoiceData, Judge, Setting};
use crate::base::random::{Purpose, step_rng};
use crate::data::{Dataset, Split};
use crate::fit::{FitError, FitParams, Snapshot, TrainingData};
use crate::network::encoding::EncodingError;
use crate::training::optimizer::Schedule;
use crate::training::{Ended, TrainError, Watch};

/// A trial has so many times fewer steps.
const SHORTER: u64 = 4;
/// But not fewer than this, where there are as many.
const LEAST_STEPS: u64 = 50;
/// More trials cost more than they tell.
pub(super) const MOST_TRIALS: usize = 7;
/// More samples than this to judge by tell nothing new.
const MOST_JUDGES: usize = 8192;

/// Trainings of a fraction of the steps, judged by a fraction of the training samples.
pub(super) struct Trials<'a> {
    setting: Setting,
    params: FitParams,
    dataset: &'a Dataset,
    split: Split,
    stop: Option<&'a AtomicBool>,
}

impl<'a> Trials<'a> {
    pub(super) fn new(
        setting: Setting,
        params: &FitParams,
        data: ChoiceData<'a>,
        stop: Option<&'a AtomicBool>,
    ) -> Self {
        let ChoiceData { dataset, split, judge } = data;
        let mut train = split.train.clone();
        train.shuffle(&mut step_rng(params.seed, Purpose::ScaleJudges, 0));
        let mut test = match judge {
            Judge::Stored => train.clone(),
            Judge::LeftOut | Judge::Guide => train.split_off(train.len() - train.len() / 10),
        };
        test.truncate(MOST_JUDGES);
        train.sort_unstable();
        let steps = (params.steps / SHORTER).max(LEAST_STEPS).min(params.steps);
        let mut params = FitParams { steps, ..params.clone() };
        if let Schedule::Exponential { every, .. } = &mut params.schedule {
            *every /= SHORTER as f64;
        }
        Self { setting, params, dataset, split: Split { train, test }, stop }
    }

    /// Steps of each short training.
    pub(super) const fn steps(&self) -> u64 {
        self.params.steps
    }

    /// Tries candidates from place `at` on, up and down, until the best so far has both its neighbours known; dB at
    /// those tried.
    pub(super) fn climb(&self, candidates: &[f64], mut at: usize) -> Result<Vec<Option<f64>>, AutoScaleError> {
        let mut psnr_db: Vec<Option<f64>> = vec![None; candidates.len()];
        for _ in 0..MOST_TRIALS {
            psnr_db[at] = Some(self.psnr_db(candidates[at])?);
            let best = best(&psnr_db).unwrap_or(at);
            let open = [best.checked_sub(1), (best + 1 < candidates.len()).then_some(best + 1)];
            match open.into_iter().flatten().find(|&neighbour| psnr_db[neighbour].is_none()) {
                Some(neighbour) => at = neighbour,
                None => break,
            }
        }
        Ok(psnr_db)
    }

    /// Minus infinity where training diverges.
    fn psnr_db(&self, candidate: f64) -> Result<f64, AutoScaleError> {
        let params = self.setting.of(&self.params, candidate);
        let params = match params.check(self.dataset.inputs(), self.dataset.outputs()) {
            // So small a scale leaves nothing along axes whose frequencies are whole.
            Err(FitError::Encoding(EncodingError::AllZero)) => return Ok(f64::NEG_INFINITY),
            checked => checked?,
        };
        let mut state = params.start();
        let mut watch = Watch { stop: self.stop, ..Watch::default() };
        let data = TrainingData::new(self.dataset, &self.split);
        match params.train(data, &mut state, &mut watch) {
            Ok(Ended::Interrupted) => Err(AutoScaleError::Interrupted),
            Ok(Ended::Finished) => {
                let snapshot = Snapshot { params: &params, state: &state, data };
                Ok(snapshot.metrics(&self.split.test).psnr_db)
            }
            Err(FitError::Train(TrainError::Diverged { .. })) => Ok(f64::NEG_INFINITY),
            Err(error) => Err(error.into()),
        }
    }
}

/// The place of the best candidate tried.
fn best(psnr_db: &[Option<f64>]) -> Option<usize> {
    let rank = |place: usize| psnr_db[place].unwrap_or(f64::NEG_INFINITY);
    (0..psnr_db.len()).max_by(|&a, &b| rank(a).total_cmp(&rank(b)))
}

/// The place of the best candidate that was tried and did not diverge, once `handicap` dB are taken off each.
pub(super) fn best_after(psnr_db: &[Option<f64>], handicap: impl Fn(usize) -> f64) -> Option<usize> {
    let handicapped = psnr_db.iter().enumerate().map(|(place, psnr)| psnr.map(|psnr| psnr - handicap(place)));
    let handicapped: Vec<Option<f64>> = handicapped.collect();
    best(&handicapped).filter(|&place| handicapped[place].is_some_and(|psnr| psnr > f64::NEG_INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handicap_moves_the_choice_only_where_trials_are_close() {
        let handicap = |place| 0.5 * place as f64;
        let (flat, steep) = ([Some(29.8), Some(30.0), None], [Some(27.0), Some(30.0), None]);
        assert_eq!((best_after(&flat, |_| 0.0), best_after(&flat, handicap)), (Some(1), Some(0)));
        assert_eq!(best_after(&steep, handicap), Some(1));
        assert_eq!(best_after(&[None, Some(f64::NEG_INFINITY), None], handicap), None);
    }
}
