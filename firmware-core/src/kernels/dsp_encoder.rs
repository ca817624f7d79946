//! The encoder for cores with the DSP extension: 23.5 instructions for a frequency of two coordinates, of which four
//! make the phase and twelve the cosine and the sine; in single precision 26.5.
//!
//! Along a scan line the phase advances by a constant. One addition could then replace the four instructions, with the
//! phases kept in RAM: on a Cortex-M4F this saves about 1 % of an evaluation, too little for an interface of its own.

#[cfg(kernels_fpu)]
use super::assembly::{EncodeCall, EncodeKernel};
#[cfg(kernels_fpu)]
use crate::encoding::Encoding;
use crate::fixed::{EVEN, ODD};
#[cfg(kernels_fpu)]
use crate::precision::Precision;

#[cfg(kernels_fpu)]
#[expect(unsafe_code, reason = "the encoder below is written in assembly")]
unsafe extern "C" {
    fn firmware_core_encode_f32(call: &EncodeCall);
}

/// Features in single precision.
#[cfg(kernels_fpu)]
#[inline]
pub(super) fn floats(encoding: &Encoding<'_>, points: &[u32], lanes: usize, x: &mut [u32]) {
    EncodeKernel { function: firmware_core_encode_f32, precision: Precision::F32 }.encode(encoding, points, lanes, x);
}

/// The encoder `$name`, which stores the pair r12, lr by `$store`.
// On the stack: [sp] (v, upper half) of two coordinates, [16] end of x, [20] point, [24] sines, stride, [32]
// coordinates.
macro_rules! encoder {
    ($name:literal, $store:literal) => {
        core::arch::global_asm!(
            concat!(
                $crate::kernels::extensions::extensions!(),
                $store,
                r#"
    .syntax unified
    .thumb

    @ turns = turns + ((b * v) >> 16), by the upper half of v rounded and the lower half, which is then signed.
    .macro ffm_upper upper, v
    lsr     \upper, \v, #15
    add     \upper, \upper, #1
    lsr     \upper, \upper, #1
    .endm
    .macro ffm_turns turns, b, v, upper
    mla     \turns, \b, \upper, \turns
    smlawb  \turns, \b, \v, \turns
    .endm

    @ Two phases in r2, r3: cosines to [r0], sines to [r0 + sines], next pair. Flags: equal at the end.
    .macro ffm_cos_sin_pair table
    eor     r4, r2, r2, asr #31
    eor     r6, r3, r3, asr #31
    rsb     r4, r4, #0x40000000
    rsb     r6, r6, #0x40000000
    smmulr  r5, r4, r4
    smmulr  r7, r6, r6
    ldrd    r8, r9, \table
    ldrd    r10, r11, \table + 8
    smmlar  r12, r8, r5, r9
    smmlar  lr, r8, r7, r9
    smmlar  r12, r12, r5, r10
    smmlar  lr, lr, r7, r10
    smmlar  r12, r12, r5, r11
    smmlar  lr, lr, r7, r11
    smmulr  r12, r12, r4
    smmulr  lr, lr, r6
    ldrd    r8, r9, \table + 16
    ldrd    r10, r11, \table + 24
    ffm_store r0
    smmlar  r12, r8, r5, r9
    smmlar  lr, r8, r7, r9
    smmlar  r12, r12, r5, r10
    smmlar  lr, lr, r7, r10
    smmlar  r12, r12, r5, r11
    smmlar  lr, lr, r7, r11
    eor     r12, r12, r2, asr #31
    eor     lr, lr, r3, asr #31
    sub     r12, r12, r2, asr #31
    sub     lr, lr, r3, asr #31
    ldrd    r4, r5, [sp, #24]
    ffm_store_at r0, r4
    add     r0, r0, r5
    ldr     r6, [sp, #16]
    cmp     r0, r6
    .endm

    .pushsection .text."#, $name, r#", "ax", %progbits
    .global "#, $name, r#"
    .type   "#, $name, r#", %function
    .thumb_func
    .p2align 2
"#, $name, r#":
    push    {{r4-r11, lr}}
    ldm     r0, {{r1-r7}}              @ point, d, frequencies, x, end, sines, stride
    mov     r0, r4
    mov     r8, r5
    mov     r9, r1
    mov     r10, r6
    mov     r11, r7
    mov     r12, r2
    ldrd    r4, r6, [r9]               @ there is room for the largest d, so also for two
    ffm_upper r5, r4
    ffm_upper r7, r6
    push    {{r4-r12}}
    mov     r1, r3
    cmp     r12, #2
    bne     2f
1:  ldm     sp, {{r8-r11}}
    ldm     r1!, {{r4-r7}}
    mul     r2, r4, r9
    mul     r3, r6, r9
    smlawb  r2, r4, r8, r2
    smlawb  r3, r6, r8, r3
    ffm_turns r2, r5, r10, r11
    ffm_turns r3, r7, r10, r11
    ffm_cos_sin_pair 40f
    bne     1b
9:  add     sp, sp, #36
    pop     {{r4-r11, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}, {even_3}, {even_2}, {even_1}, {even_0}
2:  mov     r2, #0
    mov     r3, #0
    ldr     r4, [sp, #20]
    ldr     r5, [sp, #32]
    lsl     r9, r5, #2                 @ from a row of B to the next
3:  ldr     r7, [r1, r9]
    ldr     r6, [r1], #4
    ldr     r8, [r4], #4
    ffm_upper r10, r8
    ffm_turns r2, r6, r8, r10
    ffm_turns r3, r7, r8, r10
    subs    r5, r5, #1
    bne     3b
    add     r1, r1, r9
    ffm_cos_sin_pair 40b
    bne     2b
    b       9b
    .size   "#, $name, r#", . - "#, $name, r#"
    .popsection
    .purgem ffm_turns
    .purgem ffm_upper
    .purgem ffm_cos_sin_pair
    .purgem ffm_store
    .purgem ffm_store_at
"#
            ),
            odd_0 = const ODD[0],
            odd_1 = const ODD[1],
            odd_2 = const ODD[2],
            odd_3 = const ODD[3],
            even_0 = const EVEN[0],
            even_1 = const EVEN[1],
            even_2 = const EVEN[2],
            even_3 = const EVEN[3],
        );
    };
}

#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod halfwords {
    use super::{EVEN, ODD};
    encoder!(
        "firmware_core_encode",
        r#"
    .macro ffm_store to
    pkhbt   r12, r12, lr, lsl #16
    str     r12, [\to]
    .endm
    .macro ffm_store_at to, offset
    pkhbt   r12, r12, lr, lsl #16
    str     r12, [\to, \offset]
    .endm
"#
    );
}

#[cfg(kernels_fpu)]
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod floats {
    use super::{EVEN, ODD};
    encoder!(
        "firmware_core_encode_f32",
        r#"
    .fpu    fpv4-sp-d16
    .macro ffm_store to
    vmov    s0, s1, r12, lr
    vcvt.f32.s32 s0, s0
    vcvt.f32.s32 s1, s1
    vstm    \to, {{s0, s1}}
    .endm
    .macro ffm_store_at to, offset
    add     \offset, \to, \offset
    ffm_store \offset
    .endm
"#
    );
}
