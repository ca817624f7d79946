//! Hyperparameters of the encoding, and the frequencies that they stand for.

use firmware_core::artifact::GridUse;
use firmware_core::limits::{MAX_FREQUENCIES, MAX_INPUTS};
use ndarray::{Array1, Array2, ArrayView1};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::super::grid::{Grid, GridParams};
use super::kind::EncodingKind;
use super::{CYCLE, Encoding, EncodingError};
use crate::base::random::{Purpose, step_rng};

/// Hyperparameters; the [table](super) tells what they mean. [`EncodingParams::check`] makes an [`Encoding`] of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncodingParams {
    /// The distribution of the frequencies.
    pub kind: EncodingKind,
    /// Number of frequencies: rows of B.
    pub frequencies: usize,
    /// σ: standard deviation of Gaussian frequencies in cycles over the domain; of positional ones log2 of the highest.
    pub scale: f64,
    /// p of a_j = 1/j^p; infinity leaves b_1 alone.
    #[serde(with = "power")]
    pub amplitude_power: f64,
    /// Whether γ is divided by ‖a‖, so that its norm is 1.
    pub normalize: bool,
    /// Positional as in the code of Tancik et al. (2020): b_j = 2^(s_j) - 1, s_j evenly on \[0, scale\], ends included.
    pub notebook: bool,
    /// Explicit b_j of fourier on each axis; empty: 1, 2, 3, …
    pub list: Vec<f64>,
    /// Round B to whole cycles.
    pub whole: bool,
    /// Round these columns of B, those of the periodic axes, to whole cycles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub whole_axes: Vec<usize>,
    /// Train the frequencies together with the network, but for those of periodic axes. Only Gaussian ones can be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub learned: bool,
    /// Last coordinates that skip the encoding and are passed through.
    pub passthrough: usize,
    /// Of grids and tables.
    #[serde(skip_serializing_if = "GridParams::is_default")]
    pub grid: GridParams,
    /// Seed that Gaussian rows are drawn from.
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
            whole_axes: Vec::new(),
            learned: false,
            passthrough: 0,
            grid: GridParams::default(),
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
        let cannot_pass = EncodingError::Passthrough { passthrough: self.passthrough, inputs };
        let Some(encoded) = inputs.checked_sub(self.passthrough) else {
            return Err(cannot_pass);
        };
        if let Some(&axis) = self.whole_axes.iter().find(|&&axis| self.kind == EncodingKind::None || axis >= encoded) {
            return Err(EncodingError::WholeAxis { axis });
        }
        if self.kind == EncodingKind::None {
            self.check_options()?;
            return Ok(Encoding {
                inputs,
                frequencies: Vec::new(),
                amplitudes: Vec::new(),
                passthrough: inputs,
                grid: None,
            });
        }
        if self.kind.has_grid() {
            self.check_options()?;
            if self.passthrough > 0 {
                return Err(cannot_pass);
            }
            let periodic = (0..inputs).filter(|axis| self.whole || self.whole_axes.contains(axis));
            let periodic = periodic.fold(0, |axes, axis| axes | 1 << axis);
            let used_as = if self.kind == EncodingKind::Table { GridUse::Outputs } else { GridUse::Features };
            return Ok(Encoding::from_grid(Grid::new(&self.grid, inputs, used_as, periodic)?));
        }
        if encoded == 0 {
            return Err(cannot_pass);
        }
        let (rows, mut amplitudes) = self.rows(encoded, MAX_FREQUENCIES)?;
        if self.normalize {
            let norm = amplitudes.dot(&amplitudes).sqrt();
            amplitudes /= norm;
        }
        let kept = || rows.outer_iter().zip(&amplitudes).filter(|&(_, &amplitude)| amplitude > 0.0);
        let frequencies = self.cycles(kept().map(|(row, _)| row))?;
        let amplitudes = kept().map(|(_, &amplitude)| amplitude as f32).collect();
        Ok(Encoding { inputs, frequencies, amplitudes, passthrough: self.passthrough, grid: None })
    }

    /// Frequencies as the device has them, row by row, with zeros for the inputs that are passed through.
    fn cycles<'a>(&self, rows: impl Iterator<Item = ArrayView1<'a, f64>>) -> Result<Vec<i32>, EncodingError> {
        let mut frequencies = Vec::new();
        for row in rows {
            for (axis, &frequency) in row.iter().enumerate() {
                if frequency.is_nan() || frequency.abs() > 32_767.0 {
                    return Err(EncodingError::Frequency { frequency });
                }
                let is_whole = self.whole || self.whole_axes.contains(&axis);
                let frequency = if is_whole { frequency.round() } else { frequency };
                frequencies.push((frequency * CYCLE).round() as i32);
            }
            frequencies.extend(std::iter::repeat_n(0, self.passthrough));
        }
        if frequencies.iter().all(|&frequency| frequency == 0) {
            return Err(EncodingError::AllZero);
        }
        Ok(frequencies)
    }

    /// Rows of B for points of `axes` coordinates: what each axis has the same number of may be fewer than
    /// [`Self::frequencies`].
    #[must_use]
    pub fn shared_frequencies(&self, axes: usize) -> usize {
        match self.kind {
            EncodingKind::Positional | EncodingKind::Fourier if self.list.is_empty() => {
                self.frequencies - self.frequencies % axes.max(1)
            }
            _ => self.frequencies,
        }
    }

    /// Whether the options belong together and the power is in its range.
    fn check_options(&self) -> Result<(), EncodingError> {
        if self.kind != EncodingKind::Fourier && self.amplitude_power != 0.0 {
            return Err(EncodingError::PowerWithoutFourier);
        }
        if self.kind != EncodingKind::Fourier && !self.list.is_empty() {
            return Err(EncodingError::ListWithoutFourier);
        }
        if self.kind != EncodingKind::Positional && self.notebook {
            return Err(EncodingError::NotebookWithoutPositional);
        }
        if self.amplitude_power.is_nan() || self.amplitude_power < 0.0 {
            return Err(EncodingError::Power { power: self.amplitude_power });
        }
        Ok(())
    }

    /// B `[m, axes]` in cycles and a `[m]`, exact in f64 and before normalization; no row for [`EncodingKind::None`].
    ///
    /// Rows of amplitude zero, as p = ∞ makes them, are kept: a device leaves them out, the fan-in of a network in
    /// theory counts them.
    pub(crate) fn rows(&self, axes: usize, most: usize) -> Result<(Array2<f64>, Array1<f64>), EncodingError> {
        self.check_options()?;
        if self.kind.has_grid() {
            return Err(EncodingError::NoFrequencies { kind: self.kind });
        }
        let (least, planned) = match self.kind {
            EncodingKind::None | EncodingKind::Grid | EncodingKind::Table => (0, 0),
            EncodingKind::Basic => (axes, axes),
            EncodingKind::Gaussian => (1, self.frequencies),
            EncodingKind::Fourier if !self.list.is_empty() => (axes, self.list.len().saturating_mul(axes)),
            EncodingKind::Positional | EncodingKind::Fourier => (axes, self.frequencies),
        };
        if !(least..=most).contains(&planned) {
            return Err(EncodingError::Rows { rows: planned, least, most, inputs: axes });
        }
        let share = planned / axes.max(1);
        if self.kind.has_scale() && !(self.scale > 0.0 && self.scale.is_finite()) {
            return Err(EncodingError::Scale { scale: self.scale });
        }
        if self.kind == EncodingKind::Gaussian {
            let mut rng = step_rng(self.seed, Purpose::Frequencies, 0);
            let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
            let rows = Array2::from_shape_simple_fn((planned, axes), || self.scale * normal());
            return Ok((rows, Array1::ones(planned)));
        }
        // Along one axis, the same for every one.
        let frequency = |j: usize| match self.kind {
            EncodingKind::Positional if self.notebook => {
                (self.scale * j as f64 / (share - 1).max(1) as f64).exp2() - 1.0
            }
            EncodingKind::Positional => self.scale.powf(j as f64 / share as f64),
            _ => self.list.get(j).copied().unwrap_or((j + 1) as f64),
        };
        let rows =
            Array2::from_shape_fn(
                (share * axes, axes),
                |(row, axis)| {
                    if row / share == axis { frequency(row % share) } else { 0.0 }
                },
            );
        let amplitudes =
            Array1::from_shape_fn(share * axes, |row| ((row % share + 1) as f64).powf(-self.amplitude_power));
        Ok((rows, amplitudes))
    }
}
