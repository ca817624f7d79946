//! How Rust calls the layers and encoders that are written in assembly, whatever the instruction set.
//!
//! Lengths are checked here, in safe code; one function each makes the call.

/// Assembly that layers share: entry, exit, and the arithmetic of two rows in one halfword. [`frame_end`] ends its
/// scope.
///
/// On the stack of a layer: \[sp\] x, \[4\] y, \[8\] end of the words, \[12\] end of x, \[16\] entry of the loop,
/// \[20\] epilogue.
#[cfg(not(any(kernels = "thumb1", kernels = "rv32m")))]
macro_rules! frame {
    () => {
        concat!($crate::kernels::extensions::extensions!(), r#"
    .syntax unified
    .thumb

    @ Reads a LayerCall at r0; leaves the first block in r0 and x in r1. Labels: 20 to 23 enter the loop for n mod 32
    @ inputs of 0, 8, 16 and 24; 30 and 31 are the epilogues of hidden and of raw layers.
    .macro ffm_layer_begin x_group_shift
    push    {{r4-r11, lr}}
    ldm     r0, {{r1-r6}}                  @ x, y, end of words, end of x, raw, words
    subs    r7, r4, r1
    ubfx    r7, r7, #\x_group_shift, #2  @ groups of eight inputs, modulo four
    adr     r8, 10f
    ldr     r7, [r8, r7, lsl #2]
    add     r8, r8, #16
    ldr     r8, [r8, r5, lsl #2]
    mov     r0, r6
    sub     sp, sp, #24
    strd    r1, r2, [sp]
    strd    r3, r4, [sp, #8]
    strd    r7, r8, [sp, #16]
    b       11f
    .p2align 2
10: .word   20f + 1, 21f + 1, 22f + 1, 23f + 1, 30f + 1, 31f + 1
11:
    .endm

    .macro ffm_layer_end
    add     sp, sp, #24
    pop     {{r4-r11, pc}}
    .endm

    @ mix = 256 * odd + even of two biases.
    .macro ffm_mix low, high, even, temporary
    asr     \temporary, \low, #24
    adds    \low, \even, \low, lsl #8
    adc     \high, \temporary, \even, asr #31
    .endm

    @ odd = (mix - even) / 256, in `low`.
    .macro ffm_unmix low, high, even
    subs    \low, \low, \even
    sbc     \high, \high, \even, asr #31
    lsr     \low, \low, #8
    orr     \low, \low, \high, lsl #24
    .endm
"#)
    };
}

/// Ends the scope of [`frame`].
#[cfg(not(any(kernels = "thumb1", kernels = "rv32m")))]
macro_rules! frame_end {
    () => {
        r#"
    .purgem ffm_layer_begin
    .purgem ffm_layer_end
    .purgem ffm_mix
    .purgem ffm_unmix
"#
    };
}

/// Implements [`Arithmetic`](super::contract::Arithmetic) for `$name` by an encoder and by layers and passes of sines
/// for one lane and perhaps two; what is left is portable.
macro_rules! arithmetic {
    (
        $name:ident, lanes: $lanes:literal, $encode:expr,
        $layer:ident, $sine:ident $(, $layer_2:ident, $sine_2:ident)?
    ) => {
        impl $crate::kernels::contract::Arithmetic for $name {
            const PRECISION: $crate::precision::Precision = $crate::precision::Precision::$name;
            const LANES: usize = $lanes;
            const GRID_LANES: usize = 1;

            #[inline]
            fn encode(encoding: &$crate::encoding::Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
                $encode(encoding, points, lanes, x);
            }

            #[inline]
            fn grids(grids: &$crate::grid::Grids<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
                // There is one lane.
                if !$crate::kernels::grids::evaluate($crate::precision::Precision::$name, grids, points, x) {
                    $crate::kernels::portable::$name::grids(grids, points, lanes, x);
                }
            }

            #[inline]
            fn layer(
                layer: $crate::kernels::contract::Layer<'_>,
                lanes: usize,
                x: &[u32],
                y: &mut [u32],
                results: $crate::kernels::contract::Results,
            ) -> Option<()> {
                Self::kernel(lanes).run(layer, x, y, results)
            }

            #[inline]
            fn sine(layer: $crate::kernels::contract::Layer<'_>, lanes: usize, y: &mut [u32]) {
                let function = match lanes {
                    $(2 => $sine_2,)?
                    _ => $sine,
                };
                let precision = $crate::precision::Precision::$name;
                $crate::kernels::sine::SineKernel { function, precision, lanes }.run(layer, y);
            }

            #[inline]
            fn sigmoid(layer: $crate::kernels::contract::Layer<'_>, lanes: usize, raw: &mut [i32]) {
                $crate::kernels::portable::$name::sigmoid(layer, lanes, raw);
            }

            #[inline]
            fn raw_to_f32(raw: i32) -> f32 {
                $crate::kernels::portable::$name::raw_to_f32(raw)
            }
        }

        impl $name {
            #[inline]
            fn kernel(lanes: usize) -> $crate::kernels::assembly::LayerKernel {
                let function = match lanes {
                    $(2 => $layer_2,)?
                    _ => $layer,
                };
                let precision = $crate::precision::Precision::$name;
                $crate::kernels::assembly::LayerKernel { function, precision, lanes }
            }
        }
    };
}
/// Both fixed-point precisions of a core whose layers have one lane, by the encoder `$encode` and by layers and a pass
/// of sines in assembly, which the module defines under these names.
#[cfg(not(kernels = "dsp"))]
macro_rules! one_lane {
    ($encode:path) => {
        /// int8 weights, int16 activations.
        pub(crate) struct W8A16;
        /// int16 weights, int16 activations.
        pub(crate) struct W16A16;

        #[expect(unsafe_code, reason = "the kernels are written in assembly")]
        unsafe extern "C" {
            fn firmware_core_w8a16_layer(call: &$crate::kernels::assembly::LayerCall);
            fn firmware_core_w16a16_layer(call: &$crate::kernels::assembly::LayerCall);
            fn firmware_core_sine(call: &$crate::kernels::sine::SineCall);
        }

        $crate::kernels::assembly::arithmetic!(W8A16, lanes: 1, $encode, firmware_core_w8a16_layer, firmware_core_sine);
        $crate::kernels::assembly::arithmetic!(
            W16A16, lanes: 1, $encode, firmware_core_w16a16_layer, firmware_core_sine
        );
    };
}
pub(super) use arithmetic;
#[cfg(not(kernels = "dsp"))]
pub(super) use one_lane;
#[cfg(not(any(kernels = "thumb1", kernels = "rv32m")))]
pub(super) use {frame, frame_end};

use super::contract::{Layer, MIN_COORDINATES, Results, each_point};
use super::portable::{store_float, store_halfword};
use crate::encoding::Encoding;
use crate::layout::{BLOCK_ROWS, block_words, padded_inputs};
use crate::precision::Precision;
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
    /// The rows that are no padding.
    #[cfg(kernels = "thumb1")]
    rows: usize,
}

/// The function of a layer in assembly: reads `words .. words_end` and `x .. x_end`, writes all of `y`.
pub(super) type LayerFunction = unsafe extern "C" fn(call: &LayerCall);

/// A layer in assembly, for one precision and number of lanes.
#[derive(Clone, Copy)]
pub(super) struct LayerKernel {
    pub(super) function: LayerFunction,
    pub(super) precision: Precision,
    pub(super) lanes: usize,
}

impl LayerKernel {
    /// Runs a layer; `None` where a buffer is too short.
    #[inline]
    pub(super) fn run(self, layer: Layer<'_>, x: &[u32], y: &mut [u32], results: Results) -> Option<()> {
        let Self { function, precision, lanes } = self;
        let is_float = precision == Precision::F32;
        let block_y = if is_float || results == Results::Raw { BLOCK_ROWS * lanes } else { BLOCK_ROWS / 2 * lanes };
        let inputs = padded_inputs(precision, layer.inputs);
        let x_len = lanes * if is_float { inputs } else { inputs / 2 };
        let blocks = layer.rows.div_ceil(BLOCK_ROWS);
        let words = layer.words.get(..blocks * block_words(precision, layer.inputs));
        let (Some(words), Some(x), Some(y)) = (words, x.get(..x_len), y.get_mut(..blocks * block_y)) else {
            return None;
        };
        if blocks == 0 || x.is_empty() {
            return None;
        }
        let (Range { start: words, end: words_end }, Range { start: x, end: x_end }) =
            (words.as_ptr_range(), x.as_ptr_range());
        let call = LayerCall {
            x,
            y: y.as_mut_ptr(),
            words_end,
            x_end,
            raw: u32::from(results == Results::Raw),
            words,
            #[cfg(kernels = "thumb1")]
            rows: layer.rows,
        };
        #[expect(unsafe_code, reason = "the kernel is written in assembly")]
        // SAFETY: the kernel reads whole blocks in `words` and groups of inputs in `x`, and writes `block_y` words of
        // `y` for each block: the lengths that were just checked. `x` and `y` are distinct borrows.
        unsafe {
            function(&call);
        }
        Some(())
    }
}

/// What an encoder in assembly is to do. The fields' order is known to the assembly.
#[repr(C)]
pub(super) struct EncodeCall {
    /// The d coordinates, two at least.
    point: *const u32,
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

/// The function of an encoder in assembly: stores the cosines and sines of one lane, two frequencies a turn.
pub(super) type EncodeFunction = unsafe extern "C" fn(call: &EncodeCall);

/// An encoder in assembly, which stores features as the precision has them.
#[derive(Clone, Copy)]
pub(super) struct EncodeKernel {
    pub(super) function: EncodeFunction,
    pub(super) precision: Precision,
}

impl EncodeKernel {
    /// Encodes one point a lane; an odd number of frequencies, of which pairs would straddle words, is left to portable
    /// code.
    #[inline(never)]
    pub(super) fn encode(self, encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
        let Self { function, precision } = self;
        let rows = encoding.rows();
        // Words that one lane's cosines take, and words of a pair of them.
        let (words, pair_words) = if precision == Precision::F32 { (rows, 2) } else { (rows / 2, 1) };
        let by_pairs = rows.is_multiple_of(2) && (pair_words == 1 || lanes == 1) && x.len() >= 2 * words * lanes;
        for (lane, point) in each_point(points, lanes).enumerate() {
            let mut store = |k: usize, value: i32| match precision {
                Precision::F32 => store_float(x, k, lane, lanes, value),
                Precision::W8A16 | Precision::W16A16 => store_halfword(x, k, lane, lanes, value),
            };
            encoding.pass_through(point, &mut store);
            if !by_pairs {
                encoding.encode_rows(point, store);
                continue;
            }
            let Some(lane_x) = x.get_mut(lane..) else { return };
            if rows == 0 || point.len() < encoding.inputs().max(MIN_COORDINATES) {
                continue;
            }
            let x = lane_x.as_mut_ptr();
            let call = EncodeCall {
                point: point.as_ptr(),
                inputs: encoding.inputs(),
                frequencies: encoding.frequencies().as_ptr(),
                x,
                x_end: x.wrapping_add(words * lanes),
                sines: 4 * words * lanes,
                stride: 4 * pair_words * lanes,
            };
            #[expect(unsafe_code, reason = "the kernel is written in assembly")]
            // SAFETY: the kernel reads d coordinates of `point`, and two at least, which it was found to hold, and m·d
            // frequencies, which the encoding has. It writes one word in `lanes` from `lane` on, of 2·words·lanes (a
            // pair's words side by side where there is one lane): `x` was found that long above, and `lane` is below
            // `lanes`.
            unsafe {
                function(&call);
            }
        }
    }
}

#[expect(unsafe_code, reason = "the encoder is written in assembly")]
unsafe extern "C" {
    fn firmware_core_encode(call: &EncodeCall);
}

/// Features as halfwords, by the encoder that every instruction set has under this name.
#[inline]
pub(super) fn encode_halfwords(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
    EncodeKernel { function: firmware_core_encode, precision: Precision::W8A16 }.encode(encoding, points, lanes, x);
}
