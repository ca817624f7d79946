//! A few more bytes at the end of every LZW stream of a TIFF.
//!
//! The decoder gives up where a stream has ended but codes are still in its buffer, which happens in tiles at the right
//! edge of a grid (<https://github.com/image-rs/image-tiff/issues/395>). What follows the end code of a stream is never
//! looked at, so the streams may be said to be longer than they are. The fault is in all releases of `tiff` 0.11, which
//! use `weezl` 0.1; this file can go with the first release that uses `weezl` 0.2.

use std::borrow::Cow;

/// More than the decoder's buffer of eight bytes.
const PADDING: u64 = 64;
const COMPRESSION: u64 = 259;
const LZW: u64 = 5;
/// The tags for the lengths of strips and tiles.
const LENGTHS: [u64; 2] = [279, 325];

/// The same file with longer streams; as it is, if it is not packed with LZW or damaged.
pub(super) fn padded(bytes: &[u8]) -> Cow<'_, [u8]> {
    patched(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned)
}

fn patched(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = File { bytes, big_endian: bytes.starts_with(b"MM"), wide: bytes.get(2..4)?.contains(&43) };
    // Of a classic TIFF: offset of the directory, then a number of entries of 12 bytes; of a BigTIFF everything is
    // twice as long.
    let word = file.word();
    let directory = file.number(if file.wide { 8 } else { 4 }, word)?;
    let (head, entry_len) = if file.wide { (8, 20) } else { (2, 12) };
    let entries = file.number(directory, head)?;
    let mut of_lengths = None;
    let mut is_lzw = false;
    for k in 0..entries.min(1000) {
        let entry = directory.checked_add(head + k * entry_len)?;
        let (tag, kind, count) = (file.number(entry, 2)?, file.number(entry + 2, 2)?, file.number(entry + 4, word)?);
        let size = match kind {
            3 => 2,
            4 => 4,
            16 => 8,
            _ => continue,
        };
        let value = entry + 4 + word;
        if tag == COMPRESSION {
            is_lzw = file.number(value, size)? == LZW;
        }
        if LENGTHS.contains(&tag) {
            let at = if size.checked_mul(count)? <= word { value } else { file.number(value, word)? };
            of_lengths = Some((at, size, count));
        }
    }
    let (start, size, count) = of_lengths.filter(|_| is_lzw)?;
    let mut patched = bytes.to_vec();
    for k in 0..count {
        let at = start.checked_add(k * size)?;
        let longer = file.number(at, size)?.saturating_add(PADDING);
        let most = u64::MAX >> (64 - 8 * size);
        let written = longer.min(most).to_le_bytes();
        for byte in 0..size {
            let place = if file.big_endian { size - 1 - byte } else { byte };
            patched[(at + place) as usize] = written[byte as usize];
        }
    }
    patched.extend([0; PADDING as usize]);
    Some(patched)
}

struct File<'b> {
    bytes: &'b [u8],
    big_endian: bool,
    /// A BigTIFF, whose offsets and counts have eight bytes.
    wide: bool,
}

impl File<'_> {
    fn word(&self) -> u64 {
        if self.wide { 8 } else { 4 }
    }

    /// An unsigned integer of so many bytes.
    fn number(&self, at: u64, len: u64) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(len as usize)?)?;
        let digits: &mut dyn Iterator<Item = &u8> =
            if self.big_endian { &mut bytes.iter() } else { &mut bytes.iter().rev() };
        Some(digits.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}
