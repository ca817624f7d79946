//! Tests that cannot run on this computer.

use std::io::{self, Write as _};
use std::thread;

/// Says on standard error, past the capture of passing tests, that the calling test compared nothing, and why.
pub fn skipped(why: &str) {
    let test = thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(io::stderr(), "SKIPPED {test}: {why}");
}
