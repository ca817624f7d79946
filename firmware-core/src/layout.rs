//! How weights lie in the artifact, and activations in the scratch memory.
//!
//! # Weights
//!
//! Rows come in blocks of four (missing rows are zero), inputs of integer layers in groups of eight (missing inputs
//! have weight zero). A block is a run of words, read once from front to back:
//!
//! ```text
//! f32     [bias ×4]  n   × [w0k w1k w2k w3k]
//! w16a16  [bias ×4]  n/2 × [rows 0, 1, 2, 3: halfwords k, k+1]                                    [multiplier ×4]
//! w8a16   [bias ×4]  n/4 × [rows 0|1: halfwords k … k+3] [rows 2|3: halfwords k … k+3]            [multiplier ×4]
//! ```
//!
//! In `w8a16` two rows share a halfword as the number `256·w_odd + w_even`, with weights in ±127. The low byte is the
//! even row. A dual 16-bit multiply over the whole halfword gives 256·odd + even at once, so that a core with SMLAD
//! unpacks only one of the two rows.
//!
//! # Activations
//!
//! `L` points are evaluated side by side (lanes). Integer activations are halfwords, two to a word: word `(k/2)·L +
//! lane` holds activation k (even: low half). `f32` activations are words: word `k·L + lane`. The accumulators of a
//! sine layer are words before they become activations in the same place, so that its buffer holds a word for each row.

use crate::precision::Precision;

/// Rows that share a block.
pub(crate) const BLOCK_ROWS: usize = 4;
/// Inputs of an integer layer are padded to a multiple of this.
pub(crate) const INPUT_GROUP: usize = 8;

/// Inputs of a layer after padding.
pub(crate) const fn padded_inputs(precision: Precision, inputs: usize) -> usize {
    match precision {
        Precision::F32 => inputs,
        Precision::W8A16 | Precision::W16A16 => inputs.next_multiple_of(INPUT_GROUP),
    }
}

/// Words of the weights of one block of four rows.
pub(crate) const fn block_weight_words(precision: Precision, inputs: usize) -> usize {
    let inputs = padded_inputs(precision, inputs);
    match precision {
        Precision::F32 => BLOCK_ROWS * inputs,
        Precision::W16A16 => BLOCK_ROWS * inputs / 2,
        Precision::W8A16 => BLOCK_ROWS * inputs / 4,
    }
}

/// Words of one block: biases, weights, multipliers.
pub(crate) const fn block_words(precision: Precision, inputs: usize) -> usize {
    let multipliers = if matches!(precision, Precision::F32) { 0 } else { BLOCK_ROWS };
    BLOCK_ROWS + block_weight_words(precision, inputs) + multipliers
}

/// Words that a layer of `rows` rows takes in the artifact.
///
/// ```
/// use firmware_core::{Precision, layout::layer_words};
/// // Three rows of 128 inputs are one block: four biases, 4 · 128 weights of a byte, four multipliers.
/// assert_eq!(layer_words(Precision::W8A16, 128, 3), 4 + 128 + 4);
/// ```
#[must_use]
pub const fn layer_words(precision: Precision, inputs: usize, rows: usize) -> usize {
    rows.div_ceil(BLOCK_ROWS) * block_words(precision, inputs)
}

/// Words that hold `len` activations of one lane, padding included.
pub(crate) const fn activation_words(precision: Precision, len: usize) -> usize {
    match precision {
        Precision::F32 => len.next_multiple_of(BLOCK_ROWS),
        Precision::W8A16 | Precision::W16A16 => len.next_multiple_of(INPUT_GROUP) / 2,
    }
}

/// The two rows of a `w8a16` halfword: (even, odd) from `256·odd + even`.
#[inline(always)]
pub(crate) const fn unpack_rows(halfword: i16) -> (i32, i32) {
    let even = halfword as i8 as i32;
    (even, (halfword as i32 - even) >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halfwords_unpack_to_both_rows() {
        let step = if cfg!(miri) { 127 } else { 1 };
        for even in (-127..=127i32).step_by(step) {
            for odd in (-127..=127i32).step_by(step) {
                assert_eq!(unpack_rows((256 * odd + even) as i16), (even, odd));
            }
        }
    }
}
