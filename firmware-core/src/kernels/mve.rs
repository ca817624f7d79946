//! Kernels for cores with MVE (Helium): Cortex-M52, M55, M85.
//!
//! | | instructions a MAC | what a turn of the loop does |
//! | --- | --- | --- |
//! | `w8a16` | 0.30 | 64 MACs: VLD2 16 activations, VLD4 16 halfwords, 4 × (VMLALDAVA, VMOVLB, VMLADAVA), LE |
//! | `w16a16` | 0.22 | 32 MACs: VLDRW 8 activations, VLD4 8 weights of four rows, 4 × VMLADAVA, LE |
//!
//! As on cores with SMLAD, a halfword of `w8a16` is multiplied as it is, into 64 bits, and the odd row's sum comes out
//! at the end of a block as (mix - even) / 256. VLD2 and VLD4 part the words as the tiles of four inputs hold them; a
//! last group of eight inputs takes its words by two gathers. Four rows are requantized at once: VRMULH, VMAX, VQMOVNB.
//!
//! Two coordinates are encoded four frequencies at a time where m is a multiple of four; else the encoder is that of
//! the DSP extension, which these cores have too.

use super::assembly::{EncodeCall, EncodeKernel, encode_halfwords, one_lane};
use crate::encoding::Encoding;
use crate::fixed::{EVEN, ODD};
use crate::precision::Precision;

#[expect(unsafe_code, reason = "the encoder below is written in assembly")]
unsafe extern "C" {
    fn firmware_core_encode_mve(call: &EncodeCall);
}

#[inline]
fn encode(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
    if lanes == 1 && encoding.inputs() == 2 && encoding.rows().is_multiple_of(4) {
        EncodeKernel { function: firmware_core_encode_mve, precision: Precision::W8A16 }
            .encode(encoding, points, lanes, x);
    } else {
        encode_halfwords(encoding, points, lanes, x);
    }
}

one_lane!(encode);

#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod layers {
    use crate::kernels::assembly::{frame, frame_end};

    core::arch::global_asm!(concat!(
        frame!(),
        r#"

    @ Reads a LayerCall at r0: r0 first block, r1 and r10 x, r3 y, r7 end of the words; [sp] raw.
    .macro ffm_mve_begin
    push    {{r4-r11, lr}}
    vpush   {{d8-d15}}
    ldm     r0, {{r1-r6}}                  @ x, y, end of words, end of x, raw, words
    push    {{r5, r6}}
    mov     r0, r6
    mov     r7, r3
    mov     r3, r2
    mov     r10, r1
    sub     r11, r4, r1                @ bytes of x
    .endm
    .macro ffm_mve_end
    add     sp, sp, #8
    vpop    {{d8-d15}}
    pop     {{r4-r11, pc}}
    .endm

    @ Hidden activations of the accumulators in q0.
    .macro ffm_mve_requantize
    vldrw.u32 q1, [r0], #16
    vrmulh.s32 q0, q0, q1
    vmax.s32 q0, q0, q7
    vqmovnb.s32 q0, q0
    vstrh.32 q0, [r3], #8
    .endm

    @ One vector of a row pair and its activations; \w is lost.
    .macro ffm_w8_vector w, x, even, low, high
    vmlaldava.s16 \low, \high, \w, \x
    vmovlb.s8 \w, \w
    vmladava.s16 \even, \w, \x
    .endm

    .pushsection .text.firmware_core_w8a16_layer, "ax", %progbits
    .global firmware_core_w8a16_layer
    .type   firmware_core_w8a16_layer, %function
    .thumb_func
    .p2align 2
firmware_core_w8a16_layer:
    ffm_mve_begin
    and     r12, r11, #16              @ a last group of eight
    lsr     r11, r11, #5               @ groups of sixteen
    adr     r4, 10f
    vldrw.u32 q6, [r4]
    vmov.i32 q7, #0
    b       1f
    .p2align 2
10: .word   0, 4, 16, 20
1:  ldm     r0!, {{r2, r4, r6, r8}}
    ffm_mix r4, r5, r2, lr
    ffm_mix r8, r9, r6, lr
    wls     lr, r11, 3f
2:  vld20.32 {{q0, q1}}, [r1]
    vld21.32 {{q0, q1}}, [r1]!
    vld40.32 {{q2, q3, q4, q5}}, [r0]
    vld41.32 {{q2, q3, q4, q5}}, [r0]
    vld42.32 {{q2, q3, q4, q5}}, [r0]
    vld43.32 {{q2, q3, q4, q5}}, [r0]!
    ffm_w8_vector q2, q0, r2, r4, r5
    ffm_w8_vector q4, q0, r6, r8, r9
    ffm_w8_vector q3, q1, r2, r4, r5
    ffm_w8_vector q5, q1, r6, r8, r9
    le      lr, 2b
3:  cmp     r12, #0
    bne     5f
4:  ffm_unmix r4, r5, r2
    ffm_unmix r8, r9, r6
    mov     r1, r10
    ldr     lr, [sp]
    cmp     lr, #0
    bne     6f
    vmov    q0[2], q0[0], r2, r6
    vmov    q0[3], q0[1], r4, r8
    ffm_mve_requantize
    cmp     r0, r7
    bne     1b
    ffm_mve_end
5:  vldrw.u32 q0, [r1]
    vldrw.u32 q2, [r0, q6]
    add     r0, r0, #8
    vldrw.u32 q3, [r0, q6]
    add     r0, r0, #24
    ffm_w8_vector q2, q0, r2, r4, r5
    ffm_w8_vector q3, q0, r6, r8, r9
    b       4b
6:  stm     r3!, {{r2, r4, r6, r8}}
    add     r0, r0, #16
    cmp     r0, r7
    bne     1b
    ffm_mve_end
    .size   firmware_core_w8a16_layer, . - firmware_core_w8a16_layer
    .popsection

    .pushsection .text.firmware_core_w16a16_layer, "ax", %progbits
    .global firmware_core_w16a16_layer
    .type   firmware_core_w16a16_layer, %function
    .thumb_func
    .p2align 2
firmware_core_w16a16_layer:
    ffm_mve_begin
    lsr     r11, r11, #4               @ groups of eight
    vmov.i32 q7, #0
1:  ldm     r0!, {{r2, r4, r6, r8}}
    dls     lr, r11
2:  vldrw.u32 q0, [r1], #16
    vld40.32 {{q2, q3, q4, q5}}, [r0]
    vld41.32 {{q2, q3, q4, q5}}, [r0]
    vld42.32 {{q2, q3, q4, q5}}, [r0]
    vld43.32 {{q2, q3, q4, q5}}, [r0]!
    vmladava.s16 r2, q2, q0
    vmladava.s16 r4, q3, q0
    vmladava.s16 r6, q4, q0
    vmladava.s16 r8, q5, q0
    le      lr, 2b
    mov     r1, r10
    ldr     lr, [sp]
    cmp     lr, #0
    bne     6f
    vmov    q0[2], q0[0], r2, r6
    vmov    q0[3], q0[1], r4, r8
    ffm_mve_requantize
    cmp     r0, r7
    bne     1b
    ffm_mve_end
6:  stm     r3!, {{r2, r4, r6, r8}}
    add     r0, r0, #16
    cmp     r0, r7
    bne     1b
    ffm_mve_end
    .size   firmware_core_w16a16_layer, . - firmware_core_w16a16_layer
    .popsection

    .purgem ffm_mve_begin
    .purgem ffm_mve_end
    .purgem ffm_mve_requantize
    .purgem ffm_w8_vector
"#,
        frame_end!()
    ));
}

