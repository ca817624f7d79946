//! `cargo xtask bench`: instructions, flash and RAM of one evaluation on every board.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use firmware_core::Precision;
use firmware_core::artifact::HiddenActivation;
use firmware_cortexm::protocol::{BATCHES, CALIBRATION_INSTRUCTIONS, Mode};
use serde::Serialize;
use trainer::artifact::precision::NamedPrecision;
use trainer::base::files;
use trainer::design::cost::{PARTS, place};

use crate::boards::{self, BOARDS, Board};
use crate::chart;
use crate::commands::parity::PRECISIONS;
use crate::costs;
use crate::device;
use crate::firmware::{Firmware, workspace};
use crate::flash;
use crate::hosted;
use crate::minimal::{Minimal, Scope};
use crate::provision::{self, Toolchain};
use crate::qemu::{self, Run, Task};
use crate::synthetic::Network;
use crate::synthetic_grids;

/// Count instructions, flash and RAM of an evaluation on emulated boards, instructions on aarch64 and in WebAssembly
///
/// The networks have random weights from a fixed seed. The small one has 2 inputs, 64 frequencies, and layers of 64, 64, 64 and
/// 3; `sine` is the small one with sine layers; the big one has 128 frequencies, and layers of 128, 128, 128 and 3. `grid-1` and
/// `grid-2` have four grids of two channels over two inputs, linear and quadratic, and layers of 32, 32 and 1; `table-2` is a
/// quadratic table of two inputs. They are evaluated one point at a time and in batches.
/// The columns hold, for one evaluation:
///
///   encoding    instructions from coordinates to features
///   mlp         all other instructions: the layers, and the conversions from and to the user's units
///   per MAC     all instructions, divided by the number of multiplications in the layers
///   portable    how many times more instructions the portable kernels take, without conversions from and to the user's units
///   flash       the whole library (parse, self_test, all forms of evaluation) with this precision alone, and with the
///               feature `grid` or `sine` where the network needs it: code and constants of firmware-core and what it
///               calls, linked without startup, logging and model
///   evaluation  the same with eval_into alone
///   RAM         without the model: scratch, outputs, and variables of the library (it has none)
///   stack       the most that was used at once, in bytes
///
/// `aarch64`, a program for Linux, and `wasm32`, a module of WebAssembly, have only the portable kernels. For them all
/// instructions of one evaluation of one point are counted, with firmware-core compiled with `opt-level` "s", as in the
/// firmware, and 3. On aarch64 about 40 instructions are those of the loop over the points. In WebAssembly all instructions
/// count but `block`, `loop`, `else` and `end`, which only mark where branches lead to.
///
/// Example: cargo xtask bench --board all
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A board, `aarch64`, `wasm32`, or `all` of them
    #[arg(long, default_value = boards::DEFAULT)]
    board: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Fit the prices by which `trainer design` estimates instructions to exact counts of random models, test them on
    /// others, and write them into the trainer's source
    #[arg(long, conflicts_with_all = ["json", "chart"])]
    costs: bool,
    /// Count nothing: link the library, for Rust and for C, with one precision, with all, with grids and with sine layers, and
    /// print the bytes of flash
    ///
    /// For C, all are the functions of ffm.h that evaluate, and usual are ffm_parse, ffm_self_test and ffm_eval.
    #[arg(long, conflicts_with_all = ["json", "chart", "costs"])]
    flash: bool,
    /// Draw a chart of the Cortex-M4F's counts and those of other engines too
    #[arg(long, value_name = "FILE.png")]
    chart: Option<PathBuf>,
}

/// Counts of one network on one board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The board.
    pub board: &'static str,
    /// How numbers are stored.
    pub precision: &'static str,
    /// `small`, `sine` (the small one with sine layers), `big`, `grid-1`, `grid-2` or `table-2`.
    pub network: &'static str,
    /// Points that are evaluated together.
    pub batch: usize,
    /// Instructions from Q0.32 coordinates to features, per evaluation.
    pub encoding: u64,
    /// All other instructions of an evaluation: the layers, and the conversions from and to the user's units.
    pub mlp: u64,
    /// Instructions from a point to outputs, both in the user's units, per evaluation.
    pub total: u64,
    /// How many times more instructions the portable kernels take, from Q0.32 coordinates to raw outputs, one point at a time.
    pub portable_ratio: f64,
    /// The library with this precision alone: see [`Scope::Library`].
    pub flash_bytes: u64,
    /// Scratch and outputs of the batch, and the library's variables.
    pub ram_bytes: u64,
    /// Deepest use of the stack, painted and measured.
    pub stack_bytes: u64,
    #[serde(skip)]
    macs: usize,
    #[serde(skip)]
    evaluation_flash_bytes: u64,
}

