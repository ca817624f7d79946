//! The demo as its user runs it, on a small array and for a few steps.

use std::fs;
use std::process::{Command, Output};

use tests::firmware;

fn demo(input: &std::path::Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["demo", "--input"])
        .arg(input)
        .args(["--", "--steps", "40", "--hidden", "16,16", "--frequencies", "16"])
        .output()
        .unwrap()
}

/// An 11 × 13 array of f32.
fn array() -> Vec<u8> {
    let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (11, 13), }");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend((0..143u32).flat_map(|k| ((k * 37 % 29) as f32).to_le_bytes()));
    bytes
}

#[test]
fn a_second_run_shows_the_same_and_makes_the_same_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("selftest-demo.npy");
    fs::write(&input, array()).unwrap();
    let run = firmware::workspace().join("runs/demo-selftest-demo");
    let _ = fs::remove_dir_all(&run);

    let first = demo(&input);
    let text = String::from_utf8_lossy(&first.stdout);
    assert!(first.status.success(), "{text}{}", String::from_utf8_lossy(&first.stderr));
    assert!(text.lines().count() <= 8, "{text}");
    assert!(text.contains("0 of 143 samples"), "{text}");
    let model = fs::read(run.join("model.ffm")).unwrap();
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("mps2-an386"));

    // Trained anew, and kept.
    fs::remove_file(run.join("demo.stamp")).unwrap();
    for _ in 0..2 {
        let again = demo(&input);
        assert_eq!(String::from_utf8_lossy(&again.stdout), text);
        assert_eq!(fs::read(run.join("model.ffm")).unwrap(), model);
    }
    fs::remove_dir_all(&run).unwrap();
}

#[test]
fn a_missing_input_is_one_sentence() {
    let output = demo(std::path::Path::new("no-such-picture.png"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(text.contains("no-such-picture.png") && !text.contains("panicked"), "{text}");
}
