//! Samples whose inputs and outputs are columns of numbers that no text holds: fields of records, or points and their targets.
//!
//! The domain and the ranges follow the rules of a table.

use ndarray::Array2;

use super::csv::{column_axis, column_map};
use super::sentinel::{self, is_no_data, suspects};
use super::{Axis, Dataset, Kind, NpyError, OutputMap, domain};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// A column with its name.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// The samples of columns of equal length, without the rows that hold one of the values of `no_data`.
pub(super) fn dataset(mut inputs: Vec<Column>, mut outputs: Vec<Column>, no_data: &[f64]) -> Result<Dataset, NpyError> {
    if inputs.len() > MAX_INPUTS || outputs.len() > MAX_OUTPUTS {
        return Err(NpyError::TooManyColumns { inputs: inputs.len(), outputs: outputs.len() });
    }
    let mut notes = leave_out(inputs.iter_mut().chain(&mut outputs), no_data);
    for Column { name, values } in inputs.iter().chain(&outputs) {
        if let Some(row) = values.iter().position(|value| !(*value as f32).is_finite()) {
            return Err(NpyError::RowNotFinite { row, column: name.clone(), value: values[row] });
        }
        notes.extend(suspects(values).iter().map(|suspect| suspect.note(&format!("column '{name}'"))));
    }
    let rows = outputs[0].values.len();
    if rows < 2 {
        return Err(NpyError::FewRows(rows));
    }
    let axes = inputs.iter().map(|column| column_axis(&column.name, &column.values)).collect::<Result<Vec<Axis>, _>>()?;
    let maps = outputs.iter().map(|column| column_map(&column.name, &column.values)).collect::<Result<Vec<OutputMap>, _>>()?;
    let points = Array2::from_shape_fn((rows, axes.len()), |(row, input)| inputs[input].values[row] as f32);
    let target = |(row, output): (usize, usize)| domain::to_unit(outputs[output].values[row], &maps[output]);
    Ok(Dataset {
        coordinates: domain::to_fixed(&points, &axes),
        points,
        targets: Array2::from_shape_fn((rows, maps.len()), target),
        input_origins: vec![0.0; axes.len()],
        output_origins: vec![0.0; maps.len()],
        axes,
        output_maps: maps,
        kind: Kind::Table,
        input_names: inputs.into_iter().map(|column| column.name).collect(),
        output_names: outputs.into_iter().map(|column| column.name).collect(),
        cells: None,
        notes,
    })
}

/// Takes rows without data out of all columns, and says how many.
fn leave_out<'c>(columns: impl Iterator<Item = &'c mut Column>, no_data: &[f64]) -> Vec<String> {
    let mut columns: Vec<&mut Column> = columns.collect();
    let rows = columns[0].values.len();
    let kept: Vec<bool> =
        (0..rows).map(|row| !columns.iter().any(|column| is_no_data(column.values[row], no_data))).collect();
    let missing = kept.iter().filter(|&&kept| !kept).count();
    if missing == 0 {
        let value = no_data.first().map(|value| format!("no row holds {}; nothing is left out", sentinel::plain(*value)));
        return value.into_iter().collect();
    }
    for column in &mut columns {
        let mut flags = kept.iter();
        column.values.retain(|_| *flags.next().unwrap_or(&true));
    }
    vec![format!("{missing} of the {rows} rows are without data and are left out")]
}
