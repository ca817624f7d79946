//! Samples whose inputs and outputs are columns of numbers that no text holds: fields of records, or points and their targets.
//!
//! The domain, the ranges and the origins follow the rules of a table.

use super::NpyError;
use crate::data::sentinel::{is_no_data, plain};
use crate::data::{Dataset, LoadOptions, table};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// A column with its name.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// The samples of columns of equal length, without the rows that hold a value that stands for missing data.
pub(super) fn dataset(inputs: Vec<Column>, outputs: Vec<Column>, options: &LoadOptions) -> Result<Dataset, NpyError> {
    let count = inputs.len();
    if count > MAX_INPUTS || outputs.len() > MAX_OUTPUTS {
        return Err(NpyError::TooManyColumns(count, outputs.len()));
    }
    let (names, mut columns): (Vec<String>, Vec<Vec<f64>>) =
        inputs.into_iter().chain(outputs).map(|column| (column.name, column.values)).unzip();
    let note = leave_out(&mut columns, &options.missing());
    for (name, values) in names.iter().zip(&columns) {
        if let Some(row) = values.iter().position(|value| !(*value as f32).is_finite()) {
            return Err(NpyError::RowNotFinite(row, name.clone(), values[row]));
        }
    }
    let rows = columns[0].len();
    // A model that exists has the domain.
    if rows == 0 || (rows == 1 && options.origins.is_none()) {
        return Err(NpyError::FewRows(rows));
    }
    let mut dataset = table::of_columns(count, (names, columns), options)?;
    dataset.notes.splice(0..0, note);
    Ok(dataset)
}

/// Takes rows without data out of all columns, and says how many.
fn leave_out(columns: &mut [Vec<f64>], missing: &[f64]) -> Option<String> {
    let rows = columns[0].len();
    let kept: Vec<bool> = (0..rows).map(|row| !columns.iter().any(|values| is_no_data(values[row], missing))).collect();
    let left_out = kept.iter().filter(|&&kept| !kept).count();
    if left_out == 0 {
        return missing.first().map(|value| format!("note: no row holds {}; nothing is left out", plain(*value)));
    }
    for values in columns {
        let mut flags = kept.iter();
        values.retain(|_| *flags.next().unwrap_or(&true));
    }
    Some(format!("note: {left_out} of the {rows} rows are without data and are left out"))
}
