//! Kernels for ARMv6-M: Cortex-M0, M0+ and M1, and for the M23.
//!
//! | | instructions a MAC | what makes up the loop |
//! | --- | --- | --- |
//! | `w8a16` | 4.2 | for two inputs of a row pair: LDR, 4 extensions, 4 MULS, 6 additions |
//! | `w16a16` | 3.7 | for two inputs of two rows: LDM, 4 extensions, 4 MULS, 4 additions |
//!
//! There is no 64-bit accumulator. But 256·odd + even of *two* inputs fits into 32 bits (2·127·32767·256 < 2³¹), and so
//! does the even rows' sum: their difference shifted by eight is the odd rows', exactly. Accumulators live in r8 to
//! r11, to which ADD reaches. Requantization multiplies in four halves, and only where the accumulator is positive. Of
//! a last block with one or two rows only these are computed.

use super::assembly::{encode_halfwords, one_lane};
use crate::fixed::{EVEN, ODD};

one_lane!(encode_halfwords);

// On the stack: [sp] x, [4] y, [8] rows that are left, less two. lr: code that stores a block.
#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod layers {
    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb

    .macro ffm_layer name, inputs, half_inputs
    .pushsection .text.\name, "ax", %progbits
    .global \name
    .type   \name, %function
    .thumb_func
    .p2align 2
