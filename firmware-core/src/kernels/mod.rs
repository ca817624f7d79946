//! Dense layers: the arithmetic of each precision, and how weights and activations lie in memory.
//!
//! # Arithmetic
//!
//! For every output row r of a layer with inputs a_0 … a_{n-1}:
//!
//! | precision | accumulator | hidden activation |
//! | --- | --- | --- |
//! | `f32` | acc = bias_r, then acc = acc + (w_rk · a_k) for k = 0, 1, …; two roundings a step, never fused | acc where its sign bit is clear, else +0 |
//! | `w8a16`, `w16a16` | bias_r + Σ w_rk·a_k in 32 bits, exact by the bound that `parse` checks | `(acc·multiplier_r + 2³¹) >> 32`, confined to 0 ..= 32767 |
//!
//! A linear output hands its accumulator to the output map. A sigmoid one turns it into a Q14 logit first (`f32`: times
//! 16384, truncated; integers: `(acc·multiplier_r + 2³¹) >> 32`) and hands over [`sigmoid`](crate::sigmoid::sigmoid) of it.
//!
//! # Weights
//!
//! Rows come in blocks of four (missing rows are zero), inputs of integer layers in groups of eight (missing inputs have
//! weight zero). A block is a run of words, read once from front to back:
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
//! `L` points are evaluated side by side (lanes). Integer activations are halfwords, two to a word: word `(k/2)·L + lane`
//! holds activation k (even: low half). `f32` activations are words: word `k·L + lane`.

#[cfg(any(kernels = "dsp", kernels = "mve", kernels = "v7m", kernels = "thumb1"))]
mod assembly;
#[cfg(kernels = "dsp")]
mod dsp;
#[cfg(any(kernels = "dsp", kernels = "mve"))]
mod dsp_encoder;
#[cfg(kernels = "mve")]
mod mve;
pub(crate) mod portable;
#[cfg(kernels = "thumb1")]
mod thumb1;
#[cfg(kernels = "v7m")]
mod v7m;
#[cfg(all(kernels_fpu, any(kernels = "dsp", kernels = "mve")))]
mod vfp;
#[cfg(kernels = "x86")]
mod x86;

#[cfg(kernels = "dsp")]
pub(crate) use dsp::{W8A16, W16A16};
#[cfg(kernels = "mve")]
pub(crate) use mve::{W8A16, W16A16};
#[cfg(not(all(kernels_fpu, any(kernels = "dsp", kernels = "mve"))))]
pub(crate) use portable::F32;
#[cfg(kernels = "portable")]
pub(crate) use portable::{W8A16, W16A16};
#[cfg(kernels = "thumb1")]
pub(crate) use thumb1::{W8A16, W16A16};
#[cfg(kernels = "v7m")]
pub(crate) use v7m::{W8A16, W16A16};
#[cfg(all(kernels_fpu, any(kernels = "dsp", kernels = "mve")))]
pub(crate) use vfp::F32;
#[cfg(kernels = "x86")]
pub(crate) use x86::{W8A16, W16A16};

use crate::encoding::Encoding;
use crate::limits::MAX_INPUTS;
use crate::model::Precision;
use crate::trig::mul_high_rounded;

/// Rows that share a block.
pub const BLOCK_ROWS: usize = 4;
/// Inputs of an integer layer are padded to a multiple of this.
pub const INPUT_GROUP: usize = 8;
/// The largest activation.
pub const ACTIVATION_MAX: i32 = 32767;

/// Points that a batch evaluates side by side where the scratch has room.
pub(crate) fn batch_lanes(precision: Precision) -> usize {
    match precision {
        Precision::F32 => F32::batch_lanes(),
        Precision::W8A16 => W8A16::batch_lanes(),
        Precision::W16A16 => W16A16::batch_lanes(),
    }
}

/// The most lanes of any precision.
pub(crate) const MAX_LANES: usize = {
    let wider = if W8A16::LANES > W16A16::LANES { W8A16::LANES } else { W16A16::LANES };
    if wider > F32::LANES { wider } else { F32::LANES }
};

/// Inputs of a layer after padding.
#[must_use]
pub const fn padded_inputs(precision: Precision, inputs: usize) -> usize {
    match precision {
        Precision::F32 => inputs,
        Precision::W8A16 | Precision::W16A16 => inputs.next_multiple_of(INPUT_GROUP),
    }
}

