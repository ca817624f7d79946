//! Kernels for cores with the DSP extension: Cortex-M4, M7, M33, M35P.
//!
//! | | instructions a MAC | what a turn of the loop does |
//! | --- | --- | --- |
//! | `w8a16`, one lane | 0.875 | 16 MACs: LDRD 4 activations, LDM 8 halfwords of two row pairs, 4 × (SMLALD, SXTB16, SMLAD) |
//! | `w8a16`, two lanes | 0.75 | 16 MACs: LDM 2 × 4 activations, LDRD 4 halfwords of one row pair, 2 × (2 SMLALD, SXTB16, 2 SMLAD) |
//! | `w16a16` | 0.66 | 32 MACs: LDM 8 activations, 4 × (LDM 8 weights of four rows, 4 SMLAD) |
//!
//! A halfword of `w8a16` holds two rows as 256·odd + even. SMLALD multiplies the halfwords as they are and so sums
//! 256·odd + even exactly in 64 bits; SXTB16 leaves the even row, whose sum SMLAD takes. At the end of a block
//! odd = (mix - even) / 256: unpacking costs one instruction for four MACs instead of two.
//!
//! Loops take 32 inputs a turn and are entered at the place that makes the number of turns whole; a group of eight inputs is
//! the unit. Requantization is SMMULR and USAT. The encoder spends twelve instructions on a cosine and a sine, and four on
//! the phase of two coordinates.

use super::assembly::{self, EncodeCall, LayerCall};
use super::{Arithmetic, Layer, Raw, portable};
use crate::encoding::Encoding;
use crate::model::Precision;
use crate::trig::{EVEN, ODD};

/// int8 weights, int16 activations.
pub(crate) struct W8A16;
/// int16 weights, int16 activations.
pub(crate) struct W16A16;

#[expect(unsafe_code, reason = "the kernels below are written in assembly")]
unsafe extern "C" {
    fn firmware_core_w8a16_layer(call: &LayerCall);
    fn firmware_core_w8a16_layer_2(call: &LayerCall);
    fn firmware_core_w16a16_layer(call: &LayerCall);
    fn firmware_core_encode(call: &EncodeCall);
}

impl Arithmetic for W8A16 {
    #[inline]
    fn encode<const L: usize>(encoding: &Encoding<'_>, points: &[&[u32]; L], x: &mut [u32]) {
        assembly::encode::<L>(firmware_core_encode, Precision::W8A16, encoding, points, x);
    }

    #[inline]
    fn hidden<const L: usize>(layer: Layer<'_>, x: &[u32], y: &mut [u32]) {
        match L {
            1 => assembly::hidden::<L>(firmware_core_w8a16_layer, Precision::W8A16, layer, x, y),
            2 => assembly::hidden::<L>(firmware_core_w8a16_layer_2, Precision::W8A16, layer, x, y),
            _ => portable::W8A16::hidden::<L>(layer, x, y),
        }
    }

    #[inline]
    fn output<const L: usize>(layer: Layer<'_>, x: &[u32], raw: &mut Raw<L>) {
        match L {
            1 => assembly::output::<L>(firmware_core_w8a16_layer, Precision::W8A16, layer, x, raw),
            2 => assembly::output::<L>(firmware_core_w8a16_layer_2, Precision::W8A16, layer, x, raw),
            _ => portable::W8A16::output::<L>(layer, x, raw),
        }
    }

    #[inline]
    fn sigmoid<const L: usize>(layer: Layer<'_>, raw: &mut Raw<L>) {
        portable::W8A16::sigmoid::<L>(layer, raw);
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        portable::W8A16::raw_to_f32(raw)
    }
}

impl Arithmetic for W16A16 {
    #[inline]
    fn encode<const L: usize>(encoding: &Encoding<'_>, points: &[&[u32]; L], x: &mut [u32]) {
        assembly::encode::<L>(firmware_core_encode, Precision::W16A16, encoding, points, x);
    }

    #[inline]
    fn hidden<const L: usize>(layer: Layer<'_>, x: &[u32], y: &mut [u32]) {
        match L {
            1 => assembly::hidden::<L>(firmware_core_w16a16_layer, Precision::W16A16, layer, x, y),
            _ => portable::W16A16::hidden::<L>(layer, x, y),
        }
    }

    #[inline]
    fn output<const L: usize>(layer: Layer<'_>, x: &[u32], raw: &mut Raw<L>) {
        match L {
            1 => assembly::output::<L>(firmware_core_w16a16_layer, Precision::W16A16, layer, x, raw),
            _ => portable::W16A16::output::<L>(layer, x, raw),
        }
    }

