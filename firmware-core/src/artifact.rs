//! The artifact: the one file between trainer and device.
//!
//! # Format, versions 1 and 2
//!
//! All numbers are little-endian. The file is a whole number of 32-bit words and is read in place.
//!
//! | offset | type | what |
//! | --- | --- | --- |
//! | 0 | 4 bytes | magic `46 46 4d 1a` ("FFM", control-Z) |
//! | 4 | u16 | format version, 1 or 2 |
//! | 6 | u16 | length of the header in bytes, before padding |
//! | 8 | u32 | length of the file in bytes |
//! | 12 | u32 | CRC-32 (IEEE 802.3, as in zip) of bytes 0 ..= 11 followed by bytes 16 to the end |
//! | 16 | u32 | digest of the known answers |
//! | 20 | u32 | length of the text in bytes, before padding |
//! | 24 | bytes | header in postcard, in version 2 with the periodic axes behind it; zero-padded to a multiple of four |
//! | | d × 3 f32 | axes: minimum, maximum, scale ([`Axis`]) |
//! | | c × 2 f32 | output maps: scale, offset ([`OutputMap`]) |
//! | | m × d i32 | frequencies B, row-major, Q16.16 ([`encoding`](crate::encoding)) |
//! | | words | layers, first to last, in blocks of four rows ([`kernels`](crate::kernels)) |
//! | | bytes | text, UTF-8, zero-padded to a multiple of four |
//!
//! The header is [`Header`] in [postcard's wire format](https://postcard.jamesmunns.com/wire-format): enum variants and
//! u16 as varints, u8 and f32 as they are, the list of widths as a varint length followed by varints. Variants count from
//! zero in the order of declaration.
//!
//! Version 2 is for models that are periodic along some axes and not along others, and for no other models: readers of
//! version 1 would evaluate them at wrong points, so they must refuse them. Behind the header it has a u16, which counts
//! as a part of the header's length: [`Header::periodic`]. It is not zero, and has no bit for an axis that is not there.
//!
//! # Known answers
//!
//! The digest is the CRC-32 over the raw outputs (little-endian i32; for `f32` the bits) of sixteen points. Their
//! coordinates come from the successive states of s ← 1664525·s + 1013904223 mod 2³², from s = 1: sixteen for each
//! point, of which the first d count. A device that finds another digest does not compute what the trainer computed.

use crate::coordinate::{Axis, Outside};
use crate::error::{ParseError, WriteError};
use crate::kernels::{BLOCK_ROWS, layer_words, padded_inputs};
use crate::limits::{MAX_HIDDEN_LAYERS, MAX_INPUTS};
use crate::model::{Model, OutputActivation, OutputMap, Precision};
use serde::{Deserialize, Serialize};

/// The newest format version that this crate reads. It writes version 1 where [`Header::periodic`] is zero.
pub const VERSION: u16 = 2;
const MAGIC: [u8; 4] = *b"FFM\x1a";
const PRELUDE_BYTES: usize = 24;

/// Shapes and settings of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// How numbers are stored.
    pub precision: Precision,
    /// What happens beyond the trained domain, along the axes that are not in `periodic`.
    pub outside: Outside,
    /// The axes along which points beyond the domain are [`Outside::Periodic`] whatever `outside` says: bit k is that of
    /// coordinate k. Zero in every model of version 1.
    #[serde(skip)]
    pub periodic: u16,
    /// What follows the last layer.
    pub activation: OutputActivation,
    /// Coordinates of a point, d.
    pub inputs: u8,
    /// Values of a point, c.
    pub outputs: u8,
    /// Rows of B, m.
    pub frequencies: u16,
    /// Trailing coordinates that also (or, with m = 0, only) enter as they are, p.
    pub passthrough: u8,
    /// Widths of the hidden layers.
    pub hidden: heapless::Vec<u16, MAX_HIDDEN_LAYERS>,
    /// PSNR of the network in f32 on its training data, dB; NaN where unknown.
    pub training_psnr_db: f32,
    /// What this precision loses against f32 on the training data, dB; NaN where unknown.
    pub quantization_loss_db: f32,
}

impl Header {
    /// What happens beyond the domain along one axis, counted from 0.
    #[inline]
    #[must_use]
    pub fn outside_along(&self, axis: usize) -> Outside {
        let is_periodic = axis < MAX_INPUTS && self.periodic >> axis & 1 == 1;
        if is_periodic { Outside::Periodic } else { self.outside }
    }