/// Words of the weights of one block of four rows.
#[must_use]
pub const fn block_weight_words(precision: Precision, inputs: usize) -> usize {
    let inputs = padded_inputs(precision, inputs);
    match precision {
        Precision::F32 => BLOCK_ROWS * inputs,
        Precision::W16A16 => BLOCK_ROWS * inputs / 2,
        Precision::W8A16 => BLOCK_ROWS * inputs / 4,
    }
}

/// Words of one block: biases, weights, multipliers.
#[must_use]
pub const fn block_words(precision: Precision, inputs: usize) -> usize {
    let multipliers = if matches!(precision, Precision::F32) { 0 } else { BLOCK_ROWS };
    BLOCK_ROWS + block_weight_words(precision, inputs) + multipliers
}

/// Words of a layer of `rows` rows.
#[must_use]
pub const fn layer_words(precision: Precision, inputs: usize, rows: usize) -> usize {
    rows.div_ceil(BLOCK_ROWS) * block_words(precision, inputs)
}

/// Words that hold `len` activations of one lane, padding included.
#[must_use]
pub const fn activation_words(precision: Precision, len: usize) -> usize {
    match precision {
        Precision::F32 => len.next_multiple_of(BLOCK_ROWS),
        Precision::W8A16 | Precision::W16A16 => len.next_multiple_of(INPUT_GROUP) / 2,
    }
}

/// The two rows of a `w8a16` halfword: (even, odd) from `256·odd + even`.
#[inline(always)]
#[must_use]
pub const fn unpack_rows(halfword: i16) -> (i32, i32) {
    let even = halfword as i8 as i32;
    (even, (halfword as i32 - even) >> 8)
}

/// The hidden activation of an integer layer.
#[inline(always)]
#[must_use]
pub const fn requantize(accumulator: i32, multiplier: i32) -> i32 {
    let scaled = mul_high_rounded(accumulator, multiplier);
    // Not Ord::clamp, which is not const.
    if scaled < 0 {
        0
    } else if scaled > ACTIVATION_MAX {
        ACTIVATION_MAX
    } else {
        scaled
    }
}

/// One layer of a model: `words` are its blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer<'a> {
    pub(crate) words: &'a [u32],
    pub(crate) inputs: usize,
    pub(crate) rows: usize,
}

/// One precision's arithmetic over lanes: 1 or [`Arithmetic::batch_lanes`] of them.
///
/// Buffers come with the lengths that the module describes. Where they do not, a kernel stops early or does nothing: it
/// never panics and never reads or writes outside.
pub(crate) trait Arithmetic {
    /// The most lanes.
    const LANES: usize;

    /// Points that a batch gains by evaluating side by side, on this machine.
    #[inline]
    fn batch_lanes() -> usize {
        Self::LANES
    }

    /// The features of as many points as there are lanes.
    fn encode(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]);

    /// A hidden layer from `x` to `y`.
    fn hidden(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32]);

    /// The accumulators of the output layer, `[row][lane]`, rows of padding included.
    fn output(layer: Layer<'_>, lanes: usize, x: &[u32], raw: &mut [i32]);

    /// Turns the accumulators of a sigmoid output layer into raw outputs.
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]);

    /// A raw output as the number that the output map takes.
    fn raw_to_f32(raw: i32) -> f32;
}

/// Q0.32 coordinates, of which the first d count.
pub(crate) type Point = [u32; MAX_INPUTS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halfwords_unpack_to_both_rows() {
        for even in -127..=127i32 {
            for odd in -127..=127i32 {
                assert_eq!(unpack_rows((256 * odd + even) as i16), (even, odd));
            }
        }
    }

    #[test]
    fn requantization_rounds_half_up_and_saturates() {
        assert_eq!(requantize(1 << 16, 1 << 16), 1);
        assert_eq!(requantize(1 << 15, 1 << 16), 1, "one half rounds up");
        assert_eq!(requantize((1 << 15) - 1, 1 << 16), 0);
        assert_eq!(requantize(-5 << 20, 1 << 20), 0);
        assert_eq!(requantize(i32::MAX, i32::MAX), 32767);
    }
}
