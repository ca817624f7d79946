//! `cargo xtask parity`: the same bits on host and device.

use anyhow::{Result, bail};
use firmware_core::Precision;
use trainer::artifact::precision::NamedPrecision;

use crate::boards;
use crate::device::{self, Report};
use crate::firmware::Firmware;
use crate::grid_networks;
use crate::hosted::{self, Program};
use crate::points;
use crate::provision;
use crate::synthetic::{Network, PRECISIONS};

/// Evaluate random networks on a device, at random points and at edges, and compare every output bit with the host
///
/// There is a network over frequencies, and there are networks over grids and tables of one to four axes.
///
/// Example: cargo xtask parity --samples 1000000 --board mps2-an505 --precision w8a16
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Number of points for each network and board
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(2..))]
    samples: u32,
    /// A board, `aarch64`, `wasm32`, or `all` of them
    #[arg(long, default_value = boards::DEFAULT)]
    board: String,
    /// Test only this precision [default: all three]
    #[arg(long)]
    precision: Option<NamedPrecision>,
    /// Seed of the random networks and points
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The networks of a precision that are compared, each with its name.
fn networks(precision: Precision) -> Vec<(String, Network)> {
    let frequencies = ("frequencies".to_owned(), Network::tiny(precision));
    let sines = ("sines".to_owned(), Network::tiny_sine(precision));
    [frequencies, sines].into_iter().chain(grid_networks::all_kinds(precision)).collect()
}

/// Runs the command.
///
/// # Errors
///
/// Where a bit differs, or a device or a tool fails.
pub fn run(args: &Args) -> Result<()> {
    let (boards, cores) = hosted::select(&args.board)?;
    let mut mismatched = 0;
    if !boards.is_empty() {
        let toolchain = provision::all(boards.iter().copied())?;
        for board in boards {
            let firmware = Firmware::build(&toolchain, board, None)?;
            mismatched += compare(args, board.name, &|network| {
                Ok(check(&firmware, network, args.samples as usize, args.seed)?.mismatched)
            })?;
        }
    }
    for core in cores {
        let program = Program::build(core)?;
        mismatched += compare(args, core.name(), &|network| program.check(network, args.samples as usize, args.seed))?;
    }
    if mismatched > 0 {
        bail!("{mismatched} samples differ between host and device");
    }
    Ok(())
}

/// Compares every network by `check`, which returns the points that differ; returns their sum.
fn compare(args: &Args, name: &str, check: &dyn Fn(&Network) -> Result<usize>) -> Result<usize> {
    let precisions = args.precision.map_or(PRECISIONS.to_vec(), |NamedPrecision(precision)| vec![precision]);
    let mut sum = 0;
    for precision in precisions {
        for (kind, network) in networks(precision) {
            let mismatched = check(&network)?;
            let precision = NamedPrecision(precision);
            println!("{name:10} {precision:6} {kind}: {} samples, {mismatched} mismatched", args.samples);
            sum += mismatched;
        }
    }
    Ok(sum)
}

/// Compares a network of this shape on points of all kinds.
///
/// # Errors
///
/// Where the shape is not possible, or the device fails.
pub fn check(firmware: &Firmware, network: &Network, samples: usize, seed: u64) -> Result<Report> {
    let artifact = network.artifact(seed)?;
    let points = points::all_kinds(&artifact.model()?, samples, seed ^ 0x5eed);
    device::evaluate(firmware, &artifact, &points)
}
