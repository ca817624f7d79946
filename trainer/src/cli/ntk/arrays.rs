//! Reading and writing the arrays of the theory as `.npy`.

use std::path::Path;

use anyhow::{Context, bail};
use ndarray::{Array2, ArrayView2};
use trainer::base::files;
use trainer::data::npy;
use trainer::theory::TheoryError;
use trainer::theory::error::check_finite;

/// Reads `[n]` as one column, or `[n, d]`; all of it must be finite.
pub(super) fn read(what: &'static str, path: &Path) -> anyhow::Result<Array2<f64>> {
    let place = || path.display().to_string();
    let bytes = files::read(path)?;
    let array = npy::read(&bytes).with_context(place)?;
    let (rows, columns) = match array.shape[..] {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => bail!(
            "{}: {what} have the shape {:?}; an array [n] or [n, columns] is needed, so reshape it",
            path.display(),
            array.shape
        ),
    };
    let array = Array2::from_shape_vec((rows, columns), array.values).with_context(place)?;
    check_finite(what, array.view()).with_context(place)?;
    Ok(array)
}

/// Names the file of the array that does not fit the others; `files` are arrays, as the theory calls them, with their
/// paths.
pub(super) fn of_file<'a>(files: &'a [(&str, Option<&Path>)]) -> impl Fn(TheoryError) -> anyhow::Error + 'a {
    move |error| {
        let at_fault =
            |(what, _): &&(&str, _)| matches!(error, TheoryError::Shape { what: named, .. } if named == *what);
        match files.iter().find(at_fault) {
            Some((_, Some(path))) => anyhow::Error::new(error).context(path.display().to_string()),
            _ => error.into(),
        }
    }
}

/// Writes f64 in row-major order; `[n, 1]` becomes `[n]` if `flat`.
pub(super) fn write(path: &Path, array: &ArrayView2<'_, f64>, flat: bool) -> anyhow::Result<()> {
    let array = array.as_standard_layout();
    let values = array.as_slice().context("the array is not contiguous")?;
    let shape = if flat && array.ncols() == 1 { vec![array.nrows()] } else { array.shape().to_vec() };
    Ok(files::write_with(path, |writer| npy::write(writer, &shape, values))?)
}
