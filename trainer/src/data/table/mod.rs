//! Tables of text: CSV and its relatives, as people and programs write them.
//!
//! | file | finds out |
//! | --- | --- |
//! | `text.rs` | the encoding |
//! | `dialect.rs` | what separates fields, and which lines are remarks |
//! | `sheet.rs`, `header.rs`, `fields.rs` | where names, units and rows are |
//! | `decimal.rs`, `number.rs` | the decimal mark, and the value of a field |
//! | `choose.rs` | which columns are inputs and outputs |
//! | `cells.rs`, `wide.rs` | the values; what is missing, bad, or said to be no data |
//! | `doubts.rs` | what may be other than it seems |
//!
//! All that is skipped or assumed goes into [`Dataset::notes`]. [`columns`] reads named columns of points to evaluate a
//! model at, by the same rules.

mod cells;
mod choose;
mod decimal;
mod dialect;
mod doubts;
mod error;
mod fields;
mod header;
mod number;
mod sheet;
mod text;
mod wide;

use std::borrow::Cow;

use ndarray::Array2;

use self::dialect::Separator;
use self::sheet::Sheet;
use super::domain::{self, Axis, OutputMap};
use super::origin::Spread;
use super::sentinel::{plain, suspects};
use super::{DataKind, Dataset, LoadOptions};

pub(super) use self::choose::{Choice, available, find};
pub use self::error::{BadCell, BadCells, TableError, UnfitColumn};
pub use self::number::Decimal;

/// Columns of a table, in the file's own numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The values of each column that was asked for, in the order of the names; all have the same length.
    pub values: Vec<Vec<f64>>,
    /// What was skipped or assumed, a whole sentence each.
    pub notes: Vec<String>,
}

/// Reads the named columns of a table of any dialect; one row is enough, and none of the other columns is looked at.
///
/// A table without a line of names must have as many columns as there are names: they are taken in order, and a note
/// says so.
///
/// # Errors
///
/// If the bytes are no table, a column is not there, or a cell of it is missing or bad (unless
/// [`LoadOptions::skip_missing`] leaves its row out).
///
/// ```
/// use trainer::data::{LoadOptions, table};
/// let names = ["adc".to_owned(), "temp".to_owned()];
/// let columns = table::columns(b"temp;label;adc\n15,5;first;45\n", &LoadOptions::default(), &names)?;
/// assert_eq!(columns.values, [[45.0], [15.5]]);
/// # Ok::<(), table::TableError>(())
/// ```
pub fn columns(bytes: &[u8], options: &LoadOptions, names: &[String]) -> Result<Columns, TableError> {
    with_sheet(bytes, options, |mut sheet| {
        let mut notes = std::mem::take(&mut sheet.notes);
        let in_order = sheet.header_line == 0 && sheet.names.len() == names.len();
        let found: Result<Vec<usize>, _> = names.iter().map(|name| choose::find(&sheet.names, name)).collect();
        let chosen = match found {
            Err(_) if in_order => {
                notes.push(format!("note: the columns are taken as {}, in this order", names.join(", ")));
                (0..names.len()).collect()
            }
            found => found?,
        };
        let read = cells::read(&sheet, &chosen, options, &|_| None)?;
        notes.extend(read.notes);
        Ok(Columns { values: read.columns, notes })
    })
}

/// Samples of a table; which columns are inputs and outputs follows the rules of [`LoadOptions`].
pub(super) fn dataset(bytes: &[u8], options: &LoadOptions) -> Result<Dataset, TableError> {
    with_sheet(bytes, options, |mut sheet| {
        let mut notes = std::mem::take(&mut sheet.notes);
        let nobody_chose = options.inputs.is_empty() && options.outputs.is_empty();
        // A model was trained on the columns that a wide table has once it is written out.
        let by_model =
            options.origins.is_some() && wide::looks_wide(&sheet) && choose::choose(&sheet, options).is_err();
        if !options.wide && !by_model && nobody_chose && wide::looks_wide(&sheet) {
            let [_, first, second, ..] = &sheet.names[..] else {
                return Err(TableError::Nothing);
            };
            return Err(TableError::LooksWide(sheet.header_line, [first.clone(), second.clone()]));
        }
        let mut samples = if options.wide || by_model {
            Samples::wide(&mut sheet, options)?
        } else {
            Samples::tall(&sheet, options)?
        };
        notes.append(&mut samples.notes);
        samples.notes = notes;
        samples.dataset(options)
    })
}

