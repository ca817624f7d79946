//! The kernels in plain Rust: always compiled, and what every other kernel must equal bit for bit.

use super::{Arithmetic, BLOCK_ROWS, Layer, Point, block_words, requantize, unpack_rows};
use crate::encoding::Encoding;
use crate::float::scalar;
use crate::model::Precision;
use crate::sigmoid;
use crate::trig::mul_high_rounded;

/// Accumulators of one block: `[row][lane]`.
type Block<T, const L: usize> = [[T; L]; BLOCK_ROWS];

/// What a host's compiler vectorizes well. A microcontroller gains nothing by it.
const LANES: usize = if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) { 8 } else { 1 };

/// int8 weights, int16 activations.
pub(crate) struct W8A16;
/// int16 weights, int16 activations.
pub(crate) struct W16A16;
/// Single precision throughout.
pub(crate) struct F32;

impl Arithmetic for W8A16 {
    const LANES: usize = LANES;

    #[inline]
    fn encode(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]) {
        integer_features(encoding, points, x);
    }

    #[inline]
    fn hidden(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32]) {
        if lanes == LANES {
            integer_hidden::<LANES>(layer, Precision::W8A16, y, |bias, weights| {
                accumulate_w8::<LANES>(bias, weights, x)
            });
        } else {
            integer_hidden::<1>(layer, Precision::W8A16, y, |bias, weights| accumulate_w8::<1>(bias, weights, x));
        }
    }

    #[inline]
    fn output(layer: Layer<'_>, lanes: usize, x: &[u32], raw: &mut [i32]) {
        if lanes == LANES {
            integer_output::<LANES>(layer, Precision::W8A16, raw, |bias, weights| {
                accumulate_w8::<LANES>(bias, weights, x)
            });
        } else {
            integer_output::<1>(layer, Precision::W8A16, raw, |bias, weights| accumulate_w8::<1>(bias, weights, x));
        }
    }

    #[inline]
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]) {
        integer_sigmoid(layer, Precision::W8A16, lanes, raw);
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        raw as f32
    }
}

impl Arithmetic for W16A16 {
    const LANES: usize = LANES;

    #[inline]
    fn encode(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]) {
        integer_features(encoding, points, x);
    }

    #[inline]
    fn hidden(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32]) {
        if lanes == LANES {
            integer_hidden::<LANES>(layer, Precision::W16A16, y, |bias, weights| {
                accumulate_w16::<LANES>(bias, weights, x)
            });
        } else {
            integer_hidden::<1>(layer, Precision::W16A16, y, |bias, weights| accumulate_w16::<1>(bias, weights, x));
        }
    }

    #[inline]
    fn output(layer: Layer<'_>, lanes: usize, x: &[u32], raw: &mut [i32]) {
        if lanes == LANES {
            integer_output::<LANES>(layer, Precision::W16A16, raw, |bias, weights| {
                accumulate_w16::<LANES>(bias, weights, x)
            });
        } else {
            integer_output::<1>(layer, Precision::W16A16, raw, |bias, weights| accumulate_w16::<1>(bias, weights, x));
        }
    }

    #[inline]
    fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]) {
        integer_sigmoid(layer, Precision::W16A16, lanes, raw);
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        raw as f32
    }
}

impl Arithmetic for F32 {
    const LANES: usize = LANES;

    #[inline]
    fn encode(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]) {
        float_features(encoding, points, x);
    }

    #[inline]
    fn hidden(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32]) {
        if lanes == LANES {
            float_hidden::<LANES>(layer, x, y);
        } else {
            float_hidden::<1>(layer, x, y);
        }
    }

    #[inline]
    fn output(layer: Layer<'_>, lanes: usize, x: &[u32], raw: &mut [i32]) {
        if lanes == LANES {
            float_output::<LANES>(layer, x, raw);
        } else {
            float_output::<1>(layer, x, raw);
        }
    }

    #[inline]
    fn sigmoid(_: Layer<'_>, _: usize, raw: &mut [i32]) {
        for raw in raw {
            let logit = (f32::from_bits(*raw as u32) * 16_384.0) as i32;
            *raw = (sigmoid::sigmoid(logit) as f32).to_bits() as i32;
        }
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        f32::from_bits(raw as u32)
    }
}

impl<'a> Layer<'a> {
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

/// Encodes into halfwords.
fn integer_features(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]) {
    for (lane, point) in points.iter().enumerate() {
        encoding.encode(point, |k, value| store_halfword(x, k, lane, points.len(), value));
    }
}

/// Encodes into words in single precision.
fn float_features(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]) {
    for (lane, point) in points.iter().enumerate() {
        encoding.encode(point, |k, value| store_float(x, k, lane, points.len(), value));
    }
}

/// Stores feature `k` (1.0 = [`trig::ONE`](crate::trig::ONE)) of a lane as a halfword.
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
fn integer_hidden<const L: usize>(
    layer: Layer<'_>,
    precision: Precision,
    y: &mut [u32],
    accumulate: impl Fn(&[u32; BLOCK_ROWS], &[u32]) -> Block<i32, L>,
) {
    for (block, y) in layer.blocks(precision).zip(y.chunks_exact_mut(BLOCK_ROWS / 2 * L)) {
        let Some((bias, weights, multiplier)) = parts(block) else { return };
        let accumulators = accumulate(bias, weights);
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

#[inline(always)]
fn integer_output<const L: usize>(
    layer: Layer<'_>,
    precision: Precision,
    raw: &mut [i32],
    accumulate: impl Fn(&[u32; BLOCK_ROWS], &[u32]) -> Block<i32, L>,
) {
    for (block, raw) in layer.blocks(precision).zip(raw.chunks_exact_mut(BLOCK_ROWS * L)) {
        let Some((bias, weights, _)) = parts(block) else { return };
        for (raw, accumulator) in raw.iter_mut().zip(accumulate(bias, weights).as_flattened()) {
            *raw = *accumulator;
        }
    }
}

pub(super) fn integer_sigmoid(layer: Layer<'_>, precision: Precision, lanes: usize, raw: &mut [i32]) {
    let mut raw = raw.iter_mut();
    for block in layer.blocks(precision) {
        let Some((_, _, multiplier)) = parts(block) else { return };
        for &multiplier in multiplier {
            for raw in raw.by_ref().take(lanes) {
                *raw = sigmoid::sigmoid(mul_high_rounded(*raw, multiplier as i32));
            }
        }
    }
}

#[inline(always)]
fn halves(word: u32) -> [i32; 2] {
    [i32::from(word as i16), word as i32 >> 16]
}

// The sums below wrap only in a block whose bound `parse` would have refused.

#[inline(always)]
fn accumulate_w8<const L: usize>(bias: &[u32; BLOCK_ROWS], weights: &[u32], x: &[u32]) -> Block<i32, L> {
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

#[inline(always)]
fn accumulate_w16<const L: usize>(bias: &[u32; BLOCK_ROWS], weights: &[u32], x: &[u32]) -> Block<i32, L> {
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
