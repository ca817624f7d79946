//! What each bit of an artifact means: where its parts lie, as [`firmware_core::artifact`] and
//! [`firmware_core::layout`] describe them.

use std::fmt;
use std::ops::Range;

use firmware_core::artifact::GridShape;
use firmware_core::layout::layer_words;
use firmware_core::{Model, OutputActivation, Precision};

use crate::certify::{input_names, output_names};

/// Rows of a layer that share a block of words.
const BLOCK_ROWS: usize = 4;
/// Words of the fields at the front.
const PRELUDE_WORDS: usize = 6;

/// A part of an artifact, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The fields at the front and the shapes of the network.
    Header,
    /// Minimum, maximum and scale of each axis.
    Domain,
    /// Scale and offset of each output.
    OutputMaps,
    /// The matrix B.
    Frequencies,
    /// The numbers of nodes and cells of a grid, counted from 1.
    GridShape(usize),
    /// The coefficients of a grid, counted from 1.
    Coefficients(usize),
    /// Numbers of a layer, counted from 1.
    Layer(usize, Numbers),
    /// Zeros that fill blocks of rows and whole words.
    Padding,
}

/// A kind of number of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbers {
    /// What the sums begin with.
    Biases,
    /// The matrix.
    Weights,
    /// The factors after the sums.
    Multipliers,
}

/// What a bit belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The part of the file.
    pub part: Part,
    /// The number in words, such as `layer 2, weight [17, 3]`: row, then input, counted from 0.
    ///
    /// Of `w8a16`, two rows share a halfword. A flip of the highest bit of an even row's weight also moves the weight
    /// of the odd row in the same halfword by 1.
    pub what: String,
    /// Which bit of the number, from 0 for the least significant one.
    pub number_bit: usize,
}

/// Where everything lies in one artifact.
#[derive(Clone, Debug)]
pub struct Places {
    sections: Vec<Section>,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

#[derive(Clone, Debug)]
struct Section {
    words: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Header,
    Domain,
    OutputMaps,
    Frequencies,
    GridShape { level: usize },
    Coefficients { level: usize, bits: usize, counts: Vec<usize> },
    Layer(Layer),
}

#[derive(Clone, Copy, Debug)]
struct Layer {
    number: usize,
    inputs: usize,
    rows: usize,
    precision: Precision,
    takes_multiplier: bool,
}

impl Places {
    /// The places of an artifact, of which `bytes` are all.
    #[must_use]
    pub fn of(model: &Model<'_>, bytes: &[u8]) -> Self {
        let header = model.header();
        let header_len = bytes.get(6..8).map_or(0, |len| usize::from(u16::from_le_bytes([len[0], len[1]])));
        let mut places = Self { sections: Vec::new(), inputs: input_names(model), outputs: output_names(model) };
        places.push(PRELUDE_WORDS + header_len.div_ceil(4), Kind::Header);
        places.push(3 * model.inputs(), Kind::Domain);
        places.push(2 * model.outputs(), Kind::OutputMaps);
        places.push(model.encoding().frequencies().len(), Kind::Frequencies);
        for (level, grid) in model.grids().iter().flat_map(|grids| grids.levels()).enumerate() {
            let shape: GridShape = model.grids().expect("it has levels").shape();
            places.push(2 * model.inputs(), Kind::GridShape { level: level + 1 });
            let counts = grid.nodes().map(|nodes| nodes as usize).chain([usize::from(shape.channels)]);
            let kind = Kind::Coefficients { level: level + 1, bits: shape.bits.into(), counts: counts.collect() };
            places.push(shape.coefficient_words(grid.nodes()).expect("as many as there are"), kind);
        }
        let hidden = header.hidden.len();
        for (l, layer) in model.dense_layers().enumerate() {
            let (inputs, rows, precision) = (layer.inputs(), layer.rows(), header.precision);
            let takes_multiplier = l < hidden || header.activation == OutputActivation::Sigmoid;
            let kind = Kind::Layer(Layer { number: l + 1, inputs, rows, precision, takes_multiplier });
            places.push(layer_words(precision, inputs, rows), kind);
        }
        places
    }

    fn push(&mut self, words: usize, kind: Kind) {
        let start = self.sections.last().map_or(0, |last| last.words.end);
        self.sections.push(Section { words: start..start + words, kind });
    }

    /// The bits of the header, counted from the lowest one of the first byte on.
    #[must_use]
    pub fn header_bits(&self) -> Range<usize> {
        0..32 * self.sections.first().map_or(0, |header| header.words.end)
    }

    /// The bits of the numbers that decide the answers: all that is between the header and the text.
    #[must_use]
    pub fn number_bits(&self) -> Range<usize> {
        self.header_bits().end..32 * self.sections.last().map_or(0, |last| last.words.end)
    }

