//! The checksum of an artifact once more, a little at a time: whether flash still holds what `parse` has checked.

use crate::artifact::{Crc32, crc32};
use crate::error::ParseError;
use crate::model::Model;

/// How far a check is. It begins at the front again once it has come to the end.
#[derive(Clone)]
pub struct Recheck {
    next: usize,
    digest: Crc32,
}

impl Recheck {
    /// A check that begins at the front.
    #[must_use]
    pub fn new() -> Self {
        Self { next: 0, digest: crc32() }
    }
}

impl Default for Recheck {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Recheck {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Recheck").field("next", &self.next).finish()
    }
}

impl Model<'_> {
    /// Reads the next bytes of the artifact, `most` at most, and compares its checksum with that of [`Model::parse`]
    /// when all of them are read. A firmware calls it in its idle loop: within one round it finds every flip of a
    /// single bit, and in a file of up to 11 KB every flip of up to three (Koopman 2002).
    ///
    /// `artifact` is what the model was parsed from. True where this call has come to the end and all is well; the next
    /// one begins at the front.
    ///
    /// # Errors
    ///
    /// [`ParseError::Checksum`] where the artifact is not what it was, [`ParseError::Truncated`] if it is shorter than
    /// an artifact can be.
    ///
    /// ```
    /// use firmware_core::{Aligned, Model, Recheck};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// let mut recheck = Recheck::new();
    /// let mut calls = 1;
    /// while !model.recheck_step(&MODEL.0, &mut recheck, 64)? {
    ///     calls += 1; // the firmware does its work in between
    /// }
    /// assert_eq!(calls, MODEL.0.len().div_ceil(64));
    /// # Ok::<(), firmware_core::ParseError>(())
    /// ```
    pub fn recheck_step(&self, artifact: &[u8], recheck: &mut Recheck, most: usize) -> Result<bool, ParseError> {
        let stored = artifact.get(12..16).and_then(|bytes| bytes.first_chunk()).ok_or(ParseError::Truncated)?;
        let (first, end) = (recheck.next, recheck.next.saturating_add(most.max(1)).min(artifact.len()));
        // The checksum's own bytes do not count.
        for range in [first..end.min(12), first.max(16)..end] {
            recheck.digest.update(artifact.get(range).unwrap_or(&[]));
        }
        recheck.next = end;
        if end < artifact.len() {
            return Ok(false);
        }
        let digest = core::mem::take(recheck).digest.finalize();
        let is_well = digest == self.checksum() && u32::from_le_bytes(*stored) == digest;
        if is_well { Ok(true) } else { Err(ParseError::Checksum) }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::scratch::Aligned;

    static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));

    fn round(model: &Model<'_>, artifact: &[u8], most: usize) -> Result<usize, ParseError> {
        let mut recheck = Recheck::new();
        for calls in 1.. {
            if model.recheck_step(artifact, &mut recheck, most)? {
                return Ok(calls);
            }
        }
        unreachable!()
    }

    #[test]
    fn every_flip_of_one_bit_is_found_in_one_round() {
        let model = Model::parse(&MODEL.0).unwrap();
        let len = MODEL.0.len();
        for most in [0, 1, 7, 12, 13, 17, len - 1, len, usize::MAX] {
            assert_eq!(round(&model, &MODEL.0, most), Ok(len.div_ceil(most.clamp(1, len))), "{most}");
        }
        let mut artifact = MODEL.0.to_vec();
        for bit in (0..8 * len).step_by(if cfg!(miri) { 241 } else { 1 }) {
            artifact[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(round(&model, &artifact, 100), Err(ParseError::Checksum), "bit {bit}");
            artifact[bit / 8] ^= 1 << (bit % 8);
        }
        for len in [10, 15] {
            assert_eq!(round(&model, &artifact[..len], 100), Err(ParseError::Truncated));
        }
        assert_eq!(round(&model, &artifact[..16], 100), Err(ParseError::Checksum));
        let mut recheck = Recheck::default();
        assert_eq!(model.recheck_step(&artifact, &mut recheck, 20), Ok(false));
        assert!(std::format!("{recheck:?}").contains("20"), "how far it is");
    }
}
