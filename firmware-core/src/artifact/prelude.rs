//! The fixed fields at the front of an artifact, and the parts that they delimit.

use super::header::{Header, VERSION};
use crate::error::ParseError;

/// Bytes of the fixed fields.
pub(crate) const PRELUDE_BYTES: usize = 24;
const MAGIC: [u8; 4] = *b"FFM\x1a";

/// The fixed fields at the front of an artifact, but for its magic and its length.
pub(crate) struct Prelude {
    pub(crate) checksum: u32,
    pub(crate) digest: u32,
    pub(crate) version: u16,
    pub(crate) header_len: usize,
    pub(crate) text_len: usize,
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

    /// The fields as they stand in an artifact of this length.
    pub(crate) fn to_words(&self, artifact_bytes: u32) -> [u32; PRELUDE_BYTES / 4] {
        let magic = u32::from_le_bytes(MAGIC);
        let version = u32::from(self.version) | (self.header_len as u32) << 16;
        [magic, version, artifact_bytes, self.checksum, self.digest, self.text_len as u32]
    }

    /// Splits a file into its header, its words and its text.
    pub(crate) fn split<'a>(&self, bytes: &'a [u8]) -> Result<(Header, &'a [u32], &'a str), ParseError> {
        let words = bytemuck::try_cast_slice::<u8, u32>(bytes).map_err(|_| ParseError::Misaligned)?;
        let (_, words) = words.split_at_checked(PRELUDE_BYTES / 4).ok_or(ParseError::Truncated)?;
        let (header, words) = words.split_at_checked(self.header_len.div_ceil(4)).ok_or(ParseError::Truncated)?;
        let header = bytemuck::cast_slice::<u32, u8>(header).get(..self.header_len).ok_or(ParseError::Truncated)?;
        let header = Header::decode(self.version, header)?;
        let split = words.len().checked_sub(self.text_len.div_ceil(4)).ok_or(ParseError::Truncated)?;
        let (words, text) = words.split_at_checked(split).ok_or(ParseError::Truncated)?;
        let text = bytemuck::cast_slice::<u32, u8>(text).get(..self.text_len).ok_or(ParseError::Truncated)?;
        Ok((header, words, core::str::from_utf8(text).map_err(|_| ParseError::Text)?))
    }
}
