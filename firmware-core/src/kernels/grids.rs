//! How Rust calls the grids that are written in assembly, whatever the instruction set.
//!
//! Assembly evaluates grids over two axes, of which most are, one point at a time; all others are portable.

use super::contract::each_point;
use crate::artifact::GridUse;
use crate::grid::{Grids, rounded};
use crate::precision::Precision;

/// What a kernel is to do with grids over two axes. The fields' order is known to the assembly.
#[repr(C)]
struct SurfaceCall {
    /// The first level.
    words: *const u32,
    /// Where the features go, as halfwords, or the sums as words.
    x: *mut u32,
    /// End of the levels.
    words_end: *const u32,
    /// The two coordinates.
    point: [u32; 2],
    /// The number of channels.
    channels: usize,
    /// From a node to the next one: in bytes; or, where coefficients have less than 8 bits, in bits downwards.
    node: i32,
    /// Bits that one of these is, downwards as well.
    unit: i32,
    /// The number of bits of a coefficient.
    bits: u32,
    /// 2¹⁴ to store features, 0 to store sums.
    rounding: i32,
    /// 0 linear, 1 quadratic.
    order: u32,
    /// The kind of loop over the channels: 2 bytes, 4 bits; and one more where quadratic.
    form: u32,
}

#[expect(unsafe_code, reason = "the kernel is written in assembly")]
unsafe extern "C" {
    fn firmware_core_surface(call: &SurfaceCall);
}

/// Evaluates grids over two axes at one point; false, and nothing was done, where they or the points are others.
#[inline]
pub(super) fn evaluate(precision: Precision, grids: &Grids<'_>, points: &[u32], lanes: usize, x: &mut [u32]) -> bool {
    let (shape, words) = (grids.shape(), grids.words());
    // Single precision has a word for each feature, whose sum becomes the feature below.
    let is_float = precision == Precision::F32;
    let stores_sums = is_float || shape.used_as == GridUse::Outputs;
    let len = if stores_sums { shape.features() } else { shape.features().div_ceil(2) };
    let is_single = lanes == 1 && grids.inputs() == 2 && shape.levels > 0;
    let (true, Some(&[v, w, ..])) = (is_single && x.len() >= len, each_point(points, lanes).next()) else { return false };
    let (channels, bits, is_quadratic) = (usize::from(shape.channels), u32::from(shape.bits), u32::from(shape.order > 1));
    let is_bytes = bits == 8;
    let words = words.as_ptr_range();
    let call = SurfaceCall {
        words: words.start,
        x: x.as_mut_ptr(),
        words_end: words.end,
        point: [v, w],
        channels,
        node: if is_bytes { channels as i32 } else { -((channels as u32 * bits) as i32) },
        unit: if is_bytes { 8 } else { -1 },
        bits,
        rounding: if stores_sums { 0 } else { 1 << 14 },
        order: is_quadratic,
        form: if is_bytes { 2 } else { 4 } + is_quadratic,
    };
    #[expect(unsafe_code, reason = "the kernel is written in assembly")]
    // SAFETY: the kernel reads the words of all levels, whose shapes `Grids::new` or `Model::parse` has found to fill
    // `words` exactly and to hold every node that a coordinate leads to. It writes a halfword, or a word, for each level
    // and channel: `x` was found that long above.
    unsafe {
        firmware_core_surface(&call);
    }
    if is_float {
        for word in x.iter_mut().take(len) {
            *word = (rounded(*word as i32) as f32).to_bits();
        }
    }
    true
}
