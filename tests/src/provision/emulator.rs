//! Emulators of boards and of other cores.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::apt::{Conflict, Packages, apt_install};
use super::program::answer;
use super::unpacked;
use crate::boards::Emulator;
use crate::system::System;

/// The oldest QEMU that the firmware's tests pass on.
const OLDEST_QEMU: (u32, u32) = (7, 2);

/// Another way to a QEMU than installing one, as the end of a sentence.
fn other_qemu(emulator: Emulator) -> String {
    format!(
        "any {} from version 7.2 on works, on the PATH or named by {}=path",
        emulator.program(),
        emulator.variable()
    )
}

/// The QEMU to run: the one that the emulator's environment variable names, else the one on the PATH, unless it does
/// not start and another one was unpacked because it could not be installed.
pub fn qemu_program(emulator: Emulator) -> PathBuf {
    if let Some(named) = env::var_os(emulator.variable()).filter(|path| !path.is_empty()).map(PathBuf::from) {
        // QEMU runs in folders of its own, where a relative path would lead elsewhere.
        return std::path::absolute(&named).unwrap_or(named);
    }
    let program = Path::new(emulator.program());
    let unpacked = unpacked::launcher(emulator.program());
    if unpacked.is_file() && answer(program).is_err() { unpacked } else { program.into() }
}

/// Finds or installs QEMU.
///
/// # Errors
///
/// As [`all`](super::all), and where the QEMU that is there is too old.
pub fn qemu(emulator: Emulator) -> Result<()> {
    let (program, variable, other) = (qemu_program(emulator), emulator.variable(), other_qemu(emulator));
    match answer(&program) {
        Ok(answer) => return check_qemu(emulator, &program, &answer),
        Err(error) if env::var_os(variable).is_some_and(|path| !path.is_empty()) => {
            bail!("{variable}={} does not start ({error}); {other}", program.display());
        }
        Err(_) => {}
    }
    let (system, why) = (System::here(), format!("{} runs the firmware on emulated boards", emulator.program()));
    if system != System::Debian {
        bail!("{why}: {}; {other}", system.qemu_command(emulator));
    }
    let package = system.qemu_package(emulator);
    match apt_install(&Packages { why: &why, names: &[package], otherwise: &other }) {
        Err(error) if error.is::<Conflict>() => unpacked::unpack(package, emulator.program()).map_err(|why| {
            eprintln!("{why:#}");
            error
        })?,
        installed => installed?,
    }
    let program = qemu_program(emulator);
    check_qemu(emulator, &program, &answer(&program).unwrap_or_default())
}

/// Finds or installs a program that runs what was built for another core.
///
/// # Errors
///
/// As [`all`](super::all).
pub fn runner(program: &str, package: &str) -> Result<()> {
    if answer(Path::new(program)).is_ok() {
        return Ok(());
    }
    let why = format!("{program} runs programs that were built for another core");
    if System::here() != System::Debian {
        bail!("{why}; install it with this system's package manager");
    }
    apt_install(&Packages { why: &why, names: &[package], otherwise: &format!("any {program} on the PATH works") })
}

/// Refuses a QEMU that is too old, or no QEMU, by what it answers to `--version`.
fn check_qemu(emulator: Emulator, program: &Path, version: &str) -> Result<()> {
    let version = version.strip_prefix("QEMU emulator version ").and_then(|rest| {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    let other = other_qemu(emulator);
    match version {
        Some(version) if version >= OLDEST_QEMU => Ok(()),
        Some((major, minor)) => bail!("{} has version {major}.{minor}; {other}", program.display()),
        None => bail!("{} does not tell its version as QEMU does; {other}", program.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_of_qemu_and_other_programs_are_refused() {
        let check = |answer: &str| check_qemu(Emulator::Arm, Path::new("q"), answer).map_err(|error| error.to_string());
        for good in
            ["7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b2)\nCopyright (c) 2003", "7.10.0", "10.0.50 (v10.0.0-1)", "8.1"]
        {
            assert_eq!(check(&format!("QEMU emulator version {good}")), Ok(()));
        }
        let old = check("QEMU emulator version 6.2.0 (Debian 1:6.2+dfsg-2ubuntu6)").unwrap_err();
        assert!(old.starts_with("q has version 6.2; any qemu-system-arm from version 7.2 on works"), "{old}");
        let other = check("GNU bash, version 5.2.15").unwrap_err();
        assert!(other.starts_with("q does not tell its version"), "{other}");
    }
}
