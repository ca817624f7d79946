//! The same bits on host and device, on points of all kinds.

use firmware_core::{OutputActivation, Outside, Precision};
use tests::boards::BOARDS;
use tests::commands::parity::check;
use tests::synthetic::{Network, PRECISIONS, Values};
use tests::{device, grid_networks, points, together};

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

/// Half of the points of each network lie beyond the domain or at its edges.
#[track_caller]
fn all_agree(board: &str, networks: &[Network], samples: usize) {
    let artifacts: Vec<_> = networks.iter().map(|network| network.artifact(1).unwrap()).collect();
    let mismatched = together::mismatched(&firmware(board), &artifacts, samples, 1).unwrap();
    assert_eq!(mismatched.len(), networks.len());
    for (network, mismatched) in networks.iter().zip(mismatched) {
        assert_eq!(mismatched, 0, "{network:?} on {board}");
    }
}

/// Axes that clamp, an axis that wraps beside one that clamps, and sine layers, also of extreme values.
#[test]
fn every_board_agrees_in_every_precision() {
    for board in BOARDS {
        for precision in PRECISIONS {
            let (tiny, sines) = (Network::tiny(precision), Network::tiny_sine(precision));
            let wrapping = Network { periodic: 0b10, ..tiny.clone() };
            let extreme = Network { values: Values::Extreme, ..sines.clone() };
            let samples = if precision == Precision::F32 && !board.has_fpu { 200 } else { 1000 };
            all_agree(board.name, &[tiny, wrapping, sines, extreme], samples);
        }
    }
}

#[test]
fn every_board_agrees_on_grids_and_tables() {
    for board in BOARDS {
        for precision in PRECISIONS {
            let networks: Vec<_> =
                grid_networks::all_kinds(precision).into_iter().map(|(_, network)| network).collect();
            let samples = if precision == Precision::F32 && !board.has_fpu { 50 } else { 200 };
            all_agree(board.name, &networks, samples);
        }
    }
}

#[test]
fn how_far_the_device_is_can_be_watched() {
    /// Enough for a second or so, since the harness looks every tenth of one.
    const SAMPLES: usize = 8_000;
    let artifact = Network::small(Precision::W8A16).artifact(1).unwrap();
    let points = points::all_kinds(&artifact.model().unwrap(), SAMPLES, 1);
    let mut told = Vec::new();
    let report =
        device::evaluate_watched(&firmware("mps2-an386"), &artifact, &points, &mut |done| told.push(done)).unwrap();
    assert_eq!((report.samples, report.mismatched), (SAMPLES, 0));
    assert!(told.is_sorted() && told.iter().all(|&done| done <= SAMPLES as u64), "{told:?}");
    assert!(told.iter().any(|&done| (1..SAMPLES as u64).contains(&done)), "{told:?}");
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
        all_agree("mps2-an386", &networks, 1000);
    }
}
