//! `cargo xtask test`: everything that must hold before a change is kept.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use firmware_core::Precision;
use tempfile::TempDir;

use crate::boards::{self, BOARDS, Board, REAL_BOARDS};
use crate::firmware;
use crate::process;
use crate::provision::{self, Toolchain};
use crate::synthetic::Network;
use crate::test_programs::{self, Options, TestProgram, Timed};

/// Tests in the list of the slowest.
const SLOWEST: usize = 20;

/// Check format, lints and documentation, then run every test on the host and on emulated boards
///
/// The quickest steps come first, so that most mistakes show early: format, lints on the host, unit tests, then the
/// other tests on the host. What needs tools for devices goes on beside them: lints, programs for real boards, the
/// tests on emulated boards and lints of each precision alone; behind these comes the documentation.
///
/// Example: cargo xtask test --fast
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Only format, lints on the host and unit tests: what to run after every change
    #[arg(long)]
    fast: bool,
    /// At the end, list how long each step took, and the slowest tests
    #[arg(long)]
    timings: bool,
    /// Renew the golden logs in tests/golden instead of comparing with them
    #[arg(long, conflicts_with = "fast")]
    overwrite: bool,
}

/// Runs the command.
///
/// # Errors
///
/// At the first step that fails.
pub fn run(args: &Args) -> Result<()> {
    let failed = AtomicBool::new(false);
    let mut steps = Steps::new(args, &failed);
    steps.run("format", || process::run(cargo("fmt").args(["--all", "--check"])))?;
    let run = if args.fast { run_fast } else { run_all };
    run(&mut steps)?;
    if args.timings {
        steps.print();
    }
    Ok(())
}

