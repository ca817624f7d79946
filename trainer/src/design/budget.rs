//! What a model may cost, and how good it must be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::size::Size;
use crate::data::Dataset;
use crate::data::metrics::{Metrics, short};

/// Models of so many bytes are compared for any data: what they take is little for a device and a search.
const ALWAYS_COMPARED: usize = 16 * 1024;

/// The limits of a model, all of which it must keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Bytes of the artifact.
    pub flash: usize,
    /// Instructions of one evaluation.
    pub instructions: Option<u64>,
    /// Bytes of the scratch memory of one evaluation.
    pub ram: Option<usize>,
}

impl Budget {
    /// Whether a model of this size keeps every limit.
    #[must_use]
    pub fn holds(&self, size: &Size) -> bool {
        size.bytes <= self.flash
            && self.instructions.is_none_or(|limit| size.instructions <= limit)
            && self.ram.is_none_or(|limit| size.ram_bytes <= limit)
    }

    /// The same with no more flash than [`most_flash`] of the data.
    #[must_use]
    pub fn for_data(self, dataset: &Dataset) -> Self {
        self.with_flash(self.flash.min(most_flash(dataset)))
    }

    /// The same with so many bytes of flash.
    #[must_use]
    pub const fn with_flash(self, flash: usize) -> Self {
        Self { flash, ..self }
    }
}

/// What the samples take as they are: every input and output a number of single precision.
#[must_use]
pub fn plain_bytes(dataset: &Dataset) -> usize {
    dataset.len().saturating_mul(size_of::<f32>() * (dataset.inputs() + dataset.outputs()))
}

/// The most bytes that models of these data are made for: the samples [as they are](plain_bytes) answer as well as a
/// larger model, which takes long to train; 16 KB where that is more.
#[must_use]
pub fn most_flash(dataset: &Dataset) -> usize {
    plain_bytes(dataset).max(ALWAYS_COMPARED)
}

/// How good the model must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The largest error of every output, in its unit, is at most this.
    MaxError(f64),
    /// The PSNR is at least this, dB.
    Psnr(f64),
}

impl Goal {
    /// Whether this quality is enough.
    #[must_use]
    pub fn is_met(self, metrics: &Metrics) -> bool {
        match self {
            Self::MaxError(limit) => largest_error(metrics) <= limit,
            Self::Psnr(limit) => metrics.psnr_db >= limit,
        }
    }

    /// How a quality that is not enough misses it, a sentence without its end.
    #[must_use]
    pub(super) fn missed_by(self, metrics: &Metrics) -> String {
        let (asked, reached) = match self {
            Self::MaxError(limit) => {
                (format!("a largest error of {}", short(limit)), format!("it is {}", short(largest_error(metrics))))
            }
            Self::Psnr(limit) => (format!("{limit} dB"), format!("it is {:.2} dB", metrics.psnr_db)),
        };
        format!("the chosen model does not reach {asked} on the {} samples, where {reached}", metrics.samples)
    }
}

/// The largest error of all outputs, each in its unit.
#[must_use]
pub fn largest_error(metrics: &Metrics) -> f64 {
    metrics.outputs.iter().map(|output| output.max_abs_error).fold(0.0, f64::max)
}

/// Reads a number of bytes, such as `16K`, `1.5M` or `16384`; K is 1024.
///
/// ```
/// use trainer::design::budget::parse_bytes;
/// assert_eq!(parse_bytes("16K"), Ok(16_384));
/// assert_eq!(parse_bytes("1.5 KiB"), Ok(1536));
/// assert!(parse_bytes("many").is_err() && parse_bytes("NaN").is_err() && parse_bytes("0").is_err());
/// ```
///
/// # Errors
/// A sentence that says what is possible.
pub fn parse_bytes(text: &str) -> Result<usize, String> {
    let upper = text.trim().to_ascii_uppercase();
    let plain = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
    let (number, unit) = match plain.strip_suffix('K') {
        Some(number) => (number, 1024.0),
        None => plain.strip_suffix('M').map_or((plain, 1.0), |number| (number, 1_048_576.0)),
    };
    let bytes = number.trim().parse::<f64>().ok().map(|number| (number * unit).floor());
    bytes
        .filter(|bytes| (1.0..=4_294_967_295.0).contains(bytes))
        .map(|bytes| bytes as usize)
        .ok_or_else(|| "give a number of bytes, such as 16K or 16384".to_owned())
}

/// Reads a time, such as `5m`, `90s`, `1.5h` or `300` (seconds).
///
/// ```
/// use std::time::Duration;
/// use trainer::design::budget::parse_time;
/// assert_eq!(parse_time("5m"), Ok(Duration::from_secs(300)));
/// assert_eq!(parse_time("0.5s"), Ok(Duration::from_millis(500)));
/// assert!(parse_time("soon").is_err() && parse_time("-1s").is_err());
/// ```
///
/// # Errors
/// A sentence that says what is possible.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    const LONGEST: f64 = 1e7;
    let lower = text.trim().to_ascii_lowercase();
    let units = [("h", 3600.0), ("min", 60.0), ("m", 60.0), ("s", 1.0), ("", 1.0)];
    let seconds =
        units.iter().find_map(|(unit, seconds)| Some(lower.strip_suffix(unit)?.trim().parse::<f64>().ok()? * seconds));
    seconds
        .filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "give a time, such as 5m, 90s or 1h".to_owned())
}
