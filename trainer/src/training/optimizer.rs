//! Optimizers and learning-rate schedules.
//!
//! They work on the flat parameter vector of a network, most of them element by element, so that they can run on any
//! part of it on any thread with the same result.

pub use super::adam::Adam;
use super::adam::Part;
use super::muon::{self, MatrixStep, Muon};
use crate::network::{Shape, vectorized};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Parameters that one task of an update works on.
const UPDATE_BLOCK: usize = 8192;

/// How a gradient moves the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Adam (Kingma and Ba, 2015).
    Adam(Adam),
    /// Muon for weight matrices and Adam for the rest.
    Muon(Muon),
    /// Gradient descent without momentum.
    GradientDescent(GradientDescent),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// `p -= η·f·g` with one factor f for the weights and one for the biases of each layer.
///
/// Gradient descent in the NTK parametrization, where the weights are `σ_w/√in · ω` and the biases `σ_b · β`, with ω
/// and β trained, is gradient descent on the weights themselves with factors `σ_w²/in` and `σ_b²`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GradientDescent {
    /// (weights, biases) of each layer; empty: 1 for all.
    pub factors: Vec<(f64, f64)>,
}

impl GradientDescent {
    /// The factors that make gradient descent on `shape` that of the NTK parametrization.
    pub fn ntk(shape: &Shape, weight_std: f64, bias_std: f64) -> Self {
        let factors = shape.widths[..shape.layers()]
            .iter()
            .map(|&inputs| (weight_std * weight_std / inputs as f64, bias_std * bias_std))
            .collect();
        Self { factors }
    }
}

/// What an optimizer remembers of one network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Decaying mean of the gradients (of Muon's matrices: their decaying sum); empty before the first step, and for
    /// gradient descent.
    pub first: Vec<f32>,
    /// Decaying mean of their squares, for Adam.
    pub second: Vec<f32>,
}

/// All parameters of a network of this shape, with all that belongs to them.
pub(crate) struct Update<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) parameters: &'a mut [f32],
    pub(crate) moments: &'a mut Moments,
    pub(crate) gradient: &'a [f32],
}

/// The learning rates of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Of weights and biases; Muon has a factor for its matrices.
    pub(crate) layers: f64,
    /// Of the parameters of the encoding.
    pub(crate) encoder: f64,
}

impl Optimizer {
    /// Moves the parameters of a network. `step` counts from 0.
    pub(crate) fn update(&self, step: u64, rates: Rates, update: Update<'_>) {
        let adam = match self {
            Self::GradientDescent(descent) => return descent.update(rates, update),
            Self::Adam(adam) => adam,
            Self::Muon(muon) => &muon.adam,
        };
        let Update { shape, parameters, moments, gradient } = update;
        moments.first.resize(parameters.len(), 0.0);
        moments.second.resize(parameters.len(), 0.0);
        for range in self.ranges_of_adam(shape) {
            let is_encoder = range.start >= shape.encoder_range().start;
            let rate = if is_encoder { rates.encoder } else { rates.layers };
            let second = moments.second[range.clone()].par_chunks_mut(UPDATE_BLOCK);
            let first = moments.first[range.clone()].par_chunks_mut(UPDATE_BLOCK);
            let parameters = parameters[range.clone()].par_chunks_mut(UPDATE_BLOCK);
            let gradient = gradient[range].par_chunks(UPDATE_BLOCK);
            parameters.zip(gradient).zip(first.zip(second)).for_each(|((parameters, gradient), (first, second))| {
                let part = Part { parameters, gradient, first, second };
                vectorized(
                    #[inline(always)]
                    || adam.update(step, rate, part),
                );
            });
        }
        if let Self::Muon(muon) = self {
            for layer in muon::matrices(shape) {
                let range = shape.weights_range(layer);
                let dim = (shape.widths[layer + 1], shape.widths[layer]);
                let (parameters, first) = (&mut parameters[range.clone()], &mut moments.first[range.clone()]);
                muon.update(rates.layers, dim, MatrixStep { parameters, first, gradient: &gradient[range] });
            }
        }
    }

    /// The parameters that Adam moves, in ranges that do not straddle the encoding's.
    fn ranges_of_adam(&self, shape: &Shape) -> Vec<Range<usize>> {
        let encoder = shape.encoder_range();
        let layers: Vec<Range<usize>> = if let Self::Muon(_) = self {
            let matrices = muon::matrices(shape);
            let last = matrices.end;
            let biases = matrices.map(|layer| shape.biases_range(layer));
            biases.chain(std::iter::once(shape.weights_range(last).start..encoder.start)).collect()
        } else {
            std::iter::once(0..encoder.start).collect()
        };
        layers.into_iter().chain([encoder]).filter(|range| !range.is_empty()).collect()
    }
}

impl GradientDescent {
    fn update(&self, rates: Rates, update: Update<'_>) {
        let Update { shape, parameters, gradient, .. } = update;
        let layers = (0..shape.layers()).flat_map(|layer| {
            let (weights, biases) = self.factors.get(layer).copied().unwrap_or((1.0, 1.0));
            let (weights, biases) = (rates.layers * weights, rates.layers * biases);
            [(shape.weights_range(layer), weights), (shape.biases_range(layer), biases)]
        });
        for (range, rate) in layers.chain([(shape.encoder_range(), rates.encoder)]) {
            for (parameter, gradient) in parameters[range.clone()].iter_mut().zip(&gradient[range]) {
                *parameter -= rate as f32 * gradient;
            }
        }
    }
}

