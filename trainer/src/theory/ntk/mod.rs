//! ReLU networks of infinite width in closed form: the covariance of their outputs (NNGP) and their neural tangent
//! kernel (NTK), equation 2, as functions of the network's inputs.
//!
//! With `q` the covariance of a layer's pre-activations and `T` the tangent kernel, a dense layer of fan-in `f` makes
//!
//! | parametrization | layer | covariance | tangent kernel |
//! | --- | --- | --- | --- |
//! | NTK | `σw/√f · W h + σb · b`, W, b ~ N(0, 1) | `q ← σw² q + σb²` | `T ← q + σw² T` |
//! | standard | `W h + b`, W ~ N(0, σw²/f), b ~ N(0, σb²) | `q ← σw² q + σb²` | `T ← f q_before + 1 + σw² T` |
//!
//! from `q = x·x'/f`, `T = 0` at the inputs, and a ReLU with `cos θ = q12 / √(q11 q22)` makes
//! `q12 ← √(q11 q22) (sin θ + (π - θ) cos θ) / 2π`, `T ← T (π - θ) / 2π`. Without a trained bias `σb² = 0` and the 1 is
//! absent. f is the number of inputs (features of amplitude zero included) in the first layer and the width after it.
//! The last layer has no ReLU; outputs are independent, so the kernel of a network with several is that of one.
//! Sources: Cho and Saul (2009), Jacot, Gabriel and Hongler (2018), Lee et al. (2019).
//!
//! # Accuracy
//! `arccos` of a covariance loses half the digits where θ is near 0, which is every pair of neighbouring points. What
//! is carried from layer to layer here is therefore the squared distance `D = q11 + q22 - 2 q12`, a sum of positive
//! terms: the angle keeps its relative precision and is exactly 0 for points that coincide. Entries are good to about
//! 1e-13 of the largest. An input of norm zero has no angle; its ReLU derivative counts one half, so `T ← T / 4` with
//! every partner.

mod network_kernel;
mod params;
mod relu;
#[cfg(test)]
mod tests;

use ndarray::{Array2, ArrayView1, ArrayView2, s};

use super::error::{check_columns, check_finite};
use super::{TheoryError, fill};
pub use network_kernel::NetworkKernel;
pub use params::{InfiniteMlpParams, MAX_HIDDEN_LAYERS, Parametrization};
use relu::relu;

/// Squared distances below this part of the squared norms are summed from coordinate differences, not from products.
const NEAR: f64 = 1e-2;
/// Up to this many inputs all distances are summed from differences: it costs no more than the products.
const FEW_INPUTS: usize = 4;

/// Which of the two kernels of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariance {
    /// the neural tangent kernel, of gradient descent on all layers
    Ntk,
    /// the covariance of the outputs at initialization, of training the last layer only
    Nngp,
}

/// An infinite-width ReLU network with one linear output; its hyperparameters are checked.
///
/// ```
/// use ndarray::array;
/// use trainer::theory::ntk::{Covariance, InfiniteMlpParams};
///
/// let network = InfiniteMlpParams { hidden_layers: 1, ..Default::default() }.check()?;
/// // orthogonal inputs of unit norm: 1/(2π) · 2 from the last layer; the first is blind to them
/// let gram = network.gram(array![[1.0, 0.0], [0.0, 1.0]].view(), Covariance::Ntk)?;
/// assert!((gram[[0, 1]] - 1.0 / std::f64::consts::PI).abs() < 1e-15);
/// assert!((gram[[0, 0]] - 2.0).abs() < 1e-15);
/// # Ok::<(), trainer::theory::TheoryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InfiniteMlp {
    params: InfiniteMlpParams,
}

/// What the recursion needs of each input: its pre-activation variance and the root of it, layer by layer.
struct Norms {
    /// f of the first layer
    fan_in: usize,
    /// |x|² / f, `[n]`
    inputs: Vec<f64>,
    /// pre-activation variances `[n, hidden + 1]`
    variances: Array2<f64>,
    /// their square roots
    deviations: Array2<f64>,
}

/// One input among those whose norms are known.
#[derive(Clone, Copy)]
struct Input<'a> {
    norms: &'a Norms,
    index: usize,
}

impl Norms {
    fn at(&self, index: usize) -> Input<'_> {
        Input { norms: self, index }
    }
}

impl Input<'_> {
    /// |x|² + |y|²
    fn sum(self, other: Self) -> f64 {
        (self.norms.inputs[self.index] + other.norms.inputs[other.index]) * self.norms.fan_in as f64
    }
}

impl InfiniteMlp {
    /// The hyperparameters, as they were checked.
    #[must_use]
    pub fn params(&self) -> &InfiniteMlpParams {
        &self.params
    }

    /// The Gram matrix `[n, n]` of the network's inputs `[n, f]`: points, or features of them.
    ///
    /// # Errors
    /// Inputs that are empty, not finite, or too many for the memory.
    pub fn gram(&self, inputs: ArrayView2<'_, f64>, which: Covariance) -> Result<Array2<f64>, TheoryError> {
        check_finite("points", inputs)?;
        let norms = self.norms(inputs)?;
        fill::symmetric(inputs.nrows(), |first, mut block| {
            let left = inputs.slice(s![first..first + block.nrows(), ..]);
            let products = left.dot(&inputs.slice(s![first.., ..]).t());
            for ((i, j), entry) in block.indexed_iter_mut() {
                // below the diagonal of the first square: mirrored later
                if j >= i {
                    let (i, j) = (first + i, first + j);
                    let product = products[[i - first, j - first]];
                    let pair = [norms.at(i), norms.at(j)];
                    let distance = distance(inputs.row(i), inputs.row(j), pair[0].sum(pair[1]), product);
                    *entry = self.entry(pair, distance, which);
                }
            }
        })
    }