/// All that is printed as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Of boards.
    rows: &'a [Row],
    /// Of aarch64 and WebAssembly.
    hosted: &'a [hosted::count::Row],
}

/// Runs the command.
///
/// # Errors
///
/// Where a device or a tool fails, or a board's clock does not count a loop of known length right.
pub fn run(args: &Args) -> Result<()> {
    let (selected, cores) = hosted::select(&args.board)?;
    if selected.is_empty() && (args.flash || args.costs) {
        bail!("--flash and --costs are for boards, not for {}; choose a board, or all", args.board);
    }
    if args.chart.is_some() && !selected.iter().any(|board| board.name == boards::DEFAULT) {
        bail!("the chart is of {}, where other engines were counted; choose --board {0} or all", boards::DEFAULT);
    }
    let mut rows = Vec::new();
    if !selected.is_empty() {
        let toolchain = provision::all(selected.iter().copied())?;
        if args.flash {
            for board in selected {
                print!("{}", flash::table(board, &flash::measure(&toolchain, board)?));
            }
            return Ok(());
        }
        if args.costs {
            return costs(&toolchain, &selected);
        }
        for board in selected {
            rows.extend(measure(&toolchain, board)?);
        }
    }
    let mut hosted_rows = Vec::new();
    for core in cores {
        hosted_rows.extend(hosted::count::measure(core)?);
    }
    if let Some(path) = &args.chart {
        let of_board: Vec<Row> = rows.iter().filter(|row| row.board == boards::DEFAULT).cloned().collect();
        files::write(path, &chart::png("Cortex-M4F", &of_board)?)?;
        eprintln!("{} is drawn", path.display());
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&Report { rows: &rows, hosted: &hosted_rows })?);
    } else {
        print!("{}{}", table(&rows), hosted::count::table(&hosted_rows));
    }
    Ok(())
}

