//! Prices of an evaluation's parts, fitted to exact counts of random models: see [`trainer::design::cost`].

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use firmware_core::artifact::{GridShape, GridUse, HiddenActivation};
use firmware_core::{OutputActivation, Precision};
use firmware_cortexm::protocol::Mode;
use ndarray::{Array1, Array2};
use trainer::artifact::export::Artifact;
use trainer::design::cost::{CORES, PARTS, Prices, parts};
use trainer::theory::linalg::Cholesky;

use crate::boards::{BOARDS, Board};
use crate::device;
use crate::firmware::Firmware;
use crate::qemu::{self, Task};
use crate::random::Random;
use crate::synthetic::{Grids, Network};
use crate::together;

/// Seeds of the models that prices are fitted to; the test takes others.
pub const FITTED: std::ops::Range<u64> = 0..160;
/// Seeds of the models that the prices are tested on.
pub const TESTED: std::ops::Range<u64> = 1000..1030;
/// What keeps the price of a part that hardly varies near zero, relative to one model's whole.
const RIDGE: f64 = 1e-9;

/// A model of a random shape, of at most `room` bytes.
///
/// # Errors
///
/// Where a network cannot be written.
pub fn random_model(precision: Precision, seed: u64, room: usize) -> Result<Artifact> {
    let mut random = Random::new(seed ^ 0x636f_7374);
    loop {
        let artifact = random_network(precision, &mut random).artifact(seed)?;
        if artifact.as_bytes().len() <= room {
            return Ok(artifact);
        }
    }
}

/// Every second model has grids, and every fourth of these is a table.
fn random_network(precision: Precision, random: &mut Random) -> Network {
    let network = random_frequencies(precision, random);
    if random.bits().is_multiple_of(2) {
        return network;
    }
    let mut between = |low: u64, high: u64| low + random.bits() % (high - low + 1);
    let used_as = if precision != Precision::F32 && between(0, 3) == 0 { GridUse::Outputs } else { GridUse::Features };
    let is_table = used_as == GridUse::Outputs;
    let shape = GridShape {
        levels: if is_table { 1 } else { between(1, 5) as u8 },
        channels: between(1, 4) as u8,
        order: between(1, 2) as u8,
        bits: between(4, 8) as u8,
        used_as,
    };
    let nodes = (0..shape.levels).map(|_| between(3, [200, 30, 9, 5][usize::from(network.inputs) - 1]) as u32);
    let grids = Some(Grids { shape, nodes: nodes.collect() });
    let network = Network { grids, frequencies: 0, passthrough: 0, ..network };
    if is_table {
        let activation = OutputActivation::Linear;
        let hidden_activation = HiddenActivation::Relu;
        return Network { hidden: vec![], hidden_activation, outputs: shape.channels, activation, ..network };
    }
    network
}

fn random_frequencies(precision: Precision, random: &mut Random) -> Network {
    let mut between = |low: u64, high: u64| low + random.bits() % (high - low + 1);
    let inputs = [1, 2, 2, 2, 3, 4][between(0, 5) as usize];
    // Half of the widths fill the blocks of every kernel.
    let even = if between(0, 1) == 0 { 8 } else { 1 };
    let layers = [0, 1, 2, 2, 3, 3, 4, 5][between(0, 7) as usize];
    let mut width = |low: u64, high: u64| (between(low, high) as u16).next_multiple_of(even);
    let frequencies = width(4, 88);
    let hidden = (0..layers).map(|_| width(6, 76)).collect();
    let passthrough = if between(0, 4) == 0 { between(1, u64::from(inputs)) as u8 } else { 0 };
    Network {
        inputs,
        frequencies,
        passthrough,
        hidden,
        outputs: between(1, 4) as u8,
        hidden_activation: if between(0, 1) == 0 { HiddenActivation::Relu } else { HiddenActivation::Sine },
        activation: if between(0, 1) == 0 { OutputActivation::Linear } else { OutputActivation::Sigmoid },
        ..Network::tiny(precision)
    }
}

/// A model's parts and what it takes on a board.
pub struct Counted {
    parts: Prices,
    instructions: f64,
}

