//! The encoding γ: coordinates in the unit domain to features, as the device computes them.
//!
//! `γ(v) = [a_j cos 2πb_j·v (m) | a_j sin 2πb_j·v (m) | 2v - 1 (p)]`: m cosines, m sines, then the last p coordinates
//! as they are. Rows b_j of the frequency matrix B are in cycles over the unit domain and rounded to Q16.16 *before*
//! training, and the cosines come from the encoder that runs on the device, so that encoding there costs no accuracy.
//!
//! | hyperparameter | default | purpose | range |
//! | --- | --- | --- | --- |
//! | `kind` | gaussian | which frequencies | see [`EncodingKind`] |
//! | `frequencies` | 64 | rows m of B (for positional and fourier: shared evenly by the axes) | 1 … 1024 |
//! | `scale` | 10 | σ: deviation of Gaussian rows, or the highest positional frequency | > 0 |
//! | `amplitude_power` | 0 | p of a_j = 1/j^p, fourier only | ≥ 0, ∞ |
//! | `normalize` | no | divide γ by ‖a‖ | |
//! | `notebook` | no | positional as in the published code | |
//! | `list` | none | the b_j of fourier, on each axis | not empty |
//! | `whole` | no | round B to whole cycles, so that the network is periodic along every axis | |
//! | `whole_axes` | none | the same for these axes alone, counted from 0 | < d - p |
//! | `learned` | no | train B together with the network, Gaussian only | |
//! | `passthrough` | 0 | last coordinates that skip the encoding | ≤ d |
//! | `grid` | | of [grids](super::grid), which are there in place of frequencies | |

mod error;
mod kind;
mod params;
mod redundant;
#[cfg(test)]
mod tests;

use super::grid::Grid;
use firmware_core::fixed::ONE;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

pub use error::EncodingError;
pub use kind::EncodingKind;
pub use params::EncodingParams;
pub(crate) use params::power;
pub use redundant::Redundant;

/// One cycle in Q16.16.
const CYCLE: f64 = 65_536.0;

/// A checked encoding: frequencies, amplitudes, and how many coordinates pass by.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    inputs: usize,
    frequencies: Vec<i32>,
    amplitudes: Vec<f32>,
    passthrough: usize,
    grid: Option<Grid>,
}

/// The encoder that runs on a device.
#[derive(Clone, Copy, Debug)]
pub enum Device<'a> {
    /// Fourier features.
    Frequencies(firmware_core::Encoding<'a>),
    /// Grids.
    Grids(firmware_core::Grids<'a>),
}

impl Device<'_> {
    /// Coordinates of a point, d.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Frequencies(encoding) => encoding.inputs(),
            Self::Grids(grids) => grids.inputs(),
        }
    }

    /// Integer features of one point `[d]`.
    #[inline]
    pub fn encode_into(&self, point: &[u32], features: &mut [i16]) {
        match self {
            Self::Frequencies(encoding) => encoding.encode_into(point, features),
            Self::Grids(grids) => grids.encode_into(point, features),
        }
    }
}

impl Encoding {
    /// An encoding of given parts: B `[m, inputs]` in Q16.16, a `[m]`, and how many last coordinates pass by.
    ///
    /// Returns `None` where the device's encoder would refuse them, or lengths do not fit.
    pub fn from_parts(inputs: usize, frequencies: Vec<i32>, amplitudes: Vec<f32>, passthrough: usize) -> Option<Self> {
        firmware_core::Encoding::new(inputs, &frequencies, passthrough).ok()?;
        let fits = amplitudes.len() * inputs == frequencies.len() && amplitudes.iter().all(|a| a.is_finite());
        fits.then_some(Self { inputs, frequencies, amplitudes, passthrough, grid: None })
    }

    /// An encoding by grids.
    pub fn from_grid(grid: Grid) -> Self {
        Self {
            inputs: grid.inputs(),
            frequencies: Vec::new(),
            amplitudes: Vec::new(),
            passthrough: 0,
            grid: Some(grid),
        }
    }

    /// The grids, if the encoding has them in place of frequencies.
    pub fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    /// The number of parameters that can be trained: frequencies, or coefficients of grids.
    pub fn parameters_len(&self) -> usize {
        self.grid.as_ref().map_or(self.frequencies.len(), Grid::coefficients_len)
    }

