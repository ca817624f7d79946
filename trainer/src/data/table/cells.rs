//! The cells of the chosen columns as numbers: all that are missing or bad are counted, and the first few named.

use csv::StringRecord;

use super::TableError;
use super::dialect::is_comment;
use super::error::{BadCell, BadCells, Fault, UnfitColumn};
use super::number::{Cell, Decimal, bare};
use super::sheet::Sheet;
use crate::data::LoadOptions;
use crate::data::sentinel::{is_no_data, plain};

/// Bad cells that are named; the others are counted.
const NAMED: usize = 5;
/// Longer text is cut short in messages.
const LONGEST_TEXT: usize = 40;

/// The chosen columns of a table as numbers.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The values of each chosen column.
    pub columns: Vec<Vec<f64>>,
    /// The line of the last row that was kept.
    pub last_line: u64,
    /// Sentences about what was left out or assumed.
    pub notes: Vec<String>,
}

/// Reads the chosen columns; `remedy` are the options that would leave out a column of text.
pub(super) fn read(
    sheet: &Sheet<'_>,
    chosen: &[usize],
    options: &LoadOptions,
    remedy: &dyn Fn(usize) -> Option<String>,
) -> Result<Cells, TableError> {
    let mut columns = vec![Vec::new(); chosen.len()];
    let mut unfit: Vec<Unfit> = vec![Unfit::default(); chosen.len()];
    let mut tally = Tally::new(options, sheet.decimal);
    let mut values = Vec::with_capacity(chosen.len());
    let mut last_line = 0;
    let outcome = each_row(sheet, &mut tally, |tally, line, record| {
        values.clear();
        let mut whole = true;
        for ((&column, name), unfit) in chosen.iter().zip(chosen.iter().map(|&k| &sheet.names[k])).zip(&mut unfit) {
            let field = record.get(column).unwrap_or_default();
            match tally.value(field) {
                Ok(value) => values.push(value),
                Err(fault) => {
                    whole = false;
                    unfit.count(line, fault.as_ref());
                    if let Some(fault) = fault {
                        tally.bad(line, name, fault);
                    }
                }
            }
        }
        if whole {
            columns.iter_mut().zip(&values).for_each(|(column, &value)| column.push(value));
            last_line = line;
        }
        whole
    });
    outcome?;
    let rows = tally.rows;
    if let Some((k, unfit)) = unfit.iter().enumerate().find(|(_, unfit)| rows > 0 && unfit.rows == rows) {
        return Err(unfit.error(&sheet.names[chosen[k]], remedy(chosen[k]), tally.bad.first.into_iter().next()));
    }
    let notes = tally.conclude(columns.first().map_or(0, Vec::len))?;
    Ok(Cells { columns, last_line, notes })
}

/// Calls `each` with the line and the fields of every row, and counts those that it does not keep.
pub(super) fn each_row(
    sheet: &Sheet<'_>,
    tally: &mut Tally<'_>,
    mut each: impl FnMut(&mut Tally<'_>, u64, &StringRecord) -> bool,
) -> Result<(), TableError> {
    let (mut reader, mut record) = (sheet.rows(), StringRecord::new());
    let width = sheet.names.len();
    while reader.read_record(&mut record).map_err(|error| sheet.malformed(&error))? {
        let line = || sheet.line_of(record.position());
        if record.get(0).is_some_and(is_comment) {
            tally.remarks += 1;
            continue;
        }
        if record.iter().all(|field| field.trim().is_empty()) {
            tally.blank += 1;
            continue;
        }
        tally.rows += 1;
        let fits = record.len() == width
            || (record.len() > width && record.iter().skip(width).all(|field| field.trim().is_empty()));
        if !fits {
            tally.bad(line(), "", Fault::Fields(record.len(), width));
            tally.left_out += 1;
        } else if !each(tally, line(), &record) {
            tally.left_out += 1;
        }
    }
    Ok(())
}

/// Counts what is wrong with the cells, and what is left out because of it.
pub(super) struct Tally<'o> {
    options: &'o LoadOptions,
    decimal: Decimal,
    rows: usize,
    left_out: usize,
    cells_left_out: usize,
    no_data: usize,
    remarks: usize,
    blank: usize,
    grouped: Option<String>,
    bad: BadCells,
}

impl<'o> Tally<'o> {
    pub(super) fn new(options: &'o LoadOptions, decimal: Decimal) -> Self {
        let bad = BadCells { count: 0, first: Vec::new() };
        Self {
            options,
            decimal,
            rows: 0,
            left_out: 0,
            cells_left_out: 0,
            no_data: 0,
            remarks: 0,
            blank: 0,
            grouped: None,
            bad,
        }
    }

    /// The value of a field; of one that stands for no data, no fault either.
    pub(super) fn value(&mut self, field: &str) -> Result<f64, Option<Fault>> {
        let no_data = &self.options.no_data;
        match Cell::read(field, self.decimal) {
            Cell::Number { value, .. } if !no_data.is_empty() && is_no_data(value, no_data) => {
                self.no_data += 1;
                Err(None)
            }
            Cell::Number { value, .. } if !(value as f32).is_finite() => Err(Some(Fault::NotFinite(short(field)))),
            Cell::Number { value, grouped } => {
                if grouped && self.grouped.is_none() {
                    self.grouped = Some(bare(field).to_owned());
                }
                Ok(value)
            }
            Cell::Missing if no_data.iter().any(|value| value.is_nan()) => {
                self.no_data += 1;
                Err(None)
            }
            Cell::Missing => Err(Some(Fault::Missing(short(field)))),
            Cell::Text => Err(Some(Fault::NotANumber(short(field)))),
        }
    }