#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod encoder {
    use super::{EVEN, ODD};
    use crate::kernels::extensions::extensions;

    core::arch::global_asm!(
        concat!(extensions!(), r#"
    .syntax unified
    .thumb
    .pushsection .text.firmware_core_encode_mve, "ax", %progbits
    .global firmware_core_encode_mve
    .type   firmware_core_encode_mve, %function
    .thumb_func
    .p2align 2
firmware_core_encode_mve:
    push    {{r4-r11, lr}}
    vpush   {{d8-d15}}
    ldm     r0, {{r1-r6}}                  @ point, d, frequencies, x, end, sines
    subs    r5, r5, r4
    lsr     lr, r5, #3                 @ four halfwords of cosines a turn
    mov     r0, r4
    add     r2, r4, r6
    ldrd    r4, r6, [r1]               @ both coordinates
    lsr     r5, r4, #15
    lsr     r7, r6, #15
    add     r5, r5, #1
    add     r7, r7, #1
    lsr     r5, r5, #1
    lsr     r7, r7, #1
    lsl     r4, r4, #16
    lsl     r6, r6, #16
    vdup.32 q6, r4
    vdup.32 q7, r6
    mov     r1, r3
    adr     r12, 40f
    ldrd    r4, r6, [r12]
    vdup.32 q4, r4
    vdup.32 q5, r6
    ldr     r4, [r12, #8]
    ldr     r6, [r12, #12]
    ldr     r8, [r12, #16]
    ldr     r9, [r12, #20]
    ldr     r10, [r12, #24]
    ldr     r11, [r12, #28]
    mov     r12, #0x40000000
    dls     lr, lr
    b       1f
    .p2align 2
40: .word   {odd_3}, {even_3}, {odd_2}, {odd_1}, {odd_0}, {even_2}, {even_1}, {even_0}
    @ r5, r7: the upper halves; q6, q7: the lower ones.
1:  vld20.32 {{q0, q1}}, [r1]
    vld21.32 {{q0, q1}}, [r1]!
    vmul.i32 q2, q0, r5
    vmulh.s32 q3, q0, q6
    vmla.i32 q2, q1, r7
    vadd.i32 q2, q2, q3
    vmulh.s32 q3, q1, q7
    vadd.i32 q2, q2, q3
    vshr.s32 q0, q2, #31               @ sign
    veor    q1, q2, q0
    vsub.i32 q1, q1, r12
    vneg.s32 q1, q1                    @ z
    vrmulh.s32 q3, q1, q1              @ its square
    vrmulh.s32 q2, q4, q3
    vadd.i32 q2, q2, r4
    vrmulh.s32 q2, q2, q3
    vadd.i32 q2, q2, r6
    vrmulh.s32 q2, q2, q3
    vadd.i32 q2, q2, r8
    vrmulh.s32 q2, q2, q1
    vstrh.32 q2, [r0], #8
    vrmulh.s32 q2, q5, q3
    vadd.i32 q2, q2, r9
    vrmulh.s32 q2, q2, q3
    vadd.i32 q2, q2, r10
    vrmulh.s32 q2, q2, q3
    vadd.i32 q2, q2, r11
    veor    q2, q2, q0
    vsub.i32 q2, q2, q0
    vstrh.32 q2, [r2], #8
    le      lr, 1b
    vpop    {{d8-d15}}
    pop     {{r4-r11, pc}}
    .size   firmware_core_encode_mve, . - firmware_core_encode_mve
    .popsection
"#),
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
