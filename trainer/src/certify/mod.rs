//! Proofs of what a model answers: bounds of its outputs, of its slopes and of its distance to the data, for every
//! point of its domain and to the bits of the device.
//!
//! - **Integer codes** ([`enumerate`]): a model of which every input is a converter's code has a finite number of
//!   points. All of them are evaluated with the code that runs on the device, so that the bounds are exact.
//! - **Other coordinates** ([`search`]): boxes of Q0.32 coordinates are bounded by affine arithmetic over the
//!   operations of the device, roundings included, and halved where the bound is largest (branch and bound; Land and
//!   Doig 1960), until the bound is near to the worst point that was found. This is for 1 to 3 inputs, all precisions,
//!   grids and tables.
//!
//! What is proven of an output holds for the device's bits. A slope is that of the same weights in exact arithmetic,
//! since a device answers in steps; at a crossing of kinks every combination of their sides counts. The distance is the
//! one to the data's own [interpolant](Proof::distance), where the data make a grid, between their first and last
//! positions.
//!
//! The proof supposes that this program computes in IEEE 754 double precision, and that `sin` and `exp` of the desktop
//! are within 1e-12 of the true functions.

mod activations;
mod arithmetic;
mod bench;
mod bounds;
mod certificate;
pub mod enumerate;
mod error;
mod files;
mod forms;
mod interpolant;
mod parts;
mod region;
pub mod search;
mod slope;
mod spline;
#[cfg(test)]
pub(crate) mod tests;
mod wave;

pub use certificate::{Answered, Bound, Certificate, CertifySettings, Method, OfData, Proof, Verdict};
pub(crate) use certificate::{input_names, output_names};
pub use error::{CertifyError, Misfit};
pub use files::Unfinished;
pub use region::{MAX_AXES, Region};

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use firmware_core::Model;

use self::bench::Bench;
use self::enumerate::{Codes, Enumerated, Enumeration, Halt};
use self::interpolant::Interpolant;
use self::parts::Parts;
use self::search::{Goal, Quantity, Search, Until};
use crate::data::Dataset;
use crate::data::periodic::axis_of;

/// Enumerations of more points say at their start how many answers there are, since they take more than a moment.
const MANY: u64 = 1 << 20;

/// More seconds than this, thirty years, are no other limit and might be too many for a clock.
const MOST_SECONDS: f64 = 1e9;

/// The work on one model, which can be stopped and continued.
pub struct Certification<'a> {
    parts: Parts<'a>,
    interpolant: Option<Interpolant>,
    settings: CertifySettings,
    monotone: Option<usize>,
    /// Whether slopes count.
    has_slopes: bool,
    /// Whether an enumeration, too, ends after the time of the settings.
    is_timed: bool,
    searches: Vec<Search>,
    /// An enumeration that was stopped.
    enumeration: Option<Enumeration>,
    enumerated: Option<Vec<Enumerated>>,
    enumerated_points: u64,
    /// A certificate that is to be proven again.
    claimed: Option<Certificate>,
}

impl<'a> Certification<'a> {
    /// Begins with a model and the data that it stands for, if they count.
    ///
    /// # Errors
    ///
    /// If the model has more inputs than bounds are found for, the data make no grid, or a setting does not fit the
    /// model.
    pub fn new(model: &'a Model<'a>, data: Option<&Dataset>, settings: &CertifySettings) -> Result<Self, CertifyError> {
        let parts = Parts::of(model);
        let bits = &model.header().code_bits;
        if model.inputs() > MAX_AXES && (bits.is_empty() || bits.contains(&0)) {
            return Err(CertifyError::Inputs(model.inputs()));
        }
        let interpolant = data.map(Interpolant::of).transpose()?;
        if let Some([low, high]) = settings.within
            && low > high
        {
            return Err(CertifyError::Range(low, high));
        }
        let names = certificate::input_names(model);
        let monotone = settings
            .monotone
            .as_ref()
            .map(|input| axis_of(input, &names).ok_or_else(|| CertifyError::Input(input.clone(), names.join(", "))));
        let monotone = monotone.transpose()?;
        let settings = CertifySettings { monotone: monotone.map(|axis| names[axis].clone()), ..settings.clone() };
        Ok(Self {
            parts,
            interpolant,
            settings,
            monotone,
            has_slopes: true,
            is_timed: false,
            searches: Vec::new(),
            enumeration: None,
            enumerated: None,
            enumerated_points: 0,
            claimed: None,
        })
    }

    /// Leaves the slopes open, so that the time goes to the answers.
    #[must_use]
    pub fn without_slopes(self) -> Self {
        Self { has_slopes: false, ..self }
    }

