//! The settings of a run of `trainer fit`, as its files keep them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::FitParams;
use crate::artifact::precision::{NamedPrecision, or_auto};
use crate::data::LoadOptions;

/// All that a run needs to be repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitSettings {
    /// Hyperparameters.
    pub fit: FitParams,
    /// Of `model.ffm`; `None`, in files `auto`: `w8a16`, or `w16a16` where `w8a16` loses more than 1 dB.
    #[serde(with = "or_auto")]
    pub precision: Option<NamedPrecision>,
    /// The data file; of a run that may be resumed elsewhere with its whole path.
    pub input: PathBuf,
    /// How it is read. Its numbers are kept as text: flattened numbers cannot be read back in every build of the
    /// workspace.
    #[serde(flatten)]
    pub load: LoadOptions,
}

/// Names and values of all settings in the order of the names, nested ones with dots, such as `fit.encoding.scale`.
pub(crate) fn names_and_values(settings: &impl Serialize) -> Vec<(String, String)> {
    fn walk(name: &str, value: serde_json::Value, rows: &mut Vec<(String, String)>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    walk(&if name.is_empty() { key } else { format!("{name}.{key}") }, value, rows);
                }
            }
            serde_json::Value::String(text) => rows.push((name.to_owned(), text)),
            value => rows.push((name.to_owned(), value.to_string())),
        }
    }
    let mut rows = Vec::new();
    walk("", serde_json::to_value(settings).unwrap_or_default(), &mut rows);
    rows
}
