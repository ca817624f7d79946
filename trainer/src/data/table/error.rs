//! What can be wrong with a table. Lines count from 1.

use std::fmt;

use thiserror::Error;

use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Why a table gives no data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// Zero bytes within the text.
    #[error("it holds bytes of value 0, which no text has; save the table as text, such as CSV in UTF-8")]
    Binary,
    /// A malformed record.
    #[error("line {line}: {reason}")]
    Malformed {
        /// Where it begins.
        line: u64,
        /// In words.
        reason: String,
    },
    /// Nothing but white space and remarks.
    #[error("no rows; a table needs a line with the names of the columns and rows of numbers below it")]
    Nothing,
    /// One column cannot be both input and output.
    #[error(
        "only one column ('{0}'); a table needs at least one input and one output, separated by commas, semicolons, tabs or spaces"
    )]
    OneColumn(String),
    /// Two columns of the same name, and both are to be used.
    #[error(
        "line {line}: columns {first} and {second} are both named '{name}'; rename one, or choose columns by number, \
         such as --inputs {first} --outputs {second}"
    )]
    DuplicateHeader {
        /// The line of the names.
        line: u64,
        /// The name.
        name: String,
        /// Counted from 1.
        first: usize,
        /// Counted from 1.
        second: usize,
    },
    /// Another number of names than of columns.
    #[error(
        "line {line} names {found} columns, but the rows have {fields} fields; name every column, or check the rows for stray separators"
    )]
    HeaderFields {
        /// The line of the names.
        line: u64,
        /// Names in it.
        found: usize,
        /// Fields of most rows.
        fields: usize,
    },
    /// A name that the header lacks.
    #[error(
        "no column '{name}'; the columns are {available}; a name that cannot be typed may be given by its number, such as 1"
    )]
    MissingColumn {
        /// As asked for.
        name: String,
        /// As in the header.
        available: String,
    },
    /// A column of outputs that a model is to be compared with is missing.
    #[error(
        "no column '{name}' to compare the model with; the columns are {available}; name another with --targets, or compute outputs \
         for these points with trainer predict"
    )]
    MissingTarget {
        /// As the model names it.
        name: String,
        /// As in the header.
        available: String,
    },
    /// A name that several columns have when case and units are left aside.
    #[error("'{name}' may be any of the columns {candidates}; give its whole name or its number")]
    AmbiguousColumn {
        /// As asked for.
        name: String,
        /// With their numbers.
        candidates: String,
    },
    /// A name given twice.
    #[error("column '{0}' is named more than once among inputs and outputs; name it once")]
    RepeatedColumn(String),
    /// Every column is taken already.
    #[error("no column is left to be an {0}; name fewer of the others")]
    NoneLeft(&'static str),
    /// More than a network may have.
    #[error("{0} input columns, at most {MAX_INPUTS} are possible; name fewer with --inputs")]
    TooManyInputs(usize),
    /// More than a network may have.
    #[error("{0} output columns, at most {MAX_OUTPUTS} are possible; name fewer with --outputs")]
    TooManyOutputs(usize),
    /// Names and nothing else.
    #[error("no rows below the names of the columns")]
    NoRows,
    /// All rows had something missing, or were said to be no data.
    #[error(
        "none of the {0} rows is left: each has a missing or bad cell or a value of --no-data in a column that is used"
    )]
    NoneKept(usize),
    /// One row spans no domain.
    #[error("only one row (line {0}); at least two are needed to span a domain")]
    OneRow(u64),
    /// A column of dates or times.
    #[error(
        "column '{column}' holds times such as '{text}', which are no numbers; leave it out with {remedy}, or give the seconds since the first"
    )]
    Times {
        /// Its name.
        column: String,
        /// The first of them.
        text: String,
        /// Options that name the other columns.
        remedy: String,
    },
    /// A column of words.
    #[error("column '{column}' holds text such as '{text}', which is no number; leave it out with {remedy}")]
    Words {
        /// Its name.
        column: String,
        /// The first of them.
        text: String,
        /// Options that name the other columns.
        remedy: String,
    },
    /// A column without any value.
    #[error("column '{column}' is empty; leave it out with {remedy}")]
    EmptyColumn {
        /// Its name.
        column: String,
        /// Options that name the other columns.
        remedy: String,
    },
    /// Cells that cannot be used.
    #[error("{0}")]
    Cells(BadCells),
    /// Minimum and maximum whose difference overflows.
    #[error("column '{column}' spans {minimum:e} to {maximum:e}, which no model in single precision holds; {remedy}")]
    Range {
        /// The column's name.
        column: String,
        /// Smallest value.
        minimum: f64,
        /// Largest value.
        maximum: f64,
        /// What to do.
        remedy: String,
    },
    /// A header whose names are an axis.
    #[error(
        "line {line} names the columns {first}, {second}, …, which looks like a table of two axes, one in the first line and one in the \
         first column; read it with --wide, or name columns with --inputs and --outputs"
    )]
    LooksWide {
        /// The line of the names.
        line: u64,
        /// The second name.
        first: String,
        /// The third name.
        second: String,
    },
    /// `--wide` for a table whose names are no numbers.
    #[error("line {line}: '{name}' is no number, but --wide reads the first line as an axis; leave out --wide")]
    NotWide {
        /// The line of the names.
        line: u64,
        /// The first name that is none.
        name: String,
    },
}

/// All cells that cannot be used: how many there are, and the first few.
#[derive(Debug)]
pub struct BadCells {
    /// All of them.
    pub count: usize,
    /// At most five.
    pub first: Vec<BadCell>,
}

/// One cell that cannot be used.
#[derive(Clone, Debug)]
pub struct BadCell {
    /// Its line.
    pub line: u64,
    /// The name of its column; of a whole row, empty.
    pub column: String,
    /// Why.
    pub fault: Fault,
}

/// Why a cell cannot be used.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing, or a word for it.
    Missing(String),
    /// Text where a number should be.
    NotANumber(String),
    /// Infinite, or beyond single precision.
    NotFinite(String),
    /// A row of another length than the header.
    Fields {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
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
            Fault::Fields { found, expected } => write!(f, ": {found} fields where the table has {expected} columns"),
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
