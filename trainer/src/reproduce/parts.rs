//! Results of single trainings, kept until the figure they belong to is whole: an interruption costs the trainings at hand, not
//! the hours before them.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Figure;
use super::error::ReproduceError;
use crate::files;

/// A folder of results beside the figure, each in a file of its own.
pub(super) struct Parts(PathBuf);

/// A file of it.
#[derive(Serialize, Deserialize)]
struct Part<R> {
    /// All that the result depends on.
    key: String,
    result: R,
}

impl Parts {
    pub(super) fn of(figure: Figure, out: &Path) -> Self {
        Self(out.join(format!("{}.parts", figure.name())))
    }

    /// The result kept with this key; if there is none, `work` makes it and it is kept.
    ///
    /// # Errors
    /// That of `work`, or if the result cannot be written.
    pub(super) fn get<R: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        work: impl FnOnce() -> Result<R, ReproduceError>,
    ) -> Result<(R, Origin), ReproduceError> {
        let key = format!("{} {key}", env!("CARGO_PKG_VERSION"));
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let path = self.0.join(format!("{:016x}.json", hasher.finish()));
        // Whatever else lies there, of another version or cut off, is made anew.
        let kept = fs::read(&path).ok().and_then(|json| serde_json::from_slice::<Part<R>>(&json).ok());
        if let Some(part) = kept.filter(|part| part.key == key) {
            return Ok((part.result, Origin::Kept));
        }
        let part = Part { key, result: work()? };
        files::make_folder(&self.0)?;
        files::write(&path, &serde_json::to_vec(&part)?)?;
        Ok((part.result, Origin::Made))
    }

    /// Once the figure is whole.
    pub(super) fn remove(&self) {
        // One that stays does no harm.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Where a result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Kept,
    Made,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_made_once_and_again_where_its_key_or_its_file_is_another() {
        let out = tempfile::tempdir().unwrap();
        let parts = Parts::of(Figure::ScaleSweep, out.path());
        let get = |key, value: f64| parts.get(key, || Ok(vec![value, f64::MIN_POSITIVE])).unwrap();
        assert_eq!(get("a", 0.1), (vec![0.1, f64::MIN_POSITIVE], Origin::Made));
        assert_eq!(get("b", 2.0).1, Origin::Made);
        assert_eq!(get("a", 3.0), (vec![0.1, f64::MIN_POSITIVE], Origin::Kept));
        // What fails leaves nothing.
        assert!(parts.get("c", || Err::<f64, _>(ReproduceError::Interrupted)).is_err());
        assert_eq!(get("c", 4.0).1, Origin::Made);
        for file in fs::read_dir(&parts.0).unwrap() {
            fs::write(file.unwrap().path(), r#"{"key":"#).unwrap();
        }
        assert_eq!(get("a", 5.0), (vec![5.0, f64::MIN_POSITIVE], Origin::Made));
        parts.remove();
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }
}
