//! Fixed-point numbers: the formats and functions in which the trainer must agree with the device to the last bit.
//!
//! | number | format |
//! | --- | --- |
//! | coordinate | unsigned Q0.32: 2³² is one period of its axis |
//! | phase | unsigned Q0.32: 2³² is one turn |
//! | feature | signed 16 bits: [`ONE`] is 1.0 |
//! | hidden activation after ReLU | 0 to [`ACTIVATION_MAX`]; its unit is the layer's own |
//! | hidden activation after a sine | signed 16 bits: [`ONE`] is 1.0 |
//! | multiplier | Q0.32, not negative: real units of the accumulator over those of the result |
//! | multiplier of a sine layer | phase of one unit of the accumulator, not negative; any 31 bits |
//! | logit | Q14: [`LOGIT_FRACTION_BITS`] |
//! | result of [`sigmoid`] | Q16: [`SIGMOID_FRACTION_BITS`] |

mod requantize;
mod sigmoid;
mod trig;

pub(crate) use requantize::mul_high_rounded;
pub use requantize::{ACTIVATION_MAX, requantize};
pub use sigmoid::{LOGIT_FRACTION_BITS, SIGMOID_FRACTION_BITS, sigmoid};
pub use trig::{ONE, cos_sin, phase_of_turns, sine};
// The kernels in assembly evaluate the same polynomials.
#[cfg(any(kernels = "dsp", kernels = "mve", kernels = "v7m", kernels = "thumb1", kernels = "rv32m"))]
pub(crate) use trig::{EVEN, ODD};
