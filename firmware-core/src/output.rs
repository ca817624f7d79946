//! From raw outputs to the user's units.

use serde::{Deserialize, Serialize};

/// The function that follows the last layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum OutputActivation {
    /// Nothing: the raw output is the accumulator.
    #[default]
    Linear,
    /// The logistic function: the raw output is 65536·σ(z).
    Sigmoid,
}

/// The affine map of one output to the user's units: `raw · scale + offset`, one rounding each.
///
/// `raw` is what the last layer hands over ([`Precision`](crate::Precision)): an accumulator, so that the scale
/// contains the quantization's, a number in single precision, or 65536·σ.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OutputMap {
    /// User units per raw unit.
    pub scale: f32,
    /// The user's value at raw zero.
    pub offset: f32,
}