    /// An enumeration of codes, too, is stopped after the time that the settings give.
    #[must_use]
    pub fn timed(self) -> Self {
        Self { is_timed: true, ..self }
    }

    /// From here on the searches end where they prove what a certificate of the same model claims.
    pub fn claim(&mut self, certificate: Certificate) {
        self.claimed = Some(certificate);
    }

    /// Goes on with what was stopped before, of the same model and data.
    ///
    /// # Errors
    ///
    /// If there is an enumeration of other codes than the model's, or of all of them.
    pub fn resume(&mut self, unfinished: Unfinished) -> Result<(), CertifyError> {
        if let Some(enumeration) = &unfinished.enumeration {
            let codes = Codes::of(&self.parts, self.interpolant.as_ref())?.ok_or(Misfit::NoCodes)?;
            enumeration.fits(&codes)?;
        }
        (self.searches, self.enumeration) = (unfinished.searches, unfinished.enumeration);
        Ok(())
    }

    /// The searches as far as they are, or an enumeration that was stopped; `data` are those that the work was begun
    /// with.
    #[must_use]
    pub fn unfinished(&self, data: Option<&Dataset>) -> Unfinished {
        Unfinished {
            model_crc32: certificate::checksum(self.parts.model),
            data: data.map(OfData::of),
            searches: self.searches.clone(),
            enumeration: self.enumeration.clone(),
        }
    }

    /// Enumerates all codes, or searches for the time that the settings allow. `tell` is called now and then with a
    /// line about how far it is.
    ///
    /// # Errors
    ///
    /// If there are too many codes, or their enumeration is stopped; it can be continued as it is, or by
    /// [`Certification::unfinished`] later.
    pub fn run(&mut self, stop: &AtomicBool, tell: &(dyn Fn(&str) + Sync)) -> Result<(), CertifyError> {
        let Some(codes) = Codes::of(&self.parts, self.interpolant.as_ref())? else {
            self.search(stop, tell);
            return Ok(());
        };
        let all = codes.len();
        let mut enumeration = self.enumeration.take().unwrap_or_else(|| codes.start());
        let tell = |done| tell(&format!("{done} of {all} answers"));
        if all > MANY {
            tell(enumeration.points);
        }
        let mut last = Instant::now();
        let end = self.is_timed.then(|| last + self.time());
        let ended = codes.run(&mut enumeration, Halt { stop, end }, |done| {
            if last.elapsed() > Duration::from_secs(2) {
                last = Instant::now();
                tell(done);
            }
        });
        if ended.is_ok() {
            (self.enumerated, self.enumerated_points) = (Some(enumeration.outputs), all);
        } else {
            self.enumeration = Some(enumeration);
        }
        ended
    }

