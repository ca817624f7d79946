//! The checked view over an artifact's bytes.

use crate::artifact::{self, Header, Prelude};
use crate::coordinate::Axis;
use crate::encoding::Encoding;
use crate::error::ParseError;
use crate::kernels::{
    ACTIVATION_MAX, BLOCK_ROWS, activation_words, batch_lanes, block_weight_words, block_words, layer_words,
    unpack_rows,
};
use crate::limits::{MAX_FREQUENCIES, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
use serde::{Deserialize, Serialize};

/// How weights, activations and accumulators are stored; see [`kernels`](crate::kernels).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Precision {
    /// Single precision throughout.
    F32,
    /// int8 weights with a scale per output row, int16 activations, int32 accumulators.
    W8A16,
    /// int16 weights with a scale per output row, int16 activations, int32 accumulators.
    W16A16,
}

impl Precision {
    /// Whether the crate was built with the feature of this precision; by default it is with all of them.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        match self {
            Self::F32 => cfg!(feature = "f32"),
            Self::W8A16 => cfg!(feature = "w8a16"),
            Self::W16A16 => cfg!(feature = "w16a16"),
        }
    }

    /// The precision that is built in, where it is the only one.
    const ONLY: Option<Self> = match (Self::F32.is_built_in(), Self::W8A16.is_built_in(), Self::W16A16.is_built_in()) {
        (true, false, false) => Some(Self::F32),
        (false, true, false) => Some(Self::W8A16),
        (false, false, true) => Some(Self::W16A16),
        _ => None,
    };
}

/// What follows the last layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum OutputActivation {
    /// Nothing.
    #[default]
    Linear,
    /// The logistic function: the raw output is 65536·σ(z).
    Sigmoid,
}

/// The affine map of one output to the user's units: `raw · scale + offset`, one rounding each.
///
/// Raw outputs are what [`kernels`](crate::kernels) hands over: an accumulator (so that the scale contains the
/// quantization's), a number in single precision, or 65536·σ.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OutputMap {
    /// User units per raw unit.
    pub scale: f32,
    /// The user's value at raw zero.
    pub offset: f32,
}

/// A network that can be evaluated: a view over an artifact that stays where it lies.
///
/// There is no other way to one than [`Model::parse`]; what it has checked, no method checks again.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    pub(crate) header: Header,
    digest: u32,
    checksum: u32,
    axes: &'a [u32],
    output_maps: &'a [u32],
    frequencies: &'a [i32],
    pub(crate) layers: &'a [u32],
    text: &'a str,
    /// Words of the two activation buffers of one lane.
    buffers: (u16, u16),
}

