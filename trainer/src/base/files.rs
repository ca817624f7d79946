//! Files that appear whole or not at all, and what to do where one cannot be read or written.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

/// A file that could not be written. What stood at the path before stands there still.
#[derive(Debug, Error)]
#[error("cannot write {}{}", path.display(), write_remedy(path, source))]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// Why the operating system refused.
    pub source: io::Error,
}

/// A file that could not be read.
#[derive(Debug, Error)]
#[error("cannot read {}{}", path.display(), read_remedy(source))]
pub struct ReadError {
    /// The file that was to be read.
    pub path: PathBuf,
    /// Why the operating system refused.
    pub source: io::Error,
}

/// A file or folder out of date that could not be removed.
#[derive(Debug, Error)]
#[error("cannot remove {}, which would not fit what is written beside it; choose another folder", path.display())]
pub struct RemoveError {
    /// What is still there.
    pub path: PathBuf,
    /// Why the operating system refused.
    pub source: io::Error,
}

/// A folder that is not there to be filled.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The folder holds something, and replacing it was not asked for.
    #[error("{} exists and is kept; choose another --out, or --force to replace it", path.display())]
    Exists {
        /// The folder that was to be filled.
        path: PathBuf,
    },
    /// The folder cannot be made or looked into.
    #[error("cannot create {}; choose an --out that you may write to", path.display())]
    Create {
        /// The folder that was to be filled.
        path: PathBuf,
        /// Why the operating system refused.
        source: io::Error,
    },
}

impl FolderError {
    /// For `map_err`: the folder could not be made or looked into.
    pub fn create(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Create { path: path.to_owned(), source }
    }
}

/// Makes a folder and those on the way to it; one that is there stays as it is.
///
/// # Errors
///
/// If the folder or one on the way to it cannot be made.
pub fn make_folder(path: &Path) -> Result<(), FolderError> {
    std::fs::create_dir_all(path).map_err(FolderError::create(path))
}

/// Makes a folder to be filled; one that holds anything is only taken with `force`.
///
/// # Errors
///
/// If it cannot be made, or holds something and `force` is not set.
pub fn new_folder(path: &Path, force: bool) -> Result<(), FolderError> {
    make_folder(path)?;
    if !force && std::fs::read_dir(path).map_err(FolderError::create(path))?.next().is_some() {
        return Err(FolderError::Exists { path: path.to_owned() });
    }
    Ok(())
}

/// Removes a file, if there is one, that does not belong to what is about to be written beside it.
///
/// # Errors
///
/// If the file is there and cannot be removed.
pub fn remove(path: &Path) -> Result<(), RemoveError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RemoveError { path: path.to_owned(), source }),
        _ => Ok(()),
    }
}

/// Removes those files of a folder that are there, as [`remove`].
///
/// # Errors
///
/// If one of them is there and cannot be removed.
pub fn remove_all(folder: &Path, names: &[&str]) -> Result<(), RemoveError> {
    names.iter().try_for_each(|name| remove(&folder.join(name)))
}

/// Removes a folder and all that is in it, if there is one, as [`remove`].
///
/// # Errors
///
/// If the folder is there and cannot be removed.
pub fn remove_folder(path: &Path) -> Result<(), RemoveError> {
    match std::fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RemoveError { path: path.to_owned(), source }),
        _ => Ok(()),
    }
}

/// All bytes of a file.
///
/// # Errors
///
/// If it is missing, a directory, not permitted, or failing.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    std::fs::read(path).map_err(|source| ReadError { path: path.to_owned(), source })
}

/// What to do about failures to read that users meet.
fn read_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => " (check its name and the current directory)",
        io::ErrorKind::PermissionDenied => " (give yourself permission to read it)",
        io::ErrorKind::IsADirectory => " (name a file in it)",
        io::ErrorKind::NotADirectory => " (check its path: a part of it is a file)",
        _ => "",
    }
}

