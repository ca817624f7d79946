//! The multilayer perceptron: parameters, forward pass, backward pass.
//!
//! Layer l computes `z = x·Wᵀ + b` with weights `[out, in]` (row-major, as PyTorch has them); hidden layers apply ReLU,
//! the last one is linear or a sigmoid. All parameters of a network lie in one vector, layer by layer, weights before
//! bias, so that optimizers and reductions see one slice; gradients have the same layout.
//!
//! A [`Tape`] holds the activations of one pass. Passes of different tapes are independent, which is how the training
//! loop runs chunks of a batch side by side and how networks are chained: the gradient with respect to the inputs of
//! one network is the gradient of the outputs of the one before it.

use crate::matmul::{Accumulate, Real, multiply_into};
pub use firmware_core::OutputActivation;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How the parameters start.
///
/// Normal deviates are drawn in f64, layer by layer, weights before biases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Weights: normal with variance `2/(in + out)`, cut at two deviations and rescaled to keep the variance; biases
    /// N(0, 0.01²). What the networks of Tancik et al. (2020) start from (the defaults of JAX's stax).
    #[default]
    Glorot,
    /// Weights N(0, 2/in), biases 0: keeps the variance of activations through ReLU layers.
    He,
    /// Weights N(0, weight_std²/in), biases N(0, bias_std²): the standard parametrization of kernel theory.
    Normal {
        /// Deviation of a weight times √in.
        weight_std: f64,
        /// Deviation of a bias.
        bias_std: f64,
    },
}

/// The shape of a network: what determines the layout of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Width of each layer's values, inputs first, outputs last: at least two entries, none zero.
    pub widths: Vec<usize>,
    /// Activation of the last layer.
    pub output: OutputActivation,
}

impl Shape {
    /// `inputs` → `hidden`… → `outputs`.
    ///
    /// # Panics
    /// If a width is zero; commands check what users give before they come here.
    pub fn new(inputs: usize, hidden: &[usize], outputs: usize, output: OutputActivation) -> Self {
        let widths: Vec<usize> = [inputs].into_iter().chain(hidden.iter().copied()).chain([outputs]).collect();
        assert!(widths.iter().all(|&width| width > 0), "a layer of no width");
        Self { widths, output }
    }

    /// Number of layers with weights.
    pub fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    /// Number of input values.
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    /// Number of output values.
    pub fn outputs(&self) -> usize {
        self.widths[self.layers()]
    }

    /// Number of parameters.
    pub fn parameters_len(&self) -> usize {
        self.biases_range(self.layers() - 1).end
    }

    /// Where the weights `[out, in]` of `layer` lie among the parameters.
    pub fn weights_range(&self, layer: usize) -> Range<usize> {
        let start: usize = (0..layer).map(|l| (self.widths[l] + 1) * self.widths[l + 1]).sum();
        start..start + self.widths[layer] * self.widths[layer + 1]
    }

    /// Where the biases `[out]` of `layer` lie among the parameters.
    pub fn biases_range(&self, layer: usize) -> Range<usize> {
        let start = self.weights_range(layer).end;
        start..start + self.widths[layer + 1]
    }

    /// Multiply-adds of one training step on one sample: forward, gradient of the parameters, gradient of every hidden
    /// value (of the inputs too if asked).
    pub fn step_multiply_adds(&self, input_gradient: bool) -> usize {
        let all: usize = self.widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
        3 * all - if input_gradient { 0 } else { self.widths[0] * self.widths[1] }
    }

    fn weights<'a, T>(&self, parameters: &'a [T], layer: usize) -> ArrayView2<'a, T> {
        let shape = (self.widths[layer + 1], self.widths[layer]);
        ArrayView2::from_shape(shape, &parameters[self.weights_range(layer)]).expect("the range has this length")
    }

    fn gradients<'a, T>(&self, gradient: &'a mut [T], layer: usize) -> (ArrayViewMut2<'a, T>, &'a mut [T]) {
        let shape = (self.widths[layer + 1], self.widths[layer]);
        let both = &mut gradient[self.weights_range(layer).start..self.biases_range(layer).end];
        let (weights, biases) = both.split_at_mut(shape.0 * shape.1);
        (ArrayViewMut2::from_shape(shape, weights).expect("the range has this length"), biases)
    }
}

