//! Tests that run the firmware on emulated boards. One program, so that each firmware is built once.

mod baked;
mod boot;
mod c;
mod command;
mod costs;
mod cryo;
mod draw;
mod examples;
mod hosted;
mod kernels;
mod parity;
mod update;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tests::boards::Board;
use tests::firmware::Firmware;
use tests::provision;

/// The firmware of a board, for models from outside.
fn firmware(board: &str) -> Arc<Firmware> {
    static BUILT: Mutex<Option<HashMap<String, Arc<Firmware>>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let build = || {
        let board = Board::find(board).unwrap();
        Arc::new(Firmware::build(&provision::all([board]).unwrap(), board, None).unwrap())
    };
    built.get_or_insert_default().entry(board.to_owned()).or_insert_with(build).clone()
}