/// Whether bytes are a text of which most lines have two numbers or more, whatever the name of the file is.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    /// More than any lines that are looked at, but for those of very wide tables.
    const FIRST: usize = 1 << 16;
    let Ok((text, _)) = text::decode(&bytes[..bytes.len().min(FIRST)]) else { return false };
    if text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
        return false;
    }
    let separator = dialect::separator(&text, None);
    let lines = dialect::lines(&text).filter(|line| !line.is_blank() && !line.is_comment()).take(dialect::SAMPLE);
    let numbers =
        |line: &str| dialect::split(line, separator).iter().filter(|field| number::looks_numeric(field)).count();
    let (rows, others): (Vec<_>, Vec<_>) = lines.partition(|line| numbers(line.text) > 1);
    rows.len() > others.len()
}

/// A column of numbers that no text holds.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// Samples of columns of equal length, the inputs first; the domain, the ranges and the origins follow the rules of a
/// table.
pub(super) fn of_columns(inputs: usize, columns: Vec<Column>, options: &LoadOptions) -> Result<Dataset, TableError> {
    let last_line = columns.first().map_or(0, |column| column.values.len()) as u64;
    let (names, columns) = columns.into_iter().map(|column| (column.name, column.values)).unzip();
    Samples { inputs, names, units: Vec::new(), columns, last_line, notes: Vec::new() }.dataset(options)
}

