//! Sine layers in assembly: accumulators become activations where they lie, a pass over the layer's rows.
//!
//! | core | kernels | instructions a unit | what makes them up |
//! | --- | --- | --- | --- |
//! | M4, M7, M33 | `dsp` | 11 | MLA to the phase, 2 to fold it, SMMULR, 3 SMMLAR, SMMULR |
//! | M55, M85 | `mve` | 5.3 | four rows at a time, VRMULH in place of SMMULR |
//! | M3 | `v7m` | 21 | SMULL with the rounding added in place of SMMULR |
//! | M0 | `thumb1` | 130 | five products of 32 bits, each by halves |
//! | with an FPU, `f32` | `vfp` | 15 | 4 conversions to the phase, then as `dsp` |
//!
//! The pass writes an activation at most where accumulators have been read. The polynomial is that of
//! [`fixed::sine`](crate::fixed::sine).

use super::contract::Layer;
use crate::layout::{BLOCK_ROWS, block_words};
use crate::precision::Precision;

/// What a pass of sines is to do. The fields' order is known to the assembly.
#[repr(C)]
pub(super) struct SineCall {
    /// Accumulators `[row][lane]`, to become activations; at least one block.
    y: *mut u32,
    /// End of the accumulators.
    y_end: *const u32,
    /// The multipliers of the first block; not read in `f32`.
    multipliers: *const u32,
    /// From the multipliers of a block to those of the next one, in bytes.
    stride: usize,
}

/// The function of a pass in assembly: reads and writes `y .. y_end`.
pub(super) type SineFunction = unsafe extern "C" fn(call: &SineCall);

/// A pass of sines in assembly, for one precision and number of lanes.
#[derive(Clone, Copy)]
pub(super) struct SineKernel {
    pub(super) function: SineFunction,
    pub(super) precision: Precision,
    pub(super) lanes: usize,
}

impl SineKernel {
    /// Runs the pass over a layer's accumulators; does nothing where a buffer is too short.
    #[inline]
    pub(super) fn run(self, layer: Layer<'_>, y: &mut [u32]) {
        let Self { function, precision, lanes } = self;
        let (blocks, block) = (layer.rows.div_ceil(BLOCK_ROWS), block_words(precision, layer.inputs));
        let (Some(words), Some(y)) = (layer.words.get(..blocks * block), y.get_mut(..blocks * BLOCK_ROWS * lanes))
        else {
            return;
        };
        if y.is_empty() {
            return;
        }
        let multipliers = words.as_ptr().wrapping_add(block - BLOCK_ROWS);
        let y = y.as_mut_ptr_range();
        let call = SineCall { y: y.start, y_end: y.end, multipliers, stride: 4 * block };
        #[expect(unsafe_code, reason = "the kernel is written in assembly")]
        // SAFETY: the kernel reads and writes `y`, four rows of `lanes` words for each block, and reads the last four
        // words of each block: the lengths that were just checked.
        unsafe {
            function(&call);
        }
    }
}

#[cfg(kernels = "dsp")]
#[expect(unsafe_code, reason = "assembly; each function keeps AAPCS and touches what its call describes")]
mod dsp {
    use crate::fixed::ODD;
    use crate::kernels::extensions::extensions;

