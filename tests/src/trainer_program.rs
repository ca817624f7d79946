//! The program `trainer`, built beside this one.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result};

use crate::{firmware, process};

/// Builds the program and returns its path.
///
/// # Errors
///
/// Where cargo fails, after its own messages.
pub fn build() -> Result<PathBuf> {
    let mut command = process::cargo("build");
    command
        // With this package among the selected ones, cargo builds the dependencies as it did for this program.
        .args(["--package", "trainer", "--package", "tests", "--bin", "trainer", "--bin", "xtask"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(firmware::workspace())
        .stdin(Stdio::null());
    let messages = process::capture(&mut command)?;
    firmware::executable(&messages, "trainer")
        .with_context(|| format!("`{}` named no program", process::describe(&command)))
}
