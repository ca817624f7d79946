//! The board table against the memory layouts.

use tests::boards::{BOARDS, Board, DEFAULT};
use tests::firmware;

#[test]
fn every_board_has_a_memory_layout() {
    for board in BOARDS {
        let path = firmware::workspace().join("firmware-cortexm/memory").join(format!("{}.x", board.name));
        assert!(path.is_file(), "{} is missing", path.display());
    }
}

#[test]
fn the_default_board_exists_and_others_are_named() {
    assert!(Board::find(DEFAULT).is_ok());
    let error = Board::find("arduino").unwrap_err().to_string();
    assert!(error.contains("\"arduino\"") && error.contains("microbit"), "{error}");
}
