//! What training changes, and what a checkpoint therefore holds.

use super::optimizer::Moments;
use crate::network::Mlp;

/// All that training changes; saving and restoring it continues a run to the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// The networks, each with its parameters.
    pub networks: Vec<Mlp<f32>>,
    /// What the optimizer remembers of each network.
    pub moments: Vec<Moments>,
    /// Number of steps that are done.
    pub step: u64,
    /// (step, loss before that step), at the steps that [`LoopParams::logs`](super::LoopParams::logs) names.
    pub history: Vec<(u64, f64)>,
}

impl TrainState {
    /// The start of a run.
    pub fn new(networks: Vec<Mlp<f32>>) -> Self {
        let moments = vec![Moments::default(); networks.len()];
        Self { networks, moments, step: 0, history: Vec::new() }
    }

    /// The same state with moments as large as they get: what a checkpoint will take on the disk.
    pub fn with_room_for_moments(&self) -> Self {
        let mut state = self.clone();
        for (network, moments) in state.networks.iter().zip(&mut state.moments) {
            moments.first.resize(network.parameters().len(), 0.0);
            moments.second.resize(network.parameters().len(), 0.0);
        }
        state
    }
}
