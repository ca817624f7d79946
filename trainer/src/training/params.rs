//! How the loop trains: how long, how fast, by which optimizer.

use super::optimizer::{Optimizer, Schedule};

/// Hyperparameters of the training loop.
#[derive(Clone, Debug)]
pub struct LoopParams {
    /// Steps from the very start; a resumed run does those that are left.
    pub steps: u64,
    /// Learning rate where the schedule's factor is 1.
    pub learning_rate: f64,
    /// Learning rate of the encoding's own parameters, as a multiple of that of the layers.
    pub encoder_rate: f64,
    /// What multiplies the learning rate at each step.
    pub schedule: Schedule,
    /// How a gradient moves the parameters.
    pub optimizer: Optimizer,
    /// After each update, weights beyond this multiple of the root mean square of their row are moved to there, in all
    /// layers, so that they lose less by rounding to eight bits.
    pub row_limit: Option<f64>,
}

impl LoopParams {
    /// Whether the history keeps the loss of this step: some 400 of them over the run, densely at its start.
    pub fn logs(&self, step: u64) -> bool {
        let spacing = (self.steps / 400).max(1);
        step.is_multiple_of(spacing) || (step < 64 && step.is_power_of_two()) || step + 1 == self.steps
    }
}
