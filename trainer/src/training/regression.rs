//! The plainest objective: known features, known targets, a loss that is a sum over samples.

use crate::base::random::{Purpose, step_rng};
use crate::network::Mlp;
use crate::network::features::{Backward, FeatureGradient, Features, Rows, buffer_rows};
use crate::training::loss::{BatchRows, Loss};
use crate::training::{Objective, Pass, TrainError};
use ndarray::Array2;
use rand::seq::SliceRandom;

/// Rows of a chunk: their features and activations stay in a second-level cache, and packing the weights for one
/// product is still small beside the product.
pub const CHUNK_ROWS: usize = 256;

/// Which samples a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Samples a step; none, or more than there are: all of them.
    pub size: Option<usize>,
    /// Of the random orders in which mini-batches take the samples.
    pub seed: u64,
}

/// Fits one network to targets.
///
/// With mini-batches the samples are taken in a new random order each time all of them have been seen; the order is a
/// function of the seed. A batch of all samples takes them as they lie.
pub struct Regression<F, L> {
    features: F,
    targets: Array2<f32>,
    loss: L,
    /// Samples a step, at most all of them.
    batch: usize,
    seed: u64,
    /// The samples of the step at hand, unless it takes all.
    picked: Vec<u32>,
    /// The last order that was drawn, and its number.
    order: Option<(u64, Vec<u32>)>,
}

impl<F: Features, L: Loss> Regression<F, L> {
    /// An objective over all samples, in these batches.
    ///
    /// # Panics
    /// If features and targets differ in their number of samples, or there are none or 2³² of them.
    pub fn new(features: F, targets: Array2<f32>, loss: L, batches: Batches) -> Self {
        let samples = features.samples();
        assert_eq!(samples, targets.nrows(), "features and targets differ in number");
        assert!(samples > 0 && u32::try_from(samples).is_ok(), "between 1 and 2³²-1 samples");
        let batch = batches.size.unwrap_or(samples).clamp(1, samples);
        Self { features, targets, loss, batch, seed: batches.seed, picked: Vec::new(), order: None }
    }

    /// The inputs of the network, one row a sample.
    pub fn features(&self) -> &F {
        &self.features
    }

    /// What the outputs should be, `[n, channels]`.
    pub fn targets(&self) -> &Array2<f32> {
        &self.targets
    }

    fn takes_all(&self) -> bool {
        self.batch == self.features.samples()
    }

    /// Puts the samples of `step` into `picked`: a window on the endless row of random orders.
    fn pick(&mut self, step: u64) {
        let samples = self.features.samples() as u64;
        let mut position = step * self.batch as u64;
        self.picked.clear();
        while self.picked.len() < self.batch {
            let (epoch, from) = (position / samples, (position % samples) as usize);
            let order = match self.order.take() {
                Some((drawn, order)) if drawn == epoch => order,
                last => {
                    let mut order = last.map_or_else(Vec::new, |(_, order)| order);
                    order.clear();
                    order.extend(0..samples as u32);
                    order.shuffle(&mut step_rng(self.seed, Purpose::SampleOrder, epoch));
                    order
                }
            };
            let part = &order[from..(from + self.batch - self.picked.len()).min(samples as usize)];
            self.picked.extend_from_slice(part);
            position += part.len() as u64;
            self.order = Some((epoch, order));
        }
    }
}

/// Features, targets and gradients of a chunk.
#[derive(Debug, Default)]
pub struct RegressionScratch {
    features: Vec<f32>,
    targets: Vec<f32>,
    gradient: Vec<f32>,
    input_gradient: Vec<f32>,
}

