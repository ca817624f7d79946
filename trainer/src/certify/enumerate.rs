//! Every answer that a device can give, where all of its inputs are integer codes (Jia and Rinard 2021, arXiv
//! 2108.07961: what comes from a converter is finite).

use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::{CertifyError, Misfit};
use super::interpolant::Interpolant;
use super::parts::Parts;
use crate::artifact::model_file::ModelError;

/// The most bits of all codes together.
const MOST_BITS: u32 = 32;
/// Points of a task. For each axis the points one code before those of the task are answered once more, as far as they
/// are not among them: as many as lie between two codes of that axis, and at most as many as the task has. An answer is
/// thus computed 1.02 times for two codes of 12 bits, but 2.02 times for codes of 10, 10 and 12 bits, and 2.25 times
/// for four codes of 8 bits.
const TASK: u64 = 1 << 18;
/// Tasks that are shared out at a time, for each thread.
const TASKS_PER_THREAD: usize = 4;
/// Points that are evaluated between two looks at whether to stop.
const BATCH: usize = 1 << 12;

/// The largest of some numbers, and the codes that it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// The number, user units; minus infinity, which JSON has not, where there is none yet.
    #[serde(skip_serializing_if = "is_none", default = "none")]
    pub value: f64,
    /// The codes, in the order of the inputs.
    pub codes: Vec<u32>,
}

fn none() -> f64 {
    f64::NEG_INFINITY
}

fn is_none(value: &f64) -> bool {
    *value == none()
}

impl Extreme {
    fn least() -> Self {
        Self { value: none(), codes: Vec::new() }
    }

    fn meet(&mut self, value: f64, codes: impl FnOnce() -> Vec<u32>) {
        if value > self.value {
            *self = Self { value, codes: codes() };
        }
    }

    /// The larger one; of two equal ones that of the smaller codes, whatever the order of the tasks.
    fn or(self, other: Self) -> Self {
        if other.value > self.value || (other.value == self.value && other.codes < self.codes) { other } else { self }
    }
}

/// What an output does over all codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enumerated {
    /// The largest answer.
    pub upper: Extreme,
    /// The smallest answer, with the other sign.
    pub lower: Extreme,
    /// The largest distance to the interpolant of the data, at the codes that lie within it.
    pub distance: Option<Extreme>,
    /// For each input the largest rise from one code to the next one; the codes are those before it.
    pub rise: Vec<Extreme>,
    /// For each input the largest fall.
    pub fall: Vec<Extreme>,
}

impl Enumerated {
    fn none(inputs: usize, has_data: bool) -> Self {
        let least = Extreme::least;
        Self {
            upper: least(),
            lower: least(),
            distance: has_data.then(least),
            rise: vec![least(); inputs],
            fall: vec![least(); inputs],
        }
    }

    fn or(self, other: Self) -> Self {
        let each = |a: Vec<Extreme>, b: Vec<Extreme>| a.into_iter().zip(b).map(|(a, b)| a.or(b)).collect();
        Self {
            upper: self.upper.or(other.upper),
            lower: self.lower.or(other.lower),
            distance: self.distance.zip(other.distance).map(|(a, b)| a.or(b)),
            rise: each(self.rise, other.rise),
            fall: each(self.fall, other.fall),
        }
    }
}

/// An enumeration as far as it is, from which it can be continued. The result does not depend on where it was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enumeration {
    /// So many points are evaluated, in the order of their codes, those of the last input fastest.
    pub points: u64,
    /// What each output does at these.
    pub outputs: Vec<Enumerated>,
}

impl Enumeration {
    /// Whether it can be continued with these codes.
    ///
    /// # Errors
    ///
    /// If it has another shape than an enumeration of them, or is at its end.
    pub(super) fn fits(&self, codes: &Codes<'_>) -> Result<(), Misfit> {
        if self.points >= codes.len() {
            return Err(Misfit::Points(self.points, codes.len()));
        }
        if self.outputs.len() != codes.parts.outputs() {
            return Err(Misfit::Outputs(self.outputs.len(), codes.parts.outputs()));
        }
        for Enumerated { upper, lower, distance, rise, fall } in &self.outputs {
            for steps in [rise, fall] {
                if steps.len() != codes.bits.len() {
                    return Err(Misfit::Inputs(steps.len(), codes.bits.len()));
                }
            }
            if distance.is_some() != codes.interpolant.is_some() {
                return Err(Misfit::Distance);
            }
            // The answers themselves have an extreme from the first point on.
            let has_begun = [upper, lower].iter().all(|extreme| extreme.codes.is_empty() == (self.points == 0));
            let mut all = [upper, lower].into_iter().chain(distance).chain(rise).chain(fall);
            if !has_begun || !all.all(|extreme| codes.have(extreme)) {
                return Err(Misfit::Codes);
            }
        }
        Ok(())
    }

