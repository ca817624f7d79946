//! Surfaces of grids in assembly for RISC-V of 32 bits with multiplication.
//!
//! Instructions, over two axes:
//!
//! | | a level | a channel of 8 bits | of 4 to 7 bits | a single channel of 4 to 7 bits |
//! | --- | --- | --- | --- | --- |
//! | linear | LL | LB | LM | LS |
//! | quadratic | QL | QB | QM | QS |
//!
//! A coefficient of 8 bits over two axes or more is a byte, which LB loads. Any other one is cut from two words, because a
//! load may not straddle them: the word that holds its last bit, and the one before, which is another one of the grid or the
//! last one of its axes. Bits are counted downwards, as -1 - bit, so that the shift is the count itself. As a coefficient q
//! counts as q·2^(16 - bits), the sum of a row is rounded by 2^(bits - 2) and shifted by bits - 1, which is the same.
//!
//! Where there is one channel and the last axis does not wrap at the point, the coefficients of a row lie side by side, at
//! most 24 bits: one cut takes them all.

#[expect(unsafe_code, reason = "assembly; what the subroutine may touch is what the call of a grid describes")]
mod rv32m {
    use crate::kernels::grid_rv32m::{spline, spline_end};

    core::arch::global_asm!(concat!(
        spline!(),
        r#"
    # Steps from the node at `place` along an axis of so many nodes to the next one and to the one after it; a1 is lost.
    .macro ffm_steps place, nodes, next, after
    slli    \after, \next, 1
    addi    \place, \place, 2
    bltu    \place, \nodes, 34f
    mul     a1, \nodes, \next              # a periodic axis wraps
    sub     \after, \after, a1
    beq     \place, \nodes, 34f
    sub     \next, \next, a1
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

    # t3 += weight * the coefficient of which `bit` counts the last bit; `bit`, t0 and t1 are lost.
    .macro ffm_tap bit, weight
    ffm_window t0, \bit, t1
    sra     t0, t0, s6
    mul     t0, t0, \weight
    add     t3, t3, t0
    .endm

    # result = the value of the row of bytes at `node`, which moves to the next channel; `other` is lost.
    .macro ffm_row_of_bytes result, node, other, is_quadratic
    add     \other, \node, a3
    lb      \other, 0(\other)
    .if \is_quadratic
    add     \result, \node, a6
    lb      \result, 0(\result)
    .else
    lb      \result, 0(\node)
    .endif
    mul     \other, \other, a0
    mul     \result, \result, a1
    add     \result, \result, \other
    .if \is_quadratic
    lb      \other, 0(\node)
    mul     \other, \other, a2
    add     \result, \result, \other
    .endif
    addi    \result, \result, 64
    srai    \result, \result, 7
    addi    \node, \node, 1
    .endm

    # All channels of bytes. t2, a5 and t6: offsets of the rows; t0, t1 and a4 their weights, or t0 and a4 of two.
    .macro ffm_bytes is_quadratic
    lw      s6, 0(s4)
    add     t2, t2, s0
    add     a5, a5, t2
    .if \is_quadratic
    add     t6, t6, t2
    .endif
    add     s6, s6, t2                     # end of the channels
33: ffm_row_of_bytes t3, t2, t5, \is_quadratic
    ffm_row_of_bytes t4, a5, t5, \is_quadratic
    mul     t3, t3, t0
    .if \is_quadratic
    mul     t4, t4, t1
    add     t3, t3, t4
    ffm_row_of_bytes t4, t6, t5, 1
    .endif
    lw      t5, 16(s4)
    mul     t4, t4, a4
    add     t3, t3, t5
    add     t3, t3, t4
    ffm_store t3, t5
    bne     t2, s6, 33b
    j       50f
    .endm

    # Evaluates all levels that are left. On the stack: [sp] offset and weight of up to three rows of nodes, where coefficients are
    # bits. s0 words, s1 x, s2 levels that are left, s3 point, s4 plan, s5 offset of the first coefficient; s0 to s2 move on, s3 to
    # s5 stay, s6, s7, a0 to a7 and t0 to t6 are lost. What is counted in units counts bytes, or bits downwards.
    .pushsection .text.firmware_core_surface, "ax", @progbits
    .global firmware_core_surface
    .hidden firmware_core_surface
    .type   firmware_core_surface, @function
    .p2align 2
firmware_core_surface:
    # A level. a5 and a6: from a node to the next one along either axis, a4 and a3: f of both, t2: the first coefficient, t0 and
    # t1: its place along the axes, a0 and a2: their nodes, a7: the next level.
    # One axis is the second of two, of which the first has one node.
20: lw      t6, 28(s4)
    lw      a6, 4(s4)
    lw      t5, 8(s4)
    lw      a0, 0(s0)
    lw      a1, 4(s0)
    lw      t0, 0(s3)
    beqz    t6, 21f
    addi    s0, s0, 8
    mv      a2, a0
    mv      a3, a1
    mv      t1, t0
    li      a0, 1
    li      a1, 0
    j       22f
21: lw      a2, 8(s0)
    lw      a3, 12(s0)
    lw      t1, 4(s3)
    addi    s0, s0, 16
22: mulhu   a4, t0, a1
    mulhu   a3, t1, a3
    mul     a5, a2, a6
    mul     a7, a0, a5
    mul     a7, a7, t5                     # bits of the level
    addi    a7, a7, 31
    srli    a7, a7, 5
    slli    a7, a7, 2
    add     a7, a7, s0
    srli    t0, a4, 16
    srli    t1, a3, 16
    mul     t2, t0, a5
    mul     t3, t1, a6
    add     t2, t2, s5
    add     t2, t2, t3
    slli    a4, a4, 16
    srli    a4, a4, 17
    slli    a3, a3, 16
    srli    a3, a3, 17
    lui     t3, 8
    lw      t4, 40(s4)
    bnez    t4, 40f

    # Linear.
    addi    t0, t0, 1
    bne     t0, a0, 23f
    mul     t0, a0, a5                     # a periodic axis wraps
    sub     a5, a5, t0
23: addi    t1, t1, 1
    bne     t1, a2, 24f
    mul     t1, a2, a6
    sub     a6, a6, t1
24: mv      a0, a3
    sub     a1, t3, a3
    mv      a3, a6
    sub     t0, t3, a4                     # weights of the rows: t0, a4
    bltz    t5, 25f
    ffm_bytes 0
25: li      a2, 0
    li      a6, 0
    sw      zero, 0(sp)
    sw      t0, 4(sp)
    sw      a5, 8(sp)
    sw      a4, 12(sp)
    addi    s7, sp, 16
    j       42f

    # Quadratic. t6: to the row after the next, a3 and a6: to the last column and to the one before, a0 to a2: weights of the columns
    # from the last one on.
40: ffm_steps t0, a0, a5, t6
    ffm_steps t1, a2, a6, s7
    ffm_quadratic t3, a3, a2, a1, a0
    mv      a3, s7
    ffm_quadratic t3, a4, t0, t1, a4       # weights of the rows
    bltz    t5, 41f

    ffm_bytes 1
41: sw      zero, 0(sp)
    sw      t0, 4(sp)
    sw      a5, 8(sp)
    sw      t1, 12(sp)
    sw      t6, 16(sp)
    sw      a4, 20(sp)
    addi    s7, sp, 24

    # Bits: rows on the stack up to s7; a2 is 0 where there are two columns, of which the first one is at a6.
    # a5: the first coefficient's last bit, s6: its place in a word.
42: lw      t0, 12(s4)
    lw      t6, 28(s4)
    li      s6, 32
    sub     a5, t2, t0
    sub     s6, s6, t0
    beqz    t6, 43f
    sw      t6, 4(sp)                      # one axis, one row
    addi    s7, sp, 8
43: mul     t1, t4, t0                     # whether the columns lie side by side
    add     t1, t1, t0
    add     t1, t1, a3
    bnez    t1, 46f
    lw      a6, 20(s4)
    lw      a4, 24(s4)
    lw      t4, 16(s4)
    mv      t2, t0
    add     a5, a5, a3
    mv      t5, sp
44: lw      t6, 0(t5)
    add     t6, t6, a5
    ffm_window t0, t6, t1
    lw      t6, 4(t5)
    sra     t1, t0, s6
    mul     t1, t1, a0
    sll     t0, t0, t2
    add     t3, a6, t1
    sra     t1, t0, s6
    mul     t1, t1, a1
    add     t3, t3, t1
    beqz    a2, 45f
    sll     t0, t0, t2
    sra     t1, t0, s6
    mul     t1, t1, a2
    add     t3, t3, t1
45: sra     t3, t3, a4
    mul     t3, t3, t6
    addi    t5, t5, 8
    add     t4, t4, t3
    bne     t5, s7, 44b
    lw      t0, 16(s4)
    ffm_store t4, t0
    j       50f

46: lw      a4, 0(s4)
    add     a4, a4, a5                     # end of the channels
47: lw      t4, 16(s4)
    mv      t5, sp
48: lw      t6, 0(t5)
    lw      t3, 20(s4)
    add     t6, t6, a5
    add     t2, t6, a3
    ffm_tap t2, a0
    add     t2, t6, a6
    ffm_tap t2, a1
    beqz    a2, 49f
    ffm_tap t6, a2
49: lw      t0, 24(s4)
    lw      t1, 4(t5)
    addi    t5, t5, 8
    sra     t3, t3, t0
    mul     t3, t3, t1
    add     t4, t4, t3
    bne     t5, s7, 48b
    lw      t0, 16(s4)
    ffm_store t4, t0
    lw      t0, 12(s4)
    sub     a5, a5, t0
    bne     a5, a4, 47b

50: mv      s0, a7
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
