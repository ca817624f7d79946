//! Hyperparameters of the encoding, and the frequencies that they stand for.

use firmware_core::limits::{MAX_FREQUENCIES, MAX_INPUTS};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{CYCLE, Encoding, EncodingError};
use crate::train::step_rng;

/// Which random numbers are the Gaussian rows.
const ROWS_OF_B: u64 = 2;

/// Which frequencies an encoding has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EncodingKind {
    /// No frequencies: coordinates enter as 2v - 1.
    None,
    /// One cycle along each axis: B is the identity.
    Basic,
    /// σ^(j/m) along each axis, j = 0 … m-1 (m: the share of one axis).
    Positional,
    /// Rows from N(0, σ²), drawn once.
    #[default]
    Gaussian,
    /// b_j = j (or a list) along each axis with amplitudes a_j = 1/j^p.
    Fourier,
}

/// Hyperparameters; the [table](super) tells what they mean. [`EncodingParams::check`] makes an [`Encoding`] of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncodingParams {
    /// Which frequencies.
    pub kind: EncodingKind,
    /// Rows of B.
    pub frequencies: usize,
    /// σ.
    pub scale: f64,
    /// p of a_j = 1/j^p; infinity leaves b_1 alone.
    #[serde(with = "power")]
    pub amplitude_power: f64,
    /// Divide γ by ‖a‖.
    pub normalize: bool,
    /// Positional as in the code of Tancik et al. (2020): b_j = 2^(s_j) - 1, s_j evenly on \[0, scale\], ends included.
    pub notebook: bool,
    /// Explicit b_j of fourier on each axis; empty: 1, 2, 3, …
    pub list: Vec<f64>,
    /// Round B to whole cycles.
    pub whole: bool,
    /// Last coordinates that skip the encoding and are passed through.
    pub passthrough: usize,
    /// Seed of Gaussian rows.
    pub seed: u64,
}

impl Default for EncodingParams {
    fn default() -> Self {
        Self {
            kind: EncodingKind::Gaussian,
            frequencies: 64,
            scale: 10.0,
            amplitude_power: 0.0,
            normalize: false,
            notebook: false,
            list: Vec::new(),
            whole: false,
            passthrough: 0,
            seed: 0,
        }
    }
}

/// As text: JSON knows no infinity.
pub(crate) mod power {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(power: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(power)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl EncodingParams {
    /// The encoding of points with `inputs` coordinates.
    ///
    /// # Errors
    /// [`EncodingError`], with what to change.
    pub fn check(&self, inputs: usize) -> Result<Encoding, EncodingError> {
        if !(1..=MAX_INPUTS).contains(&inputs) {
            return Err(EncodingError::Inputs { inputs });
        }
        if self.passthrough > inputs {
            return Err(EncodingError::Passthrough { passthrough: self.passthrough, inputs });
        }
        if self.kind != EncodingKind::Fourier && self.amplitude_power != 0.0 {
            return Err(EncodingError::PowerWithoutFourier);
        }
        if self.kind != EncodingKind::Fourier && !self.list.is_empty() {
            return Err(EncodingError::ListWithoutFourier);
        }
        if self.kind != EncodingKind::Positional && self.notebook {
            return Err(EncodingError::NotebookWithoutPositional);
        }
        if self.kind == EncodingKind::None {
            return Ok(Encoding { inputs, frequencies: Vec::new(), amplitudes: Vec::new(), passthrough: inputs });
        }
        if self.amplitude_power.is_nan() || self.amplitude_power < 0.0 {
            return Err(EncodingError::Power { power: self.amplitude_power });
        }
        let encoded = inputs - self.passthrough;
        if encoded == 0 {
            return Err(EncodingError::Passthrough { passthrough: self.passthrough, inputs });
        }
        let (rows, mut amplitudes) = self.rows(encoded)?;
        if self.normalize {
            let norm = amplitudes.iter().map(|a| a * a).sum::<f64>().sqrt();
            amplitudes.iter_mut().for_each(|a| *a /= norm);
        }
        let mut frequencies = Vec::with_capacity(rows.len() * inputs);
        for row in &rows {
            for &frequency in row {
                if frequency.is_nan() || frequency.abs() > 32_767.0 {
                    return Err(EncodingError::Frequency { frequency });
                }
                let frequency = if self.whole { frequency.round() } else { frequency };
                frequencies.push((frequency * CYCLE).round() as i32);
            }
            frequencies.extend(std::iter::repeat_n(0, self.passthrough));
        }
        if frequencies.iter().all(|&frequency| frequency == 0) {
            return Err(EncodingError::AllZero);
        }
        let amplitudes = amplitudes.into_iter().map(|a| a as f32).collect();
        Ok(Encoding { inputs, frequencies, amplitudes, passthrough: self.passthrough })
    }

    /// Rows `[m, d]` and amplitudes `[m]` before rounding.
    fn rows(&self, axes: usize) -> Result<(Vec<Vec<f64>>, Vec<f64>), EncodingError> {
        let refused = |least| Err(EncodingError::Rows { rows: self.frequencies, least, inputs: axes });
        if self.kind != EncodingKind::Basic && self.list.is_empty() && self.frequencies > MAX_FREQUENCIES {
            return refused(1);
        }
        let positive_scale = if self.scale > 0.0 && self.scale.is_finite() {
            Ok(self.scale)
        } else {
            Err(EncodingError::Scale { scale: self.scale })
        };
        // Frequencies along one axis with their amplitudes, the same for every axis.
        let along_axes: Vec<(f64, f64)> = match self.kind {
            EncodingKind::None => Vec::new(),
            EncodingKind::Basic => vec![(1.0, 1.0)],
            EncodingKind::Gaussian => {
                let scale = positive_scale?;
                if self.frequencies == 0 {
                    return refused(1);
                }
                let mut rng = step_rng(self.seed, ROWS_OF_B, 0);
                let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
                let rows = (0..self.frequencies).map(|_| (0..axes).map(|_| scale * normal()).collect()).collect();
                return Ok((rows, vec![1.0; self.frequencies]));
            }
            EncodingKind::Positional => {
                let (scale, share) = (positive_scale?, self.frequencies / axes);
                if share == 0 {
                    return refused(axes);
                }
                let frequency = |j: usize| {
                    if self.notebook {
                        (scale * j as f64 / (share - 1).max(1) as f64).exp2() - 1.0
                    } else {
                        scale.powf(j as f64 / share as f64)
                    }
                };
                (0..share).map(|j| (frequency(j), 1.0)).collect()
            }
            EncodingKind::Fourier => {
                let share = if self.list.is_empty() { self.frequencies / axes } else { self.list.len() };
                if share == 0 || share * axes > MAX_FREQUENCIES {
                    return Err(EncodingError::Rows { rows: share * axes, least: axes, inputs: axes });
                }
                let amplitude = |j: usize| (j as f64).powf(-self.amplitude_power);
                (1..=share)
                    .map(|j| (self.list.get(j - 1).copied().unwrap_or(j as f64), amplitude(j)))
                    .filter(|&(_, amplitude)| amplitude > 0.0)
                    .collect()
            }
        };
        let mut rows = Vec::new();
        for axis in 0..axes {
            for &(frequency, _) in &along_axes {
                rows.push((0..axes).map(|d| if d == axis { frequency } else { 0.0 }).collect());
            }
        }
        let amplitudes = along_axes.iter().map(|&(_, amplitude)| amplitude);
        let amplitudes = std::iter::repeat_n(amplitudes, axes).flatten().collect();
        Ok((rows, amplitudes))
    }
}
