//! The neural tangent kernel of a finite network, exact: `K(x, x') = Σ_θ ∂f(x)/∂θ · ∂f(x')/∂θ`, that is J Jᵀ, over all
//! weights, trained biases, and the parameters of an encoding that is trained with them.
//!
//! The Jacobian of the layers is never formed. For a dense layer `z = W h + b` with `δ = ∂f/∂z`, whose weights and
//! biases learn `f_W` and `f_b` times as fast as the learning rate says, the layer contributes `(δ·δ') (f_W h·h' +
//! f_b)`, so that two matrix products give its share of the Gram matrix. Those factors are 1 in the standard
//! parametrization and `σw²/in`, `σb²` in the NTK parametrization. The derivative of the ReLU at zero is zero, as in
//! training.
//!
//! An encoding h with parameters θ of its own, which are frequencies or coefficients of grids, contributes
//! `Σ_θ (δ·∂h/∂θ)(δ'·∂h'/∂θ)`, where δ is the derivative by the features. Those products come from
//! [`Features::add_gradient`], one sample at a time: they are what training moves the encoding by.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Zip, linalg::general_mat_mul, s};

use super::error::{check_columns, check_finite, check_rows};
use super::memory::Workload;
use super::ntk::{InfiniteMlp, Parametrization};
use super::{TheoryError, fill};
use crate::network::features::{FeatureGradient, Features, Rows};
use crate::network::matmul::Real;
use crate::network::{HiddenActivation, Initialization, Mlp, OutputActivation, Shape};
use crate::training::optimizer::GradientDescent;

#[cfg(test)]
mod tests;

/// A network with what its training multiplies the learning rate of each layer by.
///
/// One layer `f = w x + b` with two inputs: the derivatives are x and 1, so `K(x, x') = x·x' + 1`.
///
/// ```
/// use ndarray::array;
/// use rand::SeedableRng;
/// use trainer::network::{Initialization, Mlp, OutputActivation, Shape};
/// use trainer::theory::empirical::EmpiricalNtk;
///
/// let shape = Shape::new(2, &[], 1, OutputActivation::Linear);
/// let network = Mlp::<f32>::new(shape, Initialization::He, &mut rand_chacha::ChaCha8Rng::seed_from_u64(0));
/// let kernel = EmpiricalNtk::new(&network, &[])?;
/// let gram = kernel.gram(array![[1.0, 2.0], [0.5, -1.0]].view(), 0)?;
/// assert_eq!(gram, array![[6.0, -0.5], [-0.5, 2.25]]);
/// # Ok::<(), trainer::theory::TheoryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EmpiricalNtk {
    network: Mlp<f64>,
    /// (weights, biases) of each layer
    factors: Vec<(f64, f64)>,
    /// of the parameters of the encoding
    encoder_factor: f64,
}

/// What the kernel needs of the points along one side.
struct Trace {
    layers: Vec<LayerTrace>,
    /// derivatives by the parameters of the encoding, `[n, parameters]`; of no columns where it has none
    encoder: Array2<f64>,
}

/// What the kernel needs of each layer, for all points.
struct LayerTrace {
    /// inputs h, `[n, in]`
    inputs: Array2<f64>,
    /// δ, `[n, out]`
    sensitivities: Array2<f64>,
}

/// The points along one side of a block of the matrix.
#[derive(Clone, Copy)]
struct Side<'a> {
    /// of all points
    trace: &'a Trace,
    /// the point of the block's first row or column
    first: usize,
}

impl Trace {
    fn samples(&self) -> usize {
        self.encoder.nrows()
    }
}

impl EmpiricalNtk {
    /// The kernel of `network` under gradient descent with these `factors` of each layer's weights and biases, those of
    /// [`GradientDescent`]; none: 1 for all.
    ///
    /// # Errors
    /// Parameters that are not finite, or factors for another number of layers.
    pub fn new<T: Real>(network: &Mlp<T>, factors: &[(f64, f64)]) -> Result<Self, TheoryError> {
        let network = network.cast::<f64>();
        check_finite("the parameters", ArrayView1::from(network.parameters()).insert_axis(Axis(0)))?;
        let layers = network.shape().layers();
        let factors = if factors.is_empty() { vec![(1.0, 1.0); layers] } else { factors.to_vec() };
        check_rows("factors", factors.len(), layers, "the network's layers")?;
        Ok(Self { network, factors, encoder_factor: 1.0 })
    }

    /// The same where the parameters of the encoding learn `factor` times as fast as the learning rate says:
    /// [`encoder_rate`](crate::training::LoopParams::encoder_rate) under [`GradientDescent`].
    #[must_use]
    pub fn with_encoder_factor(self, factor: f64) -> Self {
        Self { encoder_factor: factor, ..self }
    }

