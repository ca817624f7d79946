//! The work of one step on all threads: chunks in groups, the sum of their gradients, the update.

use super::optimizer::{Optimizer, Rates, Update};
use super::{Objective, Pass, TrainError, TrainState};
use crate::network::{Mlp, Tape};
use rayon::prelude::*;

/// More groups than this gain nothing on the machines that train small networks.
const MAX_GROUPS: usize = 32;
/// Gradients of all groups together stay within this, so that wide networks fit in memory.
const GROUP_BYTES: usize = 512 << 20;
/// Parameters whose gradients one task adds up.
const SUM_BLOCK: usize = 8192;

/// The loss and the gradient of every network of `objective` at `networks`, as step `step` would see them.
///
/// # Errors
/// Whatever keeps the objective from going on.
pub fn loss_and_gradients<O: Objective>(
    objective: &mut O,
    step: u64,
    networks: &[Mlp<f32>],
) -> Result<(f64, Vec<Vec<f32>>), TrainError> {
    let mut groups = Groups::new();
    let loss = groups.accumulate(objective, step, networks)?;
    let gradients = (0..networks.len())
        .map(|network| {
            let mut sum = vec![0.0; networks[network].parameters().len()];
            groups.sum_into(network, 0, &mut sum);
            sum
        })
        .collect();
    Ok((loss, gradients))
}

struct Group<S> {
    pass: Pass<S>,
    loss: f64,
}

/// The groups of chunks, their gradients and buffers, kept from step to step.
pub(super) struct Groups<S> {
    all: Vec<Group<S>>,
    /// How many of them the last step used.
    used: usize,
    /// The sum of their gradients of the network that is updated.
    gradient: Vec<f32>,
}

impl<S: Default + Send + Sync> Groups<S> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), used: 0, gradient: Vec::new() }
    }

    /// Runs all chunks of a step and returns the loss; the gradients stay in the groups.
    pub(super) fn accumulate<O: Objective<Scratch = S>>(
        &mut self,
        objective: &mut O,
        step: u64,
        networks: &[Mlp<f32>],
    ) -> Result<f64, TrainError> {
        let chunks = objective.begin_step(step, networks)?;
        let bytes: usize = networks.iter().map(|network| size_of_val(network.parameters())).sum();
        let used = chunks.clamp(1, MAX_GROUPS.min((GROUP_BYTES / bytes.max(1)).max(4)));
        self.used = used;
        if self.all.len() < used {
            self.all.resize_with(used, || Group { pass: Pass::default(), loss: 0.0 });
        }
        let objective = &*objective;
        self.all[..used].par_iter_mut().with_max_len(1).enumerate().for_each(|(index, group)| {
            group.pass.tapes.resize_with(networks.len(), Tape::default);
            group.pass.gradients.resize_with(networks.len(), Vec::new);
            for (gradient, network) in group.pass.gradients.iter_mut().zip(networks) {
                gradient.clear();
                gradient.resize(network.parameters().len(), 0.0);
            }
            group.loss = 0.0;
            for chunk in index * chunks / used..(index + 1) * chunks / used {
                group.loss += objective.chunk(chunk, networks, &mut group.pass);
            }
        });
        Ok(self.all[..used].iter().map(|group| group.loss).sum())
    }

    /// Adds up the groups' gradients of parameters `start..` of a network, in order.
    fn sum_into(&self, network: usize, start: usize, sum: &mut [f32]) {
        let part = start..start + sum.len();
        sum.copy_from_slice(&self.all[0].pass.gradients[network][part.clone()]);
        for group in &self.all[1..self.used] {
            for (sum, gradient) in sum.iter_mut().zip(&group.pass.gradients[network][part.clone()]) {
                *sum += gradient;
            }
        }
    }

    /// Moves all parameters by what the last [`Self::accumulate`] found.
    pub(super) fn update(&mut self, optimizer: &Optimizer, rates: Rates, state: &mut TrainState) {
        for (index, (network, moments)) in state.networks.iter_mut().zip(&mut state.moments).enumerate() {
            let shape = network.shape().clone();
            let mut gradient = std::mem::take(&mut self.gradient);
            gradient.resize(network.parameters().len(), 0.0);
            gradient.par_chunks_mut(SUM_BLOCK).enumerate().for_each(|(block, sum)| {
                self.sum_into(index, block * SUM_BLOCK, sum);
            });
            let (parameters, step) = (network.parameters_mut(), state.step);
            optimizer.update(step, rates, Update { shape: &shape, parameters, moments, gradient: &gradient });
            self.gradient = gradient;
        }
    }
}
