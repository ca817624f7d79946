//! The values of grids at a point.

use super::Grids;
use super::level::{Level, next_level, window};
use crate::limits::MAX_GRID_INPUTS;

/// The most nodes along an axis that a value is made of.
const MAX_TAPS: usize = 3;

impl Grids<'_> {
    /// The features of one point. Where `coordinates` is not `[d]` or `features` not `[levels · channels]` long, the
    /// shorter one decides.
    pub fn encode_into(&self, coordinates: &[u32], features: &mut [i16]) {
        self.evaluate(coordinates, |k, sum| {
            if let Some(slot) = features.get_mut(k) {
                *slot = rounded(sum) as i16;
            }
        });
    }

    /// The sums `[levels · channels]` at one point, which are the raw outputs of a table: below 2³⁰, a coefficient q
    /// counts as q·2^(31 - bits). Where a length does not fit, the shorter one decides.
    pub fn sums_into(&self, coordinates: &[u32], sums: &mut [i32]) {
        self.evaluate(coordinates, |k, sum| {
            if let Some(slot) = sums.get_mut(k) {
                *slot = sum;
            }
        });
    }

    /// Hands the sum of every level and channel to `store(feature, sum)`.
    #[inline(always)]
    pub(crate) fn evaluate(&self, point: &[u32], mut store: impl FnMut(usize, i32)) {
        let Self { shape, inputs, mut words, .. } = *self;
        let mut feature = 0;
        // From the last axis to the first one. Not an array: clearing one costs more flash than all of this function.
        let mut axes = heapless::Vec::<Taps, MAX_GRID_INPUTS>::new();
        for _ in 0..shape.levels {
            // `new` has checked that they are all there.
            let Some((level, rest)) = next_level(shape, inputs, words) else { return };
            words = rest;
            // From a node to the next one along the axis, in bits.
            let mut step = level.channels.wrapping_mul(level.bits);
            axes.clear();
            for (&[nodes, cells], &v) in level.axes.iter().zip(point).rev() {
                let mut taps = Taps::new(v, cells, shape.order == 1);
                let end = step.wrapping_mul(nodes);
                let mut place = taps.offsets[0].wrapping_mul(step);
                for offset in &mut taps.offsets {
                    *offset = place;
                    place = place.wrapping_add(step);
                    if place == end {
                        place = 0;
                    }
                }
                step = end;
                // There is room for the most axes.
                let _ = axes.push(taps);
            }
            let taps = usize::from(shape.order) + 1;
            let value = Value { level: &level, taps };
            let mut bit = 0;
            for _ in 0..level.channels {
                store(feature, value.sum(&axes, bit));
                bit = level.bits.wrapping_add(bit);
                feature += 1;
            }
        }
    }
}

/// (sum + 2¹⁴) >> 15.
#[inline(always)]
pub(crate) fn rounded(sum: i32) -> i32 {
    sum.wrapping_add(1 << 14) >> 15
}

/// The upper half of a product.
#[inline(always)]
fn mul_high(a: u32, b: u32) -> u32 {
    if !cfg!(kernels = "thumb1") {
        return (u64::from(a).wrapping_mul(u64::from(b)) >> 32) as u32;
    }
    // By halves, where there is no product of 64 bits; no sum overflows.
    let ((a_high, a_low), (b_high, b_low)) = ((a >> 16, a & 0xffff), (b >> 16, b & 0xffff));
    let middle = a_high.wrapping_mul(b_low).wrapping_add(a_low.wrapping_mul(b_low) >> 16);
    let other = a_low.wrapping_mul(b_high).wrapping_add(middle & 0xffff);
    a_high.wrapping_mul(b_high).wrapping_add(middle >> 16).wrapping_add(other >> 16)
}

/// What a value is made of along one axis: from where to where in the coefficients, in bits, and how much of it.
#[derive(Clone, Copy)]
struct Taps {
    offsets: [u32; MAX_TAPS],
    weights: [i32; MAX_TAPS],
}

impl Taps {
    /// The weights at a point along an axis; the first offset counts nodes.
    #[inline(always)]
    fn new(v: u32, cells: u32, is_linear: bool) -> Self {
        let position = mul_high(v, cells);
        let f = (position & 0xffff) >> 1;
        let left = 32_768 - f;
        let weights = if is_linear {
            [left, f, 0]
        } else {
            let (first, last) = (left.wrapping_mul(left) >> 16, f.wrapping_mul(f) >> 16);
            [first, 32_768 - first - last, last]
        };
        Self { offsets: [position >> 16, 0, 0], weights: weights.map(|weight| weight as i32) }
    }
}

/// The values of a level.
struct Value<'a> {
    level: &'a Level<'a>,
    taps: usize,
}

impl Value<'_> {
    /// The sum over these axes, which begin with the last one, at the place where those before them lead.
    fn sum(&self, axes: &[Taps], bit: u32) -> i32 {
        let Some((taps, axes)) = axes.split_last() else { return 0 };
        let mut sum = 0i32;
        for (&offset, &weight) in taps.offsets.iter().zip(&taps.weights).take(self.taps) {
            let bit = bit.wrapping_add(offset);
            let value = if axes.is_empty() { self.coefficient(bit) } else { rounded(self.sum(axes, bit)) };
            sum = sum.wrapping_add(weight.wrapping_mul(value));
        }
        sum
    }

    /// The coefficient of a node, as it counts.
    #[inline(always)]
    fn coefficient(&self, bit: u32) -> i32 {
        let unused = 32 - self.level.bits;
        (window(self.level.coefficients, bit).wrapping_shl(unused) as i32)
            .wrapping_shr(unused)
            .wrapping_shl(unused - 16)
    }
}
