//! The instructions that `trainer design` estimates, against exact counts of models that the prices were not fitted to.

use firmware_core::Precision;
use tests::boards::Board;
use tests::costs::{FITTED, TESTED, count, worst};
use trainer::design::cost::{CORES, place};

use crate::firmware;

/// The largest relative error.
const LIMIT: f64 = 0.05;

fn agrees(board: &str, precision: Precision, seeds: std::ops::Range<u64>) {
    let core = CORES.iter().find(|core| core.board == board).unwrap();
    let models = count(&firmware(board), precision, seeds).unwrap();
    let worst = worst(&models, &core.prices[place(precision)]);
    assert!(worst < LIMIT, "{board}, {precision:?}: {:.2} %", 100.0 * worst);
}

#[test]
fn instructions_of_thirty_models_are_known_before_they_are_trained() {
    const { assert!(TESTED.end - TESTED.start == 30 && TESTED.start >= FITTED.end) };
    agrees("mps2-an386", Precision::W8A16, TESTED);
}

#[test]
fn every_core_and_precision_has_its_prices() {
    for core in &CORES {
        let board = Board::find(core.board).unwrap();
        assert_eq!(board.core, core.name);
        // Without an FPU the software's instructions depend on the numbers.
        for precision in [Precision::F32, Precision::W8A16, Precision::W16A16]
            .into_iter()
            .filter(|&precision| precision != Precision::F32 || board.has_fpu)
        {
            agrees(board.name, precision, TESTED.start..TESTED.start + 3);
        }
    }
}
