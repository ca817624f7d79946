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
//! | `whole` | no | round B to whole cycles, so that the network is periodic | |
//! | `passthrough` | 0 | last coordinates that skip the encoding | ≤ d |

use crate::train::step_rng;
use firmware_core::limits::{MAX_FREQUENCIES, MAX_INPUTS};
use firmware_core::trig::ONE;
use ndarray::{Array2, ArrayView2, Axis, s};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Which random numbers are the Gaussian rows.
const ROWS_OF_B: u64 = 2;
/// One cycle in Q16.16.
const CYCLE: f64 = 65_536.0;

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

/// Hyperparameters; the module's table tells what they mean. [`EncodingParams::check`] makes an [`Encoding`] of them.
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

/// Why there is no such encoding.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodingError {
    /// Too many inputs or none.
    #[error("{inputs} inputs cannot be encoded; a device takes 1 to {MAX_INPUTS}")]
    Inputs {
        /// How many there are.
        inputs: usize,
    },
    /// More coordinates pass than there are.
    #[error("{passthrough} of {inputs} inputs cannot be passed through unencoded")]
    Passthrough {
        /// How many shall pass.
        passthrough: usize,
        /// How many there are.
        inputs: usize,
    },
    /// No row at all, or more than a device takes.
    #[error(
        "{rows} frequencies are not possible; --frequencies takes {least} to {MAX_FREQUENCIES} for {inputs} inputs"
    )]
    Rows {
        /// How many there would be.
        rows: usize,
        /// The least that gives each axis one.
        least: usize,
        /// Number of inputs.
        inputs: usize,
    },
    /// σ is no positive number.
    #[error("a scale of {scale} is not possible; --scale takes a positive number, 1 to 50 for most signals")]
    Scale {
        /// What was given.
        scale: f64,
    },
    /// A frequency does not fit Q16.16.
    #[error("a frequency of {frequency:.4e} cycles is beyond ±32767; lower --scale")]
    Frequency {
        /// The frequency.
        frequency: f64,
    },
    /// All frequencies vanish in Q16.16.
    #[error("all frequencies round to zero, and the encoding would be constant; raise --scale")]
    AllZero,
    /// p is no number ≥ 0.
    #[error("an amplitude power of {power} is not possible; --amplitude-power takes a number from 0 to inf")]
    Power {
        /// What was given.
        power: f64,
    },
    /// Amplitudes for an encoding that has none.
    #[error("--amplitude-power belongs to --encoding fourier")]
    PowerWithoutFourier,
    /// A list for an encoding that makes its own frequencies.
    #[error("a list of frequencies belongs to --encoding fourier")]
    ListWithoutFourier,
    /// The notebook's variant of something else.
    #[error("--positional-notebook belongs to --encoding positional")]
    NotebookWithoutPositional,
}

/// A checked encoding: frequencies, amplitudes, and how many coordinates pass by.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    inputs: usize,
    frequencies: Vec<i32>,
    amplitudes: Vec<f32>,
    passthrough: usize,
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

impl Encoding {
    /// An encoding of given parts: B `[m, inputs]` in Q16.16, a `[m]`, and how many last coordinates pass by.
    ///
    /// Returns `None` where the device's encoder would refuse them, or lengths do not fit.
    pub fn from_parts(inputs: usize, frequencies: Vec<i32>, amplitudes: Vec<f32>, passthrough: usize) -> Option<Self> {
        firmware_core::Encoding::new(inputs, &frequencies, passthrough).ok()?;
        let fits = amplitudes.len() * inputs == frequencies.len() && amplitudes.iter().all(|a| a.is_finite());
        fits.then_some(Self { inputs, frequencies, amplitudes, passthrough })
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
        2 * self.amplitudes.len() + self.passthrough
    }

    /// The device's encoder.
    pub fn device(&self) -> firmware_core::Encoding<'_> {
        firmware_core::Encoding::new(self.inputs, &self.frequencies, self.passthrough)
            .expect("checked when it was made")
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

    /// What each column of integer features is multiplied by: a_j / 32767.
    pub fn feature_factors(&self) -> Vec<f32> {
        let amplitudes = self.amplitudes.iter().chain(&self.amplitudes).copied();
        amplitudes
            .chain(std::iter::repeat_n(1.0, self.passthrough))
            .map(|a| (f64::from(a) / f64::from(ONE)) as f32)
            .collect()
    }

    /// Features `[n, 2m + p]` of coordinates `[n, d]` (Q0.32) as a network is fed them in training.
    pub fn features(&self, coordinates: ArrayView2<'_, u32>) -> Array2<f32> {
        let mut features = self.encode(coordinates).mapv(f32::from);
        let factors = ndarray::Array1::from(self.feature_factors());
        features.axis_chunks_iter_mut(Axis(0), 1024).into_par_iter().for_each(|mut rows| rows *= &factors);
        features
    }