    /// What a bit belongs to, counted as in [`Places::header_bits`]; `None` for the text.
    #[must_use]
    pub fn place(&self, bit: usize) -> Option<Place> {
        let (word, bit) = (bit / 32, bit % 32);
        let section = self.sections.iter().find(|section| section.words.contains(&word))?;
        let word = word - section.words.start;
        let whole = |part, what| Place { part, what, number_bit: bit };
        Some(match &section.kind {
            Kind::Header => whole(Part::Header, format!("header, byte {}", 4 * word + bit / 8)),
            Kind::Domain => {
                let which = ["minimum", "maximum", "scale"][word % 3];
                whole(Part::Domain, format!("domain, {which} of {}", self.inputs[word / 3]))
            }
            Kind::OutputMaps => {
                let which = ["scale", "offset"][word % 2];
                whole(Part::OutputMaps, format!("output map, {which} of {}", self.outputs[word / 2]))
            }
            Kind::Frequencies => {
                let axes = self.inputs.len();
                whole(Part::Frequencies, format!("B [{}, {}]", word / axes, word % axes))
            }
            Kind::GridShape { level } => {
                let which = ["nodes", "cells"][word % 2];
                whole(Part::GridShape(*level), format!("grid {level}, {which} of {}", self.inputs[word / 2]))
            }
            Kind::Coefficients { level, bits, counts } => coefficient((*level, *bits), counts, 32 * word + bit),
            Kind::Layer(layer) => layer.place(word, bit),
        })
    }
}

/// A bit of the packed coefficients of a level.
fn coefficient((level, bits): (usize, usize), counts: &[usize], bit: usize) -> Place {
    let (mut index, number_bit) = (bit / bits, bit % bits);
    if index >= counts.iter().product() {
        return Place { part: Part::Padding, what: format!("grid {level}, padding"), number_bit };
    }
    let mut place: Vec<usize> = counts
        .iter()
        .rev()
        .map(|&count| {
            let k = index % count;
            index /= count;
            k
        })
        .collect();
    place.reverse();
    Place { part: Part::Coefficients(level), what: format!("grid {level}, coefficient {place:?}"), number_bit }
}

impl Layer {
    /// A bit of a word, counted from the layer's first one.
    fn place(&self, word: usize, bit: usize) -> Place {
        let block = layer_words(self.precision, self.inputs, BLOCK_ROWS);
        let (first_row, word) = (word / block * BLOCK_ROWS, word % block);
        let number = self.number;
        let is_float = self.precision == Precision::F32;
        let (kind, row, input, number_bit) = if word < BLOCK_ROWS {
            (Numbers::Biases, word, 0, bit)
        } else if word >= block - BLOCK_ROWS && !is_float {
            (Numbers::Multipliers, word + BLOCK_ROWS - block, 0, bit)
        } else {
            let (row, input, number_bit) = self.weight(word - BLOCK_ROWS, bit);
            (Numbers::Weights, row, input, number_bit)
        };
        let row = first_row + row;
        let is_real = row < self.rows
            && match kind {
                Numbers::Biases => true,
                Numbers::Weights => input < self.inputs,
                Numbers::Multipliers => self.takes_multiplier,
            };
        if !is_real {
            return Place { part: Part::Padding, what: format!("layer {number}, padding"), number_bit };
        }
        let what = match kind {
            Numbers::Biases => format!("layer {number}, bias [{row}]"),
            Numbers::Weights => format!("layer {number}, weight [{row}, {input}]"),
            Numbers::Multipliers => format!("layer {number}, multiplier [{row}]"),
        };
        Place { part: Part::Layer(number, kind), what, number_bit }
    }

    /// Row within the block, input, and bit of the number, of a bit in a word of the weights of a block.
    fn weight(&self, word: usize, bit: usize) -> (usize, usize, usize) {
        let halfword = 2 * word + bit / 16;
        match self.precision {
            Precision::F32 => (word % BLOCK_ROWS, word / BLOCK_ROWS, bit),
            Precision::W16A16 => (word % BLOCK_ROWS, word / BLOCK_ROWS * 2 + bit / 16, bit % 16),
            // The low byte is the even row's.
            Precision::W8A16 => (halfword / 4 % 2 * 2 + bit / 8 % 2, halfword / 8 * 4 + halfword % 4, bit % 8),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.pad("header"),
            Self::Domain => f.pad("domain"),
            Self::OutputMaps => f.pad("output maps"),
            Self::Frequencies => f.pad("frequencies B"),
            Self::GridShape(level) => f.pad(&format!("grid {level}, shape")),
            Self::Coefficients(level) => f.pad(&format!("grid {level}, coefficients")),
            Self::Layer(layer, numbers) => f.pad(&format!("layer {layer}, {}", numbers.name())),
            Self::Padding => f.pad("padding"),
        }
    }
}

impl Numbers {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Biases => "biases",
            Self::Weights => "weights",
            Self::Multipliers => "multipliers",
        }
    }
}
