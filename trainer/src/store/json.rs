//! Settings, results and state in JSON files.

use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Damaged, StoreError};
use crate::base::files::{self, WriteError};

/// A value as the files have it: one line for each of its fields.
///
/// # Panics
/// If it cannot be JSON (maps whose keys are no strings).
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("plain values")
}

/// Writes a value, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, value: &impl Serialize) -> Result<(), WriteError> {
    files::write(path, &bytes(value))
}

/// Reads what [`write()`] wrote; none if there is no such file.
///
/// # Errors
/// [`StoreError::Read`], or [`StoreError::Damaged`] if it holds something else.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let bytes = match files::read(path) {
        Ok(bytes) => bytes,
        // A part of the path that is a file holds no files either.
        Err(error) if matches!(error.source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let damaged = |error: serde_json::Error| Damaged { path: path.to_owned(), reason: error.to_string() };
    Ok(serde_json::from_slice(&bytes).map(Some).map_err(damaged)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back_and_what_is_cut_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert!(read::<Vec<f64>>(&path).unwrap().is_none());
        write(&path, &vec![0.1, 2.0]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"[\n  0.1,\n  2.0\n]");
        assert_eq!(read::<Vec<f64>>(&path).unwrap().unwrap(), [0.1, 2.0]);
        assert!(read::<Vec<f64>>(&path.join("below")).unwrap().is_none());
        std::fs::write(&path, b"[0.1,").unwrap();
        let error = read::<Vec<f64>>(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)) && error.to_string().contains("state.json is damaged (EOF"));
        assert!(matches!(read::<Vec<f64>>(folder.path()), Err(StoreError::Read(_))));
    }
}