    /// Features `[n, 2m + p]` of points `[n, d]` in \[0, 1), exact in f64 up to the rounding of B: for theory.
    pub fn exact_features(&self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        let m = self.amplitudes.len();
        let turns = points.dot(&self.frequency_matrix().t());
        let mut features = Array2::zeros((points.nrows(), self.features_len()));
        for (j, &amplitude) in self.amplitudes.iter().enumerate() {
            let angles = turns.column(j).mapv(|turns| std::f64::consts::TAU * (turns - turns.round()));
            features.column_mut(j).assign(&angles.mapv(|angle| f64::from(amplitude) * angle.cos()));
            features.column_mut(m + j).assign(&angles.mapv(|angle| f64::from(amplitude) * angle.sin()));
        }
        let passed = points.slice(s![.., self.inputs - self.passthrough..]);
        features.slice_mut(s![.., 2 * m..]).assign(&passed.mapv(|v| 2.0 * v - 1.0));
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn params(kind: EncodingKind) -> EncodingParams {
        EncodingParams { kind, frequencies: 6, ..EncodingParams::default() }
    }

    fn column(params: &EncodingParams) -> Vec<f64> {
        params.check(1).unwrap().frequency_matrix().column(0).to_vec()
    }

    #[test]
    fn frequencies_are_those_of_the_text() {
        assert_eq!(params(EncodingKind::None).check(3).unwrap().features_len(), 3);
        assert_eq!(params(EncodingKind::Basic).check(2).unwrap().frequency_matrix(), array![[1.0, 0.0], [0.0, 1.0]]);
        let positional = EncodingParams { scale: 64.0, ..params(EncodingKind::Positional) };
        assert_eq!(column(&positional), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
        let two_axes = positional.check(2).unwrap().frequency_matrix();
        assert_eq!(two_axes.slice(s![..3, ..]), array![[1.0, 0.0], [4.0, 0.0], [16.0, 0.0]]);
        assert_eq!(two_axes.slice(s![3.., ..]), array![[0.0, 1.0], [0.0, 4.0], [0.0, 16.0]]);
        let notebook = EncodingParams { scale: 5.0, notebook: true, ..params(EncodingKind::Positional) };
        assert_eq!(column(&notebook), [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]);
        let fourier = EncodingParams { amplitude_power: 1.0, ..params(EncodingKind::Fourier) };
        assert_eq!(column(&fourier), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(fourier.check(1).unwrap().amplitudes()[3], 0.25);
        let only_the_first = EncodingParams { amplitude_power: f64::INFINITY, ..fourier };
        assert_eq!(column(&only_the_first), [1.0]);
        assert_eq!(only_the_first.check(1).unwrap().amplitudes(), [1.0]);
        let listed = EncodingParams { list: vec![0.5, 7.0], ..params(EncodingKind::Fourier) };
        assert_eq!(column(&listed), [0.5, 7.0]);
    }

    #[test]
    fn gaussian_rows_have_their_deviation_and_follow_the_seed() {
        let gaussian = EncodingParams { frequencies: 1024, ..params(EncodingKind::Gaussian) };
        let matrix = gaussian.check(2).unwrap().frequency_matrix();
        assert!((matrix.std(0.0) - 10.0).abs() < 0.5);
        assert!(matrix.mean().unwrap().abs() < 0.7);
        assert_eq!(matrix, gaussian.check(2).unwrap().frequency_matrix());
        assert_ne!(matrix, EncodingParams { seed: 1, ..gaussian.clone() }.check(2).unwrap().frequency_matrix());
        let whole = EncodingParams { whole: true, ..gaussian }.check(2).unwrap();
        assert!(whole.frequencies().iter().all(|frequency| frequency % 65_536 == 0));
    }

    #[test]
    fn training_features_are_the_exact_ones_to_sixteen_bits() {
        let coordinates =
            Array2::from_shape_fn((500, 3), |(i, j)| (i as u32).wrapping_mul(2_654_435_761 + 17 * j as u32));
        let points = coordinates.mapv(|v| f64::from(v) / 4_294_967_296.0);
        for kind in [
            EncodingKind::None,
            EncodingKind::Basic,
            EncodingKind::Positional,
            EncodingKind::Gaussian,
            EncodingKind::Fourier,
        ] {
            for normalize in [false, true] {
                let passthrough = usize::from(kind != EncodingKind::None);
                let encoding = EncodingParams { normalize, passthrough, ..params(kind) }.check(3).unwrap();
                let difference =
                    encoding.features(coordinates.view()).mapv(f64::from) - encoding.exact_features(points.view());
                assert!(difference.iter().all(|difference| difference.abs() < 7e-5), "{kind:?}");
                if normalize && kind != EncodingKind::None {
                    let exact = encoding.exact_features(points.view());
                    let squares: f64 = exact.row(0).iter().take(exact.ncols() - 1).map(|value| value * value).sum();
                    assert!((squares - 1.0).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn impossible_settings_are_explained() {
        let base = EncodingParams::default();
        for (params, words) in [
            (EncodingParams { scale: 0.0, ..base.clone() }, "--scale"),
            (EncodingParams { scale: f64::NAN, ..base.clone() }, "--scale"),
            (EncodingParams { scale: 1e9, ..base.clone() }, "lower --scale"),
            (EncodingParams { scale: 1e-9, ..base.clone() }, "raise --scale"),
            (EncodingParams { frequencies: 0, ..base.clone() }, "--frequencies"),
            (EncodingParams { frequencies: 1025, ..base.clone() }, "1024"),
            (EncodingParams { frequencies: 1, ..params(EncodingKind::Positional) }, "2 to 1024"),
            (EncodingParams { amplitude_power: -1.0, ..params(EncodingKind::Fourier) }, "0 to inf"),
            (EncodingParams { amplitude_power: 1.0, ..base.clone() }, "fourier"),
            (EncodingParams { notebook: true, ..base.clone() }, "positional"),
            (EncodingParams { list: vec![f64::NAN], ..params(EncodingKind::Fourier) }, "frequency"),
            (EncodingParams { passthrough: 3, ..base.clone() }, "passed through"),
        ] {
            let error = params.check(2).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(base.check(0).is_err() && base.check(17).is_err());
    }

    #[test]
    fn settings_survive_json() {
        let params = EncodingParams { amplitude_power: f64::INFINITY, ..EncodingParams::default() };
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<EncodingParams>(&text).unwrap(), params);
    }
}
