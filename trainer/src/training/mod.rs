//! The training loop: objective → gradients → optimizer, whatever the objective.
//!
//! An [`Objective`] says what one step computes. It cuts the step's work into *chunks* that fit a processor's cache;
//! the loop spreads them over all threads, adds up their gradients, and moves the parameters. Regression on samples, rays
//! through a volume, or an encoder chained to a decoder all look the same from here.
//!
//! **Determinism.** Chunks are dealt to a number of groups that depends on the work and not on the threads. A group runs
//! its chunks in order into gradients of its own, and the groups are added up in order. The same seed therefore gives the
//! same bits with one thread or twenty. Objectives keep to it by drawing random numbers from the seed and the step alone
//! ([`step_rng`](crate::base::random::step_rng)), which is also why a resumed run continues as if it had never stopped.

pub mod loss;
pub mod optimizer;
pub mod progress;
pub mod regression;

use crate::network::{Mlp, Tape};
use crate::training::optimizer::{Moments, Optimizer, Part, Schedule};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// More groups than this gain nothing on the machines that train small networks.
const MAX_GROUPS: usize = 32;
/// Gradients of all groups together stay within this, so that wide networks fit in memory.
const GROUP_BYTES: usize = 512 << 20;
/// Parameters that one task of the update works on.
const UPDATE_BLOCK: usize = 8192;
/// Time between two saves of a run.
const SAVE_INTERVAL: Duration = Duration::from_secs(30);

/// What a step computes.
pub trait Objective: Sync {
    /// Buffers that a group keeps from chunk to chunk and from step to step.
    type Scratch: Default + Send + Sync;

    /// Prepares step `step` (draws its batch, or whatever needs all outputs at once) and returns how many chunks it has.
    ///
    /// # Errors
    /// Whatever keeps the objective from going on.
    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError>;

    /// Runs one chunk: forward, loss, backward. Adds to the gradients in `pass` and returns the chunk's part of the loss.
    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass, scratch: &mut Self::Scratch) -> f64;

    /// The PSNR in dB that a loss stands for, where it does, for the progress display.
    fn psnr_db(&self, _loss: f64) -> Option<f64> {
        None
    }
}

/// What a chunk works with: a tape and a gradient for each network.
#[derive(Debug, Default)]
pub struct Pass {
    /// One tape per network.
    pub tapes: Vec<Tape<f32>>,
    /// One gradient per network, in the layout of its parameters; chunks add to it.
    pub gradients: Vec<Vec<f32>>,
}

/// All that training changes; saving and restoring it continues a run to the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// The networks.
    pub networks: Vec<Mlp<f32>>,
    /// What the optimizer remembers of each.
    pub moments: Vec<Moments>,
    /// Steps done.
    pub step: u64,
    /// (step, loss before that step), at the steps that [`LoopParams::logs`] names.
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

/// How to train.
#[derive(Clone, Debug)]
pub struct LoopParams {
    /// Steps from the very start; a resumed run does those that are left.
    pub steps: u64,
    /// Learning rate where the schedule's factor is 1.
    pub learning_rate: f64,
    /// The schedule.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: Optimizer,
}

impl LoopParams {
    /// Whether the history keeps the loss of this step: some 400 of them over the run, densely at its start.
    pub fn logs(&self, step: u64) -> bool {
        let spacing = (self.steps / 400).max(1);
        step.is_multiple_of(spacing) || (step < 64 && step.is_power_of_two()) || step + 1 == self.steps
    }
}

/// Who watches and interrupts a run. [`Watch::default`] lets it run to its end in silence.
#[derive(Default)]
pub struct Watch<'a> {
    /// Set from elsewhere (ctrl-C): the loop ends after the step at hand.
    pub stop: Option<&'a AtomicBool>,
    /// Shows how far the run is.
    pub progress: Option<&'a mut dyn Progress>,
    /// Writes the state somewhere: called every 30 s, so that a crash costs no more.
    #[expect(clippy::type_complexity, reason = "a callback, spelled out once")]
    pub save: Option<&'a mut dyn FnMut(&TrainState) -> Result<(), TrainError>>,
    /// Sees every step: the state before its update, and the loss in that state.
    #[expect(clippy::type_complexity, reason = "a callback, spelled out once")]
    pub observe: Option<&'a mut dyn FnMut(&TrainState, f64)>,
}

impl Watch<'_> {
    /// The same watch, lent to one of several trainings in a row.
    pub fn reborrow(&mut self) -> Watch<'_> {
        Watch {
            stop: self.stop,
            progress: self.progress.as_mut().map(|progress| &mut **progress as _),
            save: self.save.as_mut().map(|save| &mut **save as _),
            observe: self.observe.as_mut().map(|observe| &mut **observe as _),
        }
    }

    /// Says what comes next.
    pub fn stage(&mut self, name: &str) {
        if let Some(progress) = &mut self.progress {
            progress.stage(name);
        }
    }
}

