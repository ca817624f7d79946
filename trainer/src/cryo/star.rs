//! STAR files as RELION writes them: data blocks of key-value pairs and loops.
//!
//! Only what tables need: `data_NAME`, `_key value`, `loop_` with its columns and rows, comments, quoted values. Text
//! blocks between semicolons, which particle tables do not have, are not read. The crate `emstar` (0.2) skips rows that
//! it cannot read without a word, where a table must be refused.

use super::error::CryoError;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// One table: a loop, or pairs as a loop of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// After `data_`.
    pub name: String,
    /// Without the underscore.
    pub columns: Vec<String>,
    /// As many values as columns each.
    pub rows: Vec<Vec<String>>,
    /// The line of the file on which each row stands.
    lines: Vec<usize>,
    path: PathBuf,
}

impl Table {
    /// An empty table to write.
    pub fn new(name: &str, columns: &[&str]) -> Self {
        Self { name: name.into(), columns: columns.iter().map(|&c| c.to_owned()).collect(), ..Self::default() }
    }

    /// Where a column is.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// A number of a row.
    ///
    /// # Errors
    /// Naming line and column of a value that is no number.
    pub fn number(&self, row: usize, column: usize) -> Result<f64, CryoError> {
        let value = &self.rows[row][column];
        value.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
            let problem = format!("{} is '{value}', not a number", self.columns[column]);
            CryoError::line(&self.path, self.lines[row], problem)
        })
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line of a row.
    pub fn line(&self, row: usize) -> usize {
        self.lines[row]
    }

    /// The line of a row, to complain about it.
    pub fn complaint(&self, row: usize, problem: String) -> CryoError {
        CryoError::line(&self.path, self.lines[row], problem)
    }
}

/// Parses a file's text.
///
/// # Errors
/// Naming the line where a row has too few or too many values, or a value stands outside any table.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Table>, CryoError> {
    let mut tables: Vec<Table> = Vec::new();
    let mut is_loop = false;
    // Windows' editors begin a file with a byte-order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let values = tokens(line);
        let Some(first) = values.first() else { continue };
        if let Some(name) = first.strip_prefix("data_") {
            tables.push(Table { name: name.to_owned(), path: path.to_owned(), ..Table::default() });
            is_loop = false;
            continue;
        }
        let Some(table) = tables.last_mut() else {
            return Err(CryoError::line(path, line_number, "text before the first data_ block; is it a STAR file?"));
        };
        if first == "loop_" {
            is_loop = true;
        } else if let Some(name) = first.strip_prefix('_').filter(|_| table.rows.is_empty() || !is_loop) {
            table.columns.push(name.to_owned());
            if !is_loop {
                let [_, value] = &values[..] else {
                    return Err(CryoError::line(path, line_number, format!("_{name} needs one value")));
                };
                if table.rows.is_empty() {
                    (table.rows, table.lines) = (vec![Vec::new()], vec![line_number]);
                }
                table.rows[0].push(value.clone());
            }
        } else if !is_loop {
            return Err(CryoError::line(path, line_number, "a row of values without a loop_ before its columns"));
        } else if values.len() == table.columns.len() {
            table.rows.push(values);
            table.lines.push(line_number);
        } else {
            let problem =
                format!("{} values for the {} columns of data_{}", values.len(), table.columns.len(), table.name);
            return Err(CryoError::line(path, line_number, problem));
        }
    }
    Ok(tables)
}

/// Words of a line up to a comment; quotes keep blanks within.
fn tokens(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first));
        let (word, after) = match quote {
            Some(quote) => rest[1..].split_once(quote).unwrap_or((&rest[1..], "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// The text of tables, as loops.
pub fn to_text(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        // The comment tells RELION that angles, origins and optics are those of version 3.1.
        let _ = write!(text, "\n# version 30001\n\ndata_{}\n\nloop_\n", table.name);
        for (index, column) in table.columns.iter().enumerate() {
            let _ = writeln!(text, "_{column} #{}", index + 1);
        }
        for row in &table.rows {
            let quoted =
                row.iter().map(|value| if value.contains(' ') { format!("\"{value}\"") } else { value.clone() });
            let _ = writeln!(text, "{}", quoted.collect::<Vec<_>>().join("\t"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back() {
        let mut table = Table::new("particles", &["rlnImageName", "rlnAngleRot"]);
        table.rows = vec![vec!["1@a b.mrcs".into(), "1.5".into()], vec!["2@c.mrcs".into(), "-2".into()]];
        let text = to_text(&[table.clone()]);
        let read = parse(&text, Path::new("t.star")).unwrap();
        assert_eq!((&read[0].name, &read[0].columns, &read[0].rows), (&table.name, &table.columns, &table.rows));
        assert_eq!(read[0].number(1, 1).unwrap(), -2.0);
    }

    #[test]
    fn pairs_comments_and_quotes_are_read() {
        let text = "# version 30001\ndata_general\n_rlnFinalResolution  5.5 # in A\n_rlnName 'two words'\n\ndata_\nloop_\n_a #1\n_b\n 1 2\n";
        let tables = parse(text, Path::new("t.star")).unwrap();
        assert_eq!(tables[0].rows, [["5.5", "two words"]]);
        assert_eq!(tables[1].rows, [["1", "2"]]);
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(parse(&marked, Path::new("t.star")).unwrap()[1].rows, [["1", "2"]]);
    }

    #[test]
    fn faults_are_named_by_line() {
        let error = |text: &str| parse(text, Path::new("t.star")).unwrap_err().to_string();
        assert!(
            error("data_p\nloop_\n_a\n_b\n1 2\n3\n").contains("t.star, line 6: 1 values for the 2 columns of data_p")
        );
        assert!(error("hello\n").contains("line 1"));
        assert!(error("data_\n_a\n").contains("_a needs one value"));
        assert!(error("data_\n_a 1\nx\n_b 2\n").contains("line 3: a row of values without a loop_"));
        let table = &parse("data_\nloop_\n_a\nx\n", Path::new("t.star")).unwrap()[0];
        assert!(table.number(0, 0).unwrap_err().to_string().contains("line 4: a is 'x'"));
    }
}
