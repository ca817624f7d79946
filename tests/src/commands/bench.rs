//! `cargo xtask bench`: instructions, flash and RAM of one evaluation on every board.

use std::time::Duration;

use anyhow::{Context as _, Result};
use firmware_cortexm::protocol::Mode;

use crate::boards::{self, BOARDS, Board};
use crate::commands::parity::PRECISIONS;
use crate::device;
use crate::firmware::Firmware;
use crate::model;
use crate::provision;
use crate::qemu;
use crate::synthetic::Network;

/// Count the instructions of an evaluation on emulated boards
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A board, or `all`
    #[arg(long, default_value = boards::DEFAULT)]
    board: String,
}

/// Runs the command.
///
/// # Errors
///
/// Where a device or a tool fails.
pub fn run(args: &Args) -> Result<()> {
    let boards: Vec<&'static Board> =
        if args.board == "all" { BOARDS.iter().collect() } else { vec![Board::find(&args.board)?] };
    let toolchain = provision::all()?;
    for board in boards {
        let firmware = Firmware::build(&toolchain, board, None)?;
        for precision in PRECISIONS {
            for (name, network) in [("small", Network::small(precision)), ("big", Network::big(precision))] {
                let artifact = network.artifact(0)?;
                if artifact.as_bytes().len() as u64 > firmware.model_region.len {
                    continue;
                }
                let run = qemu::work(&firmware, Mode::Count, artifact.as_bytes(), 4, Duration::from_secs(60));
                let run = run?.success().context("bench")?;
                device::check_clock(board, &run)?;
                let count = |form: &str| -> Result<f64> {
                    let line = run.line(&format!("count form={form}"))?;
                    Ok(board.instructions(line.value("ticks")?) / line.value::<f64>("samples")?)
                };
                println!(
                    "{:10} {:6} {name:5} encoding {:9.0} single {:9.0} batch {:9.0} stack {:?}",
                    board.name,
                    model::precision_name(precision),
                    count("encoding")?,
                    count("single")?,
                    count("batch")?,
                    run.line("stack")?.message
                );
            }
        }
    }
    Ok(())
}
