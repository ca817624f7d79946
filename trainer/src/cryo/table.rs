//! Tables of comma-separated values: a header of names, then rows of numbers.
//!
//! As people's programs write them: with a byte order mark, names and numbers in quotes, blank lines. A row has as many
//! fields as the header. No field holds a comma, so lines are cut here: the `csv` crate keeps quotes that follow a
//! space, and takes lines of white space for rows.

use std::path::{Path, PathBuf};

use super::error::CryoError;

/// A table whose rows are as long as its header.
#[derive(Debug)]
pub struct Csv {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

/// A row, which knows its line.
#[derive(Clone, Copy, Debug)]
pub struct CsvRow<'a> {
    table: &'a Csv,
    line: usize,
    fields: &'a [String],
}

impl Csv {
    /// Parses a file's text.
    ///
    /// # Errors
    /// Naming the line that has more or fewer fields than the header.
    pub fn parse(text: &str, path: &Path) -> Result<Self, CryoError> {
        let split =
            |line: &str| line.split(',').map(|field| field.trim().trim_matches('"').trim().to_owned()).collect();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let header: Vec<String> = lines.next().map(|(_, line)| split(line)).unwrap_or_default();
        let mut rows = Vec::new();
        for (index, line) in lines {
            let fields: Vec<String> = split(line);
            if fields.len() != header.len() {
                let problem = format!("{} fields for the {} columns of the header", fields.len(), header.len());
                return Err(CryoError::line(path, index + 1, problem));
            }
            rows.push((index + 1, fields));
        }
        Ok(Self { path: path.to_owned(), header, rows })
    }

    /// Where a column is.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The names of all columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.iter().map(String::as_str)
    }

    /// Where a column is that must be there.
    ///
    /// # Errors
    /// With the remedy if it is not.
    pub fn column(&self, name: &str, remedy: &'static str) -> Result<usize, CryoError> {
        let missing = || CryoError::Column { path: self.path.clone(), column: name.to_owned(), remedy };
        self.find(name).ok_or_else(missing)
    }

    /// All rows, in the order of their lines.
    pub fn rows(&self) -> impl Iterator<Item = CsvRow<'_>> {
        self.rows.iter().map(|(line, fields)| CsvRow { table: self, line: *line, fields })
    }
}

impl CsvRow<'_> {
    /// The text of a column.
    pub fn text(&self, column: usize) -> &str {
        &self.fields[column]
    }

    /// The number of a column.
    ///
    /// # Errors
    /// Naming line and column of a value that is no finite number.
    pub fn number(&self, column: usize) -> Result<f64, CryoError> {
        let text = self.text(column);
        text.parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| self.complaint(format!("{} is '{text}', not a number", self.table.header[column])))
    }

    /// A complaint about this row.
    pub fn complaint(&self, problem: String) -> CryoError {
        CryoError::line(&self.table.path, self.line, problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_quotes_and_blank_lines_are_no_part_of_the_values() {
        let table = Csv::parse("\u{feff}\"x\", \"y\"\r\n\r\n1,\"2.5\"\r\n \n3 , 4\n", Path::new("t.csv")).unwrap();
        let columns = ["x", "y"].map(|name| table.column(name, "").unwrap());
        let values: Vec<_> = table.rows().map(|row| columns.map(|column| row.number(column).unwrap())).collect();
        assert_eq!(values, [[1.0, 2.5], [3.0, 4.0]]);
    }

    #[test]
    fn faults_are_named_by_line_and_column() {
        let said = |text: &str| {
            let table = Csv::parse(text, Path::new("t.csv"))?;
            let column = table.column("y", "add it")?;
            table.rows().try_for_each(|row| row.number(column).map(drop))
        };
        let said = |text: &str| said(text).unwrap_err().to_string();
        assert_eq!(said("x,z\n"), "t.csv has no column y; add it");
        assert_eq!(said("x,y\n1,2\n\n1,2,3\n"), "t.csv, line 4: 3 fields for the 2 columns of the header");
        assert_eq!(said("x,y\n1\n"), "t.csv, line 2: 1 fields for the 2 columns of the header");
        assert_eq!(said("x,y\n1,nan\n"), "t.csv, line 2: y is 'nan', not a number");
    }
}
