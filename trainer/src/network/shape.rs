//! The layers of a network and where their parameters lie.

use std::ops::Range;

use firmware_core::OutputActivation;
use firmware_core::artifact::HiddenActivation;
use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

/// The shape of a network: what determines the layout of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Width of each layer's values, inputs first, outputs last: at least two entries, none zero.
    pub widths: Vec<usize>,
    /// Activation of the last layer.
    pub output: OutputActivation,
    /// Activation of the others.
    #[serde(default)]
    pub hidden: HiddenActivation,
    /// Number of parameters of the encoding that are trained with the layers'; they lie behind those of the layers.
    #[serde(default)]
    pub encoder: usize,
}

/// What follows the layers of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activations {
    /// Of the hidden layers.
    pub hidden: HiddenActivation,
    /// Of the last layer.
    pub output: OutputActivation,
}

/// Hidden layers of ReLU.
impl From<OutputActivation> for Activations {
    fn from(output: OutputActivation) -> Self {
        Self { hidden: HiddenActivation::Relu, output }
    }
}

impl Shape {
    /// `inputs` → `hidden`… → `outputs`.
    ///
    /// # Panics
    /// If a width is zero; commands check what users give before they come here.
    pub fn new(inputs: usize, hidden: &[usize], outputs: usize, output: OutputActivation) -> Self {
        let widths: Vec<usize> = [inputs].into_iter().chain(hidden.iter().copied()).chain([outputs]).collect();
        assert!(widths.iter().all(|&width| width > 0), "a layer of no width");
        Self { widths, output, hidden: HiddenActivation::Relu, encoder: 0 }
    }

    /// The same with another activation of the hidden layers.
    #[must_use]
    pub fn with_hidden(self, hidden: HiddenActivation) -> Self {
        Self { hidden, ..self }
    }

    /// The same with an encoding that has so many parameters of its own.
    #[must_use]
    pub fn with_encoder(self, encoder: usize) -> Self {
        Self { encoder, ..self }
    }

    /// Number of layers with weights.
    pub fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    /// Width of the inputs.
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    /// Width of the outputs.
    pub fn outputs(&self) -> usize {
        self.widths[self.layers()]
    }

    /// Number of all parameters: weights, biases and those of the encoding.
    pub fn parameters_len(&self) -> usize {
        self.encoder_range().end
    }

    /// Where the parameters of the encoding lie.
    pub fn encoder_range(&self) -> Range<usize> {
        let start = self.biases_range(self.layers() - 1).end;
        start..start + self.encoder
    }

    /// Where the weights `[out, in]` of `layer` lie among the parameters.
    pub fn weights_range(&self, layer: usize) -> Range<usize> {
        let start: usize = (0..layer).map(|l| (self.widths[l] + 1) * self.widths[l + 1]).sum();
        start..start + self.widths[layer] * self.widths[layer + 1]
    }

    /// Where the biases `[out]` of `layer` lie among the parameters.
    pub fn biases_range(&self, layer: usize) -> Range<usize> {
        let start = self.weights_range(layer).end;
        start..start + self.widths[layer + 1]
    }

    /// Multiply-adds of one training step on one sample: forward, gradient of the parameters, gradient of every hidden
    /// value (of the inputs too if asked).
    pub fn step_multiply_adds(&self, input_gradient: bool) -> usize {
        let all: usize = self.widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
        3 * all - if input_gradient { 0 } else { self.widths[0] * self.widths[1] }
    }

    pub(super) fn weights<'a, T>(&self, parameters: &'a [T], layer: usize) -> ArrayView2<'a, T> {
        let shape = (self.widths[layer + 1], self.widths[layer]);
        ArrayView2::from_shape(shape, &parameters[self.weights_range(layer)]).expect("the range has this length")
    }

    pub(super) fn gradients<'a, T>(&self, gradient: &'a mut [T], layer: usize) -> (ArrayViewMut2<'a, T>, &'a mut [T]) {
        let shape = (self.widths[layer + 1], self.widths[layer]);
        let both = &mut gradient[self.weights_range(layer).start..self.biases_range(layer).end];
        let (weights, biases) = both.split_at_mut(shape.0 * shape.1);
        (ArrayViewMut2::from_shape(shape, weights).expect("the range has this length"), biases)
    }
}
