//! Hyperparameters of a network of infinite width.

use super::InfiniteMlp;
use crate::theory::TheoryError;

/// More layers say no more about practice; the limit keeps the per-point tables small.
pub const MAX_HIDDEN_LAYERS: usize = 256;

/// Where the scale of the initial weights stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parametrization {
    /// In the network's equation; weights are unit normal. The tangent kernel is free of the width.
    Ntk,
    /// In the weights' variance, as networks are usually trained.
    Standard {
        /// units of a hidden layer: the tangent kernel grows with it
        width: usize,
    },
}

/// Hyperparameters of an infinite-width ReLU network.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `hidden_layers` | 3 | ReLU layers | 0 ..= 256 |
/// | `parametrization` | NTK | where the scale of the weights stands | |
/// | `weight_std` | √2 (He) | σw | > 0 |
/// | `bias_std` | none | σb; none: no trained bias | ≥ 0 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InfiniteMlpParams {
    /// ReLU layers
    pub hidden_layers: usize,
    /// where the scale of the weights stands
    pub parametrization: Parametrization,
    /// σw
    pub weight_std: f64,
    /// σb, or no trained bias
    pub bias_std: Option<f64>,
}

impl Default for InfiniteMlpParams {
    fn default() -> Self {
        Self {
            hidden_layers: 3,
            parametrization: Parametrization::Ntk,
            weight_std: std::f64::consts::SQRT_2,
            bias_std: None,
        }
    }
}

impl InfiniteMlpParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] naming the first one out of range.
    pub fn check(self) -> Result<InfiniteMlp, TheoryError> {
        let refuse = |name, value, requirement| Err(TheoryError::Parameter { name, value, requirement });
        if self.hidden_layers > MAX_HIDDEN_LAYERS {
            return refuse("hidden-layers", self.hidden_layers as f64, "at most 256 are possible");
        }
        if self.parametrization == (Parametrization::Standard { width: 0 }) {
            return refuse("width", 0.0, "a hidden layer has at least one unit");
        }
        if !(self.weight_std > 0.0 && self.weight_std.is_finite()) {
            return refuse("weight-std", self.weight_std, "must be positive and finite");
        }
        match self.bias_std {
            Some(std) if !(std >= 0.0 && std.is_finite()) => {
                refuse("bias-std", std, "must be zero or positive, and finite (or none)")
            }
            _ => Ok(InfiniteMlp { params: self }),
        }
    }
}
