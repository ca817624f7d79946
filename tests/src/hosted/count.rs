//! Exact counts of instructions on cores without a board: aarch64 by the log of the emulator, WebAssembly by a
//! module that counts for itself.

use std::collections::HashMap;
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
use crate::counts::networks;
use crate::synthetic::PRECISIONS;
use crate::{points, process};

/// Points of a count on aarch64, where all that the program executes is logged.
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
        let _ =
            writeln!(text, "  {:9} {:7} {:>9} {:>10} {:>8}", "precision", "network", "opt-level", "total", "per MAC");
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
    /// longer than a run that does it once. Starting, reading and writing are the same in both. About 40 instructions
    /// of each are those of the program's loop.
    fn logged(&self, artifact: &Artifact) -> Result<(u64, usize)> {
        let points = points::inside_the_domain(&artifact.model()?, LOGGED_POINTS, 0);
        let run = |times: &str| {
            let mut job = self.job(logging(), artifact, &points)?;
            executed(job.command.arg(times))
        };
        let (once, twice) = (run("1")?, run("2")?);
        let more = twice.checked_sub(once).with_context(|| {
            format!("to evaluate everything twice took {twice} instructions, and to do it once {once}")
        })?;
        Ok((more, LOGGED_POINTS))
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

/// An emulator of aarch64 whose log [`executed`] counts: a program and its arguments are to follow.
///
/// QEMU translates a program in blocks without branches into them or out of their middle. The log has each block with
/// its instructions when it is translated, and a line whenever one is executed.
#[must_use]
pub fn logging() -> Command {
    let mut command = Command::new("qemu-aarch64");
    command.args(["-d", "in_asm,exec,nochain"]);
    command
}

/// Runs a program under [`logging`]: how many instructions it executed. What it says itself goes to the terminal.
///
/// # Errors
///
/// Where it does not start, fails, or the log does not tell.
pub fn executed(command: &mut Command) -> Result<u64> {
    let started = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| process::cannot_start(command, &error))?;
    let mut log = BufReader::new(child.stderr.take().context("the emulator has no log")?);
    let (mut line, mut blocks) = (Vec::new(), Blocks::default());
    while log.read_until(b'\n', &mut line).context("the emulator's log cannot be read")? > 0 {
        blocks.take(&String::from_utf8_lossy(&line))?;
        line.clear();
    }
    let status = child.wait().context("the emulator does not end")?;
    if !status.success() {
        bail!("`{}` failed ({status}); its messages are above", process::describe(command));
    }
    ensure!(blocks.executed > 0, "`{}` logged no instruction", process::describe(command));
    Ok(blocks.executed)
}

/// What a log has told so far.
#[derive(Default)]
struct Blocks {
    /// Instructions of each block, by the address of its first.
    lens: HashMap<u64, u64>,
    /// The block whose instructions the log lists at present.
    listed: Option<u64>,
    /// Instructions of all blocks that were executed.
    executed: u64,
}

impl Blocks {
    /// Takes a line of the log.
    fn take(&mut self, line: &str) -> Result<()> {
        let address = |digits: &str| u64::from_str_radix(digits, 16).ok();
        if let Some(rest) = line.strip_prefix("Trace ") {
            // Behind the block's place on this computer: [base/address/flags/flags].
            let block = rest.split('/').nth(1).and_then(address);
            let len = block.and_then(|block| self.lens.get(&block));
            self.executed += len.with_context(|| format!("the emulator's log has an unknown block: {line}"))?;
        } else if let Some(instruction) = line.strip_prefix("0x").and_then(|rest| address(rest.split_once(':')?.0)) {
            let first = *self.listed.get_or_insert_with(|| {
                self.lens.insert(instruction, 0);
                instruction
            });
            *self.lens.entry(first).or_default() += 1;
        } else if line.starts_with("IN:") {
            self.listed = None;
        } else if !line.starts_with("---") && !line.trim().is_empty() {
            eprint!("{line}");
        }
        Ok(())
    }
}
