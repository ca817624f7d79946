//! What can be wrong with a table. Lines and columns count from 1.

use std::fmt;

use thiserror::Error;

use super::number::has_unit;

use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Why a table gives no data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The text holds bytes of value zero.
    #[error("it holds bytes of value 0, which no text has; save the table as text, such as CSV in UTF-8")]
    Binary,
    /// The record that begins at a line is malformed, with the reason.
    #[error("line {0}: {1}")]
    Malformed(u64, String),
    /// There is nothing but white space and remarks.
    #[error("no rows; a table needs a line with the names of the columns and rows of numbers below it")]
    Nothing,
    /// The column of this name is the only one, and cannot be both input and output.
    #[error(
        "only one column ('{0}'); a table needs at least one input and one output, separated by commas, semicolons, \
         tabs or spaces"
    )]
    OneColumn(String),
    /// On the line of the names two columns have the same name, and both are to be used.
    #[error(
        "line {0}: columns {first} and {second} are both named '{1}'; rename one, or choose columns by number, \
         such as --inputs {first} --outputs {second}",
        first = .2[0], second = .2[1]
    )]
    DuplicateHeader(u64, String, [usize; 2]),
    /// A line has another number of names than most rows have fields.
    #[error(
        "line {line} names {names} columns, but the rows have {fields} fields; name every column, or check the rows \
         for stray separators"
    )]
    HeaderFields {
        /// The line of the names.
        line: u64,
        /// How many columns it names.
        names: usize,
        /// How many fields most rows have.
        fields: usize,
    },
    /// A name that the header lacks, and the names that it has.
    #[error("no column '{0}'; the columns are {1}; a name that cannot be typed may be given by its number, such as 1")]
    MissingColumn(String, String),
    /// No column has the name of an output that a model is to be compared with; the names that there are.
    #[error(
        "no column '{0}' to compare the model with; the columns are {1}; name another with --targets, or compute \
         outputs for these points with trainer predict"
    )]
    MissingTarget(String, String),
    /// A name that several columns have when case and units are left aside; those columns with their numbers.
    #[error("'{0}' may be any of the columns {1}; give its whole name or its number")]
    AmbiguousColumn(String, String),
    /// A column is named twice.
    #[error("column '{0}' is named more than once among inputs and outputs; name it once")]
    RepeatedColumn(String),
    /// Every column is taken already, and none is left as an input or output.
    #[error("no column is left to be an {0}; name fewer of the others")]
    NoneLeft(&'static str),
    /// More inputs than a network may have.
    #[error("{0} input columns, at most {MAX_INPUTS} are possible; name fewer with --inputs")]
    TooManyInputs(usize),
    /// More outputs than a network may have.
    #[error("{0} output columns, at most {MAX_OUTPUTS} are possible; name fewer with --outputs")]
    TooManyOutputs(usize),
    /// There are names and nothing below them.
    #[error("no rows below the names of the columns")]
    NoRows,
    /// Each of so many rows had something missing or bad, or was said to be no data; the first bad cell, if there is
    /// one.
    #[error(
        "none of the {0} rows is left: each has a missing or bad cell or a value of --no-data in a column that is \
         used{first}",
        first = .1.as_ref().map_or(String::new(), |cell| format!("; the first is {cell}"))
    )]
    NoneKept(usize, Option<BadCell>),
    /// The row of this line is the only one, and spans no domain.
    #[error("only one row (line {0}); at least two are needed to span a domain")]
    OneRow(u64),
    /// A column of dates or times.
    #[error(
        "line {line}: column '{name}' holds times such as '{text}', which are no numbers; {remedy}",
        line = .0.line, name = .0.name, text = .0.text, remedy = .0.without(", or give the seconds since the first", "give the seconds since the first")
    )]
    Times(Box<UnfitColumn>),
    /// A column of words.
    #[error(
        "line {line}: column '{name}' holds text such as '{text}', which is no number; {remedy}",
        line = .0.line, name = .0.name, text = .0.text, remedy = .0.as_numbers()
    )]
    Words(Box<UnfitColumn>),
    /// A column without any value.
    #[error("column '{name}' is empty; {remedy}", name = .0.name, remedy = .0.without("", "write numbers into it"))]
    EmptyColumn(Box<UnfitColumn>),
    /// Cells that cannot be used.
    #[error("{0}")]
    Cells(BadCells),
    /// The smallest and the largest value of a column are farther apart than f32 holds; and a remedy.
    #[error("column '{0}' spans {minimum:e} to {maximum:e}, which no model in single precision holds; \
        {2}", minimum = .1[0], maximum = .1[1])]
    Range(String, [f64; 2], String),
    /// The line of the names holds an axis, which begins with these two numbers.
    #[error(
        "line {0} names the columns {first}, {second}, …, which looks like a table of two axes, one in the first line \
         and one in the first column; read it with --wide, or name columns with --inputs and --outputs",
        first = .1[0], second = .1[1]
    )]
    LooksWide(u64, [String; 2]),
    /// `--wide` is given, and the line of the names has a name that is no number.
    #[error("line {0}: '{1}' is no number, but --wide reads the first line as an axis; leave out --wide")]
    NotWide(u64, String),
}

