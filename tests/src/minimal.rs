//! The library alone, linked for a board with some features built in: what it costs, and that it cannot panic.
//!
//! The program is `firmware-cortexm/src/bin/minimal.rs`. It has no startup code, no logging and no model, so that all of its
//! flash is code and constants of firmware-core and of what it calls (`memcpy`, arithmetic that the core lacks). Its panic
//! handler calls a function that exists nowhere: it links only where nothing can panic.

use anyhow::{Context as _, Result};

use crate::boards::Board;
use crate::elf::{self, Size};
use crate::firmware;
use crate::provision::Toolchain;

/// What of the library a program calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `eval_into` of a model that is there.
    Evaluation,
    /// `parse`, `self_test` and every form of evaluation.
    Library,
}

/// A linked program.
#[derive(Clone, Debug)]
pub struct Minimal {
    /// Code and constants in flash, variables in RAM.
    pub size: Size,
    /// Every symbol.
    pub symbols: Vec<String>,
}

impl Minimal {
    /// Links the program with features of firmware-core: precisions, `grid` and `sine`, separated by commas.
    ///
    /// # Errors
    ///
    /// Where it does not build: with an undefined symbol `the_library_can_panic` where the library can panic.
    pub fn link(toolchain: &Toolchain, board: &Board, scope: Scope, features: &str) -> Result<Self> {
        let mut command = firmware::package_command(toolchain, "build", board, firmware::PACKAGE);
        let scope_feature = match scope {
            Scope::Evaluation => "minimal-evaluation",
            Scope::Library => "minimal",
        };
        command.args(["--bin", "minimal", "--no-default-features", "--features"]);
        command.arg(format!("{scope_feature},{features}"));
        let elf = firmware::build(command, "minimal")
            .with_context(|| format!("the library alone does not link for {} with {features}", board.name))?;
        Ok(Self { size: elf::size(&elf)?, symbols: elf::symbols(&elf)? })
    }
}
