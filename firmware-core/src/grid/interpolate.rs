//! The values of grids at a point.

use super::Grids;
use super::level::{Level, next_level, window};

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
            let Some((level, rest)) = next_level(shape, inputs, words) else { return };
            words = rest;
            let mut channel = 0;
            while channel < level.channels {
                let (mut sum, next) = pair(&level, shape.order, point, channel);
                for _ in 0..2 {
                    if channel < level.channels {
                        store(feature, sum);
                        feature += 1;
                    }
                    channel += 1;
                    sum = next;
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

/// The sums of a channel and of the next one, which is of no use where there is none.
#[inline(never)]
fn pair(level: &Level<'_>, order: u8, point: &[u32], channel: u32) -> (i32, i32) {
    let (Some((&last, axes)), Some((&v, point))) =
        (level.axes.split_last(), point.get(..level.axes.len()).and_then(<[u32]>::split_last))
    else {
        return (0, 0);
    };
    let columns = Taps::new(v, last, order);
    let (bits, stride) = (level.bits, level.channels.wrapping_mul(level.bits));
    let offset = channel.wrapping_mul(bits);
    let mut plane = Plane {
        words: level.coefficients,
        order,
        bits,
        stride,
        row: columns.nodes.wrapping_mul(stride),
        start: offset,
        first: columns.first.wrapping_mul(stride).wrapping_add(offset),
        at_once: u32::from(order).wrapping_mul(stride).wrapping_add(2 * bits)
            <= if bits == 8 { 32 } else { WINDOW_BITS },
        columns,
        rows: None,
    };
    let (Some((&axis, axes)), Some((&v, point))) = (axes.split_last(), point.split_last()) else {
        return plane.sums(0);
    };
    plane.rows = Some(Taps::new(v, axis, order));
    if axes.is_empty() { plane.sums(0) } else { plane.sums_over(axes, point, 0) }
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

    /// The node that follows.
    #[inline(always)]
    fn after(&self, node: u32) -> u32 {
        if node + 1 == self.nodes { 0 } else { node + 1 }
    }

    /// The weights that count.
    #[inline(always)]
    fn weights(&self, order: u8) -> &[i32] {
        if order == 1 { &self.weights[..2] } else { &self.weights }
    }
}

/// Two adjacent channels of a level, with the last two axes at their places.
struct Plane<'a> {
    words: &'a [u32],
    order: u8,
    bits: u32,
    /// Bits of a node.
    stride: u32,
    /// Bits of all nodes of the last axis.
    row: u32,
    /// The pair's first bit in a row.
    start: u32,
    /// That of the first node of interest.
    first: u32,
    /// Whether a window has all of a row, unless the row wraps.
    at_once: bool,
    columns: Taps,
    /// The axis before the last, where there is one.
    rows: Option<Taps>,
}

impl Plane<'_> {
    /// The sums over all axes from the first of `axes` on, at this node of the axes before.
    fn sums_over(&self, axes: &[[u32; 2]], point: &[u32], node: u32) -> (i32, i32) {
        let (Some((&axis, axes)), Some((&v, point))) = (axes.split_first(), point.split_first()) else {
            return self.sums(node);
        };
        let taps = Taps::new(v, axis, self.order);
        let (mut sum, mut next) = (0i32, 0i32);
        let (base, mut node) = (node.wrapping_mul(taps.nodes), taps.first);
        for &weight in taps.weights(self.order) {
            let (a, b) = self.sums_over(axes, point, base.wrapping_add(node));
            sum = sum.wrapping_add(weight.wrapping_mul(rounded(a)));
            next = next.wrapping_add(weight.wrapping_mul(rounded(b)));
            node = taps.after(node);
        }
        (sum, next)
    }

    /// The sums over the last axis and the one before, at this node of the axes before.
    #[inline(never)]
    fn sums(&self, node: u32) -> (i32, i32) {
        let Some(rows) = &self.rows else { return self.row(node) };
        let (mut sum, mut next) = (0i32, 0i32);
        let (base, mut node) = (node.wrapping_mul(rows.nodes), rows.first);
        for &weight in rows.weights(self.order) {
            let (a, b) = self.row(base.wrapping_add(node));
            sum = sum.wrapping_add(weight.wrapping_mul(rounded(a)));
            next = next.wrapping_add(weight.wrapping_mul(rounded(b)));
            node = rows.after(node);
        }
        (sum, next)
    }

    /// The sums along the last axis, at this node of the axes before.
    #[inline(never)]
    fn row(&self, node: u32) -> (i32, i32) {
        let &Self { words, order, bits, stride, at_once, ref columns, .. } = self;
        let unused = 32 - bits;
        let row = node.wrapping_mul(self.row);
        let mut bit = row.wrapping_add(self.first);
        let mut coefficients = window(words, bit);
        let (mut sum, mut next) = (0i32, 0i32);
        let mut add = |weight: i32, coefficients: u32| {
            let coefficient = (coefficients.wrapping_shl(unused) as i32).wrapping_shr(unused);
            sum = sum.wrapping_add(weight.wrapping_mul(coefficient));
            let coefficient = (coefficients.wrapping_shl(unused - bits) as i32).wrapping_shr(unused);
            next = next.wrapping_add(weight.wrapping_mul(coefficient));
        };
        let before_end = columns.nodes - columns.first;
        if at_once && before_end > u32::from(order) {
            for &weight in columns.weights(order) {
                add(weight, coefficients);
                coefficients = coefficients.wrapping_shr(stride);
            }
        } else {
            let mut left = before_end;
            for &weight in columns.weights(order) {
                add(weight, coefficients);
                left = left.wrapping_sub(1);
                bit = if left == 0 { row.wrapping_add(self.start) } else { bit.wrapping_add(stride) };
                coefficients = window(words, bit);
            }
        }
        (sum.wrapping_shl(unused - 16), next.wrapping_shl(unused - 16))
    }
}
