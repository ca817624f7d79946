//! What the kernels of every instruction set provide.

use crate::encoding::Encoding;
use crate::layout::{BLOCK_ROWS, block_words};
use crate::limits::MAX_INPUTS;
use crate::precision::Precision;

/// Q0.32 coordinates, of which the first d count.
pub(crate) type Point = [u32; MAX_INPUTS];

/// One layer of a model: `words` are its blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer<'a> {
    pub(crate) words: &'a [u32],
    pub(crate) inputs: usize,
    pub(crate) rows: usize,
}

impl<'a> Layer<'a> {
    /// The blocks of four rows, first to last.
    #[inline(always)]
    pub(super) fn blocks(self, precision: Precision) -> impl Iterator<Item = &'a [u32]> {
        let (mut words, len) = (self.words, block_words(precision, self.inputs));
        // Not chunks_exact, which divides: a core without division would pay for it, and for the panic by zero.
        (0..self.rows.div_ceil(BLOCK_ROWS)).map_while(move |_| {
            let (block, rest) = words.split_at_checked(len)?;
            words = rest;
            Some(block)
        })
    }
}

/// One precision's arithmetic over lanes: 1 or [`Arithmetic::batch_lanes`] of them.
///
/// Buffers come with the lengths that [`layout`](crate::layout) gives them. Where they do not, a kernel stops early or
/// does nothing: it never panics and never reads or writes outside.
pub(crate) trait Arithmetic {
    /// How its numbers are stored.
    const PRECISION: Precision;

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

    /// Turns the accumulators `[row][lane]` of a hidden layer into the activations of a sine layer, where they lie.
    fn sine(layer: Layer<'_>, lanes: usize, y: &mut [u32]);

    /// Turns the accumulators of a sigmoid output layer into raw outputs.
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]);

    /// A raw output as the number that the output map takes.
    fn raw_to_f32(raw: i32) -> f32;
}
