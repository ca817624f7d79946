//! The examples of the device package run, and say what the library computes on this machine.

use std::time::Duration;

use firmware_core::{Aligned, Model};
use tests::boards::Board;
use tests::firmware::Firmware;
use tests::{provision, qemu};

static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../firmware-core/models/thermocouple.ffm"));

/// What an example logs: the temperatures of a ramp of voltages.
fn expected() -> Vec<String> {
    let model = Model::parse(&MODEL.0).unwrap();
    let mut scratch = vec![0; model.scratch_words()];
    let mut report = |measurement| {
        let (millivolts, mut celsius) = (6.25 * measurement as f32, [0.0]);
        model.eval_into(&[millivolts], &mut scratch, &mut celsius).unwrap();
        format!("{millivolts:?} mV: {:?} degC", celsius[0])
    };
    (0..8).map(&mut report).collect()
}

#[test]
fn every_example_reports_the_same_temperatures() {
    let board = Board::find("mps2-an386").unwrap();
    let toolchain = provision::all([board]).unwrap();
    for example in [("bare", false), ("rtic", true), ("embassy", true)] {
        let firmware = Firmware::example(&toolchain, board, example).unwrap();
        let run = qemu::run_baked(&firmware, Duration::from_secs(60)).unwrap().success().unwrap();
        let lines: Vec<String> = run.log.iter().map(|line| line.message.clone()).collect();
        assert_eq!(lines, expected(), "{example:?}");
    }
}

/// The emulator has no counter of cycles; a real core has.
#[test]
fn the_example_that_counts_cycles_says_where_it_cannot() {
    let board = Board::find("mps2-an386").unwrap();
    let firmware = Firmware::example(&provision::all([board]).unwrap(), board, ("cycles", false)).unwrap();
    let run = qemu::run_baked(&firmware, Duration::from_secs(60)).unwrap().success().unwrap();
    assert_eq!(run.log.len(), 1);
    assert!(run.log_text().contains("cycle counter"), "{}", run.log_text());
}
