//! Comments end at column 120, as code does: rustfmt breaks lines of code alone.

use std::path::Path;

use crate::imports::read;

/// Where a line ends.
const COLUMNS: usize = 120;

/// The numbers of the lines, counted from 1, whose comment goes on beyond the last column. Rows of tables and lines of
/// fenced blocks cannot be broken.
fn too_long(text: &str) -> Vec<usize> {
    let mut is_fenced = false;
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            is_fenced = false;
            continue;
        };
        let comment = comment.trim_start_matches(['/', '!']).trim_start();
        is_fenced ^= comment.starts_with("```");
        if line.chars().count() > COLUMNS && !is_fenced && !comment.starts_with('|') {
            found.push(number);
        }
    }
    found
}

#[test]
fn comments_end_at_column_120() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut faults = Vec::new();
    for package in ["trainer", "firmware-core", "firmware-cortexm", "tests"] {
        for folder in ["src", "tests", "examples", "benches"].map(|folder| root.join(package).join(folder)) {
            for (path, text) in if folder.is_dir() { read(&folder) } else { Vec::new() } {
                let path = folder.join(path);
                let line = |number| format!("{}:{number}: break this comment at column {COLUMNS}", path.display());
                faults.extend(too_long(&text).into_iter().map(line));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_can_be_broken_is_told_from_what_cannot() {
    let (long, rest) = ("x".repeat(COLUMNS - 4), "y");
    assert_eq!(too_long(&format!("//! {long}\n    // {long}\nlet a = \"{long}{long}\";")), [2]);
    assert_eq!(too_long(&format!("/// {long}{rest}\n/// | {long}{rest} |")), [1]);
    let fenced = format!("//! ```text\n//! {long}{rest}\n//! ```\n//! {long}{rest}");
    assert_eq!(too_long(&fenced), [4]);
    assert_eq!(too_long(&format!("// {}", "σ".repeat(COLUMNS - 3))), [0usize; 0]);
}
