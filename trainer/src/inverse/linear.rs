//! Linear instruments: what they measure of a field on a grid, and the objective of fitting a network to it.
//!
//! A field f `[samples]` is measured as A·f `[measurements]`; a network is trained on `½·mean (A·f - y)²`. All outputs
//! are needed before any gradient is known, so a step evaluates the network on the whole grid first, takes the gradient
//! `Aᵀ(A·f - y)/measurements` with respect to the field, and then goes through the network chunk by chunk.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::network::features::{Backward, FeatureGradient, Features, Rows};
use crate::network::{Mlp, Tape};
use crate::training::regression::CHUNK_ROWS;
use crate::training::{Objective, Pass, TrainError};

/// A linear instrument.
pub trait LinearOperator: Sync {
    /// A·f: `[samples]` to `[measurements]`.
    fn apply(&self, field: &[f32]) -> Vec<f32>;
    /// Aᵀ·r: `[measurements]` to `[samples]`.
    fn adjoint(&self, residual: &[f32]) -> Vec<f32>;
}

/// The outputs of a network of one output at every sample, on all threads.
///
/// # Panics
/// If the network has not the features' width, or several outputs.
pub fn field<F: Features>(features: &F, network: &Mlp<f32>) -> Vec<f32> {
    let mut values = vec![0.0; features.samples()];
    values.par_chunks_mut(CHUNK_ROWS).enumerate().for_each_init(
        || (Tape::default(), Vec::new()),
        |(tape, buffer), (chunk, values)| {
            let start = chunk * CHUNK_ROWS;
            let inputs = features.rows(&Rows::Range(start..start + values.len()), network.encoder(), buffer);
            let outputs = tape.forward(network, inputs);
            values.copy_from_slice(outputs.as_slice().expect("one output a row"));
        },
    );
    values
}

/// What a group works with.
#[derive(Debug, Default)]
pub struct LinearScratch {
    features: Vec<f32>,
    /// With respect to the features.
    gradient: Vec<f32>,
}

/// Half the mean squared error of measurements, for a network of one output.
pub struct LinearObjective<'a, F, A> {
    features: F,
    operator: &'a A,
    measured: &'a [f32],
    /// Of the step at hand, with respect to the field.
    gradient: Vec<f32>,
    loss: f64,
}

impl<'a, F: Features, A: LinearOperator> LinearObjective<'a, F, A> {
    /// An objective over the grid whose features these are.
    pub fn new(features: F, operator: &'a A, measured: &'a [f32]) -> Self {
        Self { features, operator, measured, gradient: Vec::new(), loss: 0.0 }
    }
}

impl<F: Features, A: LinearOperator> Objective for LinearObjective<'_, F, A> {
    type Scratch = LinearScratch;

    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError> {
        self.features.begin_step(step, networks[0].encoder());
        let mut residual = self.operator.apply(&field(&self.features, &networks[0]));
        let part = 1.0 / self.measured.len() as f32;
        let mut squares = 0.0;
        for (value, &measured) in residual.iter_mut().zip(self.measured) {
            let difference = *value - measured;
            squares += f64::from(difference) * f64::from(difference);
            *value = part * difference;
        }
        self.loss = 0.5 * squares / self.measured.len() as f64;
        self.gradient = self.operator.adjoint(&residual);
        Ok(self.gradient.len().div_ceil(CHUNK_ROWS))
    }

    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<LinearScratch>) -> f64 {
        let LinearScratch { features, gradient } = &mut pass.scratch;
        let range = chunk * CHUNK_ROWS..((chunk + 1) * CHUNK_ROWS).min(self.gradient.len());
        let rows = Rows::Range(range.clone());
        let (network, tape) = (&networks[0], &mut pass.tapes[0]);
        let features = self.features.rows(&rows, network.encoder(), features);
        tape.forward(network, features);
        let outputs = ArrayView2::from_shape((range.len(), 1), &self.gradient[range]).expect("one output a row");
        let backward = Backward { network, tape, features, outputs, gradient: &mut pass.gradients[0] };
        backward.run(gradient, |gradient, into| {
            self.features.add_gradient(&FeatureGradient { rows: &rows, features, gradient }, into);
        });
        // The loss is that of the whole step.
        if chunk == 0 { self.loss } else { 0.0 }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::network::encoding::{EncodingKind, EncodingParams};
    use crate::network::grid::GridParams;
    use crate::network::trained_encoding::TrainedEncoding;
    use crate::network::{Initialization, OutputActivation, Shape};
    use crate::training::loss_and_gradients;

    /// ⟨A·f, r⟩ = ⟨f, Aᵀ·r⟩ for random f and r, and the gradient of the loss against differences.
    pub(in crate::inverse) fn check(operator: &impl LinearOperator, samples: usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let f: Vec<f32> = (0..samples).map(|_| rng.random_range(-1.0..1.0)).collect();
        let applied = operator.apply(&f);
        let r: Vec<f32> = applied.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let (forward, backward) = (dot(&applied, &r), dot(&f, &operator.adjoint(&r)));
        let size = (dot(&applied, &applied) * dot(&r, &r)).sqrt();
        assert!((forward - backward).abs() < 1e-5 * size, "{forward} {backward}");

        let measured = operator.apply(&f);
        for kind in [EncodingKind::None, EncodingKind::Gaussian, EncodingKind::Grid] {
            check_gradient(operator, &measured, kind, samples);
        }
    }

    /// The gradient of the loss against differences, that of the encoding's own parameters too.
    fn check_gradient(operator: &impl LinearOperator, measured: &[f32], kind: EncodingKind, samples: usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let grid = GridParams { levels: vec!["4".parse().unwrap()], ..GridParams::default() };
        let params =
            EncodingParams { kind, frequencies: 3, scale: 1.0, learned: true, grid, ..EncodingParams::default() };
        let encoding = TrainedEncoding::new(&params, params.check(3).unwrap());
        let shape = Shape::new(encoding.start().features_len(), &[7], 1, OutputActivation::Sigmoid)
            .with_encoder(encoding.parameters_len());
        let mut networks = vec![Mlp::new(shape, Initialization::Glorot, &mut rng)];
        encoding.begin(&mut networks[0], &mut rng);
        let features = encoding.features(Array2::from_shape_simple_fn((samples, 3), || rng.random()), 9);
        let mut objective = LinearObjective::new(features, operator, measured);
        let (_, gradients) = loss_and_gradients(&mut objective, 0, &networks).unwrap();
        let scale = gradients[0].iter().fold(0.0f32, |most, value| most.max(value.abs()));
        for (parameter, &gradient) in gradients[0].iter().enumerate() {
            let mut difference = |step: f32| {
                let mut loss_at = |offset: f32| {
                    networks[0].parameters_mut()[parameter] += offset;
                    let loss = objective.begin_step(0, &networks).map(|_| objective.loss).unwrap();
                    networks[0].parameters_mut()[parameter] -= offset;
                    loss
                };
                ((loss_at(step) - loss_at(-step)) / f64::from(2.0 * step)) as f32
            };
            // Rounding spoils small steps, the corners of ReLUs large ones.
            let differences = [1e-2, 2e-3].map(&mut difference);
            let agrees = differences.iter().any(|difference| (difference - gradient).abs() < 0.02 * scale);
            assert!(agrees, "{kind:?} {parameter}: {differences:?} {gradient}");
        }
    }
}