    /// Whether [`Header::periodic`] names axes that there are, and no others.
    pub(crate) fn periodic_fits(&self) -> bool {
        u32::from(self.periodic) >> self.inputs.min(MAX_INPUTS as u8) == 0
    }
}

/// All that is written.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Shapes and settings; they decide what the other parts must be.
    pub header: &'a Header,
    /// Axes of the domain, `[d]`.
    pub axes: &'a [Axis],
    /// Maps of the raw outputs, `[c]`.
    pub output_maps: &'a [OutputMap],
    /// B, `[m, d]` row-major, Q16.16.
    pub frequencies: &'a [i32],
    /// Free text, `key: value` on each line.
    pub text: &'a str,
    /// Layers, first to last.
    pub layers: &'a [Layer<'a>],
}

/// Numbers of one layer, of the kind that the precision asks for.
#[derive(Clone, Copy, Debug)]
pub enum LayerKind<'a, I> {
    /// For [`Precision::F32`].
    Float(&'a [f32]),
    /// For the integer precisions.
    Integer(&'a [I]),
}

/// One dense layer with `rows` rows and `n` inputs.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// `[rows, n]`, row-major; within ±127 for [`Precision::W8A16`].
    pub weights: LayerKind<'a, i16>,
    /// `[rows]`, in units of the accumulator.
    pub bias: LayerKind<'a, i32>,
    /// `[rows]` for a hidden integer layer or a sigmoid output, else empty; not negative.
    pub multiplier: &'a [i32],
}

/// Longest header in postcard, with room to spare.
const HEADER_BYTES: usize = 64;

/// Length in bytes of the artifact that [`write()`] makes of this.
///
/// # Errors
///
/// [`WriteError::Parts`] for a header that cannot be encoded.
pub fn artifact_len(description: &Description<'_>) -> Result<usize, WriteError> {
    let header = description.header;
    let header_len = encode_header(header, &mut [0; HEADER_BYTES])?;
    let mut words = 3 * description.axes.len() + 2 * description.output_maps.len() + description.frequencies.len();
    let mut inputs = 2 * usize::from(header.frequencies) + usize::from(header.passthrough);
    for rows in widths(header) {
        words += layer_words(header.precision, inputs, rows);
        inputs = rows;
    }
    Ok(PRELUDE_BYTES + header_len.next_multiple_of(4) + 4 * words + description.text.len().next_multiple_of(4))
}

/// Writes an artifact and returns its length in bytes.
///
/// `out` begins at a multiple of four and holds [`artifact_len`] bytes. `scratch` serves the computation of the known
/// answers; see [`Model::scratch_words`]. What was written has passed the same checks as in [`Model::parse`].
///
/// # Errors
///
/// See [`WriteError`]; `out` then holds nothing of use.
pub fn write(description: &Description<'_>, scratch: &mut [u32], out: &mut [u8]) -> Result<usize, WriteError> {
    let header = description.header;
    let len = artifact_len(description)?;
    let out = out.get_mut(..len).ok_or(WriteError::Buffer)?;
    out.fill(0);
    let mut encoded = [0; HEADER_BYTES];
    let header_len = encode_header(header, &mut encoded)?;
    let field = |value: usize| u32::try_from(value).map_err(|_| WriteError::Parts);
    let prelude = [
        u32::from_le_bytes(MAGIC),
        u32::from(version(header)) | field(header_len)? << 16,
        field(len)?,
        0,
        0,
        field(description.text.len())?,
    ];
    let words = bytemuck::try_cast_slice_mut::<u8, u32>(out).map_err(|_| WriteError::Buffer)?;
    let (head, body) = words.split_at_mut((PRELUDE_BYTES + header_len.next_multiple_of(4)) / 4);
    head[..prelude.len()].copy_from_slice(&prelude);
    bytemuck::cast_slice_mut::<u32, u8>(&mut head[prelude.len()..])[..header_len]
        .copy_from_slice(&encoded[..header_len]);

    let mut cursor = Cursor(body);
    if description.axes.len() != usize::from(header.inputs)
        || description.output_maps.len() != usize::from(header.outputs)
        || description.frequencies.len() != usize::from(header.frequencies) * usize::from(header.inputs)
        || description.layers.len() != header.hidden.len() + 1
    {
        return Err(WriteError::Parts);
    }
    for axis in description.axes {
        cursor.put(&[axis.minimum, axis.maximum, axis.scale].map(f32::to_bits))?;
    }
    for map in description.output_maps {
        cursor.put(&[map.scale, map.offset].map(f32::to_bits))?;
    }
    cursor.put(bytemuck::cast_slice(description.frequencies))?;
    let mut inputs = 2 * usize::from(header.frequencies) + usize::from(header.passthrough);
    for (l, (rows, layer)) in widths(header).zip(description.layers).enumerate() {
        let multiplied = l < header.hidden.len() || header.activation == OutputActivation::Sigmoid;
        put_layer(&mut cursor, header.precision, layer, inputs, rows, multiplied)?;
        inputs = rows;
    }
    bytemuck::cast_slice_mut::<u32, u8>(cursor.0)
        .get_mut(..description.text.len())
        .ok_or(WriteError::Parts)?
        .copy_from_slice(description.text.as_bytes());

    // Now that the contents stand, what is computed from them.
    let digest = {
        let prelude = Prelude::read(out).map_err(WriteError::Invalid)?;
        let model = Model::parse_contents(out, &prelude).map_err(WriteError::Invalid)?;
        model.known_answer_digest(scratch).map_err(|_| WriteError::Buffer)?
    };
    out[16..20].copy_from_slice(&digest.to_le_bytes());
    let checksum = checksum(out);
    out[12..16].copy_from_slice(&checksum.to_le_bytes());
    Ok(len)
}

