//! Kernels for RISC-V of 32 bits with multiplication: RV32IM and more, such as the ESP32-C3 and the Hazard3 cores of
//! the RP2350.
//!
//! | | instructions | what makes them up |
//! | --- | --- | --- |
//! | `w8a16` | 3.7 a MAC | for two inputs of a row pair: 4 loads, 4 MUL, 6 for the sums |
//! | `w16a16` | 3.2 a MAC | a load, MUL, ADD; loads of activations are shared by eight rows |
//! | encoder | 66 a frequency of two inputs | 11 products, of which 9 are rounded |
//! | sine | 31 a unit | 6 products, of which 5 are rounded |
//!
//! A rounded product `(a·b + 2³¹) >> 32` takes four instructions: the upper word, and the top bit of the lower one.
//! As on ARMv6-M, 256·odd + even of two inputs fits into 32 bits, so that the odd rows' sum is the difference to the
//! even rows', shifted by eight.

use super::assembly::{encode_halfwords, one_lane};
use crate::fixed::{EVEN, ODD};

one_lane!(encode_halfwords);

// Two blocks a turn, and one where it is the last. s0 to s3 are the accumulators of the one at a0, s4 to s7 of the one
// at t2. a1 runs through x from a6 to a7; t0 and t1 are two activations, a2 to a5 are free. y is at t3, t4 is 32767, t5
// raw, t6 the end of the words, s8 the length of a block, s9 the last block.
#[expect(
    unsafe_code,
    reason = "assembly; each function keeps the calling convention and touches what its call describes"
)]
mod layers {
    core::arch::global_asm!(
        r#"
    .option push
    .option arch, +m

    .macro ffm_layer name, inputs, weights_shift
    .pushsection .text.\name, "ax", @progbits
    .global \name
    .type   \name, @function
    .p2align 2
\name:
    addi    sp, sp, -48
    sw      s0, 0(sp)
    sw      s1, 4(sp)
    sw      s2, 8(sp)
    sw      s3, 12(sp)
    sw      s4, 16(sp)
    sw      s5, 20(sp)
    sw      s6, 24(sp)
    sw      s7, 28(sp)
    sw      s8, 32(sp)
    sw      s9, 36(sp)
    lw      a6, 0(a0)
    lw      t3, 4(a0)
    lw      t6, 8(a0)
    lw      a7, 12(a0)
    lw      t5, 16(a0)
    lw      a0, 20(a0)
    li      t4, 32767
    sub     s8, a7, a6
    slli    s8, s8, \weights_shift
    addi    s8, s8, 32
    sub     s9, t6, s8
1:  ffm_biases a0, s0, s1, s2, s3
    mv      a1, a6
    beq     a0, s9, 3f
    add     t2, a0, s8
    ffm_biases t2, s4, s5, s6, s7
    addi    a0, a0, 16
    addi    t2, t2, 16
2:  \inputs 1
    bne     a1, a7, 2b
    ffm_finish a0, s0, s1, s2, s3
    ffm_finish t2, s4, s5, s6, s7
    addi    a0, t2, 16
    bne     a0, t6, 1b
    j       5f
3:  addi    a0, a0, 16
4:  \inputs 0
    bne     a1, a7, 4b
    ffm_finish a0, s0, s1, s2, s3
5:  lw      s0, 0(sp)
    lw      s1, 4(sp)
    lw      s2, 8(sp)
    lw      s3, 12(sp)
    lw      s4, 16(sp)
    lw      s5, 20(sp)
    lw      s6, 24(sp)
    lw      s7, 28(sp)
    lw      s8, 32(sp)
    lw      s9, 36(sp)
    addi    sp, sp, 48
    ret
    .size   \name, . - \name
    .popsection
    .endm

    .macro ffm_biases words, row_0, row_1, row_2, row_3
    lw      \row_0, 0(\words)
    lw      \row_1, 4(\words)
    lw      \row_2, 8(\words)
    lw      \row_3, 12(\words)
    .endm

    # Stores four rows, whose multipliers are at `words`.
    .macro ffm_finish words, row_0, row_1, row_2, row_3
    bnez    t5, 12f
    ffm_hidden \words, 0, \row_0
    ffm_hidden \words, 1, \row_1
    ffm_hidden \words, 2, \row_2
    ffm_hidden \words, 3, \row_3
    addi    t3, t3, 8
    j       13f
12: sw      \row_0, 0(t3)
    sw      \row_1, 4(t3)
    sw      \row_2, 8(t3)
    sw      \row_3, 12(t3)
    addi    t3, t3, 16
13:
    .endm

    # Stores the activation of a row. Accumulators of 0 and less give 0, because no multiplier is negative.
    .macro ffm_hidden words, row, accumulator
    blez    \accumulator, 10f
    lw      a2, 4*\row(\words)
    mulh    a3, \accumulator, a2
    mul     a2, \accumulator, a2
    srli    a2, a2, 31
    add     \accumulator, a3, a2
    ble     \accumulator, t4, 11f
    mv      \accumulator, t4
    j       11f
10: li      \accumulator, 0
11: sh      \accumulator, 2*\row(t3)
    .endm

    # The two activations at an offset.
    .macro ffm_x offset
    lh      t0, \offset(a1)
    lh      t1, \offset + 2(a1)
    .endm

    # Two inputs of a row pair.
    .macro ffm_w8_pair words, offset, even, odd
    lh      a2, \offset(\words)
    lh      a3, \offset + 2(\words)
    lb      a4, \offset(\words)
    lb      a5, \offset + 2(\words)
    mul     a2, a2, t0
    mul     a3, a3, t1
    mul     a4, a4, t0
    mul     a5, a5, t1
    add     a2, a2, a3
    add     a4, a4, a5
    sub     a2, a2, a4
    srai    a2, a2, 8
    add     \even, \even, a4
    add     \odd, \odd, a2
    .endm
    .macro ffm_w8_two is_pair, x, offset
    ffm_x \x
    ffm_w8_pair a0, \offset, s0, s1
    ffm_w8_pair a0, \offset + 8, s2, s3
    .if \is_pair
    ffm_w8_pair t2, \offset, s4, s5
    ffm_w8_pair t2, \offset + 8, s6, s7
    .endif
    .endm
    .macro ffm_w8_inputs is_pair
    ffm_w8_two \is_pair, 0, 0
    ffm_w8_two \is_pair, 4, 4
    ffm_w8_two \is_pair, 8, 16
    ffm_w8_two \is_pair, 12, 20
    addi    a0, a0, 32
    .if \is_pair
    addi    t2, t2, 32
    .endif
    addi    a1, a1, 16
    .endm

    # Two inputs of a row.
    .macro ffm_w16_row words, offset, row
    lh      a2, \offset(\words)
    lh      a3, \offset + 2(\words)
    mul     a2, a2, t0
    mul     a3, a3, t1
    add     \row, \row, a2
    add     \row, \row, a3
    .endm
    .macro ffm_w16_two is_pair, x, offset
    ffm_x \x
    ffm_w16_row a0, \offset, s0
    ffm_w16_row a0, \offset + 4, s1
    ffm_w16_row a0, \offset + 8, s2
    ffm_w16_row a0, \offset + 12, s3
    .if \is_pair
    ffm_w16_row t2, \offset, s4
    ffm_w16_row t2, \offset + 4, s5
    ffm_w16_row t2, \offset + 8, s6
    ffm_w16_row t2, \offset + 12, s7
    .endif
    .endm
    .macro ffm_w16_inputs is_pair
    ffm_w16_two \is_pair, 0, 0
    ffm_w16_two \is_pair, 4, 16
    ffm_w16_two \is_pair, 8, 32
    ffm_w16_two \is_pair, 12, 48
    addi    a0, a0, 64
    .if \is_pair
    addi    t2, t2, 64
    .endif
    addi    a1, a1, 16
    .endm

    ffm_layer firmware_core_w8a16_layer, ffm_w8_inputs, 1
    ffm_layer firmware_core_w16a16_layer, ffm_w16_inputs, 2

    .purgem ffm_layer
    .purgem ffm_biases
    .purgem ffm_finish
    .purgem ffm_hidden
    .purgem ffm_x
    .purgem ffm_w8_pair
    .purgem ffm_w8_two
    .purgem ffm_w8_inputs
    .purgem ffm_w16_row
    .purgem ffm_w16_two
    .purgem ffm_w16_inputs
    .option pop
"#
    );
}

