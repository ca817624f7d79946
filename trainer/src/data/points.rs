//! Points without targets: where a model is asked for its outputs.
//!
//! | file | points |
//! | --- | --- |
//! | CSV | the columns that have the names of the model's inputs, in any order; other columns are left alone |
//! | `.npy` | `[n, d]`; `[d]` is one point, and `[n]` are n points of a model with one input |
//!
//! Points are in the numbers of the data that the model was trained on, in f64: an origin is subtracted before they
//! become f32.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use thiserror::Error;

use crate::base::files::{self, ReadError};
use crate::data::array::{NpyError, npy, npz};
use crate::data::sentinel::is_no_data;
use crate::data::table::{self, TableError};
use crate::data::{LoadOptions, is_named_table};

/// Why a file gives no points for a model. The path of each variant is that of the file, as it was given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PointsError {
    /// The file is missing, a directory, not permitted, or reading it fails.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Neither an array nor a table.
    #[error(
        "{path} is neither an .npy array nor a table of numbers by its content, nor a .csv, .tsv or .txt table by its name; \
         points are read from these",
        path = .0.display()
    )]
    UnknownFormat(PathBuf),
    /// A table that cannot be used.
    #[error("{path}", path = .0.display())]
    Table(PathBuf, #[source] TableError),
    /// A table has no column for this input of the model; the columns that it has.
    #[error(
        "{path} has no column '{1}', which is an input of the model; its columns are {2}; rename the column that holds \
         it",
        path = .0.display()
    )]
    Column(PathBuf, String, String),
    /// The column of this input has no numbers, and what it holds instead.
    #[error("{path}: the column '{1}', an input of the model, holds {2}; write numbers in it", path = .0.display())]
    NoNumbers(PathBuf, String, String),
    /// An array that cannot be read.
    #[error("{path}", path = .0.display())]
    Npy(PathBuf, #[source] NpyError),
    /// An array of another shape than `[n, d]`: its shape, and the names of the inputs.
    #[error(
        "{path} has the shape {1:?}; points for this model are an array of n rows and {inputs} columns ({names})",
        path = .0.display(), inputs = .2.len(), names = .2.join(", ")
    )]
    Shape(PathBuf, Vec<usize>, Vec<String>),
    /// In this row, counted from 1, an input has a value that is NaN or infinite.
    #[error("{path}: row {1}, counted from 1, has the value {3} for {2}; leave the row out", path = .0.display())]
    NotFinite(PathBuf, usize, String, f64),
}

/// Points for a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// `[n, d]`, in the file's own numbers.
    pub values: Array2<f64>,
    /// What was skipped or assumed, a whole sentence each.
    pub notes: Vec<String>,
}

/// Reads the points of a model with these inputs. Of the options those of missing data and of the decimal mark count.
///
/// # Errors
///
/// If the file cannot be read, has other columns, or a value that is no number.
pub fn read(path: &Path, inputs: &[String], options: &LoadOptions) -> Result<Points, PointsError> {
    let bytes = files::read(path)?;
    let of_npy = |source| PointsError::Npy(path.to_owned(), source);
    if bytes.starts_with(npz::MAGIC) {
        let member = npz::member(&bytes, options.array.as_deref()).map_err(of_npy)?;
        return array(path, &member, inputs, &options.missing());
    }
    if bytes.starts_with(npy::MAGIC) {
        return array(path, &bytes, inputs, &options.missing());
    }
    if !is_named_table(path) && !table::looks_like(&bytes) {
        return Err(PointsError::UnknownFormat(path.to_owned()));
    }
    let read = table::columns(&bytes, options, inputs);
    let table::Columns { values, notes } = read.map_err(|error| unfit(path.to_owned(), error))?;
    let rows = values.first().map_or(0, Vec::len);
    Ok(Points { values: Array2::from_shape_fn((rows, values.len()), |(row, column)| values[column][row]), notes })
}

/// What is wrong with a table, said of inputs of a model: they cannot be left out.
fn unfit(path: PathBuf, error: TableError) -> PointsError {
    match error {
        TableError::MissingColumn(name, available) => PointsError::Column(path, name, available),
        TableError::Times(column) | TableError::Words(column) => {
            PointsError::NoNumbers(path, column.name, format!("text such as '{}'", column.text))
        }
        TableError::EmptyColumn(column) => PointsError::NoNumbers(path, column.name, "nothing".to_owned()),
        source => PointsError::Table(path, source),
    }
}

