//! The kernels in plain Rust: always compiled, and what every other kernel must equal bit for bit.

use super::contract::{Arithmetic, Layer, Results, each_point};
use crate::artifact::GridUse;
use crate::encoding::Encoding;
use crate::fixed::{self, mul_high_rounded, requantize};
use crate::float::scalar;
use crate::grid::{Grids, rounded};
use crate::layout::{BLOCK_ROWS, unpack_rows};
use crate::precision::Precision;
use core::marker::PhantomData;

/// Accumulators of one block: `[row][lane]`.
pub(crate) type Block<T, const L: usize> = [[T; L]; BLOCK_ROWS];

/// What a host's compiler vectorizes well. A microcontroller gains nothing by it.
const LANES: usize = if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) { 8 } else { 1 };

/// How the weights of an integer precision are packed: all in which the two differ.
pub(crate) trait Packing {
    const PRECISION: Precision;

    /// bias + Σ w·x of one block.
    fn accumulate<const L: usize>(bias: &[u32; BLOCK_ROWS], weights: &[u32], x: &[u32]) -> Block<i32, L>;
}

/// Two rows' weights of a byte share a halfword.
pub(crate) struct Bytes;
/// Every weight is a halfword.
pub(crate) struct Halfwords;

/// int16 activations, and weights in one of the two packings.
pub(crate) struct Integers<P>(PhantomData<P>);
/// int8 weights, int16 activations.
pub(crate) type W8A16 = Integers<Bytes>;
/// int16 weights, int16 activations.
pub(crate) type W16A16 = Integers<Halfwords>;
/// Single precision throughout.
pub(crate) struct F32;

impl<P: Packing> Arithmetic for Integers<P> {
    const PRECISION: Precision = P::PRECISION;
    const LANES: usize = LANES;

    #[inline]
    fn encode(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        for (lane, point) in each_point(points, lanes).enumerate() {
            encoding.encode(point, |k, value| store_halfword(x, k, lane, lanes, value));
        }
    }

    #[inline]
    fn grids(grids: &Grids<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        let is_table = grids.shape().used_as == GridUse::Outputs;
        for (lane, point) in each_point(points, lanes).enumerate() {
            grids.evaluate(point, |k, sum| {
                if !is_table {
                    store_halfword(x, k, lane, lanes, rounded(sum));
                } else if let Some(word) = x.get_mut(k * lanes + lane) {
                    *word = sum as u32;
                }
            });
        }
    }

    #[inline]
    fn layer(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32], results: Results) -> Option<()> {
        let is_wide = lanes == LANES;
        match results {
            Results::Hidden if is_wide => integer_hidden::<P, LANES>(layer, x, y),
            Results::Hidden => integer_hidden::<P, 1>(layer, x, y),
            Results::Raw if is_wide => integer_output::<P, LANES>(layer, x, bytemuck::must_cast_slice_mut(y)),
            Results::Raw => integer_output::<P, 1>(layer, x, bytemuck::must_cast_slice_mut(y)),
        }
        Some(())
    }

    #[inline]
    fn sine(layer: Layer<'_>, lanes: usize, y: &mut [u32]) {
        if lanes == LANES {
            integer_sine::<P, LANES>(layer, y);
        } else {
            integer_sine::<P, 1>(layer, y);
        }
    }

    #[inline]
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]) {
        let mut raw = raw.iter_mut();
        for block in layer.blocks(P::PRECISION) {
            let Some((_, _, multiplier)) = parts(block) else { return };
            for &multiplier in multiplier {
                for raw in raw.by_ref().take(lanes) {
                    *raw = fixed::sigmoid(mul_high_rounded(*raw, multiplier as i32));
                }
            }
        }
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        raw as f32
    }
}

impl Arithmetic for F32 {
    const PRECISION: Precision = Precision::F32;
    const LANES: usize = LANES;

    #[inline]
    fn encode(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        for (lane, point) in each_point(points, lanes).enumerate() {
            encoding.encode(point, |k, value| store_float(x, k, lane, lanes, value));
        }
    }

    #[inline]
    fn grids(grids: &Grids<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        for (lane, point) in each_point(points, lanes).enumerate() {
            grids.evaluate(point, |k, sum| store_float(x, k, lane, lanes, rounded(sum)));
        }
    }

