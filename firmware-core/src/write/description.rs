//! What is written: a quantized network and its domain.

use crate::artifact::{GridShape, Header};
use crate::coordinate::Axis;
use crate::output::OutputMap;

/// A network with all that its artifact says about it.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// The shapes and settings, which decide how long the other parts must be.
    pub header: &'a Header,
    /// The axes of the domain, `[d]`.
    pub axes: &'a [Axis],
    /// The maps from raw outputs to the user's units, `[c]`.
    pub output_maps: &'a [OutputMap],
    /// The frequency matrix B, `[m, d]` row-major, Q16.16: cycles over the period of each axis.
    pub frequencies: &'a [i32],
    /// The grids, as many as the header's shape has levels; empty where it has none.
    pub grids: &'a [GridLevel<'a>],
    /// Text for people and tools, with `key: value` on each line; the device does not need it.
    pub text: &'a str,
    /// The layers, of the kind that the header's precision asks for; none of a table.
    pub layers: Layers<'a>,
}

/// One grid; see [`Grids`](crate::Grids).
#[derive(Clone, Copy, Debug)]
pub struct GridLevel<'a> {
    /// The number of nodes along each axis, `[d]`.
    pub nodes: &'a [u32],
    /// The number of cells that the period of each axis has, Q16.16, `[d]`.
    pub cells: &'a [u32],
    /// The coefficients `[n_0, …, n_{d-1}, channels]`, row-major, within ±(2^(bits - 1) - 1).
    pub coefficients: &'a [i8],
}

/// The layers of a network, first to last.
#[derive(Clone, Copy, Debug)]
pub enum Layers<'a> {
    /// For [`Precision::F32`](crate::Precision::F32).
    Float(&'a [FloatLayer<'a>]),
    /// For [`Precision::W8A16`](crate::Precision::W8A16) and [`Precision::W16A16`](crate::Precision::W16A16).
    Integer(&'a [IntegerLayer<'a>]),
}

/// A dense layer in single precision, with `rows` rows and `n` inputs.
#[derive(Clone, Copy, Debug)]
pub struct FloatLayer<'a> {
    /// `[rows, n]`, row-major. The inputs of the first layer are features, whole numbers of which 32767 is 1.0.
    pub weights: &'a [f32],
    /// `[rows]`: what each sum begins with.
    pub bias: &'a [f32],
}

/// A dense layer in integers, with `rows` rows and `n` inputs.
#[derive(Clone, Copy, Debug)]
pub struct IntegerLayer<'a> {
    /// `[rows, n]`, row-major; within ±127 for [`Precision::W8A16`](crate::Precision::W8A16).
    pub weights: &'a [i16],
    /// `[rows]`: what each accumulator begins with.
    pub bias: &'a [i32],
    /// `[rows]` for a hidden layer or a sigmoid output, else empty: the factors of
    /// [`requantize`](crate::fixed::requantize), Q0.32, not negative.
    pub multiplier: &'a [i32],
}

impl GridLevel<'_> {
    /// Words that it takes in an artifact.
    pub(super) fn words(&self, shape: Option<GridShape>) -> Option<usize> {
        Some(2 * self.nodes.len() + shape?.coefficient_words(self.nodes.iter().copied())?)
    }
}

impl Layers<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Float(layers) => layers.len(),
            Self::Integer(layers) => layers.len(),
        }
    }
}
