//! What a training step computes: the interface between the loop and what it trains.

use super::TrainError;
use crate::network::{Mlp, Tape};

/// The loss to be minimized, cut into chunks.
pub trait Objective: Sync {
    /// Buffers that a group keeps from chunk to chunk and from step to step.
    type Scratch: Default + Send + Sync;

    /// Prepares step `step` (draws its batch, or whatever needs all outputs at once) and returns how many chunks it
    /// has.
    ///
    /// # Errors
    /// Whatever keeps the objective from going on.
    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError>;

    /// Runs one chunk: forward, loss, backward. Adds to the gradients in `pass` and returns the chunk's part of the
    /// loss.
    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<Self::Scratch>) -> f64;

    /// The PSNR in dB that a loss stands for, where it does, for the progress display.
    fn psnr_db(&self, _loss: f64) -> Option<f64> {
        None
    }
}

/// What a chunk works with: a tape and a gradient for each network, and the objective's own buffers.
#[derive(Debug, Default)]
pub struct Pass<S> {
    /// The forward pass of each network.
    pub tapes: Vec<Tape<f32>>,
    /// One gradient per network, in the layout of its parameters; chunks add to it.
    pub gradients: Vec<Vec<f32>>,
    /// The buffers of [`Objective::Scratch`].
    pub scratch: S,
}
