//! Models travel from `trainer sign` over an emulated serial line into the flash of a device.

use std::fs;
use std::path::Path;
use std::process::Command;

use firmware_core::Precision;
use tempfile::TempDir;
use tests::boards::{Board, DEFAULT};
use tests::synthetic::Network;
use tests::updater::{self, Device};
use tests::{provision, trainer_program};

/// Runs the trainer in a folder: its success and what it says.
fn run(trainer: &Path, folder: &Path, words: &[&str]) -> (bool, String) {
    let output = Command::new(trainer).args(words).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).trim_end().to_owned())
}

#[test]
fn a_device_takes_what_its_maker_has_signed() {
    let (toolchain, board, trainer) = (
        provision::all([Board::find(DEFAULT).unwrap()]).unwrap(),
        Board::find(DEFAULT).unwrap(),
        trainer_program::build().unwrap(),
    );
    let desk = TempDir::new().unwrap();
    let run = |words: &[&str]| run(&trainer, desk.path(), words);
    // Kept from run to run: the program holds the maker's public key, and would be linked anew for another one.
    let maker = Path::new(env!("CARGO_TARGET_TMPDIR")).join("maker.key");
    let [maker, public] = ["key", "key.pub"].map(|end| maker.with_extension(end).display().to_string());
    if !Path::new(&public).is_file() {
        // Half of a pair is left where the test was killed while the pair was made.
        drop(fs::remove_file(&maker));
        assert!(run(&["key", &maker]).0);
    }
    assert!(run(&["key", "other.key"]).0);
    let mut checksums = Vec::new();
    for (name, seed, version, key) in
        [("one", 1, "1", maker.as_str()), ("two", 2, "2", &maker), ("forged", 3, "3", "other.key")]
    {
        let artifact = Network::tiny(Precision::W8A16).artifact(seed).unwrap();
        checksums.push(artifact.model().unwrap().checksum());
        let [model, signed] = ["ffm", "ffu"].map(|end| format!("{name}.{end}"));
        fs::write(desk.path().join(&model), artifact.as_bytes()).unwrap();
        let (signs, said) = run(&["sign", &model, "--key", key, "--version", version, "--out", &signed]);
        assert!(signs, "{said}");
    }

    let elf = updater::elf(&toolchain, board, Path::new(&public)).unwrap();
    let device = Device::start(board, elf).unwrap();
    let send = |signed: &str| run(&["send", signed, "--port", &device.port]);
    let said = |served: &str, before: &str| (true, format!("the device serves {served}; before, it served {before}"));
    assert_eq!(send("one.ffu"), said("version 1", "no model"));
    assert_eq!(send("two.ffu"), said("version 2", "version 1"));
    for (signed, reason) in
        [("one.ffu", "older version: the device takes version 3"), ("forged.ffu", "wrong signature")]
    {
        let (is_sent, said) = send(signed);
        assert!(!is_sent && said.contains(reason), "{said}");
    }

    let log: Vec<String> = device.stop().unwrap().iter().map(|line| line.message.clone()).collect();
    let served: Vec<&String> = log.iter().filter(|line| line.starts_with("serving")).collect();
    assert!(served[0].starts_with("serving nothing"), "{log:?}");
    let expected =
        |version: u16| format!("serving version={version} checksum={:#010x}", checksums[usize::from(version) - 1]);
    assert_eq!(served[1..], [&expected(1), &expected(2)], "{log:?}");
}
