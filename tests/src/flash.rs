//! The flash that the library takes with some features built in, for Rust and for C: the tables of firmware-core's
//! README.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::boards::Board;
use crate::c_library::Library;
use crate::c_program::Compiler;
use crate::elf;
use crate::firmware::workspace;
use crate::minimal::{Minimal, Scope};
use crate::provision::Toolchain;

/// What is built in, from one precision alone to everything.
const FEATURES: [&str; 12] = [
    "w8a16",
    "w8a16,grid",
    "w8a16,sine",
    "w16a16",
    "w16a16,grid",
    "w16a16,sine",
    "f32",
    "f32,grid",
    "f32,sine",
    "w8a16,w16a16,f32",
    "w8a16,w16a16,f32,grid",
    "w8a16,w16a16,f32,grid,sine",
];

/// Bytes of flash with some features, without startup, logging and model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flash {
    /// What is built in.
    pub features: &'static str,
    /// `parse`, `self_test` and every form of evaluation.
    pub library: u64,
    /// `eval_into` alone.
    pub evaluation: u64,
    /// All functions of `ffm.h` that evaluate, and `ffm_parse`, `ffm_self_test` and `ffm_eval` alone; none where no
    /// compiler for C is known for the board.
    pub c: Option<[u64; 2]>,
}

/// Links the library for a board with each set of features.
///
/// # Errors
///
/// Where a compiler is missing and may not be installed, or something does not link.
pub fn measure(toolchain: &Toolchain, board: &Board) -> Result<Vec<Flash>> {
    let of_features = |features| {
        eprintln!("{} ({}), {features}", board.name, board.core);
        let [library, evaluation] = [Scope::Library, Scope::Evaluation]
            .map(|scope| Minimal::link(toolchain, board, scope, features).map(|program| program.size.flash_bytes));
        let c = board.target.starts_with("thumb").then(|| of_c(board, features)).transpose()?;
        Ok(Flash { features, library: library?, evaluation: evaluation?, c })
    };
    FEATURES.into_iter().map(of_features).collect()
}

/// The flash of the two programs in C.
fn of_c(board: &Board, features: &str) -> Result<[u64; 2]> {
    let folder = TempDir::new()?;
    let cpu = board.target_cpu.filter(|_| board.target.starts_with("thumbv8m.main"));
    let archive = Library { target: board.target, cpu, features }.export(folder.path())?;
    let flash_of = |options: &[&str]| -> Result<u64> {
        Ok(elf::size(&link_c(board, folder.path(), &archive, options)?)?.flash_bytes)
    };
    Ok([flash_of(&[])?, flash_of(&["-DONLY_USUAL"])?])
}

/// Links a program in C that has all functions of an export, and nothing else. The option `-DONLY_USUAL` leaves it
/// those that most programs call. Returns the ELF file.
///
/// # Errors
///
/// Where Arm's GCC is missing and may not be installed, or the program does not link.
pub fn link_c(board: &Board, export: &Path, archive: &Path, options: &[&str]) -> Result<Vec<u8>> {
    let source = workspace().join("tests/tests/device/c/everything.c").display().to_string();
    let archive = archive.display().to_string();
    let mut arguments = vec!["-Iinclude", "-Wno-cast-function-type", "-nostdlib"];
    arguments.extend(options);
    arguments.extend([source.as_str(), &archive]);
    let program = Compiler::board(board)?.compile(export, &arguments)?;
    fs::read(&program).with_context(|| format!("cannot read {}", program.display()))
}

/// The rows of a board as text.
#[must_use]
pub fn table(board: &Board, rows: &[Flash]) -> String {
    let mut text = format!(
        "{} ({}); bytes of flash, without startup, logging and model\n  {:27} {:>8} {:>10} {:>9} {:>11}\n",
        board.name, board.core, "features", "library", "evaluation", "all of C", "usual of C"
    );
    for Flash { features, library, evaluation, c } in rows {
        let [all, usual] = c.map(|bytes| bytes.map(|bytes| bytes.to_string())).unwrap_or_default();
        let _ = writeln!(text, "  {features:27} {library:8} {evaluation:10} {all:>9} {usual:>11}");
    }
    text
}
