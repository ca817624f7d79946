//! What the kernels in assembly take from the shape of grids.

use crate::artifact::{GridShape, GridUse};

/// The shape of grids as the assembly reads it, which knows the order of the fields. It is decided once.
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
    pub(crate) bits: u32,
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
    pub(crate) words: usize,
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
