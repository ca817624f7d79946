//! What happens between reading the data and training.

use std::sync::atomic::AtomicBool;

use firmware_core::Precision;

use super::{FitRunError, Prepared, Run};
use crate::fit::FitError;
use crate::fit::auto_scale::{self, AutoScaleError, Choice, ChoiceData, Judge, Setting};
use crate::fit::guide::is_wanted_between;
use crate::fit::validation::{Measured, Validation, ValidationError};
use crate::training::TrainError;

/// With a guide the short trainings begin at this scale, or at that of the guide's kernel if it is larger: a network
/// shapes smooth functions from waves that are shorter than those of the kernel.
const LEAST_START: f64 = 0.7;

/// What is to be done before the training, and who hears of it. The default chooses and measures nothing.
#[derive(Clone, Copy)]
pub struct Preparation<'a> {
    /// Hyperparameters to choose by short trainings, one after the other.
    pub choices: &'a [Setting],
    /// Whether to measure the quality at held-out samples by [trainings of their own](crate::fit::validation).
    pub hold_out: bool,
    /// Set from elsewhere (ctrl-C) to stop.
    pub stop: Option<&'a AtomicBool>,
    /// Hears what is being done and what was found, a sentence at a time, from any thread.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl Default for Preparation<'_> {
    fn default() -> Self {
        Self { choices: &[], hold_out: false, stop: None, tell: &|_| {} }
    }
}

impl Run {
    /// Fits the guide if the settings want one, makes the choices, and measures the quality at held-out samples.
    ///
    /// # Errors
    /// If something of it fails or is stopped. The folder is then removed if it is empty: a run that was to be replaced
    /// is kept.
    pub fn prepare(&mut self, preparation: &Preparation<'_>) -> Result<(), FitRunError> {
        let prepared = self.prepared(preparation);
        if prepared.is_err() {
            self.folder.discard_if_empty();
        }
        self.prepared = prepared?;
        self.state = self.params.start();
        Ok(())
    }

    fn prepared(&mut self, preparation: &Preparation<'_>) -> Result<Prepared, FitRunError> {
        let input = self.settings.input.clone();
        let (dataset, train) = (&self.dataset, &self.split.train);
        let guide = self.params.guide(dataset, train);
        let guide = guide.map_err(|error| FitRunError::Guide { input: input.clone(), source: Box::new(error) })?;
        let learned = guide.as_ref().map(|guide| guide.dataset(dataset, train, self.settings.fit.seed));
        if let Some(guide) = &guide {
            let summary = guide.summary(&dataset.output_names);
            (preparation.tell)(&format!("kernel regression through the samples: {summary}"));
        }
        let mut chosen = None;
        for &setting in preparation.choices {
            let choice = match (&guide, &learned, setting) {
                (Some(guide), Some(learned), Setting::Scale) => {
                    let near = guide.widest().max(LEAST_START);
                    auto_scale::choose_guided(&self.settings.fit, learned, near, preparation.stop)
                }
                _ => self.choose(setting, preparation),
            };
            let choice = choice.map_err(|error| match error {
                AutoScaleError::Interrupted => FitRunError::ChoiceInterrupted(Box::new(error)),
                error => FitRunError::Choice { input: input.clone(), source: Box::new(error) },
            })?;
            tell_choice(&choice, preparation.tell);
            self.settings.fit = choice.apply(&self.settings.fit);
            self.params = self.settings.fit.check(self.dataset.inputs(), self.dataset.outputs())?;
            chosen = Some(choice);
        }
        let held_out = if preparation.hold_out { self.measure(preparation)? } else { None };
        Ok(Prepared { learned, held_out, choice: chosen })
    }

    fn choose(&self, setting: Setting, preparation: &Preparation<'_>) -> Result<Choice, AutoScaleError> {
        (preparation.tell)(&format!("choosing {}", setting.option()));
        let is_stored = !is_wanted_between(&self.dataset) && self.split.test.is_empty();
        let judge = if is_stored { Judge::Stored } else { Judge::LeftOut };
        let data = ChoiceData { dataset: &self.dataset, split: &self.split, judge };
        auto_scale::choose(setting, &self.settings.fit, data, preparation.stop)
    }

    fn measure(&self, preparation: &Preparation<'_>) -> Result<Option<Measured>, FitRunError> {
        let tell = |done: usize, all: usize| match done {
            0 => (preparation.tell)(
                "measuring the quality by extra trainings that leave samples out (--holdout none turns this off)",
            ),
            _ => (preparation.tell)(&format!("extra training {done} of {all} is done")),
        };
        let validation = Validation {
            params: &self.params,
            dataset: &self.dataset,
            precision: self.settings.precision.map(Precision::from),
            stop: preparation.stop,
            tell: &tell,
        };
        match validation.measure() {
            // The training itself may still succeed, and says so if it does not.
            Err(ValidationError::Fit(error @ FitError::Train(TrainError::Diverged { .. }))) => {
                (preparation.tell)(&format!("warning: the quality could not be measured: {error}"));
                Ok(None)
            }
            measured => Ok(measured?),
        }
    }
}

fn tell_choice(choice: &Choice, tell: &(dyn Fn(&str) + Sync)) {
    let theory = choice.theory.map_or(String::new(), |theory| format!("; kernel theory alone: {theory:.4}"));
    let (option, chosen, judge) = (choice.setting.option(), choice.chosen, choice.judge.words());
    tell(&format!("{option} {chosen:.4}, the best on {judge}{theory}"));
    if choice.is_at_an_end() {
        tell(&format!(
            "{option} {chosen:.4} is the last of the values tried; give {option} a number to try one beyond"
        ));
    }
}
