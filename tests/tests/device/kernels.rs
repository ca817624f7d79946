//! Every core's kernels against the portable ones, on the core itself.

use std::time::Duration;

use firmware_core::Precision;
use firmware_core::artifact::HiddenActivation;
use firmware_cortexm::protocol::Mode;
use tests::boards::{BOARDS, Board, Emulator};
use tests::firmware::Firmware;
use tests::qemu::{self, Task};
use tests::synthetic::PRECISIONS;
use tests::synthetic::{Network, Values};
use tests::{counts, grid_networks, together};

use crate::firmware;

const LENGTHS: std::ops::RangeInclusive<u16> = 1..=67;
/// Random points for each network; `cargo xtask parity` takes as many as one wants.
const SAMPLES: usize = 150;
const LIMIT: Duration = Duration::from_secs(600);

/// Every length, or on a core whose kernels another board has too every fifth, so that every remainder of a division
/// into blocks occurs.
fn lengths(board: &Board) -> impl Iterator<Item = u16> + use<> {
    LENGTHS.step_by(if board.stands_for_its_kernels() { 1 } else { 5 })
}

/// Layers of n rows and of n inputs, and encoders of n frequencies; one to three coordinates, none or all passed
/// through.
fn shape(precision: Precision, n: u16, values: Values) -> Network {
    let inputs = 1 + (n % 3) as u8;
    let (passthrough, outputs) = (if n.is_multiple_of(2) { inputs } else { 0 }, 1 + (n % 5) as u8);
    Network { inputs, frequencies: n, passthrough, hidden: vec![4, n, 3], outputs, values, ..Network::tiny(precision) }
}

/// Evaluates `samples` points with each network, as many networks in one run as the board's memory holds.
#[track_caller]
fn kernels_agree(firmware: &Firmware, networks: impl Iterator<Item = Network>, samples: usize) -> usize {
    let artifacts: Vec<_> =
        networks.enumerate().map(|(seed, network)| network.artifact(seed as u64).unwrap()).collect();
    let runs = together::work(firmware, &artifacts, |_, bytes| {
        qemu::work(firmware, Task::of_mode(Mode::Compare, bytes, samples), LIMIT)
    });
    let mut evaluations = 0;
    for (_, run) in runs.unwrap() {
        let line = run.line("compared").unwrap();
        assert_eq!(line.value::<usize>("mismatched").unwrap(), 0, "{}: {}", firmware.board.name, run.log_text());
        evaluations += line.value::<usize>("evaluations").unwrap();
    }
    assert_eq!(evaluations, samples * artifacts.len());
    evaluations
}

#[test]
fn every_core_agrees_with_itself_on_random_evaluations_of_every_length() {
    for board in BOARDS {
        let firmware = firmware(board.name);
        let mut evaluations = 0;
        for precision in [Precision::W8A16, Precision::W16A16] {
            let networks = LENGTHS.map(|n| shape(precision, n, Values::Random));
            evaluations += kernels_agree(&firmware, networks, SAMPLES);
        }
        assert!(evaluations >= 20_000);
        if board.has_fpu {
            kernels_agree(&firmware, LENGTHS.map(|n| shape(Precision::F32, n, Values::Random)), 20);
        }
    }
}

#[test]
fn every_core_agrees_with_itself_on_grids() {
    let of = |precision| grid_networks::all_kinds(precision).into_iter().map(|(_, network)| network);
    let of_values = |values| PRECISIONS.into_iter().flat_map(of).map(move |network| Network { values, ..network });
    for board in BOARDS {
        kernels_agree(&firmware(board.name), [Values::Random, Values::Extreme].into_iter().flat_map(of_values), 20);
    }
}

#[test]
fn every_core_agrees_with_itself_on_extreme_values() {
    for board in BOARDS {
        let of = |precision| lengths(&board).map(move |n| shape(precision, n, Values::Extreme));
        kernels_agree(&firmware(board.name), PRECISIONS.into_iter().flat_map(of), 20);
    }
}

/// The kernels for sine layers are those of the other layers but for what follows a sum.
#[test]
fn every_core_agrees_with_itself_on_sine_layers() {
    for board in BOARDS {
        let agree = |precisions: &[Precision], samples| {
            let of_values = |(&precision, values)| {
                let hidden_activation = HiddenActivation::Sine;
                lengths(&board).map(move |n| Network { hidden_activation, ..shape(precision, n, values) })
            };
            let all =
                precisions.iter().flat_map(|precision| [(precision, Values::Random), (precision, Values::Extreme)]);
            kernels_agree(&firmware(board.name), all.flat_map(of_values), samples);
        };
        agree(&[Precision::W8A16, Precision::W16A16], 30);
        agree(&[Precision::F32], if board.has_fpu { 20 } else { 5 });
    }
}

/// A table is all grid, so that its counts are those of grids alone, from coordinates to sums.
#[test]
fn the_grids_of_riscv_take_a_fraction_of_the_portable_ones_instructions() {
    let (precision, mut tables) = (Precision::W8A16, 0);
    for board in BOARDS.iter().filter(|board| board.emulator() == Emulator::RiscV && board.stands_for_its_kernels()) {
        let firmware = firmware(board.name);
        for (name, network) in grid_networks::all_kinds(precision) {
            if network.hidden.is_empty() {
                let ratio = counts::count(&firmware, precision, "", &network).unwrap()[0].portable_ratio;
                let least = if network.inputs == 2 { 2.5 } else { 1.6 };
                assert!(ratio >= least, "{}, {name}: {ratio:.2}", board.name);
                tables += 1;
            }
        }
    }
    assert!(tables > 30, "{tables}");
}

/// With the profile of the firmware the portable kernels take at least so many times the instructions of those for
/// RISC-V.
#[test]
fn the_kernels_of_riscv_take_a_fraction_of_the_portable_ones_instructions() {
    let mut least = f64::INFINITY;
    for board in BOARDS.iter().filter(|board| board.emulator() == Emulator::RiscV) {
        for precision in [Precision::W8A16, Precision::W16A16] {
            let small = Network::small(precision);
            for network in [Network { hidden_activation: HiddenActivation::Sine, ..small.clone() }, small] {
                let ratio = counts::count(&firmware(board.name), precision, "", &network).unwrap()[0].portable_ratio;
                println!("{}, {precision:?}, {:?}: {ratio:.2}", board.name, network.hidden_activation);
                least = least.min(ratio);
            }
        }
    }
    assert!(least >= 1.5, "{least}");
}