/// Shows how far a run is.
pub trait Progress {
    /// Tells what comes next: of several trainings in a row, which.
    fn stage(&mut self, _name: &str) {}
    /// Before the first step of a training, of whose `steps` some may be done already.
    fn begin(&mut self, _steps: u64, _done: u64) {}
    /// After every step.
    fn step(&mut self, step: u64, steps: u64, loss: f64, psnr_db: Option<f64>);
    /// Once, when the loop ends, for whatever reason.
    fn end(&mut self);
}

/// Why the loop returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All steps are done.
    Finished,
    /// It was told to stop; the state can be continued.
    Interrupted,
}

/// What can go wrong while training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss is no longer a number.
    #[error(
        "training diverged: the loss is no longer finite at step {step} with learning rate {learning_rate:e}; lower it with --learning-rate"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The learning rate at that step.
        learning_rate: f64,
    },
    /// The objective could not go on.
    #[error("training cannot go on")]
    Objective(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The state could not be saved.
    #[error("the run cannot be saved")]
    Save(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Trains until all steps are done or the watch says stop.
///
/// # Errors
/// [`TrainError`]; the state is then that before the step that failed.
pub fn train<O: Objective>(
    objective: &mut O,
    state: &mut TrainState,
    params: &LoopParams,
    watch: &mut Watch<'_>,
) -> Result<Ended, TrainError> {
    if let Some(progress) = &mut watch.progress {
        progress.begin(params.steps, state.step);
    }
    let ended = run(objective, state, params, watch);
    if let Some(progress) = &mut watch.progress {
        progress.end();
    }
    ended
}

fn run<O: Objective>(
    objective: &mut O,
    state: &mut TrainState,
    params: &LoopParams,
    watch: &mut Watch<'_>,
) -> Result<Ended, TrainError> {
    let mut groups = Groups::new();
    let mut saved = Instant::now();
    while state.step < params.steps {
        if watch.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Ok(Ended::Interrupted);
        }
        let step = state.step;
        let loss = groups.accumulate(objective, step, &state.networks)?;
        let learning_rate = params.learning_rate * params.schedule.factor(step, params.steps);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, learning_rate });
        }
        if let Some(observe) = &mut watch.observe {
            observe(state, loss);
        }
        groups.update(&params.optimizer, learning_rate, state);
        if params.logs(step) {
            state.history.push((step, loss));
        }
        state.step += 1;
        if let Some(progress) = &mut watch.progress {
            progress.step(state.step, params.steps, loss, objective.psnr_db(loss));
        }
        if let Some(save) = &mut watch.save
            && saved.elapsed() >= SAVE_INTERVAL
        {
            save(state)?;
            saved = Instant::now();
        }
    }
    Ok(Ended::Finished)
}

/// The loss and the gradient of every network of `objective` at `networks`, as step `step` would see them.
///
/// # Errors
/// Those of the objective.
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
    pass: Pass,
    scratch: S,
    loss: f64,
}

/// The groups of chunks, their gradients and buffers, kept from step to step.
struct Groups<S> {
    all: Vec<Group<S>>,
    /// How many of them the last step used.
    used: usize,
}

impl<S: Default + Send + Sync> Groups<S> {
    fn new() -> Self {
        Self { all: Vec::new(), used: 0 }
    }

    /// Runs all chunks of a step and returns the loss; the gradients stay in the groups.
    fn accumulate<O: Objective<Scratch = S>>(
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
            self.all.resize_with(used, || Group { pass: Pass::default(), scratch: S::default(), loss: 0.0 });
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
                group.loss += objective.chunk(chunk, networks, &mut group.pass, &mut group.scratch);
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
    fn update(&self, optimizer: &Optimizer, learning_rate: f64, state: &mut TrainState) {
        for (index, (network, moments)) in state.networks.iter_mut().zip(&mut state.moments).enumerate() {
            let len = network.parameters().len();
            if optimizer.needs_moments() {
                moments.first.resize(len, 0.0);
                moments.second.resize(len, 0.0);
            }
            let shape = network.shape().clone();
            let step = state.step;
            let update = |block: usize, parameters: &mut [f32], first: &mut [f32], second: &mut [f32]| {
                let (start, mut gradient) = (block * UPDATE_BLOCK, [0.0; UPDATE_BLOCK]);
                let gradient = &mut gradient[..parameters.len()];
                self.sum_into(index, start, gradient);
                optimizer.update(&shape, step, learning_rate, Part { start, parameters, first, second, gradient });
            };
            let blocks = network.parameters_mut().par_chunks_mut(UPDATE_BLOCK).enumerate();
            if optimizer.needs_moments() {
                blocks
                    .zip(moments.first.par_chunks_mut(UPDATE_BLOCK).zip(moments.second.par_chunks_mut(UPDATE_BLOCK)))
                    .for_each(|((block, parameters), (first, second))| update(block, parameters, first, second));
            } else {
                blocks.for_each(|(block, parameters)| update(block, parameters, &mut [], &mut []));
            }
        }
    }
}
