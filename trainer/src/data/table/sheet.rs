//! Where in the text of a table its names, its units and its rows are, and what is none of these.

use super::TableError;
use super::dialect::{SAMPLE, Separator, lines, named_separator, split};
use super::fields::Fields;
use super::header::{self, Names};
use super::number::{Cell, Decimal, looks_numeric};

/// A table whose parts are known; its rows are not read yet.
#[derive(Debug)]
pub(super) struct Sheet<'t> {
    /// The rows, from the first.
    pub body: &'t str,
    /// The line at which `body` begins, counted from 1.
    pub first_line: u64,
    /// Between the fields of `body`.
    pub separator: u8,
    /// Of each column, no two alike; `#3` for the third where it has none.
    pub names: Vec<String>,
    /// Of each column where there is a row of units, else empty.
    pub units: Vec<String>,
    /// The line of the names; 0 if there are none.
    pub header_line: u64,
    /// What is known of each column from the first rows.
    pub columns: Vec<Column>,
    /// The mark between whole part and fraction.
    pub decimal: Decimal,
    /// What was skipped or assumed.
    pub notes: Vec<String>,
}

/// What the first rows tell of a column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Column {
    /// Half of its cells or more are numbers.
    pub numeric: bool,
    /// Nothing is in it.
    pub empty: bool,
    /// It has no name of its own, while others have.
    pub nameless: bool,
    /// It counts the rows.
    pub counts: bool,
    /// Its cells are whole numbers, no two alike: the numbers of rows, some of which were left out or mixed.
    pub numbers_rows: bool,
    /// Others have the same name.
    pub duplicate: bool,
}

impl Column {
    /// Without a name, and empty, text, or the numbers of the rows.
    pub(super) fn is_of_no_use(&self) -> bool {
        self.nameless && (self.empty || !self.numeric || self.numbers_rows)
    }
}

impl<'t> Sheet<'t> {
    /// Finds the parts of a table; of one that is separated by white space, the text has tabs in its stead.
    pub(super) fn read(text: &'t str, separator: Separator) -> Result<Self, TableError> {
        let byte = match separator {
            Separator::Byte(byte) => byte,
            Separator::Spaces => b'\t',
        };
        let mut notes = Vec::new();
        let mut rest = lines(text).filter(|line| !line.is_blank()).peekable();
        if let Some(line) = rest.next_if(|line| named_separator(line.text).is_some()) {
            notes.push(format!("note: line {} names the separator ('{}')", line.number, line.text.trim()));
        }
        let (mut sample, mut remarks) = (Vec::new(), Vec::new());
        for line in rest.take(SAMPLE) {
            if line.is_comment() {
                remarks.push(line);
            } else {
                sample.push(Fields { line, fields: split(line.text, Separator::Byte(byte)) });
            }
        }
        let width = width(&sample).ok_or(TableError::Nothing)?;
        let numeric = numeric_columns(&sample, width);
        let Names { names, units, header, missing_first, first, notes: skipped } =
            header::find(&sample, &remarks, &numeric, byte);
        notes.extend(skipped);

        let rows = &sample[first..];
        let columns: Vec<_> = (0..width).map(|column| known(rows, column, &names)).collect();
        // R leaves out the name of the names of its rows, which are numbers in order or text.
        let is_axis = names.iter().skip(1).all(|name| looks_numeric(name));
        if let (Some(found), true) = (missing_first, columns[0].numeric && !columns[0].counts && !is_axis) {
            return Err(TableError::HeaderFields { line: header, names: found, fields: width });
        }
        let (start, first_line) = rows.first().map_or((text.len(), 0), |row| (row.line.start, row.line.number));
        let mut sheet = Self {
            body: &text[start..],
            first_line,
            separator: byte,
            names,
            units,
            header_line: header,
            columns,
            decimal: Decimal::Point,
            notes,
        };
        sheet.name_all();
        Ok(sheet)
    }

