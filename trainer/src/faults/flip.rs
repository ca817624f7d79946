//! One bit at a time: who finds the flip, and what it does to the answers.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use firmware_core::artifact::checksum;
use firmware_core::{Model, ParseError, Recheck};
use rayon::prelude::*;

use super::error::FaultsError;
use super::places::{Part, Place, Places};
use super::range::Range;

/// Bytes of a step of the periodic check. What is found does not depend on it.
const RECHECK_BYTES: usize = 256;
/// The checksum's bytes in an artifact.
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// What a flip does where the checksum does not tell of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A flip in the header: the bytes behind it would be read in another shape, so that there are no answers to
    /// compare.
    NotEvaluated,
    /// `Model::parse` refuses the bytes by its other checks, with the checksum made right.
    Refused(ParseError),
    /// The model refuses a sample, which lies outside the domain that the flip has made.
    Rejected,
    /// The model answers.
    Answered {
        /// For each output, the largest change of an answer at a sample, user units.
        changes: Vec<f64>,
        /// Whether an answer at a sample leaves the proven range; `None` where there is none.
        is_outside: Option<bool>,
    },
}

/// One flipped bit.
#[derive(Clone, Debug, PartialEq)]
pub struct Flip {
    /// The bit, counted from the lowest one of the first byte on.
    pub index: usize,
    /// What it belongs to.
    pub place: Place,
    /// Why `Model::parse` refuses the bytes at boot; `None` where it does not.
    pub at_boot: Option<ParseError>,
    /// Whether a round of `Model::recheck_step` finds it.
    pub is_rechecked: bool,
    /// What it does.
    pub outcome: Outcome,
}

impl Flip {
    /// The byte of the file, from 0.
    #[must_use]
    pub fn byte(&self) -> usize {
        self.index / 8
    }

    /// The bit of that byte, from 0 for the least significant one.
    #[must_use]
    pub fn bit(&self) -> usize {
        self.index % 8
    }

    /// The changes of the outputs, where the model answers.
    #[must_use]
    pub fn changes(&self) -> Option<&[f64]> {
        match &self.outcome {
            Outcome::Answered { changes, .. } => Some(changes),
            _ => None,
        }
    }
}

/// What flips are tried on.
pub(super) struct Bench<'a> {
    /// Of the file as it is.
    pub(super) model: &'a Model<'a>,
    pub(super) bytes: &'a [u8],
    pub(super) places: &'a Places,
    /// `[n, d]`, user units.
    pub(super) points: &'a [f32],
    /// `[n, c]`: what the model answers there.
    pub(super) answers: &'a [f32],
    /// For each output, what its answers are counted from.
    pub(super) origins: &'a [f64],
    pub(super) ranges: Option<&'a [Range]>,
}

/// Memory for the flips of one thread.
struct Desk {
    words: Vec<u32>,
    scratch: Vec<u32>,
    answers: Vec<f32>,
}

impl Bench<'_> {
    /// Flips each of these bits, all of which are in front of the text. `tell` is called with the number of those that
    /// are done.
    ///
    /// # Errors
    ///
    /// [`FaultsError::Stopped`] once `stop` is set.
    pub(super) fn run(
        &self,
        bits: &[usize],
        stop: &AtomicBool,
        tell: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Flip>, FaultsError> {
        let done = AtomicU64::new(0);
        bits.par_iter()
            .map_init(
                || self.desk(),
                |desk, &bit| {
                    if stop.load(Relaxed) {
                        return Err(FaultsError::Stopped);
                    }
                    let flip = self.flip(desk, bit);
                    tell(done.fetch_add(1, Relaxed) + 1);
                    Ok(flip)
                },
            )
            .filter_map(Result::transpose)
            .collect()
    }

    fn desk(&self) -> Desk {
        let mut words = vec![0u32; self.bytes.len() / 4];
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(self.bytes);
        Desk { words, scratch: Vec::new(), answers: vec![0.0; self.answers.len()] }
    }

    /// Flips a bit, and flips it back; `None` for a bit that has no place.
    fn flip(&self, desk: &mut Desk, index: usize) -> Option<Flip> {
        let place = self.places.place(index)?;
        let Desk { words, scratch, answers } = desk;
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
        bytes[index / 8] ^= 1 << (index % 8);
        let at_boot = Model::parse(bytes).err();
        let is_rechecked = self.is_rechecked(bytes);
        let outcome = if place.part == Part::Header {
            Outcome::NotEvaluated
        } else {
            let made_right = checksum(bytes).to_le_bytes();
            bytes[CHECKSUM].copy_from_slice(&made_right);
            let outcome = match Model::parse(bytes) {
                Ok(model) => self.evaluate(&model, scratch, answers),
                Err(error) => Outcome::Refused(error),
            };
            bytes[CHECKSUM].copy_from_slice(&self.bytes[CHECKSUM]);
            outcome
        };
        bytes[index / 8] ^= 1 << (index % 8);
        Some(Flip { index, place, at_boot, is_rechecked, outcome })
    }

    /// Whether a firmware that has parsed the file before the flip finds it in one round.
    fn is_rechecked(&self, bytes: &[u8]) -> bool {
        let mut recheck = Recheck::new();
        loop {
            match self.model.recheck_step(bytes, &mut recheck, RECHECK_BYTES) {
                Ok(false) => {}
                Ok(true) => return false,
                Err(_) => return true,
            }
        }
    }

    fn evaluate(&self, model: &Model<'_>, scratch: &mut Vec<u32>, answers: &mut [f32]) -> Outcome {
        scratch.resize(model.batch_scratch_words(), 0);
        if model.eval_batch_into(self.points, scratch, answers).is_err() {
            return Outcome::Rejected;
        }
        let outputs = model.outputs();
        let mut changes = vec![0.0; outputs];
        let mut is_outside = false;
        for (k, (&answer, &before)) in answers.iter().zip(self.answers).enumerate() {
            let (output, answer) = (k % outputs, f64::from(answer));
            let change: &mut f64 = &mut changes[output];
            *change = change.max((answer - f64::from(before)).abs());
            if let Some(ranges) = self.ranges {
                let (value, [low, high]) = (self.origins[output] + answer, ranges[output]);
                is_outside |= !(low..=high).contains(&value);
            }
        }
        Outcome::Answered { changes, is_outside: self.ranges.map(|_| is_outside) }
    }
}
