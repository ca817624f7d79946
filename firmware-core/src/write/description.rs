//! What is written: a quantized network and its domain.

use crate::artifact::Header;
use crate::coordinate::Axis;
use crate::output::OutputMap;

/// A network with all that its artifact says about it.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Shapes and settings; they decide what the other parts must be.
    pub header: &'a Header,
    /// Axes of the domain, `[d]`.
    pub axes: &'a [Axis],
    /// Maps of the raw outputs, `[c]`.
    pub output_maps: &'a [OutputMap],
    /// B, `[m, d]` row-major, Q16.16.
    pub frequencies: &'a [i32],
    /// Free text, `key: value` on each line.
    pub text: &'a str,
    /// Layers, first to last.
    pub layers: Layers<'a>,
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
    /// `[rows, n]`, row-major. The first layer's inputs are features, of which 32767 is 1.0.
    pub weights: &'a [f32],
    /// `[rows]`.
    pub bias: &'a [f32],
}

/// A dense layer in integers, with `rows` rows and `n` inputs.
#[derive(Clone, Copy, Debug)]
pub struct IntegerLayer<'a> {
    /// `[rows, n]`, row-major; within ±127 for [`Precision::W8A16`](crate::Precision::W8A16).
    pub weights: &'a [i16],
    /// `[rows]`, in units of the accumulator.
    pub bias: &'a [i32],
    /// `[rows]` for a hidden layer or a sigmoid output, else empty; Q0.32, not negative.
    pub multiplier: &'a [i32],
}

impl Layers<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Float(layers) => layers.len(),
            Self::Integer(layers) => layers.len(),
        }
    }
}