impl<F: Features, L: Loss> Objective for Regression<F, L> {
    type Scratch = RegressionScratch;

    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError> {
        self.features.begin_step(step, networks[0].encoder());
        if !self.takes_all() {
            self.pick(step);
        }
        Ok(self.batch.div_ceil(CHUNK_ROWS))
    }

    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<RegressionScratch>) -> f64 {
        let scratch = &mut pass.scratch;
        let range = chunk * CHUNK_ROWS..((chunk + 1) * CHUNK_ROWS).min(self.batch);
        let rows = if self.takes_all() { Rows::Range(range) } else { Rows::Indices(&self.picked[range]) };
        let (network, tape) = (&networks[0], &mut pass.tapes[0]);
        let inputs = self.features.rows(&rows, network.encoder(), &mut scratch.features);
        let targets = self.targets.rows(&rows, &[], &mut scratch.targets);
        let outputs = tape.forward(network, inputs);
        let mut gradient = buffer_rows(&mut scratch.gradient, rows.len(), targets.ncols());
        let loss = self.loss.evaluate(BatchRows { outputs, targets, batch_rows: self.batch }, gradient.view_mut());
        let (outputs, parameters) = (gradient.view(), &mut pass.gradients[0]);
        Backward { network, tape, features: inputs, outputs, gradient: parameters }.run(
            &mut scratch.input_gradient,
            |gradient, encoder| {
                self.features.add_gradient(&FeatureGradient { rows: &rows, features: inputs, gradient }, encoder);
            },
        );
        loss
    }

    fn psnr_db(&self, loss: f64) -> Option<f64> {
        let squared = self.loss.mean_squared_error(loss, self.batch, self.targets.ncols())?;
        Some(-10.0 * squared.log10())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Gradients, Initialization, OutputActivation, Shape};
    use crate::training::loss::SquaredError;
    use crate::training::optimizer::{Optimizer, Schedule};
    use crate::training::{Ended, LoopParams, TrainState, Watch, train};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::sync::atomic::{AtomicBool, Ordering};

    const STEPS: u64 = 30;

    fn objective(batch: Option<usize>) -> Regression<Array2<f32>, SquaredError> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let features = Array2::from_shape_simple_fn((3000, 20), || rng.random_range(-1.0f32..1.0));
        let targets = Array2::from_shape_fn((3000, 2), |(i, j)| (features[[i, j]] * features[[i, j + 1]]).abs());
        Regression::new(features, targets, SquaredError::Mean, Batches { size: batch, seed: 9 })
    }

    fn start() -> TrainState {
        let shape = Shape::new(20, &[24, 16], 2, OutputActivation::Linear);
        TrainState::new(vec![Mlp::new(shape, Initialization::Glorot, &mut ChaCha8Rng::seed_from_u64(2))])
    }

    fn params(steps: u64) -> LoopParams {
        let schedule = Schedule::Cosine { warmup: 3, floor: 0.01 };
        LoopParams {
            steps,
            learning_rate: 5e-3,
            encoder_rate: 1.0,
            schedule,
            optimizer: Optimizer::default(),
            row_limit: None,
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let trained = |threads: usize, batch: Option<usize>| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut state = start();
                train(&mut objective(batch), &mut state, &params(STEPS), &mut Watch::default()).unwrap();
                state
            })
        };
        for batch in [None, Some(1100)] {
            let one = trained(1, batch);
            assert_ne!(one, start());
            assert!(one.history.last().unwrap().1 < 0.5 * one.history[0].1);
            for threads in [2, 3, 7] {
                assert_eq!(trained(threads, batch), one, "{threads} threads");
            }
        }
    }

    #[test]
    fn an_interrupted_run_continues_to_the_same_bits() {
        let mut whole = start();
        train(&mut objective(Some(700)), &mut whole, &params(STEPS), &mut Watch::default()).unwrap();
        let mut parts = start();
        for stop_at in [4, 5, 17, STEPS] {
            let stop = AtomicBool::new(false);
            let mut observe = |state: &TrainState, _: f64| stop.store(state.step + 1 == stop_at, Ordering::Relaxed);
            let mut watch = Watch { stop: Some(&stop), observe: Some(&mut observe), ..Watch::default() };
            // A new objective each time, as after a restart.
            let ended = train(&mut objective(Some(700)), &mut parts, &params(STEPS), &mut watch).unwrap();
            assert_eq!((ended == Ended::Finished, parts.step), (stop_at == STEPS, stop_at));
        }
        assert_eq!(parts, whole);
    }

    #[test]
    fn an_epoch_visits_every_sample_once() {
        let mut objective = objective(Some(700));
        let mut seen = Vec::new();
        for step in 0..30 {
            objective.pick(step);
            seen.extend_from_slice(&objective.picked);
        }
        for epoch in seen.chunks_exact(3000) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..3000));
        }
        assert_ne!(seen[..3000], seen[3000..6000]);
    }

    #[test]
    fn chunks_make_the_gradient_of_the_whole_batch() {
        let mut objective = objective(None);
        let state = start();
        let (loss, found) = crate::training::loss_and_gradients(&mut objective, 0, &state.networks).unwrap();
        let network = state.networks[0].cast::<f64>();
        let features = objective.features.mapv(f64::from);
        let mut tape = crate::network::Tape::default();
        let difference = &tape.forward(&network, features.view()) - &objective.targets.mapv(f64::from);
        let mean = 1.0 / difference.len() as f64;
        assert!((difference.mapv(|d| d * d).sum() * mean - loss).abs() < 1e-7);
        let mut exact = vec![0.0; network.parameters().len()];
        let slope = &difference * (2.0 * mean);
        let gradients = Gradients { outputs: slope.view(), parameters: &mut exact, inputs: None };
        tape.backward(&network, features.view(), gradients);
        for (found, exact) in found[0].iter().zip(exact) {
            assert!((f64::from(*found) - exact).abs() < 1e-6, "{found} {exact}");
        }
    }

    #[test]
    fn weights_keep_to_the_limit_of_their_rows_in_every_layer() {
        // A limit of zero leaves nothing of the weights, and all of the biases.
        let mut state = start();
        let params = LoopParams { row_limit: Some(0.0), ..params(2) };
        train(&mut objective(None), &mut state, &params, &mut Watch::default()).unwrap();
        let network = &state.networks[0];
        for layer in 0..network.shape().layers() {
            assert!(network.weights(layer).iter().all(|&weight| weight == 0.0));
        }
        assert!(network.biases(2).iter().any(|&bias| bias != 0.0));
    }

    #[test]
    fn divergence_is_reported_and_not_trained_on() {
        let descent = Optimizer::GradientDescent(crate::training::optimizer::GradientDescent::default());
        let muon = Optimizer::Muon(crate::training::muon::Muon::default());
        for (optimizer, row_limit) in [(descent, None), (muon.clone(), None), (muon, Some(2.0))] {
            let (schedule, mut state) = (Schedule::Constant, start());
            let params =
                LoopParams { learning_rate: 1e30, encoder_rate: 1.0, schedule, optimizer, steps: 50, row_limit };
            let error = train(&mut objective(None), &mut state, &params, &mut Watch::default()).unwrap_err();
            assert!(error.to_string().contains("--learning-rate"), "{error}");
        }
    }
}
