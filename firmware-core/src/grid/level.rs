//! One grid: its nodes, its cells and its coefficients.

use super::Grids;
use crate::artifact::GridShape;

/// One of the [`Grids`].
#[derive(Clone, Copy, Debug)]
pub struct Level<'a> {
    pub(super) axes: &'a [[u32; 2]],
    pub(super) coefficients: &'a [u32],
    pub(super) bits: u32,
    pub(super) channels: u32,
}

impl<'a> Level<'a> {
    /// The number of nodes along each axis, `[d]`.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = u32> + 'a {
        self.axes.iter().map(|&[nodes, _]| nodes)
    }

    /// The number of cells that the period of each axis has, Q16.16, `[d]`.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = u32> + 'a {
        self.axes.iter().map(|&[_, cells]| cells)
    }

    /// The coefficients `[n_0, …, n_{d-1}, channels]`, row-major.
    pub fn coefficients(&self) -> impl Iterator<Item = i8> + 'a {
        let (words, bits) = (self.coefficients, self.bits);
        let len = self.nodes().fold(self.channels, |len, nodes| len.wrapping_mul(nodes));
        (0..len).map(move |k| {
            let unused = 32 - bits;
            (window(words, k.wrapping_mul(bits)).wrapping_shl(unused) as i32).wrapping_shr(unused) as i8
        })
    }
}

/// The bits from the given one on, counted from the least significant bit of the first word: 25 of them at least, or
/// all that there are.
#[inline(always)]
pub(super) fn window(words: &[u32], bit: u32) -> u32 {
    let bytes: &[u8] = bytemuck::must_cast_slice(words);
    let Some(last) = bytes.len().checked_sub(4) else { return 0 };
    let first = ((bit >> 3) as usize).min(last);
    let shift = bit.wrapping_sub((first as u32) << 3);
    let window = bytes.get(first..first + 4).and_then(|bytes| bytes.first_chunk());
    window.map_or(0, |&bytes| u32::from_le_bytes(bytes)).wrapping_shr(shift)
}

/// Splits the first level off, where the words hold it all.
#[inline(always)]
pub(super) fn split_level(shape: GridShape, inputs: usize, words: &[u32]) -> Option<(Level<'_>, &[u32])> {
    let (axes, rest) = words.split_at_checked(2 * inputs)?;
    let (axes, _) = axes.as_chunks();
    let len = shape.coefficient_words(axes.iter().map(|&[nodes, _]| nodes))?;
    let (coefficients, rest) = rest.split_at_checked(len)?;
    let (bits, channels) = (u32::from(shape.bits), u32::from(shape.channels));
    Some((Level { axes, coefficients, bits, channels }, rest))
}

/// The same where `new` has checked that the words hold it all.
#[inline(always)]
pub(super) fn next_level(shape: GridShape, inputs: usize, words: &[u32]) -> Option<(Level<'_>, &[u32])> {
    let (axes, rest) = words.split_at_checked(2 * inputs)?;
    let (axes, _) = axes.as_chunks();
    let (bits, channels) = (u32::from(shape.bits), u32::from(shape.channels));
    let mut len = channels.wrapping_mul(bits);
    for &[nodes, _] in axes {
        len = len.wrapping_mul(nodes);
    }
    let (coefficients, rest) = rest.split_at_checked((len.wrapping_add(31) >> 5) as usize)?;
    Some((Level { axes, coefficients, bits, channels }, rest))
}

impl<'a> Grids<'a> {
    /// The grids, in the order of their features.
    pub fn levels(&self) -> impl Iterator<Item = Level<'a>> + 'a {
        let Self { shape, inputs, mut words, .. } = *self;
        (0..shape.levels).map_while(move |_| {
            let (level, rest) = split_level(shape, inputs, words)?;
            words = rest;
            Some(level)
        })
    }
}
