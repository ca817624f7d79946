//! Finds, and where it may installs, what the firmware's tests need beyond the host's Rust: a compiler with `core` for the
//! thumb targets, and QEMU.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use crate::boards::{BOARDS, Board};
use crate::process;
use crate::system::System;

/// Debian's compiler, which comes with the sources of `core` instead of a compiled one for each target.
const DEBIAN_RUST: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// The cargo that builds the firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    cargo: PathBuf,
    /// Debian's rustc beside that cargo, where rustup's is not to be used.
    rustc: Option<PathBuf>,
    /// Whether `core` is compiled from its sources (`-Zbuild-std`).
    build_std: bool,
}

impl Toolchain {
    /// A cargo command that compiles for the board, without its subcommand's own options.
    pub fn cargo(&self, subcommand: &str, board: &Board) -> Command {
        self.cargo_for(subcommand, board.target)
    }

    /// A cargo command that compiles for a target, without its subcommand's own options.
    pub fn cargo_for(&self, subcommand: &str, target: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.arg(subcommand).args(["--target", target]);
        if let Some(rustc) = &self.rustc {
            command.env("RUSTC", rustc);
        }
        if self.build_std {
            command.arg("-Zbuild-std=core").env("RUSTC_BOOTSTRAP", "1");
        } else {
            // Packages are built again where this variable comes or goes, as it does for tests that are timed.
            command.env_remove("RUSTC_BOOTSTRAP");
        }
        command
    }
}

/// Finds or installs everything, saying what it does and why.
///
/// # Errors
///
/// Where something is missing and may not be installed; the message holds the command to type.
pub fn all() -> Result<Toolchain> {
    qemu()?;
    toolchain()
}

/// Finds or installs what compiles C for the boards: Arm's GCC with newlib, as Debian has it.
///
/// # Errors
///
/// As [`all`].
pub fn arm_gcc() -> Result<()> {
    let otherwise = "any arm-none-eabi-gcc with newlib works, on the PATH";
    debian_program(&ARM_GCC, &["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"], otherwise)
}

/// Finds or installs CMake.
///
/// # Errors
///
/// As [`all`].
pub fn cmake() -> Result<()> {
    let cmake =
        Needed { program: "cmake", arguments: &["--version"], why: "cmake builds the example of the library for C" };
    debian_program(&cmake, &["cmake"], "any cmake from version 3.16 on works, on the PATH")
}

/// The Python that has numpy, found or installed.
///
/// # Errors
///
/// As [`all`].
pub fn numpy() -> Result<&'static str> {
    let why = "numpy reads what a run has learned, as the documentation shows";
    // Another Python may come before Debian's on the PATH.
    for program in ["python3", "/usr/bin/python3"] {
        if process::succeeds(Command::new(program).args(["-c", "import numpy"])) {
            return Ok(program);
        }
    }
    let needed = Needed { program: "/usr/bin/python3", arguments: &["-c", "import numpy"], why };
    debian_program(&needed, &["python3-numpy"], "any python3 that can import numpy works, on the PATH")?;
    Ok(needed.program)
}

/// Arm's GCC can link against its library: a Debian without newlib has the one without the other.
const ARM_GCC: Needed<'static> = Needed {
    program: "arm-none-eabi-gcc",
    arguments: &["--specs=nano.specs", "-E", "-include", "stdio.h", "-x", "c", "/dev/null"],
    why: "arm-none-eabi-gcc compiles C for the emulated boards",
};

/// A program that a test needs, with arguments by which it shows that it works.
struct Needed<'a> {
    program: &'a str,
    arguments: &'a [&'a str],
    why: &'a str,
}

/// Finds a program, or installs it from Debian's packages.
fn debian_program(needed: &Needed<'_>, names: &[&str], otherwise: &str) -> Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let Needed { program, arguments, why } = needed;
    let works = || process::succeeds(Command::new(program).args(*arguments));
    if works() {
        return Ok(());
    }
    if System::here() != System::Debian {
        bail!("{why}; install it with this system's package manager: {otherwise}");
    }
    apt_install(&Packages { why, names, otherwise })?;
    if works() { Ok(()) } else { bail!("the packages {} are installed, but {program} does not work", names.join(" ")) }
}

/// The oldest QEMU that the firmware's tests pass on.
const OLDEST_QEMU: (u32, u32) = (7, 2);

/// Another way to a QEMU than installing one, as the end of a sentence.
const OTHER_QEMU: &str = "any qemu-system-arm from version 7.2 on works, on the PATH or named by QEMU=path";

