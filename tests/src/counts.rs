//! Instructions, flash and RAM of one evaluation on a board.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use firmware_core::Precision;
use firmware_core::artifact::HiddenActivation;
use firmware_cortexm::protocol::{BATCHES, CALIBRATION_INSTRUCTIONS, Mode};
use serde::Serialize;
use trainer::artifact::precision::NamedPrecision;

use crate::boards::{BOARDS, Board};
use crate::device;
use crate::firmware::Firmware;
use crate::grid_networks;
use crate::minimal::{Minimal, Scope};
use crate::provision::Toolchain;
use crate::qemu::{self, Run, Task};
use crate::synthetic::{Network, PRECISIONS};

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
    /// How many times more instructions the portable kernels take, from Q0.32 coordinates to raw outputs, one point at
    /// a time.
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

/// Every row of a board.
///
/// # Errors
///
/// Where the device or a tool fails, or its clock does not count a loop of known length right.
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
        ("grid-1", grid_networks::reference(precision, 1)),
        ("grid-2", grid_networks::reference(precision, 2)),
    ];
    if precision != Precision::F32 {
        networks.push(("table-2", grid_networks::reference_table(precision)));
    }
    networks
}

/// The rows of one network without what linking tells; none, with a word on standard error, where it does not fit.
///
/// # Errors
///
/// As [`measure`].
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

/// The rows as text, board by board.
pub(crate) fn table(rows: &[Row]) -> String {
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
