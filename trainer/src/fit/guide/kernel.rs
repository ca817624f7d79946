//! The kernels that a guide may have, of the distance in cycles.

use ndarray::{Array2, ArrayView1, ArrayView2};
use std::f64::consts::PI;

/// How smooth the functions are that a kernel favours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Smoothness {
    /// All derivatives: `exp(-2π²r²)`, the kernel of Gaussian features.
    Gaussian,
    /// Three derivatives: `(1 + a + 2a²/5 + a³/15) exp(-a)` with `a = √7·2πr`. With a small σ it is nearly the spline
    /// of degree 7, which needs no one length for all parts of an axis.
    SmoothMatern,
    /// One derivative: `(1 + a) exp(-a)` with `a = √3·2πr`.
    Matern,
    /// None, as at kinks: `exp(-2πr)`.
    Exponential,
}

impl Smoothness {
    pub(super) const ALL: [Self; 4] = [Self::Gaussian, Self::SmoothMatern, Self::Matern, Self::Exponential];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "Gaussian",
            Self::SmoothMatern => "Matérn 7/2",
            Self::Matern => "Matérn 3/2",
            Self::Exponential => "exponential",
        }
    }

    /// The kernel at a squared distance of `squared` cycles².
    fn value(self, squared: f64) -> f64 {
        match self {
            Self::Gaussian => (-2.0 * PI * PI * squared).exp(),
            Self::SmoothMatern => {
                let a = (28.0 * PI * PI * squared).sqrt();
                (1.0 + a + a * a * (0.4 + a / 15.0)) * (-a).exp()
            }
            Self::Matern => {
                let a = (12.0 * PI * PI * squared).sqrt();
                (1.0 + a) * (-a).exp()
            }
            Self::Exponential => (-2.0 * PI * squared.sqrt()).exp(),
        }
    }
}

/// A kernel of points in the unit domain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kernel {
    pub(super) smoothness: Smoothness,
    /// σ of each axis, cycles over the domain.
    pub(super) scales: Vec<f64>,
    /// Axes whose ends meet: the distance along them is that of a chord.
    pub(super) periodic: Vec<bool>,
}

impl Kernel {
    fn of(&self, a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
        let mut squared = 0.0;
        for (((a, b), scale), &periodic) in a.iter().zip(b).zip(&self.scales).zip(&self.periodic) {
            let along = if periodic { (PI * (a - b)).sin() / PI } else { a - b };
            squared += (scale * along).powi(2);
        }
        self.smoothness.value(squared)
    }

    /// `[n, m]` between points `[n, d]` and `[m, d]`.
    pub(super) fn cross(&self, points: ArrayView2<'_, f64>, others: ArrayView2<'_, f64>) -> Array2<f64> {
        Array2::from_shape_fn((points.nrows(), others.nrows()), |(i, j)| self.of(points.row(i), others.row(j)))
    }

    /// `[n, n]` of points `[n, d]`, with `nugget` added to the diagonal.
    pub(super) fn gram(&self, points: ArrayView2<'_, f64>, nugget: f64) -> Array2<f64> {
        let n = points.nrows();
        let mut gram = Array2::zeros((n, n));
        for i in 0..n {
            for j in 0..i {
                let value = self.of(points.row(i), points.row(j));
                gram[[i, j]] = value;
                gram[[j, i]] = value;
            }
            gram[[i, i]] = 1.0 + nugget;
        }
        gram
    }
}