/// The QEMU to run: the one that the environment variable `QEMU` names, else the one on the PATH.
pub fn qemu_program() -> PathBuf {
    let named = env::var_os("QEMU").filter(|path| !path.is_empty()).map(PathBuf::from);
    // QEMU runs in folders of its own, where a relative path would lead elsewhere.
    named.map_or_else(|| "qemu-system-arm".into(), |path| std::path::absolute(&path).unwrap_or(path))
}

/// Finds or installs QEMU.
///
/// # Errors
///
/// As [`all`], and where the QEMU that is there is too old.
pub fn qemu() -> Result<()> {
    let program = qemu_program();
    match answer(&program) {
        Ok(answer) => return check_qemu(&program, &answer),
        Err(error) if env::var_os("QEMU").is_some_and(|path| !path.is_empty()) => {
            bail!("QEMU={} does not start ({error}); {OTHER_QEMU}", program.display());
        }
        Err(_) => {}
    }
    let system = System::here();
    if system != System::Debian {
        bail!("qemu-system-arm runs the firmware on emulated boards: {}; {OTHER_QEMU}", system.qemu_command());
    }
    let why = "qemu-system-arm runs the firmware on emulated boards";
    apt_install(&Packages { why, names: &["qemu-system-arm"], otherwise: OTHER_QEMU })?;
    check_qemu(&program, &answer(&program).unwrap_or_default())
}

/// What a program answers to `--version`.
fn answer(program: &Path) -> std::io::Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Refuses a QEMU that is too old, or no QEMU, by what it answers to `--version`.
fn check_qemu(program: &Path, version: &str) -> Result<()> {
    let version = version.strip_prefix("QEMU emulator version ").and_then(|rest| {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    match version {
        Some(version) if version >= OLDEST_QEMU => Ok(()),
        Some((major, minor)) => bail!("{} has version {major}.{minor}; {OTHER_QEMU}", program.display()),
        None => bail!("{} does not tell its version as QEMU does; {OTHER_QEMU}", program.display()),
    }
}

/// Finds or installs a compiler for the thumb targets: rustup's, else Debian's.
///
/// # Errors
///
/// As [`all`].
pub fn toolchain() -> Result<Toolchain> {
    let (cargo, rustc) = (cargo_program(), rustc_program());
    let missing = missing_targets(&rustc);
    if missing.is_empty() || rustup_adds(&missing) && missing_targets(&rustc).is_empty() {
        return Ok(Toolchain { cargo, rustc: None, build_std: false });
    }
    if has_core_sources(&rustc) {
        return Ok(Toolchain { cargo, rustc: None, build_std: true });
    }
    let debian = Path::new("/usr/bin/rustc");
    if !has_core_sources(debian) {
        let targets = missing.join(" ");
        if System::here() != System::Debian {
            bail!(
                "no compiler here knows the targets of the boards; install Rust from https://rustup.rs and type: rustup target add {targets}"
            );
        }
        apt_install(&Packages {
            why: "no compiler here knows the targets of the boards; Debian's can, by compiling `core` from its sources",
            names: &DEBIAN_RUST,
            otherwise: &format!("Rust from https://rustup.rs works, after: rustup target add {targets}"),
        })?;
    }
    if !has_core_sources(debian) {
        bail!(
            "the packages {} are installed, but {} has no sources of `core`; install Rust from https://rustup.rs instead",
            DEBIAN_RUST.join(" "),
            debian.display()
        );
    }
    Ok(Toolchain { cargo: "/usr/bin/cargo".into(), rustc: Some(debian.into()), build_std: true })
}

/// The target of programs for this computer.
///
/// # Errors
///
/// Where there is no compiler.
pub fn host_target() -> Result<String> {
    let answer = process::capture(Command::new(rustc_program()).arg("-vV"))?;
    let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not tell the target of this computer")?.to_owned())
}

/// A compiler for any target, board or not.
///
/// # Errors
///
/// Where the compiler has no compiled `core` for the target; the message holds the command that adds it.
pub fn toolchain_for(target: &str) -> Result<Toolchain> {
    let (cargo, rustc) = (cargo_program(), rustc_program());
    if has_target(&rustc, target) {
        return Ok(Toolchain { cargo, rustc: None, build_std: false });
    }
    let known = process::capture(Command::new(&rustc).args(["--print", "target-list"]))?;
    if !known.lines().any(|known| known == target) {
        bail!("Rust has no target {target:?}; `rustc --print target-list` lists all of them");
    }
    // Debian's compiler has the sources in place of targets.
    if !process::succeeds(Command::new("rustup").arg("--version")) && has_core_sources(&rustc) {
        return Ok(Toolchain { cargo, rustc: None, build_std: true });
    }
    bail!("Rust's target {target} is not installed; type: rustup target add {target}")
}

fn cargo_program() -> PathBuf {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).into()
}

fn rustc_program() -> PathBuf {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()).into()
}