/// Counts the models of these seeds.
///
/// # Errors
///
/// Where a device fails.
pub fn count(firmware: &Firmware, precision: Precision, seeds: std::ops::Range<u64>) -> Result<Vec<Counted>> {
    let room = (firmware.model_region.len as usize).min(24 << 10);
    let artifacts = seeds.map(|seed| random_model(precision, seed, room)).collect::<Result<Vec<_>>>()?;
    let runs = together::work(firmware, &artifacts, |_, bytes| {
        qemu::work(firmware, Task::of_mode(Mode::Count, bytes, 0), Duration::from_secs(600))
    })?;
    let mut counted = Vec::new();
    for (group, run) in runs {
        device::check_clock(firmware.board, &run)?;
        let lines: Vec<_> = run.lines("batch of=1 ").collect();
        ensure!(lines.len() == group.len(), "the device counted {} of {} models", lines.len(), group.len());
        for (artifact, line) in group.iter().zip(lines) {
            let instructions = firmware.board.instructions(line.value("ticks")?) / line.value::<f64>("samples")?;
            counted.push(Counted { parts: parts(artifact.model()?.header()), instructions });
        }
    }
    Ok(counted)
}

/// The prices with the least squares of relative errors.
///
/// # Errors
///
/// Where the equations cannot be solved.
pub fn fit(models: &[Counted]) -> Result<Prices> {
    let rows = Array2::from_shape_fn((models.len(), PARTS.len()), |(i, k)| models[i].parts[k] / models[i].instructions);
    // Each part in units of its largest share, so that the ridge treats all alike.
    let units: Vec<f64> =
        rows.columns().into_iter().map(|column| column.iter().copied().fold(0.0, f64::max).max(1e-12)).collect();
    let rows = Array2::from_shape_fn(rows.dim(), |(i, k)| rows[[i, k]] / units[k]);
    let normal = rows.t().dot(&rows) + Array2::<f64>::eye(PARTS.len()) * RIDGE;
    let right = rows.t().dot(&Array1::ones(models.len())).insert_axis(ndarray::Axis(1));
    let cholesky = Cholesky::new(normal.view())?.context("the models do not tell the prices apart")?;
    let solved = cholesky.solve(right.view())?;
    let mut prices: Prices = [0.0; PARTS.len()];
    for ((price, &solved), unit) in prices.iter_mut().zip(&solved).zip(units) {
        *price = (solved / unit * 100.0).round() / 100.0;
    }
    Ok(prices)
}

/// The largest relative error of prices.
#[must_use]
pub fn worst(models: &[Counted], prices: &Prices) -> f64 {
    let error = |model: &Counted| {
        let sum: f64 = model.parts.iter().zip(prices).map(|(count, price)| count * price).sum();
        (sum / model.instructions - 1.0).abs()
    };
    models.iter().map(error).fold(0.0, f64::max)
}

/// The source of the table, with new prices on these boards. Boards that the table lacks are added.
#[must_use]
pub fn source(fitted: &[(&'static Board, [Prices; 3])]) -> String {
    let priced: Vec<_> = BOARDS
        .iter()
        .filter_map(|board| {
            let new = fitted.iter().find(|(fitted, _)| fitted.name == board.name).map(|(_, prices)| prices);
            let old = CORES.iter().find(|core| core.board == board.name).map(|core| &core.prices);
            Some((board, new.or(old)?))
        })
        .collect();
    let mut text = format!(
        "//! The prices. Made by `cargo xtask bench --costs`; not to be edited.\n\nuse super::Core;\n\n\
         /// Every core, in the order of the boards.\n#[rustfmt::skip]\npub static CORES: [Core; {}] = [\n",
        priced.len()
    );
    for (board, prices) in priced {
        let _ = writeln!(text, "    Core {{\n        board: {:?},\n        name: {:?},", board.name, board.core);
        text += "        prices: [\n";
        for of_precision in prices {
            let list: Vec<String> = of_precision.iter().map(|price| format!("{price:?}")).collect();
            let _ = writeln!(text, "            [{}],", list.join(", "));
        }
        text += "        ],\n    },\n";
    }
    text + "];\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also that every board of the table is there, under the name of its core.
    #[test]
    fn without_new_prices_the_table_stays_as_it_is() {
        assert_eq!(source(&[]), include_str!("../../trainer/src/design/cost/table.rs"));
    }

    #[test]
    fn a_board_that_the_table_lacks_is_added() {
        let Some(board) = BOARDS.iter().find(|board| CORES.iter().all(|core| core.board != board.name)) else {
            return;
        };
        let text = source(&[(board, [[1.5; PARTS.len()]; 3])]);
        assert!(text.contains(&format!("[Core; {}]", CORES.len() + 1)), "{text}");
        assert!(text.contains(&format!("board: {:?}", board.name)), "{text}");
    }
}
