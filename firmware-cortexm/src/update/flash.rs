//! The flash that holds a slot.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;
use firmware_core::update::message::PIECE_UNIT;

use super::layout::MODEL_AT;

/// A part of a NOR flash that the core can also read as memory: internal flash, or a mapped external one.
///
/// Offsets of [`NorFlash`] count from the first byte of the slot. A slot is a whole number of erase blocks, and no
/// block belongs to both slots.
pub trait Slot: NorFlash {
    /// All bytes of the slot where they lie, from a multiple of four on. Where the flash cannot give a word (its error
    /// correction fails on a word whose programming was cut), any bytes stand in its place.
    fn bytes(&self) -> &[u8];
}

/// Why a flash is of no use for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "device", derive(defmt::Format))]
pub enum LayoutError {
    /// The slot is not a whole number of erase blocks, or holds no artifact.
    Size,
    /// A word of the flash is larger than 64 bytes, or does not divide them.
    Word,
    /// [`Slot::bytes`] begins at no multiple of four, or is not as long as the slot.
    Mapping,
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "a slot must be a whole number of erase blocks and hold more than the header",
            Self::Word => "words of the flash must divide 64 bytes",
            Self::Mapping => "a slot must be mapped from a multiple of four on, to its end",
        })
    }
}

impl core::error::Error for LayoutError {}

/// Checks what the store relies on.
pub(super) fn check<S: Slot>(slot: &S) -> Result<(), LayoutError> {
    let capacity = slot.capacity();
    if S::ERASE_SIZE == 0
        || !capacity.is_multiple_of(S::ERASE_SIZE)
        || capacity <= MODEL_AT
        || u32::try_from(capacity).is_err()
    {
        return Err(LayoutError::Size);
    }
    if S::WRITE_SIZE == 0 || !PIECE_UNIT.is_multiple_of(S::WRITE_SIZE) {
        return Err(LayoutError::Word);
    }
    if slot.bytes().len() != capacity || !slot.bytes().as_ptr().cast::<u32>().is_aligned() {
        return Err(LayoutError::Mapping);
    }
    Ok(())
}

/// Erases blocks from the first on until `len` bytes are erased. The first one makes the slot invalid.
pub(super) fn erase<S: Slot>(slot: &mut S, len: usize) -> Result<(), S::Error> {
    let block = S::ERASE_SIZE as u32;
    (0..len.div_ceil(S::ERASE_SIZE) as u32).try_for_each(|number| slot.erase(number * block, (number + 1) * block))
}

/// Writes bytes at a multiple of [`PIECE_UNIT`], filled up with ones to a whole word; whether the flash then holds
/// them.
pub(super) fn write<S: Slot>(slot: &mut S, offset: usize, bytes: &[u8]) -> bool {
    let (words, rest) = bytes.split_at(bytes.len() - bytes.len() % PIECE_UNIT);
    if slot.write(offset as u32, words).is_err() {
        return false;
    }
    if !rest.is_empty() {
        let mut unit = [0xff; PIECE_UNIT];
        let padded = rest.len().next_multiple_of(S::WRITE_SIZE);
        let Some(unit) = unit.get_mut(..padded) else { return false };
        unit.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        if slot.write((offset + words.len()) as u32, unit).is_err() {
            return false;
        }
    }
    slot.bytes().get(offset..offset + bytes.len()) == Some(bytes)
}