/// A column without any number.
#[derive(Debug)]
pub struct UnfitColumn {
    pub(in crate::data) name: String,
    /// The first text in it.
    pub(in crate::data) text: String,
    /// Its line.
    pub(super) line: u64,
    /// Options that use the other columns; none where no input or no output is among them.
    pub(super) others: Option<String>,
}

impl UnfitColumn {
    /// To use the other columns, with `more` behind it, or `else_` where that cannot be.
    fn without(&self, more: &str, else_: &str) -> String {
        self.others.as_ref().map_or_else(|| else_.to_owned(), |others| format!("leave it out with {others}{more}"))
    }

    /// What makes numbers of the text, or else leaves it out.
    fn as_numbers(&self) -> String {
        let digits = self.text.strip_prefix("0x").or_else(|| self.text.strip_prefix("0X"));
        if let Some(number) = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            return format!("it is hexadecimal: write {number} in place of {}, and the others likewise", self.text);
        }
        if has_unit(&self.text) {
            return "the cells hold units: delete these, and leave the numbers".to_owned();
        }
        self.without("", "write numbers in place of the text")
    }
}

/// All cells that cannot be used: how many there are, and the first few.
#[derive(Debug)]
pub struct BadCells {
    pub(super) count: usize,
    pub(super) first: Vec<BadCell>,
}

/// One cell that cannot be used.
#[derive(Clone, Debug)]
pub struct BadCell {
    pub(super) line: u64,
    /// The name; of a whole row, empty.
    pub(super) column: String,
    pub(super) fault: Fault,
}

/// Why a cell cannot be used.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Nothing, or a word for it.
    Missing(String),
    /// Text where a number should be.
    NotANumber(String),
    /// Infinite, or beyond single precision.
    NotFinite(String),
    /// The fields of a row, which are not as many as the table has columns.
    Fields(usize, usize),
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", column '{}'", self.column)?;
        }
        match &self.fault {
            Fault::Missing(text) if text.is_empty() => write!(f, ": the field is empty"),
            Fault::Missing(text) => write!(f, ": '{text}' stands for no value"),
            Fault::NotANumber(text) => write!(f, ": '{text}' is not a number"),
            Fault::NotFinite(text) => write!(f, ": '{text}' is not a finite number in single precision"),
            Fault::Fields(found, expected) => write!(f, ": {found} fields where the table has {expected} columns"),
        }
    }
}

impl fmt::Display for BadCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([only], 1) = (&self.first[..], self.count) {
            return write!(f, "{only}; correct it, or leave its row out with --skip-missing");
        }
        write!(f, "{} cells are missing or bad: ", self.count)?;
        for (k, cell) in self.first.iter().enumerate() {
            write!(f, "{}{cell}", if k > 0 { "; " } else { "" })?;
        }
        let more = self.count - self.first.len();
        if more > 0 {
            write!(f, "; and {more} more")?;
        }
        write!(f, "; correct them, or leave their rows out with --skip-missing")
    }
}
