//! Lays layers out in blocks of four rows, as the module [`layout`](crate::layout) describes them.

use super::description::{FloatLayer, IntegerLayer};
use crate::artifact::LayerShape;
use crate::error::{ParseError, WriteError};
use crate::layout::{BLOCK_ROWS, INPUT_GROUP, padded_inputs};
use crate::precision::Precision;

/// The words yet to be written.
pub(super) struct Cursor<'a>(&'a mut [u32]);

impl<'a> Cursor<'a> {
    pub(super) fn new(words: &'a mut [u32]) -> Self {
        Self(words)
    }

    pub(super) fn put(&mut self, words: &[u32]) -> Result<(), WriteError> {
        self.take(words.len())?.copy_from_slice(words);
        Ok(())
    }

    /// Bytes, and zeros up to the next word.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let words = self.take(bytes.len().div_ceil(4))?;
        bytemuck::cast_slice_mut::<u32, u8>(words)[..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn take(&mut self, len: usize) -> Result<&'a mut [u32], WriteError> {
        let (here, rest) = core::mem::take(&mut self.0).split_at_mut_checked(len).ok_or(WriteError::Parts)?;
        self.0 = rest;
        Ok(here)
    }

    pub(super) fn put_float(&mut self, shape: LayerShape, layer: &FloatLayer<'_>) -> Result<(), WriteError> {
        let LayerShape { inputs, rows, .. } = shape;
        if layer.weights.len() != rows * inputs || layer.bias.len() != rows {
            return Err(WriteError::Parts);
        }
        let bits = |value: Option<&f32>| value.map_or(0, |value| value.to_bits());
        for block in (0..rows).step_by(BLOCK_ROWS) {
            self.put(&ROWS.map(|r| bits(layer.bias.get(block + r))))?;
            for k in 0..inputs {
                self.put(&ROWS.map(|r| bits(layer.weights.get((block + r) * inputs + k))))?;
            }
        }
        Ok(())
    }

    /// Of `w8a16`: two rows share a halfword.
    pub(super) fn put_bytes_of_rows(&mut self, shape: LayerShape, layer: &IntegerLayer<'_>) -> Result<(), WriteError> {
        if layer.weights.iter().any(|weight| !(-127..=127).contains(weight)) {
            return Err(WriteError::Invalid(ParseError::Weight));
        }
        self.put_integer(shape, layer, |cursor, weight, k| {
            let both = |row: usize, k: usize| 256 * weight(row + 1, k) + weight(row, k);
            for k in [k, k + 4] {
                for row in [0, 2] {
                    cursor.put(&[0, 2].map(|i| pair(both(row, k + i), both(row, k + i + 1))))?;
                }
            }
            Ok(())
        })
    }

    /// Of `w16a16`: two inputs of a row share a word.
    pub(super) fn put_halfwords(&mut self, shape: LayerShape, layer: &IntegerLayer<'_>) -> Result<(), WriteError> {
        self.put_integer(shape, layer, |cursor, weight, k| {
            (k..k + INPUT_GROUP)
                .step_by(2)
                .try_for_each(|k| cursor.put(&ROWS.map(|r| pair(weight(r, k), weight(r, k + 1)))))
        })
    }

    /// A layer of which `put_group(cursor, weight, k)` writes the weights of a block for [`INPUT_GROUP`] inputs from k
    /// on; it asks `weight(row of the block, input)` for them.
    fn put_integer(
        &mut self,
        shape: LayerShape,
        layer: &IntegerLayer<'_>,
        put_group: impl Fn(&mut Self, &dyn Fn(usize, usize) -> i32, usize) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let LayerShape { inputs, rows, takes_multiplier } = shape;
        let multipliers = if takes_multiplier { rows } else { 0 };
        if layer.weights.len() != rows * inputs || layer.bias.len() != rows || layer.multiplier.len() != multipliers {
            return Err(WriteError::Parts);
        }
        let value = |values: &[i32], row: usize| values.get(row).map_or(0, |&value| value as u32);
        for block in (0..rows).step_by(BLOCK_ROWS) {
            self.put(&ROWS.map(|r| value(layer.bias, block + r)))?;
            let weight = |row: usize, k: usize| {
                let weight = layer.weights.get((block + row) * inputs + k).filter(|_| k < inputs);
                weight.map_or(0, |&weight| i32::from(weight))
            };
            for k in (0..padded_inputs(Precision::W16A16, inputs)).step_by(INPUT_GROUP) {
                put_group(self, &weight, k)?;
            }
            self.put(&ROWS.map(|r| value(layer.multiplier, block + r)))?;
        }
        Ok(())
    }
}

/// The rows of a block.
const ROWS: [usize; BLOCK_ROWS] = [0, 1, 2, 3];

/// Two halfwords in one word.
fn pair(low: i32, high: i32) -> u32 {
    low as u32 & 0xffff | (high as u32) << 16
}
