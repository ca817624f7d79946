//! ReLU networks of infinite width in closed form: the covariance of their outputs (NNGP) and their neural tangent kernel
//! (NTK), equation 2, as functions of the network's inputs.
//!
//! With `q` the covariance of a layer's pre-activations and `T` the tangent kernel, a dense layer of fan-in `f` makes
//!
//! | parametrization | layer | covariance | tangent kernel |
//! | --- | --- | --- | --- |
//! | NTK | `σw/√f · W h + σb · b`, W, b ~ N(0, 1) | `q ← σw² q + σb²` | `T ← q + σw² T` |
//! | standard | `W h + b`, W ~ N(0, σw²/f), b ~ N(0, σb²) | `q ← σw² q + σb²` | `T ← f q_before + 1 + σw² T` |
//!
//! from `q = x·x'/f`, `T = 0` at the inputs, and a ReLU with `cos θ = q12 / √(q11 q22)` makes
//! `q12 ← √(q11 q22) (sin θ + (π - θ) cos θ) / 2π`, `T ← T (π - θ) / 2π`. Without a trained bias `σb² = 0` and the 1 is absent.
//! f is the number of inputs (features of amplitude zero included) in the first layer and the width after it. The last layer has
//! no ReLU; outputs are independent, so the kernel of a network with several is that of one.
//! Sources: Cho and Saul (2009), Jacot, Gabriel and Hongler (2018), Lee et al. (2019).
//!
//! # Accuracy
//! `arccos` of a covariance loses half the digits where θ is near 0, which is every pair of neighbouring points. What is carried
//! from layer to layer here is therefore the squared distance `D = q11 + q22 - 2 q12`, a sum of positive terms: the angle keeps
//! its relative precision and is exactly 0 for points that coincide. Entries are good to about 1e-13 of the largest.
//! An input of norm zero has no angle; its ReLU derivative counts one half, so `T ← T / 4` with every partner.

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView1, ArrayView2, s};

use super::error::{check_columns, check_finite};
use super::kernel::{FourierFeatures, Kernel};
use super::{TheoryError, fill};

/// More layers say no more about practice; the limit keeps the per-point tables small.
pub const MAX_HIDDEN_LAYERS: usize = 256;

/// Squared distances below this part of the squared norms are summed from coordinate differences, not from products.
const NEAR: f64 = 1e-2;
/// Up to this many inputs all distances are summed from differences: it costs no more than the products.
const FEW_INPUTS: usize = 4;
/// Rounding of the two terms whose difference gives the angle, in units of their size.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Where the scale of the initial weights stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parametrization {
    /// In the network's equation; weights are unit normal. The tangent kernel is free of the width.
    Ntk,
    /// In the weights' variance, as networks are usually trained.
    Standard {
        /// units of a hidden layer: the tangent kernel grows with it
        width: usize,
    },
}

/// Hyperparameters of an infinite-width ReLU network.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `hidden_layers` | 3 | ReLU layers | 0 ..= 256 |
/// | `parametrization` | NTK | where the scale of the weights stands | |
/// | `weight_std` | √2 (He) | σw | > 0 |
/// | `bias_std` | none | σb; none: no trained bias | ≥ 0 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InfiniteMlpParams {
    /// ReLU layers
    pub hidden_layers: usize,
    /// where the scale of the weights stands
    pub parametrization: Parametrization,
    /// σw
    pub weight_std: f64,
    /// σb, or no trained bias
    pub bias_std: Option<f64>,
}

impl Default for InfiniteMlpParams {
    fn default() -> Self {
        Self {
            hidden_layers: 3,
            parametrization: Parametrization::Ntk,
            weight_std: std::f64::consts::SQRT_2,
            bias_std: None,
        }
    }
}

impl InfiniteMlpParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] naming the first one out of range.
    pub fn check(self) -> Result<InfiniteMlp, TheoryError> {
        let refuse = |name, value, requirement| Err(TheoryError::Parameter { name, value, requirement });
        if self.hidden_layers > MAX_HIDDEN_LAYERS {
            return refuse("hidden-layers", self.hidden_layers as f64, "at most 256 are possible");
        }
        if self.parametrization == (Parametrization::Standard { width: 0 }) {
            return refuse("width", 0.0, "a hidden layer has at least one unit");
        }
        if !(self.weight_std > 0.0 && self.weight_std.is_finite()) {
            return refuse("weight-std", self.weight_std, "must be positive and finite");
        }
        match self.bias_std {
            Some(std) if !(std >= 0.0 && std.is_finite()) => {
                refuse("bias-std", std, "must be zero or positive, and finite (or none)")
            }
            _ => Ok(InfiniteMlp { params: self }),
        }
    }
}

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