fn array(path: &Path, bytes: &[u8], inputs: &[String], missing: &[f64]) -> Result<Points, PointsError> {
    let array = npy::read(bytes).map_err(|source| PointsError::Npy(path.to_owned(), source))?;
    let rows = match array.shape[..] {
        [n, d] if d == inputs.len() => Some(n),
        [n] if inputs.len() == 1 => Some(n),
        [d] if d == inputs.len() => Some(1),
        [] if inputs.len() == 1 => Some(1),
        _ => None,
    };
    let points = rows.and_then(|rows| Array2::from_shape_vec((rows, inputs.len()), array.values).ok());
    let mut notes = Vec::new();
    let mut points = points.ok_or_else(|| PointsError::Shape(path.to_owned(), array.shape, inputs.to_vec()))?;
    let is_whole = |row: usize| !points.row(row).iter().any(|&value| is_no_data(value, missing));
    let kept: Vec<usize> = (0..points.nrows()).filter(|&row| is_whole(row)).collect();
    if kept.len() < points.nrows() {
        notes.push(format!(
            "note: {} of {} points are without data and are left out",
            points.nrows() - kept.len(),
            points.nrows()
        ));
        points = points.select(Axis(0), &kept);
    }
    match points.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(Points { values: points, notes }),
        Some(((row, column), &value)) => {
            Err(PointsError::NotFinite(path.to_owned(), row + 1, inputs[column].clone(), value))
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn read_bytes(name: &str, bytes: &[u8], inputs: &[&str]) -> Result<Array2<f64>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let inputs: Vec<String> = inputs.iter().map(|name| (*name).to_owned()).collect();
        read(&path, &inputs, &LoadOptions::default()).map(|points| points.values).map_err(|error| {
            let source = std::error::Error::source(&error).map_or(String::new(), |source| format!(": {source}"));
            format!("{error}{source}")
        })
    }

    fn npy(shape: &[usize], values: &[f64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        npy::write(&mut bytes, shape, values).unwrap();
        bytes
    }

    #[test]
    fn columns_are_found_by_their_names_in_any_order() {
        let text = b"note,y,x\nhere,2,1\nthere,4.5,500000.25\n";
        assert_eq!(read_bytes("p.csv", text, &["x", "y"]).unwrap(), array![[1.0, 2.0], [500_000.25, 4.5]]);
        assert_eq!(read_bytes("p.csv", b"x\n7\n", &["x"]).unwrap(), array![[7.0]]);
        let missing = read_bytes("p.csv", text, &["x", "z"]).unwrap_err();
        assert!(missing.contains("no column 'z'") && missing.contains("note, y, x"), "{missing}");
        let words = read_bytes("p.csv", text, &["note"]).unwrap_err();
        assert!(words.contains("'note', an input of the model, holds text such as 'here'; write numbers"), "{words}");
        assert!(read_bytes("p.csv", b"x,y\n1,2\n3,?!\n", &["x", "y"]).unwrap_err().contains("line 3"));
        assert_eq!(read_bytes("p.csv", b"1,2\n3,4\n", &["x", "y"]).unwrap(), array![[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(read_bytes("p.csv", b"y;x\n0,5;3\n", &["x", "y"]).unwrap(), array![[3.0, 0.5]]);
        assert!(read_bytes("p.csv", b"x,y\n", &["x", "y"]).unwrap_err().contains("no rows"));
        // The lines have numbers, whatever the file is called.
        assert_eq!(read_bytes("p.doc", text, &["x"]).unwrap(), array![[1.0], [500_000.25]]);
        assert!(read_bytes("p.doc", b"Dear Sir,\nhere they are.\n", &["x"]).unwrap_err().contains("neither"));
    }

    #[test]
    fn arrays_hold_rows_of_points_or_one() {
        let two = ["x", "y"];
        assert_eq!(read_bytes("p.npy", &npy(&[2, 2], &[1., 2., 3., 4.]), &two).unwrap(), array![[1., 2.], [3., 4.]]);
        assert_eq!(read_bytes("p.npy", &npy(&[2], &[1., 2.]), &two).unwrap(), array![[1., 2.]]);
        assert_eq!(read_bytes("p.npy", &npy(&[3], &[1., 2., 3.]), &["x"]).unwrap(), array![[1.], [2.], [3.]]);
        let shape = read_bytes("p.npy", &npy(&[2, 3], &[0.0; 6]), &two).unwrap_err();
        assert!(shape.contains("the shape [2, 3]") && shape.contains("2 columns (x, y)"), "{shape}");
        let infinite = read_bytes("p.npy", &npy(&[2, 2], &[1., 2., f64::NAN, 4.]), &two).unwrap_err();
        assert!(infinite.contains("row 2, counted from 1, has the value NaN for x"), "{infinite}");
    }
}
