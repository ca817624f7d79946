//! The training loop: objective → gradients → optimizer, whatever the objective.
//!
//! An [`Objective`] says what one step computes. It cuts the step's work into *chunks* that fit a processor's cache;
//! the loop spreads them over all threads, adds up their gradients, and moves the parameters. Regression on samples,
//! rays through a volume, or an encoder chained to a decoder all look the same from here.
//!
//! **Determinism.** Chunks are dealt to a number of groups that depends on the work and not on the threads. A group
//! runs its chunks in order into gradients of its own, and the groups are added up in order. The same seed therefore
//! gives the same bits with one thread or twenty. Objectives keep to it by drawing random numbers from the seed and the
//! step alone ([`step_rng`](crate::base::random::step_rng)), which is also why a resumed run continues as if it had
//! never stopped.

mod adam;
mod error;
mod groups;
pub mod loss;
pub mod muon;
mod objective;
pub mod optimizer;
mod params;
pub mod progress;
pub mod regression;
mod row_limit;
mod state;
mod watch;

pub use error::TrainError;
pub use groups::loss_and_gradients;
pub use objective::{Objective, Pass};
pub use params::LoopParams;
pub use state::TrainState;
pub use watch::{Ended, Progress, StepDone, Watch};

use groups::Groups;
use optimizer::Rates;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Time between two saves of a run.
const SAVE_INTERVAL: Duration = Duration::from_secs(30);

/// Trains until all steps are done or the watch says stop.
///
/// The smallest objective, one network that learns y = 2x from four samples:
///
/// ```
/// use ndarray::array;
/// use rand::SeedableRng;
/// use trainer::network::{Gradients, Initialization, Mlp, OutputActivation, Shape};
/// use trainer::training::{LoopParams, Objective, Pass, TrainError, TrainState, Watch, train};
///
/// struct Doubling;
///
/// impl Objective for Doubling {
///     type Scratch = ();
///
///     fn begin_step(&mut self, _step: u64, _networks: &[Mlp<f32>]) -> Result<usize, TrainError> {
///         Ok(1) // all samples are one chunk
///     }
///
///     fn chunk(&self, _chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<()>) -> f64 {
///         let x = array![[-1.0f32], [0.0], [1.0], [2.0]];
///         let error = &pass.tapes[0].forward(&networks[0], x.view()) - &(2.0 * &x);
///         let slope = &error * 0.5; // of the mean squared error of four samples
///         let gradients = Gradients { outputs: slope.view(), parameters: &mut pass.gradients[0], inputs: None };
///         pass.tapes[0].backward(&networks[0], x.view(), gradients);
///         f64::from((&error * &error).sum()) / 4.0
///     }
/// }
///
/// let shape = Shape::new(1, &[8], 1, OutputActivation::Linear);
/// let network = Mlp::new(shape, Initialization::Glorot, &mut rand_chacha::ChaCha8Rng::seed_from_u64(1));
/// let mut state = TrainState::new(vec![network]);
/// let (schedule, optimizer) = (trainer::training::optimizer::Schedule::Constant, Default::default());
/// let params = LoopParams { steps: 300, learning_rate: 0.02, encoder_rate: 1.0, schedule, optimizer, row_limit: None };
/// train(&mut Doubling, &mut state, &params, &mut Watch::default())?;
/// let (_, loss) = state.history[state.history.len() - 1];
/// assert!(loss < 1e-3, "{loss}");
/// # Ok::<(), TrainError>(())
/// ```
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
        let rates = Rates { layers: learning_rate, encoder: learning_rate * params.encoder_rate };
        groups.update(&params.optimizer, rates, state);
        if let Some(limit) = params.row_limit {
            state.networks.iter_mut().for_each(|network| row_limit::limit_rows(network, limit));
        }
        if params.logs(step) {
            state.history.push((step, loss));
        }
        state.step += 1;
        if let Some(progress) = &mut watch.progress {
            let (step, steps, psnr_db) = (state.step, params.steps, objective.psnr_db(loss));
            progress.step(StepDone { step, steps, loss, psnr_db });
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