/// Finds the parts of a table in its bytes and hands them on.
fn with_sheet<T>(
    bytes: &[u8],
    options: &LoadOptions,
    then: impl FnOnce(Sheet<'_>) -> Result<T, TableError>,
) -> Result<T, TableError> {
    let (text, note) = text::decode(bytes)?;
    let separator = dialect::separator(&text, options.decimal);
    let text: Cow<'_, str> = if separator == Separator::Spaces { dialect::with_tabs(text) } else { text };
    let mut sheet = Sheet::read(&text, separator)?;
    sheet.notes.splice(0..0, note);
    match options.decimal {
        Some(decimal) => sheet.decimal = decimal,
        None => {
            let (decimal, note) = decimal::choose(&sheet)?;
            sheet.decimal = decimal;
            sheet.notes.extend(note);
        }
    }
    then(sheet)
}

/// The chosen columns with their names, before they are mapped to units.
struct Samples {
    inputs: usize,
    names: Vec<String>,
    units: Vec<String>,
    columns: Vec<Vec<f64>>,
    last_line: u64,
    notes: Vec<String>,
}

impl Samples {
    fn tall(sheet: &Sheet<'_>, options: &LoadOptions) -> Result<Self, TableError> {
        let choice = choose::choose(sheet, options)?;
        let chosen = choice.all();
        let read = cells::read(sheet, &chosen, options, &|column| choose::remedy(sheet, &choice, column))?;
        let notes = [doubts::of_columns(sheet, &choice, options), read.notes].concat();
        Ok(Self {
            inputs: choice.inputs.len(),
            names: chosen.iter().map(|&column| sheet.names[column].clone()).collect(),
            units: chosen.iter().filter_map(|&column| sheet.units.get(column).cloned()).collect(),
            columns: read.columns,
            last_line: read.last_line,
            notes,
        })
    }

    fn wide(sheet: &mut Sheet<'_>, options: &LoadOptions) -> Result<Self, TableError> {
        let long = wide::read(sheet, options)?;
        // From here on the sheet is the long table, whose columns are chosen by name as those of any other.
        sheet.names = long.names.to_vec();
        sheet.columns = vec![sheet::Column { numeric: true, ..Default::default() }; 3];
        let choice = choose::choose(sheet, options)?;
        let chosen = choice.all();
        let mut notes = long.notes;
        notes.push(format!(
            "note: the table is read as wide: '{}' from its first column, '{}' from the line of its names",
            long.names[0], long.names[1]
        ));
        Ok(Self {
            inputs: choice.inputs.len(),
            names: chosen.iter().map(|&column| long.names[column].clone()).collect(),
            units: Vec::new(),
            columns: chosen.iter().map(|&column| long.columns[column].clone()).collect(),
            last_line: long.last_line,
            notes,
        })
    }

    fn dataset(mut self, options: &LoadOptions) -> Result<Dataset, TableError> {
        let rows = self.columns[0].len();
        if rows == 1 && options.origins.is_none() {
            return Err(TableError::OneRow(self.last_line));
        }
        self.notes.extend(doubts::of_values(&self.names, self.inputs, &self.columns, options));
        let (origins, axes) = self.count_from_origins(options)?;
        let (input_columns, output_columns) = self.columns.split_at(self.inputs);
        let output_maps: Vec<OutputMap> = output_columns
            .iter()
            .zip(&self.names[self.inputs..])
            .map(|(values, name)| column_map(name, values))
            .collect::<Result<_, _>>()?;
        let points = Array2::from_shape_fn((rows, axes.len()), |(row, input)| input_columns[input][row] as f32);
        let targets = Array2::from_shape_fn((rows, output_maps.len()), |(row, output)| {
            domain::to_unit(output_columns[output][row], &output_maps[output])
        });
        let split = |names: Vec<String>| match names.split_at_checked(self.inputs) {
            Some((inputs, outputs)) => (inputs.to_vec(), outputs.to_vec()),
            None => Default::default(),
        };
        let (input_names, output_names) = split(self.names);
        let (input_units, output_units) = split(self.units);
        let (input_origins, output_origins) = origins.split_at(self.inputs);
        Ok(Dataset {
            coordinates: domain::to_fixed(&points, &axes),
            points,
            targets,
            axes,
            output_maps,
            kind: DataKind::Table,
            input_names,
            output_names,
            input_units,
            output_units,
            input_origins: input_origins.to_vec(),
            output_origins: output_origins.to_vec(),
            cells: None,
            notes: self.notes,
        })
    }

    /// Counts every column from the model's origin, or else from the one that it needs itself; also the axes of the
    /// inputs.
    fn count_from_origins(&mut self, options: &LoadOptions) -> Result<(Vec<f64>, Vec<Axis>), TableError> {
        let (mut origins, mut axes) = (Vec::new(), Vec::new());
        for (k, (name, values)) in self.names.iter().zip(&mut self.columns).enumerate() {
            let is_input = k < self.inputs;
            let spread = (is_input || options.origins.is_none()).then(|| Spread::of(values));
            let origin = match (&options.origins, &spread) {
                (Some(origins), _) if is_input => origins.input(k),
                (Some(origins), _) => origins.output(k - self.inputs),
                (None, spread) => spread.as_ref().map_or(0.0, Spread::origin),
            };
            if let (None, Some(spread)) = (&options.origins, &spread) {
                let notes = spread.notes(&format!("column '{name}'"), origin, is_input);
                // What stands for missing data says nothing of the steps between the others.
                if !notes.is_empty() && suspects(values).is_empty() {
                    self.notes.extend(notes);
                }
            }
            if origin != 0.0 {
                values.iter_mut().for_each(|value| *value -= origin);
            }
            if let Some(spread) = spread.filter(|_| is_input) {
                axes.push(column_axis(name, values, &spread.less(origin))?);
            }
            origins.push(origin);
        }
        Ok((origins, axes))
    }
}

/// Minimum, maximum and period of an input column.
fn column_axis(name: &str, values: &[f64], spread: &Spread) -> Result<Axis, TableError> {
    let &Spread { minimum, maximum, distinct, .. } = spread;
    let span = maximum - minimum;
    let period = if distinct == 1 { 1.0 } else { span + span / (distinct - 1) as f64 };
    let axis = Axis::new(minimum as f32, maximum as f32, period as f32);
    if axis.is_valid() { Ok(axis) } else { Err(range_error(name, values, [minimum, maximum])) }
}

/// The map of an output column to its unit range.
fn column_map(name: &str, values: &[f64]) -> Result<OutputMap, TableError> {
    let minimum = values.iter().copied().fold(f64::INFINITY, f64::min);
    let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    domain::range_map(minimum, maximum).ok_or_else(|| range_error(name, values, [minimum, maximum]))
}

fn range_error(name: &str, values: &[f64], range: [f64; 2]) -> TableError {
    let sentinels: Vec<String> = suspects(values).iter().map(|suspect| plain(suspect.value)).collect();
    let remedy = if sentinels.is_empty() {
        "rescale it".to_owned()
    } else {
        format!("if {0} stands for missing data, leave those samples out with --no-data={0}", sentinels.join(","))
    };
    TableError::Range(name.to_owned(), range, remedy)
}

#[cfg(test)]
mod tests;
