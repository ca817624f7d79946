//! Why what is kept in a folder is of no use, or cannot be kept.

use std::path::PathBuf;

use crate::base::files::{FolderError, ReadError, WriteError};
use crate::store::tensors::TensorError;

/// A file of state whose content cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} is damaged ({reason}); delete it and run the command again", path.display())]
pub struct Damaged {
    /// The file that was read.
    pub path: PathBuf,
    /// What is wrong with its content.
    pub reason: String,
}

/// Why a work that is kept in a folder cannot go on: what runs, sweeps and searches share.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file of state whose content cannot be used.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A folder that cannot be made, or is taken.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file that cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The state of a training that cannot be kept or read.
    #[error(transparent)]
    Tensors(#[from] TensorError),
}
