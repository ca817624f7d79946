//! What the tests of the program share: a folder to work in, the program, and what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use trainer::data::npy;

/// The path of the program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_trainer");

/// The program, without arguments.
pub(crate) fn program() -> Command {
    Command::new(PROGRAM)
}

/// Runs the program in a folder; spaces part the arguments.
pub(crate) fn trainer(folder: impl AsRef<Path>, arguments: &str) -> Output {
    program().current_dir(folder).args(arguments.split(' ')).output().expect("the trainer starts")
}

/// What it says on standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The object that a command prints which succeeds.
#[track_caller]
pub(crate) fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// The one sentence of a failure, below what may have been said of the data.
#[track_caller]
pub(crate) fn failure(output: &Output) -> String {
    let text = said(output).trim_end().to_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{text}");
    assert!(text.matches("error: ").count() == 1 && !text.contains("panicked"), "{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{text}");
    last.to_owned()
}

/// A folder with files. The tests of a command add what they need of it.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// An array as NumPy writes it.
    pub(crate) fn put_array<T: npy::Writable>(&self, name: &str, shape: &[usize], values: &[T]) -> PathBuf {
        let mut bytes = Vec::new();
        npy::write(&mut bytes, shape, values).expect("writes to memory");
        self.put(name, &bytes)
    }
}
