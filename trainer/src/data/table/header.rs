//! The lines above the rows of a table: which of them names the columns, which one holds units, and which are skipped.

use super::dialect::{Line, Separator, split};
use super::fields::Fields;
use super::number::{Cell, Decimal, looks_numeric};

/// Longer text is no unit.
const LONGEST_UNIT: usize = 20;

/// What stands above the rows.
pub(super) struct Names {
    /// One for each column, empty where there is none.
    pub names: Vec<String>,
    /// One for each column, or none at all.
    pub units: Vec<String>,
    /// The line of the names; 0 if there are none.
    pub header: u64,
    /// How many names there are, if they are one fewer than the columns and the first column is the one without.
    pub missing_first: Option<usize>,
    /// The first row, as its place in the sample.
    pub first: usize,
    /// What was skipped or assumed.
    pub notes: Vec<String>,
}

/// Finds the names in the lines above the first row of numbers. Of several lines of text the fullest is the names, and
/// the one below it the units; without any, a remark right above the rows may name them, as `numpy.savetxt` writes it.
pub(super) fn find(sample: &[Fields<'_>], remarks: &[Line<'_>], numeric: &[bool], separator: u8) -> Names {
    let width = numeric.len();
    let clean = sample.iter().position(|row| is_row(row, numeric) && !is_axis(row, sample, width));
    let above = &sample[..clean.unwrap_or(sample.len())];
    let is_text = |row: &Fields<'_>| row.numbers() == 0 && could_name(row, width);
    let texts: Vec<usize> = (0..above.len()).filter(|&k| is_text(&above[k])).collect();

    let header = if texts.is_empty() {
        // Names that are numbers: an axis, or a spectrum by wavelengths. A row with a bad cell begins with a number.
        let may_begin = |row: &Fields<'_>| row.fields.len() < width || !looks_numeric(&row.fields[0]);
        (0..above.len()).find(|&k| could_name(&above[k], width) && may_begin(&above[k]))
    } else {
        // `max_by_key` takes the last of equals, so the order is turned round.
        texts.iter().rev().copied().max_by_key(|&k| (all_differ(&above[k].fields), above[k].present()))
    };
    let Some(header) = header else {
        return without_names(sample, remarks, width, separator);
    };
    let below = if clean.is_some() { texts.iter().copied().find(|&k| k > header) } else { None };
    let last = if clean.is_some() { texts.last().map_or(header, |&last| last.max(header)) } else { header };
    let units = below.and_then(|k| units(&above[k].fields, width));
    let mut skipped: Vec<&Fields<'_>> = above[..header].iter().collect();
    let mut notes = Vec::new();
    if let Some(line) = below.filter(|_| units.is_some()).map(|k| &above[k].line) {
        notes.push(format!("note: line {} is read as the units of the columns", line.number));
    }
    skipped.extend((header + 1..=last).filter(|&k| units.is_none() || Some(k) != below).map(|k| &above[k]));
    notes.splice(0..0, skipped_lines(&skipped));
    let (names, missing_first) = fitted(&above[header].fields, sample, width);
    Names {
        names,
        missing_first,
        units: units.unwrap_or_default(),
        header: above[header].line.number,
        first: last + 1,
        notes,
    }
}

/// Numbers in every column that has numbers, as far as its cells are filled.
fn is_row(row: &Fields<'_>, numeric: &[bool]) -> bool {
    let good = |(field, &numeric): (&String, &bool)| {
        !numeric || looks_numeric(field) || Cell::read(field, Decimal::Point) == Cell::Missing
    };
    row.fits(numeric.len()) && row.numbers() > 0 && row.fields.iter().zip(numeric).all(good)
}

/// The first line, with nothing in its first field and an axis in the others, while all other lines begin with
/// something.
fn is_axis(row: &Fields<'_>, sample: &[Fields<'_>], width: usize) -> bool {
    let first = sample.first().is_some_and(|first| first.line.number == row.line.number);
    let others_begin = || sample[1..].iter().all(|other| other.fields.first().is_some_and(|field| !field.is_empty()));
    first && width > 2 && row.fields[0].is_empty() && row.numbers() + 1 == width && sample.len() > 2 && others_begin()
}

