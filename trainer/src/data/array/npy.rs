//! NumPy's `.npy` arrays: every real element type of 1 to 8 bytes, half precision too, both byte orders, C and Fortran
//! order.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Bytes after the data are ignored,
//! as NumPy does.
//!
//! The crates for this format read less: `npyz` refuses structured arrays with titles and the long integers of
//! Python 2, `ndarray-npy` refuses structured arrays and half precision. Both parse the header with `pest`, which takes
//! longer to compile than this file, and report what is wrong without a remedy.

use std::io::{self, Write};

use super::NpyError;
use crate::data::domain::unravel;

/// The first six bytes of every `.npy` file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

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
    let header = Header::parse(bytes)?;
    let element = Element::parse(header.descr).ok_or_else(|| NpyError::element_type(header.descr))?;
    let data = header.data(element.bytes)?;
    let values: Vec<f64> = data.chunks_exact(element.bytes).map(|bytes| element.read(bytes)).collect();
    let values = if header.fortran_order { row_major(&values, &header.shape) } else { values };
    Ok(NpyArray { shape: header.shape, values })
}

/// What an array says about itself, and the bytes behind that.
pub(in crate::data) struct Header<'b> {
    /// NumPy's notation of the element type; of records the list of their fields, brackets included.
    pub(in crate::data) descr: &'b str,
    /// Whether the first index varies fastest.
    pub(super) fortran_order: bool,
    /// The dimensions as in NumPy.
    pub(super) shape: Vec<usize>,
    rest: &'b [u8],
}

impl<'b> Header<'b> {
    pub(in crate::data) fn parse(bytes: &'b [u8]) -> Result<Self, NpyError> {
        let (header, rest) = split_header(bytes)?;
        let descr = quoted(dictionary_entry(header, "descr")).ok_or(NpyError::Header("descr"))?;
        // Fields of a record may have the names of the other keys.
        let header = &header[header.find(descr).map_or(0, |at| at + descr.len())..];
        let fortran_order = match dictionary_entry(header, "fortran_order") {
            Some(text) if text.starts_with("True") => true,
            Some(text) if text.starts_with("False") => false,
            _ => return Err(NpyError::Header("fortran_order")),
        };
        let shape = tuple(dictionary_entry(header, "shape")).ok_or(NpyError::Header("shape"))?;
        Ok(Self { descr, fortran_order, shape, rest })
    }

    /// The bytes of all elements, so many each.
    pub(super) fn data(&self, element: usize) -> Result<&'b [u8], NpyError> {
        // Compared before anything is allocated: a damaged header may claim any size.
        let needed = self.shape.iter().try_fold(element as u128, |product, &len| product.checked_mul(len as u128));
        let needed = needed.ok_or(NpyError::Header("shape"))?;
        if needed > self.rest.len() as u128 {
            return Err(NpyError::Truncated(self.shape.clone(), needed, self.rest.len()));
        }
        Ok(&self.rest[..needed as usize])
    }
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
        '[' => list(text),
        _ => None,
    }
}

/// A leading list with its brackets, whatever is nested in it.
fn list(text: &str) -> Option<&str> {
    let (mut depth, mut quote) = (0, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Some(&text[..=at]),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
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
pub(super) struct Element {
    kind: u8,
    pub(super) bytes: usize,
    big_endian: bool,
}

impl Element {
    /// From NumPy's notation, such as `<f4` or `|u1`.
    pub(super) fn parse(descr: &str) -> Option<Self> {
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
            b'f' => matches!(bytes, 2 | 4 | 8),
            b'i' | b'u' => matches!(bytes, 1 | 2 | 4 | 8),
            b'b' => bytes == 1,
            _ => false,
        };
        known.then_some(Self { kind, bytes, big_endian })
    }

    /// One element from as many bytes as it has.
    pub(super) fn read(self, bytes: &[u8]) -> f64 {
        let mut little = [0u8; 8];
        for (k, &byte) in bytes.iter().enumerate() {
            little[if self.big_endian { self.bytes - 1 - k } else { k }] = byte;
        }
        let word = u64::from_le_bytes(little);
        match (self.kind, self.bytes) {
            (b'f', 2) => half::f16::from_bits(word as u16).to_f64(),
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
