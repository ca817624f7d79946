//! One process at a time works on the folder of a run: a second one is refused as long as the first one lives.
//!
//! The lock is one of the operating system on the folder itself (`flock`), so that nothing is left of it whatever ends
//! the process. On Windows, where a folder cannot be locked, nobody is refused.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;

/// Who else may work on a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nobody.
    Refused,
    /// Processes that also let others work on it: the parts of a sweep or a search.
    Shards,
}

/// The folders that this process works on.
static HELD: Mutex<Vec<(PathBuf, File)>> = Mutex::new(Vec::new());

/// Takes the folder that `make` makes, or replaces, for this process, until its end.
pub(crate) fn hold_while_made<T>(
    folder: &Path,
    others: Others,
    make: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // One that is there must not be replaced while another process works on it; one that is not cannot be taken yet.
    hold(folder, others)?;
    let made = make()?;
    hold(folder, others)?;
    Ok(made)
}

/// Takes a folder for this process, until its end; one that is not there is left to what reads or makes it.
pub(crate) fn hold(folder: &Path, others: Others) -> anyhow::Result<()> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    if cfg!(windows) || held.iter().any(|(of, _)| *of == folder) {
        return Ok(());
    }
    // A folder that cannot be opened is told of by what reads or writes it.
    let Ok(file) = File::open(&folder) else { return Ok(()) };
    let taken = match others {
        Others::Refused => file.try_lock(),
        Others::Shards => file.try_lock_shared(),
    };
    match taken {
        Err(TryLockError::WouldBlock) => {
            let folder = folder.display();
            bail!("another process is at work on {folder}; wait until it ends or stop it, or choose another folder")
        }
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => held.push((folder, file)),
    }
    Ok(())
}
