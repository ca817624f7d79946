//! The directory of a sweep: its settings, one small file for each that is finished, and a checkpoint for each that is
//! not.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings.json` | what is swept over which data; another sweep is refused |
//! | `results/N.json` | setting N, finished |
//! | `unfinished/N.safetensors` | setting N, interrupted |
//! | `sweep.json`, `.csv`, `.png`, `.svg` | the table and the plot of what is finished |
//!
//! Several processes may work on shards in one directory: results and checkpoints are files of one setting each, and
//! the table is that of all results; whoever ends last writes it last. Every file is written whole or not at all.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::grid::Grid;
use super::{SweepError, SweepRow};
use crate::base::files::{self, FolderError};
use crate::base::fingerprint::fingerprint_of;
use crate::fit::FitParams;
use crate::fit::settings::{FitSettings, names_and_values};
use crate::store::error::{Damaged, StoreError};
use crate::store::json;

/// What a sweep is: all that its numbers depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepManifest {
    /// The settings that the sweep leaves as they are.
    pub base: FitSettings,
    /// The values of those that it varies.
    pub grid: Grid,
    /// [`fingerprint`](crate::data::Dataset::fingerprint) of the data, in hexadecimal.
    pub data: String,
}

impl SweepManifest {
    /// Every setting, in the order of their numbers.
    ///
    /// # Errors
    /// Those of [`Grid::settings`].
    pub fn settings(&self) -> Result<Vec<FitParams>, SweepError> {
        self.grid.settings(&self.base.fit)
    }

    /// All that its numbers depend on, name by name.
    fn comparable(&self) -> Vec<(String, String)> {
        // The name of the file is no matter: shards may find it elsewhere.
        let base = FitSettings { input: PathBuf::new(), ..self.base.clone() };
        names_and_values(&Self { base, ..self.clone() })
    }

    /// A checksum of all that its numbers depend on.
    pub(super) fn fingerprint(&self) -> u64 {
        let lines = self.comparable().into_iter().map(|(name, value)| format!("{name}={value}\n"));
        fingerprint_of(lines.flat_map(String::into_bytes))
    }

    /// Refuses a sweep whose numbers could differ from those of this one, which is in `path`.
    fn check_same(&self, other: &Self, path: &Path) -> Result<(), SweepError> {
        let path = path.to_owned();
        let (there, here) = (self.comparable(), other.comparable());
        let mut pairs = there.into_iter().zip(here).filter(|((name, _), _)| name != "data");
        if let Some(((name, there), (_, here))) = pairs.find(|(there, here)| there != here) {
            // As the command line calls it, which has no groups.
            let name = name.rsplit('.').next().unwrap_or(&name).replace('_', "-");
            return Err(SweepError::OtherSettings { path, name, there, here });
        }
        if self.data != other.data {
            return Err(SweepError::OtherData { path });
        }
        Ok(())
    }
}

/// The directory of one sweep.
#[derive(Clone, Debug)]
pub struct SweepStore {
    path: PathBuf,
    /// [`SweepManifest::fingerprint`].
    sweep: u64,
}

/// The content of a file in `results`.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// [`SweepManifest::fingerprint`] in hexadecimal: a result is that of another sweep, or of other data, for all that
    /// it says itself.
    sweep: String,
    /// Not flattened: serde_json cannot read floats through that where its feature arbitrary_precision is on.
    row: SweepRow,
}

impl SweepStore {
    /// The directory for a sweep: a new one, or one that holds the same sweep already.
    ///
    /// # Errors
    /// If it cannot be made or written to, or holds another sweep or something else.
    pub fn create(path: &Path, manifest: &SweepManifest) -> Result<Self, SweepError> {
        let store = Self { path: path.to_owned(), sweep: manifest.fingerprint() };
        if let Some(there) = manifest_in(path)? {
            there.check_same(manifest, path)?;
        } else {
            files::make_folder(path).map_err(StoreError::from)?;
            // A shard that starts at the same moment may be making these very directories.
            // The tables are there where damaged settings were deleted to run the sweep again.
            let tables = ["sweep.csv", "sweep.json", "sweep.png", "sweep.svg"];
            let ours = [["results", "unfinished", "settings.json"].as_slice(), &tables].concat();
            let entries = std::fs::read_dir(path).map_err(FolderError::create(path)).map_err(StoreError::from)?;
            let strange = entries.flatten().any(|entry| {
                let name = entry.file_name();
                !ours.iter().any(|ours| name == *ours) && !name.to_string_lossy().starts_with(".unfinished-")
            });
            if strange {
                return Err(SweepError::Occupied { path: path.to_owned() });
            }
        }
        for directory in ["results", "unfinished"] {
            files::make_folder(&path.join(directory)).map_err(StoreError::from)?;
        }
        // Also where it is there: a disk that is full or read-only shows before the training, not after it.
        json::write(&manifest_path(path), manifest).map_err(StoreError::from)?;
        Ok(store)
    }

