//! How to read a file: which of its columns are inputs, what stands for missing data, and from where values are
//! counted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::table::Decimal;

/// How to read a file; a run keeps it among its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadOptions {
    /// The last axis of an `.npy` holds the outputs.
    pub channels_last: bool,
    /// An `.npy` of height x width x 3 or 4 is a volume, not a picture in colours.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub volume: bool,
    /// The array of an `.npz` that is read; may be left out if there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// The array of targets, a row each, for which the file itself holds the points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<PathBuf>,
    /// Columns of a table that are inputs, in this order, by name or number; empty: those that are not outputs.
    pub inputs: Vec<String>,
    /// Columns of a table that are outputs, in this order; empty: those that are not inputs, or the last one if the
    /// inputs are not named either.
    pub outputs: Vec<String>,
    /// Values that stand for "no data": samples with one of them are left out, as
    /// [`sentinel::is_no_data`](crate::data::sentinel::is_no_data) tells.
    #[serde(with = "as_text", skip_serializing_if = "Vec::is_empty")]
    pub no_data: Vec<f64>,
    /// The decimal mark of a table; `None`: as its cells tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Rows of a table with a missing or bad cell in a column that is used are left out, and cells of a grid that are
    /// NaN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_missing: bool,
    /// The table has one axis in the line of its names and one in its first column.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wide: bool,
    /// Set where data are read for a model that exists: they are counted from its origins and may be a single row,
    /// since the model has the domain.
    #[serde(skip)]
    pub origins: Option<Origins>,
}

impl LoadOptions {
    /// All values that stand for missing data in an array or a grid.
    pub(crate) fn missing(&self) -> Vec<f64> {
        let nan = self.skip_missing.then_some(f64::NAN);
        self.no_data.iter().copied().chain(nan).collect()
    }
}

/// From where the inputs and outputs of a model are counted, in the file's own numbers; those that are not listed, from
/// 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins {
    /// As [`Dataset::input_origins`](crate::data::Dataset::input_origins).
    pub inputs: Vec<f64>,
    /// As [`Dataset::output_origins`](crate::data::Dataset::output_origins).
    pub outputs: Vec<f64>,
}

impl Origins {
    /// Of the input with this number.
    #[must_use]
    pub fn input(&self, k: usize) -> f64 {
        self.inputs.get(k).copied().unwrap_or_default()
    }

    /// Of the output with this number.
    #[must_use]
    pub fn output(&self, k: usize) -> f64 {
        self.outputs.get(k).copied().unwrap_or_default()
    }
}

/// Numbers kept as text: flattened numbers cannot be read back in every build of the workspace.
mod as_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        numbers.iter().map(f64::to_string).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
