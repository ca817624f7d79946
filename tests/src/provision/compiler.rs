//! Compilers for boards and other targets, and the compiled libraries of these.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::apt::{Packages, apt_install};
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

/// Finds or installs a compiler for the boards' targets: rustup's, else Debian's.
///
/// # Errors
///
/// As [`all`](super::all).
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
    let mut missing = missing_of(rustc, &BOARDS.map(|board| board.target));
    missing.dedup();
    missing
}

/// Those of the targets that the compiler has no compiled `core` for.
fn missing_of(rustc: &Path, targets: &[&'static str]) -> Vec<&'static str> {
    let libraries = sysroot(rustc).map(|root| root.join("lib/rustlib"));
    let is_there = |target: &str| libraries.as_ref().is_some_and(|path| path.join(target).join("lib").is_dir());
    targets.iter().copied().filter(|target| !is_there(target)).collect()
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

/// Finds or adds the compiled libraries of a target, for the compiler that builds programs of this computer.
///
/// # Errors
///
/// Where they are missing and rustup cannot add them; the message holds the command to type.
pub fn target(name: &'static str) -> Result<()> {
    let rustc = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let is_there = || missing_of(&rustc, &[name]).is_empty();
    if is_there() || rustup_adds(&[name]) && is_there() {
        return Ok(());
    }
    bail!(
        "the compiler has no libraries for {name}; install Rust from https://rustup.rs and type: rustup target add {name}"
    )
}