/// A network: a shape and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp<T> {
    shape: Shape,
    parameters: Vec<T>,
}

impl<T: Real> Mlp<T> {
    /// A network with random parameters.
    pub fn new(shape: Shape, initialization: Initialization, rng: &mut impl rand::Rng) -> Self {
        let mut parameters = Vec::with_capacity(shape.parameters_len());
        for pair in shape.widths.windows(2) {
            let (inputs, outputs) = (pair[0] as f64, pair[1] as f64);
            // 0.8796… is the deviation of a normal variable cut at ±2.
            let (weight_std, bias_std, cut) = match initialization {
                Initialization::Glorot => ((2.0 / (inputs + outputs)).sqrt() / 0.879_625_661_034_239_8, 0.01, 2.0),
                Initialization::He => ((2.0 / inputs).sqrt(), 0.0, f64::INFINITY),
                Initialization::Normal { weight_std, bias_std } => {
                    (weight_std / inputs.sqrt(), bias_std, f64::INFINITY)
                }
            };
            for _ in 0..pair[0] * pair[1] {
                parameters.push(T::from_f64(weight_std * normal_within(cut, rng)));
            }
            for _ in 0..pair[1] {
                parameters.push(T::from_f64(bias_std * normal_within(f64::INFINITY, rng)));
            }
        }
        Self { shape, parameters }
    }

    /// A network with the given parameters; `None` if their number does not fit the shape.
    pub fn from_parameters(shape: Shape, parameters: Vec<T>) -> Option<Self> {
        (parameters.len() == shape.parameters_len()).then_some(Self { shape, parameters })
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// All parameters, in the order of the module's text.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// All parameters, for whoever moves them.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// Weights `[out, in]` of a layer.
    pub fn weights(&self, layer: usize) -> ArrayView2<'_, T> {
        self.shape.weights(&self.parameters, layer)
    }

    /// Biases `[out]` of a layer.
    pub fn biases(&self, layer: usize) -> ArrayView1<'_, T> {
        ArrayView1::from(&self.parameters[self.shape.biases_range(layer)])
    }

    /// The same network in another precision.
    pub fn cast<U: Real>(&self) -> Mlp<U> {
        Mlp { shape: self.shape.clone(), parameters: self.parameters.iter().map(|p| U::from_f64(p.to_f64())).collect() }
    }

    /// Outputs `[n, out]` for inputs `[n, in]`, on all threads. Rows do not influence each other.
    pub fn predict(&self, inputs: ArrayView2<'_, T>) -> Array2<T> {
        const ROWS: usize = 512;
        let mut outputs = Array2::from_elem((inputs.nrows(), self.shape.outputs()), T::zero());
        outputs
            .axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .zip(inputs.axis_chunks_iter(Axis(0), ROWS))
            .for_each_init(Tape::default, |tape, (mut outputs, inputs)| outputs.assign(&tape.forward(self, inputs)));
        outputs
    }
}

fn normal_within(cut: f64, rng: &mut impl rand::Rng) -> f64 {
    loop {
        let sample: f64 = StandardNormal.sample(rng);
        if sample.abs() <= cut {
            return sample;
        }
    }
}

/// The values of one forward pass, kept for the backward pass; buffers are reused from pass to pass.
#[derive(Clone, Debug)]
pub struct Tape<T> {
    /// After activation, one buffer a layer, `[rows, width]`.
    activations: Vec<Vec<T>>,
    /// Gradients of the sums of the layer at hand and of the one before it.
    deltas: [Vec<T>; 2],
    rows: usize,
}

impl<T> Default for Tape<T> {
    fn default() -> Self {
        Self { activations: Vec::new(), deltas: [Vec::new(), Vec::new()], rows: 0 }
    }
}