/// The learning rate as a function of the step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// A factor of 1 at every step.
    Constant,
    /// Multiplied by `factor` every `every` steps, continuously.
    Exponential {
        /// What the rate is multiplied by over one period.
        factor: f64,
        /// Steps of one period, which need not be whole.
        every: f64,
    },
    /// Rises linearly over `warmup` steps, then falls along half a cosine to `floor` times the rate at the last step.
    Cosine {
        /// Steps over which the rate rises.
        warmup: u64,
        /// What is left at the end, as a part of the rate.
        floor: f64,
    },
    /// Rises linearly over `warmup` steps, stays, and falls linearly to `floor` times the rate over the last part
    /// (warmup-stable-decay; Hu et al. 2024, arXiv 2404.06395). Before that part nothing depends on how many steps
    /// there will be, so that a training can be made longer without loss.
    Stable {
        /// Steps over which the rate rises.
        warmup: u64,
        /// The last part, of all steps.
        decay: f64,
        /// What is left at the end, as a part of the rate.
        floor: f64,
    },
}

impl Schedule {
    /// What the learning rate is multiplied by at `step` (from 0) of `steps`.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        match *self {
            Self::Constant => 1.0,
            Self::Exponential { factor, every } => factor.powf(step as f64 / every),
            Self::Cosine { warmup, .. } | Self::Stable { warmup, .. } if step < warmup => {
                (step + 1) as f64 / (warmup + 1) as f64
            }
            Self::Cosine { warmup, floor } => {
                let span = steps.saturating_sub(warmup + 1).max(1);
                let done = ((step - warmup) as f64 / span as f64).min(1.0);
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            Self::Stable { decay, floor, .. } => {
                let span = (steps as f64 * decay).round().max(1.0);
                let left = (steps.saturating_sub(step + 1) as f64 / span).min(1.0);
                floor + (1.0 - floor) * left
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::OutputActivation;

    fn updated(optimizer: &Optimizer, shape: &Shape, gradients: &[Vec<f32>], rate: f64) -> Vec<f32> {
        let len = shape.parameters_len();
        let (mut parameters, mut moments) = (vec![1.0; len], Moments::default());
        for (step, gradient) in gradients.iter().enumerate() {
            let (parameters, moments) = (&mut parameters[..], &mut moments);
            let rates = Rates { layers: rate, encoder: rate };
            optimizer.update(step as u64, rates, Update { shape, parameters, moments, gradient });
        }
        parameters
    }

    #[test]
    fn adam_follows_its_definition() {
        let shape = Shape::new(1, &[], 1, OutputActivation::Linear);
        let gradients = [[0.5, -2.0], [0.25, -1.0], [-3.0, 0.0]];
        let found = updated(&Optimizer::default(), &shape, &gradients.map(|g| g.map(|x| x as f32).to_vec()), 0.1);
        for i in 0..2 {
            let (mut p, mut m, mut v) = (1.0f64, 0.0, 0.0);
            for (step, gradient) in gradients.iter().enumerate() {
                let (g, t) = (gradient[i], step as i32 + 1);
                m = 0.9 * m + 0.1 * g;
                v = 0.999 * v + 0.001 * g * g;
                p -= 0.1 * (m / (1.0 - 0.9f64.powi(t))) / ((v / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
            }
            assert!((f64::from(found[i]) - p).abs() < 1e-6, "{} {p}", found[i]);
        }
    }

    #[test]
    fn gradient_descent_scales_each_layer() {
        let shape = Shape::new(2, &[1], 1, OutputActivation::Linear); // 2 weights, 1 bias, 1 weight, 1 bias
        let descent = GradientDescent::ntk(&shape, 2.0, 0.5);
        assert_eq!(descent.factors, [(2.0, 0.25), (4.0, 0.25)]);
        let found = updated(&Optimizer::GradientDescent(descent), &shape, &[vec![1.0; 5]], 0.1);
        for (found, expected) in found.iter().zip([0.8, 0.8, 0.975, 0.6, 0.975]) {
            assert!((found - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn schedules_start_and_end_where_they_say() {
        let cosine = Schedule::Cosine { warmup: 9, floor: 0.01 };
        assert_eq!(cosine.factor(0, 110), 0.1);
        assert_eq!(cosine.factor(9, 110), 1.0);
        assert!((cosine.factor(109, 110) - 0.01).abs() < 1e-12);
        assert!((0..110).all(|step| (0.01 - 1e-12..=1.0).contains(&cosine.factor(step, 110))));
        let stable = Schedule::Stable { warmup: 9, decay: 0.3, floor: 0.01 };
        assert_eq!((stable.factor(4, 100), stable.factor(9, 100), stable.factor(69, 100)), (0.5, 1.0, 1.0));
        assert!((stable.factor(84, 100) - 0.505).abs() < 1e-12 && (stable.factor(99, 100) - 0.01).abs() < 1e-12);
        let exponential = Schedule::Exponential { factor: 0.1, every: 5000.0 };
        assert!((exponential.factor(10_000, 10_000) - 0.01).abs() < 1e-12);
    }
}
