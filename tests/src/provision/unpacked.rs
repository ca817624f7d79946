//! Debian packages that cannot be installed beside others. They are unpacked into the folder `unpacked` of cargo's
//! target folder, with all that they depend on and that is not installed; nothing of the system changes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::firmware::target_folder;
use crate::process;

/// The path of the script that starts a program of unpacked packages. There is a file at it only if these were
/// unpacked.
pub(super) fn launcher(program: &str) -> PathBuf {
    folder().join(program).join("start")
}

fn folder() -> PathBuf {
    target_folder().join("unpacked")
}

/// Downloads a package and what it depends on, unpacks them, and writes the [`launcher`] of one of its programs.
///
/// # Errors
///
/// Where a package cannot be had.
pub(super) fn unpack(package: &str, program: &str) -> Result<()> {
    eprintln!(
        "Installing {package} would remove or downgrade other packages; it is unpacked into {} instead",
        folder().display()
    );
    let mut simulation = Command::new("apt-get");
    simulation.args(["install", "--simulate", "--no-install-recommends", package]).env("LC_ALL", "C");
    let simulated = process::capture(&mut simulation)?;
    let names = to_install(&simulated);
    ensure!(!names.is_empty(), "apt-get does not say what {package} depends on");
    fs::create_dir_all(folder()).with_context(|| format!("cannot make {}", folder().display()))?;
    let made = TempDir::new_in(folder()).context("cannot make a folder to unpack packages in")?;
    let (archives, root) = (made.path().join("archives"), made.path().join("root"));
    for path in [&archives, &root] {
        fs::create_dir(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    let mut download = Command::new("apt-get");
    process::run(download.args(["download", "--quiet"]).args(&names).current_dir(&archives).stdout(std::io::stderr()))?;
    for archive in entries(&archives)? {
        process::run(Command::new("dpkg-deb").arg("--extract").args([&archive, &root]))?;
    }
    fs::remove_dir_all(&archives).context("cannot remove the packages that are unpacked")?;
    let start = made.path().join("start");
    fs::write(&start, script(&libraries(&root)?, program))
        .context("cannot write the script that starts the program")?;
    // It may be executed by whoever may execute the program.
    let permissions = fs::metadata(root.join("usr/bin").join(program)).map(|metadata| metadata.permissions());
    permissions
        .and_then(|permissions| fs::set_permissions(&start, permissions))
        .with_context(|| format!("{package} has no program {program}"))?;
    let place = folder().join(program);
    // What another run may have left there.
    drop(fs::remove_dir_all(&place));
    fs::rename(made.path(), &place).with_context(|| format!("cannot make {}", place.display()))
}

/// The packages that a simulated installation names.
fn to_install(simulated: &str) -> Vec<&str> {
    let names = simulated.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    names.collect()
}

/// The folders with libraries, as paths from the root: those of the computer's kind of processor.
fn libraries(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for parent in ["lib", "usr/lib"] {
        if !root.join(parent).is_dir() {
            continue;
        }
        for entry in entries(&root.join(parent))? {
            let name = entry.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if name.contains("-linux-gnu") {
                found.push(format!("{parent}/{name}"));
            }
        }
    }
    Ok(found)
}

/// A script that starts a program with these libraries and with its own data.
fn script(libraries: &[String], program: &str) -> String {
    let libraries: Vec<String> = libraries.iter().map(|folder| format!("$root/{folder}")).collect();
    let libraries = libraries.join(":");
    format!(
        "#!/bin/sh\nroot=${{0%/*}}/root\n\
         LD_LIBRARY_PATH=\"{libraries}\" exec \"$root/usr/bin/{program}\" -L \"$root/usr/share/qemu\" \"$@\"\n"
    )
}

/// What lies in a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of apt 2.6.
    #[test]
    fn packages_are_read_off_a_simulation() {
        let simulated = "NOTE: This is only a simulation!\nRemv qemu-utils [1:10.0.2]\n\
                         Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])\n\
                         Inst qemu-system-arm (1:7.2 Debian:12.15/oldstable [amd64])\nConf libfdt1 (1.6.1-4+b1)\n";
        assert_eq!(to_install(simulated), ["libfdt1", "qemu-system-arm"]);
    }
}
