//! Adam, element by element.

use serde::{Deserialize, Serialize};

/// Adam as JAX has it: moments corrected for their start at zero, `epsilon` outside the root.
///
/// `m = β₁m + (1-β₁)g`, `v = β₂v + (1-β₂)g²`, `p -= η·m̂/(√v̂ + ε)` with `m̂ = m/(1-β₁ᵗ)`, `v̂ = v/(1-β₂ᵗ)`, t from 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of their squares.
    pub beta2: f64,
    /// Added to the root of the second moment, which keeps the quotient finite.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// Some parameters that Adam moves, with all that belongs to them.
pub(super) struct Part<'a> {
    pub(super) parameters: &'a mut [f32],
    pub(super) gradient: &'a [f32],
    pub(super) first: &'a mut [f32],
    pub(super) second: &'a mut [f32],
}

impl Adam {
    /// Moves some parameters. `step` counts from 0.
    #[inline(always)]
    pub(super) fn update(self, step: u64, learning_rate: f64, part: Part<'_>) {
        let t = (step + 1) as f64;
        let first_correction = (1.0 / (1.0 - self.beta1.powf(t))) as f32;
        let second_correction = (1.0 / (1.0 - self.beta2.powf(t))) as f32;
        let (rate, epsilon) = (learning_rate as f32, self.epsilon as f32);
        let (beta1, beta2) = (self.beta1 as f32, self.beta2 as f32);
        let (fresh1, fresh2) = ((1.0 - self.beta1) as f32, (1.0 - self.beta2) as f32);
        let moments = part.first.iter_mut().zip(part.second);
        for ((parameter, &gradient), (first, second)) in part.parameters.iter_mut().zip(part.gradient).zip(moments) {
            *first = beta1 * *first + fresh1 * gradient;
            *second = beta2 * *second + fresh2 * gradient * gradient;
            let direction = (*first * first_correction) / ((*second * second_correction).sqrt() + epsilon);
            *parameter -= rate * direction;
        }
    }
}
