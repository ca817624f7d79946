//! The neural tangent kernel of a finite ReLU network, exact: `K(x, x') = Σ_θ ∂f(x)/∂θ · ∂f(x')/∂θ`, that is J Jᵀ, over
//! all weights and trained biases.
//!
//! The Jacobian is never formed. For a dense layer `z = W h + b` with `δ = ∂f/∂z`, whose weights and biases learn `f_W`
//! and `f_b` times as fast as the learning rate says, the layer contributes `(δ·δ') (f_W h·h' + f_b)`, so that two
//! matrix products give its share of the Gram matrix. Those factors are 1 in the standard parametrization and `σw²/in`,
//! `σb²` in the NTK parametrization. The derivative of the ReLU at zero is zero, as in training.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Zip, linalg::general_mat_mul, s};

use super::error::{check_columns, check_finite, check_rows};
use super::memory::Workload;
use super::ntk::{InfiniteMlp, Parametrization};
use super::{TheoryError, fill};
use crate::network::matmul::Real;
use crate::network::{Initialization, Mlp, OutputActivation, Shape};
use crate::training::optimizer::GradientDescent;

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
    /// layer by layer, of all points
    traces: &'a [LayerTrace],
    /// the point of the block's first row or column
    first: usize,
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
        Ok(Self { network, factors })
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

    /// The Gram matrix `[n, n]` of one output's tangent kernel, symmetric to the last bit.
    ///
    /// # Errors
    /// Inputs that are empty, not finite or of the wrong length, an output that does not exist, or too little memory.
    pub fn gram(&self, inputs: ArrayView2<'_, f64>, output: usize) -> Result<Array2<f64>, TheoryError> {
        let traces = self.trace(inputs, output)?;
        fill::symmetric(inputs.nrows(), |first, block| {
            self.fill(Side { traces: &traces, first }, Side { traces: &traces, first }, block);
        })
    }

    /// The matrix `[m, n]` of one output's tangent kernel between `left [m, f]` and `right [n, f]`.
    ///
    /// # Errors
    /// As [`Self::gram`].
    pub fn cross(
        &self,
        left: ArrayView2<'_, f64>,
        right: ArrayView2<'_, f64>,
        output: usize,
    ) -> Result<Array2<f64>, TheoryError> {
        let (left_traces, right_traces) = (self.trace(left, output)?, self.trace(right, output)?);
        fill::rows(left.nrows(), right.nrows(), |first, block| {
            self.fill(Side { traces: &left_traces, first }, Side { traces: &right_traces, first: 0 }, block);
        })
    }

    /// Adds every layer's share to a block with the points of `left` as rows and those of `right` as columns.
    fn fill(&self, left: Side<'_>, right: Side<'_>, mut block: ndarray::ArrayViewMut2<'_, f64>) {
        let rows = s![left.first..left.first + block.nrows(), ..];
        let columns = s![right.first..right.first + block.ncols(), ..];
        let (mut inputs, mut deltas) = (Array2::zeros(block.raw_dim()), Array2::zeros(block.raw_dim()));
        for ((&(weight, bias), left), right) in self.factors.iter().zip(left.traces).zip(right.traces) {
            general_mat_mul(weight, &left.inputs.slice(rows), &right.inputs.slice(columns).t(), 0.0, &mut inputs);
            let (ours, theirs) = (left.sensitivities.slice(rows), right.sensitivities.slice(columns));
            general_mat_mul(1.0, &ours, &theirs.t(), 0.0, &mut deltas);
            Zip::from(&mut block).and(&inputs).and(&deltas).for_each(|k, input, delta| *k += (input + bias) * delta);
        }
    }

    /// Forward, then backward from one output.
    fn trace(&self, inputs: ArrayView2<'_, f64>, output: usize) -> Result<Vec<LayerTrace>, TheoryError> {
        let (network, shape) = (&self.network, self.network.shape());
        check_finite("points", inputs)?;
        check_columns("points", inputs.ncols(), shape.inputs(), "the network's inputs")?;
        if output >= shape.outputs() {
            let requirement = "outputs are counted from 0 and the network has fewer";
            return Err(TheoryError::Parameter { name: "output", value: output as f64, requirement });
        }
        let (n, last) = (inputs.nrows(), shape.layers() - 1);
        Workload::Matrix.check(n, 2 * shape.widths.iter().sum::<usize>())?;
        // the sums of a layer wait in the place of its sensitivities
        let mut traces = Vec::with_capacity(shape.layers());
        let mut h = inputs.to_owned();
        for layer in 0..=last {
            let z = h.dot(&network.weights(layer).t()) + network.biases(layer);
            let next = z.mapv(|value| value.max(0.0));
            traces.push(LayerTrace { inputs: std::mem::replace(&mut h, next), sensitivities: z });
        }
        let mut delta = Array2::zeros((n, shape.outputs()));
        Zip::from(delta.column_mut(output)).and(traces[last].sensitivities.column(output)).for_each(|delta, &z| {
            *delta = match shape.output {
                OutputActivation::Linear => 1.0,
                OutputActivation::Sigmoid => 1.0 / ((1.0 + (-z).exp()) * (1.0 + z.exp())),
            };
        });
        for layer in (0..=last).rev() {
            if layer < last {
                delta.zip_mut_with(&traces[layer].sensitivities, |delta, &z| {
                    *delta *= f64::from(u8::from(z > 0.0));
                });
            }
            let below = delta.dot(&network.weights(layer));
            traces[layer].sensitivities = std::mem::replace(&mut delta, below);
        }
        Ok(traces)
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

#[cfg(test)]
mod tests {
    use ndarray::{Array, Axis, array};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::theory::kernel::FourierFeatures;
    use crate::theory::ntk::{Covariance, InfiniteMlpParams};

    /// J by central differences over all parameters, each column times the root of its factor.
    fn jacobian(kernel: &EmpiricalNtk, inputs: &Array2<f64>, output: usize) -> Array2<f64> {
        let step = 1e-6;
        let shape = kernel.network.shape();
        let factor = |place: usize| {
            let layer = (0..shape.layers()).find(|&layer| place < shape.biases_range(layer).end).unwrap();
            let (weights, biases) = kernel.factors[layer];
            if shape.weights_range(layer).contains(&place) { weights } else { biases }
        };
        let mut jacobian = Array2::zeros((inputs.nrows(), shape.parameters_len()));
        for (place, mut column) in jacobian.columns_mut().into_iter().enumerate() {
            let at = |sign: f64| {
                let mut moved = kernel.network.clone();
                moved.parameters_mut()[place] += sign * step;
                moved.predict(inputs.view()).column(output).to_owned()
            };
            column.assign(&((at(1.0) - at(-1.0)) * (factor(place).sqrt() / (2.0 * step))));
        }
        jacobian
    }

    #[test]
    fn equals_the_product_of_jacobians() {
        let inputs = Array::from_shape_fn((7, 3), |(i, k)| ((5 * i + 3 * k) as f64).sin());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let initialization = Initialization::Normal { weight_std: 1.4, bias_std: 0.3 };
        for output in [OutputActivation::Linear, OutputActivation::Sigmoid] {
            let shape = Shape::new(3, &[6, 5], 2, output);
            for factors in
                [vec![], vec![(0.5, 0.0), (2.0, 0.1), (1.0, 3.0)], GradientDescent::ntk(&shape, 1.4, 0.3).factors]
            {
                let network = Mlp::<f64>::new(shape.clone(), initialization, &mut rng);
                let kernel = EmpiricalNtk::new(&network, &factors).unwrap();
                let jacobian = jacobian(&kernel, &inputs, 1);
                let gram = kernel.gram(inputs.view(), 1).unwrap();
                assert!(relative_gap(gram.view(), jacobian.dot(&jacobian.t()).view()).unwrap() < 1e-8);
                let cross = kernel.cross(inputs.slice(s![2..5, ..]), inputs.view(), 1).unwrap();
                assert!(relative_gap(cross.view(), gram.slice(s![2..5, ..])).unwrap() < 1e-14);
            }
        }
    }

    #[test]
    fn approaches_the_infinite_kernel_as_the_width_grows() {
        // mean gaps of an independent computation: 0.50 at width 64, 0.26 at 256
        let frequencies = Array::linspace(1.0, 16.0, 16);
        let amplitudes = frequencies.mapv(f64::recip);
        let features = FourierFeatures::new(frequencies.insert_axis(Axis(1)), amplitudes, true).unwrap();
        let points = Array::from_shape_fn((32, 1), |(i, _)| i as f64 / 32.0);
        let inputs = features.features(points.view()).unwrap();
        let network = InfiniteMlpParams::default().check().unwrap();
        let infinite = network.gram(inputs.view(), Covariance::Ntk).unwrap();
        let mean_gap = |width, draws: u64| {
            let gap = |seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let finite = EmpiricalNtk::sample(&network, 32, width, &mut rng).unwrap();
                relative_gap(finite.gram(inputs.view(), 0).unwrap().view(), infinite.view()).unwrap()
            };
            (0..draws).map(gap).sum::<f64>() / draws as f64
        };
        let (narrow, wide) = (mean_gap(64, 40), mean_gap(256, 20));
        assert!((0.4..0.6).contains(&narrow), "{narrow}");
        assert!((0.2..0.32).contains(&wide), "{wide}");
    }

    #[test]
    fn a_standard_network_approaches_its_closed_form_too() {
        let params = InfiniteMlpParams {
            parametrization: Parametrization::Standard { width: 512 },
            weight_std: 1.0,
            bias_std: Some(0.0),
            ..Default::default()
        };
        let network = params.check().unwrap();
        let inputs = Array::from_shape_fn((12, 4), |(i, k)| ((5 * i + 3 * k) as f64).sin());
        let infinite = network.gram(inputs.view(), Covariance::Ntk).unwrap();
        let gaps = (0..6).map(|seed| {
            let finite = EmpiricalNtk::sample(&network, 4, 512, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            relative_gap(finite.gram(inputs.view(), 0).unwrap().view(), infinite.view()).unwrap()
        });
        let mean = gaps.sum::<f64>() / 6.0;
        assert!(mean < 0.2, "{mean}");
    }

    #[test]
    fn inputs_and_outputs_that_do_not_fit_are_refused() {
        let shape = Shape::new(2, &[3], 1, OutputActivation::Linear);
        let network = Mlp::<f32>::new(shape, Initialization::He, &mut ChaCha8Rng::seed_from_u64(0));
        assert!(EmpiricalNtk::new(&network, &[(1.0, 1.0)]).is_err());
        let kernel = EmpiricalNtk::new(&network, &[]).unwrap();
        assert!(kernel.gram(array![[1.0, 2.0]].view(), 1).is_err());
        assert!(kernel.gram(array![[1.0]].view(), 0).is_err());
        assert!(kernel.gram(array![[1.0, f64::NAN]].view(), 0).is_err());
        let mut broken = network;
        broken.parameters_mut()[3] = f32::NAN;
        assert!(matches!(EmpiricalNtk::new(&broken, &[]), Err(TheoryError::NotFinite { column: 3, .. })));
    }
}