    /// Of a wide table, where every cell is a sample of its own.
    pub(super) fn leave_cell_out(&mut self) {
        self.cells_left_out += 1;
    }

    pub(super) fn bad(&mut self, line: u64, column: &str, fault: Fault) {
        self.bad.count += 1;
        if self.bad.first.len() < NAMED {
            self.bad.first.push(BadCell { line, column: column.to_owned(), fault });
        }
    }

    /// What was left out, if it may be; `kept` is the number of samples that remain.
    pub(super) fn conclude(self, kept: usize) -> Result<Vec<String>, TableError> {
        let Self { options, rows, left_out, bad, .. } = self;
        if bad.count > 0 && !options.skip_missing {
            return Err(TableError::Cells(bad));
        }
        if rows == 0 {
            return Err(TableError::NoRows);
        }
        if kept == 0 {
            return Err(TableError::NoneKept(rows, bad.first.into_iter().next()));
        }
        let mut notes = Vec::new();
        if let Some(example) = &self.grouped {
            let mark = if self.decimal == Decimal::Comma { "points" } else { "commas" };
            notes.push(format!(
                "note: {mark} are read as grouping thousands, as in '{example}'; --decimal says which mark is decimal"
            ));
        }
        if self.remarks + self.blank > 0 {
            let skipped = listed([(self.remarks, "remark"), (self.blank, "row without any value")]);
            notes.push(format!("note: skipped among the rows: {skipped}"));
        }
        if left_out + self.cells_left_out > 0 {
            let first = bad.first.first().map_or(String::new(), |first| format!("; the first is {first}"));
            let what = if self.cells_left_out == 0 {
                format!("{left_out} of {rows} rows")
            } else {
                listed([(left_out, "row"), (self.cells_left_out, "single cell")])
            };
            let why = listed([(bad.count, "missing or bad cell"), (self.no_data, "value of --no-data")]);
            notes.push(format!("note: left out: {what}, because of {why}{first}"));
        }
        if self.no_data == 0 && !options.no_data.is_empty() {
            let values: Vec<_> = options.no_data.iter().map(|&value| plain(value)).collect();
            notes.push(format!("note: no cell of the columns that are used is {} (--no-data)", values.join(" or ")));
        }
        Ok(notes)
    }
}

/// Counts that are not 0 with what they count: `2 rows and 1 single cell`.
fn listed(counts: [(usize, &str); 2]) -> String {
    let plural = |(count, what): (usize, &str)| match what.split_once(' ') {
        _ if count == 1 => format!("1 {what}"),
        Some(("row", rest)) => format!("{count} rows {rest}"),
        Some(("value", rest)) => format!("{count} values {rest}"),
        _ => format!("{count} {what}s"),
    };
    counts.into_iter().filter(|(count, _)| *count > 0).map(plural).collect::<Vec<_>>().join(" and ")
}

/// Of one column: how many rows have no value there, and what stands there instead.
#[derive(Clone, Default)]
struct Unfit {
    rows: usize,
    /// The first text, and its line.
    text: Option<(String, u64)>,
    other: bool,
}

impl Unfit {
    fn count(&mut self, line: u64, fault: Option<&Fault>) {
        self.rows += 1;
        match fault {
            Some(Fault::NotANumber(text)) if self.text.is_none() => self.text = Some((text.clone(), line)),
            Some(Fault::NotANumber(_) | Fault::Missing(_)) => (),
            _ => self.other = true,
        }
    }

    /// What is said of a column without any number; `first` is the first bad cell of the table.
    fn error(&self, column: &str, others: Option<String>, first: Option<BadCell>) -> TableError {
        let (text, line) = self.text.clone().unwrap_or_default();
        let unfit = Box::new(UnfitColumn { name: column.to_owned(), text, line, others });
        match &self.text {
            Some((text, _)) if is_time(text) => TableError::Times(unfit),
            Some(_) => TableError::Words(unfit),
            None if self.other => TableError::NoneKept(self.rows, first),
            None => TableError::EmptyColumn(unfit),
        }
    }
}

/// Whether a text is a date or a time: groups of digits with the marks of dates and times between them.
pub(super) fn is_time(text: &str) -> bool {
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty());
    let known = [
        "t", "z", "am", "pm", "utc", "gmt", "jan", "feb", "mar", "apr", "may", "mai", "jun", "jul", "aug", "sep",
        "oct", "okt", "nov", "dec", "dez",
    ];
    let mut words_known =
        words.map(|word| known.iter().any(|known| word.to_lowercase().starts_with(known) && word.len() < 10));
    let marks = text.contains(['-', '/', ':', '.', ' '])
        && text.chars().all(|letter| letter.is_alphanumeric() || " -/:.,+".contains(letter));
    // A day has three numbers unless its month is a word; a number with a mark has two.
    let enough =
        digits > 2 || (digits == 2 && (text.contains(':') || text.contains(|letter: char| letter.is_alphabetic())));
    text.starts_with(|letter: char| letter.is_ascii_digit()) && enough && marks && words_known.all(|known| known)
}

fn short(field: &str) -> String {
    let field = bare(field);
    if field.chars().count() <= LONGEST_TEXT {
        return field.to_owned();
    }
    field.chars().take(LONGEST_TEXT - 3).chain("...".chars()).collect()
}
