//! The best model for so many bytes, instructions and bytes of RAM, found by short trainings.
//!
//! [`budget`] says what a model may cost and how good it must be, [`size`] and [`cost`] what it takes before it is
//! trained, [`candidates`] which models fill a budget, [`search`] trains and compares them, [`store`] keeps what is
//! done, and [`front`] puts it side by side. [`Design`] goes the whole way: to a run of the winner, with the figures of
//! all others beside it.
//!
//! What the models are judged on depends on what the data are for, as in [`fit`](crate::fit): pictures and large grids
//! are to be stored, and judge themselves; of tables and small grids some samples are held out from all trainings.

pub mod budget;
pub mod candidates;
mod clock;
mod command;
pub mod cost;
mod error;
pub mod events;
pub mod front;
mod halving;
pub mod samples;
pub mod search;
pub mod size;
pub mod store;
mod trial;

use std::cmp::Ordering;
use std::path::Path;

use firmware_core::Precision;

use self::budget::{Budget, Goal, largest_error, most_flash};
use self::candidates::Wanted;
use self::cost::Core;
use self::events::SearchWatch;
use self::front::{Front, OnAll};
use self::samples::SearchData;
use self::search::{SCHEDULE, Search, rank};
use self::store::{DesignManifest, DesignStore, Outcome};
use crate::base::shard::Shard;
use crate::data::metrics::short;
use crate::data::{Dataset, Split};
use crate::fit::guide::{self, is_wanted_between};
use crate::fit::run::{Preparation, Run};
use crate::fit::settings::FitSettings;
use crate::fit::validation::{Measured, held_out_part};
use crate::fit::{FitError, FitParams};
use crate::theory::select::candidate_scales;
use crate::training::{Ended, Watch};
pub use error::DesignError;

/// Where the values of σ that are tried lie between half a cycle and what the samples resolve, on a logarithmic scale.
const SCALES: [f64; 3] = [0.4, 0.55, 0.7];
/// The values of σ that are tried, relative to that of a guide's kernel.
const GUIDED_SCALES: [f64; 3] = [0.5, 1.0, 2.0];
/// With a guide σ begins here: networks shape smooth functions from waves that are shorter than those of the kernel.
const LEAST_GUIDED: f64 = 0.7;
/// Sizes are predicted for trainings of as many digits.
const TYPICAL_STEPS: u64 = 99_999;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct DesignParams {
    /// The data file, how it is read, and the settings that all models share: the seed, periods, and what happens
    /// beyond the domain.
    pub base: FitSettings,
    /// What the model may take: bytes, instructions and RAM.
    pub budget: Budget,
    /// How good the model must be.
    pub goal: Option<Goal>,
    /// The core that instructions are estimated for.
    pub core: &'static Core,
}

/// A search for a data set.
pub struct Design<'a> {
    manifest: DesignManifest,
    data: SearchData<'a>,
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Designed {
    /// Every model that was compared.
    pub front: Front,
    /// The winner.
    pub best: Outcome,
    /// Why the winner is not good enough, and what more bytes would buy; none if it is, or there is no goal.
    pub shortfall: Option<String>,
}

/// A search whose winner is to be written.
#[derive(Debug)]
pub struct EndedSearch<'a> {
    /// Where its trainings are kept.
    pub store: &'a DesignStore,
    /// What it came to; the quality of the winner over all samples is added.
    pub designed: &'a mut Designed,
    /// Whether it went to its end.
    pub ended: Ended,
}

