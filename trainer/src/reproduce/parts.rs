//! Results of single trainings, kept until the figure they belong to is whole: an interruption costs the trainings at
//! hand, not the hours before them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Figure;
use super::error::ReproduceError;
use crate::base::files;
use crate::base::fingerprint::fingerprint_of;

/// A folder of results beside the figure, each in a file of its own. Those of other sizes, seeds and programs lie side
/// by side.
pub(super) struct Parts {
    folder: PathBuf,
    /// Those found or kept since it was opened.
    used: Mutex<Vec<PathBuf>>,
    /// Checksum of the running program: one that was built from other sources may come to other results.
    program: OnceLock<u64>,
}

/// A file of it.
#[derive(Serialize, Deserialize)]
struct Part<K, R> {
    /// All that the result depends on.
    key: K,
    result: R,
}

impl Parts {
    pub(super) fn of(figure: Figure, out: &Path) -> Self {
        Self { folder: out.join(format!("{}.parts", figure.name())), used: Mutex::default(), program: OnceLock::new() }
    }

    fn key_and_path(&self, what: &str) -> (String, PathBuf) {
        let program = self.program.get_or_init(|| {
            // One that cannot be read is like any other such.
            fingerprint_of(std::env::current_exe().and_then(fs::read).unwrap_or_default())
        });
        let key = format!("{program:016x} {what}");
        let path = self.folder.join(format!("{:016x}.json", fingerprint_of(key.bytes())));
        (key, path)
    }

    fn uses(&self, path: PathBuf) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// The result that this program has kept of `what`.
    pub(super) fn find<R: DeserializeOwned>(&self, what: &str) -> Option<R> {
        let (key, path) = self.key_and_path(what);
        let part: Part<String, R> = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        (part.key == key).then(|| {
            self.uses(path);
            part.result
        })
    }

    /// # Errors
    /// If it cannot be written.
    pub(super) fn keep<R: Serialize>(&self, what: &str, result: &R) -> Result<(), ReproduceError> {
        let (key, path) = self.key_and_path(what);
        files::make_folder(&self.folder)?;
        files::write(&path, &serde_json::to_vec(&Part { key, result })?)?;
        self.uses(path);
        Ok(())
    }

    /// Removes what was used, once the figure is whole, and the folder if nothing else is in it.
    pub(super) fn remove_used(&self) {
        // What stays does no harm.
        for path in self.used.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(fs::remove_file(path));
        }
        drop(fs::remove_dir(&self.folder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_found_by_its_key_alone_and_goes_with_its_figure() {
        let out = tempfile::tempdir().unwrap();
        let values = vec![0.1, f64::MIN_POSITIVE, -1.0 / 3.0];
        let other_seed = Parts::of(Figure::ScaleSweep, out.path());
        other_seed.keep("seed 2", &1.0).unwrap();
        let parts = Parts::of(Figure::ScaleSweep, out.path());
        parts.keep("seed 1", &values).unwrap();
        assert_eq!(parts.find::<Vec<f64>>("seed 1"), Some(values));
        assert_eq!(parts.find::<Vec<f64>>("seed 3"), None);
        // Of another program, as far as can be seen.
        let program = OnceLock::from(1);
        assert_eq!(Parts { program, ..Parts::of(Figure::ScaleSweep, out.path()) }.find::<f64>("seed 2"), None);
        parts.remove_used();
        assert_eq!(parts.find::<Vec<f64>>("seed 1"), None);
        assert_eq!(other_seed.find("seed 2"), Some(1.0), "it may have taken hours");
        for file in fs::read_dir(&other_seed.folder).unwrap() {
            fs::write(file.unwrap().path(), r#"{"key":"#).unwrap();
        }
        assert_eq!(other_seed.find::<f64>("seed 2"), None, "cut off");
        other_seed.remove_used();
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let out = tempfile::tempdir().unwrap();
        let parts = Parts::of(Figure::ScaleSweep, out.path());
        fs::write(&parts.folder, b"").unwrap();
        let error = parts.keep("seed 1", &1.0).unwrap_err().to_string();
        assert!(error.contains("scale-sweep.parts"), "{error}");
    }
}