/// Enough text for the names of the columns: a title that a spreadsheet filled up with separators has but one field.
fn could_name(row: &Fields<'_>, width: usize) -> bool {
    let fields = row.fields.len();
    (row.fits(width) || fields + 1 == width) && row.present() > 0 && 2 * row.present() >= width.min(fields)
}

fn all_differ(fields: &[String]) -> bool {
    fields.iter().enumerate().all(|(k, field)| field.is_empty() || !fields[..k].contains(field))
}

/// As many names as columns. R leaves out the name of the first column where it holds the names of the rows; others
/// leave out the last, after a separator that ends the lines.
fn fitted(fields: &[String], sample: &[Fields<'_>], width: usize) -> (Vec<String>, Option<usize>) {
    let mut names: Vec<String> = fields.iter().take(width).cloned().collect();
    let found = names.len();
    if found == width {
        return (names, None);
    }
    let ends_empty = |row: &Fields<'_>| row.fields.len() != width || row.fields[width - 1].is_empty();
    let last_is_empty = sample.iter().all(ends_empty);
    names.insert(if last_is_empty { found } else { 0 }, String::new());
    (names, (!last_is_empty).then_some(found))
}

/// The units of a line, without brackets; `None` if it holds whole phrases.
fn units(fields: &[String], width: usize) -> Option<Vec<String>> {
    let bare = |field: &String| field.trim_matches(['[', ']', '(', ')', ' ']).to_owned();
    let mut units: Vec<String> = fields.iter().take(width).map(bare).collect();
    units.resize(width, String::new());
    units.iter_mut().filter(|unit| *unit == "-" || *unit == "1").for_each(String::clear);
    units.iter().all(|unit| unit.chars().count() <= LONGEST_UNIT).then_some(units)
}

/// Of lines that no line of names is among: the first row, and the remark that may name its columns.
fn without_names(sample: &[Fields<'_>], remarks: &[Line<'_>], width: usize, separator: u8) -> Names {
    // Rows with bad cells are rows; what cannot be a row is skipped.
    let first = sample.iter().position(|row| row.fits(width)).unwrap_or(sample.len());
    let mut notes = skipped_lines(&sample[..first].iter().collect::<Vec<_>>());
    let row_line = sample.get(first).map_or(u64::MAX, |row| row.line.number);
    let named = remarks.iter().rev().find(|remark| remark.number < row_line).and_then(|remark| {
        let text = remark.text.trim_start().trim_start_matches(['#', '%', '/']).trim();
        let names = [b',', b';', b'\t', b'|', separator].map(|byte| split(text, Separator::Byte(byte)));
        let good = |names: &Vec<String>| {
            names.len() == width && names.iter().all(|name| !name.is_empty() && !looks_numeric(name))
        };
        // The remark may be separated by spaces where the rows are not.
        names.into_iter().chain([split(text, Separator::Spaces)]).find(good).map(|names| (remark.number, names))
    });
    let (header, names) = named.unwrap_or((0, vec![String::new(); width]));
    if header == 0 {
        notes.push(format!("note: no line names the columns; they are called #1 to #{width}"));
    } else {
        notes.push(format!("note: line {header}, a remark, names the columns"));
    }
    Names { names, units: Vec::new(), header, missing_first: None, first, notes }
}

fn skipped_lines(skipped: &[&Fields<'_>]) -> Vec<String> {
    let quoted = |row: &Fields<'_>| {
        let text: String = row.line.text.trim().chars().take(40).collect();
        format!("'{}'", text.trim_end_matches([',', ';', '\t', '|']))
    };
    match skipped {
        [] => Vec::new(),
        [only] => {
            vec![format!("note: line {} ({}) is no part of the table and was skipped", only.line.number, quoted(only))]
        }
        [first, .., last] => vec![format!(
            "note: {} lines above the table were skipped, from line {} ({}) to line {} ({})",
            skipped.len(),
            first.line.number,
            quoted(first),
            last.line.number,
            quoted(last)
        )],
    }
}