fn encode_header(header: &Header, buffer: &mut [u8; HEADER_BYTES]) -> Result<usize, WriteError> {
    let len = postcard::to_slice(header, buffer).map(|bytes| bytes.len()).map_err(|_| WriteError::Parts)?;
    if version(header) == 1 {
        return Ok(len);
    }
    let behind = buffer.get_mut(len..).and_then(<[u8]>::first_chunk_mut).ok_or(WriteError::Parts)?;
    *behind = header.periodic.to_le_bytes();
    Ok(len + behind.len())
}

/// The version that a model is written in: the oldest that holds it.
fn version(header: &Header) -> u16 {
    if header.periodic == 0 { 1 } else { 2 }
}

fn widths(header: &Header) -> impl Iterator<Item = usize> + '_ {
    header.hidden.iter().map(|&width| usize::from(width)).chain([usize::from(header.outputs)])
}

/// Words yet to be written.
struct Cursor<'a>(&'a mut [u32]);

impl Cursor<'_> {
    fn put(&mut self, words: &[u32]) -> Result<(), WriteError> {
        let (here, rest) = core::mem::take(&mut self.0).split_at_mut_checked(words.len()).ok_or(WriteError::Parts)?;
        here.copy_from_slice(words);
        self.0 = rest;
        Ok(())
    }
}

/// Writes a layer in blocks of four rows, as [`kernels`](crate::kernels) lays them out.
fn put_layer(
    cursor: &mut Cursor<'_>,
    precision: Precision,
    layer: &Layer<'_>,
    inputs: usize,
    rows: usize,
    multiplied: bool,
) -> Result<(), WriteError> {
    let lengths_fit = |weights: usize, bias: usize| weights == rows * inputs && bias == rows;
    let padded = padded_inputs(precision, inputs);
    match (precision, layer.weights, layer.bias) {
        (Precision::F32, LayerKind::Float(weights), LayerKind::Float(bias))
            if lengths_fit(weights.len(), bias.len()) && layer.multiplier.is_empty() =>
        {
            let bits = |value: Option<&f32>| value.map_or(0, |value| value.to_bits());
            for block in (0..rows).step_by(BLOCK_ROWS) {
                cursor.put(&[0, 1, 2, 3].map(|r| bits(bias.get(block + r))))?;
                for k in 0..inputs {
                    cursor.put(&[0, 1, 2, 3].map(|r| bits(weights.get((block + r) * inputs + k))))?;
                }
            }
        }
        (Precision::W8A16 | Precision::W16A16, LayerKind::Integer(weights), LayerKind::Integer(bias))
            if lengths_fit(weights.len(), bias.len())
                && layer.multiplier.len() == if multiplied { rows } else { 0 } =>
        {
            let narrow = precision == Precision::W8A16;
            if narrow && weights.iter().any(|weight| !(-127..=127).contains(weight)) {
                return Err(WriteError::Invalid(ParseError::Weight));
            }
            let value = |values: &[i32], row: usize| values.get(row).map_or(0, |&value| value as u32);
            let weight = |row: usize, k: usize| {
                if k < inputs { weights.get(row * inputs + k).map_or(0, |&w| i32::from(w)) } else { 0 }
            };
            let pair = |low: i32, high: i32| low as u32 & 0xffff | (high as u32) << 16;
            for block in (0..rows).step_by(BLOCK_ROWS) {
                cursor.put(&[0, 1, 2, 3].map(|r| value(bias, block + r)))?;
                if narrow {
                    let both = |row: usize, k: usize| 256 * weight(row + 1, k) + weight(row, k);
                    for k in (0..padded).step_by(4) {
                        for row in [block, block + 2] {
                            cursor.put(&[0, 2].map(|i| pair(both(row, k + i), both(row, k + i + 1))))?;
                        }
                    }
                } else {
                    for k in (0..padded).step_by(2) {
                        cursor.put(&[0, 1, 2, 3].map(|r| pair(weight(block + r, k), weight(block + r, k + 1))))?;
                    }
                }
                cursor.put(&[0, 1, 2, 3].map(|r| value(layer.multiplier, block + r)))?;
            }
        }
        _ => return Err(WriteError::Parts),
    }
    Ok(())
}