    #[inline]
    fn sigmoid<const L: usize>(layer: Layer<'_>, raw: &mut Raw<L>) {
        portable::W16A16::sigmoid::<L>(layer, raw);
    }

    #[inline]
    fn raw_to_f32(raw: i32) -> f32 {
        portable::W16A16::raw_to_f32(raw)
    }
}

// On the stack of every layer: [sp] x, [4] y, [8] end of the words, [12] end of x, [16] entry of the loop, [20] epilogue.
#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod layers {
    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb

    @ Reads a LayerCall at r0; leaves the first block in r0 and x in r1. Labels: 20 to 23 enter the loop for n mod 32 inputs
    @ of 0, 8, 16 and 24; 30 and 31 are the epilogues of hidden and of raw layers.
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

    @ One lane: r0 weights, r1 x; (r8; r9, r10) and (r11; r12, lr) are (even; mix) of two row pairs.
    .macro ffm_w8_group
    .rept 2
    ldrd    r2, r3, [r1], #8
    ldm     r0!, {{r4-r7}}
    smlald  r9, r10, r4, r2
    smlald  r12, lr, r6, r2
    sxtb16  r4, r4
    sxtb16  r6, r6
    smlad   r8, r4, r2, r8
    smlad   r11, r6, r2, r11
    smlald  r9, r10, r5, r3
    smlald  r12, lr, r7, r3
    sxtb16  r5, r5
    sxtb16  r7, r7
    smlad   r8, r5, r3, r8
    smlad   r11, r7, r3, r11
    .endr
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

    .pushsection .text.firmware_core_w8a16_layer, "ax", %progbits
    .global firmware_core_w8a16_layer
    .type   firmware_core_w8a16_layer, %function
    .thumb_func
    .p2align 2
firmware_core_w8a16_layer:
    ffm_layer_begin 4
