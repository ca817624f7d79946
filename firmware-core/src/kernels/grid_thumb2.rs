//! Grids in assembly for ARMv7-M and up: Cortex-M3, M4, M7, M33, M55.
//!
//! Instructions, over two axes:
//!
//! | | a level | a channel of 8 bits | of 4 to 7 bits | a single channel of 4 to 7 bits |
//! | --- | --- | --- | --- | --- |
//! | linear | 39 | 19 | 64 | 55 |
//! | quadratic | 56 | 37 | 110 | 76 |
//!
//! `firmware_core_grid` takes a plan of the shape; `firmware_core_surface` evaluates levels over one axis or two. Over
//! more axes it does so for every node of the axes before the last two, whose sums are taken recursively.
//!
//! A coefficient of 8 bits is a byte, which LDRSB loads. Any other one is cut from the four bytes that end with its
//! last bit: these are inside of the grid, or among the words of the axes in front of its coefficients. Bits are
//! counted downwards, as -1 - bit, so that an AND gives the shift and a subtraction the address. As a coefficient q
//! counts as q·2^(16 - bits), the sum of a row is rounded by 2^(bits - 2) and shifted by bits - 1, which is the same.
//!
//! Where there is one channel and the last axis does not wrap at the point, the coefficients of a row lie side by side,
//! at most 24 bits: one load takes them, and ROR turns one after another to the upper end.

