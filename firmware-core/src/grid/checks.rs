//! What makes grids impossible to read outside of, and their sums impossible to overflow.

use super::Grids;
use super::level::{Level, split_level};
use crate::artifact::GridShape;
use crate::error::ParseError;
use crate::limits::{MAX_GRID_CHANNELS, MAX_GRID_INPUTS, MAX_GRID_LEVELS};

impl<'a> Grids<'a> {
    /// Checks the grids at the front of `words`; the words behind them.
    pub(crate) fn split(
        shape: GridShape,
        inputs: usize,
        periodic: u16,
        words: &'a [u32],
    ) -> Result<(Self, &'a [u32]), ParseError> {
        let GridShape { levels, channels, order, bits, .. } = shape;
        let fits = (1..=MAX_GRID_INPUTS).contains(&inputs)
            && (1..=MAX_GRID_LEVELS).contains(&usize::from(levels))
            && (1..=MAX_GRID_CHANNELS).contains(&usize::from(channels))
            && (1..=2).contains(&order)
            && (4..=8).contains(&bits);
        if !fits {
            return Err(ParseError::Shape);
        }
        let mut rest = words;
        for _ in 0..levels {
            let axes = rest.get(..2 * inputs).ok_or(ParseError::Truncated)?;
            for (k, axis) in axes.as_chunks::<2>().0.iter().enumerate() {
                check_axis(axis, u32::from(order), periodic >> k & 1 == 1)?;
            }
            let nodes = axes.as_chunks::<2>().0.iter().map(|&[nodes, _]| nodes);
            // More of them than can be counted are also more than there are.
            shape.coefficient_words(nodes).ok_or(ParseError::Truncated)?;
            let level;
            (level, rest) = split_level(shape, inputs, rest).ok_or(ParseError::Truncated)?;
            check_coefficients(&level)?;
        }
        let len = words.len() - rest.len();
        Ok((Self::checked(shape, inputs, words.get(..len).unwrap_or(words)), rest))
    }
}

fn check_axis(&[nodes, cells]: &[u32; 2], order: u32, is_periodic: bool) -> Result<(), ParseError> {
    // A whole part of 16 bits counts the cells, so that there are not more of them.
    let fits = nodes > order
        && nodes < 1 << 16
        && if is_periodic { cells == nodes << 16 } else { cells > 0 && cells <= (nodes - order) << 16 };
    if fits { Ok(()) } else { Err(ParseError::Shape) }
}

fn check_coefficients(level: &Level<'_>) -> Result<(), ParseError> {
    let most_negative = -(1i32 << (level.bits - 1));
    if level.coefficients().any(|coefficient| i32::from(coefficient) == most_negative) {
        return Err(ParseError::Weight);
    }
    let used = level.nodes().fold(level.channels * level.bits, |bits, nodes| bits.wrapping_mul(nodes));
    // Less than a word is left.
    let padding = level.coefficients.last().map_or(0, |word| word >> (used % 32));
    if used % 32 != 0 && padding != 0 { Err(ParseError::Weight) } else { Ok(()) }
}