impl<T: Real> Tape<T> {
    /// Runs `network` on `inputs` `[n, in]` and returns its outputs `[n, out]`.
    ///
    /// # Panics
    /// If the inputs do not have the network's width.
    pub fn forward(&mut self, network: &Mlp<T>, inputs: ArrayView2<'_, T>) -> ArrayView2<'_, T> {
        let shape = &network.shape;
        let layers = shape.layers();
        self.rows = inputs.nrows();
        self.activations.resize_with(layers, Vec::new);
        for layer in 0..layers {
            let width = shape.widths[layer + 1];
            let (before, from_here) = self.activations.split_at_mut(layer);
            let output = reserved(&mut from_here[0], self.rows * width);
            let input = match before.last() {
                None => inputs,
                Some(values) => rows_of(values, self.rows, shape.widths[layer]),
            };
            let (weights, biases) = (network.weights(layer), &network.parameters[shape.biases_range(layer)]);
            if layer + 1 < layers {
                multiply_into(input, weights.t(), Accumulate::Replace, rows_of_mut(output, self.rows, width));
                vectorized(|| add_bias_and_rectify(output, biases));
            } else {
                // A narrow product is several times faster when the rows of the batch fill the vector lanes.
                let sums = reserved(&mut self.deltas[0], self.rows * width);
                multiply_into(weights, input.t(), Accumulate::Replace, rows_of_mut(sums, width, self.rows));
                for (row, values) in output.chunks_exact_mut(width).enumerate() {
                    for (channel, value) in values.iter_mut().enumerate() {
                        let sum = sums[channel * self.rows + row] + biases[channel];
                        *value = match shape.output {
                            OutputActivation::Linear => sum,
                            OutputActivation::Sigmoid => T::one() / (T::one() + (T::zero() - sum).exp()),
                        };
                    }
                }
            }
        }
        self.outputs(network)
    }

    /// The outputs of the last forward pass, `[n, out]`.
    pub fn outputs(&self, network: &Mlp<T>) -> ArrayView2<'_, T> {
        rows_of(&self.activations[network.shape.layers() - 1], self.rows, network.shape.outputs())
    }

    /// Adds to `gradient` the gradient of the loss with respect to every parameter, given that with respect to the
    /// outputs of the last forward pass of this tape, which was of `network` on `inputs`; writes the gradient with
    /// respect to the inputs where asked.
    ///
    /// # Panics
    /// If shapes differ from those of the forward pass.
    pub fn backward(
        &mut self,
        network: &Mlp<T>,
        inputs: ArrayView2<'_, T>,
        output_gradient: ArrayView2<'_, T>,
        gradient: &mut [T],
        input_gradient: Option<ArrayViewMut2<'_, T>>,
    ) {
        let shape = &network.shape;
        let (rows, last) = (self.rows, shape.layers() - 1);
        assert_eq!(output_gradient.dim(), (rows, shape.outputs()), "the gradient has not the shape of the outputs");
        assert_eq!(gradient.len(), network.parameters.len(), "the gradient has not the layout of the parameters");
        let [delta, previous] = &mut self.deltas;

        let (_, bias_gradient) = shape.gradients(gradient, last);
        let outputs = rows_of(&self.activations[last], rows, shape.outputs());
        let mut first_delta = rows_of_mut(reserved(delta, rows * shape.outputs()), rows, shape.outputs());
        ndarray::Zip::from(&mut first_delta).and(outputs).and(output_gradient).for_each(|delta, &y, &dy| {
            *delta = match shape.output {
                OutputActivation::Linear => dy,
                OutputActivation::Sigmoid => dy * y * (T::one() - y),
            };
        });
        for row in first_delta.rows() {
            for (sum, &value) in bias_gradient.iter_mut().zip(row) {
                *sum += value;
            }
        }

        for layer in (0..=last).rev() {
            let (width, width_before) = (shape.widths[layer + 1], shape.widths[layer]);
            let input = if layer == 0 { inputs } else { rows_of(&self.activations[layer - 1], rows, width_before) };
            let sums = rows_of(&*delta, rows, width);
            multiply_into(sums.t(), input, Accumulate::Add, shape.gradients(gradient, layer).0);
            if layer > 0 {
                let before = reserved(previous, rows * width_before);
                multiply_into(
                    sums,
                    network.weights(layer),
                    Accumulate::Replace,
                    rows_of_mut(before, rows, width_before),
                );
                let (_, bias_gradient) = shape.gradients(gradient, layer - 1);
                let activations = &self.activations[layer - 1][..rows * width_before];
                vectorized(|| mask_and_sum(before, activations, bias_gradient));
                std::mem::swap(delta, previous);
            }
        }
        if let Some(input_gradient) = input_gradient {
            multiply_into(
                rows_of(&*delta, rows, shape.widths[1]),
                network.weights(0),
                Accumulate::Replace,
                input_gradient,
            );
        }
    }
}

