//! How close an approximation is, in the user's units and in decibels.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use firmware_core::OutputMap;

/// Peak signal-to-noise ratio in dB: 10 log10(peak² / mean squared error).
///
/// Infinite where the error is zero; JSON has no infinity, so it is written as `null` there.
#[must_use]
pub fn psnr_db(mean_squared_error: f64, peak: f64) -> f64 {
    10.0 * (peak * peak / mean_squared_error).log10()
}

/// Agreement of predictions with targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The number of samples compared.
    pub samples: usize,
    /// PSNR over all samples and outputs, dB. The peak is the range of the data (1 for pictures): for outputs of
    /// different ranges the errors are taken relative to each one's range.
    #[serde(deserialize_with = "null_is_infinite")]
    pub psnr_db: f64,
    /// Root of the mean squared error over all samples and outputs, user units.
    pub rmse: f64,
    /// The largest absolute error over all samples and outputs, user units.
    pub max_abs_error: f64,
}

impl Metrics {
    /// Compares predictions `[n, c]` in user units with targets `[n, c]` in unit values of `maps`.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[must_use]
    pub fn compare(predictions: &Array2<f32>, targets: &Array2<f32>, maps: &[OutputMap]) -> Self {
        assert_eq!(predictions.dim(), targets.dim(), "one prediction per target");
        assert_eq!(targets.ncols(), maps.len(), "one map per output");
        let (mut unit_squares, mut squares, mut largest) = (0.0, 0.0, 0.0f64);
        for (prediction, target) in predictions.outer_iter().zip(targets.outer_iter()) {
            for ((&prediction, &unit), map) in prediction.iter().zip(target).zip(maps) {
                let (scale, offset) = (f64::from(map.scale), f64::from(map.offset));
                let error = f64::from(prediction) - (f64::from(unit) * scale + offset);
                squares += error * error;
                unit_squares += (error / scale).powi(2);
                largest = largest.max(error.abs());
            }
        }
        let count = targets.len() as f64;
        Self {
            samples: targets.nrows(),
            psnr_db: psnr_db(unit_squares / count, 1.0),
            rmse: (squares / count).sqrt(),
            max_abs_error: largest,
        }
    }
}

fn null_is_infinite<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn known_values() {
        assert!((psnr_db(0.01, 1.0) - 20.0).abs() < 1e-12);
        assert!((psnr_db(0.01, 10.0) - 40.0).abs() < 1e-12);

        // One output in 0..10 that is off by 1, one in 0..1000 that is off by 100: both a tenth of the range.
        let maps = [OutputMap { scale: 10.0, offset: 0.0 }, OutputMap { scale: 1000.0, offset: -500.0 }];
        let metrics = Metrics::compare(&array![[6.0, 100.0]], &array![[0.5, 0.5]], &maps);
        assert!((metrics.psnr_db - 20.0).abs() < 1e-9);
        assert!((metrics.rmse - (10001.0f64 / 2.0).sqrt()).abs() < 1e-9);
        assert_eq!(metrics.max_abs_error, 100.0);
    }

    #[test]
    fn no_error_is_null_in_json_and_infinite_again_when_read() {
        let map = [OutputMap { scale: 1.0, offset: 7.0 }];
        let metrics = Metrics::compare(&array![[7.0]], &array![[0.0]], &map);
        let json = serde_json::to_string(&metrics).unwrap();
        assert!(json.contains(r#""psnr_db":null"#), "{json}");
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
    }
}
