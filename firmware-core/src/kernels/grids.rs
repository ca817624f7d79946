//! How Rust calls the grids that are written in assembly, whatever the instruction set.

use super::contract::MIN_COORDINATES;
use crate::artifact::GridUse;
use crate::grid::{Grids, rounded};
use crate::precision::Precision;

/// What a kernel is to do with grids at one point. The fields' order is known to the assembly.
#[repr(C)]
struct GridCall {
    /// The levels.
    words: *const u32,
    /// The number of axes, d.
    axes: usize,
    /// End of the levels.
    words_end: *const u32,
    /// The d coordinates, two at least.
    point: *const u32,
    /// Where the features go, as halfwords, or the sums as words.
    x: *mut u32,
    /// 0 linear, 1 quadratic.
    order: u32,
    /// 2¹⁴ to store features, 0 to store sums.
    rounding: u32,
    /// 1 where the sums are those of a table.
    table: u32,
    /// The number of channels.
    channels: u32,
    /// The number of bits of a coefficient.
    bits: u32,
}

#[expect(unsafe_code, reason = "the kernel is written in assembly")]
unsafe extern "C" {
    fn firmware_core_grid(call: &GridCall);
}

/// Evaluates grids at one point: the features as the precision stores them, of a table the sums. Nothing where a buffer is
/// too short. False where they are left to portable code.
#[inline]
pub(super) fn evaluate(precision: Precision, grids: &Grids<'_>, point: &[u32], x: &mut [u32]) -> bool {
    let (shape, words, axes) = (grids.shape(), grids.words(), grids.inputs());
    // Single precision has a word for each feature, whose sum becomes the feature below.
    let is_float = precision == Precision::F32;
    let is_table = !is_float && shape.used_as == GridUse::Outputs;
    let stores_sums = is_float || is_table;
    // The only ones that the assembly for ARMv6-M takes.
    let is_simple = !stores_sums && axes == 2 && shape.bits == 8;
    if cfg!(kernels = "thumb1") && !is_simple {
        return false;
    }
    let features = shape.features();
    let len = if stores_sums { features } else { features.div_ceil(2) };
    let Some(x) = x.get_mut(..len) else { return true };
    if point.len() < axes.max(MIN_COORDINATES) || words.is_empty() {
        return true;
    }
    let words = words.as_ptr_range();
    let call = GridCall {
        words: words.start,
        x: x.as_mut_ptr(),
        words_end: words.end,
        point: point.as_ptr(),
        axes,
        order: u32::from(shape.order) >> 1,
        rounding: if stores_sums { 0 } else { 1 << 14 },
        table: u32::from(is_table),
        channels: u32::from(shape.channels),
        bits: u32::from(shape.bits),
    };
    #[expect(unsafe_code, reason = "the kernel is written in assembly")]
    // SAFETY: the kernel reads d coordinates, two at least, and the words of all levels, whose shapes `Grids::new` or
    // `Model::parse` has found to fill them exactly and to hold every node that a coordinate leads to; before a level's
    // coefficients it may read words of its axes. It writes a halfword, or a word, for each level and channel: `x` was
    // found that long above.
    unsafe {
        firmware_core_grid(&call);
    }
    if is_float {
        for word in x {
            *word = (rounded(*word as i32) as f32).to_bits();
        }
    }
    true
}