impl Norms {
    /// |x_i|² + |y_j|²
    fn sum(&self, i: usize, other: &Self, j: usize) -> f64 {
        (self.inputs[i] + other.inputs[j]) * self.fan_in as f64
    }
}

impl InfiniteMlp {
    /// The hyperparameters.
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
                    let distance = distance(inputs.row(i), inputs.row(j), norms.sum(i, &norms, j), product);
                    *entry = self.entry(&norms, i, &norms, j, distance, which);
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
                let i_left = first + i;
                let sum = left_norms.sum(i_left, &right_norms, j);
                let distance = distance(left.row(i_left), right.row(j), sum, products[[i, j]]);
                *entry = self.entry(&left_norms, i_left, &right_norms, j, distance, which);
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
        Ok((0..inputs.nrows()).map(|i| self.entry(&norms, i, &norms, i, 0.0, which)).collect())
    }

    /// # Errors
    /// [`TheoryError::NotFinite`] where a variance overflows.
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
        check_finite("the variance of the layers", variances.view())?;
        Ok(Norms { fan_in: inputs.ncols(), inputs: mean, deviations: variances.mapv(f64::sqrt), variances })
    }

    fn bias_variance(&self) -> f64 {
        self.params.bias_std.map_or(0.0, |std| std.powi(2))
    }

    /// The recursion of the module's table for one pair at squared distance `distance` (of the inputs, not divided by f).
    fn entry(&self, left: &Norms, i: usize, right: &Norms, j: usize, distance: f64, which: Covariance) -> f64 {
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

/// What a ReLU makes of two correlated Gaussians.
struct Relu {
    /// E[(relu(u) - relu(v))²]
    distance: f64,
    /// E[relu(u) relu(v)]
    covariance: f64,
    /// E[relu'(u) relu'(v)]
    derivative: f64,
}

/// For two Gaussians of standard deviations `r1`, `r2` with E[(u - v)²] = `distance`.
fn relu(distance: f64, r1: f64, r2: f64) -> Relu {
    let (product, gap) = (r1 * r2, r1 - r2);
    if product == 0.0 {
        return Relu { distance: (r1 * r1 + r2 * r2) / 2.0, covariance: 0.0, derivative: 0.25 };
    }
    // 1 - cos θ and 1 + cos θ, each from a difference that vanishes with it; what is within its rounding is zero
    let floor = |numerator: f64, rounding: f64| {
        if numerator > ROUNDING * rounding { numerator } else { 0.0 }
    };
    let less = floor(distance - gap * gap, distance + gap.abs() * r1.max(r2)) / (2.0 * product);
    let more = floor((r1 + r2).powi(2) - distance, distance) / (2.0 * product);
    let (less, more) =
        if less < more { (less.min(1.0), 2.0 - less.min(1.0)) } else { (2.0 - more.min(1.0), more.min(1.0)) };
    let angle = 2.0 * less.sqrt().atan2(more.sqrt());
    let (sine, cosine) = ((less * more).sqrt(), if less < more { 1.0 - less } else { more - 1.0 });
    // 1 - (sin θ + (π - θ) cos θ)/π, without cancellation
    let complement = less - sine_minus_angle_cosine(angle, sine, cosine) / PI;
    Relu {
        distance: gap * gap / 2.0 + product * complement,
        covariance: product * (sine + (PI - angle) * cosine) / (2.0 * PI),
        derivative: (PI - angle) / (2.0 * PI),
    }
}

/// sin θ - θ cos θ, which is θ³/3 - θ⁵/30 + θ⁷/840 - … near 0. Relative error below 1e-12.
fn sine_minus_angle_cosine(angle: f64, sine: f64, cosine: f64) -> f64 {
    if angle > 0.1 {
        return sine - angle * cosine;
    }
    let square = angle * angle;
    angle * square * (1.0 / 3.0 - square * (1.0 / 30.0 - square * (1.0 / 840.0 - square / 45360.0)))
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

/// The NTK or NNGP of an infinite network behind a feature mapping: a kernel on points.
/// With features of constant norm it is stationary in the points, as the Fourier kernel is.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkKernel {
    /// the mapping before the network, none for the points themselves
    pub features: Option<FourierFeatures>,
    /// the network
    pub network: InfiniteMlp,
    /// which of its kernels
    pub covariance: Covariance,
}

impl NetworkKernel {
    fn inputs(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        self.features.as_ref().map_or_else(|| Ok(points.to_owned()), |features| features.features(points))
    }
}

impl Kernel for NetworkKernel {
    fn gram(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        self.network.gram(self.inputs(points)?.view(), self.covariance)
    }

    fn cross(&self, left: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        self.network.cross(self.inputs(left)?.view(), self.inputs(right)?.view(), self.covariance)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Axis, array};

    use super::*;
    use crate::theory::linalg::symmetric_eigen;

    /// The recursion as the references state it, with `arccos`.
    fn naive(params: &InfiniteMlpParams, x: &[f64], y: &[f64]) -> (f64, f64) {
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>() / x.len() as f64;
        let (weight, bias) = (params.weight_std.powi(2), params.bias_std.unwrap_or(0.0).powi(2));
        let (mut q11, mut q12, mut q22, mut tangent) = (dot(x, x), dot(x, y), dot(y, y), 0.0);
        for layer in 0..=params.hidden_layers {
            let before = q12;
            (q11, q12, q22) = (weight * q11 + bias, weight * q12 + bias, weight * q22 + bias);
            tangent = weight * tangent
                + match params.parametrization {
                    Parametrization::Ntk => q12,
                    Parametrization::Standard { width } => {
                        let fan_in = if layer == 0 { x.len() } else { width };
                        fan_in as f64 * before + if params.bias_std.is_some() { 1.0 } else { 0.0 }
                    }
                };
            if layer < params.hidden_layers {
                let scale = (q11 * q22).sqrt();
                let cosine = (q12 / scale).clamp(-1.0, 1.0);
                let angle = cosine.acos();
                q12 = scale * (angle.sin() + (PI - angle) * cosine) / (2.0 * PI);
                tangent *= (PI - angle) / (2.0 * PI);
                (q11, q22) = (q11 / 2.0, q22 / 2.0);
            }
        }
        (q12, tangent)
    }

    fn networks() -> Vec<InfiniteMlp> {
        let mut networks = Vec::new();
        for hidden_layers in [0, 1, 3, 8] {
            for parametrization in [Parametrization::Ntk, Parametrization::Standard { width: 100 }] {
                for (weight_std, bias_std) in [(2f64.sqrt(), None), (1.0, Some(0.0)), (1.3, Some(0.5))] {
                    let params = InfiniteMlpParams { hidden_layers, parametrization, weight_std, bias_std };
                    networks.push(params.check().unwrap());
                }
            }
        }
        networks
    }

    #[test]
    fn equals_the_plain_recursion_away_from_its_cancellation() {
        let points = array![
            [0.3, -0.2, 0.9, 1.0, 0.1],
            [1.2, 0.4, 0.1, -0.3, 0.2],
            [-0.3, 0.2, -0.8, 0.7, 2.0],
            [0.3, -0.2, 0.9, 1.0, 0.101],
            [-0.3, 0.2, -0.9, -1.01, -0.1],
        ];
        for network in networks() {
            let ntk = network.gram(points.view(), Covariance::Ntk).unwrap();
            let nngp = network.cross(points.view(), points.view(), Covariance::Nngp).unwrap();
            let diagonal = network.diagonal(points.view(), Covariance::Ntk).unwrap();
            for i in 0..5 {
                assert!((diagonal[i] - ntk[[i, i]]).abs() <= 1e-15 * diagonal[i]);
                for j in 0..5 {
                    let (x, y) = (points.row(i).to_vec(), points.row(j).to_vec());
                    let (q, t) = naive(network.params(), &x, &y);
                    // beyond 1e-7 the plain recursion is the worse of the two, on the diagonal
                    let tolerance = if i == j { 1e-7 } else { 1e-11 };
                    assert!(
                        (nngp[[i, j]] - q).abs() < tolerance * nngp[[i, i]].max(nngp[[j, j]]),
                        "{network:?} {i} {j}"
                    );
                    assert!((ntk[[i, j]] - t).abs() < tolerance * ntk[[i, i]].max(ntk[[j, j]]), "{network:?} {i} {j}");
                }
            }
        }
    }

    #[test]
    fn one_hidden_layer_matches_the_arc_cosine_kernels() {
        // He, no bias, unit-norm inputs at angle θ, f = 2: q = 2·½·κ1(cos θ)/… by hand
        let network = InfiniteMlpParams { hidden_layers: 1, ..Default::default() }.check().unwrap();
        for angle in [1e-9, 1e-5, 0.1, 1.0, 3.0, PI] {
            let inputs = array![[1.0, 0.0], [f64::cos(angle), f64::sin(angle)]];
            let kappa0 = (PI - angle) / PI;
            let kappa1 = (angle.sin() + (PI - angle) * angle.cos()) / PI;
            let ntk = network.gram(inputs.view(), Covariance::Ntk).unwrap();
            assert!((ntk[[0, 1]] - (kappa1 + angle.cos() * kappa0)).abs() < 1e-14, "{angle}");
        }
    }

    #[test]
    fn duplicates_are_exactly_the_diagonal_wherever_they_stand() {
        let features = FourierFeatures::new(
            Array::linspace(1.0, 40.0, 40).insert_axis(Axis(1)),
            Array::linspace(1.0, 0.1, 40),
            true,
        )
        .unwrap();
        let points = Array::from_shape_fn((100, 1), |(i, _)| (i % 50) as f64 / 61.0);
        let inputs = features.features(points.view()).unwrap();
        for network in networks() {
            let gram = network.gram(inputs.view(), Covariance::Ntk).unwrap();
            assert!((0..50).all(|i| gram[[i, i]] == gram[[i, i + 50]]), "{network:?}");
            assert!((0..50).all(|i| gram.row(i) == gram.row(i + 50)), "{network:?}");
        }
    }

    #[test]
    fn gram_matrices_are_positive_semi_definite() {
        let points = Array::from_shape_fn((40, 2), |(i, k)| ((i * (7 + 4 * k)) % 41) as f64 / 20.0 - 1.0);
        for network in networks() {
            for which in [Covariance::Ntk, Covariance::Nngp] {
                let values = symmetric_eigen(network.gram(points.view(), which).unwrap().view()).unwrap().values;
                assert!(values[39] > -1e-13 * values[0], "{network:?}: {} of {}", values[39], values[0]);
            }
        }
    }

    #[test]
    fn without_biases_one_scalar_input_spans_four_functions() {
        let points = Array::from_shape_fn((33, 1), |(i, _)| i as f64 / 32.0 - 0.5);
        let network = InfiniteMlpParams::default().check().unwrap();
        let values = symmetric_eigen(network.gram(points.view(), Covariance::Ntk).unwrap().view()).unwrap().values;
        assert!(values[4] < 1e-14 * values[0], "rank at most four, but {} beside {}", values[4], values[0]);
    }

    #[test]
    fn composed_with_features_it_is_stationary() {
        let features = FourierFeatures::new(array![[1.0, 2.0], [-3.0, 0.5], [4.0, 4.0]], array![1.0, 0.7, 0.2], false);
        for network in networks() {
            let kernel =
                NetworkKernel { features: Some(features.clone().unwrap()), network, covariance: Covariance::Ntk };
            let (left, right) = (array![[0.1, 0.2], [0.4, 0.9]], array![[0.15, 0.17], [0.2, 0.3]]);
            let shift = array![[12.3, -7.7]];
            let here = kernel.cross(left.view(), right.view()).unwrap();
            let there = kernel.cross((&left + &shift).view(), (&right + &shift).view()).unwrap();
            let largest = kernel.gram(left.view()).unwrap()[[0, 0]];
            assert!((here - there).iter().all(|gap| gap.abs() < 1e-12 * largest), "{network:?}");
        }
    }

    #[test]
    fn bad_input_is_an_error() {
        let network = InfiniteMlpParams::default().check().unwrap();
        assert!(matches!(network.gram(array![[f64::NAN]].view(), Covariance::Ntk), Err(TheoryError::NotFinite { .. })));
        assert!(matches!(network.gram(array![[1e200]].view(), Covariance::Ntk), Err(TheoryError::NotFinite { .. })));
        assert!(network.cross(array![[1.0]].view(), array![[1.0, 2.0]].view(), Covariance::Ntk).is_err());
        assert!((network.gram(array![[2.0]].view(), Covariance::Nngp).unwrap()[[0, 0]] - 8.0).abs() < 1e-14);
        assert!(InfiniteMlpParams { weight_std: 0.0, ..Default::default() }.check().is_err());
        assert!(InfiniteMlpParams { bias_std: Some(-1.0), ..Default::default() }.check().is_err());
        assert!(InfiniteMlpParams { hidden_layers: 1000, ..Default::default() }.check().is_err());
        let parametrization = Parametrization::Standard { width: 0 };
        assert!(InfiniteMlpParams { parametrization, ..Default::default() }.check().is_err());
    }
}
