//! Kernels for desktops with AVX2, or with AVX-512 (F and BW): found out at run time, so that one binary serves every
//! machine. Integer sums are exact, so that their order does not matter.
//!
//! A batch takes [`LANES`] points at once. A vector holds pairs of activations of 8 or 16 of them, one pair of weights is
//! spread over a vector, and a multiplication of pairs with their sum (VPMADDWD) advances one row of these points by two inputs. The rows of `w8a16` that share a halfword are parted once a batch. The
//! encoder and the requantization are the portable arithmetic over arrays of lanes, which the compiler vectorizes.

use super::{Arithmetic, BLOCK_ROWS, Layer, Point, padded_inputs, portable, requantize, unpack_rows};
use crate::encoding::{Encoding, passed_through};
use crate::limits::{MAX_FREQUENCIES, MAX_INPUTS, MAX_WIDTH};
use crate::model::Precision;
use crate::trig::cos_sin;

/// Points that are evaluated side by side.
const LANES: usize = 64;
/// The most words that a pair of inputs of four rows takes in one block.
const MAX_BLOCK_WORDS: usize = {
    let features = padded_inputs(Precision::W16A16, 2 * MAX_FREQUENCIES + MAX_INPUTS);
    let widest = if features > MAX_WIDTH { features } else { MAX_WIDTH };
    BLOCK_ROWS * widest / 2
};

/// One word a lane: a pair of activations, or a raw output.
type Words = [u32; LANES];
/// Accumulators of one block: `[row][lane]`.
type Block = [[i32; LANES]; BLOCK_ROWS];

/// int8 weights, int16 activations.
pub(crate) struct W8A16;
/// int16 weights, int16 activations.
pub(crate) struct W16A16;

cpufeatures::new!(has_avx2, "avx2");
cpufeatures::new!(has_avx512, "avx512f", "avx512bw");

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Avx2,
    Avx512,
}

impl Instructions {
    #[inline]
    fn best() -> Option<Self> {
        if has_avx512::get() {
            Some(Self::Avx512)
        } else if has_avx2::get() {
            Some(Self::Avx2)
        } else {
            None
        }
    }
}

macro_rules! arithmetic {
    ($name:ident) => {
        impl Arithmetic for $name {
            const LANES: usize = LANES;

            #[inline]
            fn batch_lanes() -> usize {
                if Instructions::best().is_some() { LANES } else { portable::$name::LANES }
            }

            #[inline]
            fn encode(encoding: &Encoding<'_>, points: &[Point], x: &mut [u32]) {
                match (Instructions::best(), points.first_chunk()) {
                    (Some(instructions), Some(points)) => encode(instructions, encoding, points, x),
                    _ => portable::$name::encode(encoding, points, x),
                }
            }

            #[inline]
            fn hidden(layer: Layer<'_>, lanes: usize, x: &[u32], y: &mut [u32]) {
                match Instructions::best() {
                    Some(instructions) if lanes == LANES => hidden(instructions, Precision::$name, layer, x, y),
                    _ => portable::$name::hidden(layer, lanes, x, y),
                }
            }

            #[inline]
            fn output(layer: Layer<'_>, lanes: usize, x: &[u32], raw: &mut [i32]) {
                match Instructions::best() {
                    Some(instructions) if lanes == LANES => output(instructions, Precision::$name, layer, x, raw),
                    _ => portable::$name::output(layer, lanes, x, raw),
                }
            }

            #[inline]
            fn sigmoid(layer: Layer<'_>, lanes: usize, raw: &mut [i32]) {
                portable::$name::sigmoid(layer, lanes, raw);
            }

            #[inline]
            fn raw_to_f32(raw: i32) -> f32 {
                portable::$name::raw_to_f32(raw)
            }
        }
    };
}

arithmetic!(W8A16);
arithmetic!(W16A16);

