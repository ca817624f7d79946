//! Finds, and where it may installs, what the firmware's tests need beyond the host's Rust: a compiler with `core` for
//! the boards' targets, emulators, and other programs.

mod apt;
mod compiler;
mod emulator;
mod program;
mod unpacked;

use anyhow::Result;

pub use compiler::{Toolchain, host_target, target, toolchain, toolchain_for};
pub use emulator::{qemu, qemu_program, runner};
pub use program::{arm_gcc, browser, cmake, numpy};

use crate::boards::{Board, Emulator};

/// Finds or installs everything that boards need, saying what it does and why.
///
/// # Errors
///
/// Where something is missing and may not be installed; the message holds the command to type.
pub fn all<'a>(boards: impl IntoIterator<Item = &'a Board>) -> Result<Toolchain> {
    let mut emulators: Vec<Emulator> = boards.into_iter().map(Board::emulator).collect();
    emulators.dedup();
    emulators.into_iter().try_for_each(qemu)?;
    toolchain()
}
