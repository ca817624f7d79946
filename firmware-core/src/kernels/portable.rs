//! The kernels in plain Rust: always compiled, and what every other kernel must equal bit for bit.

use super::{Arithmetic, BLOCK_ROWS, block_words, requantize, unpack_rows};
use crate::model::Precision;
use crate::sigmoid;
use crate::trig::mul_high_rounded;

/// Accumulators of one block: `[row][lane]`.
type Block<T, const L: usize> = [[T; L]; BLOCK_ROWS];

/// int8 weights, int16 activations.
pub(crate) struct W8A16;
/// int16 weights, int16 activations.
pub(crate) struct W16A16;
/// Single precision throughout.
pub(crate) struct F32;

impl Arithmetic for W8A16 {
    #[inline(always)]
    fn store_feature<const L: usize>(x: &mut [u32], k: usize, lane: usize, value: i32) {
        store_halfword::<L>(x, k, lane, value);
    }

    #[inline(never)]
    fn hidden<const L: usize>(layer: &[u32], inputs: usize, x: &[u32], y: &mut [u32]) {
        integer_hidden::<L>(layer, block_words(Precision::W8A16, inputs), y, |bias, weights| {
            accumulate_w8::<L>(bias, weights, x)
        });
    }

    #[inline(never)]
    fn output<const L: usize>(
        layer: &[u32],
        inputs: usize,
        x: &[u32],
        sigmoid: bool,
        emit: impl FnMut(usize, usize, i32),
    ) {
        integer_output::<L>(layer, block_words(Precision::W8A16, inputs), sigmoid, emit, |bias, weights| {
            accumulate_w8::<L>(bias, weights, x)
        });
    }

    #[inline(always)]
    fn raw_to_f32(raw: i32) -> f32 {
        raw as f32
    }
}

impl Arithmetic for W16A16 {
    #[inline(always)]
    fn store_feature<const L: usize>(x: &mut [u32], k: usize, lane: usize, value: i32) {
        store_halfword::<L>(x, k, lane, value);
    }

    #[inline(never)]
    fn hidden<const L: usize>(layer: &[u32], inputs: usize, x: &[u32], y: &mut [u32]) {
        integer_hidden::<L>(layer, block_words(Precision::W16A16, inputs), y, |bias, weights| {
            accumulate_w16::<L>(bias, weights, x)
        });
    }

    #[inline(never)]
    fn output<const L: usize>(
        layer: &[u32],
        inputs: usize,
        x: &[u32],
        sigmoid: bool,
        emit: impl FnMut(usize, usize, i32),
    ) {
        integer_output::<L>(layer, block_words(Precision::W16A16, inputs), sigmoid, emit, |bias, weights| {
            accumulate_w16::<L>(bias, weights, x)
        });
    }

    #[inline(always)]
    fn raw_to_f32(raw: i32) -> f32 {
        raw as f32
    }
}

impl Arithmetic for F32 {
    #[inline(always)]
    fn store_feature<const L: usize>(x: &mut [u32], k: usize, lane: usize, value: i32) {
        if let Some(word) = x.get_mut(k * L + lane) {
            *word = (value as f32).to_bits();
        }
    }

    #[inline(never)]
    fn hidden<const L: usize>(layer: &[u32], inputs: usize, x: &[u32], y: &mut [u32]) {
        let blocks = layer.chunks_exact(block_words(Precision::F32, inputs).max(1));
        for (block, y) in blocks.zip(y.chunks_exact_mut(BLOCK_ROWS * L)) {
            let accumulators = accumulate_f32::<L>(block, x);
            for (y, row) in y.chunks_exact_mut(L).zip(&accumulators) {
                for (y, accumulator) in y.iter_mut().zip(row) {
                    let bits = accumulator.to_bits();
                    *y = bits & !((bits as i32 >> 31) as u32);
                }
            }
        }
    }