    #[inline]
    fn layer(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32], results: Results) -> Option<()> {
        let is_wide = lanes == LANES;
        match results {
            Results::Hidden if is_wide => float_hidden::<LANES>(layer, x, y),
            Results::Hidden => float_hidden::<1>(layer, x, y),
            Results::Raw if is_wide => float_output::<LANES>(layer, x, bytemuck::must_cast_slice_mut(y)),
            Results::Raw => float_output::<1>(layer, x, bytemuck::must_cast_slice_mut(y)),
        }
        Some(())
    }

    #[inline]
    fn sine(_: Layer<'_>, _: usize, y: &mut [u32]) {
        for y in y {
            let phase = fixed::phase_of_turns(f32::from_bits(*y));
            *y = (fixed::sine(phase) as f32).to_bits();
        }
    }

    #[inline]
    fn sigmoid(_: Layer<'_>, _: usize, raw: &mut [i32]) {
        for raw in raw {
            let logit = (f32::from_bits(*raw as u32) * 16_384.0) as i32;
            *raw = (fixed::sigmoid(logit) as f32).to_bits() as i32;
        }
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        f32::from_bits(raw as u32)
    }
}

/// Stores feature `k` (1.0 = [`fixed::ONE`]) of a lane as a halfword.
#[inline(always)]
pub(super) fn store_halfword(x: &mut [u32], k: usize, lane: usize, lanes: usize, value: i32) {
    let halfwords: &mut [i16] = bytemuck::must_cast_slice_mut(x);
    if let Some(slot) = halfwords.get_mut(2 * ((k / 2) * lanes + lane) + k % 2) {
        *slot = value as i16;
    }
}

/// Stores feature `k` of a lane in single precision.
#[inline(always)]
pub(super) fn store_float(x: &mut [u32], k: usize, lane: usize, lanes: usize, value: i32) {
    if let Some(word) = x.get_mut(k * lanes + lane) {
        *word = (value as f32).to_bits();
    }
}

/// Splits a block into biases, weights and multipliers.
#[inline(always)]
pub(super) fn parts(block: &[u32]) -> Option<(&[u32; BLOCK_ROWS], &[u32], &[u32; BLOCK_ROWS])> {
    let (bias, rest) = block.split_first_chunk()?;
    let (weights, multiplier) = rest.split_last_chunk()?;
    Some((bias, weights, multiplier))
}

fn float_hidden<const L: usize>(layer: Layer<'_>, x: &[u32], y: &mut [u32]) {
    for (block, y) in layer.blocks(Precision::F32).zip(y.chunks_exact_mut(BLOCK_ROWS * L)) {
        let accumulators = accumulate_f32::<L>(block, x);
        for (y, accumulator) in y.iter_mut().zip(accumulators.as_flattened()) {
            let bits = accumulator.to_bits();
            *y = bits & !((bits as i32 >> 31) as u32);
        }
    }
}

fn float_output<const L: usize>(layer: Layer<'_>, x: &[u32], raw: &mut [i32]) {
    for (block, raw) in layer.blocks(Precision::F32).zip(raw.chunks_exact_mut(BLOCK_ROWS * L)) {
        for (raw, accumulator) in raw.iter_mut().zip(accumulate_f32::<L>(block, x).as_flattened()) {
            *raw = accumulator.to_bits() as i32;
        }
    }
}

#[inline(always)]
fn integer_hidden<P: Packing, const L: usize>(layer: Layer<'_>, x: &[u32], y: &mut [u32]) {
    for (block, y) in layer.blocks(P::PRECISION).zip(y.chunks_exact_mut(BLOCK_ROWS / 2 * L)) {
        let Some((bias, weights, multiplier)) = parts(block) else { return };
        let accumulators = P::accumulate::<L>(bias, weights, x);
        for ((y, rows), multipliers) in
            y.chunks_exact_mut(L).zip(accumulators.chunks_exact(2)).zip(multiplier.chunks_exact(2))
        {
            let (&[low, high], &[low_multiplier, high_multiplier]) = (rows, multipliers) else { continue };
            for ((y, low), high) in y.iter_mut().zip(low).zip(high) {
                let low = requantize(low, low_multiplier as i32);
                let high = requantize(high, high_multiplier as i32);
                *y = low as u32 | (high as u32) << 16;
            }
        }
    }
}