    /// The directory of a sweep that exists.
    ///
    /// # Errors
    /// If it is not the directory of a sweep, or its settings are damaged.
    pub fn open(path: &Path) -> Result<(Self, SweepManifest), SweepError> {
        let manifest = manifest_in(path)?.ok_or_else(|| SweepError::NotASweep { path: path.to_owned() })?;
        Ok((Self { path: path.to_owned(), sweep: manifest.fingerprint() }, manifest))
    }

    /// The results in several directories, as one list with a place for each setting, and what the sweep is. Where two
    /// directories have the same setting, the first counts.
    ///
    /// # Errors
    /// If one is no sweep, or another one than the first, or holds a damaged file.
    pub fn collect(paths: &[PathBuf]) -> Result<(SweepManifest, Vec<Option<SweepRow>>), SweepError> {
        let mut all: Option<(SweepManifest, Vec<Option<SweepRow>>)> = None;
        for path in paths {
            let (store, manifest) = Self::open(path)?;
            let settings = manifest.settings()?;
            let rows = settings.iter().enumerate().map(|(index, setting)| store.row(index, setting));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            match &mut all {
                None => all = Some((manifest, rows)),
                Some((first, collected)) => {
                    manifest.check_same(first, path)?;
                    for (place, row) in collected.iter_mut().zip(rows) {
                        *place = place.take().or(row);
                    }
                }
            }
        }
        all.ok_or(SweepError::NotASweep { path: PathBuf::new() })
    }

    /// The result of a setting, if it is finished.
    ///
    /// # Errors
    /// If the file is damaged or of another setting.
    pub fn row(&self, index: usize, setting: &FitParams) -> Result<Option<SweepRow>, StoreError> {
        let path = self.row_path(index);
        let Some(Kept { sweep, row }) = json::read(&path)? else { return Ok(None) };
        if sweep != format!("{:016x}", self.sweep) {
            return Err(Damaged { path, reason: "it is the result of another sweep".to_owned() }.into());
        }
        if row.index != index || !row.is_of(setting) {
            return Err(Damaged { path, reason: "it is the result of another setting".to_owned() }.into());
        }
        Ok(Some(row))
    }

    /// Keeps the result of a setting; its checkpoint goes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, row: &SweepRow) -> Result<(), StoreError> {
        let kept = Kept { sweep: format!("{:016x}", self.sweep), row: row.clone() };
        json::write(&self.row_path(row.index), &kept)?;
        // One that stays is never read again.
        let _ = std::fs::remove_file(self.checkpoint(row.index));
        Ok(())
    }

    /// Where the state of an unfinished setting is kept.
    #[must_use]
    pub fn checkpoint(&self, index: usize) -> PathBuf {
        self.path.join("unfinished").join(format!("{index:05}.safetensors"))
    }

    /// Path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn row_path(&self, index: usize) -> PathBuf {
        self.path.join("results").join(format!("{index:05}.json"))
    }

    /// What the checkpoint of a setting must say that it belongs to.
    pub(super) fn fingerprint(&self, index: usize) -> u64 {
        fingerprint_of([self.sweep, index as u64].into_iter().flat_map(u64::to_le_bytes))
    }
}

fn manifest_path(path: &Path) -> PathBuf {
    path.join("settings.json")
}

/// What the sweep in a directory is, if there is one.
fn manifest_in(path: &Path) -> Result<Option<SweepManifest>, StoreError> {
    let path = manifest_path(path);
    if path.is_file() { json::read(&path) } else { Ok(None) }
}