// s0 to s3 are the odd polynomial, s4 to s7 the even one, each from its highest coefficient down, s8 is a quarter turn.
// t0 is z, t1 its square. The encoder: a0 and a1 the first two coordinates, a2 runs through the frequencies, a3 through
// cosines up to a4, a5 through sines, a6 the third coordinate's address, a7 the end of the coordinates.
#[expect(
    unsafe_code,
    reason = "assembly; each function keeps the calling convention and touches what its call describes"
)]
mod waves {
    use super::{EVEN, ODD};

    core::arch::global_asm!(
        r#"
    .option push
    .option arch, +m

    # result = (a * b + 2^31) >> 32; t5 and t6 are free.
    .macro ffm_mul_high result, a, b
    mulh    t5, \a, \b
    mul     t6, \a, \b
    srli    t6, t6, 31
    add     \result, t5, t6
    .endm

    # t2 = the polynomial at the square.
    .macro ffm_horner c3, c2, c1, c0
    ffm_mul_high t2, \c3, t1
    add     t2, t2, \c2
    ffm_mul_high t2, t2, t1
    add     t2, t2, \c1
    ffm_mul_high t2, t2, t1
    add     t2, t2, \c0
    .endm

    # phase += (b * v) >> 16, for the coefficient at an offset.
    .macro ffm_turn phase, v, offset
    lw      t5, \offset(a2)
    mulhsu  t6, t5, \v
    mul     t5, t5, \v
    slli    t6, t6, 16
    srli    t5, t5, 16
    add     \phase, \phase, t6
    add     \phase, \phase, t5
    .endm

    .macro ffm_waves_begin
    addi    sp, sp, -48
    sw      s0, 0(sp)
    sw      s1, 4(sp)
    sw      s2, 8(sp)
    sw      s3, 12(sp)
    sw      s4, 16(sp)
    sw      s5, 20(sp)
    sw      s6, 24(sp)
    sw      s7, 28(sp)
    sw      s8, 32(sp)
    li      s0, {odd_3}
    li      s1, {odd_2}
    li      s2, {odd_1}
    li      s3, {odd_0}
    li      s4, {even_3}
    li      s5, {even_2}
    li      s6, {even_1}
    li      s7, {even_0}
    li      s8, 1 << 30
    .endm

    .macro ffm_waves_end
    lw      s0, 0(sp)
    lw      s1, 4(sp)
    lw      s2, 8(sp)
    lw      s3, 12(sp)
    lw      s4, 16(sp)
    lw      s5, 20(sp)
    lw      s6, 24(sp)
    lw      s7, 28(sp)
    lw      s8, 32(sp)
    addi    sp, sp, 48
    ret
    .endm

    .pushsection .text.firmware_core_encode, "ax", @progbits
    .global firmware_core_encode
    .type   firmware_core_encode, @function
    .p2align 2
firmware_core_encode:
    ffm_waves_begin
    lw      a6, 0(a0)
    lw      a7, 4(a0)
    lw      a2, 8(a0)
    lw      a3, 12(a0)
    lw      a4, 16(a0)
    lw      a5, 20(a0)
    add     a5, a3, a5
    lw      a0, 0(a6)
    lw      a1, 4(a6)
    slli    a7, a7, 2
    add     a7, a7, a6
    addi    a6, a6, 8
1:  li      t3, 0
    ffm_turn t3, a0, 0
    addi    a2, a2, 4
    bltu    a7, a6, 3f
    ffm_turn t3, a1, 0
    addi    a2, a2, 4
    beq     a7, a6, 3f
    mv      t4, a6
2:  lw      t0, 0(t4)
    ffm_turn t3, t0, 0
    addi    a2, a2, 4
    addi    t4, t4, 4
    bne     t4, a7, 2b
3:  srai    t4, t3, 31
    xor     t0, t3, t4
    sub     t0, s8, t0
    ffm_mul_high t1, t0, t0
    ffm_horner s0, s1, s2, s3
    ffm_mul_high t2, t2, t0
    sh      t2, 0(a3)
    ffm_horner s4, s5, s6, s7
    xor     t2, t2, t4
    sub     t2, t2, t4
    sh      t2, 0(a5)
    addi    a3, a3, 2
    addi    a5, a5, 2
    bne     a3, a4, 1b
    ffm_waves_end
    .size   firmware_core_encode, . - firmware_core_encode
    .popsection

    # The sine of the accumulator of a row, at a1, by its multiplier, at a3, to a halfword at a0.
    .macro ffm_sine row
    lw      t0, 4*\row(a1)
    lw      t1, 4*\row(a3)
    mul     t0, t0, t1
    sub     t0, t0, s8
    srai    t1, t0, 31
    xor     t0, t0, t1
    sub     t0, s8, t0
    ffm_mul_high t1, t0, t0
    ffm_horner s0, s1, s2, s3
    ffm_mul_high t2, t2, t0
    sh      t2, 2*\row(a0)
    .endm

    # A block a turn: accumulators up to a2; a4 leads to the multipliers of the next block.
    .pushsection .text.firmware_core_sine, "ax", @progbits
    .global firmware_core_sine
    .type   firmware_core_sine, @function
    .p2align 2
firmware_core_sine:
    ffm_waves_begin
    lw      a1, 0(a0)
    lw      a2, 4(a0)
    lw      a3, 8(a0)
    lw      a4, 12(a0)
    mv      a0, a1
1:  ffm_sine 0
    ffm_sine 1
    ffm_sine 2
    ffm_sine 3
    addi    a1, a1, 16
    add     a3, a3, a4
    addi    a0, a0, 8
    bne     a1, a2, 1b
    ffm_waves_end
    .size   firmware_core_sine, . - firmware_core_sine
    .popsection

    .purgem ffm_mul_high
    .purgem ffm_horner
    .purgem ffm_turn
    .purgem ffm_sine
    .purgem ffm_waves_begin
    .purgem ffm_waves_end
    .option pop
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
