//! Grids over two axes in assembly, for ARMv7-M and up: Cortex-M3, M4, M7, M33, M55.
//!
//! | | instructions a level | a channel of 8 bits | of 4 to 7 bits |
//! | --- | --- | --- | --- |
//! | linear | 35 | 19 | 61 |
//! | quadratic | 51 | 37 | 104 |
//!
//! A coefficient of 8 bits is a byte, which LDRSB loads. Any other one is cut from the four bytes that end with its
//! last bit: these are inside of the grid, or among the words in front of its coefficients. Bits are counted downwards,
//! as -1 - bit, so that an AND gives the shift and a subtraction the address. As a coefficient q counts as
//! q·2^(16 - bits), the sum of a row is rounded by 2^(bits - 2) and shifted by bits - 1, which is the same.

#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod thumb2 {
    use crate::kernels::assembly::extensions;

    // On the stack: the call, with two places of code in place of order and form; [48] offset and weight of three rows
    // of nodes, [72] the end of the channels, [76] what rounds the sum of a row.
    core::arch::global_asm!(concat!(
        extensions!(),
        r#"
    .syntax unified
    .thumb

    @ Weights of quadratic splines from f.
    .macro ffm_quadratic f, first, middle, last
    rsb     \first, \f, #32768
    mul     \last, \f, \f
    mul     \first, \first, \first
    lsr     \last, \last, #16
    lsr     \first, \first, #16
    rsb     \middle, \first, #32768
    sub     \middle, \middle, \last
    .endm

    @ r1 = r1 + weight * the coefficient of which `bit` counts the last bit; r3 and r4 are free.
    .macro ffm_tap bit, weight
    sub     r3, r0, \bit, asr #3
    ldr     r3, [r3, #-4]
    and     r4, \bit, #7
    lsl     r3, r3, r4
    asr     r3, r3, r12
    mla     r1, r3, \weight, r1
    .endm

    @ Channels of 4 to 7 bits: r0 coefficients, r9 and r5 from a column to the next ones, r10, r8 and r11 their weights,
    @ lr the first coefficient; rows from the stack.
    .macro ffm_bits order
    ldr     r1, [sp, #32]
    ldr     r2, [sp, #24]
    sub     lr, lr, r1
    add     r2, r2, lr
    rsb     r12, r1, #32
    str     r2, [sp, #72]
    sub     r1, r1, #2
    mov     r2, #1
    lsl     r2, r2, r1
    str     r2, [sp, #76]
5:  ldr     r6, [sp, #36]
    add     r7, sp, #64 - 8 * \order
6:  ldr     r2, [r7], #8
    ldr     r1, [sp, #76]
    add     r2, r2, lr
    ffm_tap r2, r10
    .if \order == 2
    add     r4, r2, r5
    .endif
    add     r2, r2, r9
    ffm_tap_at \order
    ldr     r2, [r7, #-4]
    rsb     r3, r12, #31
    asr     r1, r1, r3
    mla     r6, r1, r2, r6
    add     r4, sp, #72
    cmp     r7, r4
    bne     6b
    ldr     r1, [sp, #36]
    ldr     r2, [sp, #4]
    cbz     r1, 7f
    asr     r6, r6, #15
    strh    r6, [r2], #2
8:  str     r2, [sp, #4]
    ldr     r1, [sp, #32]
    ldr     r2, [sp, #72]
    sub     lr, lr, r1
    cmp     lr, r2
    bne     5b
    b       9f
7:  str     r6, [r2], #4
    b       8b
    .endm
    .macro ffm_tap_at order
    .if \order == 2
    ffm_tap r4, r11
    .endif
    ffm_tap r2, r8
    .endm

    .pushsection .text.firmware_core_surface, "ax", %progbits
    .global firmware_core_surface
    .type   firmware_core_surface, %function
    .thumb_func
    .p2align 2
firmware_core_surface:
    push    {{r4-r11, lr}}
    sub     sp, sp, #80
    ldm     r0, {{r1-r12}}
    adr     lr, 10f
    ldr     r11, [lr, r11, lsl #2]
    ldr     r12, [lr, r12, lsl #2]
    stm     sp, {{r1-r12}}
    mov     r0, r1
    mov     r4, r2
    b       1f
    .p2align 2
10: .word   11f + 1, 12f + 1, 21f + 1, 22f + 1, 31f + 1, 32f + 1

    @ A level. r7 and r8: f of both axes, r9 and r12: from a node to the next one along either, lr: the first node,
    @ r10 and r11: its place along the axes.
1:  ldm     r0!, {{r1, r2, r3, r5}}          @ nodes and cells of the axes
    ldrd    r7, r8, [sp, #12]
    ldrd    r9, lr, [sp, #24]
    umull   r10, r7, r7, r2
    umull   r10, r8, r8, r5
    mul     r12, r3, r9
    lsr     r10, r7, #16
    lsr     r11, r8, #16
    mul     r6, r1, r12
    mul     r6, r6, lr
    add     r6, r6, #31
    lsr     r6, r6, #5
    add     r6, r0, r6, lsl #2
    str     r6, [sp]
    mul     lr, r10, r12
    mla     lr, r11, r9, lr
    ubfx    r7, r7, #1, #15
    ubfx    r8, r8, #1, #15
    ldr     pc, [sp, #40]

    @ Linear: r10 and r8 weights of the columns, r11 and r7 of the rows.
11: cmp     r2, r1, lsl #16
    beq     13f
14: cmp     r5, r3, lsl #16
    beq     15f
16: rsb     r10, r8, #32768
    rsb     r11, r7, #32768
    ldr     pc, [sp, #44]
13: add     r10, r10, #1                   @ a periodic axis wraps
    cmp     r10, r1
    it      eq
    mlseq   r12, r12, r1, r12
    b       14b
15: add     r11, r11, #1
    cmp     r11, r3
    it      eq
    mlseq   r9, r9, r3, r9
    b       16b

    @ Quadratic: r9 and r5 to the columns, r10, r8 and r11 their weights; rows on the stack.
12: cmp     r2, r1, lsl #16
    lsl     r2, r12, #1
    beq     13f
14: ffm_quadratic r7, r1, r10, r6
    str     r1, [sp, #52]
    strd    r12, r10, [sp, #56]
    strd    r2, r6, [sp, #64]
    cmp     r5, r3, lsl #16
    lsl     r5, r9, #1
    beq     15f
16: mov     r2, r8
    ffm_quadratic r2, r10, r8, r11
    ldr     pc, [sp, #44]
13: add     r10, r10, #2
    cmp     r10, r1
    blo     14b
    mls     r2, r12, r1, r2
    it      hi
    mlshi   r12, r12, r1, r12
    b       14b
15: add     r11, r11, #2
    cmp     r11, r3
    blo     16b
    mls     r5, r9, r3, r5
    it      hi
    mlshi   r9, r9, r3, r9
    b       16b

31: mov     r1, #0
    strd    r1, r11, [sp, #56]
    strd    r12, r7, [sp, #64]
    ffm_bits 1
32: mov     r1, #0
    str     r1, [sp, #48]
    ffm_bits 2

    @ Bytes, quadratic: r0 first coefficient, r7 end of the channels.
    .macro ffm_row
    ldrsb   r1, [r3]
    ldrsb   r2, [r3, r9]
    ldrsb   r3, [r3, r5]
    mla     r1, r1, r10, lr
    mla     r1, r2, r8, r1
    mla     r1, r3, r11, r1
    asrs    r1, r1, #7
    .endm
22: ldr     r7, [sp, #20]
    ldr     r6, [sp, #36]
    add     r0, r0, lr
    add     r7, r7, r0
    mov     lr, #64
23: mov     r3, r0
    ffm_row
    ldr     r2, [sp, #52]
    mla     r12, r1, r2, r6
    ldr     r3, [sp, #56]
    add     r3, r3, r0
    ffm_row
    ldr     r2, [sp, #60]
    mla     r12, r1, r2, r12
    ldr     r3, [sp, #64]
    add     r3, r3, r0
    ffm_row
    ldr     r2, [sp, #68]
    mla     r1, r1, r2, r12
    cbz     r6, 24f
    asrs    r1, r1, #15
    strh    r1, [r4], #2
25: adds    r0, r0, #1
    cmp     r0, r7
    bne     23b
    b       9f
24: str     r1, [r4], #4
    b       25b
    .purgem ffm_row

    @ Bytes, linear: r0 first coefficient, r5 end of the channels.
21: ldr     r5, [sp, #20]
    ldr     r6, [sp, #36]
    add     r0, r0, lr
    add     r5, r5, r0
    mov     lr, #64
26: add     r3, r0, r12
    ldrsb   r1, [r0]
    ldrsb   r2, [r0, r9]
    mla     r1, r1, r10, lr
    mla     r1, r2, r8, r1
    ldrsb   r2, [r3]
    ldrsb   r3, [r3, r9]
    asrs    r1, r1, #7
    mla     r2, r2, r10, lr
    mla     r2, r3, r8, r2
    asrs    r2, r2, #7
    mla     r1, r1, r11, r6
    mla     r1, r2, r7, r1
    cbz     r6, 27f
    asrs    r1, r1, #15
    strh    r1, [r4], #2
28: adds    r0, r0, #1
    cmp     r0, r5
    bne     26b

9:  ldr     r0, [sp]
    ldr     r1, [sp, #8]
    cmp     r0, r1
    bne     1b
    add     sp, sp, #80
    pop     {{r4-r11, pc}}
27: str     r1, [r4], #4
    b       28b
    .size   firmware_core_surface, . - firmware_core_surface
    .popsection
    .purgem ffm_quadratic
    .purgem ffm_tap
    .purgem ffm_tap_at
    .purgem ffm_bits
"#
    ));
}
