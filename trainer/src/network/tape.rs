//! Forward and backward passes.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{HiddenActivation, Mlp, OutputActivation, Shape};
use crate::network::matmul::{Accumulate, Real, multiply_into};

/// The values of one forward pass, kept for the backward pass; buffers are reused from pass to pass.
#[derive(Clone, Debug)]
pub struct Tape<T> {
    /// After activation, one buffer a layer, `[rows, width]`.
    activations: Vec<Vec<T>>,
    /// Slopes of the sines in hidden layers, as `activations`; those of a ReLU show in its values.
    slopes: Vec<Vec<T>>,
    /// Gradients of the sums of the layer at hand and of the one before it.
    deltas: [Vec<T>; 2],
    rows: usize,
}

/// Gradients of the loss in a backward pass: what is known of them, and where the others go.
pub struct Gradients<'a, T> {
    /// Read: with respect to the outputs, `[n, out]`.
    pub outputs: ArrayView2<'a, T>,
    /// Added to: with respect to every parameter, in the layout of [`Mlp::parameters`].
    pub parameters: &'a mut [T],
    /// Written where asked: with respect to the inputs, `[n, in]`.
    pub inputs: Option<ArrayViewMut2<'a, T>>,
}

impl<T> Default for Tape<T> {
    fn default() -> Self {
        Self { activations: Vec::new(), slopes: Vec::new(), deltas: [Vec::new(), Vec::new()], rows: 0 }
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
        self.slopes.resize_with(layers, Vec::new);
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
                match shape.hidden {
                    HiddenActivation::Relu => vectorized(
                        #[inline(always)]
                        || add_bias_and_rectify(output, biases),
                    ),
                    HiddenActivation::Sine => {
                        let slopes = reserved(&mut self.slopes[layer], self.rows * width);
                        vectorized(
                            #[inline(always)]
                            || add_bias_and_take_sine(output, slopes, biases),
                        );
                    }
                }
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

    /// Computes the [`Gradients`] of the last forward pass of this tape, which was of `network` on `inputs`.
    ///
    /// # Panics
    /// If shapes differ from those of the forward pass.
    pub fn backward(&mut self, network: &Mlp<T>, inputs: ArrayView2<'_, T>, gradients: Gradients<'_, T>) {
        let Gradients { outputs: output_gradient, parameters: gradient, inputs: input_gradient } = gradients;
        let shape = &network.shape;
        let (rows, last) = (self.rows, shape.layers() - 1);
        assert_eq!(output_gradient.dim(), (rows, shape.outputs()), "the gradient has not the shape of the outputs");
        assert_eq!(gradient.len(), network.parameters.len(), "the gradient has not the layout of the parameters");
        self.differentiate_outputs(shape, output_gradient, shape.gradients(gradient, last).1);
        let [delta, previous] = &mut self.deltas;
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
                match shape.hidden {
                    HiddenActivation::Relu => vectorized(
                        #[inline(always)]
                        || mask_and_sum(before, activations, bias_gradient),
                    ),
                    HiddenActivation::Sine => {
                        let slopes = &self.slopes[layer - 1][..rows * width_before];
                        vectorized(
                            #[inline(always)]
                            || multiply_and_sum(before, slopes, bias_gradient),
                        );
                    }
                }
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

    /// Begins the way back: the gradient with respect to what the last layer gives before its activation, and its sum
    /// over the rows for the bias.
    fn differentiate_outputs(&mut self, shape: &Shape, output_gradient: ArrayView2<'_, T>, bias_gradient: &mut [T]) {
        let (rows, last) = (self.rows, shape.layers() - 1);
        let outputs = rows_of(&self.activations[last], rows, shape.outputs());
        let delta = reserved(&mut self.deltas[0], rows * shape.outputs());
        let mut first_delta = rows_of_mut(delta, rows, shape.outputs());
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
    }
}

/// Runs a loop with the widest vector instructions of the machine. Elementwise sums and products round alike in all.
/// The closure must be `#[inline(always)]`: one that is compiled as a function of its own has none of these
/// instructions.
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

#[inline(always)]
fn add_bias_and_take_sine<T: Real>(values: &mut [T], slopes: &mut [T], biases: &[T]) {
    for row in values.chunks_exact_mut(biases.len()) {
        for (value, &bias) in row.iter_mut().zip(biases) {
            *value += bias;
        }
    }
    // Over all rows at once: their ends would not fill a vector.
    for (value, slope) in values.iter_mut().zip(slopes) {
        (*value, *slope) = value.sin_cos();
    }
}

/// Multiplies gradients by the slopes of the units, and adds up each column.
#[inline(always)]
fn multiply_and_sum<T: Real>(deltas: &mut [T], slopes: &[T], sums: &mut [T]) {
    for (deltas, slopes) in deltas.chunks_exact_mut(sums.len()).zip(slopes.chunks_exact(sums.len())) {
        for ((delta, &slope), sum) in deltas.iter_mut().zip(slopes).zip(&mut *sums) {
            *delta = *delta * slope;
            *sum += *delta;
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
