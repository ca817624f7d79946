//! How the outputs of a network move with the rows of one layer, to first order.
//!
//! A change d of a row (bias first) moves output k at calibration point i by J_ik · (1, x_i)·d: x_i is what the layer
//! takes there, and J_ik the derivative of the output with respect to what the row gives before its activation. So the
//! errors that one row leaves in the outputs can be made good by the rows after it.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::artifact::dense_layer::DenseLayer;
use crate::network::{Activations, HiddenActivation, OutputActivation, vectorized};

/// Calibration points that one thread takes at a time. Sums are over these parts, so that no bit depends on the number
/// of threads.
const CHUNK: usize = 256;

/// The outputs of `layers` `[n, out]` for what the first of them takes, `[n, in]`, in real numbers.
pub(super) fn outputs(layers: &[DenseLayer], inputs: &Array2<f64>, activations: Activations) -> Array2<f64> {
    let (last, hidden) = layers.split_last().expect("at least one layer");
    let values = hidden.iter().fold(inputs.clone(), |x, layer| layer.apply(&x).mapv_into(|z| activate(activations, z)));
    last.apply(&values).mapv_into(|z| output(activations, z))
}

fn activate(activations: Activations, z: f64) -> f64 {
    match activations.hidden {
        HiddenActivation::Relu => z.max(0.0),
        HiddenActivation::Sine => z.sin(),
    }
}

fn output(activations: Activations, z: f64) -> f64 {
    match activations.output {
        OutputActivation::Linear => z,
        OutputActivation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
    }
}

/// The first-order model of a network's outputs in the rows of one layer.
pub(super) struct Linearization {
    /// What the outputs lack, `[n · out]`: those at hand less the wanted ones.
    errors: Vec<f64>,
    /// J of each row, `[n · out]`.
    slopes: Vec<Vec<f64>>,
    outputs: usize,
}

impl Linearization {
    /// Of the first of `layers`, which takes `inputs` `[n, in]`, while the others stay as they are; `wanted` are the
    /// outputs `[n, out]`.
    pub(super) fn new(
        layers: &[DenseLayer],
        inputs: &Array2<f64>,
        activations: Activations,
        wanted: &Array2<f64>,
    ) -> Self {
        let mut before_activation = vec![layers[0].apply(inputs)];
        for layer in &layers[1..] {
            let values = before_activation[before_activation.len() - 1].mapv(|z| activate(activations, z));
            before_activation.push(layer.apply(&values));
        }
        let logits = &before_activation[layers.len() - 1];
        let errors = logits.mapv(|z| output(activations, z)) - wanted;
        let outputs = errors.ncols();
        let mut slopes = vec![vec![0.0; errors.len()]; layers[0].bias.len()];
        for k in 0..outputs {
            let mut gradient = Array2::zeros(logits.raw_dim());
            gradient.column_mut(k).assign(&logits.column(k).mapv(|z| match activations.output {
                OutputActivation::Linear => 1.0,
                OutputActivation::Sigmoid => output(activations, z) * (1.0 - output(activations, z)),
            }));
            for (layer, z) in layers[1..].iter().zip(&before_activation).rev() {
                gradient = gradient.dot(&layer.weights.mapv(f64::from));
                gradient.zip_mut_with(z, |gradient, &z| match activations.hidden {
                    HiddenActivation::Relu => *gradient *= f64::from(u8::from(z > 0.0)),
                    HiddenActivation::Sine => *gradient *= z.cos(),
                });
            }
            for (slopes, gradient) in slopes.iter_mut().zip(gradient.axis_iter(Axis(1))) {
                slopes
                    .iter_mut()
                    .skip(k)
                    .step_by(outputs)
                    .zip(gradient)
                    .for_each(|(slope, gradient)| *slope = *gradient);
            }
        }
        Self { errors: errors.into_iter().collect(), slopes, outputs }
    }

