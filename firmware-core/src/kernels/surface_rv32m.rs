//! Surfaces of grids in assembly for RISC-V of 32 bits with multiplication.
//!
//! Instructions, over two axes:
//!
//! | | a level of c channels of 8 bits | of c channels of 4 to 7 bits | of one channel of 4 to 7 bits |
//! | --- | --- | --- | --- |
//! | linear | 50 + 29 c | 65 + 89 c | 128 |
//! | quadratic | 64 + 52 c | 77 + 167 c | 178 |
//!
//! A coefficient of 8 bits over two axes or more is a byte, which LB loads. Any other one is cut from two words,
//! because a load may not straddle them: the word that holds its last bit, and the one before, which is another one of
//! the grid or the last one of its axes. Bits are counted downwards, as -1 - bit, so that the shift is the count
//! itself. As a coefficient q counts as q·2^(16 - bits), the sum of a row is rounded by 2^(bits - 2) and shifted by
//! bits - 1, which is the same.
//!
//! Where there is one channel and the last axis does not wrap at the point, the coefficients of a row lie side by side,
//! at most 24 bits: one cut takes them all.

#[expect(unsafe_code, reason = "assembly; what the subroutine may touch is what the call of a grid describes")]
mod rv32m {
    use crate::kernels::grid_rv32m::{spline, spline_end};