/// Runs a loop with the widest vector instructions of the machine. Elementwise sums and products round alike in all.
pub(crate) fn vectorized<R>(run: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(run)
}

#[inline(always)]
fn add_bias_and_rectify<T: Real>(values: &mut [T], biases: &[T]) {
    for row in values.chunks_exact_mut(biases.len()) {
        for (value, &bias) in row.iter_mut().zip(biases) {
            let sum = *value + bias;
            // NaN must pass, so that a run that diverges is noticed.
            *value = if sum < T::zero() { T::zero() } else { sum };
        }
    }
}

/// Zeroes gradients where the unit was off, and adds up each column.
#[inline(always)]
fn mask_and_sum<T: Real>(deltas: &mut [T], activations: &[T], sums: &mut [T]) {
    for (deltas, activations) in deltas.chunks_exact_mut(sums.len()).zip(activations.chunks_exact(sums.len())) {
        for ((delta, &activation), sum) in deltas.iter_mut().zip(activations).zip(&mut *sums) {
            let value = if activation > T::zero() { *delta } else { T::zero() };
            *delta = value;
            *sum += value;
        }
    }
}

/// The first `len` values of a buffer that grows as needed and never shrinks.
fn reserved<T: Real>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::zero());
    }
    &mut buffer[..len]
}

fn rows_of<T>(values: &[T], rows: usize, width: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, width), &values[..rows * width]).expect("the length fits the shape")
}

