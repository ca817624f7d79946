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

/// Agreement of predictions with one output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputMetrics {
    /// PSNR, dB; the peak is the range of this output.
    #[serde(deserialize_with = "null_is_infinite")]
    pub psnr_db: f64,
    /// Root of the mean squared error, in the output's unit.
    pub rmse: f64,
    /// The largest absolute error, in the output's unit.
    pub max_abs_error: f64,
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
    /// Root of the mean squared error over all samples and outputs, user units; none where the outputs' ranges differ,
    /// since metres and volts have no common error.
    pub rmse: Option<f64>,
    /// The largest absolute error over all samples and outputs, user units; none where the outputs' ranges differ.
    pub max_abs_error: Option<f64>,
    /// Each output by itself.
    #[serde(default)]
    pub outputs: Vec<OutputMetrics>,
}

impl Metrics {
    /// A line for each output: PSNR, RMSE and the largest error in its unit. One output needs no name.
    #[must_use]
    pub fn lines(&self, names: &[String], units: &[String]) -> Vec<String> {
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let line = |(k, output): (usize, &OutputMetrics)| {
            let unit = unit_suffix(units, k);
            let name = if self.outputs.len() == 1 { String::new() } else { format!("{:width$}  ", names[k]) };
            let OutputMetrics { psnr_db, rmse, max_abs_error } = output;
            format!(
                "{name}PSNR {psnr_db:.2} dB, RMSE {}{unit}, largest error {}{unit}",
                short(*rmse),
                short(*max_abs_error)
            )
        };
        self.outputs.iter().enumerate().map(line).collect()
    }

    /// Compares predictions `[n, c]` in user units with targets `[n, c]` in unit values of `maps`.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[must_use]
    pub fn compare(predictions: &Array2<f32>, targets: &Array2<f32>, maps: &[OutputMap]) -> Self {
        assert_eq!(predictions.dim(), targets.dim(), "one prediction per target");
        assert_eq!(targets.ncols(), maps.len(), "one map per output");
        let (mut unit_squares, mut squares) = (0.0, 0.0);
        let mut of_outputs = vec![(0.0, 0.0f64); maps.len()];
        for (prediction, target) in predictions.outer_iter().zip(targets.outer_iter()) {
            for (((&prediction, &unit), map), (sum, largest)) in
                prediction.iter().zip(target).zip(maps).zip(&mut of_outputs)
            {
                let (scale, offset) = (f64::from(map.scale), f64::from(map.offset));
                let error = f64::from(prediction) - (f64::from(unit) * scale + offset);
                squares += error * error;
                unit_squares += (error / scale).powi(2);
                *sum += error * error;
                *largest = largest.max(error.abs());
            }
        }
        let (rows, count) = (targets.nrows() as f64, targets.len() as f64);
        let alike = maps.windows(2).all(|pair| pair[0].scale == pair[1].scale);
        let largest = of_outputs.iter().map(|&(_, largest)| largest).fold(0.0, f64::max);
        let outputs = of_outputs.iter().zip(maps).map(|(&(sum, max_abs_error), map)| OutputMetrics {
            psnr_db: psnr_db(sum / rows, f64::from(map.scale)),
            rmse: (sum / rows).sqrt(),
            max_abs_error,
        });
        Self {
            samples: targets.nrows(),
            psnr_db: psnr_db(unit_squares / count, 1.0),
            rmse: alike.then(|| (squares / count).sqrt()),
            max_abs_error: alike.then_some(largest),
            outputs: outputs.collect(),
        }
    }
}

/// What follows a number in the unit of an input or output: a space and the unit, or nothing where it has none.
pub(super) fn unit_suffix(units: &[String], k: usize) -> String {
    units.get(k).filter(|unit| !unit.is_empty()).map_or(String::new(), |unit| format!(" {unit}"))
}

/// A number with four significant digits, whatever its size.
#[must_use]
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = 3 - value.abs().log10().floor() as i32;
    match decimals {
        0..=9 => format!("{value:.*}", decimals as usize),
        -6..0 => format!("{value:.0}"),
        _ => format!("{value:.3e}"),
    }
}

fn null_is_infinite<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// Quality at samples that their network was not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// How they were held out, a phrase such as `39 of 41 rows, each left out of one of 5 trainings`.
    pub how: String,
    /// The precision of the artifacts that were evaluated, such as `w8a16`.
    pub precision: String,
    /// Quality of the networks in f32, as they were trained.
    pub f32: Metrics,
    /// Quality of their artifacts, computed as on the device.
    pub model: Metrics,
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
        // Volts and metres have no common error, but each output has its own.
        assert_eq!((metrics.rmse, metrics.max_abs_error), (None, None));
        let own: Vec<(f64, f64)> = metrics.outputs.iter().map(|output| (output.rmse, output.max_abs_error)).collect();
        assert_eq!(own, [(1.0, 1.0), (100.0, 100.0)]);
        assert!(metrics.outputs.iter().all(|output| (output.psnr_db - 20.0).abs() < 1e-9));
        let alike =
            Metrics::compare(&array![[1.0, 4.0]], &array![[0.0, 1.0]], &[OutputMap { scale: 2.0, offset: 0.0 }; 2]);
        assert!((alike.rmse.unwrap() - 2.5f64.sqrt()).abs() < 1e-9);
        assert_eq!(alike.max_abs_error, Some(2.0));
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
