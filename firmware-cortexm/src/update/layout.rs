//! Where the parts of a slot lie: the header, the places for marks, the artifact.

use firmware_core::update::HEADER_BYTES;
use firmware_core::update::message::PIECE_UNIT;

/// Places for marks.
const MARKS: usize = 8;
/// Bytes of a mark's place: two of the largest words.
pub(super) const MARK_PLACE: usize = 2 * PIECE_UNIT;
/// The end of the last place for a mark.
pub(super) const MARKS_END: usize = HEADER_BYTES + MARKS * MARK_PLACE;
/// The artifact's place in a slot.
pub(super) const MODEL_AT: usize = MARKS_END;
