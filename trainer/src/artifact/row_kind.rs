//! The steps of the weights that a stored network can have in `w8a16`.
//!
//! Each row of weights is whole multiples of a step of its own. A row of a sine layer has a multiplier beside it, the
//! phase of one unit of its accumulator in 2⁻³² turns, which must be a whole number: this limits the step to multiples
//! of [`SINE_STEP`].

use crate::network::HiddenActivation;
use firmware_core::fixed::ONE;

/// The largest weight of a row, in its steps.
pub(super) const STEPS: f64 = 127.0;
/// The weight step of a sine row whose multiplier is 1: 2π·32767/2³². A step is such a multiple of the multiplier,
/// since features and sines both count 32767 as 1.0.
pub(super) const SINE_STEP: f64 = std::f64::consts::TAU * ONE as f64 / 4_294_967_296.0;

/// What a row of weights feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    /// A sine: the step is a multiple of [`SINE_STEP`].
    Sine,
    /// Anything else: any step.
    Other,
}

impl RowKind {
    /// Of the rows of layer `layer` of `layers`.
    #[must_use]
    pub(super) fn of(hidden: HiddenActivation, layer: usize, layers: usize) -> Self {
        if hidden == HiddenActivation::Sine && layer + 1 < layers { Self::Sine } else { Self::Other }
    }

    /// The smallest possible step from `step` on.
    #[must_use]
    pub(super) fn step_from(self, step: f64) -> f64 {
        match self {
            Self::Sine => (step / SINE_STEP * (1.0 - 1e-6)).ceil().max(1.0) * SINE_STEP,
            Self::Other => step,
        }
    }
}
