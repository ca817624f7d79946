//! Kernels for cores with the DSP extension: Cortex-M4, M7, M33, M35P.
//!
//! | | instructions a MAC | a turn of the loop |
//! | --- | --- | --- |
//! | `w8a16`, one lane | 0.875 | 16 MACs: LDRD 4 activations, LDM 8 halfwords of 2 row pairs, 4 × (SMLALD, SXTB16, SMLAD) |
//! | `w8a16`, two lanes | 0.75 | 16 MACs: LDM 2 × 4 activations, LDRD 4 halfwords, 2 × (2 SMLALD, SXTB16, 2 SMLAD) |
//! | `w16a16` | 0.66 | 32 MACs: LDM 8 activations, 4 × (LDM 8 weights of four rows, 4 SMLAD) |
//!
//! A halfword of `w8a16` holds two rows as 256·odd + even. SMLALD multiplies the halfwords as they are and so sums
//! 256·odd + even exactly in 64 bits; SXTB16 leaves the even row, whose sum SMLAD takes. At the end of a block
//! odd = (mix - even) / 256: unpacking costs one instruction for four MACs instead of two.
//!
//! Loops take 32 inputs a turn and are entered at the place that makes the number of turns whole; a group of eight
//! inputs is the unit. Requantization is SMMULR and USAT.

use super::assembly::{LayerCall, arithmetic, encode_halfwords};
use super::sine::SineCall;

/// int8 weights, int16 activations.
pub(crate) struct W8A16;
/// int16 weights, int16 activations.
pub(crate) struct W16A16;

#[expect(unsafe_code, reason = "the kernels below are written in assembly")]
unsafe extern "C" {
    fn firmware_core_w8a16_layer(call: &LayerCall);
    fn firmware_core_w8a16_layer_2(call: &LayerCall);
    fn firmware_core_w16a16_layer(call: &LayerCall);
    fn firmware_core_sine(call: &SineCall);
    fn firmware_core_sine_2(call: &SineCall);
}

arithmetic!(
    W8A16, lanes: 2, encode_halfwords,
    firmware_core_w8a16_layer, firmware_core_sine, firmware_core_w8a16_layer_2, firmware_core_sine_2
);
arithmetic!(W16A16, lanes: 1, encode_halfwords, firmware_core_w16a16_layer, firmware_core_sine);

#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod layers {
    use crate::kernels::assembly::{frame, frame_end};

    core::arch::global_asm!(concat!(
        frame!(),
        r#"
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
    @ After its first row pair r0 stands at the multipliers, after its second one row pair further. What leads from there
    @ to the other bias, -(weights + 8) bytes or 8, takes turns in [24]; [28] is the sum of the two.
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

    .purgem ffm_w8_group
    .purgem ffm_w8_group_2
    .purgem ffm_w16_group
"#,
        frame_end!()
    ));
}