\name:
    push    {{r4-r7, lr}}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {{r4-r7}}
    ldmia   r0!, {{r1-r6}}                 @ x, y, end of words, end of x, raw, words
    ldr     r3, [r0]                       @ rows
    mov     r0, r6
    mov     r12, r4
    sub     sp, #16
    str     r1, [sp]
    str     r2, [sp, #4]
    adr     r4, 3f
    cmp     r5, #0
    beq     2f
    adr     r4, 5f
2:  mov     lr, r4
    subs    r3, #2
    b       4f
1:  ffm_bias
2:  \inputs
    cmp     r1, r12
    beq     11f
    b       2b
11: ldr     r7, [sp, #4]
    mov     pc, lr

    @ Stores four rows from r8 to r11.
    .p2align 2
3:  ffm_hidden r8, 0
    ffm_hidden r9, 1
    ffm_hidden r10, 2
    ffm_hidden r11, 3
    adds    r7, #8
8:  str     r7, [sp, #4]
    adds    r0, #16
    ldr     r3, [sp, #8]
    subs    r3, #4
4:  str     r3, [sp, #8]
    ldr     r1, [sp]
    ble     10f
    b       1b
    .p2align 2
5:  mov     r3, r8
    mov     r4, r9
    mov     r5, r10
    mov     r6, r11
    stmia   r7!, {{r3-r6}}
    b       8b

    @ Of one or two rows that are left, the other ones of the block are padding: their biases and weights are zero.
10: adds    r3, #2
    ble     9f
    ffm_bias
2:  \half_inputs
    cmp     r1, r12
    bne     2b
    b       11b
9:  add     sp, #16
    pop     {{r4-r7}}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {{r4-r7, pc}}
    .size   \name, . - \name
    .popsection
    .endm

    .macro ffm_bias
    ldmia   r0!, {{r4-r7}}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    .endm

    @ A hidden activation from its accumulator, by its multiplier at r0, to its place at r7. Both are below 2^31, so that
    @ none of the sums of halves overflows. The last bit that LSRS shifts out is the carry, by which ADCS rounds.
    .macro ffm_hidden accumulator, row
    mov     r4, \accumulator
    cmp     r4, #0
    ble     6f
    ldrh    r3, [r0, #4 * \row]
    ldrh    r5, [r0, #4 * \row + 2]
    uxth    r2, r4
    lsrs    r4, r4, #16
    movs    r6, r2
    muls    r6, r3
    lsrs    r6, r6, #16
    muls    r3, r4
    muls    r2, r5
    adds    r6, r3
    adds    r6, r2
    muls    r4, r5
    lsrs    r6, r6, #16
    adcs    r4, r6
    lsrs    r5, r4, #15
    beq     7f
    movs    r4, #1
    lsls    r4, r4, #15
    subs    r4, #1
    b       7f
6:  movs    r4, #0
7:  strh    r4, [r7, #2 * \row]
    .endm

    @ The next two activations, to r2 and r3.
    .macro ffm_x
    ldmia   r1!, {{r3}}
    sxth    r2, r3
    asrs    r3, r3, #16
    .endm

    @ Two inputs of a row pair.
    .macro ffm_w8_pair offset, even, odd
    ldr     r5, [r0, #\offset]
    sxth    r4, r5
    asrs    r5, r5, #16
    sxtb    r6, r4
    sxtb    r7, r5
    muls    r4, r2
    muls    r5, r3
    muls    r6, r2
    muls    r7, r3
    adds    r4, r5
    adds    r6, r7
    subs    r4, r6
    asrs    r4, r4, #8
    add     \odd, r4
    add     \even, r6
    .endm
    .macro ffm_w8_inputs
    .irp    offset, 0, 4, 16, 20
    ffm_x
    ffm_w8_pair \offset, r8, r9
    ffm_w8_pair \offset+8, r10, r11
    .endr
    adds    r0, #32
    .endm
    .macro ffm_w8_half_inputs
    ffm_x
    ffm_w8_pair 0, r8, r9
    ffm_x
    ffm_w8_pair 4, r8, r9
    adds    r0, #16
    .endm

    @ Two inputs of two rows.
    .macro ffm_w16_rows first, second
    ldmia   r0!, {{r4, r6}}
    sxth    r5, r4
    asrs    r4, r4, #16
    sxth    r7, r6
    asrs    r6, r6, #16
    muls    r5, r2
    muls    r4, r3
    muls    r7, r2
    muls    r6, r3
    adds    r4, r5
    adds    r6, r7
    add     \first, r4
    add     \second, r6
    .endm
    .macro ffm_w16_inputs
    .rept 4
    ffm_x
    ffm_w16_rows r8, r9
    ffm_w16_rows r10, r11
    .endr
    .endm
    .macro ffm_w16_half_inputs
    .rept 2
    ffm_x
    ffm_w16_rows r8, r9
    adds    r0, #8
    .endr
    .endm

    ffm_layer firmware_core_w8a16_layer, ffm_w8_inputs, ffm_w8_half_inputs
    ffm_layer firmware_core_w16a16_layer, ffm_w16_inputs, ffm_w16_half_inputs

    .purgem ffm_layer
    .purgem ffm_bias
    .purgem ffm_hidden
    .purgem ffm_x
    .purgem ffm_w8_pair
    .purgem ffm_w8_inputs
    .purgem ffm_w8_half_inputs
    .purgem ffm_w16_rows
    .purgem ffm_w16_inputs
    .purgem ffm_w16_half_inputs
"#
    );
}

// On the stack: [sp] x, [4] end of x, [8] point, [12] sines, [16] stride, [20] d, [24] and [28] the first cosine and
// sine.
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod encoder {
    use super::{EVEN, ODD};

    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb
    .pushsection .text.firmware_core_encode, "ax", %progbits
    .global firmware_core_encode
    .type   firmware_core_encode, %function
    .thumb_func
    .p2align 2
firmware_core_encode:
    push    {{r4-r7, lr}}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {{r4-r7}}
    sub     sp, #32
    ldmia   r0!, {{r1-r7}}                 @ point, d, frequencies, x, end, sines, stride
    str     r4, [sp]
    str     r5, [sp, #4]
    str     r1, [sp, #8]
    str     r6, [sp, #12]
    str     r7, [sp, #16]
    str     r2, [sp, #20]
    mov     r9, r3
1:  bl      2f
    bl      4f
    mov     r4, r12
    str     r4, [sp, #24]
    str     r2, [sp, #28]
    bl      2f
    bl      4f
    mov     r3, r12
    lsls    r2, r2, #16
    lsls    r3, r3, #16
    ldr     r4, [sp, #28]
    ldr     r5, [sp, #24]
    uxth    r4, r4
    uxth    r5, r5
    orrs    r2, r4
    orrs    r3, r5
    ldr     r0, [sp]
    ldr     r4, [sp, #12]
    str     r3, [r0]
    str     r2, [r0, r4]
    ldr     r4, [sp, #16]
    adds    r0, r4
    str     r0, [sp]
    ldr     r4, [sp, #4]
    cmp     r0, r4
    bne     1b
    add     sp, #32
    pop     {{r4-r7}}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {{r4-r7, pc}}

    @ r10: the phase of the row of B at r9, which moves on.
2:  mov     r1, r9
    ldr     r0, [sp, #8]
    ldr     r7, [sp, #20]
    movs    r2, #0
3:  ldmia   r1!, {{r3}}
    ldmia   r0!, {{r4}}
    lsrs    r5, r4, #16
    uxth    r4, r4
    muls    r5, r3
    adds    r2, r5
    asrs    r6, r3, #16
    muls    r6, r4
    adds    r2, r6
    uxth    r3, r3
    muls    r3, r4
    lsrs    r3, r3, #16
    adds    r2, r3
    subs    r7, #1
    bne     3b
    mov     r9, r1
    mov     r10, r2
    bx      lr

    @ r12, r2: the cosine and the sine of the phase in r10. r11: z, r3: its square.
4:  push    {{lr}}
    mov     r2, r10
    asrs    r4, r2, #31
    eors    r2, r4
    movs    r3, #1
    lsls    r3, r3, #30
    subs    r3, r3, r2
    mov     r11, r3
    movs    r2, r3
    bl      6f
    movs    r3, r2
    adr     r0, 40f
    ldmia   r0!, {{r2}}
    .rept 3
    bl      6f
    ldmia   r0!, {{r4}}
    adds    r2, r4
    .endr
    mov     r12, r3
    mov     r3, r11
    bl      6f
    mov     r3, r12
    mov     r12, r2
    ldmia   r0!, {{r2}}
    .rept 3
    bl      6f
    ldmia   r0!, {{r4}}
    adds    r2, r4
    .endr
    mov     r4, r10
    asrs    r4, r4, #31
    eors    r2, r4
    subs    r2, r2, r4
    pop     {{pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}, {even_3}, {even_2}, {even_1}, {even_0}

    @ r2 = (r2 * r3 + 2^31) >> 32, by halves; r3 is within 2^30, so that no sum of halves overflows. The last
    @ bit that ASRS shifts out is the carry, by which ADCS rounds.
    .global firmware_core_mul_high_rounded
    .thumb_func
firmware_core_mul_high_rounded:
6:  uxth    r4, r2
    asrs    r2, r2, #16
    uxth    r5, r3
    asrs    r6, r3, #16
    movs    r7, r4
    muls    r7, r5
    lsrs    r7, r7, #16
    muls    r5, r2
    adds    r7, r5
    muls    r2, r6
    muls    r4, r6
    asrs    r5, r7, #16
    adds    r2, r5
    uxth    r7, r7
    adds    r4, r7
    asrs    r4, r4, #16
    adcs    r2, r4
    bx      lr
    .size   firmware_core_encode, . - firmware_core_encode
    .popsection
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
