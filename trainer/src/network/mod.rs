//! The multilayer perceptron: parameters, forward pass, backward pass.
//!
//! Layer l computes `z = x·Wᵀ + b` with weights `[out, in]` (row-major, as PyTorch has them); hidden layers apply ReLU
//! or the sine, the last one is linear or a sigmoid. All parameters of a network lie in one vector, layer by layer,
//! weights before bias, so that optimizers and reductions see one slice; gradients have the same layout.
//!
//! A [`Tape`] holds the activations of one pass. Passes of different tapes are independent, which is how the training
//! loop runs chunks of a batch side by side and how networks are chained: the gradient with respect to the inputs of
//! one network is the gradient of the outputs of the one before it.

pub mod encoding;
pub mod features;
pub mod grid;
pub mod learned;
pub mod matmul;
mod shape;
mod tape;
#[cfg(test)]
mod tests;
pub mod trained_encoding;
mod vector_encoder;

pub use firmware_core::OutputActivation;
pub use firmware_core::artifact::HiddenActivation;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::network::matmul::Real;
pub use shape::{Activations, Shape};
pub(crate) use tape::vectorized;
pub use tape::{Gradients, Tape};

/// The distribution that the initial parameters are drawn from.
///
/// Normal deviates are drawn in f64, layer by layer, weights before biases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Weights: normal with variance `2/(in + out)`, cut at two deviations and rescaled to keep the variance; biases
    /// N(0, 0.01²). What the networks of Tancik et al. (2020) start from (the defaults of JAX's stax).
    #[default]
    Glorot,
    /// Weights N(0, 2/in), biases 0: keeps the variance of activations through ReLU layers.
    He,
    /// Weights uniform within ±√(6/in), biases as wide as one over √in: keeps the variance of activations through
    /// sine layers (Sitzmann et al. 2020, whose ω₀ is part of the weights here).
    Siren,
    /// Weights N(0, weight_std²/in), biases N(0, bias_std²): the standard parametrization of kernel theory.
    Normal {
        /// Standard deviation of a weight times √in.
        weight_std: f64,
        /// Standard deviation of a bias.
        bias_std: f64,
    },
}

/// A network: a shape and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp<T> {
    shape: Shape,
    parameters: Vec<T>,
}

impl<T: Real> Mlp<T> {
    /// A network with random parameters.
    pub fn new(shape: Shape, initialization: Initialization, rng: &mut impl rand::Rng) -> Self {
        let mut parameters = Vec::with_capacity(shape.parameters_len());
        for pair in shape.widths.windows(2) {
            let (weight, bias) = initialization.deviates(pair[0] as f64, pair[1] as f64);
            parameters.extend((0..pair[0] * pair[1]).map(|_| T::from_f64(weight.sample(rng))));
            parameters.extend((0..pair[1]).map(|_| T::from_f64(bias.sample(rng))));
        }
        parameters.resize(shape.parameters_len(), T::zero());
        Self { shape, parameters }
    }

    /// A network with the given parameters; `None` if their number does not fit the shape.
    pub fn from_parameters(shape: Shape, parameters: Vec<T>) -> Option<Self> {
        (parameters.len() == shape.parameters_len()).then_some(Self { shape, parameters })
    }

    /// Widths of the layers and the activation of the outputs.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// All parameters, in the order of the module's text.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// The parameters of the encoding, if they are trained with the layers.
    pub fn encoder(&self) -> &[T] {
        &self.parameters[self.shape.encoder_range()]
    }

    /// The layers alone, for an encoding that is no longer trained.
    #[must_use]
    pub fn without_encoder(&self) -> Self {
        let parameters = self.parameters[..self.shape.encoder_range().start].to_vec();
        Self { shape: self.shape.clone().with_encoder(0), parameters }
    }

    /// All parameters, for whoever moves them.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// Weights `[out, in]` of a layer.
    pub fn weights(&self, layer: usize) -> ArrayView2<'_, T> {
        self.shape.weights(&self.parameters, layer)
    }

    /// Biases `[out]` of a layer.
    pub fn biases(&self, layer: usize) -> ArrayView1<'_, T> {
        ArrayView1::from(&self.parameters[self.shape.biases_range(layer)])
    }

    /// The same network in another precision.
    pub fn cast<U: Real>(&self) -> Mlp<U> {
        Mlp { shape: self.shape.clone(), parameters: self.parameters.iter().map(|p| U::from_f64(p.to_f64())).collect() }
    }

    /// Outputs `[n, out]` for inputs `[n, in]`, on all threads. Rows do not influence each other.
    pub fn predict(&self, inputs: ArrayView2<'_, T>) -> Array2<T> {
        const ROWS: usize = 512;
        let mut outputs = Array2::from_elem((inputs.nrows(), self.shape.outputs()), T::zero());
        outputs
            .axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .zip(inputs.axis_chunks_iter(Axis(0), ROWS))
            .for_each_init(Tape::default, |tape, (mut outputs, inputs)| outputs.assign(&tape.forward(self, inputs)));
        outputs
    }
}

/// A distribution around zero.
enum Deviate {
    /// Normal with this standard deviation, cut at so many of them.
    Normal { std: f64, cut: f64 },
    /// Uniform within ± this.
    Uniform(f64),
}

impl Deviate {
    fn sample(&self, rng: &mut impl rand::Rng) -> f64 {
        match *self {
            Self::Normal { std, cut } => std * normal_within(cut, rng),
            Self::Uniform(bound) => rng.random_range(-bound..=bound),
        }
    }
}

impl Initialization {
    /// How weights and biases of a layer are distributed.
    fn deviates(self, inputs: f64, outputs: f64) -> (Deviate, Deviate) {
        let normal = |std| Deviate::Normal { std, cut: f64::INFINITY };
        match self {
            Self::Glorot => {
                // 0.8796… is the deviation of a normal variable cut at ±2.
                let std = (2.0 / (inputs + outputs)).sqrt() / 0.879_625_661_034_239_8;
                (Deviate::Normal { std, cut: 2.0 }, normal(0.01))
            }
            Self::He => (normal((2.0 / inputs).sqrt()), normal(0.0)),
            Self::Siren => (Deviate::Uniform((6.0 / inputs).sqrt()), Deviate::Uniform(1.0 / inputs.sqrt())),
            Self::Normal { weight_std, bias_std } => (normal(weight_std / inputs.sqrt()), normal(bias_std)),
        }
    }
}

fn normal_within(cut: f64, rng: &mut impl rand::Rng) -> f64 {
    loop {
        let sample: f64 = StandardNormal.sample(rng);
        if sample.abs() <= cut {
            return sample;
        }
    }
}
