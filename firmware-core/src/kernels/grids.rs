//! How Rust calls the grids that are written in assembly, whatever the instruction set.

use super::contract::MIN_COORDINATES;
use crate::grid::{Grids, Plan};
use crate::precision::Precision;

#[expect(unsafe_code, reason = "the kernel is written in assembly")]
unsafe extern "C" {
    /// From the words of the levels and the d coordinates, two at least, to features as halfwords or sums as words.
    fn firmware_core_grid(words: *const u32, x: *mut u32, plan: &Plan, point: *const u32);
}

/// Evaluates grids at one point: the features as the precision stores them, of a table the sums. Nothing where a buffer
/// is too short. False where they are left to portable code.
#[inline]
pub(super) fn evaluate(precision: Precision, grids: &Grids<'_>, point: &[u32], x: &mut [u32]) -> bool {
    let (axes, plan) = (grids.inputs(), grids.plan());
    // The only ones that the assembly for ARMv6-M takes.
    let is_simple = !grids.is_table() && axes == 2 && plan.bits == 8;
    if cfg!(kernels = "thumb1") && !is_simple {
        return false;
    }
    // Single precision has a word for each feature, which is a halfword at first.
    let is_float = precision == Precision::F32;
    let fits = x.len() >= if is_float { grids.features_len() } else { plan.words };
    if !fits || point.len() < MIN_COORDINATES || point.len() < axes {
        return true;
    }
    #[expect(unsafe_code, reason = "the kernel is written in assembly")]
    // SAFETY: the kernel reads d coordinates, two at least, and the words of all levels, whose shapes `Grids::new` or
    // `Model::parse` has found to fill them exactly and to hold every node that a coordinate leads to; before a level's
    // coefficients it may read words of its axes. It writes a halfword, or of a table a word, for each level and
    // channel: `x` was found that long above; of single precision it holds as many words as features.
    unsafe {
        firmware_core_grid(grids.words().as_ptr(), x.as_mut_ptr(), plan, point.as_ptr());
    }
    if is_float {
        // From the last one on, as a word takes the place of later halfwords.
        for k in (0..grids.features_len()).rev() {
            let halfwords: &[i16] = bytemuck::must_cast_slice(&*x);
            let feature = halfwords.get(k).copied().unwrap_or(0);
            if let Some(word) = x.get_mut(k) {
                *word = f32::from(feature).to_bits();
            }
        }
    }
    true
}
