//! Losses: a number for how far outputs are from what they should be, and its gradient.
//!
//! A [`Loss`] sees some rows of a batch at a time and knows the size of the whole, so that the parts add up to the loss
//! of the batch. Losses that are no sum over rows (volume rendering, projections, spectra) are objectives of their own:
//! see [`crate::training::Objective`].

use ndarray::{ArrayView2, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

/// A loss that is a sum over samples.
pub trait Loss: Sync {
    /// Returns the part of the batch's loss that these rows make, and writes its gradient with respect to the outputs,
    /// `[rows, channels]`.
    fn evaluate(&self, rows: BatchRows<'_>, gradient: ArrayViewMut2<'_, f32>) -> f64;

    /// The mean squared error that a loss of the batch stands for, where it is one.
    fn mean_squared_error(&self, loss: f64, batch_rows: usize, channels: usize) -> Option<f64>;
}

/// Some rows of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchRows<'a> {
    /// What the network says, `[rows, channels]`.
    pub outputs: ArrayView2<'a, f32>,
    /// What it should say, `[rows, channels]`.
    pub targets: ArrayView2<'a, f32>,
    /// Rows of the whole batch.
    pub batch_rows: usize,
}

/// The slope of a sigmoid is not divided by less than this.
const LEAST_SLOPE: f32 = 1e-6;

/// Squares of differences, in the normalizations that the literature uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SquaredError {
    /// The mean over samples and channels.
    #[default]
    Mean,
    /// Half the mean: the image experiments of Tancik et al. (2020).
    HalfMean,
    /// The mean in value, with the gradient that the logistic loss has: for outputs of a sigmoid, whose own slope,
    /// `y(1-y)`, would leave none where it saturates. Networks that learn mostly one value near an end of the range
    /// would stay there for ever.
    Logistic,
    /// Half the sum: gradient descent on it is the kernel dynamics of equation 3, with nothing to rescale.
    HalfSum,
}

impl SquaredError {
    /// What one squared difference is multiplied by.
    fn factor(self, batch_rows: usize, channels: usize) -> f64 {
        match self {
            Self::Mean | Self::Logistic => 1.0 / (batch_rows * channels) as f64,
            Self::HalfMean => 0.5 / (batch_rows * channels) as f64,
            Self::HalfSum => 0.5,
        }
    }
}

impl Loss for SquaredError {
    fn evaluate(&self, rows: BatchRows<'_>, gradient: ArrayViewMut2<'_, f32>) -> f64 {
        let BatchRows { outputs, targets, batch_rows } = rows;
        let factor = self.factor(batch_rows, outputs.ncols());
        let slope = (2.0 * factor) as f32;
        let (is_logistic, mut sum) = (self == &Self::Logistic, 0.0);
        Zip::from(gradient).and(outputs).and(targets).for_each(|gradient, &output, &target| {
            let difference = output - target;
            // A quarter is the slope of a sigmoid at its middle: there, both gradients are the same.
            *gradient =
                slope * difference * if is_logistic { 0.25 / (output * (1.0 - output)).max(LEAST_SLOPE) } else { 1.0 };
            sum += f64::from(difference) * f64::from(difference);
        });
        sum * factor
    }

    fn mean_squared_error(&self, loss: f64, batch_rows: usize, channels: usize) -> Option<f64> {
        Some(loss / self.factor(batch_rows, channels) / (batch_rows * channels) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    /// Through a sigmoid, the gradient with respect to what enters it is a quarter of that of the squared error's
    /// difference, however far the sigmoid is saturated.
    #[test]
    fn the_logistic_gradient_does_not_vanish() {
        let outputs = array![[0.001f32], [0.5], [0.9]];
        let targets = array![[0.0625f32], [0.25], [0.9]];
        let mut gradient = Array2::zeros((3, 1));
        let rows = BatchRows { outputs: outputs.view(), targets: targets.view(), batch_rows: 3 };
        let loss = SquaredError::Logistic.evaluate(rows, gradient.view_mut());
        let mean = SquaredError::Mean.evaluate(rows, Array2::zeros((3, 1)).view_mut());
        assert_eq!(loss, mean);
        for ((gradient, &y), &target) in gradient.iter().zip(&outputs).zip(&targets) {
            let before_sigmoid = gradient * y * (1.0 - y);
            assert!((before_sigmoid - 2.0 / 3.0 * 0.25 * (y - target)).abs() < 1e-7);
        }
    }

    #[test]
    fn squared_errors_have_their_textbook_values() {
        let (outputs, targets) = (array![[1.0f32, 2.0], [0.0, 0.5]], array![[0.0f32, 0.0], [2.0, 0.5]]);
        for (loss, value, slope) in [
            (SquaredError::Mean, 9.0 / 4.0, 2.0 / 4.0),
            (SquaredError::HalfMean, 9.0 / 8.0, 1.0 / 4.0),
            (SquaredError::HalfSum, 9.0 / 2.0, 1.0),
        ] {
            let mut gradient = Array2::zeros((2, 2));
            let rows = BatchRows { outputs: outputs.view(), targets: targets.view(), batch_rows: 2 };
            let measured = loss.evaluate(rows, gradient.view_mut());
            assert_eq!(measured, value);
            assert_eq!(gradient, (&outputs - &targets) * slope);
            assert_eq!(loss.mean_squared_error(measured, 2, 2), Some(9.0 / 4.0));
        }
    }

    #[test]
    fn parts_of_a_batch_add_up() {
        let (outputs, targets) = (array![[1.0f32], [3.0]], array![[0.0f32], [1.0]]);
        let mut gradient = Array2::zeros((1, 1));
        let parts: f64 = (0..2)
            .map(|row| {
                let here = ndarray::s![row..=row, ..];
                let (outputs, targets) = (outputs.slice(here), targets.slice(here));
                SquaredError::Mean.evaluate(BatchRows { outputs, targets, batch_rows: 2 }, gradient.view_mut())
            })
            .sum();
        assert_eq!(parts, 2.5);
    }
}