/// Calls the function of an instruction set.
macro_rules! call {
    ($instructions:expr, $function:ident($($argument:expr),*)) => {{
        #[expect(unsafe_code, reason = "the functions need instructions that not every machine has")]
        // SAFETY: a value of `Instructions` comes from `Instructions::best` or a test that has asked the same, so that this
        // machine and its system have the instructions.
        unsafe {
            match $instructions {
                Instructions::Avx2 => avx2::$function($($argument),*),
                Instructions::Avx512 => avx512::$function($($argument),*),
            }
        }
    }};
}

fn encode(instructions: Instructions, encoding: &Encoding<'_>, points: &[Point; LANES], x: &mut [u32]) {
    let (x, _) = x.as_chunks_mut();
    call!(instructions, encode(encoding, points, x));
}

fn hidden(instructions: Instructions, precision: Precision, layer: Layer<'_>, x: &[u32], y: &mut [u32]) {
    let (y, _) = y.as_chunks_mut();
    let (pairs, _) = y.as_chunks_mut();
    blocks(instructions, precision, layer, x, |b, accumulators, multipliers| {
        if let Some(pairs) = pairs.get_mut(b) {
            call!(instructions, requantize_block(accumulators, multipliers, pairs));
        }
    });
}

fn output(instructions: Instructions, precision: Precision, layer: Layer<'_>, x: &[u32], raw: &mut [i32]) {
    let mut raw = raw.chunks_exact_mut(BLOCK_ROWS * LANES);
    blocks(instructions, precision, layer, x, |_, accumulators, _| {
        if let Some(raw) = raw.next() {
            raw.copy_from_slice(accumulators.as_flattened());
        }
    });
}

/// Hands number, accumulators and multipliers of every block to `finish`.
#[inline(always)]
fn blocks(
    instructions: Instructions,
    precision: Precision,
    layer: Layer<'_>,
    x: &[u32],
    mut finish: impl FnMut(usize, &Block, &[u32; BLOCK_ROWS]),
) {
    let (x, _) = x.as_chunks();
    let mut unpacked = [[0; BLOCK_ROWS]; MAX_BLOCK_WORDS / BLOCK_ROWS];
    let mut accumulators = [[0; LANES]; BLOCK_ROWS];
    for (b, block) in layer.blocks(precision).enumerate() {
        let Some((bias, weights, multipliers)) = portable::parts(block) else { return };
        let (weights, _) = weights.as_chunks();
        let weights = if precision == Precision::W8A16 { unpack(weights, &mut unpacked) } else { weights };
        call!(instructions, accumulate(bias, weights, x, &mut accumulators));
        finish(b, &accumulators, multipliers);
    }
}

