//! The values of grids at a point.

use super::Grids;
use super::level::{Level, split_level, window};
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
        let Self { shape, inputs, mut words } = *self;
        let mut feature = 0;
        for _ in 0..shape.levels {
            // `new` has checked that they are all there.
            let Some((level, rest)) = split_level(shape, inputs, words) else { return };
            words = rest;
            let mut taps = [Taps::default(); MAX_GRID_INPUTS];
            for ((taps, &v), &axis) in taps.iter_mut().zip(point).zip(level.axes) {
                *taps = Taps::new(v, axis, shape.order);
            }
            let taps = taps.get(..inputs).unwrap_or(&[]);
            for channel in (0..u32::from(shape.channels)).step_by(2) {
                let pair = Pair::new(&level, shape.order, channel);
                for (sum, _) in pair.sums(taps, 0).into_iter().zip(channel..u32::from(shape.channels)) {
                    store(feature, sum);
                    feature += 1;
                }
            }
        }
    }
}

/// (sum + 2¹⁴) >> 15.
#[inline(always)]
pub(crate) fn rounded(sum: i32) -> i32 {
    sum.wrapping_add(1 << 14) >> 15
}

/// The nodes of one axis that a value is made of, and their weights.
#[derive(Clone, Copy, Default)]
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
}

/// Two adjacent channels of a level. The second is of no use where there is none.
struct Pair<'a> {
    words: &'a [u32],
    taps: usize,
    bits: u32,
    /// Bits of a node.
    stride: u32,
    /// The first bit of the pair, from that of its node.
    offset: u32,
}

impl<'a> Pair<'a> {
    #[inline(always)]
    fn new(level: &Level<'a>, order: u8, channel: u32) -> Self {
        let Level { coefficients: words, bits, channels, .. } = *level;
        Self {
            words,
            taps: usize::from(order) + 1,
            bits,
            stride: channels.wrapping_mul(bits),
            offset: channel.wrapping_mul(bits),
        }
    }

    /// The sums over the first of these axes, at the node `outer` of all the axes before.
    fn sums(&self, axes: &[Taps], outer: u32) -> [i32; 2] {
        let Some((axis, inner)) = axes.split_first() else { return [0; 2] };
        let first = outer.wrapping_mul(axis.nodes);
        if inner.is_empty() {
            return self.row(axis, first);
        }
        let mut sums = [0i32; 2];
        let mut node = axis.first;
        for &weight in axis.weights.iter().take(self.taps) {
            let values = self.sums(inner, first.wrapping_add(node));
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.wrapping_add(weight.wrapping_mul(rounded(value)));
            }
            node += 1;
            if node == axis.nodes {
                node = 0;
            }
        }
        sums
    }

    /// The sums along the last axis, in the row that begins with the node `first`.
    #[inline(always)]
    fn row(&self, axis: &Taps, first: u32) -> [i32; 2] {
        let unused = 32 - self.bits;
        let needed = 2 * self.bits;
        let start = first.wrapping_mul(self.stride).wrapping_add(self.offset);
        let mut node = axis.first;
        let mut bit = start.wrapping_add(node.wrapping_mul(self.stride));
        let (mut from, mut bits) = (bit, window(self.words, bit));
        let mut sums = [0i32; 2];
        for &weight in axis.weights.iter().take(self.taps) {
            if bit.wrapping_sub(from) > 32 - needed {
                (from, bits) = (bit, window(self.words, bit));
            }
            let pair = bits.wrapping_shr(bit.wrapping_sub(from));
            let [a, b] = sums;
            let value = |bits: u32| (bits.wrapping_shl(unused) as i32).wrapping_shr(unused);
            sums = [
                a.wrapping_add(weight.wrapping_mul(value(pair))),
                b.wrapping_add(weight.wrapping_mul(value(pair.wrapping_shr(self.bits)))),
            ];
            node += 1;
            bit = bit.wrapping_add(self.stride);
            if node == axis.nodes {
                (node, bit) = (0, start);
            }
        }
        sums.map(|sum| sum.wrapping_shl(unused - 16))
    }
}
