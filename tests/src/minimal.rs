//! The library alone, linked for a board with some precisions built in: what it costs, and that it cannot panic.
//!
//! The program is `firmware-cortexm/src/bin/minimal.rs`. It has no startup code, no logging and no model, so that all of its
//! flash is code and constants of firmware-core and of what it calls (`memcpy`, arithmetic that the core lacks). Its panic
//! handler calls a function that exists nowhere: it links only where nothing can panic.

use anyhow::{Context as _, Result};
use firmware_core::Precision;
use trainer::artifact::precision::NamedPrecision;

use crate::boards::Board;
use crate::elf::{self, Size};
use crate::firmware;
use crate::provision::Toolchain;

/// What of the library a program calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `eval_into` of a model that is there, without grids.
    Evaluation,
    /// The same with grids.
    GridEvaluation,
    /// The first with sine layers.
    SineEvaluation,
    /// `parse`, `self_test` and every form of evaluation, without grids.
    Library,
    /// The same with grids.
    GridLibrary,
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
    /// Links the program.
    ///
    /// # Errors
    ///
    /// Where it does not build: with an undefined symbol `the_library_can_panic` where the library can panic.
    pub fn link(toolchain: &Toolchain, board: &Board, precisions: &[Precision], scope: Scope) -> Result<Self> {
        let mut command = firmware::package_command(toolchain, "build", board, firmware::PACKAGE);
        let scope_feature = match scope {
            Scope::Evaluation => "minimal-evaluation",
            Scope::GridEvaluation => "minimal-evaluation,grid",
            Scope::SineEvaluation => "minimal-evaluation,sine",
            Scope::Library => "minimal",
            Scope::GridLibrary => "minimal,grid",
        };
        let precisions: Vec<_> = precisions.iter().map(|&precision| NamedPrecision(precision).name()).collect();
        let precisions = precisions.join(",");
        command.args(["--bin", "minimal", "--no-default-features", "--features"]);
        command.arg(format!("{scope_feature},{precisions}"));
        let elf = firmware::build(command, "minimal")
            .with_context(|| format!("the library alone does not link for {} in {precisions}", board.name))?;
        Ok(Self { size: elf::size(&elf)?, symbols: elf::symbols(&elf)? })
    }
}