    /// Takes the results of tasks that follow each other. Of those that are stopped, the tasks before the first one
    /// that has not ended count.
    pub(super) fn take(
        &mut self,
        tasks: Vec<Range<u64>>,
        done: Vec<Result<Vec<Enumerated>, CertifyError>>,
    ) -> Result<(), CertifyError> {
        for (task, outputs) in tasks.into_iter().zip(done) {
            let (outputs, before) = (outputs?, std::mem::take(&mut self.outputs));
            self.outputs = before.into_iter().zip(outputs).map(|(a, b)| a.or(b)).collect();
            self.points = task.end;
        }
        Ok(())
    }
}

/// When an enumeration stops before its end.
#[derive(Clone, Copy)]
pub(super) struct Halt<'a> {
    pub(super) stop: &'a AtomicBool,
    pub(super) end: Option<Instant>,
}

impl Halt<'_> {
    fn is_now(&self) -> bool {
        self.stop.load(Relaxed) || self.end.is_some_and(|end| Instant::now() >= end)
    }
}

/// What is enumerated. A point has the codes of all inputs as one number, that of the last input in its lowest bits.
pub(super) struct Codes<'a> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) interpolant: Option<&'a Interpolant>,
    /// The bits of the code of each input.
    bits: Vec<u32>,
    /// The place of the lowest of them in a point.
    shifts: Vec<u32>,
    /// Points of a task.
    pub(super) task: u64,
    /// Tasks that are shared out at a time. Only how often an enumeration tells of itself depends on it.
    pub(super) round: usize,
}

impl<'a> Codes<'a> {
    /// `None` for a model with another axis than one of codes.
    ///
    /// # Errors
    ///
    /// If there are too many codes.
    pub(super) fn of(parts: &'a Parts<'a>, interpolant: Option<&'a Interpolant>) -> Result<Option<Self>, CertifyError> {
        let bits = &parts.model.header().code_bits;
        if bits.is_empty() || bits.contains(&0) {
            return Ok(None);
        }
        let bits: Vec<u32> = bits.iter().map(|&bits| u32::from(bits)).collect();
        let all = bits.iter().sum();
        if all > MOST_BITS {
            return Err(CertifyError::Codes(all, MOST_BITS));
        }
        let shifts = (1..=bits.len()).map(|axis| bits[axis..].iter().sum()).collect();
        Ok(Some(Self {
            parts,
            interpolant,
            bits,
            shifts,
            task: TASK,
            round: TASKS_PER_THREAD * rayon::current_num_threads(),
        }))
    }

    /// The number of points.
    pub(super) fn len(&self) -> u64 {
        1 << self.bits.iter().sum::<u32>()
    }

    /// No point yet.
    pub(super) fn start(&self) -> Enumeration {
        Enumeration { points: 0, outputs: self.nothing() }
    }

    fn nothing(&self) -> Vec<Enumerated> {
        vec![Enumerated::none(self.bits.len(), self.interpolant.is_some()); self.parts.outputs()]
    }

    /// Goes on with an enumeration of these codes to its end. `tell` is called now and then with the number of points
    /// that are evaluated.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Stopped`] once it is to stop; the enumeration can then be continued.
    pub(super) fn run(
        &self,
        enumeration: &mut Enumeration,
        halt: Halt<'_>,
        mut tell: impl FnMut(u64),
    ) -> Result<(), CertifyError> {
        while enumeration.points < self.len() {
            let starts = (enumeration.points..self.len()).step_by(self.task as usize).take(self.round);
            let tasks: Vec<Range<u64>> = starts.map(|start| start..(start + self.task).min(self.len())).collect();
            let done = tasks.par_iter().map(|task| self.task(task, halt)).collect();
            enumeration.take(tasks, done)?;
            tell(enumeration.points);
        }
        Ok(())
    }

