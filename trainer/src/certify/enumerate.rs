//! Every answer that a device can give, where all of its inputs are integer codes (Jia and Rinard 2021, arXiv 2108.07961:
//! what comes from a converter is finite).

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::CertifyError;
use super::interpolant::Interpolant;
use super::parts::Parts;

/// The most bits of all codes together: 2^32 evaluations take about an hour.
const MOST_BITS: u32 = 32;
/// Evaluations of a task, at least.
const TASK: usize = 1 << 16;

/// The largest of some numbers, and the codes that it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// The number, user units.
    pub value: f64,
    /// The codes, in the order of the inputs.
    pub codes: Vec<u32>,
}

impl Extreme {
    fn least() -> Self {
        Self { value: f64::NEG_INFINITY, codes: Vec::new() }
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

/// What is enumerated.
pub(super) struct Codes<'a> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) interpolant: Option<&'a Interpolant>,
    /// The number of codes along each axis.
    counts: Vec<u32>,
    /// The number of points of all axes but the first.
    plane: usize,
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
        let all: u32 = bits.iter().map(|&bits| u32::from(bits)).sum();
        if all > MOST_BITS {
            return Err(CertifyError::Codes(all, MOST_BITS));
        }
        let counts: Vec<u32> = bits.iter().map(|&bits| 1 << bits).collect();
        let plane = counts[1..].iter().map(|&count| count as usize).product();
        Ok(Some(Self { parts, interpolant, counts, plane }))
    }

    /// The number of points.
    pub(super) fn len(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).product()
    }

    /// What each output does over all codes. `tell` is called with the number of points that are done.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Stopped`] once `stop` is set.
    pub(super) fn run(&self, stop: &AtomicBool, tell: impl Fn(u64) + Sync) -> Result<Vec<Enumerated>, CertifyError> {
        let each = TASK.div_ceil(self.plane).max(1);
        let first = self.counts[0] as usize;
        let done = std::sync::atomic::AtomicU64::new(0);
        let none = || vec![Enumerated::none(self.counts.len(), self.interpolant.is_some()); self.parts.outputs()];
        (0..first.div_ceil(each))
            .into_par_iter()
            .map(|task| {
                let range = task * each..((task + 1) * each).min(first);
                let mut enumerated = none();
                let points = (range.len() * self.plane) as u64;
                // Of the code before the first one, only its answers count.
                let mut before = range.start.checked_sub(1).map(|code| self.answers(code as u32)).transpose()?;
                for code in range {
                    if stop.load(Relaxed) {
                        return Err(CertifyError::Stopped);
                    }
                    let answers = self.answers(code as u32)?;
                    self.take(code as u32, (&answers, before.as_deref()), &mut enumerated);
                    before = Some(answers);
                }
                tell(done.fetch_add(points, Relaxed) + points);
                Ok(enumerated)
            })
            .try_reduce(none, |a, b| Ok(a.into_iter().zip(b).map(|(a, b)| a.or(b)).collect()))
    }

    /// The answers `[plane, outputs]` at all points with this first code.
    fn answers(&self, first: u32) -> Result<Vec<f32>, CertifyError> {
        let model = self.parts.model;
        let mut points = Vec::with_capacity(self.plane * self.counts.len());
        for index in 0..self.plane {
            points.extend(self.codes(first, index).into_iter().map(|code| code as f32));
        }
        let (mut scratch, mut out) = (vec![0; model.batch_scratch_words()], vec![0.0; self.plane * model.outputs()]);
        model
            .eval_batch_into(&points, &mut scratch, &mut out)
            .map_err(|source| crate::artifact::model_file::ModelError::Eval { sample: 0, source })?;
        Ok(out)
    }

    /// The codes of a point; those of the last axis follow each other.
    fn codes(&self, first: u32, mut index: usize) -> Vec<u32> {
        let mut codes = vec![first; self.counts.len()];
        for (code, &count) in codes.iter_mut().zip(&self.counts).skip(1).rev() {
            *code = (index % count as usize) as u32;
            index /= count as usize;
        }
        codes
    }

    fn take(&self, first: u32, (answers, before): (&[f32], Option<&[f32]>), all: &mut [Enumerated]) {
        let outputs = self.parts.outputs();
        for (output, enumerated) in all.iter_mut().enumerate() {
            let at = |answers: &[f32], index: usize| f64::from(answers[index * outputs + output]);
            for index in 0..self.plane {
                let y = at(answers, index);
                enumerated.upper.meet(y, || self.codes(first, index));
                enumerated.lower.meet(-y, || self.codes(first, index));
                if let Some(before) = before {
                    let rise = y - at(before, index);
                    enumerated.rise[0].meet(rise, || self.codes(first - 1, index));
                    enumerated.fall[0].meet(-rise, || self.codes(first - 1, index));
                }
                let mut stride = 1;
                for axis in (1..self.counts.len()).rev() {
                    let count = self.counts[axis] as usize;
                    if index / stride % count > 0 {
                        let rise = y - at(answers, index - stride);
                        enumerated.rise[axis].meet(rise, || self.codes(first, index - stride));
                        enumerated.fall[axis].meet(-rise, || self.codes(first, index - stride));
                    }
                    stride *= count;
                }
                if let (Some(interpolant), Some(distance)) = (self.interpolant, &mut enumerated.distance) {
                    let codes = self.codes(first, index);
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
}
