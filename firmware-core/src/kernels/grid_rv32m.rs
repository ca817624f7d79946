//! Grids in assembly for RISC-V of 32 bits with multiplication: what evaluates surfaces one after another.
//!
//! `firmware_core_grid` takes a plan of the shape. Over one axis or two a grid is a surface; over more axes there is a
//! surface for every node of the axes before the last two, whose sums are taken recursively. Features of single
//! precision are portable.

/// What the files of the grids share: weights, and stores. [`spline_end`] ends its scope.
macro_rules! spline {
    () => {
        r#"
    .option push
    .option arch, +m

    # Weights of quadratic splines from f, which `last` may replace; `one` is 32768.
    .macro ffm_quadratic one, f, first, middle, last
    sub     \first, \one, \f
    mul     \first, \first, \first
    mul     \last, \f, \f
    srli    \first, \first, 16
    srli    \last, \last, 16
    sub     \middle, \one, \first
    sub     \middle, \middle, \last
    .endm

    # Stores a sum to which `rounding` was added, as a feature, or as it is where that is 0.
    .macro ffm_store sum, rounding
    beqz    \rounding, 31f
    srai    \sum, \sum, 15
    sh      \sum, 0(s4)
    addi    s4, s4, 2
    j       32f
31: sw      \sum, 0(s4)
    addi    s4, s4, 4
32:
    .endm
"#
    };
}

/// Ends the scope of [`spline`].
macro_rules! spline_end {
    () => {
        r#"
    .purgem ffm_quadratic
    .purgem ffm_store
    .option pop
"#
    };
}
pub(super) use {spline, spline_end};

#[expect(
    unsafe_code,
    reason = "assembly; the function keeps the calling convention and touches what its call describes"
)]
mod rv32m {
    core::arch::global_asm!(concat!(
        spline!(),
        r#"
    # On the stack: [sp] room for surfaces, [24] and on registers. What s0 to s5 hold is told where surfaces take it.
    .pushsection .text.firmware_core_grid, "ax", @progbits
    .global firmware_core_grid
    .type   firmware_core_grid, @function
    .p2align 2
firmware_core_grid:
    addi    sp, sp, -64
    sw      ra, 24(sp)
    .irp    register, 0, 1, 2, 3, 4, 5, 6, 7
    sw      s\register, 28 + 4*\register(sp)
    .endr
    mv      s0, a0
    mv      s4, a1
    lw      s2, 32(a2)
    mv      s3, a3
    mv      s1, a2
    li      s5, 0
    lw      a4, 36(a2)
    li      a5, 2
    bltu    a5, a4, 3f
    call    firmware_core_surface
9:  lw      ra, 24(sp)
    .irp    register, 0, 1, 2, 3, 4, 5, 6, 7
    lw      s\register, 28 + 4*\register(sp)
    .endr
    addi    sp, sp, 64
    ret

    # Three axes or more, each level and channel alone. s8 frame, s9 words of the axes that are left, s10 their number,
    # s11 their coordinates. On the stack: [24] a sum, [28] channel, [32] x, [36] levels that are left, [40] and on
    # registers, [56] frames.
3:  addi    sp, sp, -144
    .irp    register, 8, 9, 10, 11
    sw      s\register, 8 + 4*\register(sp)
    .endr
    addi    s8, sp, 56
    mv      s9, a0
    mv      s10, a4
    mv      s11, a3
    sw      a1, 32(sp)
    sw      s2, 36(sp)
4:  sw      zero, 28(sp)
5:  li      a0, 0
    jal     10f
    lw      s4, 32(sp)
    lw      a4, 44(s1)
    add     a0, a0, a4
    ffm_store a0, a4
    sw      s4, 32(sp)
    lw      a0, 28(sp)
    lw      a4, 0(s1)
    lw      a5, 4(s1)
    add     a0, a0, a4
    sw      a0, 28(sp)
    bne     a0, a5, 5b
    lw      a4, 8(s1)                      # bits of a node, and then of the level
    mv      a5, s10
    mul     a0, a0, a4
6:  lw      a4, 0(s9)
    addi    s9, s9, 8
    addi    a5, a5, -1
    mul     a0, a0, a4
    bnez    a5, 6b
    addi    a0, a0, 31
    srli    a0, a0, 5
    slli    a0, a0, 2
    add     s9, s9, a0
    lw      a4, 36(sp)
    addi    a4, a4, -1
    sw      a4, 36(sp)
    bnez    a4, 4b
    .irp    register, 8, 9, 10, 11
    lw      s\register, 8 + 4*\register(sp)
    .endr
    addi    sp, sp, 144
    j       9b

    # a0: the sum at the node a0 of the axes before, over those that are left. A frame: [0] return, [4] first node, [8]
    # nodes, [12] place, [16] sum, [20] the next one of the weights that end at [36].
10: sw      ra, 0(s8)
    li      a4, 2
    bne     s10, a4, 11f
    lw      a4, 0(s9)
    lw      a5, 8(s9)
    lw      a1, 4(s1)
    mul     a4, a4, a5
    lw      s5, 28(sp)
    mul     a0, a0, a1
    mul     a0, a0, a4
    add     s5, s5, a0
    mv      s0, s9
    addi    s4, sp, 24
    li      s2, 1
    mv      s3, s11
    call    firmware_core_surface
    lw      a0, 24(sp)
    lw      ra, 0(s8)
    ret
11: lw      a5, 0(s9)
    lw      a1, 4(s9)
    lw      a2, 0(s11)
    addi    s9, s9, 8
    addi    s10, s10, -1
    addi    s11, s11, 4
    mul     a0, a0, a5
    mulhu   a1, a2, a1
    sw      a0, 4(s8)
    sw      a5, 8(s8)
    srli    a4, a1, 16
    sw      a4, 12(s8)
    sw      zero, 16(s8)
    slli    a1, a1, 16
    srli    a1, a1, 17
    lui     a2, 8
    sub     a4, a2, a1
    addi    a5, s8, 28
    lw      a3, 40(s1)
    beqz    a3, 12f
    addi    a5, s8, 24
    ffm_quadratic a2, a1, a3, a4, a1
    sw      a3, 24(s8)
12: sw      a4, 28(s8)
    sw      a1, 32(s8)
13: sw      a5, 20(s8)
    lw      a0, 4(s8)
    lw      a4, 12(s8)
    lw      a5, 8(s8)
    add     a0, a0, a4
    addi    a4, a4, 1
    bne     a4, a5, 14f
    li      a4, 0                          # a periodic axis wraps
14: sw      a4, 12(s8)
    addi    s8, s8, 36
    jal     10b
    addi    s8, s8, -36
    lui     a4, 4
    add     a0, a0, a4
    srai    a0, a0, 15
    lw      a5, 20(s8)
    lw      a4, 16(s8)
    lw      a1, 0(a5)
    addi    a5, a5, 4
    mul     a0, a0, a1
    add     a0, a0, a4
    sw      a0, 16(s8)
    addi    a4, s8, 36
    bne     a5, a4, 13b
    addi    s9, s9, -8
    addi    s10, s10, 1
    addi    s11, s11, -4
    lw      ra, 0(s8)
    ret
    .size   firmware_core_grid, . - firmware_core_grid
    .popsection
"#,
        spline_end!()
    ));
}