impl<'a> Model<'a> {
    /// Checks an artifact: its length, CRC-32, header, every shape, scale and bound.
    ///
    /// `bytes` must begin at a multiple of four ([`Aligned`](crate::Aligned)). The time is linear in the length; nothing
    /// is copied but the header.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] that names the first thing found wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let prelude = Prelude::read(bytes)?;
        if artifact::checksum(bytes) != prelude.checksum {
            return Err(ParseError::Checksum);
        }
        Self::parse_contents(bytes, &prelude)
    }

    /// Everything but the checksum, which the writer has yet to compute.
    pub(crate) fn parse_contents(bytes: &'a [u8], prelude: &Prelude) -> Result<Self, ParseError> {
        let (header, words, text) = prelude.split(bytes)?;
        let (inputs, outputs, rows) =
            (usize::from(header.inputs), usize::from(header.outputs), usize::from(header.frequencies));
        if !header.precision.is_built_in() {
            return Err(ParseError::Precision);
        }
        let shapes_fit = (1..=MAX_INPUTS).contains(&inputs)
            && (1..=MAX_OUTPUTS).contains(&outputs)
            && rows <= MAX_FREQUENCIES
            && header.periodic_fits()
            && header.hidden.iter().all(|&width| (1..=MAX_WIDTH).contains(&usize::from(width)));
        if !shapes_fit {
            return Err(ParseError::Shape);
        }
        let (axes, words) = words.split_at_checked(3 * inputs).ok_or(ParseError::Truncated)?;
        let (output_maps, words) = words.split_at_checked(2 * outputs).ok_or(ParseError::Truncated)?;
        let (frequencies, layers) = words.split_at_checked(rows * inputs).ok_or(ParseError::Truncated)?;
        let frequencies = bytemuck::cast_slice(frequencies);
        Encoding::new(inputs, frequencies, usize::from(header.passthrough))?;
        let mut model = Self {
            header,
            digest: prelude.digest,
            checksum: prelude.checksum,
            axes,
            output_maps,
            frequencies,
            layers,
            text,
            buffers: (0, 0),
        };
        model.buffers = model.plan_buffers();
        if !model.axes().all(|axis| axis.is_valid()) {
            return Err(ParseError::Scale);
        }
        model.check_layers()?;
        Ok(model)
    }

    /// Shapes, precision, and what the trainer noted.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header's precision: known to the compiler where it is the only one built in, so that code for others is left
    /// out.
    #[inline]
    pub(crate) fn precision(&self) -> Precision {
        Precision::ONLY.unwrap_or(self.header.precision)
    }

    /// The CRC-32 of the artifact.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// The digest of the known answers; see [`Model::self_test`].
    #[must_use]
    pub fn known_answers(&self) -> u32 {
        self.digest
    }

    /// Coordinates of a point, d.
    #[must_use]
    pub fn inputs(&self) -> usize {
        usize::from(self.header.inputs)
    }

    /// Values of a point, c.
    #[must_use]
    pub fn outputs(&self) -> usize {
        usize::from(self.header.outputs)
    }

    /// The axes of the domain, d of them.
    pub fn axes(&self) -> impl ExactSizeIterator<Item = Axis> + 'a {
        self.axes.chunks_exact(3).map(|words| {
            let value = |i| f32::from_bits(words.get(i).copied().unwrap_or(0));
            Axis { minimum: value(0), maximum: value(1), scale: value(2) }
        })
    }

    /// The maps of the outputs to the user's units, c of them.
    pub fn output_maps(&self) -> impl ExactSizeIterator<Item = OutputMap> + 'a {
        self.output_maps.chunks_exact(2).map(|words| {
            let value = |i| f32::from_bits(words.get(i).copied().unwrap_or(0));
            OutputMap { scale: value(0), offset: value(1) }
        })
    }

    /// The encoding, over frequencies that stay in the artifact.
    #[must_use]
    #[inline]
    pub fn encoding(&self) -> Encoding<'a> {
        let rows = usize::from(self.header.frequencies);
        Encoding::checked(self.inputs(), rows, self.frequencies, usize::from(self.header.passthrough))
    }

    /// The trainer's description: free text, `key: value` on each line.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Multiplications and additions of one evaluation of the network, the encoding not counted.
    #[must_use]
    pub fn macs(&self) -> usize {
        self.shapes().map(|(inputs, rows)| inputs * rows).sum()
    }

    /// Words of [`Scratch`](crate::Scratch) that one point needs.
    #[must_use]
    pub fn scratch_words(&self) -> usize {
        let (even, odd) = self.buffer_words();
        even + odd
    }

    /// Words of [`Scratch`](crate::Scratch) with which [`Model::eval_batch_into`] evaluates points side by side, where
    /// this build has kernels that gain by it.
    #[must_use]
    pub fn batch_scratch_words(&self) -> usize {
        batch_lanes(self.precision()) * self.scratch_words()
    }

    /// Words of the two activation buffers of one lane: layers read them in turn.
    #[inline]
    pub(crate) fn buffer_words(&self) -> (usize, usize) {
        (usize::from(self.buffers.0), usize::from(self.buffers.1))
    }

    fn plan_buffers(&self) -> (u16, u16) {
        let (mut this, mut other) = (0, 0);
        for (inputs, _) in self.shapes() {
            this = activation_words(self.precision(), inputs).max(this);
            (this, other) = (other, this);
        }
        // Raw outputs are words in every precision.
        this = self.outputs().next_multiple_of(BLOCK_ROWS).max(this);
        // After an odd number of layers the two have changed places.
        let (even, odd) = if self.header.hidden.len().is_multiple_of(2) { (other, this) } else { (this, other) };
        // The limits keep both far below 2^16.
        (even as u16, odd as u16)
    }

    /// (inputs, rows) of every layer.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let hidden = self.header.hidden.iter().map(|&width| usize::from(width));
        let features = 2 * usize::from(self.header.frequencies) + usize::from(self.header.passthrough);
        core::iter::once(features).chain(hidden.clone()).zip(hidden.chain(core::iter::once(self.outputs())))
    }

    fn check_layers(&self) -> Result<(), ParseError> {
        let precision = self.precision();
        let last = self.header.hidden.len();
        let mut words = self.layers;
        // The largest magnitude that a layer's input can have; only f32 needs to follow it.
        let mut magnitude = 32_767.0;
        for (l, (inputs, rows)) in self.shapes().enumerate() {
            let (layer, rest) =
                words.split_at_checked(layer_words(precision, inputs, rows)).ok_or(ParseError::Truncated)?;
            words = rest;
            let takes_multiplier = l < last || self.header.activation == OutputActivation::Sigmoid;
            let mut largest = 0.0f32;
            for (b, block) in layer.chunks_exact(block_words(precision, inputs).max(1)).enumerate() {
                let rows = rows.saturating_sub(b * BLOCK_ROWS);
                if precision == Precision::F32 {
                    largest = largest.max(check_f32_block(block, inputs, rows, magnitude)?);
                } else {
                    check_integer_block(block, precision, inputs, rows, takes_multiplier)?;
                }
            }
            magnitude = largest;
        }
        if !words.is_empty() {
            return Err(ParseError::TrailingBytes);
        }
        let raw = match (self.header.activation, precision) {
            (OutputActivation::Sigmoid, _) => 65_536.0,
            (OutputActivation::Linear, Precision::F32) => magnitude,
            (OutputActivation::Linear, _) => 2_147_483_648.0,
        };
        let usable = |map: OutputMap| (raw * map.scale.abs() + map.offset.abs()).is_finite();
        if self.output_maps().all(usable) { Ok(()) } else { Err(ParseError::Scale) }
    }
}

