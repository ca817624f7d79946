//! The hyperparameters that can be chosen: σ of Gaussian features, p of power-law ones.

use serde::{Deserialize, Serialize};

use super::AutoScaleError;
use crate::encoding::EncodingKind;
use crate::fit::FitParams;
use crate::theory::select::candidate_scales;

/// The best σ is proportional to the number of steps to the power of minus this.
const DRIFT: f64 = 0.25;
/// The largest σ: beyond it frequencies leave the range of the encoding.
const LARGEST: f64 = 4000.0;
/// The largest p; with it the tenth frequency has 1/560 of the amplitude of the first.
const LARGEST_POWER: f64 = 2.75;

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// σ of [`EncodingKind::Gaussian`].
    Scale,
    /// p of [`EncodingKind::Fourier`].
    AmplitudePower,
}

impl Setting {
    /// The name of its option.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::Scale => "--scale",
            Self::AmplitudePower => "--amplitude-power",
        }
    }

    /// Whether the encoding has it.
    ///
    /// # Errors
    /// [`AutoScaleError::NotGaussian`] or [`AutoScaleError::NotFourier`].
    pub fn check(self, kind: EncodingKind) -> Result<(), AutoScaleError> {
        match (self, kind) {
            (Self::Scale, EncodingKind::Gaussian) | (Self::AmplitudePower, EncodingKind::Fourier) => Ok(()),
            (Self::Scale, _) => Err(AutoScaleError::NotGaussian),
            (Self::AmplitudePower, _) => Err(AutoScaleError::NotFourier),
        }
    }

    /// At most `count` candidates for `samples` in `dims` dimensions, from the narrowest spectrum to the widest.
    #[must_use]
    pub fn candidates(self, samples: usize, dims: usize, count: usize) -> Vec<f64> {
        match self {
            Self::Scale => {
                let mut scales = candidate_scales(samples, dims, count);
                scales.iter_mut().for_each(|scale| *scale = scale.min(LARGEST));
                scales.dedup();
                scales
            }
            Self::AmplitudePower => {
                let steps = (count - 1).max(1) as f64;
                (0..count).rev().map(|k| LARGEST_POWER * k as f64 / steps).collect()
            }
        }
    }

    /// `params` with the candidate.
    pub(super) fn of(self, params: &FitParams, candidate: f64) -> FitParams {
        let mut params = params.clone();
        match self {
            Self::Scale => params.encoding.scale = candidate,
            Self::AmplitudePower => params.encoding.amplitude_power = candidate,
        }
        params
    }

    /// The candidate at a place between two.
    pub(super) fn at(self, candidates: &[f64], place: f64) -> f64 {
        let below = (place.floor() as usize).min(candidates.len() - 1);
        let (low, high) = (candidates[below], candidates[(below + 1).min(candidates.len() - 1)]);
        let part = place - below as f64;
        match self {
            Self::Scale => low * (high / low).powf(part),
            Self::AmplitudePower => low + (high - low) * part,
        }
    }

    /// By how many places the best candidate moves when training takes `longer` times as many steps.
    pub(super) fn drift(self, candidates: &[f64], longer: f64) -> f64 {
        match (self, candidates) {
            (Self::Scale, [first, second, ..]) => -DRIFT * longer.ln() / (second / first).ln(),
            _ => 0.0,
        }
    }
}
