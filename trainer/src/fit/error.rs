//! What can be wrong with hyperparameters and data, and how a training can fail.

use crate::data::DatasetError;
use crate::data::codes::CodesError;
use crate::data::periodic::PeriodError;
use crate::network::encoding::EncodingError;
use crate::theory::TheoryError;
use crate::training::TrainError;
use firmware_core::limits::{MAX_HIDDEN_LAYERS, MAX_OUTPUTS, MAX_WIDTH};

/// Why there is nothing to fit, or fitting failed.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The settings of the encoding are impossible.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// No samples would be left to train or to test.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// An input that repeats is not there, or has an impossible period.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// An input of codes is not there, or has values that are none.
    #[error(transparent)]
    Codes(#[from] CodesError),
    /// Training diverged, or its state could not be saved.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The kernel regression that guides the training failed.
    #[error("kernel regression through the samples")]
    Guide(#[from] TheoryError),
    /// A hidden layer has no units or too many.
    #[error("a hidden layer of {width} units is not possible; --hidden takes widths from 1 to {MAX_WIDTH}")]
    Width {
        /// The width that is impossible.
        width: usize,
    },
    /// There are more hidden layers than a device takes.
    #[error("{layers} hidden layers are not possible; a device takes up to {MAX_HIDDEN_LAYERS}")]
    Layers {
        /// The number of hidden layers.
        layers: usize,
    },
    /// The data have no outputs, or more than a device takes.
    #[error("{outputs} outputs are not possible; a device takes up to {MAX_OUTPUTS}")]
    Outputs {
        /// The number of outputs.
        outputs: usize,
    },
    /// The learning rate is not above 0 and up to 10.
    #[error("a learning rate of {rate} is not possible; --learning-rate takes a number above 0 and up to 10")]
    LearningRate {
        /// The learning rate that was given.
        rate: f64,
    },
    /// The learning-rate schedule has numbers that it cannot have.
    #[error("the schedule has impossible numbers; its factor must be above 0 and up to 1, its period positive")]
    Schedule,
    /// The training would have no steps.
    #[error("0 steps train nothing; give --steps at least 1")]
    Steps,
    /// The batches would have no samples.
    #[error("a batch of 0 samples trains nothing; give --batch at least 1, or all")]
    Batch,
    /// There are more samples than can be counted in 32 bits.
    #[error("{samples} samples are too many; this program takes up to 4294967295")]
    Samples {
        /// The number of samples.
        samples: usize,
    },
}
