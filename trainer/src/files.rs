//! Files that appear whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

/// A file that could not be written. What stood at the path before stands there still.
#[derive(Debug, Error)]
#[error("cannot write {}{}", path.display(), remedy(source))]
pub struct WriteError {
    /// The target.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

/// What to do about the failures that users meet.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => " (free some space or choose another disk)",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => " (choose a directory you may write to)",
        io::ErrorKind::NotFound => " (create the directory first)",
        io::ErrorKind::IsADirectory => " (it is a directory; name a file)",
        _ => "",
    }
}

/// Writes `bytes` to a temporary file beside `path`, flushes it to the disk and renames it to `path`.
///
/// # Errors
///
/// If any of this fails, a full disk included; the temporary file is then removed and `path` is untouched.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |writer| writer.write_all(bytes))
}

/// As [`write()`], for contents that are produced piece by piece.
///
/// # Errors
///
/// As [`write()`], and whatever `contents` returns.
pub fn write_with(
    path: &Path,
    contents: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> Result<(), WriteError> {
    try_write(path, contents).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn try_write(
    path: &Path,
    contents: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    // A temporary file is private by default, the finished one is not: the user's umask decides.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory).map_err(unnamed)?;
    let mut writer = BufWriter::new(&mut file);
    contents(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The reason without the name of the temporary file, which says nothing to a user.
fn unnamed(error: io::Error) -> io::Error {
    if remedy(&error).is_empty() { error } else { error.kind().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_files_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");

        let broken = write_with(&path, |writer| {
            writer.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(broken.unwrap_err().to_string().contains("free some space"));
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn says_what_is_wrong_with_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let on_directory = write(directory.path(), b"").unwrap_err().to_string();
        assert!(on_directory.contains("name a file"), "{on_directory}");
        let in_nothing = write(&directory.path().join("none/file"), b"").unwrap_err();
        assert!(in_nothing.to_string().contains("create the directory first"), "{in_nothing}");
        assert!(!in_nothing.source.to_string().contains(".unfinished"), "{}", in_nothing.source);
    }

    /// Linux has a device that is always full; a file there cannot be renamed, so only the reason is tested.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_apart() {
        let error = std::fs::write("/dev/full", b"x").unwrap_err();
        assert_eq!(remedy(&error), " (free some space or choose another disk)");
    }
}
