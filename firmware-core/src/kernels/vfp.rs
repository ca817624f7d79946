//! Single precision on a core with an FPU: four rows at a time, 2.13 instructions a MAC.
//!
//! A turn of the loop takes four inputs: VLDM 4 activations, VLDM 16 weights, 16 VMUL, 16 VADD; every product and every
//! sum is rounded, in the order of the inputs. (VFMA would round once, and takes three cycles on a Cortex-M4 where VMUL
//! and VADD take one each.) ReLU clears by the sign bit.

use super::assembly::{LayerCall, arithmetic};
use super::dsp_encoder;
use super::sine::SineCall;

/// Single precision throughout.
pub(crate) struct F32;

#[expect(unsafe_code, reason = "the kernel below is written in assembly")]
unsafe extern "C" {
    fn firmware_core_f32_layer(call: &LayerCall);
    fn firmware_core_sine_f32(call: &SineCall);
}

arithmetic!(F32, lanes: 1, dsp_encoder::floats, firmware_core_f32_layer, firmware_core_sine_f32);

#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod layers {
    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb
    .fpu    fpv4-sp-d16

    @ Four inputs of four rows: weights at r0, x at r1, accumulators s0 to s3.
    .macro ffm_f32_group
    vldm    r1!, {{s4-s7}}
    vldm    r0!, {{s8-s23}}
    .irp k, 8, 9, 10, 11
    vmul.f32 s\k, s\k, s4
    .endr
    .irp k, 12, 13, 14, 15
    vmul.f32 s\k, s\k, s5
    .endr
    .irp k, 16, 17, 18, 19
    vmul.f32 s\k, s\k, s6
    .endr
    .irp k, 20, 21, 22, 23
    vmul.f32 s\k, s\k, s7
    .endr
    ffm_f32_add 8, 9, 10, 11
    ffm_f32_add 12, 13, 14, 15
    ffm_f32_add 16, 17, 18, 19
    ffm_f32_add 20, 21, 22, 23
    .endm
    .macro ffm_f32_add a, b, c, d
    vadd.f32 s0, s0, s\a
    vadd.f32 s1, s1, s\b
    vadd.f32 s2, s2, s\c
    vadd.f32 s3, s3, s\d
    .endm

    .pushsection .text.firmware_core_f32_layer, "ax", %progbits
    .global firmware_core_f32_layer
    .type   firmware_core_f32_layer, %function
    .thumb_func
    .p2align 2
firmware_core_f32_layer:
    push    {{r4-r11, lr}}
    vpush   {{d8-d11}}
    ldm     r0, {{r1-r6}}                  @ x, y, end of words, end of x, raw, words
    mov     r0, r6
    mov     r6, r1
    sub     r7, r4, r1
    ubfx    r12, r7, #4, #2            @ groups of four inputs, modulo four
    bic     r7, r7, #15
    adr     lr, 10f
    ldr     r12, [lr, r12, lsl #2]
    cmp     r7, #0
    it      eq
    ldreq   r12, [lr, #16]
    add     r7, r7, r1                 @ end of the groups
    b       1f
    .p2align 2
10: .word   20f + 1, 21f + 1, 22f + 1, 23f + 1, 24f + 1
1:  vldm    r0!, {{s0-s3}}
    bx      r12
20: ffm_f32_group
23: ffm_f32_group
22: ffm_f32_group
21: ffm_f32_group
    cmp     r1, r7
    bne     20b
24: cmp     r1, r4
    bne     3f
25: cbnz    r5, 4f
    vmov    r8, r9, s0, s1
    vmov    r10, r11, s2, s3
    bic     r8, r8, r8, asr #31
    bic     r9, r9, r9, asr #31
    bic     r10, r10, r10, asr #31
    bic     r11, r11, r11, asr #31
    stm     r2!, {{r8-r11}}
    mov     r1, r6
    cmp     r0, r3
    bne     1b
    b       9f
3:  vldm    r1!, {{s4}}
    vldm    r0!, {{s8-s11}}
    .irp k, 8, 9, 10, 11
    vmul.f32 s\k, s\k, s4
    .endr
    ffm_f32_add 8, 9, 10, 11
    b       24b
4:  vstm    r2!, {{s0-s3}}
    mov     r1, r6
    cmp     r0, r3
    bne     1b
9:  vpop    {{d8-d11}}
    pop     {{r4-r11, pc}}
    .size   firmware_core_f32_layer, . - firmware_core_f32_layer
    .popsection
    .purgem ffm_f32_group
    .purgem ffm_f32_add
"#
    );
}