/// Checks a block of an integer layer of which `rows` rows are real.
fn check_integer_block(
    block: &[u32],
    precision: Precision,
    inputs: usize,
    rows: usize,
    takes_multiplier: bool,
) -> Result<(), ParseError> {
    let parts = block.split_first_chunk::<BLOCK_ROWS>().and_then(|(bias, rest)| {
        let (weights, multiplier) = rest.split_last_chunk::<BLOCK_ROWS>()?;
        Some((bias, weights, multiplier))
    });
    let (bias, weights, multiplier) = parts.ok_or(ParseError::Truncated)?;
    let mut sums = [0u64; BLOCK_ROWS];
    let mut take = |row: usize, k: usize, weight: i32| {
        let padding = row >= rows || k >= inputs;
        if padding && weight != 0 {
            return Err(ParseError::Weight);
        }
        if let Some(sum) = sums.get_mut(row) {
            *sum += u64::from(weight.unsigned_abs());
        }
        Ok(())
    };
    let halfwords: &[i16] = bytemuck::cast_slice(weights);
    for (i, &halfword) in halfwords.iter().enumerate() {
        if precision == Precision::W8A16 {
            let (row, k) = (2 * (i / 4 % 2), i / 8 * 4 + i % 4);
            let (even, odd) = unpack_rows(halfword);
            if even == -128 || odd.abs() > 127 {
                return Err(ParseError::Weight);
            }
            take(row, k, even)?;
            take(row + 1, k, odd)?;
        } else {
            take(i / 2 % BLOCK_ROWS, i / (2 * BLOCK_ROWS) * 2 + i % 2, i32::from(halfword))?;
        }
    }
    for (row, ((&sum, &bias), &multiplier)) in sums.iter().zip(bias).zip(multiplier).enumerate() {
        let (bias, multiplier) = (bias as i32, multiplier as i32);
        if multiplier < 0 || (multiplier != 0 && !takes_multiplier) || (row >= rows && (bias != 0 || multiplier != 0)) {
            return Err(ParseError::Weight);
        }
        if sum * ACTIVATION_MAX as u64 + u64::from(bias.unsigned_abs()) > i32::MAX as u64 {
            return Err(ParseError::Overflow);
        }
    }
    Ok(())
}

/// Checks a block of an `f32` layer; the largest magnitude that one of its outputs can have.
fn check_f32_block(block: &[u32], inputs: usize, rows: usize, magnitude: f32) -> Result<f32, ParseError> {
    let mut sums = [0.0f32; BLOCK_ROWS];
    let weights = block_weight_words(Precision::F32, inputs);
    for (i, &word) in block.iter().take(BLOCK_ROWS + weights).enumerate() {
        let value = f32::from_bits(word);
        if !value.is_finite() || (i % BLOCK_ROWS >= rows && word != 0) {
            return Err(ParseError::Weight);
        }
        if let Some(sum) = sums.get_mut(i % BLOCK_ROWS) {
            *sum += if i < BLOCK_ROWS { value.abs() } else { value.abs() * magnitude };
        }
    }
    // One part in a thousand for the roundings; the limit leaves room for a step's product.
    let largest = sums.iter().fold(0.0f32, |largest, &sum| if sum > largest { sum } else { largest }) * 1.001;
    if sums.iter().all(|sum| sum.is_finite()) && largest < 1e37 { Ok(largest) } else { Err(ParseError::Overflow) }
}
