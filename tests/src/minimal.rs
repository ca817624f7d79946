//! The library alone, or updates alone, linked for a board with some features built in: what they cost, and that they
//! cannot panic.
//!
//! The programs are `firmware-cortexm/src/bin/minimal.rs` and `minimal_update.rs`. They have no startup code, no
//! logging and no model, so that all of their flash is code and constants of the library and of what it calls
//! (`memcpy`, arithmetic that the core lacks). Their panic handler calls a function that exists nowhere: they link only
//! where nothing can panic.

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
    /// Updates: `Store` and `Updater`. With the feature `ed25519` the signatures are a part of them, of which nothing
    /// is shown about panics.
    Update,
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
    /// Links the program with features of firmware-cortexm: precisions, `grid`, `sine` and `ed25519`, separated by
    /// commas.
    ///
    /// # Errors
    ///
    /// Where it does not build: with an undefined symbol `the_library_can_panic` where the library can panic.
    pub fn link(toolchain: &Toolchain, board: &Board, scope: Scope, features: &str) -> Result<Self> {
        let mut command = firmware::package_command(toolchain, "build", board, firmware::PACKAGE);
        let (program, scope_feature) = match scope {
            Scope::Evaluation => ("minimal", "minimal-evaluation"),
            Scope::Library => ("minimal", "minimal"),
            Scope::Update => ("minimal_update", "minimal-update"),
        };
        command.args(["--bin", program, "--no-default-features", "--features"]);
        command.arg(format!("{scope_feature},{features}"));
        let elf = firmware::build(command, program)
            .with_context(|| format!("{program} does not link for {} with {features}", board.name))?;
        Ok(Self { size: elf::size(&elf)?, symbols: elf::symbols(&elf)? })
    }
}
