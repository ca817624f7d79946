//! The same bits on host and device, on points of all kinds.

use firmware_core::{OutputActivation, Outside, Precision};
use tests::boards::BOARDS;
use tests::commands::parity::{PRECISIONS, check};
use tests::synthetic::{Network, Values};
use tests::{device, points, synthetic_grids};

use crate::firmware;

#[track_caller]
fn agrees(board: &str, network: &Network, samples: usize) {
    let report = check(&firmware(board), network, samples, 1).unwrap();
    assert_eq!((report.samples, report.mismatched), (samples, 0), "{network:?} on {board}");
}

#[test]
fn f32_agrees_on_100_000_points() {
    agrees("mps2-an386", &Network::tiny(Precision::F32), 100_000);
}

#[test]
fn w8a16_agrees_on_100_000_points() {
    agrees("mps2-an386", &Network::tiny(Precision::W8A16), 100_000);
}

#[test]
fn w16a16_agrees_on_100_000_points() {
    agrees("mps2-an386", &Network::tiny(Precision::W16A16), 100_000);
}

#[test]
fn every_board_agrees_in_every_precision() {
    for board in BOARDS {
        for precision in PRECISIONS {
            agrees(board.name, &Network::tiny(precision), 2000);
        }
    }
}

#[test]
fn every_board_agrees_on_sine_layers() {
    for board in BOARDS {
        for precision in PRECISIONS {
            let sines = Network::tiny_sine(precision);
            agrees(board.name, &sines, 2000);
            agrees(board.name, &Network { values: Values::Extreme, ..sines }, 1000);
        }
    }
}

/// Half of these points lie beyond the domain or at its edges, along the axis that wraps and along the one that clamps.
#[test]
fn every_board_agrees_on_which_axis_wraps() {
    for board in BOARDS {
        agrees(board.name, &Network { periodic: 0b10, ..Network::tiny(Precision::W8A16) }, 4000);
    }
}

#[test]
fn every_board_agrees_on_grids_and_tables() {
    for board in BOARDS {
        for precision in PRECISIONS {
            for (name, network) in synthetic_grids::all_kinds(precision) {
                let samples = if precision == Precision::F32 && !board.has_fpu { 50 } else { 200 };
                let report = check(&firmware(board.name), &network, samples, 1).unwrap();
                assert_eq!((report.samples, report.mismatched), (samples, 0), "{name} on {}", board.name);
            }
        }
    }
}

#[test]
fn how_far_the_device_is_can_be_watched() {
    let artifact = Network::small(Precision::W8A16).artifact(1).unwrap();
    let points = points::all_kinds(&artifact.model().unwrap(), 40_000, 1);
    let mut told = Vec::new();
    let report =
        device::evaluate_watched(&firmware("mps2-an386"), &artifact, &points, &mut |done| told.push(done)).unwrap();
    assert_eq!((report.samples, report.mismatched), (40_000, 0));
    assert!(told.is_sorted() && told.iter().all(|&done| done <= 40_000), "{told:?}");
    assert!(told.iter().any(|&done| (1..40_000).contains(&done)), "{told:?}");
}

#[test]
fn other_shapes_and_borders_agree() {
    for precision in PRECISIONS {
        let tiny = Network::tiny(precision);
        let networks = [
            Network { outside: Outside::Periodic, activation: OutputActivation::Sigmoid, ..tiny.clone() },
            Network { outside: Outside::Reject, ..tiny.clone() },
            Network { periodic: 0b01, ..tiny.clone() },
            Network { outside: Outside::Reject, periodic: 0b0101, inputs: 4, ..tiny.clone() },
            Network { inputs: 1, passthrough: 0, outputs: 1, hidden: vec![], ..tiny.clone() },
            Network { inputs: 5, frequencies: 0, passthrough: 5, outputs: 16, hidden: vec![33, 7, 40], ..tiny.clone() },
            Network { frequencies: 64, passthrough: 0, hidden: vec![64, 64, 64], ..tiny },
        ];
        for network in &networks {
            agrees("mps2-an386", network, 2000);
        }
    }
}
