//! The example of the library for C, compiled by Arm's GCC: the same bits on the boards as on the host.

use tempfile::TempDir;
use tests::boards::Board;
use tests::c_library::{ALL_FEATURES, Library};
use tests::c_program::{self, Compiler};
use tests::synthetic::Network;
use tests::synthetic::PRECISIONS;
use tests::{device, elf, flash, model, points, provision};

const SAMPLES: usize = 2000;

/// Exports the library for a board; compiles and runs the example with a network of each precision.
fn agrees(board: &str) -> TempDir {
    let board = Board::find(board).unwrap();
    provision::all([board]).unwrap();
    let compiler = Compiler::board(board).unwrap();
    let folder = TempDir::new().unwrap();
    let library = Library { target: board.target, cpu: None, features: ALL_FEATURES };
    let archive = library.export(folder.path()).unwrap().display().to_string();
    for precision in PRECISIONS {
        let artifact = Network::tiny(precision).artifact(3).unwrap();
        let model = artifact.model().unwrap();
        let points = points::all_kinds(&model, SAMPLES, 4);
        c_program::put(folder.path(), &artifact, &points).unwrap();
        let files = ["-Iinclude", "-I.", "example/example.c", "model.c", &archive];
        let program = compiler.compile_for_board(board, folder.path(), &files).unwrap();
        let actual = c_program::run_on_board(board, &program, folder.path()).unwrap();
        let expected = model::evaluate(&model, &points).unwrap();
        assert_eq!(actual.len(), expected.len(), "{precision:?} on {}", board.name);
        assert_eq!(device::mismatched(&expected, &actual, model.outputs()), 0, "{precision:?} on {}", board.name);
    }
    folder
}

#[test]
fn a_cortex_m0_agrees() {
    agrees("microbit");
}

#[test]
fn a_cortex_m3_agrees() {
    agrees("mps2-an385");
}

/// The library for this core is also linked alone, which shows what it costs and that it cannot panic.
#[test]
fn a_cortex_m4f_agrees_and_the_library_is_small_and_cannot_panic() {
    let folder = agrees("mps2-an386");
    let board = Board::find("mps2-an386").unwrap();
    let archive = folder.path().join(format!("lib/{}/libffm.a", board.target));
    let program = flash::link_c(board, folder.path(), &archive, &[]).unwrap();
    let size = elf::size(&program).unwrap();
    println!("flash {} bytes, RAM {} bytes", size.flash_bytes, size.ram_bytes);
    assert_eq!(size.ram_bytes, 0);
    // All precisions, grids and sine layers; firmware-core/README.md has the sizes of fewer.
    assert!((16_000..21_500).contains(&size.flash_bytes), "{size:?}");
    let symbols = elf::symbols(&program).unwrap();
    assert!(symbols.iter().any(|symbol| symbol == "ffm_eval_fixed"), "{symbols:?}");
    let panics: Vec<_> =
        symbols.iter().filter(|name| name.contains("panic") || name.contains("begin_unwind")).collect();
    assert!(panics.is_empty(), "{panics:?}");
}
