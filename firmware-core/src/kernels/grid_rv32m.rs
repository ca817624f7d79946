//! Grids in assembly for RISC-V of 32 bits with multiplication: what evaluates surfaces one after another.
//!
//! `firmware_core_grid` takes a plan of the shape. Over one axis or two a grid is a surface; over more axes there is a surface
//! for every node of the axes before the last two, whose sums are taken recursively. Features of single precision are portable.

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
    sh      \sum, 0(s1)
    addi    s1, s1, 2
    j       32f
31: sw      \sum, 0(s1)
    addi    s1, s1, 4
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

#[expect(unsafe_code, reason = "assembly; the function keeps the calling convention and touches what its call describes")]
mod rv32m {
    core::arch::global_asm!(concat!(
        spline!(),
        r#"
    # On the stack: [sp] offset and weight of up to three rows of nodes, as surfaces of bits take them, [24] and on registers. s0
    # words, s1 x, s2 levels that are left, s3 point, s4 plan, s5 offset of the first coefficient. What is counted in units counts
    # bytes, or bits downwards.
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
    mv      s1, a1
    lw      s2, 32(a2)
    mv      s3, a3
    mv      s4, a2
    li      s5, 0
    lw      t0, 36(a2)
    li      t1, 2
    bltu    t1, t0, 3f
    call    firmware_core_surface
9:  lw      ra, 24(sp)
    .irp    register, 0, 1, 2, 3, 4, 5, 6, 7
    lw      s\register, 28 + 4*\register(sp)
    .endr
    addi    sp, sp, 64
    ret

    # Three axes or more, each level and channel alone. s8 frame, s9 words of the axes that are left, s10 their number, s11 their
    # coordinates. On the stack: [24] a sum, [28] channel, [32] x, [36] levels that are left, [40] and on registers, [56] frames.
3:  addi    sp, sp, -144
    .irp    register, 8, 9, 10, 11
    sw      s\register, 8 + 4*\register(sp)
    .endr
    addi    s8, sp, 56
    mv      s9, a0
    mv      s10, t0
    mv      s11, a3
    sw      a1, 32(sp)
    sw      s2, 36(sp)
4:  sw      zero, 28(sp)
5:  li      a0, 0
    jal     10f
    lw      s1, 32(sp)
    lw      t0, 44(s4)
    add     a0, a0, t0
    ffm_store a0, t0
    sw      s1, 32(sp)
    lw      a0, 28(sp)
    lw      t0, 0(s4)
    lw      t1, 4(s4)
    add     a0, a0, t0
    sw      a0, 28(sp)
    bne     a0, t1, 5b
    lw      t0, 8(s4)                      # bits of a node, and then of the level
    mv      t1, s10
    mul     a0, a0, t0
6:  lw      t0, 0(s9)
    addi    s9, s9, 8
    addi    t1, t1, -1
    mul     a0, a0, t0
    bnez    t1, 6b
    addi    a0, a0, 31
    srli    a0, a0, 5
    slli    a0, a0, 2
    add     s9, s9, a0
    lw      t0, 36(sp)
    addi    t0, t0, -1
    sw      t0, 36(sp)
    bnez    t0, 4b
    .irp    register, 8, 9, 10, 11
    lw      s\register, 8 + 4*\register(sp)
    .endr
    addi    sp, sp, 144
    j       9b

    # a0: the sum at the node a0 of the axes before, over those that are left. A frame: [0] return, [4] first node, [8] nodes, [12]
    # place, [16] sum, [20] the next one of the weights that end at [36].
10: sw      ra, 0(s8)
    li      t0, 2
    bne     s10, t0, 11f
    lw      t0, 0(s9)
    lw      t1, 8(s9)
    lw      t2, 4(s4)
    mul     t0, t0, t1
    lw      s5, 28(sp)
    mul     a0, a0, t2
    mul     a0, a0, t0
    add     s5, s5, a0
    mv      s0, s9
    addi    s1, sp, 24
    li      s2, 1
    mv      s3, s11
    call    firmware_core_surface
    lw      a0, 24(sp)
    lw      ra, 0(s8)
    ret
11: lw      t1, 0(s9)
    lw      t2, 4(s9)
    lw      t3, 0(s11)
    addi    s9, s9, 8
    addi    s10, s10, -1
    addi    s11, s11, 4
    mul     a0, a0, t1
    mulhu   t2, t3, t2
    sw      a0, 4(s8)
    sw      t1, 8(s8)
    srli    t0, t2, 16
    sw      t0, 12(s8)
    sw      zero, 16(s8)
    slli    t2, t2, 16
    srli    t2, t2, 17
    lui     t3, 8
    sub     t0, t3, t2
    addi    t1, s8, 28
    lw      t4, 40(s4)
    beqz    t4, 12f
    addi    t1, s8, 24
    ffm_quadratic t3, t2, t4, t0, t2
    sw      t4, 24(s8)
12: sw      t0, 28(s8)
    sw      t2, 32(s8)
13: sw      t1, 20(s8)
    lw      a0, 4(s8)
    lw      t0, 12(s8)
    lw      t1, 8(s8)
    add     a0, a0, t0
    addi    t0, t0, 1
    bne     t0, t1, 14f
    li      t0, 0                          # a periodic axis wraps
14: sw      t0, 12(s8)
    addi    s8, s8, 36
    jal     10b
    addi    s8, s8, -36
    lui     t0, 4
    add     a0, a0, t0
    srai    a0, a0, 15
    lw      t1, 20(s8)
    lw      t0, 16(s8)
    lw      t2, 0(t1)
    addi    t1, t1, 4
    mul     a0, a0, t2
    add     a0, a0, t0
    sw      a0, 16(s8)
    addi    t0, s8, 36
    bne     t1, t0, 13b
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
