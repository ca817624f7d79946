//! What the kernels of every instruction set provide.

use crate::encoding::Encoding;
use crate::grid::Grids;
use crate::layout::{BLOCK_ROWS, block_words};
use crate::precision::Precision;

/// The least number of coordinates that a point has in memory: kernels read two at once, also where only one counts.
pub(crate) const MIN_COORDINATES: usize = 2;

/// Each of the points `[lane][coordinate]`, of which all have as many coordinates in memory.
#[inline(always)]
pub(crate) fn each_point(mut points: &[u32], lanes: usize) -> impl Iterator<Item = &[u32]> {
    let stride = if lanes == 1 { points.len() } else { points.len().checked_div(lanes).unwrap_or(0) };
    // Not chunks_exact, which could panic.
    (0..lanes).map_while(move |_| {
        let (point, rest) = points.split_at_checked(stride)?;
        points = rest;
        Some(point)
    })
}

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

/// What a layer writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Results {
    /// Activations of the precision.
    Hidden,
    /// Accumulators, a word each.
    Raw,
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

    /// The most lanes of a model with grids.
    const GRID_LANES: usize = Self::LANES;

    /// Points that a batch gains by evaluating side by side, on this machine.
    #[inline]
    fn batch_lanes() -> usize {
        Self::LANES
    }

    /// The features of one point a lane: Q0.32 coordinates `[lane][coordinate]`, [`MIN_COORDINATES`] or more of them,
    /// of which the first d count.
    fn encode(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]);

    /// The features of such points from grids, of at most [`Arithmetic::GRID_LANES`]; of a table the raw outputs
    /// `[row][lane]`.
    fn grids(grids: &Grids<'_>, points: &[u32], lanes: usize, x: &mut [u32]);

    /// A layer from `x` to `y`: activations, or accumulators `[row][lane]`; rows of padding included. `None` where a
    /// buffer is too short.
    fn layer(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32], results: Results) -> Option<()>;

    /// Turns the accumulators `[row][lane]` of a hidden layer into the activations of a sine layer, where they lie.
    fn sine(layer: Layer<'_>, lanes: usize, y: &mut [u32]);

    /// Turns the accumulators of a sigmoid output layer into raw outputs.
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]);

    /// A raw output as the number that the output map takes.
    fn raw_to_f32(raw: i32) -> f32;
}
