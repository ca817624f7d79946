//! The kernels of each instruction set, behind functions that only a value of [`Instructions`] opens.

use super::instructions::{Instructions, Set};
use super::lanes::{Block, LANES, Words, encode_lanes, requantize_lanes, sine_lanes};
use crate::encoding::Encoding;
use crate::layout::BLOCK_ROWS;

/// What is summed over one block: bias + Σ w·x.
#[derive(Clone, Copy)]
pub(super) struct Sum<'a> {
    pub(super) bias: &'a [u32; BLOCK_ROWS],
    /// `[pair of inputs][row]`.
    pub(super) weights: &'a [[u32; BLOCK_ROWS]],
    /// `[pair of inputs][lane]`.
    pub(super) x: &'a [Words],
}

/// Defines a function that calls that of the machine's instruction set.
macro_rules! choose {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $kind:ty),*)) => {
        $(#[$doc])*
        #[inline]
        pub(super) fn $name(instructions: Instructions, $($argument: $kind),*) {
            #[expect(unsafe_code, reason = "the functions need instructions that not every machine has")]
            // SAFETY: a value of `Instructions` is made where the machine and its system were found to have the set.
            unsafe {
                match instructions.set() {
                    Set::Avx2 => avx2::$name($($argument),*),
                    Set::Avx512 => avx512::$name($($argument),*),
                }
            }
        }
    };
}

choose! {
    /// The features of all lanes.
    fn encode(encoding: &Encoding<'_>, points: &[u32], x: &mut [Words])
}
choose! {
    /// The hidden activations of a block, two rows to a word.
    fn requantize_block(accumulators: &Block, multipliers: &[u32; BLOCK_ROWS], pairs: &mut [Words; BLOCK_ROWS / 2])
}
choose! {
    /// The activations of a block of a sine layer, two rows to a word.
    fn sine_block(accumulators: &[Words; BLOCK_ROWS], multipliers: &[u32; BLOCK_ROWS], pairs: &mut [Words; BLOCK_ROWS / 2])
}
choose! {
    /// The accumulators of a block.
    fn accumulate(sum: Sum<'_>, block: &mut Block)
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
            pub(super) fn encode(encoding: &Encoding<'_>, points: &[u32], x: &mut [Words]) {
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

            #[target_feature(enable = $features)]
            pub(super) fn sine_block(
                accumulators: &[Words; BLOCK_ROWS],
                multipliers: &[u32; BLOCK_ROWS],
                pairs: &mut [Words; BLOCK_ROWS / 2],
            ) {
                sine_lanes(accumulators, multipliers, pairs);
            }

            #[target_feature(enable = $features)]
            pub(super) fn accumulate(Sum { bias, weights, x }: Sum<'_>, block: &mut Block) {
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