/// What to do about failures to write that users meet.
fn write_remedy(path: &Path, error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound if directory_of(path).is_dir() => {
            " (its directory takes no files of this kind; choose another)"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => " (free some space or choose another disk)",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => " (choose a directory you may write to)",
        io::ErrorKind::NotFound => " (create the directory first)",
        io::ErrorKind::IsADirectory => " (it is a directory; name a file)",
        io::ErrorKind::NotADirectory => " (a part of its path is a file; choose another directory)",
        _ => "",
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether files can be made in a directory: to be known before the work, not after it.
///
/// # Errors
///
/// If none can be made, with the reason of the operating system.
pub fn check_writable(directory: &Path) -> Result<(), WriteError> {
    let probe = temporary().tempfile_in(directory);
    probe.map(drop).map_err(|error| WriteError { path: directory.to_owned(), source: unnamed(&error) })
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
    // What a link points to is replaced, not the link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match std::fs::metadata(&target) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A device or a pipe takes the place of a file: renaming over it would remove it from the system.
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is no regular file; name another")),
        _ => {}
    }
    let mut file = temporary().tempfile_in(directory_of(&target)).map_err(|error| unnamed(&error))?;
    let mut writer = BufWriter::new(&mut file);
    contents(&mut writer).and_then(|()| writer.flush()).map_err(|error| unnamed(&error))?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// How temporary files are named, and who may read what they become.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    // A temporary file is private by default, the finished one is not: the user's umask decides.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// The reason without the name of the temporary file, which says nothing to a user.
fn unnamed(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let reason = text.split(" at path ").next().unwrap_or_default();
    io::Error::new(error.kind(), reason.to_owned())
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

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_and_a_device_stays() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link, socket] = ["file", "link", "socket"].map(|name| directory.path().join(name));
        write(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let refused = write(&socket, b"bytes").unwrap_err();
        assert!(refused.source.to_string().contains("no regular file"), "{}", refused.source);
        assert!(!std::fs::metadata(&socket).unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn says_what_is_wrong_with_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let on_directory = write(directory.path(), b"").unwrap_err().to_string();
        assert!(on_directory.contains("name a file"), "{on_directory}");
        let in_nothing = write(&directory.path().join("none/file"), b"").unwrap_err();
        assert!(in_nothing.to_string().contains("create the directory first"), "{in_nothing}");
        assert!(!in_nothing.source.to_string().contains(".unfinished"), "{}", in_nothing.source);
        let file = directory.path().join("file");
        write(&file, b"").unwrap();
        let in_file = write(&file.join("file"), b"").unwrap_err();
        assert!(in_file.to_string().contains("a part of its path is a file"), "{in_file}");
        assert_eq!(in_file.source.to_string(), std::fs::read(file.join("file")).unwrap_err().to_string());
    }

    #[test]
    fn says_what_is_wrong_with_a_file_to_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        write(&file, b"all of it").unwrap();
        assert_eq!(read(&file).unwrap(), b"all of it");
        for (path, words) in [
            (directory.path().join("none"), "(check its name"),
            (directory.path().to_owned(), "(name a file in it)"),
            (file.join("file"), "a part of it is a file"),
        ] {
            let error = read(&path).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("cannot read {} (", path.display())) && error.contains(words),
                "{error}"
            );
        }
    }

    /// A directory of Linux that is there and takes no files.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_exists_is_not_to_be_created() {
        let file = write(Path::new("/proc/none.npy"), b"").unwrap_err().to_string();
        assert!(file.contains("choose another") && !file.contains("create the directory"), "{file}");
        assert!(check_writable(Path::new("/proc")).is_err());
    }

    /// Linux has a device that is always full; a file there cannot be renamed, so only the reason is tested.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_apart() {
        let error = std::fs::write("/dev/full", b"x").unwrap_err();
        assert_eq!(write_remedy(Path::new("x"), &error), " (free some space or choose another disk)");
    }
}