1:  ldm     r0!, {{r8, r9, r11, r12}}
    ffm_mix r9, r10, r8, r4
    ffm_mix r12, lr, r11, r4
    ldr     pc, [sp, #16]
20: ffm_w8_group
23: ffm_w8_group
22: ffm_w8_group
21: ffm_w8_group
    ldr     r4, [sp, #12]
    cmp     r1, r4
    bne     20b
    ffm_unmix r9, r10, r8
    ffm_unmix r12, lr, r11
    ldr     pc, [sp, #20]
30: ldm     r0!, {{r4-r7}}
    smmulr  r8, r8, r4
    smmulr  r9, r9, r5
    smmulr  r11, r11, r6
    smmulr  r12, r12, r7
    usat    r8, #15, r8
    usat    r9, #15, r9
    usat    r11, #15, r11
    usat    r12, #15, r12
    ldm     sp, {{r1, r2, r3}}
    pkhbt   r8, r8, r9, lsl #16
    pkhbt   r11, r11, r12, lsl #16
    strd    r8, r11, [r2], #8
    str     r2, [sp, #4]
    cmp     r0, r3
    bne     1b
    ffm_layer_end
31: ldm     sp, {{r1, r2, r3}}
    stm     r2!, {{r8, r9, r11, r12}}
    add     r0, r0, #16
    str     r2, [sp, #4]
    cmp     r0, r3
    bne     1b
    ffm_layer_end
    .size   firmware_core_w8a16_layer, . - firmware_core_w8a16_layer
    .popsection

    @ Two lanes, one row pair at a time: (r8; r9, r10) and (r11; r12, lr) are (even; mix) of two lanes.
    .macro ffm_w8_group_2
    .rept 2
    ldm     r1!, {{r2-r5}}
    ldrd    r6, r7, [r0], #16
    smlald  r9, r10, r6, r2
    smlald  r12, lr, r6, r3
    sxtb16  r6, r6
    smlad   r8, r6, r2, r8
    smlad   r11, r6, r3, r11
    smlald  r9, r10, r7, r4
    smlald  r12, lr, r7, r5
    sxtb16  r7, r7
    smlad   r8, r7, r4, r8
    smlad   r11, r7, r5, r11
    .endr
    .endm

    .pushsection .text.firmware_core_w8a16_layer_2, "ax", %progbits
    .global firmware_core_w8a16_layer_2
    .type   firmware_core_w8a16_layer_2, %function
    .thumb_func
    .p2align 2
firmware_core_w8a16_layer_2:
    ffm_layer_begin 5
    @ After its first row pair r0 stands at the multipliers, after its second one row pair further. What leads from there to
    @ the other bias, -(weights + 8) bytes or 8, takes turns in [24]; [28] is the sum of the two.
    sub     r2, r1, r4                  @ r4: end of x; a block's weights are as long as two lanes of x
    sub     r1, r2, #8
    strd    r1, r2, [sp, #-8]!
    ldr     r1, [sp, #8]
    b       1f
    .p2align 2
1:  ldrd    r8, r9, [r0], #16
    ffm_mix r9, r10, r8, r4
    mov     r11, r8
    mov     r12, r9
    mov     lr, r10
    ldr     pc, [sp, #24]
20: ffm_w8_group_2
23: ffm_w8_group_2
22: ffm_w8_group_2
21: ffm_w8_group_2
    ldr     r2, [sp, #20]
    cmp     r1, r2
    bne     20b
    ffm_unmix r9, r10, r8
    ffm_unmix r12, lr, r11
    ldr     pc, [sp, #28]
30: ldrd    r4, r5, [r0]
    smmulr  r8, r8, r4
    smmulr  r9, r9, r5
    smmulr  r11, r11, r4
    smmulr  r12, r12, r5
    usat    r8, #15, r8
    usat    r9, #15, r9
    usat    r11, #15, r11
    usat    r12, #15, r12
    ldm     sp, {{r1-r5}}                  @ step, sum of steps, x, y, end of words
    pkhbt   r8, r8, r9, lsl #16
    pkhbt   r11, r11, r12, lsl #16
    strd    r8, r11, [r4], #8
    b       2f
31: ldm     sp, {{r1-r5}}
    strd    r8, r11, [r4], #8
    strd    r9, r12, [r4], #8
2:  add     r0, r0, r1
    sub     r1, r2, r1
    str     r4, [sp, #12]
    str     r1, [sp]
    mov     r1, r3
    cmp     r0, r5
    bne     1b
    add     sp, sp, #8
    ffm_layer_end
    .size   firmware_core_w8a16_layer_2, . - firmware_core_w8a16_layer_2
    .popsection

    @ Four rows: r0 weights, r1 x, r2 to r5 accumulators.
    .macro ffm_w16_group
    ldm     r1!, {{r10, r11, r12, lr}}
    .irp x, r10, r11, r12, lr
    ldm     r0!, {{r6-r9}}
    smlad   r2, r6, \x, r2
    smlad   r3, r7, \x, r3
    smlad   r4, r8, \x, r4
    smlad   r5, r9, \x, r5
    .endr
    .endm

    .pushsection .text.firmware_core_w16a16_layer, "ax", %progbits
    .global firmware_core_w16a16_layer
    .type   firmware_core_w16a16_layer, %function
    .thumb_func
    .p2align 2
firmware_core_w16a16_layer:
    ffm_layer_begin 4
1:  ldm     r0!, {{r2-r5}}
    ldr     pc, [sp, #16]
20: ffm_w16_group
23: ffm_w16_group
22: ffm_w16_group
21: ffm_w16_group
    ldr     r6, [sp, #12]
    cmp     r1, r6
    bne     20b
    ldr     pc, [sp, #20]
30: ldm     r0!, {{r6-r9}}
    smmulr  r2, r2, r6
    smmulr  r3, r3, r7
    smmulr  r4, r4, r8
    smmulr  r5, r5, r9
    usat    r2, #15, r2
    usat    r3, #15, r3
    usat    r4, #15, r4
    usat    r5, #15, r5
    ldm     sp, {{r1, r10, r11}}
    pkhbt   r2, r2, r3, lsl #16
    pkhbt   r4, r4, r5, lsl #16
    strd    r2, r4, [r10], #8
    str     r10, [sp, #4]
    cmp     r0, r11
    bne     1b
    ffm_layer_end
31: ldm     sp, {{r1, r10, r11}}
    stm     r10!, {{r2-r5}}
    add     r0, r0, #16
    str     r10, [sp, #4]
    cmp     r0, r11
    bne     1b
    ffm_layer_end
    .size   firmware_core_w16a16_layer, . - firmware_core_w16a16_layer
    .popsection

    .purgem ffm_layer_begin
    .purgem ffm_layer_end
    .purgem ffm_w8_group
    .purgem ffm_w8_group_2
    .purgem ffm_w16_group
    .purgem ffm_mix
    .purgem ffm_unmix
"#
    );
}

// On the stack: [sp] (v, upper half) of two coordinates, [16] end of x, [20] point, [24] sines, stride, [32] coordinates.
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod encoder {
    use super::{EVEN, ODD};

    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb

    @ turns = turns + ((b * v) >> 16), by the upper half of v rounded and the lower half, which is then signed.
    .macro ffm_turns turns, b, v, upper
    mla     \turns, \b, \upper, \turns
    smlawb  \turns, \b, \v, \turns
    .endm

    @ Two phases in r2, r3: cosines to [r0], sines to [r0 + sines], next pair. Flags: equal at the end.
    .macro ffm_cos_sin_pair table
    eor     r4, r2, r2, asr #31
    eor     r6, r3, r3, asr #31
    rsb     r4, r4, #0x40000000
    rsb     r6, r6, #0x40000000
    smmulr  r5, r4, r4
    smmulr  r7, r6, r6
    ldrd    r8, r9, \table
    ldrd    r10, r11, \table + 8
    smmlar  r12, r8, r5, r9
    smmlar  lr, r8, r7, r9
    smmlar  r12, r12, r5, r10
    smmlar  lr, lr, r7, r10
    smmlar  r12, r12, r5, r11
    smmlar  lr, lr, r7, r11
    smmulr  r12, r12, r4
    smmulr  lr, lr, r6
    ldrd    r8, r9, \table + 16
    ldrd    r10, r11, \table + 24
    pkhbt   r12, r12, lr, lsl #16
    str     r12, [r0]
    smmlar  r12, r8, r5, r9
    smmlar  lr, r8, r7, r9
    smmlar  r12, r12, r5, r10
    smmlar  lr, lr, r7, r10
    smmlar  r12, r12, r5, r11
    smmlar  lr, lr, r7, r11
    eor     r12, r12, r2, asr #31
    eor     lr, lr, r3, asr #31
    sub     r12, r12, r2, asr #31
    sub     lr, lr, r3, asr #31
    ldrd    r4, r5, [sp, #24]
    pkhbt   r12, r12, lr, lsl #16
    str     r12, [r0, r4]
    add     r0, r0, r5
    ldr     r6, [sp, #16]
    cmp     r0, r6
    .endm

    .pushsection .text.firmware_core_encode, "ax", %progbits
    .global firmware_core_encode
    .type   firmware_core_encode, %function
    .thumb_func
    .p2align 2
firmware_core_encode:
    push    {{r4-r11, lr}}
    ldm     r0, {{r1-r7}}              @ point, d, frequencies, x, end, sines, stride
    mov     r0, r4
    mov     r8, r5
    mov     r9, r1
    mov     r10, r6
    mov     r11, r7
    mov     r12, r2
    ldm     r9, {{r4-r7}}              @ there is room for the largest d, so also for two
    push    {{r4-r12}}
    mov     r1, r3
    cmp     r12, #2
    bne     2f
1:  ldm     sp, {{r8-r11}}
    ldm     r1!, {{r4-r7}}
    mul     r2, r4, r9
    mul     r3, r6, r9
    smlawb  r2, r4, r8, r2
    smlawb  r3, r6, r8, r3
    ffm_turns r2, r5, r10, r11
    ffm_turns r3, r7, r10, r11
    ffm_cos_sin_pair 40f
    bne     1b
9:  add     sp, sp, #36
    pop     {{r4-r11, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}, {even_3}, {even_2}, {even_1}, {even_0}
2:  mov     r2, #0
    mov     r3, #0
    ldr     r4, [sp, #20]
    ldr     r5, [sp, #32]
    lsl     r9, r5, #2                 @ from a row of B to the next
3:  ldr     r7, [r1, r9]
    ldr     r6, [r1], #4
    ldrd    r8, r10, [r4], #8
    ffm_turns r2, r6, r8, r10
    ffm_turns r3, r7, r8, r10
    subs    r5, r5, #1
    bne     3b
    add     r1, r1, r9
    ffm_cos_sin_pair 40b
    bne     2b
    b       9b
    .size   firmware_core_encode, . - firmware_core_encode
    .popsection
    .purgem ffm_turns
    .purgem ffm_cos_sin_pair
"#,
        odd_0 = const ODD[0],
        odd_1 = const ODD[1],
        odd_2 = const ODD[2],
        odd_3 = const ODD[3],
        even_0 = const EVEN[0],
        even_1 = const EVEN[1],
        even_2 = const EVEN[2],
        even_3 = const EVEN[3],
    );
}
