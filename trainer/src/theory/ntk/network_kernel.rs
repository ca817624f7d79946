//! A network of infinite width behind a feature mapping.

use ndarray::{Array2, ArrayView2};

use super::{Covariance, InfiniteMlp};
use crate::theory::TheoryError;
use crate::theory::kernel::{FourierFeatures, Kernel};

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
