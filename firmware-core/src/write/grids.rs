//! Packs the coefficients of grids.

use super::blocks::Cursor;
use super::description::GridLevel;
use crate::artifact::GridShape;
use crate::error::{ParseError, WriteError};

/// The coefficients of a level as the words that hold them: so many bits each, from the least significant bit on,
/// filled with zeros to a whole word. Of a coefficient beyond ±(2^(bits - 1) - 1) the upper bits are lost.
///
/// ```
/// use firmware_core::write::packed;
/// // Two's complement in 4 bits: 1, -1 and 7 are 0001, 1111 and 0111.
/// assert!(packed(4, &[1, -1, 7]).eq([0x7f1]));
/// assert_eq!(packed(6, &[0; 11]).count(), 3); // 66 bits
/// ```
pub fn packed(bits: u8, coefficients: &[i8]) -> impl Iterator<Item = u32> + '_ {
    let bits = u32::from(bits.clamp(1, 8));
    let mut coefficients = coefficients.iter();
    let (mut word, mut filled) = (0u64, 0);
    core::iter::from_fn(move || {
        while filled < u32::BITS
            && let Some(&coefficient) = coefficients.next()
        {
            word |= u64::from(i32::from(coefficient) as u32 & ((1 << bits) - 1)) << filled;
            filled += bits;
        }
        let full = (filled > 0).then_some(word as u32);
        (word, filled) = (word >> u32::BITS, filled.saturating_sub(u32::BITS));
        full
    })
}

impl Cursor<'_> {
    pub(super) fn put_grid(&mut self, shape: GridShape, level: &GridLevel<'_>, inputs: u8) -> Result<(), WriteError> {
        let len =
            level.nodes.iter().try_fold(usize::from(shape.channels), |len, &nodes| len.checked_mul(nodes as usize));
        let axes = usize::from(inputs);
        if level.nodes.len() != axes || level.cells.len() != axes || Some(level.coefficients.len()) != len {
            return Err(WriteError::Parts);
        }
        for (&nodes, &cells) in level.nodes.iter().zip(level.cells) {
            self.put(&[nodes, cells])?;
        }
        let bits = u32::from(shape.bits);
        if !(1..=8).contains(&bits) {
            return Err(WriteError::Invalid(ParseError::Shape));
        }
        let limit = (1i32 << (bits - 1)) - 1;
        // A larger one would lose bits, so that `parse` could not notice it.
        if level.coefficients.iter().any(|&coefficient| i32::from(coefficient).abs() > limit) {
            return Err(WriteError::Invalid(ParseError::Weight));
        }
        packed(shape.bits, level.coefficients).try_for_each(|word| self.put(&[word]))
    }
}
