//! Points in one array and what is to be learned there in another: `[n, d]` or `[n]`, and `[n, c]` or `[n]`.

use super::NpyError;
use super::columns;
use super::npy::NpyArray;
use crate::data::domain::index_names;
use crate::data::table::Column;
use crate::data::{Dataset, LoadOptions};

/// The samples of two arrays, a row each.
pub(in crate::data) fn dataset(
    points: NpyArray,
    targets: NpyArray,
    options: &LoadOptions,
) -> Result<Dataset, NpyError> {
    let (rows, of_targets) = (points.shape.first().copied(), targets.shape.first().copied());
    if rows != of_targets {
        return Err(NpyError::RowCounts(points.shape, targets.shape));
    }
    let inputs = columns(points, "x", |columns| index_names(if columns <= 3 { columns } else { 0 }))?;
    let outputs =
        columns(targets, "output ", |columns| if columns == 1 { vec!["value".to_owned()] } else { Vec::new() })?;
    columns::dataset(inputs, outputs, options)
}

/// The columns of an array, with names of their own or numbered after `prefix`.
fn columns(array: NpyArray, prefix: &str, own_names: impl Fn(usize) -> Vec<String>) -> Result<Vec<Column>, NpyError> {
    let NpyArray { shape, values } = array;
    let count = match shape[..] {
        [_] => 1,
        [_, count] => count,
        _ => return Err(NpyError::NoColumns(shape)),
    };
    if values.is_empty() {
        return Err(NpyError::NoColumns(shape));
    }
    let names = own_names(count);
    let name = |column: usize| names.get(column).cloned().unwrap_or_else(|| format!("{prefix}{column}"));
    let column = |column: usize| values.iter().skip(column).step_by(count).copied().collect();
    Ok((0..count).map(|k| Column { name: name(k), values: column(k) }).collect())
}