    /// What each output does at these points, and on the steps that end there.
    pub(super) fn task(&self, points: &Range<u64>, halt: Halt<'_>) -> Result<Vec<Enumerated>, CertifyError> {
        let mut all = self.nothing();
        let answers = self.answers(points.clone(), halt)?;
        self.take(&answers, &mut all);
        for axis in 0..self.bits.len() {
            // The points one code before these that are not among them.
            let step = 1 << self.shifts[axis];
            let before = points.start.saturating_sub(step)..points.end.saturating_sub(step).min(points.start);
            let before = self.answers(before, halt)?;
            self.take_steps(axis, [&before, &answers], &mut all);
        }
        Ok(all)
    }

    /// The answers at these points.
    fn answers(&self, points: Range<u64>, halt: Halt<'_>) -> Result<Answers, CertifyError> {
        let model = self.parts.model;
        let len = (points.end - points.start) as usize;
        let mut answers =
            Answers { first: points.start, outputs: model.outputs(), values: vec![0.0; len * model.outputs()] };
        let mut scratch = vec![0; model.batch_scratch_words()];
        let mut codes = Vec::with_capacity(BATCH * self.bits.len());
        let starts = points.clone().step_by(BATCH);
        for (start, out) in starts.zip(answers.values.chunks_mut(BATCH * model.outputs())) {
            if halt.is_now() {
                return Err(CertifyError::Stopped);
            }
            codes.clear();
            for point in start..(start + BATCH as u64).min(points.end) {
                codes.extend((0..self.bits.len()).map(|axis| self.code(axis, point) as f32));
            }
            model
                .eval_batch_into(&codes, &mut scratch, out)
                .map_err(|source| ModelError::Eval { sample: 0, source })?;
        }
        Ok(answers)
    }

    /// Whether an extreme is at codes of these, or at none if it has no value yet.
    fn have(&self, extreme: &Extreme) -> bool {
        let is_code = |(&code, &bits): (&u32, &u32)| u64::from(code) < 1 << bits;
        if is_none(&extreme.value) {
            return extreme.codes.is_empty();
        }
        extreme.codes.len() == self.bits.len() && extreme.codes.iter().zip(&self.bits).all(is_code)
    }

    fn code(&self, axis: usize, point: u64) -> u32 {
        (point >> self.shifts[axis]) as u32 & ((1 << self.bits[axis]) - 1)
    }

    fn codes(&self, point: u64) -> Vec<u32> {
        (0..self.bits.len()).map(|axis| self.code(axis, point)).collect()
    }

    /// The answers themselves, and their distances to the data.
    fn take(&self, answers: &Answers, all: &mut [Enumerated]) {
        for (output, enumerated) in all.iter_mut().enumerate() {
            for point in answers.points() {
                let y = answers.at(point, output);
                enumerated.upper.meet(y, || self.codes(point));
                enumerated.lower.meet(-y, || self.codes(point));
                if let (Some(interpolant), Some(distance)) = (self.interpolant, &mut enumerated.distance) {
                    let codes = self.codes(point);
                    let place: Vec<f64> = codes.iter().map(|&code| f64::from(code)).collect();
                    let is_inside = place.iter().enumerate().all(|(axis, x)| {
                        let [low, high] = interpolant.ends(axis);
                        (low..=high).contains(x)
                    });
                    if is_inside {
                        distance.meet((y - interpolant.at(&place, output)).abs(), || codes);
                    }
                }
            }
        }
    }

    /// The steps along an axis that end at the points of `answers`; `before` has the points where steps begin that are
    /// not among them.
    fn take_steps(&self, axis: usize, [before, answers]: [&Answers; 2], all: &mut [Enumerated]) {
        for (output, enumerated) in all.iter_mut().enumerate() {
            for point in answers.points().filter(|&point| self.code(axis, point) > 0) {
                let from = point - (1 << self.shifts[axis]);
                let at_from = if from < answers.first { before } else { answers }.at(from, output);
                let rise = answers.at(point, output) - at_from;
                enumerated.rise[axis].meet(rise, || self.codes(from));
                enumerated.fall[axis].meet(-rise, || self.codes(from));
            }
        }
    }
}

/// Answers at points that follow each other.
struct Answers {
    /// The first point.
    first: u64,
    outputs: usize,
    /// `[points, outputs]`.
    values: Vec<f32>,
}

impl Answers {
    fn points(&self) -> Range<u64> {
        self.first..self.first + (self.values.len() / self.outputs) as u64
    }

    fn at(&self, point: u64, output: usize) -> f64 {
        f64::from(self.values[(point - self.first) as usize * self.outputs + output])
    }
}
