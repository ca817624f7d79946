//! The values of grids at a point.

use super::Grids;
use super::level::{Level, next_level, window};

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
            let Some((level, rest)) = next_level(shape, inputs, words) else { return };
            words = rest;
            let mut channel = 0;
            while channel < level.channels {
                let (mut sum, next) = if inputs == 2 {
                    surface(&level, shape.order == 1, point, channel)
                } else {
                    (Channel { level: &level, order: shape.order, channel }.sum(level.axes, point, 0), 0)
                };
                let mut left = if inputs == 2 { 2 } else { 1 };
                while left != 0 && channel < level.channels {
                    store(feature, sum);
                    sum = next;
                    (left, channel, feature) = (left - 1, channel + 1, feature + 1);
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

/// The place of a point along an axis: its first node, and the weights of this one and the next ones.
#[inline(always)]
fn place(v: u32, cells: u32, is_linear: bool) -> (u32, [i32; MAX_TAPS]) {
    let position = (u64::from(v).wrapping_mul(u64::from(cells)) >> 32) as u32;
    let f = (position & 0xffff) >> 1;
    let left = 32_768 - f;
    let weights = if is_linear {
        [left, f, 0]
    } else {
        let (first, last) = (left.wrapping_mul(left) >> 16, f.wrapping_mul(f) >> 16);
        [first, 32_768 - first - last, last]
    };
    (position >> 16, weights.map(|weight| weight as i32))
}

/// The node behind this one, along an axis of so many.
#[inline(always)]
fn after(node: u32, nodes: u32) -> u32 {
    if node.wrapping_add(1) == nodes { 0 } else { node.wrapping_add(1) }
}

/// The sums of a channel and of the next one, which is of no use where there is none, over two axes.
///
/// Most grids have two axes: this is [`Channel::sum`] for them, with two channels at once and without recursion.
#[inline(never)]
fn surface(level: &Level<'_>, is_linear: bool, point: &[u32], channel: u32) -> (i32, i32) {
    let (&[[rows, row_cells], [columns, column_cells]], &[v, w, ..]) = (level.axes, point) else { return (0, 0) };
    let bits = level.bits;
    let (mut row, row_weights) = place(v, row_cells, is_linear);
    let (column, column_weights) = place(w, column_cells, is_linear);
    let taps = if is_linear { 2 } else { 3 };
    let stride = level.channels.wrapping_mul(bits);
    let row_bits = columns.wrapping_mul(stride);
    let offset = channel.wrapping_mul(bits);
    let (unused, unused_next, scale) = ((32 - bits) & 31, (32 - 2 * bits) & 31, (16 - bits) & 15);
    let (mut sum, mut sum_next) = (0i32, 0i32);
    for &row_weight in row_weights.iter().take(taps) {
        let start = row.wrapping_mul(row_bits).wrapping_add(offset);
        let mut node = column;
        let (mut value, mut value_next) = (0i32, 0i32);
        for &weight in column_weights.iter().take(taps) {
            let coefficients = window(level.coefficients, start.wrapping_add(node.wrapping_mul(stride)));
            let coefficient = |unused_above: u32| (coefficients << unused_above) as i32 >> unused;
            value = value.wrapping_add(weight.wrapping_mul(coefficient(unused)));
            value_next = value_next.wrapping_add(weight.wrapping_mul(coefficient(unused_next)));
            node = after(node, columns);
        }
        // A coefficient q counts as q·2^(16 - bits).
        let (value, value_next) = (value << scale, value_next << scale);
        sum = sum.wrapping_add(row_weight.wrapping_mul(rounded(value)));
        sum_next = sum_next.wrapping_add(row_weight.wrapping_mul(rounded(value_next)));
        row = after(row, rows);
    }
    (sum, sum_next)
}

/// One channel of a level.
struct Channel<'a> {
    level: &'a Level<'a>,
    order: u8,
    channel: u32,
}

impl Channel<'_> {
    /// The sum over all axes from the first of `axes` on, at this node of the axes before.
    fn sum(&self, axes: &[[u32; 2]], point: &[u32], node: u32) -> i32 {
        let (Some((&[nodes, cells], axes)), Some((&v, point))) = (axes.split_first(), point.split_first()) else {
            return self.coefficient(node);
        };
        let (first, weights) = place(v, cells, self.order == 1);
        let (base, mut node) = (node.wrapping_mul(nodes), first);
        let mut sum = 0i32;
        for &weight in weights.iter().take(usize::from(self.order) + 1) {
            let inner = self.sum(axes, point, base.wrapping_add(node));
            let value = if axes.is_empty() { inner } else { rounded(inner) };
            sum = sum.wrapping_add(weight.wrapping_mul(value));
            node = after(node, nodes);
        }
        sum
    }

    /// The coefficient of a node, as it counts.
    #[inline(always)]
    fn coefficient(&self, node: u32) -> i32 {
        let Level { coefficients, bits, channels, .. } = *self.level;
        let bit = node.wrapping_mul(channels).wrapping_add(self.channel).wrapping_mul(bits);
        let unused = 32 - bits;
        (window(coefficients, bit).wrapping_shl(unused) as i32).wrapping_shr(unused).wrapping_shl(unused - 16)
    }
}