    core::arch::global_asm!(concat!(
        spline!(),
        r#"
    # Steps from the node at `place` along an axis of so many nodes to the next one and to the one after it; t4 is lost.
    .macro ffm_steps place, nodes, next, after
    slli    \after, \next, 1
    addi    \place, \place, 2
    bltu    \place, \nodes, 34f
    mul     t4, \nodes, \next              # a periodic axis wraps
    sub     \after, \after, t4
    beq     \place, \nodes, 34f
    sub     \next, \next, t4
34:
    .endm

    # result = the 32 bits that end with the one that `bit` counts; `bit` and `other` are lost.
    .macro ffm_window result, bit, other
    srai    \other, \bit, 5
    slli    \other, \other, 2
    sub     \other, s0, \other
    lw      \result, -4(\other)
    lw      \other, -8(\other)
    sll     \result, \result, \bit
    not     \bit, \bit
    srli    \other, \other, 1
    srl     \other, \other, \bit
    or      \result, \result, \other
    .endm

    # a0 += weight * the coefficient of which `bit` counts the last bit; `bit`, a1 and a2 are lost.
    .macro ffm_tap bit, weight
    ffm_window a1, \bit, a2
    sra     a1, a1, s6
    mul     a1, a1, \weight
    add     a0, a0, a1
    .endm

    # result = the value of the row of bytes at `node`, which moves to the next channel; `other` is lost.
    .macro ffm_row_of_bytes result, node, other, is_quadratic
    add     \other, \node, t1
    lb      \other, 0(\other)
    .if \is_quadratic
    add     \result, \node, t0
    lb      \result, 0(\result)
    .else
    lb      \result, 0(\node)
    .endif
    mul     \other, \other, t2
    mul     \result, \result, t4
    add     \result, \result, \other
    .if \is_quadratic
    lb      \other, 0(\node)
    mul     \other, \other, t6
    add     \result, \result, \other
    .endif
    addi    \result, \result, 64
    srai    \result, \result, 7
    addi    \node, \node, 1
    .endm

    # All channels of bytes. a6, t5 and a3: offsets of the rows; a1, a2 and a7 their weights, or a1 and a7 of two.
    .macro ffm_bytes is_quadratic
    lw      s6, 0(s1)
    add     a6, a6, s0
    add     t5, t5, a6
    .if \is_quadratic
    add     a3, a3, a6
    .endif
    add     s6, s6, a6                     # end of the channels
33: ffm_row_of_bytes a0, a6, a5, \is_quadratic
    ffm_row_of_bytes a4, t5, a5, \is_quadratic
    mul     a0, a0, a1
    .if \is_quadratic
    mul     a4, a4, a2
    add     a0, a0, a4
    ffm_row_of_bytes a4, a3, a5, 1
    .endif
    lw      a5, 16(s1)
    mul     a4, a4, a7
    add     a0, a0, a5
    add     a0, a0, a4
    ffm_store a0, a5
    bne     a6, s6, 33b
    j       50f
    .endm

    # Evaluates all levels that are left. s0 words, s1 plan, s2 levels that are left, s3 point, s4 x, s5 offset of the
    # first coefficient; s0, s2 and s4 move on, s1, s3 and s5 stay, all of a0 to a7 and t0 to t6 are lost, and so are s6
    # and s7. On the stack: [sp] offset and weight of up to three rows of nodes, where coefficients are bits. What is
    # counted in units counts bytes, or bits downwards.
    .pushsection .text.firmware_core_surface, "ax", @progbits
    .global firmware_core_surface
    .hidden firmware_core_surface
    .type   firmware_core_surface, @function
    .p2align 2
firmware_core_surface:
    # A level. Of the first axis and of the second: t5 and t0 from a node to the next one, a7 and t1 f, a1 and a2 the
    # place, t2 and t6 the nodes. a6: the first coefficient, t3: the next level, a0: 32768. One axis is the second of
    # two, of which the first has one node.
20: lw      a3, 28(s1)
    lw      t0, 4(s1)
    lw      a5, 8(s1)
    lw      t2, 0(s0)
    lw      t4, 4(s0)
    lw      a1, 0(s3)
    beqz    a3, 21f
    addi    s0, s0, 8
    mv      t6, t2
    mv      t1, t4
    mv      a2, a1
    li      t2, 1
    li      t4, 0
    j       22f
21: lw      t6, 8(s0)
    lw      t1, 12(s0)
    lw      a2, 4(s3)
    addi    s0, s0, 16
22: mulhu   a7, a1, t4
    mulhu   t1, a2, t1
    mul     t5, t6, t0
    mul     t3, t2, t5
    mul     t3, t3, a5                     # bits of the level
    addi    t3, t3, 31
    srli    t3, t3, 5
    slli    t3, t3, 2
    add     t3, t3, s0
    srli    a1, a7, 16
    srli    a2, t1, 16
    mul     a6, a1, t5
    mul     a0, a2, t0
    add     a6, a6, s5
    add     a6, a6, a0
    slli    a7, a7, 16
    srli    a7, a7, 17
    slli    t1, t1, 16
    srli    t1, t1, 17
    lui     a0, 8
    lw      a4, 40(s1)
    bnez    a4, 40f

    # Linear.
    addi    a1, a1, 1
    bne     a1, t2, 23f
    mul     a1, t2, t5                     # a periodic axis wraps
    sub     t5, t5, a1
23: addi    a2, a2, 1
    bne     a2, t6, 24f
    mul     a2, t6, t0
    sub     t0, t0, a2
24: mv      t2, t1
    sub     t4, a0, t1
    mv      t1, t0
    sub     a1, a0, a7                     # weights of the rows: a1, a7
    bltz    a5, 25f
    ffm_bytes 0
25: li      t6, 0
    li      t0, 0
    sw      zero, 0(sp)
    sw      a1, 4(sp)
    sw      t5, 8(sp)
    sw      a7, 12(sp)
    addi    s7, sp, 16
    j       42f

    # Quadratic. a3: to the row after the next, t1 and t0: to the last column and to the one before, t2, t4 and t6:
    # weights of the columns from the last one on, a1, a2 and a7 of the rows from the first one on.
40: ffm_steps a1, t2, t5, a3
    ffm_steps a2, t6, t0, s7
    ffm_quadratic a0, t1, t6, t4, t2
    mv      t1, s7
    ffm_quadratic a0, a7, a1, a2, a7
    bltz    a5, 41f

    ffm_bytes 1
41: sw      zero, 0(sp)
    sw      a1, 4(sp)
    sw      t5, 8(sp)
    sw      a2, 12(sp)
    sw      a3, 16(sp)
    sw      a7, 20(sp)
    addi    s7, sp, 24

    # Bits: rows on the stack up to s7; t6 is 0 where there are two columns, of which the first one is at t0.
    # t5: the first coefficient's last bit, s6: how far the upper end of a word is shifted to be a coefficient.
42: lw      a1, 12(s1)
    lw      a3, 28(s1)
    li      s6, 32
    sub     t5, a6, a1
    sub     s6, s6, a1
    beqz    a3, 43f
    sw      a3, 4(sp)                      # one axis, one row
    addi    s7, sp, 8
43: mul     a2, a4, a1                     # whether the columns lie side by side
    add     a2, a2, a1
    add     a2, a2, t1
    bnez    a2, 46f
    lw      t0, 20(s1)
    lw      a7, 24(s1)
    lw      a4, 16(s1)
    mv      a6, a1
    add     t5, t5, t1
    mv      a5, sp
44: lw      a3, 0(a5)
    add     a3, a3, t5
    ffm_window a1, a3, a2
    lw      a3, 4(a5)
    sra     a2, a1, s6
    mul     a2, a2, t2
    sll     a1, a1, a6
    add     a0, t0, a2
    sra     a2, a1, s6
    mul     a2, a2, t4
    add     a0, a0, a2
    beqz    t6, 45f
    sll     a1, a1, a6
    sra     a2, a1, s6
    mul     a2, a2, t6
    add     a0, a0, a2
45: sra     a0, a0, a7
    mul     a0, a0, a3
    addi    a5, a5, 8
    add     a4, a4, a0
    bne     a5, s7, 44b
    lw      a1, 16(s1)
    ffm_store a4, a1
    j       50f

46: lw      a7, 0(s1)
    add     a7, a7, t5                     # end of the channels
47: lw      a4, 16(s1)
    mv      a5, sp
48: lw      a3, 0(a5)
    lw      a0, 20(s1)
    add     a3, a3, t5
    add     a6, a3, t1
    ffm_tap a6, t2
    add     a6, a3, t0
    ffm_tap a6, t4
    beqz    t6, 49f
    ffm_tap a3, t6
49: lw      a1, 24(s1)
    lw      a2, 4(a5)
    addi    a5, a5, 8
    sra     a0, a0, a1
    mul     a0, a0, a2
    add     a4, a4, a0
    bne     a5, s7, 48b
    lw      a1, 16(s1)
    ffm_store a4, a1
    lw      a1, 12(s1)
    sub     t5, t5, a1
    bne     t5, a7, 47b

50: mv      s0, t3
    addi    s2, s2, -1
    bnez    s2, 20b
    ret
    .size   firmware_core_surface, . - firmware_core_surface
    .popsection

    .purgem ffm_steps
    .purgem ffm_window
    .purgem ffm_tap
    .purgem ffm_row_of_bytes
    .purgem ffm_bytes
"#,
        spline_end!()
    ));
}
