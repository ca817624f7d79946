//! How long a network is trained, and how.

use crate::theory::TheoryError;

/// How training goes, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Training {
    /// Gradient flow for this time: learning rate times steps.
    Flow {
        /// ≥ 0
        time: f64,
    },
    /// Plain gradient descent, full batch.
    Descent {
        /// η > 0
        learning_rate: f64,
        /// k
        steps: u64,
    },
    /// The limit of infinite time: kernel regression from the initial outputs.
    Converged,
}

impl Training {
    /// Itself, if its time or its learning rate is possible.
    ///
    /// # Errors
    /// A time or learning rate out of range.
    pub(super) fn checked(self) -> Result<Self, TheoryError> {
        match self {
            Self::Flow { time } if !(time >= 0.0 && time.is_finite()) => {
                let requirement =
                    "must be zero or positive, and finite; the limit of infinite time has an option of its own";
                Err(TheoryError::Parameter { name: "the time, learning rate times steps,", value: time, requirement })
            }
            Self::Descent { learning_rate, .. } if !(learning_rate > 0.0 && learning_rate.is_finite()) => {
                let requirement = "must be positive and finite";
                Err(TheoryError::Parameter { name: "learning-rate", value: learning_rate, requirement })
            }
            _ => Ok(self),
        }
    }
}

/// `(1 - rate)^steps` for any number of steps, precise where the rate is near 0 or 2.
pub(super) fn power(rate: f64, steps: u64) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    let ln_magnitude = if rate < 1.0 { (-rate).ln_1p() } else { (rate - 2.0).ln_1p() };
    let magnitude = (steps as f64 * ln_magnitude).exp();
    if rate > 1.0 && steps % 2 == 1 { -magnitude } else { magnitude }
}
