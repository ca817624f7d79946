//! A network on the problem, and how it is trained.

use ndarray::{Array1, Axis};

use super::{HIDDEN_LAYERS, Problem, SIGNAL, ToyMapping};
use crate::base::random::{PlainPurpose, plain_rng};
use crate::network::{Initialization, Mlp, OutputActivation, Shape};
use crate::reproduce::error::ReproduceError;
use crate::theory::dynamics::Dynamics;
use crate::theory::kernel::Kernel;
use crate::theory::linalg::SymmetricEigen;
use crate::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel, Parametrization};
use crate::training::optimizer::GradientDescent;

/// How many steps of the published training one quick step stands for, at as many times the rate.
pub(in crate::reproduce) const QUICK_SPEEDUP: u64 = 200;

/// A network and how it is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::reproduce) struct Setting {
    /// Where the scale of the weights stands.
    pub(in crate::reproduce) ntk_parametrization: bool,
    /// Units of each of the three hidden layers.
    pub(in crate::reproduce) width: usize,
    /// η.
    pub(in crate::reproduce) learning_rate: f64,
    /// Number of updates of the parameters.
    pub(in crate::reproduce) steps: u64,
    /// Of the initial weights.
    pub(in crate::reproduce) seed: u64,
}

impl Setting {
    /// The setting of the paper: standard parametrization, σw = 1, biases from zero. `speedup` divides the steps and
    /// multiplies the rate.
    pub(in crate::reproduce) fn published(speedup: u64, seed: u64) -> Self {
        Self {
            ntk_parametrization: false,
            width: 1024,
            learning_rate: 1e-5 * speedup as f64,
            steps: (50_000 / speedup) + 1,
            seed,
        }
    }

    /// The same training of a network of another width: the rate makes up for the size of its kernel, which is in
    /// proportion to the width but for its first layer and its biases.
    pub(in crate::reproduce) fn of_width(self, width: usize) -> Self {
        Self { width, learning_rate: self.learning_rate * self.width as f64 / width as f64, ..self }
    }

    /// σw and σb. In the NTK parametrization twice He's variance: the initial outputs, of size 1, are larger than the
    /// signal, so that weights need move little (lazy training; Chizat, Oyallon and Bach 2019), and gaps are smaller
    /// shares of the initial loss.
    pub(in crate::reproduce) fn deviations(&self) -> (f64, f64) {
        if self.ntk_parametrization { (2.0, 0.0) } else { (1.0, 0.0) }
    }

    /// The tangent kernel of this network at infinite width behind a mapping, a function of the mapped inputs.
    pub(in crate::reproduce) fn kernel(&self, mapping: ToyMapping) -> Result<NetworkKernel, ReproduceError> {
        let (weight_std, bias_std) = self.deviations();
        let parametrization = if self.ntk_parametrization {
            Parametrization::Ntk
        } else {
            Parametrization::Standard { width: self.width }
        };
        let params =
            InfiniteMlpParams { hidden_layers: HIDDEN_LAYERS, parametrization, weight_std, bias_std: Some(bias_std) };
        Ok(NetworkKernel { features: mapping.features()?, network: params.check()?, covariance: Covariance::Ntk })
    }

    /// `K(x, 1/4) / K(1/4, 1/4)` at i/256, `[256]`.
    pub(in crate::reproduce) fn profile(&self, mapping: ToyMapping) -> Result<Vec<f64>, ReproduceError> {
        let grid = Array1::from_shape_fn(SIGNAL, |i| i as f64 / SIGNAL as f64).insert_axis(Axis(1));
        let grid = mapping.coordinates(grid.view());
        let profile = self.kernel(mapping)?.cross(grid.view(), grid.slice(ndarray::s![64..65, ..]))?;
        Ok(profile.column(0).iter().map(|value| value / profile[[64, 0]]).collect())
    }

    /// Eigenvalues and eigenvectors of the training points' Gram matrix, largest first.
    pub(in crate::reproduce) fn eigen(
        &self,
        problem: &Problem,
        mapping: ToyMapping,
    ) -> Result<SymmetricEigen, ReproduceError> {
        let gram = self.kernel(mapping)?.gram(mapping.coordinates(problem.train_points.view()).view())?;
        Ok(Dynamics::new(gram.view())?.eigen().clone())
    }

    pub(in crate::reproduce) fn network(&self, inputs: usize) -> Mlp<f32> {
        let (weight_std, bias_std) = self.deviations();
        let shape = Shape::new(inputs, &[self.width; HIDDEN_LAYERS], 1, OutputActivation::Linear);
        let initialization = Initialization::Normal { weight_std, bias_std };
        Mlp::new(shape, initialization, &mut plain_rng(self.seed, PlainPurpose::FigureParameters))
    }

    /// Gradient descent in this parametrization.
    pub(in crate::reproduce) fn descent(&self, shape: &Shape) -> GradientDescent {
        let (weight_std, bias_std) = self.deviations();
        if self.ntk_parametrization {
            GradientDescent::ntk(shape, weight_std, bias_std)
        } else {
            GradientDescent::default()
        }
    }
}