    core::arch::global_asm!(
        concat!(
            extensions!(),
            r#"
    .syntax unified
    .thumb

    @ The sines of the accumulators r2, r3, to the word at lr; r8 to r11 the polynomial, r12 minus a quarter turn.
    .macro ffm_sines multipliers
    ldrd    r4, r5, [r1, #\multipliers]
    mla     r2, r2, r4, r12
    mla     r3, r3, r5, r12
    eor     r2, r2, r2, asr #31
    eor     r3, r3, r3, asr #31
    rsb     r2, r2, #0x40000000
    rsb     r3, r3, #0x40000000
    smmulr  r4, r2, r2
    smmulr  r5, r3, r3
    smmlar  r6, r8, r4, r9
    smmlar  r7, r8, r5, r9
    smmlar  r6, r6, r4, r10
    smmlar  r7, r7, r5, r10
    smmlar  r6, r6, r4, r11
    smmlar  r7, r7, r5, r11
    smmulr  r6, r6, r2
    smmulr  r7, r7, r3
    pkhbt   r6, r6, r7, lsl #16
    str     r6, [lr], #4
    .endm
    .macro ffm_sines_1 multipliers
    ldrd    r2, r3, [r0], #8
    ffm_sines \multipliers
    .endm
    @ Two lanes: the rows of a pair are two words apart.
    .macro ffm_sines_2 multipliers
    ldr     r3, [r0, #8]
    ldr     r2, [r0], #4
    ffm_sines \multipliers
    ldr     r3, [r0, #8]
    ldr     r2, [r0], #12
    ffm_sines \multipliers
    .endm

    .macro ffm_sine_layer name, pair
    .pushsection .text.\name, "ax", %progbits
    .global \name
    .type   \name, %function
    .thumb_func
    .p2align 2
\name:
    push    {{r4-r11, lr}}
    ldm     r0, {{r0-r3}}                  @ y, end, multipliers, stride
    push    {{r1, r3}}
    mov     r1, r2
    mov     lr, r0
    ldrd    r8, r9, 40f
    ldrd    r10, r11, 40f + 8
    mov     r12, #0xc0000000
1:  \pair   0
    \pair   8
    ldrd    r2, r3, [sp]
    add     r1, r1, r3
    cmp     r0, r2
    bne     1b
    add     sp, sp, #8
    pop     {{r4-r11, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}
    .size   \name, . - \name
    .popsection
    .endm

    ffm_sine_layer firmware_core_sine, ffm_sines_1
    ffm_sine_layer firmware_core_sine_2, ffm_sines_2
    .purgem ffm_sine_layer
    .purgem ffm_sines_2
    .purgem ffm_sines_1
    .purgem ffm_sines
"#
        ),
        odd_0 = const ODD[0],
        odd_1 = const ODD[1],
        odd_2 = const ODD[2],
        odd_3 = const ODD[3],
    );
}

#[cfg(kernels = "mve")]
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod mve {
    use crate::fixed::ODD;
    use crate::kernels::extensions::extensions;

    core::arch::global_asm!(
        concat!(
            extensions!(),
            r#"
    .syntax unified
    .thumb
    .pushsection .text.firmware_core_sine, "ax", %progbits
    .global firmware_core_sine
    .type   firmware_core_sine, %function
    .thumb_func
    .p2align 2
firmware_core_sine:
    push    {{r4-r8, lr}}
    ldm     r0, {{r0-r3}}                  @ y, end, multipliers, stride
    mov     r7, r0                         @ VSTRH takes a low register
    ldrd    r4, r5, 40f
    ldrd    r6, r8, 40f + 8
    mov     r12, #0x40000000
    vdup.32 q3, r12
1:  vldrw.u32 q0, [r0], #16
    vldrw.u32 q1, [r2]
    add     r2, r2, r3
    vmul.i32 q0, q0, q1
    vsub.i32 q0, q0, q3
    vshr.s32 q1, q0, #31
    veor    q0, q0, q1
    vsub.i32 q0, q3, q0
    vrmulh.s32 q1, q0, q0
    vdup.32 q2, r4
    vrmulh.s32 q2, q2, q1
    vadd.i32 q2, q2, r5
    vrmulh.s32 q2, q2, q1
    vadd.i32 q2, q2, r6
    vrmulh.s32 q2, q2, q1
    vadd.i32 q2, q2, r8
    vrmulh.s32 q2, q2, q0
    vstrh.32 q2, [r7], #8
    cmp     r0, r1
    bne     1b
    pop     {{r4-r8, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}
    .size   firmware_core_sine, . - firmware_core_sine
    .popsection
"#
        ),
        odd_0 = const ODD[0],
        odd_1 = const ODD[1],
        odd_2 = const ODD[2],
        odd_3 = const ODD[3],
    );
}

#[cfg(kernels = "v7m")]
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod v7m {
    use crate::fixed::ODD;

    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb

    @ to = addend + ((a * b + 2^31) >> 32); r4, r5 are free.
    .macro ffm_high to, a, b, addend
    smull   r4, r5, \a, \b
    adds    r4, r4, #0x80000000
    adc     \to, r5, \addend
    .endm
    @ sine = that of the accumulator in r2; r8 to r11 the polynomial, r12 minus a quarter turn.
    .macro ffm_sine sine, multiplier
    mla     r2, r2, \multiplier, r12
    eor     r2, r2, r2, asr #31
    rsb     r2, r2, #0x40000000
    ffm_high r3, r2, r2, #0
    ffm_high \sine, r8, r3, r9
    ffm_high \sine, \sine, r3, r10
    ffm_high \sine, \sine, r3, r11
    ffm_high \sine, \sine, r2, #0
    .endm

    .pushsection .text.firmware_core_sine, "ax", %progbits
    .global firmware_core_sine
    .type   firmware_core_sine, %function
    .thumb_func
    .p2align 2
firmware_core_sine:
    push    {{r4-r11, lr}}
    ldm     r0, {{r0-r3}}                  @ y, end, multipliers, stride
    sub     r3, r3, #16
    push    {{r1, r3}}
    mov     r1, r2
    mov     lr, r0
    ldrd    r8, r9, 40f
    ldrd    r10, r11, 40f + 8
    mov     r12, #0xc0000000
1:
    .rept 2
    ldrd    r2, r6, [r0], #8
    ldrd    r3, r7, [r1], #8
    push    {{r6, r7}}
    ffm_sine r6, r3
    pop     {{r2, r3}}
    ffm_sine r7, r3
    bfi     r6, r7, #16, #16
    str     r6, [lr], #4
    .endr
    ldrd    r2, r3, [sp]
    add     r1, r1, r3
    cmp     r0, r2
    bne     1b
    add     sp, sp, #8
    pop     {{r4-r11, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}
    .size   firmware_core_sine, . - firmware_core_sine
    .popsection
    .purgem ffm_sine
    .purgem ffm_high
"#,
        odd_0 = const ODD[0],
        odd_1 = const ODD[1],
        odd_2 = const ODD[2],
        odd_3 = const ODD[3],
    );
}

// r9 accumulators, r10 multipliers, r11 activations; on the stack: [sp] end, [4] from the end of a block's multipliers
// to the next ones.
#[cfg(kernels = "thumb1")]
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod thumb1 {
    use crate::fixed::ODD;

    core::arch::global_asm!(
        r#"
    .syntax unified
    .thumb
    .pushsection .text.firmware_core_sine, "ax", %progbits
    .global firmware_core_sine
    .type   firmware_core_sine, %function
    .thumb_func
    .p2align 2
firmware_core_sine:
    push    {{r4-r7, lr}}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {{r4-r7}}
    ldmia   r0!, {{r1-r4}}                 @ y, end, multipliers, stride
    sub     sp, #8
    subs    r4, #16
    str     r2, [sp]
    str     r4, [sp, #4]
    mov     r9, r1
    mov     r10, r3
    mov     r11, r1
1:  bl      2f
    bl      2f
    ldr     r4, [sp, #4]
    add     r10, r4
    ldr     r4, [sp]
    cmp     r9, r4
    bne     1b
    add     sp, #8
    pop     {{r4-r7}}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {{r4-r7, pc}}

    @ The activations of two rows, a word.
2:  push    {{lr}}
    bl      3f
    push    {{r2}}
    bl      3f
    pop     {{r3}}
    uxth    r3, r3
    lsls    r2, r2, #16
    orrs    r2, r3
    mov     r0, r11
    stmia   r0!, {{r2}}
    mov     r11, r0
    pop     {{pc}}

    @ r2: the sine of the next row. r1: the folded phase, r3: its square.
3:  push    {{lr}}
    mov     r0, r9
    mov     r1, r10
    ldmia   r0!, {{r2}}
    ldmia   r1!, {{r3}}
    mov     r9, r0
    mov     r10, r1
    muls    r2, r3
    movs    r3, #1
    lsls    r3, r3, #30
    subs    r2, r2, r3
    asrs    r4, r2, #31
    eors    r2, r4
    subs    r3, r3, r2
    movs    r1, r3
    movs    r2, r3
    bl      firmware_core_mul_high_rounded
    movs    r3, r2
    adr     r0, 40f
    ldmia   r0!, {{r2}}
    .rept 3
    bl      firmware_core_mul_high_rounded
    ldmia   r0!, {{r4}}
    adds    r2, r4
    .endr
    movs    r3, r1
    bl      firmware_core_mul_high_rounded
    pop     {{pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}
    .size   firmware_core_sine, . - firmware_core_sine
    .popsection
"#,
        odd_0 = const ODD[0],
        odd_1 = const ODD[1],
        odd_2 = const ODD[2],
        odd_3 = const ODD[3],
    );
}

#[cfg(all(kernels_fpu, any(kernels = "dsp", kernels = "mve")))]
#[expect(unsafe_code, reason = "assembly; the function keeps AAPCS and touches what its call describes")]
mod vfp {
    use crate::fixed::ODD;
    use crate::kernels::extensions::extensions;

    core::arch::global_asm!(
        concat!(
            extensions!(),
            r#"
    .syntax unified
    .thumb
    .fpu    fpv4-sp-d16

    @ The sines of two fractions of turns in Q31, in their places; r8 to r11 the polynomial, r12 a quarter turn.
    .macro ffm_sines a, b
    vmov    r2, r3, \a, \b
    rsb     r2, r12, r2, lsl #1
    rsb     r3, r12, r3, lsl #1
    eor     r2, r2, r2, asr #31
    eor     r3, r3, r3, asr #31
    rsb     r2, r2, #0x40000000
    rsb     r3, r3, #0x40000000
    smmulr  r4, r2, r2
    smmulr  r5, r3, r3
    smmlar  r6, r8, r4, r9
    smmlar  r7, r8, r5, r9
    smmlar  r6, r6, r4, r10
    smmlar  r7, r7, r5, r10
    smmlar  r6, r6, r4, r11
    smmlar  r7, r7, r5, r11
    smmulr  r6, r6, r2
    smmulr  r7, r7, r3
    vmov    \a, \b, r6, r7
    .endm

    .pushsection .text.firmware_core_sine_f32, "ax", %progbits
    .global firmware_core_sine_f32
    .type   firmware_core_sine_f32, %function
    .thumb_func
    .p2align 2
firmware_core_sine_f32:
    push    {{r4-r11, lr}}
    ldm     r0, {{r0, r1}}                 @ y, end
    ldrd    r8, r9, 40f
    ldrd    r10, r11, 40f + 8
    mov     r12, #0x40000000
1:  vldm    r0, {{s0-s3}}
    vcvt.s32.f32 s4, s0
    vcvt.s32.f32 s5, s1
    vcvt.s32.f32 s6, s2
    vcvt.s32.f32 s7, s3
    .irp k, 4, 5, 6, 7
    vcvt.f32.s32 s\k, s\k
    .endr
    vsub.f32 s0, s0, s4
    vsub.f32 s1, s1, s5
    vsub.f32 s2, s2, s6
    vsub.f32 s3, s3, s7
    .irp k, 0, 1, 2, 3
    vcvt.s32.f32 s\k, s\k, #31
    .endr
    ffm_sines s0, s1
    ffm_sines s2, s3
    .irp k, 0, 1, 2, 3
    vcvt.f32.s32 s\k, s\k
    .endr
    vstm    r0!, {{s0-s3}}
    cmp     r0, r1
    bne     1b
    pop     {{r4-r11, pc}}
    .p2align 2
40: .word   {odd_3}, {odd_2}, {odd_1}, {odd_0}
    .size   firmware_core_sine_f32, . - firmware_core_sine_f32
    .popsection
    .purgem ffm_sines
"#
        ),
        odd_0 = const ODD[0],
        odd_1 = const ODD[1],
        odd_2 = const ODD[2],
        odd_3 = const ODD[3],
    );
}
