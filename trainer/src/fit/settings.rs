//! The settings of a run of `trainer fit`, as its files keep them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{FitError, FitParams, ValidFitParams};
use crate::artifact::precision::{NamedPrecision, or_auto};
use crate::data::{Dataset, LoadOptions, OutputMap, codes, periodic};

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
    /// Where the network came from, if it was trained elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

impl FitSettings {
    /// Gives data that were read what the settings say of them: the range of an imported network, periods and codes.
    /// What is worth saying about it comes behind the other [notes](Dataset::notes) of the data.
    ///
    /// # Errors
    /// If the data have no such input, a value is no code, or the hyperparameters are impossible for the data.
    pub fn apply(&self, mut dataset: Dataset) -> Result<(Dataset, ValidFitParams), FitError> {
        if let Some(imported) = &self.imported {
            imported.apply(&mut dataset);
        }
        let of_periods = periodic::apply(&mut dataset, &self.fit.periodic)?;
        let of_codes = codes::apply(&mut dataset, &self.fit.codes, &self.fit.periodic)?;
        dataset.notes.extend(of_periods.into_iter().chain(of_codes));
        let params = self.fit.check(dataset.inputs(), dataset.outputs())?;
        Ok((dataset, params))
    }
}

/// The origin of a network that was [imported](crate::import).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// The file of its weights.
    pub weights: PathBuf,
    /// Scale and offset of each output, from unit values to the data's units, where the range of the network is another
    /// one than that of the data; empty where it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_maps: Vec<[f32; 2]>,
}

impl Imported {
    /// Gives the outputs of the data the range of the network.
    pub fn apply(&self, dataset: &mut Dataset) {
        let maps = self.output_maps.iter().map(|&[scale, offset]| OutputMap { scale, offset });
        for (k, map) in maps.enumerate().take(dataset.outputs()) {
            let old = std::mem::replace(&mut dataset.output_maps[k], map);
            dataset.targets.column_mut(k).mapv_inplace(|unit| (unit * old.scale + old.offset - map.offset) / map.scale);
        }
    }
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
