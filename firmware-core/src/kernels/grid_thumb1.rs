//! Grids in assembly for ARMv6-M: Cortex-M0, M0+ and M1, and for the M23.
//!
//! Grids over two axes whose coefficients have 8 bits become features. Linear ones take 101 instructions a level, of
//! which 40 make the two positions out of halves of 16 bits, and 33 a channel; quadratic ones 144 a level and 69 a
//! channel. All other grids are portable.

// On the stack: [sp] point, [8] and [12] f of either axis, [60] 1 where quadratic. Linear: [16] to the next row, [20]
// the weight of the first row. Quadratic: [24] to the other rows, [32] weights of the rows, [44] to the last column,
// [48] its weight, [52] first coefficient, [56] to the next column. r8 channels, r9 levels that are left, r10 x, r11
// next level, r12 end of the channels.
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod thumb1 {
    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb

    @ r1: the value of the row of nodes at r2; r3 is free.
    .macro ffm_row
    movs    r1, #0
    ldrsb   r1, [r2, r1]
    ldrsb   r3, [r2, r5]
    muls    r1, r6
    muls    r3, r7
    adds    r1, r1, r3
    ldr     r3, [sp, #44]
    ldrsb   r3, [r2, r3]
    ldr     r2, [sp, #48]
    muls    r3, r2
    adds    r1, r1, r3
    adds    r1, #64
    asrs    r1, r1, #7
    .endm

    .pushsection .text.firmware_core_grid, "ax", %progbits
    .global firmware_core_grid
    .type   firmware_core_grid, %function
    .thumb_func
    .p2align 2
firmware_core_grid:
    push    {{r4-r7, lr}}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {{r4-r7}}
    sub     sp, #64
    movs    r7, r0
    mov     r10, r1
    ldmia   r3!, {{r0, r1}}
    str     r0, [sp]
    str     r1, [sp, #4]
    ldr     r0, [r2, #4]                   @ channels, levels, order
    ldr     r1, [r2, #32]
    ldr     r2, [r2, #40]
    mov     r8, r0
    mov     r9, r1
    str     r2, [sp, #60]
1:  ldr     r0, [sp]
    ldr     r1, [r7, #4]
    bl      5f
    movs    r5, r0
    ldr     r0, [sp, #4]
    ldr     r1, [r7, #12]
    bl      5f
    ldr     r1, [r7]
    ldr     r2, [r7, #8]
    lsrs    r3, r5, #16                    @ places along the axes, and f
    lsrs    r4, r0, #16
    lsls    r5, r5, #16
    lsrs    r5, r5, #17
    str     r5, [sp, #8]
    lsls    r0, r0, #16
    lsrs    r0, r0, #17
    str     r0, [sp, #12]
    mov     r0, r8
    movs    r5, r2
    muls    r5, r0                         @ a row
    movs    r6, r3
    muls    r6, r5
    muls    r0, r4
    adds    r6, r6, r0
    adds    r7, #16
    adds    r6, r6, r7                     @ first coefficient
    movs    r0, r1
    muls    r0, r5                         @ all coefficients
    adds    r7, r7, r0
    adds    r7, #3
    lsrs    r7, r7, #2
    lsls    r7, r7, #2
    mov     r11, r7
    ldr     r7, [sp, #60]
    cmp     r7, #0
    bne     6f
    adds    r4, #1
    cmp     r4, r2
    mov     r2, r8
    bne     2f
    subs    r2, r2, r5                     @ a periodic axis wraps
2:  adds    r3, #1
    cmp     r3, r1
    bne     3f
    subs    r5, r5, r0
3:  str     r5, [sp, #16]
    movs    r0, r6
    movs    r5, r2
    movs    r3, #1
    lsls    r3, r3, #15
    ldr     r7, [sp, #12]
    subs    r6, r3, r7
    ldr     r1, [sp, #8]
    subs    r3, r3, r1
    str     r3, [sp, #20]
    mov     r1, r8
    adds    r1, r1, r0
    mov     r12, r1
    mov     r4, r10
4:  movs    r2, #0
    ldrsb   r1, [r0, r2]
    ldrsb   r2, [r0, r5]
    muls    r1, r6
    muls    r2, r7
    adds    r1, r1, r2
    adds    r1, #64
    asrs    r1, r1, #7
    ldr     r3, [sp, #20]
    muls    r3, r1
    ldr     r2, [sp, #16]
    adds    r2, r2, r0
    movs    r1, #0
    ldrsb   r1, [r2, r1]
    ldrsb   r2, [r2, r5]
    muls    r1, r6
    muls    r2, r7
    adds    r1, r1, r2
    adds    r1, #64
    asrs    r1, r1, #7
    ldr     r2, [sp, #8]
    muls    r1, r2
    adds    r1, r1, r3
    asrs    r1, r1, #14
    adds    r1, #1
    asrs    r1, r1, #1
    strh    r1, [r4]
    adds    r4, #2
    adds    r0, #1
    cmp     r0, r12
    bne     4b
9:  mov     r10, r4
    mov     r7, r11
    mov     r0, r9
    subs    r0, #1
    mov     r9, r0
    beq     8f
    b       1b
8:
    add     sp, #64
    pop     {{r4-r7}}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {{r4-r7, pc}}

    @ r0 = (r0 * r1) >> 32, without signs.
5:  lsrs    r2, r0, #16
    uxth    r0, r0
    lsrs    r3, r1, #16
    uxth    r1, r1
    movs    r4, r0
    muls    r4, r1
    lsrs    r4, r4, #16
    muls    r1, r2
    adds    r1, r1, r4
    muls    r0, r3
    uxth    r4, r1
    adds    r0, r0, r4
    lsrs    r0, r0, #16
    lsrs    r1, r1, #16
    adds    r0, r0, r1
    muls    r2, r3
    adds    r0, r0, r2
    bx      lr

    @ Quadratic: r5 to the next column, r6 and r7 weights of the first two.
6:  str     r6, [sp, #52]
    mov     r7, r8
    adds    r6, r7, r7
    adds    r4, #1
    cmp     r4, r2
    bne     2f
    subs    r7, r7, r5                     @ a periodic axis wraps
    subs    r6, r6, r5
2:  adds    r4, #1
    cmp     r4, r2
    bne     3f
    subs    r6, r6, r5
3:  str     r6, [sp, #44]
    str     r7, [sp, #56]
    adds    r6, r5, r5
    adds    r3, #1
    cmp     r3, r1
    bne     2f
    subs    r5, r5, r0
    subs    r6, r6, r0
2:  adds    r3, #1
    cmp     r3, r1
    bne     3f
    subs    r6, r6, r0
3:  str     r5, [sp, #24]
    str     r6, [sp, #28]
    ldr     r0, [sp, #8]
    bl      5f
    str     r0, [sp, #32]
    str     r1, [sp, #36]
    str     r2, [sp, #40]
    ldr     r0, [sp, #12]
    bl      5f
    movs    r6, r0
    movs    r7, r1
    str     r2, [sp, #48]
    ldr     r5, [sp, #56]
    ldr     r0, [sp, #52]
    mov     r1, r8
    adds    r1, r1, r0
    mov     r12, r1
    mov     r4, r10
4:  movs    r2, r0
    ffm_row
    ldr     r2, [sp, #32]
    muls    r1, r2
    mov     lr, r1
    ldr     r2, [sp, #24]
    adds    r2, r2, r0
    ffm_row
    ldr     r2, [sp, #36]
    muls    r1, r2
    add     lr, r1
    ldr     r2, [sp, #28]
    adds    r2, r2, r0
    ffm_row
    ldr     r2, [sp, #40]
    muls    r1, r2
    add     r1, lr
    asrs    r1, r1, #14
    adds    r1, #1
    asrs    r1, r1, #1
    strh    r1, [r4]
    adds    r4, #2
    adds    r0, #1
    cmp     r0, r12
    bne     4b
    b       9b

    @ The weights r0 to r2 of quadratic splines from r0 = f.
5:  movs    r3, #1
    lsls    r3, r3, #15
    subs    r1, r3, r0
    muls    r1, r1
    lsrs    r1, r1, #16
    muls    r0, r0
    lsrs    r2, r0, #16
    movs    r0, r1
    subs    r1, r3, r0
    subs    r1, r1, r2
    bx      lr
    .purgem ffm_row
    .size   firmware_core_grid, . - firmware_core_grid
    .popsection
"#
    );
}