    /// The time of the settings.
    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.settings.seconds.min(MOST_SECONDS))
    }

    fn search(&mut self, stop: &AtomicBool, tell: &(dyn Fn(&str) + Sync)) {
        let bench = Bench { parts: &self.parts, interpolant: self.interpolant.as_ref() };
        let goals = self.goals();
        for &goal in &goals {
            if !self.searches.iter().any(|search| search.goal == goal) {
                self.searches.push(bench.search(goal));
            }
        }
        let end = Instant::now() + self.time();
        for k in 0..self.searches.len() {
            // Those that are left share the time that is left.
            let left = end.saturating_duration_since(Instant::now());
            let until = Until { end: Instant::now() + left / (self.searches.len() - k) as u32, ..self.until(k, stop) };
            let names = self.names(self.searches[k].goal);
            bench.run(&mut self.searches[k], &until, |search| {
                let (proven, found) =
                    (self::certificate::shown(search.proven()), self::certificate::shown(search.found.value));
                tell(&format!("{names}: proven {proven}, found {found} ({} boxes)", search.boxes));
            });
        }
    }

    /// What of a claimed certificate is not proven again, in words; empty if all of it is.
    #[must_use]
    pub fn refuted(&self) -> Vec<String> {
        let Some(claimed) = &self.claimed else { return Vec::new() };
        let mut refuted = Vec::new();
        let now = self.certificate(None, String::new());
        for (old, new) in claimed.outputs.iter().zip(&now.outputs) {
            let name = &old.output;
            // An origin is added and subtracted again.
            let near = |a: f64, b: f64| a <= b + 1e-12 * b.abs();
            let mut check = |what: &str, holds: bool| {
                if !holds {
                    refuted.push(format!("the {what} of {name}"));
                }
            };
            check("smallest answer", near(-new.smallest.proven, -old.smallest.proven));
            check("largest answer", near(new.largest.proven, old.largest.proven));
            // What is claimed and has nothing new beside it is not proven.
            let distance = old.distance.as_ref().is_none_or(|old| {
                let new = new.distance.as_ref();
                new.is_some_and(|new| near(new.proven, old.proven))
            });
            check("distance to the data", distance);
            let slopes = || old.slopes.iter().zip(&new.slopes).all(|(old, new)| near(new.proven, old.proven));
            check("slope", old.slopes.len() == new.slopes.len() && slopes());
            check("name", old.output == new.output);
            check("unit", old.unit == new.unit);
        }
        if claimed.outputs.len() != now.outputs.len() {
            refuted.push("the number of outputs".to_owned());
        }
        if claimed.questions.len() != now.questions.len() {
            refuted.push("the number of questions".to_owned());
        }
        for (old, new) in claimed.questions.iter().zip(&now.questions) {
            if old.question != new.question || old.answer != new.answer {
                refuted.push(format!("the answer to '{}'", old.question));
            }
        }
        refuted
    }

    /// Whether every quantity is as near as it was asked for.
    #[must_use]
    pub fn is_near(&self) -> bool {
        let never = AtomicBool::new(false);
        self.enumerated.is_some()
            || (!self.searches.is_empty()
                && self.searches.iter().enumerate().all(|(k, search)| search.is_near(&self.until(k, &never))))
    }

    /// What is searched for.
    fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        for output in 0..self.parts.outputs() {
            let mut add = |quantity| goals.push(Goal { quantity, output });
            add(Quantity::Upper);
            add(Quantity::Lower);
            if self.interpolant.is_some() {
                add(Quantity::Distance);
            }
            let axes = if self.has_slopes { self.parts.inputs() } else { 0 };
            (0..axes).for_each(|axis| add(Quantity::Slope(axis)));
            if let Some(axis) = self.monotone {
                add(Quantity::Fall(axis));
                add(Quantity::Rise(axis));
            }
        }
        goals
    }

    /// When a search is near enough.
    fn until<'s>(&self, k: usize, stop: &'s AtomicBool) -> Until<'s> {
        let Goal { quantity, output } = self.searches[k].goal;
        let found = |quantity: Quantity| {
            let other = self.searches.iter().find(|search| search.goal == Goal { quantity, output });
            other.map_or(0.0, |search| search.found.value)
        };
        let origin = self.output_origin(output);
        let enough = match quantity {
            Quantity::Distance => self.settings.max_error,
            Quantity::Upper => self.settings.within.map(|[_, high]| high - origin),
            Quantity::Lower => self.settings.within.map(|[low, _]| origin - low),
            Quantity::Slope(_) => None,
            // One of the two is below zero where the output is monotone.
            Quantity::Fall(axis) => (found(Quantity::Rise(axis)) > 0.0).then_some(0.0),
            Quantity::Rise(axis) => (found(Quantity::Fall(axis)) > 0.0).then_some(0.0),
        };
        let claim =
            self.claimed.as_ref().and_then(|claimed| claimed.outputs.get(output)).and_then(|proof| match quantity {
                Quantity::Upper => Some(proof.largest.proven - origin),
                Quantity::Lower => Some(origin - proof.smallest.proven),
                Quantity::Distance => proof.distance.as_ref().map(|distance| distance.proven),
                Quantity::Slope(axis) => proof.slopes.get(axis).map(|slope| slope.proven),
                Quantity::Fall(_) | Quantity::Rise(_) => None,
            });
        let (enough, ratio) = if claim.is_some() { (claim, f64::MAX) } else { (enough, self.settings.ratio) };
        let width = (found(Quantity::Upper) + found(Quantity::Lower)).max(f64::MIN_POSITIVE);
        Until { ratio, width, enough, end: Instant::now(), stop }
    }

    fn output_origin(&self, output: usize) -> f64 {
        crate::artifact::card_text::origins(self.parts.model.text()).output(output)
    }

    /// A quantity in words.
    fn names(&self, goal: Goal) -> String {
        let output = &certificate::output_names(self.parts.model)[goal.output];
        let input = |axis: usize| certificate::input_names(self.parts.model)[axis].clone();
        match goal.quantity {
            Quantity::Upper => format!("largest {output}"),
            Quantity::Lower => format!("smallest {output}, with the other sign"),
            Quantity::Distance => format!("distance of {output} to the data"),
            Quantity::Slope(axis) => format!("slope of {output} along {}", input(axis)),
            Quantity::Fall(axis) => format!("fall of {output} along {}", input(axis)),
            Quantity::Rise(axis) => format!("rise of {output} along {}", input(axis)),
        }
    }
}