/// Packs the sines of four rows into two words a lane: never beyond the accumulators that are still to be read.
#[inline(always)]
fn integer_sine<P: Packing, const L: usize>(layer: Layer<'_>, y: &mut [u32]) {
    let (rows, _) = y.as_chunks_mut::<L>();
    let multipliers = layer.blocks(P::PRECISION).filter_map(parts).flat_map(|(_, _, multipliers)| {
        let [a, b, c, d] = *multipliers;
        [[a, b], [c, d]]
    });
    for (pair, [low_multiplier, high_multiplier]) in multipliers.enumerate() {
        let Some(&[low, high]) = rows.get(2 * pair..).and_then(<[_]>::first_chunk) else { return };
        let Some(words) = rows.get_mut(pair) else { return };
        for ((word, low), high) in words.iter_mut().zip(low).zip(high) {
            let low = fixed::sine(low.wrapping_mul(low_multiplier));
            let high = fixed::sine(high.wrapping_mul(high_multiplier));
            *word = low as u32 & 0xffff | (high as u32) << 16;
        }
    }
}

#[inline(always)]
fn integer_output<P: Packing, const L: usize>(layer: Layer<'_>, x: &[u32], raw: &mut [i32]) {
    for (block, raw) in layer.blocks(P::PRECISION).zip(raw.chunks_exact_mut(BLOCK_ROWS * L)) {
        let Some((bias, weights, _)) = parts(block) else { return };
        for (raw, accumulator) in raw.iter_mut().zip(P::accumulate::<L>(bias, weights, x).as_flattened()) {
            *raw = *accumulator;
        }
    }
}

#[inline(always)]
fn halves(word: u32) -> [i32; 2] {
    [i32::from(word as i16), word as i32 >> 16]
}

// The sums below wrap only in a block whose bound `parse` would have refused.

impl Packing for Bytes {
    const PRECISION: Precision = Precision::W8A16;

    #[inline(always)]
    fn accumulate<const L: usize>(bias: &[u32; BLOCK_ROWS], weights: &[u32], x: &[u32]) -> Block<i32, L> {
        let mut block = bias.map(|bias| [bias as i32; L]);
        for (tile, x) in weights.chunks_exact(4).zip(x.chunks_exact(2 * L)) {
            for (rows, tile) in block.chunks_exact_mut(2).zip(tile.chunks_exact(2)) {
                let [even, odd] = rows else { continue };
                for (&word, x) in tile.iter().zip(x.chunks_exact(L)) {
                    let (even_0, odd_0) = unpack_rows(word as i16);
                    let (even_1, odd_1) = unpack_rows((word >> 16) as i16);
                    for ((even, odd), &x) in even.iter_mut().zip(odd.iter_mut()).zip(x) {
                        let [x_0, x_1] = halves(x);
                        *even = even.wrapping_add(even_0.wrapping_mul(x_0).wrapping_add(even_1.wrapping_mul(x_1)));
                        *odd = odd.wrapping_add(odd_0.wrapping_mul(x_0).wrapping_add(odd_1.wrapping_mul(x_1)));
                    }
                }
            }
        }
        block
    }
}

impl Packing for Halfwords {
    const PRECISION: Precision = Precision::W16A16;

    #[inline(always)]
    fn accumulate<const L: usize>(bias: &[u32; BLOCK_ROWS], weights: &[u32], x: &[u32]) -> Block<i32, L> {
        let mut block = bias.map(|bias| [bias as i32; L]);
        for (tile, x) in weights.chunks_exact(BLOCK_ROWS).zip(x.chunks_exact(L)) {
            for (row, &word) in block.iter_mut().zip(tile) {
                let [w_0, w_1] = halves(word);
                for (accumulator, &x) in row.iter_mut().zip(x) {
                    let [x_0, x_1] = halves(x);
                    *accumulator = accumulator.wrapping_add(w_0.wrapping_mul(x_0).wrapping_add(w_1.wrapping_mul(x_1)));
                }
            }
        }
        block
    }
}

#[inline(always)]
fn accumulate_f32<const L: usize>(block: &[u32], x: &[u32]) -> Block<f32, L> {
    let Some((bias, weights)) = block.split_first_chunk::<BLOCK_ROWS>() else { return [[0.0; L]; BLOCK_ROWS] };
    let mut block = bias.map(|bias| [f32::from_bits(bias); L]);
    let ((tiles, _), (x, _)) = (weights.as_chunks::<BLOCK_ROWS>(), x.as_chunks::<L>());
    for (tile, x) in tiles.iter().zip(x) {
        for (row, &word) in block.iter_mut().zip(tile) {
            for (accumulator, &x) in row.iter_mut().zip(x) {
                // Rust never fuses these two.
                *accumulator += scalar(f32::from_bits(word) * f32::from_bits(x));
            }
        }
    }
    block
}
