//! One setting of a sweep: its hyperparameters, and how good the network is that they gave.

use serde::{Deserialize, Serialize};

use super::grid::Hyperparameter;
use crate::data::metrics::Metrics;
use crate::fit::FitParams;
use crate::report::figure::tick_label;

/// What came out of one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// The setting's number in the sweep, from 0.
    pub index: usize,
    /// σ of the encoding.
    pub scale: f64,
    /// Power p of the amplitudes; a text in files, since JSON knows no infinity.
    #[serde(with = "crate::network::encoding::power")]
    pub amplitude_power: f64,
    /// Number of frequencies, m.
    pub frequencies: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// How good the network is; none if training failed.
    pub measured: Option<Measured>,
    /// Why training failed, as a sentence; none if it did not.
    pub failure: Option<String>,
    /// Training time on one thread; none if it was interrupted in between.
    pub seconds: Option<f64>,
}

/// How good a network is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Number of weights and biases.
    pub parameters: usize,
    /// Length of the artifact in bytes.
    pub model_bytes: usize,
    /// On the samples that trained, in f32.
    pub train: Metrics,
    /// On those held out, in f32: what settings are judged by.
    pub test: Metrics,
    /// On those held out, as the device computes it.
    pub model_test: Metrics,
}

impl SweepRow {
    pub(super) fn new(index: usize, setting: &FitParams) -> Self {
        Self {
            index,
            scale: setting.encoding.scale,
            amplitude_power: setting.encoding.amplitude_power,
            frequencies: setting.encoding.frequencies,
            hidden: setting.hidden.clone(),
            measured: None,
            failure: None,
            seconds: None,
        }
    }

    pub(super) fn is_of(&self, setting: &FitParams) -> bool {
        let expected = Self::new(self.index, setting);
        (self.scale, self.amplitude_power, self.frequencies, &self.hidden)
            == (expected.scale, expected.amplitude_power, expected.frequencies, &expected.hidden)
    }

    /// PSNR on held-out samples, dB; minus infinity if training failed.
    #[must_use]
    pub fn test_psnr_db(&self) -> f64 {
        self.measured.as_ref().map_or(f64::NEG_INFINITY, |measured| measured.test.psnr_db)
    }

    /// Where the setting lies along an axis of the grid.
    pub(super) fn value(&self, axis: Hyperparameter) -> f64 {
        match axis {
            Hyperparameter::Scale => self.scale,
            Hyperparameter::AmplitudePower => self.amplitude_power,
            Hyperparameter::Frequencies => self.frequencies as f64,
            Hyperparameter::Width => self.hidden.first().map_or(0.0, |&width| width as f64),
            Hyperparameter::Depth => self.hidden.len() as f64,
        }
    }

    pub(super) fn value_text(&self, axis: Hyperparameter) -> String {
        let value = self.value(axis);
        if value.is_finite() { tick_label(value) } else { value.to_string() }
    }

    /// The setting by its values of these axes.
    pub(super) fn name(&self, axes: &[Hyperparameter]) -> String {
        let parts: Vec<String> =
            axes.iter().map(|&axis| format!("{} {}", axis.name().replace('_', " "), self.value_text(axis))).collect();
        parts.join(", ")
    }
}
