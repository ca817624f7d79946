//! What the flips come to: by part, the worst of them, and who finds them.

use std::collections::BTreeMap;

use firmware_core::ParseError;
use serde::Serialize;

use super::Study;
use super::flip::{Flip, Outcome};
use super::places::Part;
use super::range::Range;
use crate::certify::output_names;

/// The number of flips that are told one by one.
const WORST: usize = 10;

/// An output of the model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfOutput {
    /// Its name.
    pub name: String,
    /// Its unit, empty where the data name none. Changes and errors are in it.
    pub unit: String,
    /// The smallest and the largest answer that the model can give, proven.
    pub range: Option<Range>,
    /// The largest error of the model as it is at the samples.
    pub own_largest_error: f64,
    /// The root of its mean squared error.
    pub own_rmse: f64,
}

/// How large the changes of one output are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half of the flips change no answer by more.
    pub median: f64,
    /// 99 % of the flips change no answer by more.
    pub of_99_percent: f64,
    /// No flip changes an answer by more.
    pub largest: f64,
}

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartRow {
    /// Its name.
    pub part: String,
    /// The number of its bits.
    pub bits: usize,
    /// How many of them were flipped.
    pub flipped: usize,
    /// Of how many `Model::parse` refuses the file even if the checksum is made right, or the model the samples.
    pub refused: usize,
    /// How many change no answer at the samples.
    pub unchanged: usize,
    /// Of the flips with which the model answers, for each output; empty if there are none.
    pub changes: Vec<Quantiles>,
}

/// One of the flips that change the most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worst {
    /// The byte of the file, from 0.
    pub byte: usize,
    /// The bit of that byte, from 0 for the least significant one.
    pub bit: usize,
    /// The number in words.
    pub what: String,
    /// The bit of that number, from 0.
    pub number_bit: usize,
    /// The largest change of each output.
    pub changes: Vec<f64>,
}

/// What the proven range tells of flips with which the model answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByRange {
    /// Flips with which the model answers.
    pub answered: usize,
    /// Flips that move an answer at a sample out of the range.
    pub found: usize,
    /// Their share of all bits with which the model answers, from 0 to 1: every part counts by its number of bits, of
    /// which a sample was flipped.
    pub share: f64,
    /// Flips that the range does not tell of.
    pub invisible: usize,
    /// How many of those change no answer at all at the samples.
    pub unchanged: usize,
    /// For each output, the largest change by a flip that the range does not tell of.
    pub largest_invisible: Vec<f64>,
}

/// Who finds how many flips.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// All flips, those of the header too.
    pub flips: usize,
    /// Those that `Model::parse` finds at boot.
    pub at_boot: usize,
    /// Those of them that the checksum finds; the others are found before it, by magic, version and length.
    pub by_checksum: usize,
    /// Those that a round of `Model::recheck_step` finds.
    pub by_recheck: usize,
    /// Those that `Model::parse` refuses even if the checksum is made right.
    pub by_other_checks: usize,
    /// What the proven range tells.
    pub by_range: Option<ByRange>,
    /// Why there is no proven range.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub no_range: String,
}

/// All of it, in the units of the data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The checksum (CRC-32) of the model file, in hexadecimal.
    pub model_crc32: String,
    /// The samples at which answers are compared.
    pub samples: usize,
    /// The samples that there are.
    pub all_samples: usize,
    /// By which samples and bits are drawn where there are more.
    pub seed: u64,
    /// The bits of all numbers.
    pub bits: usize,
    /// How many of them were flipped.
    pub flipped: usize,
    /// The bits of the header, all of which were flipped.
    pub header_bits: usize,
    /// For each output.
    pub outputs: Vec<OfOutput>,
    /// For each part of the file, in its order.
    pub parts: Vec<PartRow>,
    /// The flips that change the most, compared with the range of the data; the worst first.
    pub worst: Vec<Worst>,
    /// The worst flip of each part that has none among them.
    pub worst_of_other_parts: Vec<Worst>,
    /// Who finds them.
    pub found: Found,
}

impl Worst {
    fn of(flip: &Flip, changes: &[f64]) -> Self {
        Self {
            byte: flip.byte(),
            bit: flip.bit(),
            what: flip.place.what.clone(),
            number_bit: flip.place.number_bit,
            changes: changes.to_vec(),
        }
    }
}

