//! Finds, and where it may installs, what the firmware's tests need beyond the host's Rust: a compiler with `core` for the
//! thumb targets, and QEMU.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::boards::{BOARDS, Board};
use crate::process;

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
        let mut command = Command::new(&self.cargo);
        command.arg(subcommand).args(["--target", board.target]);
        if let Some(rustc) = &self.rustc {
            command.env("RUSTC", rustc);
        }
        if self.build_std {
            command.arg("-Zbuild-std=core").env("RUSTC_BOOTSTRAP", "1");
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

/// Finds or installs QEMU.
///
/// # Errors
///
/// As [`all`].
pub fn qemu() -> Result<()> {
    if process::succeeds(Command::new("qemu-system-arm").arg("--version")) {
        return Ok(());
    }
    apt_install("qemu-system-arm runs the firmware on emulated boards", &["qemu-system-arm"])
}

/// Finds or installs a compiler for the thumb targets: rustup's, else Debian's.
///
/// # Errors
///
/// As [`all`].
pub fn toolchain() -> Result<Toolchain> {
    let cargo = PathBuf::from(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let rustc = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let missing = missing_targets(&rustc);
    if missing.is_empty() || rustup_adds(&missing) && missing_targets(&rustc).is_empty() {
        return Ok(Toolchain { cargo, rustc: None, build_std: false });
    }
    if has_core_sources(&rustc) {
        return Ok(Toolchain { cargo, rustc: None, build_std: true });
    }
    let debian = Path::new("/usr/bin/rustc");
    if !has_core_sources(debian) {
        let why = "no compiler here knows the thumb targets; Debian's can, by compiling `core` from its sources";
        apt_install(why, &DEBIAN_RUST)?;
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

/// Installs Debian packages as root; as anybody else says what to type.
fn apt_install(why: &str, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install --yes {}", packages.join(" "));
    if !process::succeeds(Command::new("apt-get").arg("--version")) {
        bail!(
            "{why}; there is no apt-get here: install the equivalent of `{by_hand}` with this system's package manager"
        );
    }
    let user = Command::new("id").arg("-u").output();
    if !user.is_ok_and(|output| output.stdout.trim_ascii() == b"0") {
        bail!("{why}; only root may install it, so type: sudo {by_hand}");
    }
    eprintln!("{why}: {by_hand}");
    // The lists may be stale or absent; where updating fails, installing says so.
    let _ = process::run(Command::new("apt-get").args(["update", "--quiet"]).stdout(std::io::stderr()));
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    process::run(command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr()))
}
