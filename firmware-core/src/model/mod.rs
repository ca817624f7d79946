//! The checked view over an artifact's bytes.

mod checks;

use crate::artifact::{self, Header, HiddenActivation, Prelude};
use crate::coordinate::Axis;
use crate::encoding::Encoding;
use crate::error::ParseError;
use crate::grid::Grids;
use crate::layout::{BLOCK_ROWS, activation_words};
use crate::limits::{MAX_FREQUENCIES, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
use crate::output::OutputMap;
use crate::precision::{BuiltIn, Precision};

/// A network that can be evaluated: a view over an artifact that stays where it lies.
///
/// There is no other way to one than [`Model::parse`]; what it has checked, no method checks again.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    header: Header,
    precision: BuiltIn,
    digest: u32,
    checksum: u32,
    axes: &'a [[u32; 3]],
    output_maps: &'a [[u32; 2]],
    frequencies: &'a [i32],
    grids: Option<Grids<'a>>,
    layers: &'a [u32],
    text: &'a str,
    /// Words of the two activation buffers of one lane.
    buffers: (u16, u16),
}

impl<'a> Model<'a> {
    /// Checks an artifact: its length, CRC-32, header, every shape, scale and bound.
    ///
    /// `bytes` must begin at a multiple of four ([`Aligned`](crate::Aligned)). The time is linear in the length;
    /// nothing is copied but the header.
    ///
    /// ```
    /// use firmware_core::{Aligned, Model, ParseError, Precision};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../models/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0)?;
    /// assert_eq!((model.inputs(), model.outputs(), model.header().precision), (1, 1, Precision::W8A16));
    ///
    /// let first_half = &MODEL.0[..MODEL.0.len() / 2];
    /// assert_eq!(Model::parse(first_half).err(), Some(ParseError::Truncated));
    /// # Ok::<(), ParseError>(())
    /// ```
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
        let precision = BuiltIn::of(header.precision).ok_or(ParseError::Precision)?;
        let (inputs, outputs, rows) =
            (usize::from(header.inputs), usize::from(header.outputs), usize::from(header.frequencies));
        let shapes_fit = (1..=MAX_INPUTS).contains(&inputs)
            && (1..=MAX_OUTPUTS).contains(&outputs)
            && rows <= MAX_FREQUENCIES
            && header.periodic_fits()
            && checks::codes_fit(&header)
            && header.hidden.iter().all(|&width| (1..=MAX_WIDTH).contains(&usize::from(width)));
        if !shapes_fit {
            return Err(ParseError::Shape);
        }
        if header.hidden_activation == HiddenActivation::Sine && !cfg!(feature = "sine") {
            return Err(ParseError::Activation);
        }
        let (axes, words) = words.split_at_checked(3 * inputs).ok_or(ParseError::Truncated)?;
        let (output_maps, words) = words.split_at_checked(2 * outputs).ok_or(ParseError::Truncated)?;
        let ((axes, _), (output_maps, _)) = (axes.as_chunks(), output_maps.as_chunks());
        let (frequencies, layers) = words.split_at_checked(rows * inputs).ok_or(ParseError::Truncated)?;
        let frequencies = bytemuck::cast_slice(frequencies);
        let (grids, layers) = if header.grid.is_some() {
            let (grids, layers) = checks::grids(&header, layers)?;
            (Some(grids), layers)
        } else {
            Encoding::new(inputs, frequencies, usize::from(header.passthrough))?;
            (None, layers)
        };
        let model = Self {
            buffers: plan_buffers(&header, precision.precision()),
            header,
            precision,
            digest: prelude.digest,
            checksum: prelude.checksum,
            axes,
            output_maps,
            frequencies,
            grids,
            layers,
            text,
        };
        model.check_contents()?;
        Ok(model)
    }

    /// Checks the numbers, once the shapes are known to be right.
    fn check_contents(&self) -> Result<(), ParseError> {
        let bits = self.header.code_bits.iter().copied().chain(core::iter::repeat(0));
        if !self.axes().zip(bits).all(|(axis, bits)| axis.is_valid() && (bits == 0 || axis == Axis::codes(bits))) {
            return Err(ParseError::Scale);
        }
        let largest_raw = checks::layers(&self.header, self.precision.precision(), self.layers)?;
        let usable = |map: OutputMap| (largest_raw * map.scale.abs() + map.offset.abs()).is_finite();
        if self.output_maps().all(usable) { Ok(()) } else { Err(ParseError::Scale) }
    }

    /// The header: precision, shapes and settings, and the quality that the trainer measured.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The precision: known to the compiler where it is the only one built in.
    #[inline]
    pub(crate) fn precision(&self) -> BuiltIn {
        self.precision
    }

    /// The layers' words, first to last; see [`layout`](crate::layout).
    #[inline]
    pub(crate) fn layers(&self) -> &'a [u32] {
        self.layers
    }

    /// The CRC-32 of the artifact, which tells models apart.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// The digest of the known answers; see [`Model::self_test`].
    #[must_use]
    pub fn known_answers(&self) -> u32 {
        self.digest
    }

    /// The number of coordinates of a point, d.
    #[must_use]
    pub fn inputs(&self) -> usize {
        usize::from(self.header.inputs)
    }

    /// The number of values at a point, c.
    #[must_use]
    pub fn outputs(&self) -> usize {
        usize::from(self.header.outputs)
    }

    /// The axes of the domain, one for each coordinate.
    pub fn axes(&self) -> impl ExactSizeIterator<Item = Axis> + 'a {
        self.axes.iter().map(|words| {
            let [minimum, maximum, scale] = words.map(f32::from_bits);
            Axis { minimum, maximum, scale }
        })
    }

    /// The maps from raw outputs to the user's units, one for each value.
    pub fn output_maps(&self) -> impl ExactSizeIterator<Item = OutputMap> + 'a {
        self.output_maps.iter().map(|words| {
            let [scale, offset] = words.map(f32::from_bits);
            OutputMap { scale, offset }
        })
    }

    /// The encoding, over frequencies that stay in the artifact; without any feature where the model has grids.
    #[must_use]
    #[inline]
    pub fn encoding(&self) -> Encoding<'a> {
        let rows = usize::from(self.header.frequencies);
        Encoding::checked(self.inputs(), rows, self.frequencies, usize::from(self.header.passthrough))
    }

    /// The grids, over coefficients that stay in the artifact, where the model has them in place of frequencies.
    #[must_use]
    #[inline]
    pub fn grids(&self) -> Option<Grids<'a>> {
        self.grids_in_place().copied()
    }

    /// The grids where they lie; the compiler knows that there are none where they are not built in.
    #[inline]
    pub(crate) fn grids_in_place(&self) -> Option<&Grids<'a>> {
        self.grids.as_ref().filter(|_| cfg!(feature = "grid"))
    }

    /// The trainer's description: free text, `key: value` on each line.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Multiplications and additions of one evaluation of the network, the encoding not counted. Those of a table are
    /// its coefficients at a point.
    #[must_use]
    pub fn macs(&self) -> usize {
        if let Some(table) = self.grids_in_place().filter(|grids| grids.is_table()) {
            return table.coefficients_at_a_point();
        }
        self.header.layers().map(|shape| shape.inputs * shape.rows).sum()
    }

    /// Words of [`Scratch`](crate::Scratch) that one point needs.
    #[must_use]
    pub fn scratch_words(&self) -> usize {
        let (even, odd) = self.buffer_words();
        even + odd
    }

    /// Words of the two activation buffers of one lane: layers read them in turn.
    #[inline]
    pub(crate) fn buffer_words(&self) -> (usize, usize) {
        (usize::from(self.buffers.0), usize::from(self.buffers.1))
    }
}

