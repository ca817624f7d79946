//! NumPy's `.npy` arrays: every real element type of 1 to 8 bytes, both byte orders, C and Fortran order.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Bytes after the data are ignored,
//! as NumPy does.

use std::io::{self, Write};

use ndarray::Array2;

use super::domain::{self, LONGEST_AXIS, OutputMap};
use super::{Dataset, Kind, NpyError};
use firmware_core::limits::MAX_OUTPUTS;

/// The first six bytes of every `.npy` file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Elements converted at a time when writing: large arrays need no second copy.
const WRITE_CHUNK: usize = 8192;

/// An array read from a file, widened to f64 (exact but for 64-bit integers beyond 2^53).
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    /// The dimensions as in NumPy.
    pub shape: Vec<usize>,
    /// The elements in row-major order, whatever the order in the file.
    pub values: Vec<f64>,
}

/// Reads an array of any shape.
///
/// # Errors
///
/// If the header is damaged or foreign, the element type is not a real number, or data are missing.
pub fn read(bytes: &[u8]) -> Result<NpyArray, NpyError> {
    let (header, data) = split_header(bytes)?;
    let descr = quoted(dictionary_entry(header, "descr")).ok_or(NpyError::Header("descr"))?;
    let fortran_order = match dictionary_entry(header, "fortran_order") {
        Some(text) if text.starts_with("True") => true,
        Some(text) if text.starts_with("False") => false,
        _ => return Err(NpyError::Header("fortran_order")),
    };
    let shape = tuple(dictionary_entry(header, "shape")).ok_or(NpyError::Header("shape"))?;
    let element = Element::parse(descr).ok_or_else(|| NpyError::element_type(descr))?;

    // Compared before anything is allocated: a damaged header may claim any size.
    let needed = shape.iter().try_fold(element.bytes as u128, |product, &len| product.checked_mul(len as u128));
    let needed = needed.ok_or(NpyError::Header("shape"))?;
    if needed > data.len() as u128 {
        return Err(NpyError::Truncated { shape, needed, found: data.len() });
    }
    let values: Vec<f64> =
        data[..needed as usize].chunks_exact(element.bytes).map(|bytes| element.read(bytes)).collect();
    let values = if fortran_order { row_major(&values, &shape) } else { values };
    Ok(NpyArray { shape, values })
}

/// An element type that [`write()`] can write.
pub trait Writable: Copy {
    /// NumPy's name of the type, little-endian.
    const DESCR: &'static str;
    /// Appends the little-endian bytes.
    fn extend(self, bytes: &mut Vec<u8>);
}

