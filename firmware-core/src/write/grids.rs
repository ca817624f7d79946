//! Packs the coefficients of grids.

use super::blocks::Cursor;
use super::description::GridLevel;
use crate::artifact::GridShape;
use crate::error::{ParseError, WriteError};

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
        let (mut word, mut filled) = (0u64, 0);
        for &coefficient in level.coefficients {
            let coefficient = i32::from(coefficient);
            // A larger one would lose bits here, so that `parse` could not notice it.
            if coefficient.abs() > limit {
                return Err(WriteError::Invalid(ParseError::Weight));
            }
            word |= u64::from(coefficient as u32 & ((1u32 << bits) - 1)) << filled;
            filled += bits;
            if filled >= 32 {
                self.put(&[word as u32])?;
                (word, filled) = (word >> 32, filled - 32);
            }
        }
        if filled > 0 { self.put(&[word as u32]) } else { Ok(()) }
    }
}