#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod thumb2 {
    use crate::kernels::extensions::extensions;

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
    lsrs    \last, \last, #16
    lsrs    \first, \first, #16
    rsb     \middle, \first, #32768
    sub     \middle, \middle, \last
    .endm

    @ r1 = r1 + weight * the coefficient of which `bit` counts the last bit; r3 and r4 are free.
    .macro ffm_tap bit, weight
    sub     r3, r0, \bit, asr #3
    ldr     r3, [r3, #-4]
    and     r4, \bit, #7
    lsls    r3, r4
    asr     r3, r3, r12
    mla     r1, r3, \weight, r1
    .endm

    @ On the stack, as surfaces take them: [sp] the last two coordinates, [8] span (the channels), [12] node, [16] unit
    @ (in bits), [20] bits, [24] rounding, [28] rounding and [32] shift of a row of bits, [36] line, [40] code that places a
    @ point, [44] code of the channels. Then [48] coefficient, [52] a sum, [56] channel, [60] frames of the axes. What is
    @ counted in units counts bytes, or bits downwards.
    .pushsection .text.firmware_core_grid, "ax", %progbits
    .global firmware_core_grid
    .type   firmware_core_grid, %function
    .thumb_func
    .p2align 2
firmware_core_grid:
    push    {{r4-r11, lr}}
    sub     sp, sp, #140
    ldm     r2!, {{r4-r11}}                  @ plan, as far as surfaces take it
    add     r12, sp, #8
    stm     r12, {{r4-r11}}
    ldrd    r4, r5, [r3]
    strd    r4, r5, [sp]
    ldm     r2, {{r2, r5, r9, r10, lr}}      @ levels, axes, order, rounding, code of a row
    adr     r4, 10f
    ldr     r6, [r4, r9, lsl #2]
    ldr     r7, [r4, lr, lsl #2]
    strd    r6, r7, [sp, #40]
    cmp     r5, #2
    bhi     3f
    movs    r3, #0
    bl      firmware_core_surface
9:  add     sp, sp, #140
    pop     {{r4-r11, pc}}
    .p2align 2
10: .word   11f + 1, 12f + 1, 21f + 1, 22f + 1, 31f + 1, 32f + 1, 33f + 1, 34f + 1

    @ Three axes or more.
3:  mov     r4, r0
    mov     r7, r3
    mov     r8, r1
    mov     r11, r2                        @ levels that are left
    add     r6, sp, #60
4:  movs    r0, #0
    str     r0, [sp, #56]
5:  movs    r0, #0
    bl      7f
    mov     r1, r10
    cbz     r1, 6f
    adds    r0, r0, r1
    asrs    r0, r0, #15
    strh    r0, [r8], #2
    b       8f
6:  str     r0, [r8], #4
8:  ldr     r0, [sp, #56]
    ldr     r1, [sp, #8]
    adds    r0, r0, r1
    str     r0, [sp, #56]
    ldrd    r1, r2, [sp, #12]
    cmp     r0, r1
    bne     5b
    muls    r0, r2                         @ bits of a node, and then of the level
    mov     r2, r5
2:  ldm     r4!, {{r1, r3}}
    muls    r0, r1
    subs    r2, r2, #1
    bne     2b
    adds    r0, r0, #31
    lsrs    r0, r0, #5
    add     r4, r4, r0, lsl #2
    subs    r11, r11, #1
    bne     4b
    b       9b

    @ r0: the sum at the node r0 of the axes before, over those from r4 on, of which there are r5; r7 point, r6 frame:
    @ [0] return, [4] first node, [8] nodes, [12] place, [16] sum, [20] the next one of the weights that end at [36].
7:  str     lr, [r6]
    cmp     r5, #2
    bne     2f
    ldr     r1, [r4]
    ldr     r2, [r4, #8]
    muls    r0, r1
    muls    r0, r2
    ldr     r1, [sp, #12]
    ldr     r3, [sp, #56]
    mla     r3, r0, r1, r3
    ldrd    r1, r2, [r7]
    strd    r1, r2, [sp]
    mov     r0, r4
    add     r1, sp, #52
    movs    r2, #1
    bl      firmware_core_surface
    ldr     r0, [sp, #52]
    ldr     pc, [r6]
2:  ldm     r4!, {{r1, r2}}
    ldm     r7!, {{r3}}
    subs    r5, r5, #1
    muls    r0, r1
    strd    r0, r1, [r6, #4]
    umull   r0, r2, r3, r2
    lsrs    r3, r2, #16
    movs    r0, #0
    strd    r3, r0, [r6, #12]
    ubfx    r2, r2, #1, #15
    add     r12, r6, #28
    rsb     r0, r2, #32768
    strd    r0, r2, [r6, #28]
    mov     r3, r9
    cbz     r3, 3f
    sub     r12, r12, #4
    ffm_quadratic r2, r0, r1, r3
    stm     r12, {{r0, r1, r3}}
3:  str     r12, [r6, #20]
    ldrd    r0, r1, [r6, #4]
    ldr     r3, [r6, #12]
    adds    r0, r0, r3
    adds    r3, r3, #1
    cmp     r3, r1
    it      eq
    moveq   r3, #0
    str     r3, [r6, #12]
    adds    r6, r6, #36
    bl      7b
    subs    r6, r6, #36
    add     r0, r0, #0x4000
    asrs    r0, r0, #15
    ldrd    r2, r12, [r6, #16]
    ldr     r1, [r12], #4
    mla     r0, r0, r1, r2
    str     r0, [r6, #16]
    add     r1, r6, #36
    cmp     r12, r1
    bne     3b
    subs    r4, r4, #8
    subs    r7, r7, #4
    adds    r5, r5, #1
    ldr     pc, [r6]
    .size   firmware_core_grid, . - firmware_core_grid

    @ r0: words of the first level, r1: x, r2: levels, r3: offset of the first coefficient. On the stack: [sp] offset and weight of three rows of nodes, [24] end of the channels, [28] the first
    @ row, [32] words, [36] x, [40] levels, [44] offset, [84] as above.
    .type   firmware_core_surface, %function
    .thumb_func
    .p2align 2
firmware_core_surface:
    push    {{r0-r11, lr}}
    sub     sp, sp, #32
    mov     r4, r1

    @ A level. r7 and r8: f of both axes, r9 and r12: from a node to the next one along either, lr: the first node,
    @ r10 and r11: its place along the axes. One axis is the second of two, of which the first has one node.
1:  ldr     r6, [sp, #120]
    ldm     r0!, {{r1, r2}}                  @ nodes and cells of an axis
    ldrd    r7, r8, [sp, #84]
    ldrd    r9, lr, [sp, #96]
    cbz     r6, 2f
    mov     r8, r7
    mov     r3, r1
    mov     r5, r2
    movs    r1, #1
    movs    r2, #0
    b       3f
2:  ldm     r0!, {{r3, r5}}
3:  umull   r10, r7, r7, r2
    umull   r10, r8, r8, r5
    mul     r12, r3, r9
    lsr     r10, r7, #16
    lsr     r11, r8, #16
    mul     r6, r1, r12
    mul     r6, r6, lr
    ldr     lr, [sp, #44]
    adds    r6, r6, #31
    lsrs    r6, r6, #5
    add     r6, r0, r6, lsl #2
    str     r6, [sp, #32]
    mla     lr, r10, r12, lr
    mla     lr, r11, r9, lr
    ubfx    r7, r7, #1, #15
    ubfx    r8, r8, #1, #15
    ldr     pc, [sp, #124]

    @ Linear: r10 and r8 weights of the columns, r11 and r7 of the rows.
11: cmp     r2, r1, lsl #16
    beq     13f
14: cmp     r5, r3, lsl #16
    beq     15f
16: rsb     r10, r8, #32768
    rsb     r11, r7, #32768
    ldr     pc, [sp, #128]
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

    @ Quadratic: r9 and r11 to the columns, r5, r10 and r8 their weights; rows on the stack.
12: cmp     r2, r1, lsl #16
    lsl     r2, r12, #1
    beq     13f
14: ffm_quadratic r7, r1, r10, r6
    str     r1, [sp, #4]
    strd    r12, r10, [sp, #8]
    strd    r2, r6, [sp, #16]
    mov     r6, r11
    cmp     r5, r3, lsl #16
    lsl     r11, r9, #1
    beq     15f
16: mov     r2, r8
    ffm_quadratic r2, r5, r10, r8
    ldr     pc, [sp, #128]
13: add     r10, r10, #2
    cmp     r10, r1
    blo     14b
    mls     r2, r12, r1, r2
    it      hi
    mlshi   r12, r12, r1, r12
    b       14b
15: adds    r6, r6, #2
    cmp     r6, r3
    blo     16b
    mls     r11, r9, r3, r11
    it      hi
    mlshi   r9, r9, r3, r9
    b       16b

    @ Bits: r0 coefficients, r9 and r11 to the columns, r5, r10 and r8 their weights (r5 is 0 where there are two, of which
    @ the first one is at r9), lr the first coefficient, r7 end of the rows on the stack.
33: movs    r5, #0
    mov     r11, r9
    mov     r9, r5
34: movs    r1, #0                         @ one axis, one row
    ldr     r2, [sp, #120]
    add     r7, sp, #8
    strd    r1, r2, [sp]
    b       4f
31: movs    r5, #0
    strd    r5, r11, [sp]
    strd    r12, r7, [sp, #8]
    add     r7, sp, #16
    mov     r11, r9
    mov     r9, r5
    b       4f
32: movs    r1, #0
    str     r1, [sp]
    add     r7, sp, #24
4:  ldr     r1, [sp, #104]
    ldr     r2, [sp, #96]
    rsb     r12, r1, #32
    sub     lr, lr, r1
    adds    r2, r2, r1
    adds    r2, r2, #1
    cmp     r2, r11, lsr #31
    beq     17f
    ldr     r2, [sp, #92]
    add     r2, r2, lr
    strd    r2, r7, [sp, #24]
    ldr     r4, [sp, #36]
5:  ldr     r6, [sp, #108]
    mov     r7, sp
    str     r4, [sp, #36]
6:  ldr     r2, [r7], #8
    ldr     r1, [sp, #112]
    add     r2, r2, lr
    cbz     r5, 7f
    ffm_tap r2, r5
7:  add     r4, r2, r11
    add     r2, r2, r9
    ffm_tap r4, r8
    ffm_tap r2, r10
    ldr     r2, [r7, #-4]
    ldr     r3, [sp, #116]
    asrs    r1, r3
    mla     r6, r1, r2, r6
    ldr     r4, [sp, #28]
    cmp     r7, r4
    bne     6b
    ldrd    r1, r3, [sp, #104]
    ldr     r4, [sp, #36]
    sub     lr, lr, r1
    cbz     r3, 7f
    asrs    r6, r6, #15
    strh    r6, [r4], #2
8:  ldr     r2, [sp, #24]
    cmp     lr, r2
    bne     5b
    str     r4, [sp, #36]
    b       9f
7:  str     r6, [r4], #4
    b       8b

    @ Bytes, quadratic: r0 first coefficient, r9 and r11 to the columns, r5, r10 and r8 their weights.
22: ldr     r2, [sp, #92]
    ldr     r6, [sp, #108]
    add     r0, r0, lr
    add     r2, r2, r0
    str     r2, [sp, #24]
    movs    r2, #0
    str     r2, [sp]
2:  mov     r7, sp
    mov     lr, r6
3:  ldrd    r3, r12, [r7], #8
    movs    r1, #64
    add     r3, r3, r0
    ldrsb   r2, [r3]
    mla     r1, r2, r5, r1
    ldrsb   r2, [r3, r9]
    ldrsb   r3, [r3, r11]
    mla     r1, r2, r10, r1
    mla     r1, r3, r8, r1
    add     r3, sp, #24
    asrs    r1, r1, #7
    cmp     r7, r3
    mla     lr, r1, r12, lr
    bne     3b
    mov     r1, lr
    cbz     r6, 4f
    asrs    r1, r1, #15
    strh    r1, [r4], #2
3:  ldr     r2, [sp, #24]
    adds    r0, r0, #1
    cmp     r0, r2
    bne     2b
    b       9f
4:  str     r1, [r4], #4
    b       3b

    @ Bytes, linear: r0 first coefficient, r5 end of the channels, r12 to the next row, r9 to the next column, r11 and r7,
    @ r10 and r8 their weights.
21: ldr     r5, [sp, #92]
    ldr     r6, [sp, #108]
    add     r0, r0, lr
    add     r5, r5, r0
    mov     lr, #64
2:  add     r3, r0, r12
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
    cbz     r6, 4f
    asrs    r1, r1, #15
    strh    r1, [r4], #2
3:  adds    r0, r0, #1
    cmp     r0, r5
    bne     2b
    b       9f
4:  str     r1, [r4], #4
    b       3b

    @ One channel, and the columns lie side by side: one load for a row. r9, r11: its rounding and shift.
17: ldr     r6, [sp, #108]
    add     lr, lr, r11
    ldrd    r9, r11, [sp, #112]
6:  ldrd    r2, r4, [r7, #-8]!
    add     r2, r2, lr
    sub     r3, r0, r2, asr #3
    ldr     r3, [r3, #-4]
    and     r2, r2, #7
    lsls    r3, r2
    asr     r2, r3, r12
    mla     r1, r2, r8, r9
    ror     r3, r3, r12
    asr     r2, r3, r12
    mla     r1, r2, r10, r1
    cbz     r5, 7f
    ror     r3, r3, r12
    asr     r2, r3, r12
    mla     r1, r2, r5, r1
7:  asr     r1, r1, r11
    mla     r6, r1, r4, r6
    cmp     r7, sp
    bne     6b
    ldr     r3, [sp, #108]
    ldr     r4, [sp, #36]
    cbnz    r3, 7f
    str     r6, [r4], #4
8:  str     r4, [sp, #36]

9:  ldr     r1, [sp, #40]
    ldr     r0, [sp, #32]
    subs    r1, r1, #1
    str     r1, [sp, #40]
    bne     1b
    add     sp, sp, #48
    pop     {{r4-r11, pc}}
7:  asrs    r6, r6, #15
    strh    r6, [r4], #2
    b       8b
    .size   firmware_core_surface, . - firmware_core_surface
    .popsection
    .purgem ffm_quadratic
    .purgem ffm_tap
"#
    ));
}
