//! The states that the trainings of a comparison leave in its folder.

use std::path::{Path, PathBuf};

use crate::network::encoding::EncodingKind;
use crate::store::checkpoint;
use crate::store::run::RunError;
use crate::store::tensors::TensorError;
use crate::training::TrainState;

/// One file for each mapping.
#[derive(Clone, Debug)]
pub struct Checkpoints<'a> {
    /// Where they are.
    pub(super) folder: &'a Path,
    /// Those of the comparison, kept with each state.
    pub(super) settings: serde_json::Value,
    /// A checksum of the data that the settings only name.
    pub(super) data: u64,
}

impl Checkpoints<'_> {
    /// Goes on where a training stopped, if it had begun.
    pub(super) fn resume(&self, kind: EncodingKind, state: &mut TrainState) -> Result<(), RunError> {
        let path = path_of(self.folder, kind);
        if path.exists() && checkpoint::read(&path, state)? != self.data {
            return Err(RunError::OtherData { path: self.folder.to_owned() });
        }
        Ok(())
    }

    pub(super) fn save(&self, kind: EncodingKind, state: &TrainState) -> Result<(), TensorError> {
        checkpoint::write(&path_of(self.folder, kind), state, &self.settings, self.data)
    }
}

/// The file of a mapping.
pub(super) fn path_of(folder: &Path, kind: EncodingKind) -> PathBuf {
    folder.join(format!("checkpoint_{}.safetensors", kind.name()))
}