/// The CRC-32 that belongs at byte 12.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let mut digest = crc32();
    digest.update(bytes.get(..12).unwrap_or(&[]));
    digest.update(bytes.get(16..).unwrap_or(&[]));
    digest.finalize()
}

/// A CRC-32 in progress, without a table: a kilobyte of flash is worth more than the milliseconds at start.
pub(crate) fn crc32() -> crc::Digest<'static, u32, crc::NoTable> {
    static CRC: crc::Crc<u32, crc::NoTable> = crc::Crc::<u32, crc::NoTable>::new(&crc::CRC_32_ISO_HDLC);
    CRC.digest()
}

/// The fixed fields at the front.
pub(crate) struct Prelude {
    pub(crate) checksum: u32,
    pub(crate) digest: u32,
    version: u16,
    header_len: usize,
    text_len: usize,
}

impl Prelude {
    /// Reads and checks what can be checked before the contents.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.iter().zip(&MAGIC).any(|(byte, magic)| byte != magic) {
            return Err(ParseError::Magic);
        }
        let fields = bytes.first_chunk::<PRELUDE_BYTES>().ok_or(ParseError::Truncated)?;
        let (words, _) = fields.as_chunks::<4>();
        let &[_, version, len, checksum, digest, text_len] = words else { return Err(ParseError::Truncated) };
        let [version, len, checksum, digest, text_len] =
            [version, len, checksum, digest, text_len].map(u32::from_le_bytes);
        if !(1..=VERSION).contains(&(version as u16)) {
            // Version 0 was never written: that is damage.
            return Err(if version as u16 == 0 { ParseError::Checksum } else { ParseError::Version(version as u16) });
        }
        if (bytes.len() as u64) < u64::from(len) {
            return Err(ParseError::Truncated);
        }
        if bytes.len() as u64 > u64::from(len) || !bytes.len().is_multiple_of(4) {
            return Err(ParseError::TrailingBytes);
        }
        let (version, header_len) = (version as u16, (version >> 16) as usize);
        Ok(Self { checksum, digest, version, header_len, text_len: text_len as usize })
    }

    /// Splits a file into its header, its words and its text.
    pub(crate) fn split<'a>(&self, bytes: &'a [u8]) -> Result<(Header, &'a [u32], &'a str), ParseError> {
        let words = bytemuck::try_cast_slice::<u8, u32>(bytes).map_err(|_| ParseError::Misaligned)?;
        let (_, words) = words.split_at_checked(PRELUDE_BYTES / 4).ok_or(ParseError::Truncated)?;
        let (header, words) = words.split_at_checked(self.header_len.div_ceil(4)).ok_or(ParseError::Truncated)?;
        let header = bytemuck::cast_slice::<u32, u8>(header).get(..self.header_len).ok_or(ParseError::Truncated)?;
        let (mut header, unread): (Header, _) = postcard::take_from_bytes(header).map_err(|_| ParseError::Header)?;
        match (self.version, unread) {
            (1, []) => {}
            (2, &[low, high]) if low | high != 0 => header.periodic = u16::from_le_bytes([low, high]),
            _ => return Err(ParseError::Header),
        }
        let split = words.len().checked_sub(self.text_len.div_ceil(4)).ok_or(ParseError::Truncated)?;
        let (words, text) = words.split_at_checked(split).ok_or(ParseError::Truncated)?;
        let text = bytemuck::cast_slice::<u32, u8>(text).get(..self.text_len).ok_or(ParseError::Truncated)?;
        Ok((header, words, core::str::from_utf8(text).map_err(|_| ParseError::Text)?))
    }
}
