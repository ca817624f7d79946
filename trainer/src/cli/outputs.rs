//! What the user called the files to write, checked before the work.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{bail, ensure};

/// Refuses, before the work, an output over an input or another output, and one whose directory is missing or takes no
/// files.
pub(in crate::cli) fn check_outputs(inputs: &[Option<&Path>], outputs: &[Option<&Path>]) -> anyhow::Result<()> {
    let place =
        |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let mut taken: Vec<_> = inputs.iter().flatten().map(|path| place(path)).collect();
    for path in outputs.iter().copied().flatten() {
        let target = place(path);
        ensure!(
            !taken.contains(&target),
            "{} would be written over; give every file a name of its own",
            path.display()
        );
        ensure!(
            target.parent().is_none_or(Path::is_dir),
            "cannot write {} (create the directory first)",
            path.display()
        );
        // A pipe or a device is written to where it stands.
        if let Some(folder) = target.parent().filter(|_| !target.exists() || target.is_file()) {
            trainer::base::files::check_writable(folder)?;
        }
        taken.push(target);
    }
    Ok(())
}

/// Refuses to replace a file that is there and whose first bytes do not show that it may be replaced. `kept` says what
/// it is and what to do, after the file's name.
pub(in crate::cli) fn check_replaced(path: &Path, kept: &str, may_be: impl Fn(&[u8]) -> bool) -> anyhow::Result<()> {
    /// More than any mark of a file.
    const FIRST: u64 = 1024;
    if path.is_file() {
        let mut first = Vec::new();
        let is_read = File::open(path).and_then(|file| file.take(FIRST).read_to_end(&mut first)).is_ok();
        ensure!(is_read && may_be(&first), "{} {kept}", path.display());
    }
    Ok(())
}

/// Refuses a name that tells of another format than the one that `option` writes.
pub(in crate::cli) fn check_extension(option: &str, path: &Path, extension: &str) -> anyhow::Result<()> {
    if !path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension)) {
        bail!("{option} is {}, and what is written is a .{extension}; name it so", path.display());
    }
    Ok(())
}