    /// The same with other parameters: [frequencies](Self::with_frequencies) or
    /// [coefficients](Grid::with_coefficients).
    ///
    /// # Panics
    /// If their number is another one.
    #[must_use]
    pub fn with_parameters(&self, parameters: &[f32]) -> Self {
        match &self.grid {
            Some(grid) => Self::from_grid(grid.with_coefficients(parameters)),
            None => self.with_frequencies(parameters),
        }
    }

    /// The same with other frequencies `[m, d]`, in cycles, which are rounded to Q16.16.
    ///
    /// # Panics
    /// If their number is another one.
    #[must_use]
    pub fn with_frequencies(&self, cycles: &[f32]) -> Self {
        assert_eq!(cycles.len(), self.frequencies.len(), "frequencies for another encoding");
        let frequencies = cycles.iter().map(|&cycles| (f64::from(cycles) * CYCLE).round() as i32).collect();
        Self { frequencies, ..self.clone() }
    }

    /// Coordinates of a point, d.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// B, `[m, d]` row-major, Q16.16.
    pub fn frequencies(&self) -> &[i32] {
        &self.frequencies
    }

    /// B in cycles, `[m, d]`: exactly what is stored.
    pub fn frequency_matrix(&self) -> Array2<f64> {
        let cycles = self.frequencies.iter().map(|&frequency| f64::from(frequency) / CYCLE).collect();
        Array2::from_shape_vec((self.amplitudes.len(), self.inputs), cycles).expect("rows of this length")
    }

    /// a, `[m]`.
    pub fn amplitudes(&self) -> &[f32] {
        &self.amplitudes
    }

    /// Last coordinates that pass by.
    pub fn passthrough(&self) -> usize {
        self.passthrough
    }

    /// Length of a feature vector, 2m + p.
    pub fn features_len(&self) -> usize {
        match &self.grid {
            Some(grid) => grid.shape().features(),
            None => 2 * self.amplitudes.len() + self.passthrough,
        }
    }

    /// The encoder of [`firmware_core`], which a device runs.
    pub fn device(&self) -> Device<'_> {
        match &self.grid {
            Some(grid) => Device::Grids(grid.device()),
            None => Device::Frequencies(
                firmware_core::Encoding::new(self.inputs, &self.frequencies, self.passthrough)
                    .expect("checked when it was made"),
            ),
        }
    }

    /// Integer features `[n, 2m + p]` of coordinates `[n, d]` (Q0.32), without amplitudes, on all threads.
    ///
    /// # Panics
    /// If the coordinates do not have d columns.
    pub fn encode(&self, coordinates: ArrayView2<'_, u32>) -> Array2<i16> {
        assert_eq!(coordinates.ncols(), self.inputs, "points of another dimension");
        let (device, coordinates) = (self.device(), coordinates.as_standard_layout());
        let mut features = Array2::zeros((coordinates.nrows(), self.features_len()));
        features
            .axis_chunks_iter_mut(Axis(0), 256)
            .into_par_iter()
            .zip(coordinates.axis_chunks_iter(Axis(0), 256))
            .for_each(|(mut features, coordinates)| {
                for (mut row, point) in features.rows_mut().into_iter().zip(coordinates.rows()) {
                    device.encode_into(point.to_slice().expect("a row"), row.as_slice_mut().expect("a row"));
                }
            });
        features
    }

    /// What each column of integer features is multiplied by: a_j / 32767, or what a unit of a grid's channel is worth.
    pub fn feature_factors(&self) -> Vec<f32> {
        if let Some(grid) = &self.grid {
            return grid.feature_factors();
        }
        self.column_factors().into_iter().map(|a| (f64::from(a) / f64::from(ONE)) as f32).collect()
    }

    /// The amplitude of each feature, which an artifact has in the columns of its first layer.
    pub fn column_factors(&self) -> Vec<f32> {
        if let Some(grid) = &self.grid {
            return grid.amplitudes();
        }
        let amplitudes = self.amplitudes.iter().chain(&self.amplitudes).copied();
        amplitudes.chain(std::iter::repeat_n(1.0, self.passthrough)).collect()
    }

    /// Features `[n, 2m + p]` of coordinates `[n, d]` (Q0.32) as a network is fed them in training.
    pub fn features(&self, coordinates: ArrayView2<'_, u32>) -> Array2<f32> {
        let mut features = self.encode(coordinates).mapv(f32::from);
        let factors = ndarray::Array1::from(self.feature_factors());
        features.axis_chunks_iter_mut(Axis(0), 1024).into_par_iter().for_each(|mut rows| rows *= &factors);
        features
    }
}