    #[inline(never)]
    fn output<const L: usize>(
        layer: &[u32],
        inputs: usize,
        x: &[u32],
        sigmoid: bool,
        mut emit: impl FnMut(usize, usize, i32),
    ) {
        for (b, block) in layer.chunks_exact(block_words(Precision::F32, inputs).max(1)).enumerate() {
            for (r, row) in accumulate_f32::<L>(block, x).iter().enumerate() {
                for (lane, &accumulator) in row.iter().enumerate() {
                    let raw =
                        if sigmoid { sigmoid::sigmoid((accumulator * 16_384.0) as i32) as f32 } else { accumulator };
                    emit(BLOCK_ROWS * b + r, lane, raw.to_bits() as i32);
                }
            }
        }
    }

    #[inline(always)]
    fn raw_to_f32(raw: i32) -> f32 {
        f32::from_bits(raw as u32)
    }
}

#[inline(always)]
fn store_halfword<const L: usize>(x: &mut [u32], k: usize, lane: usize, value: i32) {
    let halfwords: &mut [i16] = bytemuck::cast_slice_mut(x);
    if let Some(slot) = halfwords.get_mut(2 * ((k / 2) * L + lane) + k % 2) {
        *slot = value as i16;
    }
}

/// Splits a block into biases, weights and multipliers.
#[inline(always)]
fn parts(block: &[u32]) -> Option<(&[u32; BLOCK_ROWS], &[u32], &[u32; BLOCK_ROWS])> {
    let (bias, rest) = block.split_first_chunk()?;
    let (weights, multiplier) = rest.split_last_chunk()?;
    Some((bias, weights, multiplier))
}

#[inline(always)]
fn integer_hidden<const L: usize>(
    layer: &[u32],
    block_words: usize,
    y: &mut [u32],
    accumulate: impl Fn(&[u32; BLOCK_ROWS], &[u32]) -> Block<i32, L>,
) {
    for (block, y) in layer.chunks_exact(block_words.max(1)).zip(y.chunks_exact_mut(BLOCK_ROWS / 2 * L)) {
        let Some((bias, weights, multiplier)) = parts(block) else { return };
        let accumulators = accumulate(bias, weights);
        for (pair, y) in y.chunks_exact_mut(L).enumerate() {
            for (lane, y) in y.iter_mut().enumerate() {
                let [low, high] =
                    [2 * pair, 2 * pair + 1].map(|row| match (accumulators.get(row), multiplier.get(row)) {
                        (Some(accumulators), Some(&multiplier)) => requantize(accumulators[lane], multiplier as i32),
                        _ => 0,
                    });
                *y = low as u32 | (high as u32) << 16;
            }
        }
    }
}

#[inline(always)]
fn integer_output<const L: usize>(
    layer: &[u32],
    block_words: usize,
    sigmoid: bool,
    mut emit: impl FnMut(usize, usize, i32),
    accumulate: impl Fn(&[u32; BLOCK_ROWS], &[u32]) -> Block<i32, L>,
) {
    for (b, block) in layer.chunks_exact(block_words.max(1)).enumerate() {
        let Some((bias, weights, multiplier)) = parts(block) else { return };
        for (r, (row, &multiplier)) in accumulate(bias, weights).iter().zip(multiplier).enumerate() {
            for (lane, &accumulator) in row.iter().enumerate() {
                let raw = if sigmoid {
                    sigmoid::sigmoid(mul_high_rounded(accumulator, multiplier as i32))
                } else {
                    accumulator
                };
                emit(BLOCK_ROWS * b + r, lane, raw);
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
    for (tile, x) in weights.chunks_exact(BLOCK_ROWS).zip(x.chunks_exact(L)) {
        for (row, &word) in block.iter_mut().zip(tile) {
            for (accumulator, &x) in row.iter_mut().zip(x) {
                // Rust never fuses these two.
                *accumulator += f32::from_bits(word) * f32::from_bits(x);
            }
        }
    }
    block
}
