//! Exact counts of instructions on cores without a board: aarch64 by the log of an emulator that takes one instruction
//! at a time, WebAssembly by a module that counts for itself.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;
use tempfile::TempDir;
use trainer::artifact::export::Artifact;
use trainer::artifact::precision::NamedPrecision;

use super::{Core, OptLevel, Program, self_counting};
use crate::commands::bench::networks;
use crate::commands::parity::PRECISIONS;
use crate::{points, process};

/// Points of a count on aarch64, where every instruction of the program is logged.
const LOGGED_POINTS: usize = 4;
/// Points of a count in WebAssembly, of which every eighth is evaluated alone.
const COUNTED_POINTS: usize = 64;

/// The count of one network on one of these cores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The core.
    pub board: &'static str,
    /// How numbers are stored.
    pub precision: &'static str,
    /// As that of a board's row.
    pub network: &'static str,
    /// How firmware-core was optimized: cargo's `opt-level`.
    pub opt_level: &'static str,
    /// Instructions from a point to outputs, both in the user's units, of one evaluation.
    pub total: u64,
    #[serde(skip)]
    macs: usize,
}

/// Counts every network on a core.
///
/// # Errors
///
/// Where a program cannot be built or fails.
pub fn measure(core: Core) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for level in OptLevel::ALL {
        let program = Program::build_optimized(core, level)?;
        for precision in PRECISIONS {
            let precision_name = NamedPrecision(precision).name();
            for (network, shape) in networks(precision) {
                eprintln!("{}, opt-level {}, {precision_name}, {network}", core.name(), level.name());
                let artifact = shape.artifact(0)?;
                rows.push(Row {
                    board: core.name(),
                    precision: precision_name,
                    network,
                    opt_level: level.name(),
                    total: program.instructions(&artifact)?,
                    macs: artifact.model()?.macs(),
                });
            }
        }
    }
    Ok(rows)
}

/// The rows as a text, a table for each core.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for of_core in rows.chunk_by(|a, b| a.board == b.board) {
        let _ = writeln!(text, "{}; instructions of one evaluation by the portable kernels", of_core[0].board);
        let _ = writeln!(
            text,
            "  {:9} {:7} {:>9} {:>10} {:>8}",
            "precision", "network", "opt-level", "total", "per MAC"
        );
        for row in of_core {
            let Row { precision, network, opt_level, total, macs, .. } = row;
            let per_mac = *total as f64 / *macs as f64;
            let _ = writeln!(text, "  {precision:9} {network:7} {opt_level:>9} {total:10} {per_mac:8.2}");
        }
    }
    text
}

impl Program {
    /// Instructions of one evaluation of one point, the mean of several points inside the domain: on aarch64 those of
    /// `eval_into`, in WebAssembly those of a call of `ffm_eval` with one point.
    ///
    /// # Errors
    ///
    /// Where the program fails, or does not tell what it has counted.
    pub fn instructions(&self, artifact: &Artifact) -> Result<u64> {
        let (sum, points) = match self.core {
            Core::Aarch64 => self.logged(artifact)?,
            Core::Wasm32 => self.counted(artifact)?,
        };
        Ok((sum as f64 / points as f64).round() as u64)
    }

    /// Instructions on aarch64, and of how many evaluations: those by which a run that evaluates everything twice is
    /// longer than a run that does it once. Starting, reading and writing are the same in both.
    fn logged(&self, artifact: &Artifact) -> Result<(u64, usize)> {
        let points = points::inside_the_domain(&artifact.model()?, LOGGED_POINTS, 0);
        let run = |times: &str| {
            let mut job = self.job(one_by_one()?, artifact, &points)?;
            executed(job.command.arg(times))
        };
        let (once, twice) = (run("1")?, run("2")?);
        Ok((twice.saturating_sub(once), LOGGED_POINTS))
    }

    /// Instructions in WebAssembly, and of how many evaluations.
    fn counted(&self, artifact: &Artifact) -> Result<(u64, usize)> {
        let points = points::inside_the_domain(&artifact.model()?, COUNTED_POINTS, 0);
        let program = self.self_counting()?;
        let mut job = program.job(Command::new("node"), artifact, &points)?;
        let printed = process::capture(&mut job.command)?;
        let numbers = printed.trim().split_once(' ').and_then(|(points, sum)| Some((sum, points.parse().ok()?)));
        let (sum, points) = numbers.with_context(|| format!("the module's script printed {printed:?}"))?;
        Ok((sum.parse().context("the sum of a module's instructions is no number")?, points))
    }

    /// The module with a counter in it.
    ///
    /// # Errors
    ///
    /// Where the program is no module of WebAssembly, or cannot be written.
    pub fn self_counting(&self) -> Result<Self> {
        let program = Self { core: self.core, folder: TempDir::new().context("cannot create a temporary folder")? };
        let module = fs::read(self.path()).context("the module cannot be read")?;
        fs::write(program.path(), self_counting::counting(&module)?).context("the module cannot be written")?;
        Ok(program)
    }
}

/// An emulator of aarch64 that logs each instruction it executes: a program and its arguments are to follow.
///
/// # Errors
///
/// Where there is no emulator.
pub fn one_by_one() -> Result<Command> {
    let help = process::capture(Command::new("qemu-aarch64").arg("-help"))?;
    // QEMU 8.1 renamed it.
    let option = if help.contains("one-insn-per-tb") { "-one-insn-per-tb" } else { "-singlestep" };
    let mut command = Command::new("qemu-aarch64");
    command.args([option, "-d", "exec,nochain"]);
    Ok(command)
}

/// Runs a program under [`one_by_one`]: how many instructions it executed. What it says itself goes to the terminal.
///
/// # Errors
///
/// Where it does not start, fails, or nothing was logged.
pub fn executed(command: &mut Command) -> Result<u64> {
    let started = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| process::cannot_start(command, &error))?;
    let mut log = BufReader::new(child.stderr.take().context("the emulator has no log")?);
    let (mut line, mut count) = (Vec::new(), 0);
    while log.read_until(b'\n', &mut line).context("the emulator's log cannot be read")? > 0 {
        if line.starts_with(b"Trace ") {
            count += 1;
        } else {
            eprint!("{}", String::from_utf8_lossy(&line));
        }
        line.clear();
    }
    let status = child.wait().context("the emulator does not end")?;
    if !status.success() {
        bail!("`{}` failed ({status}); its messages are above", process::describe(command));
    }
    ensure!(count > 0, "`{}` logged no instruction", process::describe(command));
    Ok(count)
}
