//! Wide tables: one axis in the line of the names, one in the first column, and the values between them.

use super::TableError;
use super::cells::{Tally, each_row};
use super::number::Cell;
use super::sheet::Sheet;
use crate::data::LoadOptions;

/// Marks between the two names in the corner of a wide table.
const CORNER: [char; 3] = ['\\', '/', '|'];

/// A wide table written out: a row for each of its values.
pub(super) struct Long {
    /// Of the axis in the first column, the axis in the first line, and the values.
    pub names: [String; 3],
    /// Row by row as they stand in the table.
    pub columns: [Vec<f64>; 3],
    /// The line of the last value.
    pub last_line: u64,
    /// Sentences about what was left out or assumed.
    pub notes: Vec<String>,
}

/// Whether the names, from the second on, are numbers that only rise or only fall.
pub(super) fn looks_wide(sheet: &Sheet<'_>) -> bool {
    axis(sheet).is_ok_and(|axis| {
        axis.len() > 1
            && (axis.windows(2).all(|pair| pair[0] < pair[1]) || axis.windows(2).all(|pair| pair[0] > pair[1]))
    })
}

/// Reads a wide table.
pub(super) fn read(sheet: &Sheet<'_>, options: &LoadOptions) -> Result<Long, TableError> {
    let axis = axis(sheet)?;
    let mut tally = Tally::new(options, sheet.decimal);
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    let mut last_line = 0;
    each_row(sheet, &mut tally, |tally, line, record| {
        let first = match tally.value(record.get(0).unwrap_or_default()) {
            Ok(first) => first,
            Err(fault) => {
                fault.into_iter().for_each(|fault| tally.bad(line, &sheet.names[0], fault));
                return false;
            }
        };
        for (k, &second) in axis.iter().enumerate() {
            match tally.value(record.get(k + 1).unwrap_or_default()) {
                Ok(value) => {
                    columns.iter_mut().zip([first, second, value]).for_each(|(column, value)| column.push(value));
                }
                Err(fault) => {
                    tally.leave_cell_out();
                    fault.into_iter().for_each(|fault| tally.bad(line, &sheet.names[k + 1], fault));
                }
            }
        }
        last_line = line;
        true
    })?;
    let notes = tally.conclude(columns[0].len())?;
    Ok(Long { names: names(&sheet.names[0]), columns, last_line, notes })
}

/// The names of the two axes, from the corner where they meet, and of the values.
fn names(corner: &str) -> [String; 3] {
    let (rows, columns) = corner.split_once(CORNER).unwrap_or((corner, ""));
    let or = |name: &str, otherwise: &str| {
        let name = name.trim_matches(|letter: char| CORNER.contains(&letter) || letter.is_whitespace());
        if name.is_empty() || name.starts_with('#') { otherwise.to_owned() } else { name.to_owned() }
    };
    [or(rows, "row"), or(columns, "column"), "value".to_owned()]
}

/// The numbers in the line of the names.
fn axis(sheet: &Sheet<'_>) -> Result<Vec<f64>, TableError> {
    let number = |name: &String| match Cell::read(name, sheet.decimal) {
        Cell::Number { value, .. } if value.is_finite() => Ok(value),
        _ => Err(TableError::NotWide(sheet.header_line, name.clone())),
    };
    sheet.names.iter().skip(1).map(number).collect()
}