    /// Half the gradient of the sum of the squared errors with respect to row `row`; `inputs` `[n, 1 + in]` begin with
    /// ones.
    pub(super) fn gradient(&self, row: usize, inputs: &Array2<f64>) -> Vec<f64> {
        let width = inputs.ncols();
        let parts: Vec<Vec<f64>> = self
            .chunks(row, inputs)
            .map(|(errors, slopes, inputs)| {
                let mut sum = vec![0.0; width];
                vectorized(
                    #[inline(always)]
                    || {
                        let points = errors.chunks_exact(self.outputs).zip(slopes.chunks_exact(self.outputs));
                        for ((errors, slopes), input) in points.zip(inputs.chunks_exact(width)) {
                            add_multiple(&mut sum, dot(errors, slopes), input);
                        }
                    },
                );
                sum
            })
            .collect();
        let mut gradient = vec![0.0; width];
        parts.iter().for_each(|part| add_multiple(&mut gradient, 1.0, part));
        gradient
    }

    /// The multiple of `direction` by which row `row` should change for the smallest errors; zero where it moves
    /// nothing.
    pub(super) fn best_multiple(&self, row: usize, direction: &[f64], inputs: &Array2<f64>) -> f64 {
        let parts: Vec<(f64, f64)> = self
            .chunks(row, inputs)
            .map(|(errors, slopes, inputs)| {
                let (mut along, mut square) = (0.0, 0.0);
                vectorized(
                    #[inline(always)]
                    || {
                        let points = errors.chunks_exact(self.outputs).zip(slopes.chunks_exact(self.outputs));
                        for ((errors, slopes), input) in points.zip(inputs.chunks_exact(direction.len())) {
                            let change = dot(input, direction);
                            along += dot(errors, slopes) * change;
                            square += dot(slopes, slopes) * change * change;
                        }
                    },
                );
                (along, square)
            })
            .collect();
        let (along, square) = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        if square > 0.0 { -along / square } else { 0.0 }
    }

    /// Changes row `row` by `change`.
    pub(super) fn change(&mut self, row: usize, change: &[f64], inputs: &Array2<f64>) {
        let (outputs, width) = (self.outputs, inputs.ncols());
        self.errors
            .par_chunks_mut(CHUNK * outputs)
            .zip(self.slopes[row].par_chunks(CHUNK * outputs))
            .zip(row_major(inputs).par_chunks(CHUNK * width))
            .for_each(|((errors, slopes), inputs)| {
                vectorized(
                    #[inline(always)]
                    || {
                        let points = errors.chunks_exact_mut(outputs).zip(slopes.chunks_exact(outputs));
                        for ((errors, slopes), input) in points.zip(inputs.chunks_exact(width)) {
                            add_multiple(errors, dot(input, change), slopes);
                        }
                    },
                );
            });
    }

    /// Errors and slopes `[out]` of a row and inputs `[1 + in]`, of some points at a time.
    fn chunks<'a>(
        &'a self,
        row: usize,
        inputs: &'a Array2<f64>,
    ) -> impl IndexedParallelIterator<Item = (&'a [f64], &'a [f64], &'a [f64])> {
        let (outputs, width) = (self.outputs, inputs.ncols());
        self.errors
            .par_chunks(CHUNK * outputs)
            .zip(self.slopes[row].par_chunks(CHUNK * outputs))
            .zip(row_major(inputs).par_chunks(CHUNK * width))
            .map(|((errors, slopes), inputs)| (errors, slopes, inputs))
    }
}

fn row_major(inputs: &Array2<f64>) -> &[f64] {
    inputs.as_slice().expect("row-major")
}

/// Adds `factor · a` to `sum`.
#[inline(always)]
fn add_multiple(sum: &mut [f64], factor: f64, a: &[f64]) {
    for (sum, a) in sum.iter_mut().zip(a) {
        *sum += factor * a;
    }
}

/// In eight sums side by side, which processors add at once.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut sum: f64 = 0.0;
    for (a, b) in a_rest.iter().zip(b_rest) {
        sum += a * b;
    }
    for lane in sums {
        sum += lane;
    }
    sum
}
