//! Marks: single words that make a slot current.
//!
//! A mark's place has two words: the mark, and the same word again, which is begun when the first is written to its
//! end. So a second word of which anything can be seen proves the first one, and that one then reads the same at every
//! start. A mark without this proof may be gone at the next start; another one is written before anything relies on it.

use firmware_core::update::HEADER_BYTES;
use firmware_core::update::message::PIECE_UNIT;

use super::flash::{self, Slot};
use super::layout::{MARK_PLACE, MARKS_END};

/// The word of a stored version.
const fn word(version: u16) -> u32 {
    version as u32 | (!version as u32) << 16
}

/// The stored version of a word, if it is a mark.
const fn version(bits: u32) -> Option<u16> {
    if word(bits as u16) == bits { Some(bits as u16) } else { None }
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0xff)
}

/// The stored version of every mark, and whether it is proven.
fn marks<S: Slot>(slot: &S) -> impl Iterator<Item = (u16, bool)> {
    let places = slot.bytes().get(HEADER_BYTES..MARKS_END).unwrap_or_default().chunks_exact(MARK_PLACE);
    places.filter_map(|place| {
        let (first, second) = place.split_at_checked(PIECE_UNIT)?;
        let stored = version(u32::from_le_bytes(*first.first_chunk()?))?;
        Some((stored, !is_blank(second)))
    })
}

/// The largest stored version of a slot's marks; `None` where it has none and cannot be current.
pub(super) fn stored_version<S: Slot>(slot: &S) -> Option<u16> {
    marks(slot).map(|(stored, _)| stored).max()
}

/// Sees to it that a slot has a proven mark of at least this stored version. Places that do not take one, because their
/// programming was cut before, are passed over.
///
/// False where the flash fails, or no place is left: after eight cuts in just these words. What is current stays so,
/// and no update is taken.
pub(super) fn ensure<S: Slot>(slot: &mut S, stored: u16) -> bool {
    if marks(slot).any(|(held, is_proven)| held >= stored && is_proven) {
        return true;
    }
    for offset in (HEADER_BYTES..MARKS_END).step_by(MARK_PLACE) {
        let bytes = word(stored).to_le_bytes();
        let is_free = slot.bytes().get(offset..offset + MARK_PLACE).is_some_and(is_blank);
        if is_free && flash::write(slot, offset, &bytes) && flash::write(slot, offset + PIECE_UNIT, &bytes) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    /// Programming clears bits. No word on the way from blank to a mark is a mark.
    #[test]
    fn no_word_that_was_programmed_in_part_is_a_mark() {
        for stored in [0, 1, 2, 0x00ff, 0x5a5a, 0x8000, 0xffff] {
            assert_eq!(version(word(stored)), Some(stored));
            let bits: Vec<u32> = (0..32).map(|bit| 1 << bit).filter(|bit| word(stored) & bit == 0).collect();
            assert_eq!(bits.len(), 16);
            for subset in 0..(1u32 << 16) - 1 {
                let programmed = (0..16).filter(|k| subset >> k & 1 == 1).fold(0, |sum, k| sum | bits[k]);
                assert_eq!(version(!programmed), None);
            }
        }
    }
}