impl Header {
    /// Words of [`Scratch`](crate::Scratch) that one point of such a model needs, as [`Model::scratch_words`] tells of
    /// a model.
    #[must_use]
    pub fn scratch_words(&self) -> usize {
        let (even, odd) = plan_buffers(self, self.precision);
        usize::from(even) + usize::from(odd)
    }
}

/// Words of the two activation buffers of one lane, which layers read in turn; the first layer reads the first.
fn plan_buffers(header: &Header, precision: Precision) -> (u16, u16) {
    let (mut this, mut other) = (0, 0);
    let has_sines = header.hidden_activation == HiddenActivation::Sine;
    for (l, shape) in header.layers().enumerate() {
        this = activation_words(precision, shape.inputs).max(this);
        if has_sines && l > 0 {
            // The accumulators, which become activations where they lie.
            this = shape.inputs.next_multiple_of(BLOCK_ROWS).max(this);
        }
        (this, other) = (other, this);
    }
    if header.is_table() {
        return (u16::from(header.outputs), 0);
    }
    // Raw outputs are words in every precision.
    this = usize::from(header.outputs).next_multiple_of(BLOCK_ROWS).max(this);
    // After an odd number of layers the two have changed places.
    let (even, odd) = if header.hidden.len().is_multiple_of(2) { (other, this) } else { (this, other) };
    // The limits keep both far below 2^16.
    (even as u16, odd as u16)
}