impl Study<'_> {
    /// What the flips come to.
    #[must_use]
    pub fn report(&self, flips: &[Flip], ranges: &Result<Vec<Range>, String>) -> Report {
        let names = output_names(self.model);
        let (worst, worst_of_other_parts) = self.worst(flips);
        let outputs = names.into_iter().enumerate().map(|(output, name)| OfOutput {
            name,
            unit: self.units.get(output).cloned().unwrap_or_default(),
            range: ranges.as_ref().ok().map(|ranges| ranges[output]),
            own_largest_error: self.own_errors[output].max_abs_error,
            own_rmse: self.own_errors[output].rmse,
        });
        Report {
            model_crc32: format!("{:08x}", self.model.checksum()),
            samples: self.answers.len() / self.model.outputs(),
            all_samples: self.all_samples,
            seed: self.params.seed,
            bits: self.places.number_bits().len(),
            flipped: flips.iter().filter(|flip| flip.place.part != Part::Header).count(),
            header_bits: self.places.header_bits().len(),
            outputs: outputs.collect(),
            parts: self.parts(flips),
            worst,
            worst_of_other_parts,
            found: self.found(flips, ranges),
        }
    }

    /// How large the change of a flip is, compared with the range of the data: the largest of the outputs.
    #[must_use]
    pub fn relative(&self, changes: &[f64]) -> f64 {
        let shares = changes.iter().zip(&self.scales).map(|(change, scale)| change / scale.max(f64::MIN_POSITIVE));
        shares.fold(0.0, f64::max)
    }

    fn parts(&self, flips: &[Flip]) -> Vec<PartRow> {
        let rows = self.parts.iter().map(|&(part, bits)| {
            let of_part: Vec<&Flip> = flips.iter().filter(|flip| flip.place.part == part).collect();
            let changes: Vec<&[f64]> = of_part.iter().filter_map(|flip| flip.changes()).collect();
            let refused = |flip: &&&Flip| matches!(flip.outcome, Outcome::Refused(_) | Outcome::Rejected);
            PartRow {
                part: part.to_string(),
                bits,
                flipped: of_part.len(),
                refused: of_part.iter().filter(refused).count(),
                unchanged: changes.iter().filter(|changes| is_none(changes)).count(),
                changes: (0..self.model.outputs()).filter_map(|output| quantiles(&changes, output)).collect(),
            }
        });
        rows.collect()
    }

    /// The worst flips, and the worst one of each part that has none among them.
    fn worst(&self, flips: &[Flip]) -> (Vec<Worst>, Vec<Worst>) {
        let mut all: Vec<(f64, &Flip, &[f64])> = flips
            .iter()
            .filter_map(|flip| flip.changes().map(|changes| (self.relative(changes), flip, changes)))
            .filter(|(_, _, changes)| !is_none(changes))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
        let (told, others) = all.split_at(WORST.min(all.len()));
        let mut parts: Vec<Part> = told.iter().map(|(_, flip, _)| flip.place.part).collect();
        let mut of_parts = Vec::new();
        for (_, flip, changes) in others {
            if !parts.contains(&flip.place.part) {
                parts.push(flip.place.part);
                of_parts.push(Worst::of(flip, changes));
            }
        }
        (told.iter().map(|(_, flip, changes)| Worst::of(flip, changes)).collect(), of_parts)
    }

    fn found(&self, flips: &[Flip], ranges: &Result<Vec<Range>, String>) -> Found {
        let count = |found: &dyn Fn(&Flip) -> bool| flips.iter().filter(|flip| found(flip)).count();
        Found {
            flips: flips.len(),
            at_boot: count(&|flip| flip.at_boot.is_some()),
            by_checksum: count(&|flip| flip.at_boot == Some(ParseError::Checksum)),
            by_recheck: count(&|flip| flip.is_rechecked),
            by_other_checks: count(&|flip| matches!(flip.outcome, Outcome::Refused(_))),
            by_range: ranges.is_ok().then(|| self.by_range(flips)),
            no_range: ranges.as_ref().err().cloned().unwrap_or_default(),
        }
    }

    fn by_range(&self, flips: &[Flip]) -> ByRange {
        let (mut answered, mut all, mut found, mut invisible) = (0, 0.0, 0.0, Vec::new());
        let of_part = |part: Part| flips.iter().filter(|flip| flip.place.part == part).count().max(1);
        let weights = self.parts.iter().map(|&(part, bits)| (part, bits as f64 / of_part(part) as f64));
        let weights: BTreeMap<Part, f64> = weights.collect();
        for flip in flips {
            let Outcome::Answered { changes, is_outside } = &flip.outcome else { continue };
            let weight = weights.get(&flip.place.part).copied().unwrap_or(0.0);
            (answered, all) = (answered + 1, all + weight);
            if *is_outside == Some(true) {
                found += weight;
            } else {
                invisible.push(changes);
            }
        }
        ByRange {
            answered,
            found: answered - invisible.len(),
            share: found / if all > 0.0 { all } else { 1.0 },
            invisible: invisible.len(),
            unchanged: invisible.iter().filter(|changes| is_none(changes)).count(),
            largest_invisible: (0..self.model.outputs())
                .map(|output| invisible.iter().map(|changes| changes[output]).fold(0.0, f64::max))
                .collect(),
        }
    }
}

/// Whether no answer changes.
pub(super) fn is_none(changes: &[f64]) -> bool {
    changes.iter().all(|&change| change == 0.0)
}

/// Those of one output; `None` if there are no changes.
fn quantiles(changes: &[&[f64]], output: usize) -> Option<Quantiles> {
    let mut sorted: Vec<f64> = changes.iter().map(|changes| changes[output]).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(Quantiles {
        median: quantile(&sorted, 0.5)?,
        of_99_percent: quantile(&sorted, 0.99)?,
        largest: quantile(&sorted, 1.0)?,
    })
}

/// The smallest of some ascending numbers that at least this share of them do not exceed; `None` if there are none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}
