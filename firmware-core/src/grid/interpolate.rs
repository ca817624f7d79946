//! The values of grids at a point.

use super::Grids;
use super::level::{Level, split_level, window};

/// The most nodes along an axis that a value is made of.
const MAX_TAPS: usize = 3;
/// The bits that a [`window`] has wherever it begins.
const WINDOW_BITS: u32 = 25;

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
        let Self { shape, inputs, mut words } = *self;
        let mut feature = 0;
        for _ in 0..shape.levels {
            // `new` has checked that they are all there.
            let Some((level, rest)) = split_level(shape, inputs, words) else { return };
            words = rest;
            let mut channel = 0;
            while channel < level.channels {
                let (sum, next) = pair(&level, shape.order, point, channel);
                store(feature, sum);
                if channel + 1 < level.channels {
                    store(feature + 1, next);
                }
                channel += 2;
                feature += 2;
            }
            feature -= (level.channels % 2) as usize;
        }
    }
}

/// (sum + 2¹⁴) >> 15.
#[inline(always)]
pub(crate) fn rounded(sum: i32) -> i32 {
    sum.wrapping_add(1 << 14) >> 15
}

/// The sums of a channel and of the next one, which is of no use where there is none.
#[inline(never)]
fn pair(level: &Level<'_>, order: u8, point: &[u32], channel: u32) -> (i32, i32) {
    let (Some((&last, outer)), Some(&v)) = (level.axes.split_last(), point.get(level.axes.len().wrapping_sub(1)))
    else {
        return (0, 0);
    };
    let axis = Taps::new(v, last, order);
    let stride = level.channels.wrapping_mul(level.bits);
    let rows = Rows {
        words: level.coefficients,
        order,
        bits: level.bits,
        stride,
        row: axis.nodes.wrapping_mul(stride),
        offset: channel.wrapping_mul(level.bits),
        axis,
    };
    rows.sums(outer, point, 0)
}

/// The nodes of one axis that a value is made of, and their weights.
struct Taps {
    nodes: u32,
    first: u32,
    weights: [i32; MAX_TAPS],
}

impl Taps {
    #[inline(always)]
    fn new(v: u32, [nodes, cells]: [u32; 2], order: u8) -> Self {
        let position = (u64::from(v).wrapping_mul(u64::from(cells)) >> 32) as u32;
        let f = (position & 0xffff) >> 1;
        let left = 32_768 - f;
        let weights = if order == 1 {
            [left, f, 0]
        } else {
            let (first, last) = (left.wrapping_mul(left) >> 16, f.wrapping_mul(f) >> 16);
            [first, 32_768 - first - last, last]
        };
        Self { nodes, first: position >> 16, weights: weights.map(|weight| weight as i32) }
    }

    /// The weights that count.
    #[inline(always)]
    fn weights(&self, order: u8) -> &[i32] {
        if order == 1 { &self.weights[..2] } else { &self.weights }
    }
}

/// Two adjacent channels of a level, with the last axis at its place.
struct Rows<'a> {
    words: &'a [u32],
    order: u8,
    bits: u32,
    /// Bits of a node.
    stride: u32,
    /// Bits of all nodes of the last axis.
    row: u32,
    /// The first bit of the pair, from that of its node.
    offset: u32,
    axis: Taps,
}

impl Rows<'_> {
    /// The sums over all axes from the first of `axes` and of `point` on, at this node of the axes before.
    fn sums(&self, axes: &[[u32; 2]], point: &[u32], node: u32) -> (i32, i32) {
        let (Some((&axis, axes)), Some((&v, point))) = (axes.split_first(), point.split_first()) else {
            return self.row(node);
        };
        let axis = Taps::new(v, axis, self.order);
        let (mut sum, mut next) = (0i32, 0i32);
        let first = node.wrapping_mul(axis.nodes);
        let mut node = axis.first;
        for &weight in axis.weights(self.order) {
            let (a, b) = match axes {
                [] => self.row(first.wrapping_add(node)),
                _ => self.sums(axes, point, first.wrapping_add(node)),
            };
            sum = sum.wrapping_add(weight.wrapping_mul(rounded(a)));
            next = next.wrapping_add(weight.wrapping_mul(rounded(b)));
            node += 1;
            if node == axis.nodes {
                node = 0;
            }
        }
        (sum, next)
    }

    /// The sums along the last axis, at this node of the axes before.
    #[inline(never)]
    fn row(&self, node: u32) -> (i32, i32) {
        let Self { words, order, bits, stride, axis, .. } = self;
        let unused = 32 - bits;
        let start = node.wrapping_mul(self.row).wrapping_add(self.offset);
        let mut bit = start.wrapping_add(axis.first.wrapping_mul(*stride));
        let mut coefficients = window(words, bit);
        // Whether one window has all of them.
        let (taps, before_end) = (u32::from(*order) + 1, axis.nodes - axis.first);
        let at_once = u32::from(*order) * stride + 2 * bits <= WINDOW_BITS && before_end >= taps;
        let (mut sum, mut next) = (0i32, 0i32);
        let mut tap = 0;
        for &weight in axis.weights(*order) {
            if tap != 0 {
                if at_once {
                    coefficients = coefficients.wrapping_shr(*stride);
                } else {
                    bit = if tap == before_end { start } else { bit.wrapping_add(*stride) };
                    coefficients = window(words, bit);
                }
            }
            tap += 1;
            let coefficient = (coefficients.wrapping_shl(unused) as i32).wrapping_shr(unused);
            sum = sum.wrapping_add(weight.wrapping_mul(coefficient));
            let coefficient = (coefficients.wrapping_shl(unused - bits) as i32).wrapping_shr(unused);
            next = next.wrapping_add(weight.wrapping_mul(coefficient));
        }
        (sum.wrapping_shl(unused - 16), next.wrapping_shl(unused - 16))
    }
}
