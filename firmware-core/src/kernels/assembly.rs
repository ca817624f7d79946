//! How Rust calls the layers and encoders that are written in assembly, whatever the instruction set.
//!
//! Lengths are checked here, in safe code; one function each makes the call.

use super::portable::{store_float, store_halfword};
use super::{BLOCK_ROWS, Layer, Raw, block_words, padded_inputs};
use crate::encoding::Encoding;
use crate::limits::MAX_INPUTS;
use crate::model::Precision;
use core::ops::Range;

/// What a layer in assembly is to do. The fields' order is known to the assembly.
#[repr(C)]
pub(super) struct LayerCall {
    /// Activations; at least one group of inputs.
    x: *const u32,
    /// Hidden activations, or accumulators `[row][lane]` where `raw` is set.
    y: *mut u32,
    /// End of the blocks.
    words_end: *const u32,
    /// End of the activations.
    x_end: *const u32,
    /// 1: store accumulators; 0: hidden activations.
    raw: u32,
    /// The first block.
    words: *const u32,
}

/// A layer in assembly: reads `words .. words_end` and `x .. x_end`, writes all of `y`.
pub(super) type LayerKernel = unsafe extern "C" fn(call: &LayerCall);

/// Runs a hidden layer; does nothing where a buffer is too short.
#[inline]
pub(super) fn hidden<const L: usize>(
    kernel: LayerKernel,
    precision: Precision,
    layer: Layer<'_>,
    x: &[u32],
    y: &mut [u32],
) {
    let block_y = match precision {
        Precision::F32 => BLOCK_ROWS * L,
        Precision::W8A16 | Precision::W16A16 => BLOCK_ROWS / 2 * L,
    };
    run::<L>(kernel, precision, layer, x, y, block_y, false);
}

/// Runs an output layer; does nothing where a buffer is too short.
#[inline]
pub(super) fn output<const L: usize>(
    kernel: LayerKernel,
    precision: Precision,
    layer: Layer<'_>,
    x: &[u32],
    raw: &mut Raw<L>,
) {
    let raw: &mut [u32] = bytemuck::must_cast_slice_mut(raw.as_flattened_mut());
    run::<L>(kernel, precision, layer, x, raw, BLOCK_ROWS * L, true);
}

#[inline]
fn run<const L: usize>(
    kernel: LayerKernel,
    precision: Precision,
    layer: Layer<'_>,
    x: &[u32],
    y: &mut [u32],
    block_y: usize,
    raw: bool,
) {
    let inputs = padded_inputs(precision, layer.inputs);
    let x_len = L * if precision == Precision::F32 { inputs } else { inputs / 2 };
    let blocks = layer.rows.div_ceil(BLOCK_ROWS);
    let words = layer.words.get(..blocks * block_words(precision, layer.inputs));
    let (Some(words), Some(x), Some(y)) = (words, x.get(..x_len), y.get_mut(..blocks * block_y)) else { return };
    if blocks == 0 || x.is_empty() {
        return;
    }
    let (Range { start: words, end: words_end }, Range { start: x, end: x_end }) =
        (words.as_ptr_range(), x.as_ptr_range());
    let call = LayerCall { x, y: y.as_mut_ptr(), words_end, x_end, raw: u32::from(raw), words };
    #[expect(unsafe_code, reason = "the kernel is written in assembly")]
    // SAFETY: the kernel reads whole blocks in `words` and groups of inputs in `x`, and writes `block_y` words of `y` for each
    // block: the lengths that were just checked. `x` and `y` are distinct borrows.
    unsafe {
        kernel(&call);
    }
}

/// What an encoder in assembly is to do. The fields' order is known to the assembly.
#[repr(C)]
pub(super) struct EncodeCall {
    /// The coordinates, d pairs (v, its upper half rounded).
    point: *const [u32; 2],
    /// Coordinates of a point, d.
    inputs: usize,
    /// B, `[m, d]`.
    frequencies: *const i32,
    /// The lane's first word of features.
    x: *mut u32,
    /// Where the lane's cosines end and its sines begin.
    x_end: *mut u32,
    /// From a word of cosines to its word of sines, in bytes.
    sines: usize,
    /// From a pair's word (`f32`: words) to that of the next pair, in bytes.
    stride: usize,
}

/// An encoder in assembly: stores the cosines and sines of one lane, two frequencies a turn.
pub(super) type EncodeKernel = unsafe extern "C" fn(call: &EncodeCall);

/// Encodes `L` points; an odd number of frequencies, of which pairs would straddle words, is left to portable code.
#[inline]
pub(super) fn encode<const L: usize>(
    kernel: EncodeKernel,
    precision: Precision,
    encoding: &Encoding<'_>,
    points: &[&[u32]; L],
    x: &mut [u32],
) {
    let store = |x: &mut [u32], k, lane, value| match precision {
        Precision::F32 => store_float::<L>(x, k, lane, value),
        Precision::W8A16 | Precision::W16A16 => store_halfword::<L>(x, k, lane, value),
    };
    let rows = encoding.rows();
    // Words that one lane's cosines take, and where those of all lanes end.
    let words = if precision == Precision::F32 { rows } else { rows / 2 };
    let pair_words = if precision == Precision::F32 { 2 } else { 1 };
    if !rows.is_multiple_of(2) || x.len() < 2 * words * L {
        return encoding.encode::<L>(points, |k, lane, value| store(x, k, lane, value));
    }
    for (lane, point) in points.iter().enumerate() {
        encoding.pass_through(point, |k, value| store(x, k, lane, value));
        let mut split = [[0; 2]; MAX_INPUTS];
        for (split, &v) in split.iter_mut().zip(point.iter()) {
            *split = [v, (v >> 16) + (v >> 15 & 1)];
        }
        let Some(lane_x) = x.get_mut(lane..) else { return };
        if rows == 0 {
            continue;
        }
        let x = lane_x.as_mut_ptr();
        let call = EncodeCall {
            point: split.as_ptr(),
            inputs: encoding.inputs(),
            frequencies: encoding.frequencies().as_ptr(),
            x,
            x_end: x.wrapping_add(words * L),
            sines: 4 * words * L,
            stride: 4 * pair_words * L,
        };
        #[expect(unsafe_code, reason = "the kernel is written in assembly")]
        // SAFETY: the kernel reads d pairs of `split`, which holds the largest d, and m·d frequencies, which the encoding
        // has. It writes one word in L from `lane` on, of 2·words·L: `x` was found that long above, and `lane` is below L.
        unsafe {
            kernel(&call);
        }
    }
}
