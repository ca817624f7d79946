//! Directories that a command makes, and that go again if nothing came of them.

use std::path::{Path, PathBuf};

/// Directories that were not there when the command began, the innermost first. Those that are empty when this is
/// dropped are removed: before [`interrupt::exit`](super::interrupt::exit), which drops nothing, drop it.
pub(super) struct NewDirectories(Vec<PathBuf>);

impl NewDirectories {
    /// Those that are still to be made for `path`.
    pub(super) fn on_the_way_to(path: &Path) -> Self {
        let named = path.ancestors().take_while(|path| !path.as_os_str().is_empty());
        Self(named.take_while(|path| !path.exists()).map(Path::to_owned).collect())
    }
}

impl Drop for NewDirectories {
    fn drop(&mut self) {
        // One that holds something, or was never made, is no error.
        self.0.iter().for_each(|path| drop(std::fs::remove_dir(path)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_directories_go_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (outer, inner) = (folder.path().join("a"), folder.path().join("a/b/c"));
        let made = || NewDirectories::on_the_way_to(&inner);
        // None of them was made.
        drop(made());
        let of_the_command = made();
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(outer.join("file"), b"").unwrap();
        drop(of_the_command);
        assert!(!outer.join("b").exists() && outer.join("file").exists());
        // One that was there before is not the command's.
        std::fs::create_dir_all(&inner).unwrap();
        drop(made());
        assert!(inner.exists());
    }
}