impl Writable for f32 {
    const DESCR: &'static str = "<f4";
    fn extend(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl Writable for f64 {
    const DESCR: &'static str = "<f8";
    fn extend(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

/// Writes an f32 or f64 array (little-endian, C order, version 1.0) of the given shape.
///
/// # Errors
///
/// What the writer reports, or `InvalidInput` if the shape does not have as many elements as there are values.
pub fn write<T: Writable>(writer: &mut impl Write, shape: &[usize], values: &[T]) -> io::Result<()> {
    if shape.iter().product::<usize>() != values.len() {
        let message = format!("shape {shape:?} does not hold {} values", values.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let dimensions: String = shape.iter().map(|len| format!("{len}, ")).collect();
    let dimensions = if shape.len() == 1 { dimensions.trim_end() } else { dimensions.trim_end_matches(", ") };
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({dimensions}), }}", T::DESCR);
    // Padded with spaces and a newline so that the data start at a multiple of 64 bytes.
    let padded = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
    let spaces = padded - (MAGIC.len() + 4 + header.len() + 1);
    header.extend(std::iter::repeat_n(' ', spaces));
    header.push('\n');

    writer.write_all(MAGIC)?;
    writer.write_all(&[1, 0])?;
    let header_len = u16::try_from(header.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    writer.write_all(&header_len.to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    let mut bytes = Vec::new();
    for chunk in values.chunks(WRITE_CHUNK) {
        bytes.clear();
        chunk.iter().for_each(|&value| value.extend(&mut bytes));
        writer.write_all(&bytes)?;
    }
    Ok(())
}

/// Samples of a grid: x is the index along the last spatial axis; with `channels_last` the last axis holds outputs.
pub(super) fn dataset(bytes: &[u8], channels_last: bool) -> Result<Dataset, NpyError> {
    let NpyArray { shape, values } = read(bytes)?;
    if values.is_empty() {
        return Err(NpyError::NoElements(shape));
    }
    let spatial = shape.len().saturating_sub(usize::from(channels_last));
    if !(1..=3).contains(&spatial) {
        return Err(NpyError::Dimensions(shape));
    }
    let channels = if channels_last { shape[spatial] } else { 1 };
    if channels > MAX_OUTPUTS {
        return Err(NpyError::Channels(shape));
    }
    if shape[..spatial].iter().any(|&len| len > LONGEST_AXIS) {
        return Err(NpyError::AxisTooLong(shape));
    }
    if let Some(position) = values.iter().position(|value| !value.is_finite()) {
        return Err(NpyError::NotFinite { index: unravel(position, &shape), value: values[position] });
    }
    let minimum = values.iter().copied().fold(f64::INFINITY, f64::min);
    let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let map = domain::range_map(minimum, maximum).ok_or(NpyError::Range { minimum, maximum })?;
    Ok(grid(&shape[..spatial], channels_last, channels, &values, map))
}

fn grid(shape: &[usize], channels_last: bool, channels: usize, values: &[f64], map: OutputMap) -> Dataset {
    let axes: Vec<_> = shape.iter().rev().map(|&len| domain::index_axis(len)).collect();
    let points = domain::lattice_points(shape);
    let units = values.iter().map(|&value| domain::to_unit(value, &map)).collect();
    let name = |channel: usize| {
        if channels_last { format!("channel {channel}") } else { "value".to_owned() }
    };
    Dataset {
        coordinates: domain::to_fixed(&points, &axes),
        targets: Array2::from_shape_vec((points.nrows(), channels), units).expect("the shape was checked on reading"),
        points,
        axes,
        output_maps: vec![map; channels],
        kind: Kind::Grid { shape: shape.to_vec(), channels_last },
        input_names: domain::index_names(shape.len()),
        output_names: (0..channels).map(name).collect(),
        input_units: Vec::new(),
        output_units: Vec::new(),
        input_origins: vec![0.0; shape.len()],
        output_origins: vec![0.0; channels],
        cells: None,
        notes: Vec::new(),
    }
}

/// The text of the header and the bytes of the data.
fn split_header(bytes: &[u8]) -> Result<(&str, &[u8]), NpyError> {
    if !bytes.starts_with(MAGIC) && !MAGIC.starts_with(bytes) {
        return Err(NpyError::Magic);
    }
    let &[major, _minor] = bytes.get(6..8).ok_or(NpyError::HeaderTruncated)? else {
        return Err(NpyError::HeaderTruncated);
    };
    let (start, len) = match major {
        1 => (10, bytes.get(8..10).map(|len| usize::from(u16::from_le_bytes([len[0], len[1]])))),
        2 | 3 => (12, bytes.get(8..12).map(|len| u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize)),
        _ => return Err(NpyError::Version(major)),
    };
    let end = len.and_then(|len| len.checked_add(start)).ok_or(NpyError::HeaderTruncated)?;
    let header = bytes.get(start..end).ok_or(NpyError::HeaderTruncated)?;
    let header = str::from_utf8(header).map_err(|_| NpyError::Header("descr"))?;
    Ok((header, &bytes[end..]))
}

/// What follows `'key':` in the header, a Python dictionary without nesting that could hold the key again.
fn dictionary_entry<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let after = [format!("'{key}'"), format!("\"{key}\"")]
        .iter()
        .find_map(|key| header.find(key.as_str()).map(|at| &header[at + key.len()..]))?;
    Some(after.trim_start().strip_prefix(':')?.trim_start())
}

/// The contents of a leading quoted string; of a record type, which is a list, its text as it stands.
fn quoted(text: Option<&str>) -> Option<&str> {
    let text = text?;
    match text.chars().next()? {
        quote @ ('\'' | '"') => text[1..].split_once(quote).map(|(contents, _)| contents),
        '[' => text.split_once(']').map(|(contents, _)| contents),
        _ => None,
    }
}

/// A leading tuple of lengths, such as `(3, 4)`, `(5,)` or `()`.
fn tuple(text: Option<&str>) -> Option<Vec<usize>> {
    let (contents, _) = text?.strip_prefix('(')?.split_once(')')?;
    let lengths = contents.trim().trim_end_matches(',');
    if lengths.is_empty() {
        return Some(Vec::new());
    }
    // Python 2 wrote long integers with an L.
    lengths.split(',').map(|len| len.trim().trim_end_matches('L').parse().ok()).collect()
}

/// The type of the elements: kind `f`, `i`, `u` or `b`, their size and byte order.
#[derive(Clone, Copy)]
struct Element {
    kind: u8,
    bytes: usize,
    big_endian: bool,
}

impl Element {
    /// From NumPy's notation, such as `<f4` or `|u1`.
    fn parse(descr: &str) -> Option<Self> {
        let &[order, kind, size] = descr.as_bytes() else {
            return None;
        };
        let bytes = usize::from(size.checked_sub(b'0')?);
        let big_endian = match order {
            b'<' | b'|' => false,
            b'>' => true,
            b'=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        let known = match kind {
            b'f' => matches!(bytes, 4 | 8),
            b'i' | b'u' => matches!(bytes, 1 | 2 | 4 | 8),
            b'b' => bytes == 1,
            _ => false,
        };
        known.then_some(Self { kind, bytes, big_endian })
    }

    /// One element from as many bytes as it has.
    fn read(self, bytes: &[u8]) -> f64 {
        let mut little = [0u8; 8];
        for (k, &byte) in bytes.iter().enumerate() {
            little[if self.big_endian { self.bytes - 1 - k } else { k }] = byte;
        }
        let word = u64::from_le_bytes(little);
        match (self.kind, self.bytes) {
            (b'f', 4) => f64::from(f32::from_bits(word as u32)),
            (b'f', _) => f64::from_bits(word),
            (b'b', _) => f64::from(u8::from(word != 0)),
            (b'u', _) => word as f64,
            // Shifted up and down again to extend the sign.
            (_, bytes) => {
                let unused = 64 - 8 * bytes as u32;
                ((word << unused).cast_signed() >> unused) as f64
            }
        }
    }
}

/// Reorders elements in which the first index varies fastest into those in which the last does.
fn row_major(values: &[f64], shape: &[usize]) -> Vec<f64> {
    (0..values.len())
        .map(|position| {
            let index = unravel(position, shape);
            let fortran = index.iter().zip(shape).rev().fold(0, |position, (k, len)| position * len + k);
            values[fortran]
        })
        .collect()
}

/// The index of the element at a row-major position.
fn unravel(position: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = position;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&len| {
            let k = rest % len;
            rest /= len;
            k
        })
        .collect();
    index.reverse();
    index
}
