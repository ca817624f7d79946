//! The hyperparameters that can be chosen: σ of Gaussian features, p of power-law ones.

use serde::{Deserialize, Serialize};

use super::AutoScaleError;
use crate::fit::FitParams;
use crate::network::encoding::EncodingKind;
use crate::theory::select::candidate_scales;

/// What a network gains on one of e times its σ while it trains for e times as many steps, dB.
const GAIN_DB: f64 = 0.7;
/// The same for a p that is larger by 1.
const POWER_GAIN_DB: f64 = 6.0;
/// The best σ of a finite network is about so many times smaller than the one that its kernel asks for; where trials
/// begin.
const FINITE: f64 = 2.5;
/// The smallest σ lies at or just below this.
const SMALLEST: f64 = 0.125;
/// The largest σ: beyond it frequencies leave the range of the encoding.
const LARGEST: f64 = 4000.0;
/// The largest p; with it the tenth frequency has 1/560 of the amplitude of the first.
const LARGEST_POWER: f64 = 2.75;

/// A hyperparameter that can be chosen before the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// σ of [`EncodingKind::Gaussian`].
    Scale,
    /// p of [`EncodingKind::Fourier`].
    AmplitudePower,
}

impl Setting {
    /// The option of the command line that sets it, such as `--scale`.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::Scale => "--scale",
            Self::AmplitudePower => "--amplitude-power",
        }
    }

    /// Checks that the encoding has this hyperparameter.
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
                // Smooth data want less than the half cycle at which kernel theory begins.
                while let [first, second, ..] = scales[..]
                    && first > SMALLEST
                {
                    scales.insert(0, first * (first / second).max(0.5));
                }
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

    /// Where trials begin, given the place that the theory chooses.
    pub(super) fn start(self, candidates: &[f64], theory: usize) -> usize {
        match (self, candidates) {
            (Self::Scale, [first, second, ..]) => {
                theory.saturating_sub((FINITE.ln() / (second / first).ln()).round() as usize)
            }
            _ => theory,
        }
    }

    /// What a candidate's short training flatters it by, dB, where the real one takes `longer` times as many steps.
    pub(super) fn handicap(self, candidate: f64, longer: f64) -> f64 {
        match self {
            Self::Scale => GAIN_DB * candidate.ln() * longer.ln(),
            Self::AmplitudePower => -POWER_GAIN_DB * candidate * longer.ln(),
        }
    }
}