impl<'a> Design<'a> {
    /// Makes the candidates, for no more bytes than are [of use](most_flash) for the data. The data have gone through
    /// [`periodic::apply`](crate::data::periodic::apply).
    ///
    /// # Errors
    /// If the settings are impossible, or no model keeps the budget.
    pub fn new(params: DesignParams, dataset: &'a Dataset) -> Result<Self, DesignError> {
        let DesignParams { mut base, budget, goal, core } = params;
        for (option, value) in [
            ("--max-error", goal.and_then(|goal| if let Goal::MaxError(error) = goal { Some(error) } else { None })),
            ("--psnr", goal.and_then(|goal| if let Goal::Psnr(psnr) = goal { Some(psnr) } else { None })),
        ] {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && value.is_finite())) {
                return Err(DesignError::Goal { option, value });
            }
        }
        if is_wanted_between(dataset) && guide::is_possible(dataset.len()) {
            base.fit = base.fit.with_guide();
        }
        (base.fit.steps, base.fit.schedule) = (TYPICAL_STEPS, SCHEDULE);
        let (data, near) = search_data(&base.fit, dataset)?;
        let scales = scales(dataset, near);
        // Between the samples more may be wanted than weights of 8 bits give.
        let precisions: &[Precision] =
            if is_wanted_between(dataset) { &[Precision::W8A16, Precision::W16A16] } else { &[Precision::W8A16] };
        let held_out = judged_on(&data);
        let held_out = (!data.split.test.is_empty()).then_some(held_out.as_str());
        let budget = budget.for_data(dataset);
        let wanted = Wanted { dataset, budget: &budget, core, held_out };
        let candidates = wanted.candidates(&base.fit, &scales, precisions);
        if candidates.is_empty() {
            return Err(DesignError::Budget { what: wanted.least(&base.fit) });
        }
        let fingerprint = format!("{:016x}", dataset.fingerprint());
        let manifest =
            DesignManifest { base, budget, goal, board: core.board.to_owned(), data: fingerprint, candidates };
        Ok(Self { manifest, data })
    }

    /// The search of a folder, on the data that it was begun with.
    ///
    /// # Errors
    /// If the data are other ones.
    pub fn resumed(run: &Path, manifest: DesignManifest, dataset: &'a Dataset) -> Result<Self, DesignError> {
        if manifest.data != format!("{:016x}", dataset.fingerprint()) {
            return Err(DesignError::Other { path: run.to_owned() });
        }
        let (data, _) = search_data(&manifest.base.fit, dataset)?;
        Ok(Self { manifest, data })
    }

    /// What is searched for.
    #[must_use]
    pub fn manifest(&self) -> &DesignManifest {
        &self.manifest
    }

    /// What the models are judged on, in words.
    #[must_use]
    pub fn judged_on(&self) -> String {
        judged_on(&self.data)
    }

    /// Whether samples are held out from the trainings that are compared.
    #[must_use]
    pub fn holds_out(&self) -> bool {
        !self.data.split.test.is_empty()
    }

    /// The candidates of a shard, by their places in the manifest.
    #[must_use]
    pub fn candidates_of(&self, shard: Shard) -> Vec<usize> {
        (0..self.manifest.candidates.len()).filter(|&candidate| shard.holds(candidate)).collect()
    }

    /// Trains what is not done of these candidates, by their places in the manifest.
    ///
    /// # Errors
    /// Whatever keeps it from going on; what was judged is kept.
    pub fn search(
        &self,
        store: &DesignStore,
        candidates: &[usize],
        watch: SearchWatch<'_>,
    ) -> Result<Ended, DesignError> {
        Search { manifest: &self.manifest, data: &self.data, store }.run(candidates, watch)
    }

    /// Chooses the winner of what was judged so far.
    ///
    /// # Errors
    /// If no candidate was judged, or all failed.
    pub fn choose(&self, run: &Path, store: &DesignStore) -> Result<Designed, DesignError> {
        let outcomes = store.last_outcomes(self.manifest.candidates.len())?;
        let fits = |outcome: &&Outcome| outcome.bytes.is_some_and(|bytes| bytes <= self.manifest.budget.flash);
        let best = outcomes.iter().filter(fits).max_by(|a, b| self.preference(a, b));
        let Some(best) = best.cloned() else {
            return Err(match outcomes.into_iter().find_map(|outcome| outcome.failure) {
                Some(reason) => DesignError::NoneTrained { reason },
                None => DesignError::NothingYet { path: run.to_owned() },
            });
        };
        let front = Front::new(&self.manifest, &outcomes, (run, best.candidate), self.judged_on());
        let shortfall = self.shortfall(&best, store)?;
        Ok(Designed { front, best, shortfall })
    }

    /// Which of two outcomes is chosen: the greater one. Of equally good ones it is that of the fewest bytes, then of
    /// the fewest instructions, so that no other one beats it.
    fn preference(&self, a: &Outcome, b: &Outcome) -> Ordering {
        let goal = self.manifest.goal;
        let price = |outcome: &Outcome| {
            let size = &self.manifest.candidates[outcome.candidate].size;
            (outcome.bytes, size.instructions, size.ram_bytes)
        };
        let other = match goal {
            Some(Goal::MaxError(_)) => None,
            _ => Some(Goal::MaxError(0.0)),
        };
        let better = |goal: Option<Goal>| rank(goal, a).total_cmp(&rank(goal, b));
        better(goal).then_with(|| price(b).cmp(&price(a))).then_with(|| better(other))
    }

    /// Makes the run of the winner in a folder, and the table and picture of all models. Where samples were held out
    /// from the search, the winner is trained once more, on all of them, unless the search was interrupted. The quality
    /// over all samples comes into the front.
    ///
    /// # Errors
    /// If the training fails or a file cannot be written.
    pub fn write(&self, path: &Path, search: EndedSearch<'_>, watch: Watch<'_>) -> Result<Ended, DesignError> {
        let EndedSearch { store, designed, ended } = search;
        let (best, dataset) = (designed.best.clone(), self.data.dataset);
        let candidate = &self.manifest.candidates[best.candidate];
        let fit = FitParams { steps: best.steps, schedule: SCHEDULE, ..candidate.fit.clone() };
        let settings = FitSettings { fit, precision: Some(candidate.precision), ..self.manifest.base.clone() };
        let mut run = Run::replace(path, settings, dataset.clone())?;
        run.prepare(&Preparation { stop: watch.stop, ..Preparation::default() })?;
        let is_final = self.data.split.test.is_empty();
        if is_final || ended == Ended::Interrupted {
            let untrained = run.snapshot().state.clone();
            if let Some(state) = store.read_state(best.candidate, true, &untrained) {
                run.continue_from(state);
            }
        }
        if let (Some(device), Some(f32), false) = (&best.device, &best.f32, is_final) {
            let models = vec![(candidate.precision.name().to_owned(), device.clone())];
            let (how, f32) = (self.judged_on(), f32.clone());
            run.take_held_out(Measured { how, steps: best.steps, f32, models, chose: true });
        }
        let ended = run.train(watch)?;
        // All of them train: nothing is held out from the run of the winner.
        let on_all = run.write()?.model.train;
        designed.front.chosen_on_all = Some(OnAll::from(&on_all));
        // Good enough is what is good enough here as well.
        if let Some(goal) = self.manifest.goal.filter(|goal| !goal.is_met(&on_all)) {
            designed.front.rows.iter_mut().filter(|row| row.chosen).for_each(|row| row.meets_goal = Some(false));
            let remedy = if self.takes_more() { "a larger --flash or a longer --time" } else { "a longer --time" };
            let missed = || format!("{}; {remedy} may help", goal.missed_by(&on_all));
            designed.shortfall.get_or_insert_with(missed);
        }
        designed.front.write(path)?;
        Ok(ended)
    }

    /// Whether more flash makes larger models.
    fn takes_more(&self) -> bool {
        self.manifest.budget.flash < most_flash(self.data.dataset)
    }

    /// Why the best is not good enough, and what more bytes would buy.
    fn shortfall(&self, best: &Outcome, store: &DesignStore) -> Result<Option<String>, DesignError> {
        let (Some(goal), Some(metrics)) = (self.manifest.goal, &best.device) else { return Ok(None) };
        if goal.is_met(metrics) {
            return Ok(None);
        }
        let (asked, reached, missing_db) = match goal {
            Goal::MaxError(limit) => {
                let error = largest_error(metrics);
                (
                    format!("a largest error of {}", short(limit)),
                    format!("one of {}", short(error)),
                    20.0 * (error / limit).log10(),
                )
            }
            Goal::Psnr(limit) => (format!("{limit} dB"), format!("{:.2} dB", metrics.psnr_db), limit - metrics.psnr_db),
        };
        let mut sentence = format!(
            "no model of the budget reaches {asked}; the closest reaches {reached} with {} bytes and about {} \
             instructions",
            best.bytes.unwrap_or(0),
            self.manifest.candidates[best.candidate].size.instructions
        );
        if let Some(gain) = self.gain_of_a_doubling(best, store)?.filter(|gain| *gain > 0.0) {
            let enough = self.manifest.budget.flash as f64 * (missing_db / gain).exp2();
            if self.takes_more() {
                sentence += &format!("; twice the bytes would gain about {gain:.1} dB");
            }
            if enough < 16.0 * self.manifest.budget.flash as f64 && enough <= most_flash(self.data.dataset) as f64 {
                sentence += &format!(", so that --flash {:.0}K may be enough", (enough / 1024.0).ceil());
            }
        }
        Ok(Some(sentence))
    }

    /// What twice the bytes gained in the first round, dB, for the family of the best.
    fn gain_of_a_doubling(&self, best: &Outcome, store: &DesignStore) -> Result<Option<f64>, DesignError> {
        let candidates = &self.manifest.candidates;
        let family = candidates[best.candidate].family;
        let (mut whole, mut half) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (place, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| candidate.family == family) {
            let Some(outcome) = store.outcome(place, 0)? else { continue };
            let share = candidate.size.bytes as f64 / self.manifest.budget.flash as f64;
            if share > 0.75 {
                whole = whole.max(outcome.psnr_db());
            } else if share > 0.375 {
                half = half.max(outcome.psnr_db());
            }
        }
        Ok(Some(whole - half).filter(|gain| gain.is_finite()))
    }
}

