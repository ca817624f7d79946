//! A program with its model built in, as it goes onto real boards.

use std::fs;
use std::time::Duration;

use firmware_core::Precision;
use tempfile::TempDir;
use tests::boards::Board;
use tests::firmware::Firmware;
use tests::synthetic::Network;
use tests::{golden, provision, qemu};

#[test]
fn a_built_in_model_is_served() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.ffm");
    fs::write(&path, Network::tiny(Precision::W16A16).artifact(4).unwrap().as_bytes()).unwrap();
    let board = Board::find("microbit").unwrap();
    let firmware = Firmware::build(&provision::all([board]).unwrap(), board, Some(&path)).unwrap();
    let run = qemu::run_baked(&firmware, Duration::from_secs(60)).unwrap().success().unwrap();
    golden::check("built-in", &run.log).unwrap();
}