    /// A reader of the rows, field by field.
    pub(super) fn rows(&self) -> csv::Reader<&'t [u8]> {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(self.separator).flexible(true).has_headers(false).from_reader(self.body.as_bytes())
    }

    /// The line of a record: the reader's position is before the blank lines that it skipped.
    pub(super) fn line_of(&self, position: Option<&csv::Position>) -> u64 {
        position.map_or(0, |position| {
            let rest = self.body.as_bytes().get(position.byte() as usize..).unwrap_or_default();
            let blank = rest.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n'));
            self.first_line + position.line() - 1 + blank.filter(|&&byte| byte == b'\n').count() as u64
        })
    }

    pub(super) fn malformed(&self, error: &csv::Error) -> TableError {
        TableError::Malformed(self.line_of(error.position()), error.to_string())
    }

    /// The columns that are used where none are named: all but nameless ones that hold no measurements.
    pub(super) fn usable(&self) -> Vec<usize> {
        (0..self.names.len()).filter(|&column| !self.columns[column].is_of_no_use()).collect()
    }

    /// Gives nameless columns their number as a name, and adds it to names that several columns have.
    fn name_all(&mut self) {
        let given = self.names.clone();
        for (k, name) in given.iter().enumerate() {
            let numbered = format!("#{}", k + 1);
            self.columns[k].duplicate = !name.is_empty() && given.iter().filter(|other| *other == name).count() > 1;
            if name.is_empty() {
                self.names[k] = numbered;
            } else if self.columns[k].duplicate {
                self.names[k] = format!("{name} {numbered}");
            }
        }
    }
}

/// The number of fields that most lines with numbers have, of equals the one that a line of names has; if no line has
/// numbers, the largest.
fn width(sample: &[Fields<'_>]) -> Option<usize> {
    let (with_numbers, text): (Vec<_>, Vec<_>) = sample.iter().partition(|row| row.numbers() > 0);
    let frequent = |len: usize| with_numbers.iter().filter(|row| row.fields.len() == len).count();
    let named = |len: usize| text.iter().any(|row| row.fields.len() == len);
    let most = with_numbers.iter().map(|row| row.fields.len()).max_by_key(|&len| (frequent(len), named(len), len));
    most.or_else(|| sample.iter().map(|row| row.fields.len()).max())
}

/// Which columns hold numbers in half of their cells or more, in the lower half of the sample: above may be lines of
/// text.
fn numeric_columns(sample: &[Fields<'_>], width: usize) -> Vec<bool> {
    let fitting: Vec<_> = sample.iter().filter(|row| row.fits(width)).collect();
    let lower = &fitting[fitting.len() / 2..];
    (0..width).map(|column| is_numeric(lower.iter().map(|row| row.fields[column].as_str()))).collect()
}

fn is_numeric<'f>(cells: impl Iterator<Item = &'f str>) -> bool {
    let (mut present, mut numbers) = (0, 0);
    for cell in cells.filter(|cell| Cell::read(cell, Decimal::Point) != Cell::Missing) {
        present += 1;
        numbers += usize::from(looks_numeric(cell));
    }
    numbers > 0 && 2 * numbers >= present
}

fn known(rows: &[Fields<'_>], column: usize, names: &[String]) -> Column {
    let cells: Vec<&str> = rows.iter().filter_map(|row| row.fields.get(column)).map(String::as_str).collect();
    let from = |first: usize| !cells.is_empty() && cells.iter().zip(first..).all(|(cell, k)| *cell == k.to_string());
    let name = names[column].to_lowercase();
    let whole: Option<Vec<u64>> = cells.iter().map(|cell| cell.parse().ok()).collect();
    let all_differ = |mut numbers: Vec<u64>| {
        numbers.sort_unstable();
        numbers.windows(2).all(|pair| pair[0] < pair[1])
    };
    Column {
        numeric: is_numeric(cells.iter().copied()),
        empty: cells.iter().all(|cell| cell.is_empty()),
        nameless: (name.is_empty() && !names.iter().all(String::is_empty))
            || (column == 0 && name.starts_with("unnamed: ")),
        counts: cells.len() > 1 && (from(0) || from(1)),
        numbers_rows: column == 0 && cells.len() > 1 && whole.is_some_and(all_differ),
        duplicate: false,
    }
}
