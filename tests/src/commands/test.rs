//! `cargo xtask test`: everything that must hold before a change is kept.

use std::process::Command;

use anyhow::{Context as _, Result};
use firmware_core::Precision;
use tempfile::TempDir;

use crate::boards::{self, BOARDS, Board};
use crate::firmware;
use crate::process;
use crate::provision::{self, Toolchain};
use crate::synthetic::Network;

/// Check format, lints and documentation, then run every test on the host and on emulated boards
///
/// Example: cargo xtask test
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Renew the golden logs in tests/golden instead of comparing with them
    #[arg(long)]
    overwrite: bool,
}

/// Runs the command. The last lines on standard output are cargo's own summary.
///
/// # Errors
///
/// At the first step that fails.
pub fn run(args: &Args) -> Result<()> {
    step("tools");
    let toolchain = provision::all()?;

    step("format");
    process::run(cargo("fmt").args(["--all", "--check"]))?;

    step("lints on the host");
    process::run(cargo("clippy").args(["--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;

    step("lints on the device");
    // One board for each instruction set.
    let mut boards: Vec<&'static Board> = BOARDS.iter().collect();
    boards.dedup_by_key(|board| (board.target, board.target_cpu));
    for board in boards {
        process::run(&mut deny_warnings(firmware::command(&toolchain, "clippy", board, "qemu")))?;
    }
    lint_rtt(&toolchain)?;

    step("each precision alone");
    lint_precisions(&toolchain)?;

    step("documentation");
    let mut doc = cargo("doc");
    process::run(doc.args(["--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))?;

    step("tests");
    let mut test = cargo("test");
    test.args(["--workspace"]);
    if args.overwrite {
        test.env(crate::golden::OVERWRITE, "1");
    }
    process::run(&mut test)
}

/// Lints firmware-core with each choice of precisions, none included, and tests that it refuses models of the others: other
/// steps build it with all of them.
fn lint_precisions(toolchain: &Toolchain) -> Result<()> {
    let board = Board::find(boards::DEFAULT)?;
    for features in ["", "f32", "w8a16", "w16a16"] {
        let mut host = cargo("clippy");
        host.args(["--package", "firmware-core"]);
        for mut command in [host, firmware::package_command(toolchain, "clippy", board, "firmware-core")] {
            command.args(["--no-default-features", "--features", features]);
            process::run(&mut deny_warnings(command))?;
        }
        let mut test = cargo("test");
        test.args(["--quiet", "--package", "firmware-core", "--test", "precision"]);
        process::run(test.args(["--no-default-features", "--features", features]))?;
    }
    Ok(())
}

/// The build for real boards, which has its model built in.
fn lint_rtt(toolchain: &Toolchain) -> Result<()> {
    let folder = TempDir::new().context("cannot create a temporary folder")?;
    let path = folder.path().join("model.ffm");
    let artifact = Network::tiny(Precision::W8A16).artifact(0)?;
    std::fs::write(&path, artifact.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    let board = Board::find("mps2-an386")?;
    let mut command = firmware::command(toolchain, "clippy", board, "rtt");
    command.env("BOARD", "nrf52840dk").env("MODEL", &path);
    process::run(&mut deny_warnings(command))
}

fn deny_warnings(mut command: Command) -> Command {
    command.args(["--quiet", "--", "--deny", "warnings"]);
    command
}

fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand).current_dir(firmware::workspace());
    command
}

fn step(name: &str) {
    eprintln!("== {name}");
}
