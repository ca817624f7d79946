//! A network as its file has it, and what it computes.

use std::f64::consts::TAU;

use firmware_core::limits::{MAX_FREQUENCIES, MAX_HIDDEN_LAYERS, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::ImportError;
use crate::network::HiddenActivation;

/// Rows that are evaluated together.
const ROWS: usize = 1024;

/// A network of Fourier features or sine layers, in f64 and in the units that it was trained in.
///
/// Its features are `[cos 2π(Bx + φ), sin 2π(Bx + φ)]`; everything that programs do otherwise (the order of the
/// features, amplitudes, ω₀, axes of the weights) has become part of B, φ and the layers.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceNetwork {
    /// None where the first layer takes the inputs themselves.
    pub(super) features: Option<Features>,
    /// First to last.
    pub(super) layers: Vec<Layer>,
    pub(super) hidden: HiddenActivation,
    pub(super) is_sigmoid: bool,
    /// (a, b): the network gives a + b·y, where its last layer gives y.
    pub(super) scaled: (f64, f64),
    pub(super) description: String,
    pub(super) is_siren: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Features {
    /// B `[m, d]`, in cycles for a unit of the input.
    pub(super) frequencies: Array2<f64>,
    /// φ `[m]`, in cycles.
    pub(super) phases: Array1<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    /// The name of the tensor of its weights.
    pub(super) name: String,
    /// `[out, in]`.
    pub(super) weights: Array2<f64>,
    /// `[out]`.
    pub(super) bias: Array1<f64>,
}

impl Layer {
    /// Makes all that it gives so many times as large.
    pub(super) fn multiply(&mut self, factor: f64) {
        self.weights *= factor;
        self.bias *= factor;
    }
}

impl SourceNetwork {
    /// What the network gives at inputs `[n, d]`: `[n, c]`, both in its own units and computed in f64.
    ///
    /// # Panics
    /// If the inputs do not have as many columns as the network has inputs.
    #[must_use]
    pub fn outputs(&self, inputs: ArrayView2<'_, f64>) -> Array2<f64> {
        let width = self.layers.last().map_or(0, |layer| layer.bias.len());
        let mut outputs = Array2::zeros((inputs.nrows(), width));
        outputs
            .axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .zip(inputs.axis_chunks_iter(Axis(0), ROWS))
            .for_each(|(mut outputs, inputs)| outputs.assign(&self.few_outputs(inputs)));
        outputs
    }

    fn few_outputs(&self, inputs: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut values = match &self.features {
            None => inputs.to_owned(),
            Some(Features { frequencies, phases }) => {
                let angles = (inputs.dot(&frequencies.t()) + phases) * TAU;
                concatenate![Axis(1), angles.mapv(f64::cos), angles.mapv(f64::sin)]
            }
        };
        for (l, layer) in self.layers.iter().enumerate() {
            values = values.dot(&layer.weights.t()) + &layer.bias;
            if l + 1 < self.layers.len() {
                values.mapv_inplace(|z| match self.hidden {
                    HiddenActivation::Relu => z.max(0.0),
                    HiddenActivation::Sine => z.sin(),
                });
            }
        }
        let (a, b) = self.scaled;
        values.mapv_into(|z| a + b * if self.is_sigmoid { 1.0 / (1.0 + (-z).exp()) } else { z })
    }

    /// The same network for inputs in another order: its input k is the input `order[k]` of the data.
    ///
    /// # Panics
    /// If `order` is no order of the inputs.
    #[must_use]
    pub fn with_inputs(&self, order: &[usize]) -> Self {
        let mut columns = vec![0; order.len()];
        order.iter().enumerate().for_each(|(of_network, &of_data)| columns[of_data] = of_network);
        let mut network = self.clone();
        let first = &mut network.layers[0];
        let matrix = network.features.as_mut().map_or(&mut first.weights, |features| &mut features.frequencies);
        *matrix = matrix.select(Axis(1), &columns);
        network
    }

    /// Whether the first layer is a sine layer of the inputs themselves.
    #[must_use]
    pub const fn is_siren(&self) -> bool {
        self.is_siren
    }

    /// What the network is, as a phrase.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(super) fn check_limits(&self, (inputs, outputs): (usize, usize)) -> Result<(), ImportError> {
        let check = |what: String, value, limit| {
            if value > limit { Err(ImportError::Limit { what, value, limit }) } else { Ok(()) }
        };
        check("the number of inputs".to_owned(), inputs, MAX_INPUTS)?;
        let (last, hidden) = self.layers.split_last().expect("a network has layers");
        if last.bias.len() != outputs {
            let (name, gives) = (last.name.clone(), last.bias.len());
            return Err(ImportError::Outputs { name, gives, wanted: outputs });
        }
        check("the number of outputs".to_owned(), outputs, MAX_OUTPUTS)?;
        if let Some(features) = &self.features {
            check("the number of frequencies".to_owned(), features.phases.len(), MAX_FREQUENCIES)?;
        }
        check("the number of hidden layers".to_owned(), hidden.len(), MAX_HIDDEN_LAYERS)?;
        hidden
            .iter()
            .try_for_each(|layer| check(format!("the width of the layer {}", layer.name), layer.bias.len(), MAX_WIDTH))
    }
}