fn has_target(rustc: &Path, target: &str) -> bool {
    sysroot(rustc).is_some_and(|root| root.join("lib/rustlib").join(target).join("lib").is_dir())
}

/// The targets of the board table that the compiler has no compiled `core` for.
fn missing_targets(rustc: &Path) -> Vec<&'static str> {
    let libraries = sysroot(rustc).map(|root| root.join("lib/rustlib"));
    let is_there = |target: &str| libraries.as_ref().is_some_and(|path| path.join(target).join("lib").is_dir());
    let mut missing: Vec<_> = BOARDS.iter().map(|board| board.target).filter(|target| !is_there(target)).collect();
    missing.dedup();
    missing
}

fn has_core_sources(rustc: &Path) -> bool {
    sysroot(rustc).is_some_and(|root| root.join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file())
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| PathBuf::from(text.trim()))
}

/// Asks rustup, where there is one, to add the targets.
fn rustup_adds(targets: &[&str]) -> bool {
    if !process::succeeds(Command::new("rustup").args(["show", "active-toolchain"])) {
        return false;
    }
    let mut command = Command::new("rustup");
    command.args(["target", "add"]).args(targets);
    eprintln!("The firmware needs `core` for its targets: {}", process::describe(&command));
    match process::run(&mut command) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{error}; trying Debian's compiler instead");
            false
        }
    }
}

/// Debian packages to install.
struct Packages<'a> {
    why: &'a str,
    names: &'a [&'a str],
    /// What works without them, as the end of a sentence.
    otherwise: &'a str,
}

/// Installs Debian packages as root, if nothing is removed or downgraded for them; as anybody else says what to type.
fn apt_install(packages: &Packages<'_>) -> Result<()> {
    let Packages { why, names, otherwise } = packages;
    let names = names.join(" ");
    let by_hand = format!("apt-get install --no-remove {names}");
    let user = Command::new("id").arg("-u").output();
    if !user.is_ok_and(|output| output.stdout.trim_ascii() == b"0") {
        bail!("{why}; only root may install it, so type: sudo {by_hand}; {otherwise}");
    }
    eprintln!("{why}. Installing it takes about a minute: {by_hand}");
    // The lists may be stale or absent; where updating fails, installing says so.
    let _ = process::run(Command::new("apt-get").args(["update", "--quiet"]).stdout(std::io::stderr()));
    let mut command = Command::new("apt-get");
    // With --yes, apt-get refuses to downgrade.
    command.args(["install", "--yes", "--quiet", "--no-remove", "--no-install-recommends"]).args(packages.names);
    // Messages in English, which `is_conflict` reads.
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C").stdout(std::io::stderr());
    let output = command.stderr(Stdio::piped()).output().map_err(|error| process::cannot_start(&command, &error))?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if is_conflict(&complaints) {
        bail!(
            "apt-get could install {names} only by removing or downgrading other packages, so it changed nothing; {otherwise}"
        );
    }
    eprint!("{complaints}");
    bail!("`{by_hand}` failed ({}); its messages are above; {otherwise}", output.status);
}

/// Whether apt-get refused because other packages are in the way, by its messages.
fn is_conflict(complaints: &str) -> bool {
    ["remove is disabled", "Packages were downgraded", "unmet dependencies", "held broken packages"]
        .iter()
        .any(|part| complaints.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of apt 2.6.
    #[test]
    fn a_conflict_of_packages_is_told_from_a_broken_network() {
        assert!(is_conflict("E: Packages need to be removed but remove is disabled.\n"));
        assert!(is_conflict("E: Packages were downgraded and -y was used without --allow-downgrades.\n"));
        assert!(!is_conflict(
            "E: Failed to fetch http://deb.debian.org/debian/pool/main/q/qemu/q.deb  404  Not Found\n"
        ));
        assert!(!is_conflict(""));
    }

    #[test]
    fn old_versions_of_qemu_and_other_programs_are_refused() {
        let check = |answer: &str| check_qemu(Path::new("q"), answer).map_err(|error| error.to_string());
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
