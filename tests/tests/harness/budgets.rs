//! The library alone on every board: it cannot panic, does not allocate, and keeps to its budgets.

use firmware_core::Precision;
use tests::boards::{BOARDS, Board, DEFAULT};
use tests::budgets::{
    EVALUATION_FLASH_BYTES, GRID_EVALUATION_FLASH_BYTES, HEAP_SYMBOLS, SINE_EVALUATION_FLASH_BYTES, UPDATE_FLASH_BYTES,
    small_network_ram_bytes,
};
use tests::c_library::ALL_FEATURES;
use tests::elf::Size;
use tests::minimal::{Minimal, Scope};
use tests::provision::{self, Toolchain};
use tests::synthetic::Network;
use tests::synthetic::PRECISIONS;
use trainer::artifact::precision::NamedPrecision;

/// The program links only where the optimizer has removed every panic of `parse`, `self_test` and all forms of
/// evaluation.
#[test]
fn the_library_cannot_panic_allocates_nothing_and_keeps_no_variables() {
    let toolchain = provision::toolchain().unwrap();
    for board in BOARDS {
        let library = Minimal::link(&toolchain, &board, Scope::Library, ALL_FEATURES).unwrap();
        let place = board.name;
        assert!(library.symbols.iter().any(|symbol| symbol == "_start"), "no symbols to look at on {place}");
        for symbol in &library.symbols {
            let is_heap = HEAP_SYMBOLS.iter().any(|heap| symbol == heap || symbol.contains("__rust_alloc"));
            assert!(!is_heap, "{symbol} on {place}");
            assert!(!symbol.contains("panicking"), "{symbol} on {place}");
        }
        assert_eq!(library.size.ram_bytes, 0, "variables on {place}");
    }
}

/// Without `ed25519` the program links only where nothing of an update can panic.
#[test]
fn updates_keep_to_their_flash_and_keep_no_variables() {
    let toolchain = provision::toolchain().unwrap();
    for (name, [update, signed]) in UPDATE_FLASH_BYTES {
        let board = Board::find(name).unwrap();
        for (features, budget) in [("w8a16", update), ("w8a16,ed25519", signed)] {
            let program = Minimal::link(&toolchain, board, Scope::Update, features).unwrap();
            let Size { flash_bytes, ram_bytes } = program.size;
            println!("{features} on {}: {flash_bytes} bytes of flash", board.core);
            assert!(
                (budget / 2..=budget).contains(&flash_bytes),
                "{features} on {name} takes {flash_bytes} bytes of flash; the budget is {budget}"
            );
            assert_eq!(ram_bytes, 0, "variables with {features} on {name}");
            let is_heap = |symbol: &String| HEAP_SYMBOLS.iter().any(|heap| symbol == heap);
            assert!(!program.symbols.iter().any(is_heap), "{features} on {name} has a heap");
        }
    }
}

/// Bytes of flash of `eval_into` in one precision with further features.
fn evaluation(toolchain: &Toolchain, board: &Board, precision: Precision, further: &str) -> u64 {
    let features = format!("{}{further}", NamedPrecision(precision));
    Minimal::link(toolchain, board, Scope::Evaluation, &features).unwrap().size.flash_bytes
}

#[test]
fn an_evaluation_keeps_to_its_flash() {
    let (toolchain, board) = (provision::toolchain().unwrap(), Board::find(DEFAULT).unwrap());
    for precision in PRECISIONS {
        let flash_bytes = evaluation(&toolchain, board, precision, "");
        assert!(
            (1024..=EVALUATION_FLASH_BYTES).contains(&flash_bytes),
            "{precision:?} takes {flash_bytes} bytes of flash; the budget is {EVALUATION_FLASH_BYTES}"
        );
    }
}

#[test]
fn an_evaluation_with_grids_keeps_to_its_flash() {
    let (toolchain, board) = (provision::toolchain().unwrap(), Board::find(DEFAULT).unwrap());
    for precision in PRECISIONS {
        let flash_bytes = evaluation(&toolchain, board, precision, ",grid");
        assert!(
            (1024..=GRID_EVALUATION_FLASH_BYTES).contains(&flash_bytes),
            "{precision:?} takes {flash_bytes} bytes of flash; the budget is {GRID_EVALUATION_FLASH_BYTES}"
        );
    }
}

#[test]
fn an_evaluation_with_sine_layers_keeps_to_its_flash() {
    let (toolchain, board) = (provision::toolchain().unwrap(), Board::find(DEFAULT).unwrap());
    for precision in PRECISIONS {
        let flash_bytes = evaluation(&toolchain, board, precision, ",sine");
        assert!(
            (1024..=SINE_EVALUATION_FLASH_BYTES).contains(&flash_bytes),
            "{precision:?} takes {flash_bytes} bytes of flash; the budget is {SINE_EVALUATION_FLASH_BYTES}"
        );
    }
}

/// The library has no variables, as the first test shows.
#[test]
fn the_small_network_keeps_to_its_ram() {
    for precision in PRECISIONS {
        let artifact = Network::small(precision).artifact(0).unwrap();
        let model = artifact.model().unwrap();
        let (ram_bytes, budget) =
            (4 * (model.scratch_words() + model.outputs()) as u64, small_network_ram_bytes(precision));
        assert!(ram_bytes <= budget, "{precision:?} takes {ram_bytes} bytes of RAM; the budget is {budget}");
    }
}