fn rows_of_mut<T>(values: &mut [T], rows: usize, width: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, width), &mut values[..rows * width]).expect("the length fits the shape")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-1.0..1.0))
    }

    /// A loss with a plain gradient: Σ weights ⊙ outputs².
    fn loss(network: &Mlp<f64>, inputs: &Array2<f64>, weights: &Array2<f64>) -> f64 {
        (&network.predict(inputs.view()).mapv(|y| y * y) * weights).sum()
    }

    /// Compares a derivative with a central difference, unless a ReLU switches inside the interval: then the
    /// differences over the interval and over a fifth of it disagree.
    fn check(exact: f64, what: &str, mut value_at: impl FnMut(f64) -> f64) -> bool {
        let mut central = |step: f64| (value_at(step) - value_at(-step)) / (2.0 * step);
        let (wide, narrow) = (central(5e-5), central(1e-5));
        let tolerance = 1e-7 * (1.0 + exact.abs());
        if (wide - narrow).abs() > tolerance {
            return false;
        }
        assert!((exact - narrow).abs() < 3.0 * tolerance, "{what}: {exact} but {narrow} by differences");
        true
    }

    #[test]
    fn gradients_match_finite_differences_in_f64() {
        for output in [OutputActivation::Linear, OutputActivation::Sigmoid] {
            for hidden in [&[][..], &[9], &[17, 12, 8]] {
                let shape = Shape::new(7, hidden, 3, output);
                let mut rng = ChaCha8Rng::seed_from_u64(3);
                let init = Initialization::Normal { weight_std: 1.4, bias_std: 0.3 };
                let mut network = Mlp::<f64>::new(shape.clone(), init, &mut rng);
                let (inputs, weights) = (random(21, 7, 1), random(21, 3, 2));
                let mut tape = Tape::default();
                let outputs = tape.forward(&network, inputs.view()).to_owned();
                let mut gradient = vec![0.0; shape.parameters_len()];
                let mut input_gradient = Array2::zeros((21, 7));
                let dy = &outputs * &weights * 2.0;
                let into = Some(input_gradient.view_mut());
                tape.backward(&network, inputs.view(), dy.view(), &mut gradient, into);

                let mut smooth = 0;
                for (index, &exact) in gradient.iter().enumerate() {
                    let start = network.parameters[index];
                    let ok = check(exact, &format!("{output:?} {hidden:?} parameter {index}"), |step| {
                        network.parameters[index] = start + step;
                        loss(&network, &inputs, &weights)
                    });
                    network.parameters[index] = start;
                    smooth += usize::from(ok);
                }
                assert!(smooth * 10 > gradient.len() * 9, "too few smooth places: {smooth} of {}", gradient.len());
                for row in 0..21 {
                    for column in 0..7 {
                        let mut moved = inputs.clone();
                        check(input_gradient[[row, column]], &format!("input {row} {column}"), |step| {
                            moved[[row, column]] = inputs[[row, column]] + step;
                            loss(&network, &moved, &weights)
                        });
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_add_up_over_passes_of_one_tape() {
        let shape = Shape::new(5, &[6, 4], 2, OutputActivation::Linear);
        let network = Mlp::<f64>::new(shape, Initialization::He, &mut ChaCha8Rng::seed_from_u64(0));
        let (inputs, dy) = (random(30, 5, 4), random(30, 2, 5));
        let gradient_of = |chunks: &[Range<usize>]| {
            let (mut tape, mut gradient) = (Tape::default(), vec![0.0; network.parameters.len()]);
            for chunk in chunks {
                let rows = ndarray::s![chunk.clone(), ..];
                tape.forward(&network, inputs.slice(rows));
                tape.backward(&network, inputs.slice(rows), dy.slice(rows), &mut gradient, None);
            }
            gradient
        };
        let (whole, parts) = (gradient_of(&[0..30, 30..30]), gradient_of(&[0..17, 17..18, 18..30]));
        for (whole, part) in whole.iter().zip(parts) {
            assert!((whole - part).abs() < 1e-12);
        }
    }

    #[test]
    fn parameters_start_with_the_promised_deviations() {
        let shape = Shape::new(300, &[500], 2, OutputActivation::Linear);
        for (initialization, weight, bias) in [
            (Initialization::Glorot, (2.0f64 / 800.0).sqrt(), 0.01),
            (Initialization::He, (2.0f64 / 300.0).sqrt(), 0.0),
            (Initialization::Normal { weight_std: 1.0, bias_std: 0.5 }, (1.0f64 / 300.0).sqrt(), 0.5),
        ] {
            let network = Mlp::<f64>::new(shape.clone(), initialization, &mut ChaCha8Rng::seed_from_u64(1));
            assert!((network.weights(0).std(0.0) / weight - 1.0).abs() < 0.01, "{initialization:?}");
            assert!((network.biases(0).std(0.0) - bias).abs() <= 0.1 * bias);
            if initialization == Initialization::Glorot {
                assert!(network.weights(0).iter().all(|w| w.abs() < 2.0 * weight / 0.879));
            }
        }
    }

    #[test]
    fn layers_lie_where_the_shape_says() {
        let shape = Shape::new(2, &[3], 1, OutputActivation::Linear);
        assert_eq!(shape.parameters_len(), 13);
        let network = Mlp::from_parameters(shape.clone(), (0..13).map(f64::from).collect()).unwrap();
        assert_eq!(network.weights(0), ndarray::array![[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
        assert_eq!(network.biases(0), ndarray::array![6.0, 7.0, 8.0]);
        assert_eq!(network.weights(1), ndarray::array![[9.0, 10.0, 11.0]]);
        assert_eq!(network.biases(1), ndarray::array![12.0]);
        assert!(Mlp::from_parameters(shape, vec![0.0; 12]).is_none());
    }
}