    /// A network of finite `width` drawn from the initial distribution of `infinite`, with one linear output. A
    /// standard parametrization keeps its own width only in its closed-form kernel.
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] unless there are inputs and units, [`TheoryError::Memory`] for a width that does not
    /// fit.
    pub fn sample(
        infinite: &InfiniteMlp,
        inputs: usize,
        width: usize,
        rng: &mut impl rand::Rng,
    ) -> Result<Self, TheoryError> {
        if inputs == 0 || width == 0 {
            let requirement = "a network has at least one input and one unit";
            return Err(TheoryError::Parameter { name: "width", value: width as f64, requirement });
        }
        let params = infinite.params();
        // Drawn once, and once more in the order of the layers.
        Workload::Parameters
            .check(width, params.hidden_layers.saturating_mul(width.saturating_add(inputs)).saturating_mul(2))?;
        let shape = Shape::new(inputs, &vec![width; params.hidden_layers], 1, OutputActivation::Linear);
        let (weight_std, bias_std) = (params.weight_std, params.bias_std.unwrap_or(0.0));
        let factors = match params.parametrization {
            Parametrization::Ntk => GradientDescent::ntk(&shape, weight_std, bias_std).factors,
            Parametrization::Standard { .. } => {
                vec![(1.0, f64::from(u8::from(params.bias_std.is_some()))); shape.layers()]
            }
        };
        Self::new(&Mlp::<f64>::new(shape, Initialization::Normal { weight_std, bias_std }, rng), &factors)
    }

    /// The network, its parameters widened to f64.
    #[must_use]
    pub fn network(&self) -> &Mlp<f64> {
        &self.network
    }

    /// The Gram matrix `[n, n]` of one output's tangent kernel over the layers, symmetric to the last bit.
    ///
    /// # Errors
    /// Inputs that are empty, not finite or of the wrong length, an output that does not exist, or too little memory.
    pub fn gram(&self, inputs: ArrayView2<'_, f64>, output: usize) -> Result<Array2<f64>, TheoryError> {
        let trace = self.trace(inputs.to_owned(), output)?.0;
        self.within(&trace)
    }

    /// The matrix `[m, n]` of one output's tangent kernel over the layers between `left [m, f]` and `right [n, f]`.
    ///
    /// # Errors
    /// As [`Self::gram`].
    pub fn cross(
        &self,
        left: ArrayView2<'_, f64>,
        right: ArrayView2<'_, f64>,
        output: usize,
    ) -> Result<Array2<f64>, TheoryError> {
        let (left, right) = (self.trace(left.to_owned(), output)?.0, self.trace(right.to_owned(), output)?.0);
        self.between(&left, &right)
    }

    /// As [`Self::gram`] at samples of `features`, with the share of their parameters where the network
    /// [has those](Mlp::encoder).
    ///
    /// # Errors
    /// As [`Self::gram`].
    ///
    /// # Panics
    /// If the network holds another number of parameters of the encoding than the features have.
    pub fn gram_of(
        &self,
        features: &impl Features,
        samples: &Rows<'_>,
        output: usize,
    ) -> Result<Array2<f64>, TheoryError> {
        self.within(&self.encoded(features, samples, output)?)
    }

    /// As [`Self::cross`] between samples of `features`, with the share of their parameters.
    ///
    /// # Errors
    /// As [`Self::gram`].
    ///
    /// # Panics
    /// As [`Self::gram_of`].
    pub fn cross_of(
        &self,
        features: &impl Features,
        [left, right]: [&Rows<'_>; 2],
        output: usize,
    ) -> Result<Array2<f64>, TheoryError> {
        self.between(&self.encoded(features, left, output)?, &self.encoded(features, right, output)?)
    }

    fn within(&self, trace: &Trace) -> Result<Array2<f64>, TheoryError> {
        fill::symmetric(trace.samples(), |first, block| {
            self.fill(Side { trace, first }, Side { trace, first }, block);
        })
    }

    fn between(&self, left: &Trace, right: &Trace) -> Result<Array2<f64>, TheoryError> {
        fill::rows(left.samples(), right.samples(), |first, block| {
            self.fill(Side { trace: left, first }, Side { trace: right, first: 0 }, block);
        })
    }

    /// Adds every layer's share to a block with the points of `left` as rows and those of `right` as columns.
    fn fill(&self, left: Side<'_>, right: Side<'_>, mut block: ndarray::ArrayViewMut2<'_, f64>) {
        let rows = s![left.first..left.first + block.nrows(), ..];
        let columns = s![right.first..right.first + block.ncols(), ..];
        let (mut inputs, mut deltas) = (Array2::zeros(block.raw_dim()), Array2::zeros(block.raw_dim()));
        let layers = left.trace.layers.iter().zip(&right.trace.layers);
        for (&(weight, bias), (left, right)) in self.factors.iter().zip(layers) {
            general_mat_mul(weight, &left.inputs.slice(rows), &right.inputs.slice(columns).t(), 0.0, &mut inputs);
            let (ours, theirs) = (left.sensitivities.slice(rows), right.sensitivities.slice(columns));
            general_mat_mul(1.0, &ours, &theirs.t(), 0.0, &mut deltas);
            Zip::from(&mut block).and(&inputs).and(&deltas).for_each(|k, input, delta| *k += (input + bias) * delta);
        }
        let (ours, theirs) = (left.trace.encoder.slice(rows), right.trace.encoder.slice(columns));
        general_mat_mul(self.encoder_factor, &ours, &theirs.t(), 1.0, &mut block);
    }

    /// Forward and backward at samples of an encoding, and from there to the encoding's own parameters.
    fn encoded(&self, features: &impl Features, samples: &Rows<'_>, output: usize) -> Result<Trace, TheoryError> {
        let parameters: Vec<f32> = self.network.encoder().iter().map(|&parameter| parameter as f32).collect();
        Workload::Features.check(samples.len(), features.width().max(parameters.len()))?;
        let mut buffer = Vec::new();
        let rows = features.rows(samples, &parameters, &mut buffer);
        let (mut trace, derivatives) = self.trace(rows.mapv(f64::from), output)?;
        trace.encoder = Array2::zeros((samples.len(), parameters.len()));
        if parameters.is_empty() {
            return Ok(trace);
        }
        let derivatives = derivatives.mapv(|derivative| derivative as f32);
        let mut of_parameters = vec![0.0; parameters.len()];
        for (place, sample) in samples.iter().enumerate() {
            let (one, row) = (s![place..=place, ..], &Rows::Range(sample..sample + 1));
            let of = FeatureGradient { rows: row, features: rows.slice(one), gradient: derivatives.slice(one) };
            of_parameters.fill(0.0);
            features.add_gradient(&of, &mut of_parameters);
            let to = trace.encoder.row_mut(place);
            to.into_iter().zip(&of_parameters).for_each(|(to, &derivative)| *to = f64::from(derivative));
        }
        Ok(trace)
    }

    /// Forward, then backward from one output; also the derivatives `[n, f]` by the inputs.
    fn trace(&self, inputs: Array2<f64>, output: usize) -> Result<(Trace, Array2<f64>), TheoryError> {
        let (network, shape) = (&self.network, self.network.shape());
        check_finite("points", inputs.view())?;
        check_columns("points", inputs.ncols(), shape.inputs(), "the network's inputs")?;
        if output >= shape.outputs() {
            let requirement = "outputs are counted from 0 and the network has fewer";
            return Err(TheoryError::Parameter { name: "output", value: output as f64, requirement });
        }
        let (n, last) = (inputs.nrows(), shape.layers() - 1);
        Workload::Matrix.check(n, 2 * shape.widths.iter().sum::<usize>())?;
        // the sums of a layer wait in the place of its sensitivities
        let mut layers = Vec::with_capacity(shape.layers());
        let mut h = inputs;
        for layer in 0..=last {
            let z = h.dot(&network.weights(layer).t()) + network.biases(layer);
            let next = z.mapv(|value| match shape.hidden {
                HiddenActivation::Relu => value.max(0.0),
                HiddenActivation::Sine => value.sin(),
            });
            layers.push(LayerTrace { inputs: std::mem::replace(&mut h, next), sensitivities: z });
        }
        let mut delta = Array2::zeros((n, shape.outputs()));
        Zip::from(delta.column_mut(output)).and(layers[last].sensitivities.column(output)).for_each(|delta, &z| {
            *delta = match shape.output {
                OutputActivation::Linear => 1.0,
                OutputActivation::Sigmoid => 1.0 / ((1.0 + (-z).exp()) * (1.0 + z.exp())),
            };
        });
        for layer in (0..=last).rev() {
            if layer < last {
                delta.zip_mut_with(&layers[layer].sensitivities, |delta, &z| {
                    *delta *= match shape.hidden {
                        HiddenActivation::Relu => f64::from(u8::from(z > 0.0)),
                        HiddenActivation::Sine => z.cos(),
                    };
                });
            }
            let below = delta.dot(&network.weights(layer));
            layers[layer].sensitivities = std::mem::replace(&mut delta, below);
        }
        Ok((Trace { layers, encoder: Array2::zeros((n, 0)) }, delta))
    }
}

/// `‖finite - infinite‖ / ‖infinite‖` in the Frobenius norm.
///
/// # Errors
/// Matrices of different shapes, or one of zeros to compare with.
pub fn relative_gap(finite: ArrayView2<'_, f64>, infinite: ArrayView2<'_, f64>) -> Result<f64, TheoryError> {
    check_rows("the kernel", finite.nrows(), infinite.nrows(), "the infinite one")?;
    check_columns("the kernel", finite.ncols(), infinite.ncols(), "the infinite one")?;
    let norm = |matrix: &Array2<f64>| matrix.iter().map(|value| value * value).sum::<f64>().sqrt();
    let whole = norm(&infinite.to_owned());
    if whole > 0.0 {
        return Ok(norm(&(&finite - &infinite)) / whole);
    }
    let requirement = "there is nothing to compare with: move the points off the origin or give the network biases";
    Err(TheoryError::Parameter { name: "the norm of the infinite network's kernel", value: whole, requirement })
}
