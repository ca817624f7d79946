//! What a flipped bit does: the numbers of an artifact, one bit at a time, in the memory of a device that rays and
//! worn-out flash disturb.
//!
//! For each bit of the numbers (domain, output maps, B, grids, layers; all of them, or a sample that the seed draws
//! from every part alike, the small parts whole):
//!
//! 1. **At boot:** [`Model::parse`] reads the flipped bytes, as a device does at its start.
//! 2. **Later:** [`Model::recheck_step`] goes round once over the flipped bytes, as a device does in its idle loop.
//! 3. **Until it is found:** the checksum is made right, and if `parse` accepts the rest, the model answers at the
//!    samples. The error of the flip is the largest change of an answer there. A firmware that knows the [proven
//!    range](crate::certify) of its model finds a flip as soon as an answer leaves it.
//!
//! The header is flipped too, for the first two. There are no answers to compare where the bytes behind it would be
//! read in another shape. The text decides no answer and is left alone.

mod error;
mod figure;
mod flip;
mod params;
mod places;
mod range;
mod report;
mod table;
#[cfg(test)]
mod tests;

pub use error::FaultsError;
pub use figure::FaultFigure;
pub use flip::{Flip, Outcome};
pub use params::FaultParams;
pub use places::{Numbers, Part, Place, Places};
pub use range::Range;
pub use report::{ByRange, Found, OfOutput, PartRow, Quantiles, Report, Worst};

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use firmware_core::Model;
use ndarray::Axis;
use rand::seq::index;

use self::flip::Bench;
use crate::artifact::card_text;
use crate::artifact::model_file::{ModelError, ModelFile, predict};
use crate::base::random::{Purpose, step_rng};
use crate::data::Dataset;
use crate::data::metrics::{Metrics, OutputMetrics};

/// The work on one model.
pub struct Study<'a> {
    model: &'a Model<'a>,
    bytes: &'a [u8],
    places: Places,
    params: FaultParams,
    /// `[n, d]`.
    points: Vec<f32>,
    /// `[n, c]`.
    answers: Vec<f32>,
    /// How far the unflipped answers are from the data.
    own_errors: Vec<OutputMetrics>,
    /// The ranges of the outputs in the data: what changes are compared by.
    scales: Vec<f64>,
    units: Vec<String>,
    /// The number of all samples that there are.
    all_samples: usize,
    origins: Vec<f64>,
    /// The parts of the file with the numbers of their bits, in their order.
    parts: Vec<(Part, usize)>,
    /// The bits to flip, in the order of the file.
    bits: Vec<usize>,
}

impl<'a> Study<'a> {
    /// Draws samples and bits, and evaluates the model as it is.
    ///
    /// # Errors
    ///
    /// If the model refuses a sample.
    pub fn new(
        (file, model): (&'a ModelFile, &'a Model<'a>),
        data: &Dataset,
        params: &FaultParams,
    ) -> Result<Self, FaultsError> {
        let places = Places::of(model, file.bytes());
        let rows = drawn(data.len(), params.samples, params.seed, 0);
        let (points, targets) = (data.points.select(Axis(0), &rows), data.targets.select(Axis(0), &rows));
        let answers = predict(model, &points).map_err(|error| match error {
            ModelError::Eval { sample, source } => ModelError::Eval { sample: rows[sample], source },
            other => other,
        })?;
        let own_errors = Metrics::compare(&answers, &targets, &data.output_maps).outputs;
        let by_part = by_part(&places);
        let origins = card_text::origins(model.text());
        Ok(Self {
            model,
            bytes: file.bytes(),
            params: *params,
            points: points.iter().copied().collect(),
            answers: answers.iter().copied().collect(),
            own_errors,
            scales: data.output_maps.iter().map(|map| f64::from(map.scale).abs()).collect(),
            units: data.output_units.clone(),
            all_samples: data.len(),
            origins: (0..model.outputs()).map(|output| origins.output(output)).collect(),
            parts: by_part.iter().map(|(&part, bits)| (part, bits.len())).collect(),
            bits: bits_to_flip(by_part, params),
            places,
        })
    }

    /// The number of flips.
    #[must_use]
    pub fn flips(&self) -> usize {
        self.bits.len()
    }

    /// Proves the range of every output, as far as that is possible in the time that the settings give; in words why
    /// there is none otherwise.
    ///
    /// # Errors
    ///
    /// [`FaultsError::Stopped`] once `stop` is set.
    pub fn prove(&self, stop: &AtomicBool) -> Result<Result<Vec<Range>, String>, FaultsError> {
        let ranges = range::prove(self.model, self.params.seconds, stop);
        if stop.load(Relaxed) { Err(FaultsError::Stopped) } else { Ok(ranges) }
    }

    /// Flips every bit in turn. `tell` is called with the number of those that are done.
    ///
    /// # Errors
    ///
    /// [`FaultsError::Stopped`] once `stop` is set.
    pub fn run(
        &self,
        ranges: Option<&[Range]>,
        stop: &AtomicBool,
        tell: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Flip>, FaultsError> {
        let bench = Bench {
            model: self.model,
            bytes: self.bytes,
            places: &self.places,
            points: &self.points,
            answers: &self.answers,
            origins: &self.origins,
            ranges,
        };
        bench.run(&self.bits, stop, tell)
    }
}

/// The bits of each part.
fn by_part(places: &Places) -> BTreeMap<Part, Vec<usize>> {
    let mut parts = BTreeMap::<Part, Vec<usize>>::new();
    for bit in places.header_bits().start..places.number_bits().end {
        if let Some(place) = places.place(bit) {
            parts.entry(place.part).or_default().push(bit);
        }
    }
    parts
}

/// All bits of the header, and so many of the others: of every part equally many, but no more than it has, which leaves
/// more to the larger parts.
fn bits_to_flip(parts: BTreeMap<Part, Vec<usize>>, params: &FaultParams) -> Vec<usize> {
    let (mut flipped, mut others) = (Vec::new(), Vec::new());
    for (step, (part, bits)) in (1..).zip(parts) {
        if part == Part::Header { flipped.extend(bits) } else { others.push((step, bits)) }
    }
    others.sort_by_key(|(step, bits)| (bits.len(), *step));
    let (mut left, count) = (params.flips, others.len());
    for (k, (step, bits)) in others.into_iter().enumerate() {
        let drawn = drawn(bits.len(), left / (count - k), params.seed, step);
        left -= drawn.len();
        flipped.extend(drawn.into_iter().map(|k| bits[k]));
    }
    flipped.sort_unstable();
    flipped
}

/// So many of `all` numbers from 0, ascending: all of them, or a sample without repetition.
fn drawn(all: usize, most: usize, seed: u64, step: u64) -> Vec<usize> {
    if all <= most {
        return (0..all).collect();
    }
    let mut drawn = index::sample(&mut step_rng(seed, Purpose::Subset, step), all, most).into_vec();
    drawn.sort_unstable();
    drawn
}
