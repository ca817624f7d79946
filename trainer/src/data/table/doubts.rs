//! What in a table may be other than its reader thinks, each as a sentence: columns that are no measurements,
//! constants, sentinels.

use super::choose::Choice;
use super::sheet::{Column, Sheet};
use crate::data::LoadOptions;
use crate::data::sentinel::{plain, suspects};

/// Names that outputs have; in the middle of a table they may be meant where the last column is taken.
const OUTPUT_NAMES: [&str; 8] = ["output", "target", "label", "result", "value", "response", "measured", "reference"];
/// Names of columns that number the rows.
const INDEX_NAMES: [&str; 11] = ["index", "idx", "id", "no", "no.", "nr", "nr.", "row", "sample", "record", "#"];
/// Names of columns that say when.
const TIME_NAMES: [&str; 8] = ["time", "timestamp", "date", "datetime", "zeit", "datum", "epoch", "unix"];

/// Sentences about the columns that are used and those that are left aside.
pub(super) fn of_columns(sheet: &Sheet<'_>, choice: &Choice, options: &LoadOptions) -> Vec<String> {
    let mut notes = Vec::new();
    let used = choice.all();
    let left = |k: &usize| sheet.columns[*k].is_of_no_use() && !used.contains(k);
    for k in (0..sheet.columns.len()).filter(left) {
        let what = match sheet.columns[k] {
            Column { empty: true, .. } => "neither a name nor values and is not used".to_owned(),
            Column { numeric: false, .. } => "no name and holds text; it is not used".to_owned(),
            _ => format!("no name and numbers the rows; it is not used (call it {} if it is an input)", sheet.names[k]),
        };
        notes.push(format!("note: column {} has {what}", k + 1));
    }
    let nobody_chose = options.inputs.is_empty() && options.outputs.is_empty();
    if !nobody_chose {
        return notes;
    }
    let is = |column: usize, known: &[&str]| known.contains(&sheet.names[column].to_lowercase().as_str());
    let name = |column: usize| &sheet.names[column];
    for &column in choice.inputs.iter().filter(|_| choice.inputs.len() > 1) {
        let what = if sheet.columns[column].counts || is(column, &INDEX_NAMES) {
            "numbers the rows"
        } else if is(column, &TIME_NAMES) {
            "says when a row was written"
        } else {
            continue;
        };
        let Some(others) = super::choose::remedy(sheet, choice, column) else { continue };
        notes.push(format!(
            "note: column '{}' is an input; if it only {what}, leave it out with {others}",
            name(column)
        ));
    }
    let output = choice.outputs[0];
    // In a table of x, y and something else, y is where; in one that ends with x, it is what.
    let is_y = |column: usize| is(column, &["y"]) && name(output).to_lowercase().starts_with('x');
    let meant = choice.inputs.iter().copied().find(|&column| is(column, &OUTPUT_NAMES) || is_y(column));
    let odd = is(output, &TIME_NAMES)
        || is(output, &INDEX_NAMES)
        || (sheet.columns[output].counts && choice.inputs.len() > 1);
    if let Some(meant) = meant.filter(|_| !is(output, &OUTPUT_NAMES)) {
        notes.push(format!(
            "note: the last column, '{}', is the output and '{}' an input; if it is the other way round, say --outputs \
             {}",
            name(output),
            name(meant),
            meant + 1
        ));
    } else if odd {
        notes.push(format!("note: the last column, '{}', is the output; choose another with --outputs", name(output)));
    }
    notes
}

/// Sentences about the values of columns: what may stand for missing data, and what never changes.
pub(super) fn of_values(names: &[String], inputs: usize, columns: &[Vec<f64>], options: &LoadOptions) -> Vec<String> {
    let mut notes = Vec::new();
    for (k, (name, values)) in names.iter().zip(columns).enumerate() {
        notes.extend(suspects(values).iter().map(|suspect| suspect.note(&format!("column '{name}'"))));
        // A model is evaluated on any rows.
        if options.origins.is_none() && values.len() > 1 && values.iter().all(|value| *value == values[0]) {
            let value = plain(values[0]);
            notes.push(if k < inputs {
                format!(
                    "warning: input '{name}' is {value} in every row and tells nothing apart; leave it out by \
                    naming the others with --inputs"
                )
            } else {
                format!(
                    "warning: output '{name}' is {value} in every row, so there is nothing to learn; leave it out \
                    by naming other columns with --outputs"
                )
            });
        }
    }
    notes
}
