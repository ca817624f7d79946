//! Fitting a network to a data set.
//!
//! [`FitParams`] are checked into [`ValidFitParams`], whose [`fit`](ValidFitParams::fit) gives a [`Fitted`] network,
//! and [`Fitted::artifact`] the bytes for a device. [`run`] does the same in a folder, with what `trainer fit` does
//! beyond: hyperparameters are [chosen](auto_scale), a [`guide`] leads the training, the quality is
//! [measured](validation) at held-out samples, and a run that was interrupted is resumed.
//!
//! | hyperparameter | default | purpose | range |
//! | --- | --- | --- | --- |
//! | `encoding` | Gaussian, 64 rows, σ = 10, trained | how coordinates become features | see [`crate::network::encoding`] |
//! | `hidden` | 64, 64, 64 | widths of the hidden layers | up to 8 of 1 … 2048 |
//! | `activation` | ReLU | activation of the hidden layers | ReLU, sine |
//! | `output` | sigmoid | last activation; a sigmoid is flat, and so less noisy, near both ends of [0, 1] | linear, sigmoid |
//! | `initialization` | Glorot | how parameters start | see [`Initialization`](crate::network::Initialization) |
//! | `steps` | 2000 | updates | ≥ 1 |
//! | `batch` | 4096 | samples a step | ≥ 1, or all |
//! | `learning_rate` | 1e-2 | highest learning rate | > 0, ≤ 10 |
//! | `schedule` | cosine to 1 %, 20 steps of warm-up | of the learning rate | see [`optimizer`](crate::training::optimizer) |
//! | `optimizer` | Muon | how gradients become updates | Adam, Muon, gradient descent |
//! | `loss` | mean squared error | what training lowers | see [`SquaredError`](crate::training::loss::SquaredError) |
//! | `outside` | clamp | points beyond the domain; periodic rounds B to whole cycles | |
//! | `periodic` | none | axes that repeat after a period of their own, whatever `outside` says of the others | > 0 |
//! | `codes` | none | axes of integer codes, such as those of a converter | see [`codes`](crate::data::codes) |
//! | `guide` | no | learn from kernel regression through the samples, see [`guide`] | |
//! | `holdout` | none | samples that test instead of train | |
//! | `seed` | 0 | of B, the start, the order of samples and the held-out ones | |

pub mod advice;
pub mod auto_scale;
pub mod encoding_option;
mod error;
pub mod exportable;
mod folds;
pub mod guide;
pub mod judge;
mod measured;
mod params;
pub mod results;
pub mod run;
pub mod saved_network;
pub mod settings;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;
mod training;
pub mod validation;

pub use error::FitError;
pub use params::{FitParams, ValidFitParams};
pub use snapshot::{Snapshot, TrainingData, unit_outputs};
pub use training::Fitted;
