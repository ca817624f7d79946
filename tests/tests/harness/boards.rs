//! The board table against the memory layouts.

use tests::boards::{BOARDS, Board, DEFAULT, REAL_BOARDS};
use tests::firmware;

#[test]
fn every_board_has_a_memory_layout() {
    for name in BOARDS.iter().map(|board| board.name).chain(REAL_BOARDS.iter().map(|board| board.name)) {
        let path = firmware::workspace().join("firmware-cortexm/memory").join(format!("{name}.x"));
        assert!(path.is_file(), "{} is missing", path.display());
    }
}

#[test]
fn no_two_boards_share_their_builds() {
    for (index, board) in BOARDS.iter().enumerate() {
        let like = |other: &&Board| (other.target, other.target_cpu) == (board.target, board.target_cpu);
        assert_eq!(BOARDS[..index].iter().find(like), None, "like {}", board.name);
    }
}

#[test]
fn the_default_board_exists_and_others_are_named() {
    assert!(Board::find(DEFAULT).is_ok());
    let error = Board::find("arduino").unwrap_err().to_string();
    assert!(error.contains("\"arduino\"") && error.contains("microbit"), "{error}");
}

#[test]
fn a_real_board_is_told_its_commands() {
    let error = Board::find("stm32f407").unwrap_err().to_string();
    for part in [
        "RUSTFLAGS=\"-C target-cpu=cortex-m4\" MODEL=path/to/model.ffm BOARD=stm32f407 cargo build",
        "--target thumbv7em-none-eabihf --features rtt`",
        "probe-rs run --chip STM32F407VGTx target/thumbv7em-none-eabihf/firmware/firmware-cortexm`",
        "choose one of microbit",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = Board::find("esp32c3").unwrap_err().to_string();
    assert!(error.contains("esp-hal") && error.contains("riscv32imc-unknown-none-elf"), "{error}");
    assert!(REAL_BOARDS.iter().all(|board| BOARDS.iter().any(|like| like.name == board.like)));
}