    /// The matrix `[m, n]` between the inputs `left [m, f]` and `right [n, f]`.
    ///
    /// # Errors
    /// As [`Self::gram`], and inputs of different length.
    pub fn cross(
        &self,
        left: ArrayView2<'_, f64>,
        right: ArrayView2<'_, f64>,
        which: Covariance,
    ) -> Result<Array2<f64>, TheoryError> {
        check_finite("points", right)?;
        check_finite("test points", left)?;
        check_columns("test points", left.ncols(), right.ncols(), "the points")?;
        let (left_norms, right_norms) = (self.norms(left)?, self.norms(right)?);
        fill::rows(left.nrows(), right.nrows(), |first, mut block| {
            let products = left.slice(s![first..first + block.nrows(), ..]).dot(&right.t());
            for ((i, j), entry) in block.indexed_iter_mut() {
                let pair = [left_norms.at(first + i), right_norms.at(j)];
                let sum = pair[0].sum(pair[1]);
                let distance = distance(left.row(first + i), right.row(j), sum, products[[i, j]]);
                *entry = self.entry(pair, distance, which);
            }
        })
    }

    /// The kernel of each input with itself, `[n]`.
    ///
    /// # Errors
    /// Inputs that are empty or not finite.
    pub fn diagonal(&self, inputs: ArrayView2<'_, f64>, which: Covariance) -> Result<Vec<f64>, TheoryError> {
        check_finite("points", inputs)?;
        let norms = self.norms(inputs)?;
        Ok((0..inputs.nrows()).map(|i| self.entry([norms.at(i); 2], 0.0, which)).collect())
    }

    /// # Errors
    /// [`TheoryError::Parameter`] where a variance overflows.
    fn norms(&self, inputs: ArrayView2<'_, f64>) -> Result<Norms, TheoryError> {
        let (weight, bias) = (self.params.weight_std.powi(2), self.bias_variance());
        let mean: Vec<f64> = inputs.rows().into_iter().map(|x| squared_norm(x) / inputs.ncols() as f64).collect();
        let mut variances = Array2::zeros((inputs.nrows(), self.params.hidden_layers + 1));
        for (mut row, &mean) in variances.rows_mut().into_iter().zip(&mean) {
            let mut variance = mean;
            for entry in &mut row {
                *entry = weight * variance + bias;
                variance = *entry / 2.0;
            }
        }
        if let Some(&value) = variances.iter().find(|value| !value.is_finite()) {
            let requirement = "must be finite: scale the points down, or lower weight-std or bias-std";
            return Err(TheoryError::Parameter { name: "the variance in a layer", value, requirement });
        }
        Ok(Norms { fan_in: inputs.ncols(), inputs: mean, deviations: variances.mapv(f64::sqrt), variances })
    }

    fn bias_variance(&self) -> f64 {
        self.params.bias_std.map_or(0.0, |std| std.powi(2))
    }

    /// The recursion of the module's table for one pair at squared distance `distance` (of the inputs, not divided by
    /// f).
    fn entry(&self, pair: [Input<'_>; 2], distance: f64, which: Covariance) -> f64 {
        let [Input { norms: left, index: i }, Input { norms: right, index: j }] = pair;
        let params = &self.params;
        let weight = params.weight_std.powi(2);
        let fan_in = left.fan_in;
        let mut distance = distance / fan_in as f64;
        let mut covariance = (left.inputs[i] + right.inputs[j] - distance) / 2.0;
        let mut tangent = 0.0;
        for layer in 0..=params.hidden_layers {
            let before = covariance;
            let (q11, q22) = (left.variances[[i, layer]], right.variances[[j, layer]]);
            distance *= weight;
            covariance = (q11 + q22 - distance) / 2.0;
            tangent = weight * tangent
                + match params.parametrization {
                    Parametrization::Ntk => covariance,
                    Parametrization::Standard { width } => {
                        let fan_in = if layer == 0 { fan_in } else { width };
                        fan_in as f64 * before + f64::from(u8::from(params.bias_std.is_some()))
                    }
                };
            if layer < params.hidden_layers {
                let relu = relu(distance, left.deviations[[i, layer]], right.deviations[[j, layer]]);
                distance = relu.distance;
                covariance = relu.covariance;
                tangent *= relu.derivative;
            }
        }
        match which {
            Covariance::Ntk => tangent,
            Covariance::Nngp => covariance,
        }
    }
}

fn squared_norm(x: ArrayView1<'_, f64>) -> f64 {
    x.iter().map(|value| value * value).sum()
}

/// |x - y|², given x·y: from the product where that is precise, else from the differences.
fn distance(x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>, norms: f64, product: f64) -> f64 {
    let distance = norms - 2.0 * product;
    if x.len() > FEW_INPUTS && distance > NEAR * norms {
        return distance;
    }
    x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum()
}
