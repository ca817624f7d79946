//! What is not the instruction sets' own: arrays of lanes, which the compiler vectorizes for each of them.

use crate::encoding::{Encoding, passed_through};
use crate::fixed::{cos_sin, requantize, sine};
use crate::kernels::contract::each_point;
use crate::layout::{BLOCK_ROWS, unpack_rows};
use crate::limits::MAX_INPUTS;

/// Points that are evaluated side by side.
pub(super) const LANES: usize = 64;
/// One word a lane: a pair of activations, or a raw output.
pub(super) type Words = [u32; LANES];
/// Accumulators of one block: `[row][lane]`.
pub(super) type Block = [[i32; LANES]; BLOCK_ROWS];

/// The weights of a `w8a16` block as `w16a16` has them: a word a row, two inputs each.
#[inline(always)]
pub(super) fn unpack<'a>(tiles: &[[u32; 4]], unpacked: &'a mut [[u32; BLOCK_ROWS]]) -> &'a [[u32; BLOCK_ROWS]] {
    let (pairs, _) = unpacked.as_chunks_mut::<2>();
    let mut len = 0;
    for (&[low_0, low_1, high_0, high_1], pairs) in tiles.iter().zip(pairs) {
        let ([even_0, odd_0], [even_2, odd_2]) = (unpack_word(low_0), unpack_word(high_0));
        let ([even_1, odd_1], [even_3, odd_3]) = (unpack_word(low_1), unpack_word(high_1));
        *pairs = [[even_0, odd_0, even_2, odd_2], [even_1, odd_1, even_3, odd_3]];
        len += 2;
    }
    unpacked.get(..len).unwrap_or_default()
}

/// The even and the odd row of two halfwords.
#[inline(always)]
fn unpack_word(word: u32) -> [u32; 2] {
    let ((even_0, odd_0), (even_1, odd_1)) = (unpack_rows(word as i16), unpack_rows((word >> 16) as i16));
    [even_0 as u32 & 0xffff | (even_1 as u32) << 16, odd_0 as u32 & 0xffff | (odd_1 as u32) << 16]
}

/// Features of all lanes: as [`Encoding::encode`], one frequency after the other.
#[inline(always)]
pub(super) fn encode_lanes(encoding: &Encoding<'_>, points: &[u32], x: &mut [Words]) {
    let mut coordinates = [[0; LANES]; MAX_INPUTS];
    for (lane, point) in (0..LANES).zip(each_point(points, LANES)) {
        for (axis, &v) in coordinates.iter_mut().zip(point).take(encoding.inputs()) {
            axis[lane] = v;
        }
    }
    for (j, row) in encoding.frequencies().chunks_exact(encoding.inputs().max(1)).enumerate() {
        let mut phases = [0u32; LANES];
        for (&b, v) in row.iter().zip(&coordinates) {
            // (b·v) >> 16 modulo 2^32 of b = high·2^16 + low, in products of 32 bits.
            let (high, low) = ((b >> 16) as u32, b as u32 & 0xffff);
            for (phase, &v) in phases.iter_mut().zip(v) {
                let turns = high.wrapping_mul(v).wrapping_add(low.wrapping_mul(v >> 16));
                *phase = phase.wrapping_add(turns).wrapping_add(low.wrapping_mul(v & 0xffff) >> 16);
            }
        }
        let (mut cosines, mut sines) = ([0; LANES], [0; LANES]);
        for ((cos, sin), &phase) in cosines.iter_mut().zip(&mut sines).zip(&phases) {
            (*cos, *sin) = cos_sin(phase);
        }
        store(x, j, &cosines);
        store(x, encoding.rows() + j, &sines);
    }
    let first = encoding.inputs() - encoding.passthrough();
    for (i, v) in coordinates.iter().take(encoding.inputs()).skip(first).enumerate() {
        store(x, 2 * encoding.rows() + i, &v.map(passed_through));
    }
}

/// Stores feature `k` of all lanes into its half of their words.
#[inline(always)]
fn store(x: &mut [Words], k: usize, values: &[i32; LANES]) {
    let Some(words) = x.get_mut(k / 2) else { return };
    for (word, &value) in words.iter_mut().zip(values) {
        *word = if k.is_multiple_of(2) {
            *word & 0xffff_0000 | value as u32 & 0xffff
        } else {
            *word & 0xffff | (value as u32) << 16
        };
    }
}

/// Hidden activations of a block, a word for two rows.
#[inline(always)]
pub(super) fn requantize_lanes(
    accumulators: &Block,
    multipliers: &[u32; BLOCK_ROWS],
    pairs: &mut [Words; BLOCK_ROWS / 2],
) {
    let (rows, _) = accumulators.as_chunks::<2>();
    let (multipliers, _) = multipliers.as_chunks::<2>();
    for ((words, [low, high]), &[low_multiplier, high_multiplier]) in pairs.iter_mut().zip(rows).zip(multipliers) {
        for ((word, &low), &high) in words.iter_mut().zip(low).zip(high) {
            let low = requantize(low, low_multiplier as i32);
            let high = requantize(high, high_multiplier as i32);
            *word = low as u32 | (high as u32) << 16;
        }
    }
}

/// Activations of a block of a sine layer, a word for two rows.
#[inline(always)]
pub(super) fn sine_lanes(
    accumulators: &[Words; BLOCK_ROWS],
    multipliers: &[u32; BLOCK_ROWS],
    pairs: &mut [Words; BLOCK_ROWS / 2],
) {
    let (rows, _) = accumulators.as_chunks::<2>();
    let (multipliers, _) = multipliers.as_chunks::<2>();
    for ((words, [low, high]), &[low_multiplier, high_multiplier]) in pairs.iter_mut().zip(rows).zip(multipliers) {
        for ((word, &low), &high) in words.iter_mut().zip(low).zip(high) {
            let low = sine(low.wrapping_mul(low_multiplier));
            let high = sine(high.wrapping_mul(high_multiplier));
            *word = low as u32 & 0xffff | (high as u32) << 16;
        }
    }
}
