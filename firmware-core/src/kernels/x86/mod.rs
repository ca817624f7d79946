//! Kernels for desktops with AVX2, or with AVX-512 (F and BW): found out at run time, so that one binary serves every
//! machine. Integer sums are exact, so that their order does not matter.
//!
//! A batch takes [`LANES`] points at once. A vector holds pairs of activations of 8 or 16 of them, one pair of weights
//! is spread over a vector, and a multiplication of pairs with their sum (VPMADDWD) advances one row of these points by
//! two inputs. The rows of `w8a16` that share a halfword are parted once a batch. The encoder and the requantization
//! are the portable arithmetic over arrays of lanes, which the compiler vectorizes.

mod instructions;
mod lanes;
mod sets;
#[cfg(test)]
mod tests;

use super::contract::{Arithmetic, Layer, Results};
use super::portable::{self, Integers, Packing};
use crate::encoding::Encoding;
use crate::grid::Grids;
use crate::layout::{BLOCK_ROWS, padded_inputs};
use crate::limits::{MAX_FREQUENCIES, MAX_INPUTS, MAX_WIDTH};
use crate::precision::Precision;
use core::marker::PhantomData;
use instructions::Instructions;
use lanes::{Block, LANES, unpack};

/// The most words that a pair of inputs of four rows takes in one block.
const MAX_BLOCK_WORDS: usize = {
    let features = padded_inputs(Precision::W16A16, 2 * MAX_FREQUENCIES + MAX_INPUTS);
    let widest = if features > MAX_WIDTH { features } else { MAX_WIDTH };
    BLOCK_ROWS * widest / 2
};

/// The arithmetic of [`Integers`], by vectors where the machine has them and the batch is wide enough.
pub(crate) struct Vectors<A>(PhantomData<A>);
/// int8 weights, int16 activations.
pub(crate) type W8A16 = Vectors<portable::W8A16>;
/// int16 weights, int16 activations.
pub(crate) type W16A16 = Vectors<portable::W16A16>;

impl<P: Packing> Arithmetic for Vectors<Integers<P>> {
    const PRECISION: Precision = P::PRECISION;
    const LANES: usize = LANES;

    #[inline]
    fn batch_lanes() -> usize {
        if Instructions::best().is_some() { LANES } else { Integers::<P>::LANES }
    }

    #[inline]
    fn encode(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        match Instructions::best() {
            Some(instructions) if lanes == LANES => encode(instructions, encoding, points, x),
            _ => Integers::<P>::encode(encoding, points, lanes, x),
        }
    }

    #[inline]
    fn grids(grids: &Grids<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        Integers::<P>::grids(grids, points, lanes, x);
    }

    #[inline]
    fn layer(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32], results: Results) -> Option<()> {
        match (Instructions::best(), results) {
            (Some(instructions), Results::Hidden) if lanes == LANES => hidden::<P>(instructions, layer, x, y),
            (Some(instructions), Results::Raw) if lanes == LANES => {
                output::<P>(instructions, layer, x, bytemuck::must_cast_slice_mut(y));
            }
            _ => return Integers::<P>::layer(layer, lanes, x, y, results),
        }
        Some(())
    }

    #[inline]
    fn sine(layer: Layer<'_>, lanes: usize, y: &mut [u32]) {
        match Instructions::best() {
            Some(instructions) if lanes == LANES => sine::<P>(instructions, layer, y),
            _ => Integers::<P>::sine(layer, lanes, y),
        }
    }

    #[inline]
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]) {
        Integers::<P>::sigmoid(layer, lanes, raw);
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        Integers::<P>::raw_to_f32(raw)
    }
}

fn encode(instructions: Instructions, encoding: &Encoding<'_>, points: &[u32], x: &mut [u32]) {
    let (x, _) = x.as_chunks_mut();
    sets::encode(instructions, encoding, points, x);
}

fn hidden<P: Packing>(instructions: Instructions, layer: Layer<'_>, x: &[u32], y: &mut [u32]) {
    let (y, _) = y.as_chunks_mut();
    let (pairs, _) = y.as_chunks_mut();
    blocks::<P>(instructions, layer, x, |b, accumulators, multipliers| {
        if let Some(pairs) = pairs.get_mut(b) {
            sets::requantize_block(instructions, accumulators, multipliers, pairs);
        }
    });
}

/// Two words a lane take the place of a block's four: never beyond those that are still to be read.
fn sine<P: Packing>(instructions: Instructions, layer: Layer<'_>, y: &mut [u32]) {
    let (rows, _) = y.as_chunks_mut();
    for (b, block) in layer.blocks(P::PRECISION).enumerate() {
        let Some((_, _, multipliers)) = portable::parts(block) else { return };
        let Some(&accumulators) = rows.get(BLOCK_ROWS * b..).and_then(<[_]>::first_chunk) else { return };
        let Some(pairs) = rows.get_mut(BLOCK_ROWS / 2 * b..).and_then(<[_]>::first_chunk_mut) else { return };
        sets::sine_block(instructions, &accumulators, multipliers, pairs);
    }
}

fn output<P: Packing>(instructions: Instructions, layer: Layer<'_>, x: &[u32], raw: &mut [i32]) {
    let mut raw = raw.chunks_exact_mut(BLOCK_ROWS * LANES);
    blocks::<P>(instructions, layer, x, |_, accumulators, _| {
        if let Some(raw) = raw.next() {
            raw.copy_from_slice(accumulators.as_flattened());
        }
    });
}

/// Hands number, accumulators and multipliers of every block to `finish`.
#[inline(always)]
fn blocks<P: Packing>(
    instructions: Instructions,
    layer: Layer<'_>,
    x: &[u32],
    mut finish: impl FnMut(usize, &Block, &[u32; BLOCK_ROWS]),
) {
    let (x, _) = x.as_chunks();
    let mut unpacked = [[0; BLOCK_ROWS]; MAX_BLOCK_WORDS / BLOCK_ROWS];
    let mut accumulators = [[0; LANES]; BLOCK_ROWS];
    for (b, block) in layer.blocks(P::PRECISION).enumerate() {
        let Some((bias, weights, multipliers)) = portable::parts(block) else { return };
        let (weights, _) = weights.as_chunks();
        let weights = if P::PRECISION == Precision::W8A16 { unpack(weights, &mut unpacked) } else { weights };
        sets::accumulate(instructions, sets::Sum { bias, weights, x }, &mut accumulators);
        finish(b, &accumulators, multipliers);
    }
}