/// The steps of `--fast` behind the format, with which those for the host begin.
fn run_fast(steps: &mut Steps<'_>) -> Result<()> {
    steps.run("lints on the host", || {
        let mut clippy = cargo("clippy");
        process::run(clippy.args(["--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    let units = steps.run("build unit tests", test_programs::build_units)?;
    steps.tests("unit tests", &units)
}

/// The steps for devices beside those for the host, since neither keeps two cores busy alone.
fn run_all(steps: &mut Steps<'_>) -> Result<()> {
    let mut device_steps = Steps::new(steps.args, steps.failed);
    let (send, programs) = mpsc::channel();
    let (on_devices, on_host) = thread::scope(|scope| {
        let on_devices = scope.spawn(|| run_for_devices(&mut device_steps, programs));
        let on_host = run_for_host(steps, send);
        (on_devices.join().expect("no step panics"), on_host)
    });
    steps.seconds.append(&mut device_steps.seconds);
    steps.tests.append(&mut device_steps.tests);
    match (on_devices, on_host) {
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(skipped)) if skipped.is::<Skipped>() => Err(error),
        (_, on_host) => on_host,
    }
}

/// Builds the tests on emulated boards too, and sends them: of all that is built for the host, cargo does one thing at
/// a time.
fn run_for_host(steps: &mut Steps<'_>, for_devices: Sender<Vec<TestProgram>>) -> Result<()> {
    let device = steps.run("build tests on emulated boards", test_programs::build_for_devices)?;
    for_devices.send(device).map_err(|_| Skipped)?;
    run_fast(steps)?;
    let host = steps.run("build integration tests on the host", test_programs::build_for_host)?;
    steps.tests("integration tests on the host", &host)
}

/// The steps for devices, and behind them the documentation: these end before the steps for the host.
fn run_for_devices(steps: &mut Steps<'_>, programs: Receiver<Vec<TestProgram>>) -> Result<()> {
    // What is missing shows before the long steps.
    let toolchain = &steps.run("tools", || {
        let toolchain = provision::all(&BOARDS)?;
        provision::browser();
        Ok(toolchain)
    })?;
    steps.run("lints on the device", || lint_device(toolchain))?;
    steps.run("programs for real boards", || build_for_real_boards(toolchain))?;
    let programs = programs.recv().map_err(|_| Skipped)?;
    steps.tests("tests on emulated boards", &programs)?;
    steps.run("lints of each precision alone", || lint_precisions(toolchain))?;
    steps.run("documentation", || {
        // Not that of this package: it is not published, and building it takes long.
        let mut doc = cargo("doc");
        doc.args(["--quiet", "--workspace", "--exclude", "tests", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings");
        process::run(&mut doc)?;
        process::run(cargo("test").args(["--workspace", "--doc"]))
    })
}

/// A step was not run, since one before it failed.
#[derive(Debug, thiserror::Error)]
#[error("not run, since another step failed")]
struct Skipped;

/// What has been done, and how long it took.
struct Steps<'a> {
    args: &'a Args,
    /// Whether a step failed, these or those beside them.
    failed: &'a AtomicBool,
    seconds: Vec<(&'static str, f64)>,
    tests: Vec<Timed>,
}

impl<'a> Steps<'a> {
    const fn new(args: &'a Args, failed: &'a AtomicBool) -> Self {
        Self { args, failed, seconds: Vec::new(), tests: Vec::new() }
    }

    fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(Skipped.into());
        }
        eprintln!("== {name}");
        let start = Instant::now();
        let result = work();
        self.failed.fetch_or(result.is_err(), Ordering::Relaxed);
        self.seconds.push((name, start.elapsed().as_secs_f64()));
        result
    }

    fn tests(&mut self, name: &'static str, programs: &[TestProgram]) -> Result<()> {
        let options = Options { timed: self.args.timings, overwrite: self.args.overwrite };
        let times = self.run(name, || {
            let run = |program: &TestProgram| program.run(&options);
            Ok(programs.iter().map(run).collect::<Result<Vec<_>>>()?.concat())
        })?;
        self.tests.extend(times);
        Ok(())
    }

    fn print(&mut self) {
        println!("\nSeconds of each step (those for devices run beside those for the host):");
        for (name, seconds) in &self.seconds {
            println!("{seconds:8.1}  {name}");
        }
        self.tests.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        println!("\nSeconds of the slowest tests, of {}:", self.tests.len());
        for test in self.tests.iter().take(SLOWEST) {
            println!("{:8.1}  {}", test.seconds, test.name);
        }
    }
}

/// Lints the program for one board, and the library, which alone depends on the instruction set, with every kernel.
fn lint_device(toolchain: &Toolchain) -> Result<()> {
    process::run(&mut deny_warnings(firmware::command(toolchain, "clippy", Board::find(boards::DEFAULT)?, "qemu")))?;
    for board in BOARDS.iter().filter(|board| board.stands_for_its_kernels()) {
        let mut command = firmware::package_command(toolchain, "clippy", board, "firmware-core");
        // As a part of the program, so that what both need on this computer is built once.
        command.args(["--features", "defmt"]);
        process::run(&mut deny_warnings(command))?;
    }
    Ok(())
}

/// Lints firmware-core and its C interface with each choice of precisions, none included, and tests that it refuses
/// models of the others: other steps build it with all of them, and without the interface.
fn lint_precisions(toolchain: &Toolchain) -> Result<()> {
    let board = Board::find(boards::DEFAULT)?;
    for features in ["c", "c,f32", "c,w8a16", "c,w16a16"] {
        let mut command = firmware::package_command(toolchain, "clippy", board, "firmware-core");
        command.args(["--no-default-features", "--features", &format!("defmt,{features}")]);
        process::run(&mut deny_warnings(command))?;
        let mut test = cargo("test");
        // These tests are short: what is built for them alone is not optimized.
        test.args(["--config", "profile.dev.package.firmware-core.opt-level=0"]);
        test.args(["--config", "profile.dev.package.'*'.opt-level=0"]);
        test.args(["--quiet", "--package", "firmware-core", "--test", "precision", "--test", "c_interface"]);
        process::run(test.args(["--no-default-features", "--features", features]))?;
    }
    Ok(())
}

/// The build for real boards, which has its model built in: lints for one, and links for all of them.
fn build_for_real_boards(toolchain: &Toolchain) -> Result<()> {
    let folder = TempDir::new().context("cannot create a temporary folder")?;
    let path = folder.path().join("model.ffm");
    let artifact = Network::tiny(Precision::W8A16).artifact(0)?;
    std::fs::write(&path, artifact.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    for real in &REAL_BOARDS {
        // With the flags of an emulated board, what both depend on is built once.
        let board = Board::find(real.like)?;
        let command = |subcommand| {
            let mut command = firmware::command(toolchain, subcommand, board, real.features);
            command.env("BOARD", real.name).env("MODEL", &path);
            command
        };
        if real.name == "nrf52840dk" {
            process::run(&mut deny_warnings(command("clippy")))?;
        }
        process::run(command("build").args(["--quiet", "--bin", firmware::PACKAGE]))?;
    }
    Ok(())
}

fn deny_warnings(mut command: Command) -> Command {
    command.args(["--quiet", "--", "--deny", "warnings"]);
    command
}

fn cargo(subcommand: &str) -> Command {
    let mut command = process::cargo(subcommand);
    command.current_dir(firmware::workspace());
    command
}
