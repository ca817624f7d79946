//! Grids in assembly for ARMv6-M: Cortex-M0, M0+ and M1, and for the M23.
//!
//! Linear grids over two axes whose coefficients have 8 bits become features in 98 instructions a level, of which 40 make
//! the two positions out of halves of 16 bits, and 33 a channel. All other grids are portable.

// On the stack: [sp] point, [8] and [20] weights of the rows, [12] weight of the next column, [16] from a row to the next.
// r8 channels, r9 end of the words, r10 x, r11 next level, r12 end of the channels.
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod thumb1 {
    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb
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
    sub     sp, #24
    ldmia   r0!, {{r3, r4, r5, r6, r7}}      @ words, axes, end, point, x
    ldr     r0, [r0, #12]                  @ channels
    mov     r8, r0
    mov     r9, r5
    mov     r10, r7
    ldr     r0, [r6]
    ldr     r1, [r6, #4]
    str     r0, [sp]
    str     r1, [sp, #4]
    movs    r7, r3
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
    movs    r2, #1
    lsls    r2, r2, #14
    adds    r1, r1, r2
    asrs    r1, r1, #15
    strh    r1, [r4]
    adds    r4, #2
    adds    r0, #1
    cmp     r0, r12
    bne     4b
    mov     r10, r4
    mov     r7, r11
    cmp     r7, r9
    bne     1b
    add     sp, #24
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
    .size   firmware_core_grid, . - firmware_core_grid
    .popsection
"#
    );
}
