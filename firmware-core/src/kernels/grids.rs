//! How Rust calls the grids that are written in assembly, whatever the instruction set.

use super::contract::MIN_COORDINATES;
use crate::artifact::{GridShape, GridUse};
use crate::grid::Grids;
use crate::precision::Precision;

/// What kernels take from the shape of grids, decided once. The fields' order is known to the assembly.
///
/// Steps count units: bytes where coefficients of 8 bits lie over two axes or more, otherwise bits, downwards.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(C)]
pub(crate) struct Plan {
    /// From the first channel that is evaluated at once to behind the last one: all of them over one axis or two.
    span: i32,
    /// From a node to the next one.
    node: i32,
    /// A unit, in bits.
    unit: i32,
    /// The number of bits of a coefficient.
    bits: u32,
    /// 2¹⁴ where what is evaluated at once is to become features, 0 where it is to remain sums.
    rounding: u32,
    /// What is added to the sum of a row of coefficients that are counted in bits,
    row_rounding: u32,
    /// and by how much it is shifted then.
    row_shift: u32,
    /// Of one axis the weight of its row; 0 where there are more axes.
    line: u32,
    /// The number of levels.
    levels: u32,
    /// The number of axes, d.
    axes: u32,
    /// 0 linear, 1 quadratic.
    order: u32,
    /// 2¹⁴ to store features, 0 to store sums.
    store_rounding: u32,
    /// The kernel's code for a row: in bytes 2, in bits 4, of one axis 6, and the order added.
    row: u32,
    /// The words that are written.
    words: usize,
}

impl Plan {
    /// Of grids whose shape was checked.
    pub(crate) fn new(shape: GridShape, inputs: usize) -> Self {
        let (channels, bits, order) = (i32::from(shape.channels), u32::from(shape.bits), u32::from(shape.order >> 1));
        let is_table = shape.used_as == GridUse::Outputs;
        let counts_bytes = bits == 8 && inputs > 1;
        let (step, unit) = if counts_bytes { (1, 8) } else { (0i32.wrapping_sub_unsigned(bits), -1) };
        let store_rounding = if is_table { 0 } else { 1 << 14 };
        // Of a table over one axis the sum of the row remains as it is.
        let is_row_kept = is_table && inputs == 1;
        Self {
            span: if inputs > 2 { step } else { channels.wrapping_mul(step) },
            node: channels.wrapping_mul(step),
            unit,
            bits,
            rounding: if inputs > 2 { 0 } else { store_rounding },
            row_rounding: if is_row_kept { 0 } else { 1u32.wrapping_shl(bits.wrapping_sub(2)) },
            row_shift: if is_row_kept { 0 } else { bits.wrapping_sub(1) },
            line: match inputs {
                1 if is_table => 1u32.wrapping_shl(16u32.wrapping_sub(bits)),
                1 => 1 << 15,
                _ => 0,
            },
            levels: u32::from(shape.levels),
            axes: inputs as u32,
            order,
            store_rounding,
            row: order
                + if inputs == 1 {
                    6
                } else if counts_bytes {
                    2
                } else {
                    4
                },
            words: if is_table { shape.features() } else { shape.features().div_ceil(2) },
        }
    }
}

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
