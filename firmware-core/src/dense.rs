//! The layers of a model as matrices: for tools that analyse a network, not for evaluating it.

use crate::layout::{BLOCK_ROWS, block_words, layer_words, unpack_rows};
use crate::model::Model;
use crate::precision::Precision;

/// A dense layer with `rows` rows and `n` inputs, over words that stay in the artifact.
#[derive(Clone, Copy, Debug)]
pub struct DenseLayer<'a> {
    words: &'a [u32],
    precision: Precision,
    inputs: usize,
    rows: usize,
}

impl<'a> Model<'a> {
    /// The layers, first to last; none of a table.
    ///
    /// ```
    /// use firmware_core::{Aligned, Model};
    ///
    /// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
    ///
    /// let model = Model::parse(&MODEL.0).unwrap();
    /// let shapes = model.dense_layers().map(|layer| (layer.inputs(), layer.rows()));
    /// assert!(shapes.eq([(12, 16), (16, 1)])); // six frequencies, sixteen hidden units, one output
    /// ```
    pub fn dense_layers(&self) -> impl Iterator<Item = DenseLayer<'a>> + '_ {
        let (mut words, precision) = (self.layers(), self.header().precision);
        self.header().layers().map_while(move |shape| {
            let (layer, rest) = words.split_at_checked(layer_words(precision, shape.inputs, shape.rows))?;
            words = rest;
            Some(DenseLayer { words: layer, precision, inputs: shape.inputs, rows: shape.rows })
        })
    }
}

impl DenseLayer<'_> {
    /// The number of inputs, n.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The weight of an input in a row, a whole number in the integer precisions; 0 beyond the matrix.
    #[must_use]
    pub fn weight(&self, row: usize, input: usize) -> f32 {
        if row >= self.rows || input >= self.inputs {
            return 0.0;
        }
        let in_block = row % BLOCK_ROWS;
        match self.precision {
            Precision::F32 => f32::from_bits(self.word(row, BLOCK_ROWS * (input + 1) + in_block)),
            Precision::W16A16 => {
                let word = self.word(row, BLOCK_ROWS * (input / 2 + 1) + in_block);
                f32::from((word >> (input % 2 * 16)) as i16)
            }
            Precision::W8A16 => {
                // Four inputs take four words: two of the first pair of rows, two of the second.
                let word = self.word(row, BLOCK_ROWS * (input / 4 + 1) + in_block / 2 * 2 + input % 4 / 2);
                let (even, odd) = unpack_rows((word >> (input % 2 * 16)) as i16);
                (if row.is_multiple_of(2) { even } else { odd }) as f32
            }
        }
    }

    /// What the accumulator of a row begins with.
    #[must_use]
    pub fn bias(&self, row: usize) -> f64 {
        let word = self.word(row, row % BLOCK_ROWS);
        match self.precision {
            Precision::F32 => f64::from(f32::from_bits(word)),
            Precision::W8A16 | Precision::W16A16 => f64::from(word as i32),
        }
    }

    /// The multiplier of a row, Q0.32; 0 where it has none.
    #[must_use]
    pub fn multiplier(&self, row: usize) -> i32 {
        match self.precision {
            Precision::F32 => 0,
            _ => self.word(row, block_words(self.precision, self.inputs) - BLOCK_ROWS + row % BLOCK_ROWS) as i32,
        }
    }

    /// A word of the block of a row.
    fn word(&self, row: usize, word: usize) -> u32 {
        let block = row / BLOCK_ROWS * block_words(self.precision, self.inputs);
        self.words.get(block + word).copied().unwrap_or(0)
    }
}
