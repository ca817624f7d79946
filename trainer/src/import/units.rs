//! How the numbers that a network was trained on belong to those of the data.

use std::str::FromStr;

use ndarray::{Array2, ArrayView2};

use super::{ImportError, SourceNetwork};
use crate::data::Dataset;

/// What an axis of the data is called in the network: `LOW..HIGH`, where the sample behind the last one would be at
/// HIGH (`numpy.linspace(…, endpoint=False)`), or `LOW..=HIGH`, where the last sample is there (`torch.linspace`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputRange {
    low: f64,
    high: f64,
    /// Whether the last sample is at `high`.
    is_closed: bool,
}

impl InputRange {
    /// Of pictures and grids where the network has Fourier features: sample k of n at k/n.
    pub const UNIT: Self = Self { low: 0.0, high: 1.0, is_closed: false };
    /// Of pictures and grids where the network is a SIREN: from -1 to 1, both ends included.
    pub const SYMMETRIC: Self = Self { low: -1.0, high: 1.0, is_closed: true };
}

/// As the option is written.
impl std::fmt::Display for InputRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}{}", self.low, if self.is_closed { "=" } else { "" }, self.high)
    }
}

impl FromStr for InputRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (low, high) = text.split_once("..").unwrap_or((text, ""));
        let (high, is_closed) = high.strip_prefix('=').map_or((high, false), |high| (high, true));
        match (low.trim().parse::<f64>(), high.trim().parse::<f64>()) {
            (Ok(low), Ok(high)) if low.is_finite() && high.is_finite() && low < high => {
                Ok(Self { low, high, is_closed })
            }
            _ => Err("give LOW..HIGH or LOW..=HIGH with LOW below HIGH, as in 0..1 or -1..=1".to_owned()),
        }
    }
}

/// The affine maps between the network's numbers and the data's.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// For each input (a, b): the network is given a + b·v at the coordinate v in [0, 1) of the data.
    pub(super) inputs: Vec<(f64, f64)>,
    /// For each output (a, b): a + b·y in the data's units, from their origin, where the network gives y.
    pub(super) outputs: Vec<(f64, f64)>,
}

impl Units {
    /// The maps for a data set. Without a range the network takes and gives the data's own numbers. `outputs` (low,
    /// high) are what the network gives for the least and the greatest value of the data.
    ///
    /// # Errors
    /// [`ImportError::Range`] if `outputs` has no length.
    pub fn new(
        dataset: &Dataset,
        inputs: Option<InputRange>,
        outputs: Option<(f64, f64)>,
    ) -> Result<Self, ImportError> {
        let of_input = |(k, axis): (usize, &crate::data::Axis)| {
            let (minimum, period) = (f64::from(axis.minimum), 1.0 / f64::from(axis.scale));
            match inputs {
                None => (dataset.input_origins[k] + minimum, period),
                Some(InputRange { low, high, is_closed }) => {
                    let span = if is_closed { f64::from(axis.maximum) - minimum } else { period };
                    (low, if span > 0.0 { (high - low) / span * period } else { 0.0 })
                }
            }
        };
        let of_output = |(k, map): (usize, &crate::data::OutputMap)| match outputs {
            None => (-dataset.output_origins[k], 1.0),
            Some((low, high)) => {
                let scale = f64::from(map.scale) / (high - low);
                (f64::from(map.offset) - low * scale, scale)
            }
        };
        if let Some((low, high)) = outputs.filter(|(low, high)| low.partial_cmp(high) != Some(std::cmp::Ordering::Less))
        {
            return Err(ImportError::Range { low, high });
        }
        Ok(Self {
            inputs: dataset.axes.iter().enumerate().map(of_input).collect(),
            outputs: dataset.output_maps.iter().enumerate().map(of_output).collect(),
        })
    }

    /// What the network of a file gives at points `[n, d]` of the data: `[n, c]`, both in the data's units and counted
    /// from their origins.
    #[must_use]
    pub fn values(&self, network: &SourceNetwork, dataset: &Dataset, points: ArrayView2<'_, f32>) -> Array2<f64> {
        let mut inputs = points.mapv(f64::from);
        for ((mut column, axis), &(a, b)) in inputs.columns_mut().into_iter().zip(&dataset.axes).zip(&self.inputs) {
            column.mapv_inplace(|x| a + b * ((x - f64::from(axis.minimum)) * f64::from(axis.scale)));
        }
        let mut outputs = network.outputs(inputs.view());
        for (mut column, &(a, b)) in outputs.columns_mut().into_iter().zip(&self.outputs) {
            column.mapv_inplace(|y| a + b * y);
        }
        outputs
    }
}
