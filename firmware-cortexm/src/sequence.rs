//! Points of the device's own.

use firmware_core::Model;

/// The `k`-th point of a sequence that fills the domain evenly: multiples of an irrational number on each axis, modulo
/// one.
pub(crate) fn place(model: &Model<'_>, k: u32, point: &mut [f32]) {
    for ((x, axis), i) in point.iter_mut().zip(model.axes()).zip(0u32..) {
        let turns = k.wrapping_mul(0x9e37_79b9_u32.rotate_left(5 * i) | 1);
        // 24 bits are exact in f32.
        let unit = (turns >> 8) as f32 / 16_777_216.0;
        *x = axis.minimum + (axis.maximum - axis.minimum) * unit;
    }
}
