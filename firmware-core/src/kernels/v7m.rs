//! Kernels for ARMv7-M without the DSP extension: Cortex-M3.
//!
//! | | instructions a MAC | what makes up the loop |
//! | --- | --- | --- |
//! | `w8a16` | 2.25 | for an input of two rows LDRSH, SMLAL, SXTB, MLA; for two inputs of four rows 2 × LDRSH |
//! | `w16a16` | 2.25 | LDRSH, MLA; for an input of four rows LDRSH an activation |
//!
//! As on cores with SMLAD, a halfword of `w8a16` is multiplied as it is, into 64 bits, and the odd row's sum comes out
//! at the end of a block as (mix - even) / 256. Requantization is SMULL with the rounding added, and USAT.

use super::assembly::{encode_halfwords, frame, frame_end, one_lane};
use crate::fixed::{EVEN, ODD};

one_lane!(encode_halfwords);

#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod layers {
    use super::{frame, frame_end};

    core::arch::global_asm!(concat!(
        frame!(),
        r#"
    @ A hidden activation from its accumulator; r1, r2 are free.
    .macro ffm_requantize accumulator, multiplier
    smull   r1, r2, \accumulator, \multiplier
    adds    r1, r1, #0x80000000
    adc     r2, r2, #0
    usat    \accumulator, #15, r2
    .endm

    @ One input of a row pair.
    .macro ffm_w8_input offset, x, even, low, high
    ldrsh   r4, [r0, #\offset]
    smlal   \low, \high, r4, \x
    sxtb    r4, r4
    mla     \even, r4, \x, \even
    .endm
    @ Eight inputs of two row pairs. r0 and r1 stand one group before.
    .macro ffm_w8_group
    ldrsh   r2, [r1, #16]!
    ldrsh   r4, [r0, #32]!
    smlal   r9, r10, r4, r2
    sxtb    r4, r4
    mla     r8, r4, r2, r8
    ldrsh   r3, [r1, #2]
    ffm_w8_input 8, r2, r11, r12, lr
    ffm_w8_input 2, r3, r8, r9, r10
    ffm_w8_input 10, r3, r11, r12, lr
    ffm_w8_inputs 4, 4
    ffm_w8_inputs 16, 8
    ffm_w8_inputs 20, 12
    .endm
    @ Two inputs of two row pairs.
    .macro ffm_w8_inputs w, x
    ldrsh   r2, [r1, #\x]
    ldrsh   r3, [r1, #\x + 2]
    ffm_w8_input \w, r2, r8, r9, r10
    ffm_w8_input \w + 8, r2, r11, r12, lr
    ffm_w8_input \w + 2, r3, r8, r9, r10
    ffm_w8_input \w + 10, r3, r11, r12, lr
    .endm

    .pushsection .text.firmware_core_w8a16_layer, "ax", %progbits
    .global firmware_core_w8a16_layer
    .type   firmware_core_w8a16_layer, %function
    .thumb_func
    .p2align 2
firmware_core_w8a16_layer:
    ffm_layer_begin 4
    sub     r1, r1, #16
    ldr     r4, [sp, #12]
    sub     r4, r4, #16
    str     r1, [sp]
    str     r4, [sp, #12]
1:  ldm     r0!, {{r8, r9, r11, r12}}
    ffm_mix r9, r10, r8, r4
    ffm_mix r12, lr, r11, r4
    sub     r0, r0, #32
    ldr     pc, [sp, #16]
20:
22: ffm_w8_group
21:
23: ffm_w8_group
    ldr     r4, [sp, #12]
    cmp     r1, r4
    bne     20b
    ffm_unmix r9, r10, r8
    ffm_unmix r12, lr, r11
    add     r0, r0, #32
    ldr     pc, [sp, #20]
30: ldm     r0!, {{r4-r7}}
    ffm_requantize r8, r4
    ffm_requantize r9, r5
    ffm_requantize r11, r6
    ffm_requantize r12, r7
    ldm     sp, {{r1, r2, r3}}
    orr     r8, r8, r9, lsl #16
    orr     r11, r11, r12, lsl #16
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

    @ Two inputs of four rows, in r8 to r11; r0 and r1 stand one group of eight inputs before at the first.
    .macro ffm_w16_inputs w, x, first
    .if \first
    ldrsh   r2, [r1, #16]!
    ldrsh   r4, [r0, #64]!
    .else
    ldrsh   r2, [r1, #\x]
    ldrsh   r4, [r0, #\w]
    .endif
    ldrsh   r3, [r1, #\x + 2]
    ldrsh   r5, [r0, #\w + 2]
    mla     r8, r4, r2, r8
    mla     r8, r5, r3, r8
    ffm_w16_row \w + 4, r9
    ffm_w16_row \w + 8, r10
    ffm_w16_row \w + 12, r11
    .endm
    .macro ffm_w16_row w, accumulator
    ldrsh   r4, [r0, #\w]
    ldrsh   r5, [r0, #\w + 2]
    mla     \accumulator, r4, r2, \accumulator
    mla     \accumulator, r5, r3, \accumulator
    .endm
    .macro ffm_w16_group
    ffm_w16_inputs 0, 0, 1
    ffm_w16_inputs 16, 4, 0
    ffm_w16_inputs 32, 8, 0
    ffm_w16_inputs 48, 12, 0
    .endm

    .pushsection .text.firmware_core_w16a16_layer, "ax", %progbits
    .global firmware_core_w16a16_layer
    .type   firmware_core_w16a16_layer, %function
    .thumb_func
    .p2align 2
firmware_core_w16a16_layer:
    ffm_layer_begin 4
    sub     r1, r1, #16
    ldr     r12, [sp, #12]
    sub     r12, r12, #16                  @ end of x
    str     r1, [sp]
1:  ldm     r0!, {{r8-r11}}
    sub     r0, r0, #64
    ldr     pc, [sp, #16]
20:
22: ffm_w16_group
21:
23: ffm_w16_group
    cmp     r1, r12
    bne     20b
    add     r0, r0, #64
    ldr     pc, [sp, #20]
30: ldm     r0!, {{r4-r7}}
    ffm_requantize r8, r4
    ffm_requantize r9, r5
    ffm_requantize r10, r6
    ffm_requantize r11, r7
    ldm     sp, {{r1, r2, r3}}
    orr     r8, r8, r9, lsl #16
    orr     r10, r10, r11, lsl #16
    strd    r8, r10, [r2], #8
    str     r2, [sp, #4]
    cmp     r0, r3
    bne     1b
    ffm_layer_end
31: ldm     sp, {{r1, r2, r3}}
    stm     r2!, {{r8-r11}}
    add     r0, r0, #16
    str     r2, [sp, #4]
    cmp     r0, r3
    bne     1b
    ffm_layer_end
    .size   firmware_core_w16a16_layer, . - firmware_core_w16a16_layer
    .popsection

    .purgem ffm_requantize
    .purgem ffm_w8_input
    .purgem ffm_w8_inputs
    .purgem ffm_w8_group
    .purgem ffm_w16_inputs
    .purgem ffm_w16_row
    .purgem ffm_w16_group
"#,
        frame_end!()
    ));
}

// On the stack: [sp] x, end of x, point, sines, stride, d.
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod encoder {
    use super::{EVEN, ODD};

    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb

    @ to = c + ((a * b + 2^31) >> 32); r10 is 2^31. `low` and `to` are neither a nor b.
    .macro ffm_multiply_add to, low, a, b, c
    mov     \low, r10
    mov     \to, \c
    smlal   \low, \to, \a, \b
    .endm

    @ The cosine and the sine of the phase in r2, to r3 and r4; r5 to r9 are lost. r12: coefficients.
    .macro ffm_cos_sin
    eor     r3, r2, r2, asr #31
    rsb     r3, r3, #0x40000000
    ffm_multiply_add r5, r6, r3, r3, #0
    ldrd    r7, r8, [r12]
    ffm_multiply_add r4, r6, r7, r5, r8
    ldrd    r7, r8, [r12, #8]
    ffm_multiply_add r9, r6, r4, r5, r7
    ffm_multiply_add r4, r6, r9, r5, r8
    ffm_multiply_add r9, r6, r4, r3, #0
    ldrd    r7, r8, [r12, #16]
    ffm_multiply_add r4, r6, r7, r5, r8
    ldrd    r7, r8, [r12, #24]
    ffm_multiply_add r3, r6, r4, r5, r7
    ffm_multiply_add r4, r6, r3, r5, r8
    eor     r4, r4, r2, asr #31
    sub     r4, r4, r2, asr #31
    mov     r3, r9
    .endm

    @ The phase of the row of B at r1, which moves on, to r2.
    .macro ffm_phase
    ldrd    r3, r4, [sp, #8]               @ point, sines
    ldr     r5, [sp, #20]
    mov     r2, #0
7:  ldr     r6, [r1], #4
    ldr     r7, [r3], #4
    lsr     r8, r7, #15
    add     r8, r8, #1
    lsr     r8, r8, #1                     @ the upper half of v, rounded
    sxth    r7, r7
    mla     r2, r6, r8, r2
    smull   r7, r8, r6, r7
    subs    r5, r5, #1
    add     r2, r2, r7, lsr #16
    add     r2, r2, r8, lsl #16
    bne     7b
    .endm

    .pushsection .text.firmware_core_encode, "ax", %progbits
    .global firmware_core_encode
    .type   firmware_core_encode, %function
    .thumb_func
    .p2align 2
firmware_core_encode:
    push    {{r4-r11, lr}}
    ldm     r0, {{r1-r7}}                  @ point, d, frequencies, x, end, sines, stride
    mov     r8, r1
    mov     r9, r6
    mov     r10, r7
    mov     r11, r2
    mov     r0, r4
    mov     r7, r5
    sub     sp, sp, #24
    strd    r0, r7, [sp]
    strd    r8, r9, [sp, #8]
    strd    r10, r11, [sp, #16]
    mov     r1, r3
    adr     r12, 40f
    mov     r10, #0x80000000
1:  ffm_phase
    ffm_cos_sin
    mov     r11, r3
    mov     lr, r4
    ffm_phase
    ffm_cos_sin
    uxth    r11, r11
    uxth    lr, lr
    orr     r11, r11, r3, lsl #16
    orr     lr, lr, r4, lsl #16
    ldrd    r5, r6, [sp]                   @ x, end
    ldrd    r7, r8, [sp, #12]              @ sines, stride
    str     r11, [r5]
    str     lr, [r5, r7]
    add     r5, r5, r8
    str     r5, [sp]
    cmp     r5, r6
    bne     1b
    add     sp, sp, #24
    pop     {{r4-r11, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}, {even_3}, {even_2}, {even_1}, {even_0}
    .size   firmware_core_encode, . - firmware_core_encode
    .popsection
    .purgem ffm_multiply_add
    .purgem ffm_cos_sin
    .purgem ffm_phase
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