/// The samples of a search, and about where the best σ lies if a guide knows it.
fn search_data<'a>(fit: &FitParams, dataset: &'a Dataset) -> Result<(SearchData<'a>, Option<f64>), DesignError> {
    let params = fit.check(dataset.inputs(), dataset.outputs())?;
    if u32::try_from(dataset.len()).is_err() {
        return Err(FitError::Samples { samples: dataset.len() }.into());
    }
    let held_out = if is_wanted_between(dataset) { held_out_part(dataset, fit.seed) } else { None };
    let split = held_out.unwrap_or_else(|| Split::all(dataset));
    let guide = params.guide(dataset, &split.train)?;
    let near = guide.as_ref().map(|guide| guide.widest().max(LEAST_GUIDED));
    let learned = guide.map(|guide| guide.dataset(dataset, &split.train, fit.seed));
    Ok((SearchData { dataset, split, learned }, near))
}

/// What models are judged on, in words.
fn judged_on(data: &SearchData<'_>) -> String {
    let (held_out, all, judges) = (data.split.test.len(), data.dataset.len(), data.judges().len());
    if held_out > 0 {
        return format!("{judges} of {all} samples, held out from the trainings that are compared");
    }
    let which = if judges < all { format!("{judges} of the {all} samples") } else { format!("the {all} samples") };
    format!("{which} themselves, since all of them are to be stored")
}

fn scales(dataset: &Dataset, near: Option<f64>) -> Vec<f64> {
    let three_digits = |scale: f64| {
        let unit = 10f64.powi(2 - scale.log10().floor() as i32);
        (scale * unit).round() / unit
    };
    match near {
        Some(near) => GUIDED_SCALES.iter().map(|factor| three_digits(factor * near)).collect(),
        None => {
            let ends = candidate_scales(dataset.len(), dataset.inputs(), 2);
            SCALES.iter().map(|&place| three_digits(ends[0] * (ends[1] / ends[0]).powf(place))).collect()
        }
    }
}