/// Fits, tests and stores the prices of `trainer design`.
fn costs(toolchain: &Toolchain, boards: &[&'static Board]) -> Result<()> {
    let mut fitted = Vec::new();
    for &board in boards {
        let firmware = Firmware::build(toolchain, board, None)?;
        let mut of_precisions = [[0.0; PARTS.len()]; 3];
        for precision in PRECISIONS {
            let models = costs::count(&firmware, precision, costs::FITTED)?;
            let prices = costs::fit(&models)?;
            let others = costs::count(&firmware, precision, costs::TESTED)?;
            println!(
                "{} ({}), {}: within {:.2} % on {} models that were fitted, {:.2} % on {} others",
                board.name,
                board.core,
                NamedPrecision(precision),
                100.0 * costs::worst(&models, &prices),
                models.len(),
                100.0 * costs::worst(&others, &prices),
                others.len()
            );
            of_precisions[place(precision)] = prices;
        }
        fitted.push((board, of_precisions));
    }
    let path = workspace().join("trainer/src/design/cost/table.rs");
    files::write(&path, costs::source(&fitted).as_bytes())?;
    println!("{} is written", path.display());
    Ok(())
}

/// Every row of a board.
///
/// # Errors
///
/// As [`run`].
pub fn measure(toolchain: &Toolchain, board: &'static Board) -> Result<Vec<Row>> {
    let firmware = Firmware::build(toolchain, board, None)?;
    let mut rows = Vec::new();
    for precision in PRECISIONS {
        let link = |further: &str| -> Result<[Minimal; 2]> {
            let features = format!("{}{further}", NamedPrecision(precision));
            let [library, evaluation] =
                [Scope::Library, Scope::Evaluation].map(|scope| Minimal::link(toolchain, board, scope, &features));
            Ok([library?, evaluation?])
        };
        let (plain, with_grid, with_sine) = (link("")?, link(",grid")?, link(",sine")?);
        for (name, network) in networks(precision) {
            eprintln!("{} ({}), {}, {name}", board.name, board.core, NamedPrecision(precision));
            let [library, evaluation] = match (&network.grids, network.hidden_activation) {
                (Some(_), _) => &with_grid,
                (None, HiddenActivation::Sine) => &with_sine,
                (None, HiddenActivation::Relu) => &plain,
            };
            for row in count(&firmware, precision, name, &network)? {
                let ram_bytes = row.ram_bytes + library.size.ram_bytes;
                let flash_bytes = library.size.flash_bytes;
                let evaluation_flash_bytes = evaluation.size.flash_bytes;
                rows.push(Row { flash_bytes, ram_bytes, evaluation_flash_bytes, ..row });
            }
        }
    }
    Ok(rows)
}

/// The networks that are counted, each with its name.
pub fn networks(precision: Precision) -> Vec<(&'static str, Network)> {
    let mut networks = vec![
        ("small", Network::small(precision)),
        ("sine", Network { hidden_activation: HiddenActivation::Sine, ..Network::small(precision) }),
        ("big", Network::big(precision)),
        ("grid-1", synthetic_grids::reference(precision, 1)),
        ("grid-2", synthetic_grids::reference(precision, 2)),
    ];
    if precision != Precision::F32 {
        networks.push(("table-2", synthetic_grids::reference_table(precision)));
    }
    networks
}

/// The rows of one network without what linking tells; none, with a word on standard error, where it does not fit.
///
/// # Errors
///
/// As [`run`].
pub fn count(firmware: &Firmware, precision: Precision, name: &'static str, network: &Network) -> Result<Vec<Row>> {
    let artifact = network.artifact(0)?;
    let (bytes, room) = (artifact.as_bytes(), firmware.model_region.len);
    if bytes.len() as u64 > room {
        eprintln!("  left out: the model has {} bytes, the board keeps {room} for one", bytes.len());
        return Ok(Vec::new());
    }
    let model = artifact.model()?;
    let run = qemu::work(firmware, Task::of_mode(Mode::Count, bytes, 0), Duration::from_secs(600))?.success()?;
    device::check_clock(firmware.board, &run).context("the counter is wrong")?;
    let encoding = per_sample(firmware.board, &run, "count form=encoding")?;
    let of_kernels = ["count form=portable", "count form=fixed"].map(|form| per_sample(firmware.board, &run, form));
    let [portable, fixed] = of_kernels;
    let portable_ratio = portable? as f64 / fixed? as f64;
    BATCHES
        .iter()
        .map(|&batch| {
            let subject = format!("batch of={batch} ");
            let line = run.line(&subject)?;
            let total = per_sample(firmware.board, &run, &subject)?;
            Ok(Row {
                board: firmware.board.name,
                precision: NamedPrecision(precision).name(),
                network: name,
                batch,
                encoding,
                mlp: total.saturating_sub(encoding),
                total,
                portable_ratio,
                flash_bytes: 0,
                ram_bytes: 4 * (line.value::<u64>("scratch_words")? + (batch * model.outputs()) as u64),
                stack_bytes: line.value("stack")?,
                macs: model.macs(),
                evaluation_flash_bytes: 0,
            })
        })
        .collect()
}

fn per_sample(board: &Board, run: &Run, subject: &str) -> Result<u64> {
    let line = run.line(subject)?;
    let samples: f64 = line.value("samples")?;
    Ok((board.instructions(line.value("ticks")?) / samples).round() as u64)
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for of_board in rows.chunk_by(|a, b| a.board == b.board) {
        let board = of_board[0].board;
        let core = BOARDS.iter().find(|known| known.name == board).map_or("", |known| known.core);
        let _ = writeln!(text, "{board} ({core}); instructions of one evaluation, bytes");
        let _ = writeln!(
            text,
            "  {:9} {:7} {:>5} {:>9} {:>10} {:>10} {:>8} {:>8} {:>7} {:>10} {:>6} {:>6}",
            "precision",
            "network",
            "batch",
            "encoding",
            "mlp",
            "total",
            "per MAC",
            "portable",
            "flash",
            "evaluation",
            "RAM",
            "stack"
        );
        for row in of_board {
            let _ = writeln!(
                text,
                "  {:9} {:7} {:5} {:9} {:10} {:10} {:8.2} {:8.2} {:7} {:10} {:6} {:6}",
                row.precision,
                row.network,
                row.batch,
                row.encoding,
                row.mlp,
                row.total,
                row.total as f64 / row.macs as f64,
                row.portable_ratio,
                row.flash_bytes,
                row.evaluation_flash_bytes,
                row.ram_bytes,
                row.stack_bytes,
            );
        }
    }
    if !rows.is_empty() {
        let _ = writeln!(text, "The counter was checked on a loop of {CALIBRATION_INSTRUCTIONS} instructions.");
    }
    text
}
