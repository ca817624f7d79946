//! A dense layer in f32, before it is quantized.

use ndarray::{Array1, Array2};

use crate::network::Mlp;

/// A dense layer in f32: `weights · x + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseLayer {
    /// Weights `[out, in]`.
    pub weights: Array2<f32>,
    /// Biases `[out]`.
    pub bias: Array1<f32>,
}

impl DenseLayer {
    /// The layers of a network, first to last.
    pub fn of(network: &Mlp<f32>) -> Vec<Self> {
        let layer = |k| Self { weights: network.weights(k).to_owned(), bias: network.biases(k).to_owned() };
        (0..network.shape().layers()).map(layer).collect()
    }

    /// `x·Wᵀ + b` for `inputs` `[n, in]`.
    pub(super) fn apply(&self, inputs: &Array2<f64>) -> Array2<f64> {
        inputs.dot(&self.weights.mapv(f64::from).t()) + self.bias.mapv(f64::from)
    }
}
