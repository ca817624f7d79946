//! Why a training failed.

/// What can go wrong while training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss is no longer a finite number.
    #[error(
        "training diverged: the loss is no longer finite at step {step} with learning rate {learning_rate:e}; \
         lower it with --learning-rate"
    )]
    Diverged {
        /// The step whose loss is not finite, counted from 0.
        step: u64,
        /// The learning rate at that step, the schedule's factor included.
        learning_rate: f64,
    },
    /// The objective could not go on.
    #[error("training cannot go on")]
    Objective(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The state could not be saved.
    #[error("the run cannot be saved")]
    Save(#[source] Box<dyn std::error::Error + Send + Sync>),
}
