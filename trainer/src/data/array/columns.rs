//! Samples whose inputs and outputs are columns of numbers that no text holds: fields of records, or points and their
//! targets.
//!
//! The domain, the ranges and the origins follow the rules of a table.

use super::NpyError;
use crate::data::sentinel::{is_no_data, plain};
use crate::data::table::{self, Column};
use crate::data::{Dataset, LoadOptions};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// The samples of columns of equal length, without the rows that hold a value that stands for missing data.
pub(super) fn dataset(inputs: Vec<Column>, outputs: Vec<Column>, options: &LoadOptions) -> Result<Dataset, NpyError> {
    let count = inputs.len();
    if count > MAX_INPUTS || outputs.len() > MAX_OUTPUTS {
        return Err(NpyError::TooManyColumns(count, outputs.len()));
    }
    let mut columns = inputs;
    columns.extend(outputs);
    let note = leave_out(&mut columns, &options.missing());
    for Column { name, values } in &columns {
        if let Some(row) = values.iter().position(|value| !(*value as f32).is_finite()) {
            return Err(NpyError::RowNotFinite(row, name.clone(), values[row]));
        }
    }
    let rows = columns[0].values.len();
    // A model that exists has the domain.
    if rows == 0 || (rows == 1 && options.origins.is_none()) {
        return Err(NpyError::FewRows(rows));
    }
    let mut dataset = table::of_columns(count, columns, options)?;
    dataset.notes.splice(0..0, note);
    Ok(dataset)
}

/// Takes rows without data out of all columns, and says how many.
fn leave_out(columns: &mut [Column], missing: &[f64]) -> Option<String> {
    let rows = columns[0].values.len();
    let is_whole = |row: usize| !columns.iter().any(|column| is_no_data(column.values[row], missing));
    let kept: Vec<bool> = (0..rows).map(is_whole).collect();
    let left_out = kept.iter().filter(|&&kept| !kept).count();
    if left_out == 0 {
        return missing.first().map(|value| format!("note: no row holds {}; nothing is left out", plain(*value)));
    }
    for column in columns {
        let mut flags = kept.iter();
        column.values.retain(|_| *flags.next().unwrap_or(&true));
    }
    Some(format!("note: {left_out} of the {rows} rows are without data and are left out"))
}