/// The weights of a `w8a16` block as `w16a16` has them: a word a row, two inputs each.
#[inline(always)]
fn unpack<'a>(tiles: &[[u32; 4]], unpacked: &'a mut [[u32; BLOCK_ROWS]]) -> &'a [[u32; BLOCK_ROWS]] {
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
fn encode_lanes(encoding: &Encoding<'_>, points: &[Point; LANES], x: &mut [Words]) {
    let mut coordinates = [[0; LANES]; MAX_INPUTS];
    for (lane, point) in points.iter().enumerate() {
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
fn requantize_lanes(accumulators: &Block, multipliers: &[u32; BLOCK_ROWS], pairs: &mut [Words; BLOCK_ROWS / 2]) {
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

/// The kernels of one instruction set: vectors of `$width` words, of which a turn of the inner loop takes `$tile`.
macro_rules! instruction_set {
    ($name:ident, $features:literal, $vector:ident, $width:literal, $tile:literal, $splat:ident,
     |$accumulator:ident, $w:ident, $x:ident| $multiply_add:expr) => {
        mod $name {
            use core::arch::x86_64::*;

            use super::*;

            type Vector = [u32; $width];

            #[target_feature(enable = $features)]
            pub(super) fn encode(encoding: &Encoding<'_>, points: &[Point; LANES], x: &mut [Words]) {
                encode_lanes(encoding, points, x);
            }

            #[target_feature(enable = $features)]
            pub(super) fn requantize_block(
                accumulators: &Block,
                multipliers: &[u32; BLOCK_ROWS],
                pairs: &mut [Words; BLOCK_ROWS / 2],
            ) {
                requantize_lanes(accumulators, multipliers, pairs);
            }

            /// bias + Σ w·x of one block: `weights` `[pair of inputs][row]`, `x` `[pair of inputs][lane]`.
            #[target_feature(enable = $features)]
            pub(super) fn accumulate(
                bias: &[u32; BLOCK_ROWS],
                weights: &[[u32; BLOCK_ROWS]],
                x: &[Words],
                block: &mut Block,
            ) {
                for tile in 0..LANES / ($tile * $width) {
                    let mut sums = bias.map(|bias| [$splat(bias as i32); $tile]);
                    for (weights, x) in weights.iter().zip(x) {
                        let (x, _) = x.as_chunks::<$width>();
                        let (x, _) = x.as_chunks::<$tile>();
                        let x = x[tile].map(|x| bytemuck::must_cast::<Vector, $vector>(x));
                        for (sums, &weight) in sums.iter_mut().zip(weights) {
                            let $w = $splat(weight as i32);
                            for ($accumulator, &$x) in sums.iter_mut().zip(&x) {
                                *$accumulator = $multiply_add;
                            }
                        }
                    }
                    for (row, sums) in block.iter_mut().zip(sums) {
                        let (row, _) = row.as_chunks_mut::<$width>();
                        let (row, _) = row.as_chunks_mut::<$tile>();
                        row[tile] = sums.map(|sum| bytemuck::must_cast(sum));
                    }
                }
            }
        }
    };
}

instruction_set!(avx2, "avx2", __m256i, 8, 2, _mm256_set1_epi32, |sum, w, x| {
    _mm256_add_epi32(*sum, _mm256_madd_epi16(w, x))
});
instruction_set!(avx512, "avx512f,avx512bw", __m512i, 16, 4, _mm512_set1_epi32, |sum, w, x| {
    _mm512_add_epi32(*sum, _mm512_madd_epi16(w, x))
});

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::super::{activation_words, block_weight_words, layer_words};
    use super::*;

    /// What this machine has; where that is nothing, there is nothing to test.
    fn instruction_sets() -> impl Iterator<Item = Instructions> {
        let avx2 = has_avx2::get().then_some(Instructions::Avx2);
        avx2.into_iter().chain(has_avx512::get().then_some(Instructions::Avx512))
    }

    fn words(len: usize, state: &mut u32) -> Vec<u32> {
        let mut next = || {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.rotate_left(16) ^ *state
        };
        (0..len).map(|_| next()).collect()
    }

    /// A layer whose numbers are as large as `parse` lets them be, and of either sign.
    fn layer_of(precision: Precision, inputs: usize, rows: usize, state: &mut u32) -> Vec<u32> {
        let mut layer = words(layer_words(precision, inputs, rows), state);
        let weights = block_weight_words(precision, inputs);
        for block in layer.chunks_exact_mut(2 * BLOCK_ROWS + weights) {
            let halfwords: &mut [i16] = bytemuck::must_cast_slice_mut(&mut block[BLOCK_ROWS..BLOCK_ROWS + weights]);
            for (k, weight) in halfwords.iter_mut().enumerate() {
                let byte = |bits: i16| if k % 7 == 0 { 127 * bits.signum() } else { (bits as i8).max(-127).into() };
                *weight = match precision {
                    Precision::W8A16 => byte(*weight).wrapping_add(byte(*weight >> 8) << 8),
                    _ => (i32::from(*weight) * 65_535 / (inputs as i32 * 32_768)) as i16,
                };
            }
            for bias in &mut block[..BLOCK_ROWS] {
                *bias = (*bias as i32 >> 9) as u32;
            }
            for multiplier in &mut block[BLOCK_ROWS + weights..] {
                *multiplier >>= 1;
            }
        }
        layer
    }

    /// The words of one lane.
    fn lane_of(words: &[u32], lane: usize) -> Vec<u32> {
        words.iter().skip(lane).step_by(LANES).copied().collect()
    }

    fn layers_agree<A: Arithmetic>(precision: Precision) {
        let mut state = 1;
        for instructions in instruction_sets() {
            for (inputs, rows) in (1..=67).map(|n| (n, 68 - n)).chain([(2064, 5), (256, 128)]) {
                let layer_words = layer_of(precision, inputs, rows, &mut state);
                let layer = Layer { words: &layer_words, inputs, rows };
                // Activations are never negative, features are: any halfword but -32768 occurs.
                let x = words(LANES * activation_words(precision, inputs), &mut state);
                let x: Vec<u32> =
                    x.into_iter().map(|x| x & 0x7fff_ffff ^ (x >> 3 & 0x8000_8000) | 0x0001_0001).collect();
                let len = activation_words(precision, rows);
                let (mut y, mut raw) = (vec![0; LANES * len], vec![0; LANES * rows.next_multiple_of(BLOCK_ROWS)]);
                hidden(instructions, precision, layer, &x, &mut y);
                output(instructions, precision, layer, &x, &mut raw);
                for lane in 0..LANES {
                    let (mut expected, mut expected_raw) = (vec![0; len], vec![0; raw.len() / LANES]);
                    A::hidden(layer, 1, &lane_of(&x, lane), &mut expected);
                    A::output(layer, 1, &lane_of(&x, lane), &mut expected_raw);
                    assert_eq!(lane_of(&y, lane), expected, "{instructions:?}, {inputs} inputs, {rows} rows");
                    let raw: Vec<i32> = raw.iter().skip(lane).step_by(LANES).copied().collect();
                    assert_eq!(raw, expected_raw, "{instructions:?}, {inputs} inputs, {rows} rows");
                }
            }
        }
    }

    #[test]
    fn w8a16_layers_equal_the_portable_ones() {
        layers_agree::<portable::W8A16>(Precision::W8A16);
    }

    #[test]
    fn w16a16_layers_equal_the_portable_ones() {
        layers_agree::<portable::W16A16>(Precision::W16A16);
    }

    #[test]
    fn encoders_equal_the_portable_one() {
        let mut state = 2;
        for instructions in instruction_sets() {
            for rows in 0..=67 {
                let inputs = 1 + rows % MAX_INPUTS;
                let frequencies = words(rows * inputs, &mut state);
                let frequencies: &[i32] = bytemuck::must_cast_slice(&frequencies);
                let encoding = Encoding::new(inputs, frequencies, (inputs - 1).max(usize::from(rows == 0))).unwrap();
                let mut points = [[0; MAX_INPUTS]; LANES];
                for (lane, point) in points.iter_mut().enumerate() {
                    let random = words(MAX_INPUTS, &mut state);
                    let extremes = [0, u32::MAX, 1 << 31, (1 << 31) - 1];
                    for (d, (v, random)) in point.iter_mut().zip(random).enumerate() {
                        *v = if lane < 16 { extremes[(lane >> (2 * (d % 2))) % 4] } else { random };
                    }
                }
                let len = encoding.features_len().div_ceil(2);
                let mut x = words(LANES * len, &mut state);
                encode(instructions, &encoding, &points, &mut x);
                for (lane, point) in points.iter().enumerate() {
                    let mut expected = vec![0; 2 * len];
                    encoding.encode_into(point, &mut expected);
                    let features: Vec<u32> = lane_of(&x, lane);
                    let features: &[i16] = bytemuck::must_cast_slice(&features);
                    assert_eq!(features[..encoding.features_len()], expected[..encoding.features_len()]);
                }
            }
        }
    }
}
