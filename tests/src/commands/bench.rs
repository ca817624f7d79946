//! `cargo xtask bench`: instructions, flash and RAM of one evaluation on every board.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;
use trainer::artifact::precision::NamedPrecision;
use trainer::base::files;
use trainer::design::cost::{PARTS, place};

use crate::boards::{self, Board};
use crate::chart;
use crate::costs;
use crate::counts::{self, Row};
use crate::firmware::{Firmware, workspace};
use crate::flash;
use crate::hosted;
use crate::provision::{self, Toolchain};
use crate::synthetic::PRECISIONS;

/// Count instructions, flash and RAM of an evaluation on emulated boards, instructions on aarch64 and in WebAssembly
///
/// The networks have random weights from a fixed seed. The small one has 2 inputs, 64 frequencies, and layers of 64,
/// 64, 64 and 3; `sine` is the small one with sine layers; the big one has 128 frequencies, and layers of 128, 128, 128
/// and 3. `grid-1` and `grid-2` have four grids of two channels over two inputs, linear and quadratic, and layers of
/// 32, 32 and 1; `table-2` is a quadratic table of two inputs. They are evaluated one point at a time and in batches.
/// The columns hold, for one evaluation:
///
///   encoding    instructions from coordinates to features
///   mlp         all other instructions: the layers, and the conversions from and to the user's units
///   per MAC     all instructions, divided by the number of multiplications in the layers
///   portable    how many times more instructions the portable kernels take, without conversions from and to the
///               user's units
///   flash       the whole library (parse, self_test, all forms of evaluation) with this precision alone, and with the
///               feature `grid` or `sine` where the network needs it: code and constants of firmware-core and what it
///               calls, linked without startup, logging and model
///   evaluation  the same with eval_into alone
///   RAM         without the model: scratch, outputs, and variables of the library (it has none)
///   stack       the most that was used at once, in bytes
///
/// `aarch64`, a program for Linux, and `wasm32`, a module of WebAssembly, have only the portable kernels. For them all
/// instructions of one evaluation of one point are counted, with firmware-core compiled with `opt-level` "s", as in the
/// firmware, and 3. On aarch64 about 40 instructions are those of the loop over the points. In WebAssembly all
/// instructions count but `block`, `loop`, `else` and `end`, which only mark where branches lead to.
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
    /// Count nothing: link the library, for Rust and for C, with one precision, with all, with grids and with sine
    /// layers, and print the bytes of flash
    ///
    /// For C, all are the functions of ffm.h that evaluate, and usual are ffm_parse, ffm_self_test and ffm_eval.
    #[arg(long, conflicts_with_all = ["json", "chart", "costs"])]
    flash: bool,
    /// Draw a chart of the Cortex-M4F's counts and those of other engines too
    #[arg(long, value_name = "FILE.png")]
    chart: Option<PathBuf>,
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
            rows.extend(counts::measure(&toolchain, board)?);
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
        print!("{}{}", counts::table(&rows), hosted::count::table(&hosted_rows));
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
