//! Models travel from `trainer sign` over an emulated serial line into the flash of a device.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use firmware_core::Precision;
use tempfile::TempDir;
use tests::boards::{Board, DEFAULT};
use tests::budgets::UPDATE_STACK_BYTES;
use tests::log::Line;
use tests::synthetic::Network;
use tests::updater::{self, Device};
use tests::{provision, trainer_program};

/// A folder with signed models, and the trainer.
struct Desk {
    trainer: PathBuf,
    folder: TempDir,
    /// The file with the maker's public key.
    public_key: String,
    /// The checksums of the models, in the order of their versions.
    checksums: Vec<u32>,
}

impl Desk {
    fn new() -> Self {
        let (trainer, folder) = (trainer_program::build().unwrap(), TempDir::new().unwrap());
        // Kept from run to run: the program holds the maker's public key, and would be linked anew for another one.
        let maker = Path::new(env!("CARGO_TARGET_TMPDIR")).join("maker.key");
        let [maker, public_key] = ["key", "key.pub"].map(|end| maker.with_extension(end).display().to_string());
        let mut desk = Self { trainer, folder, public_key, checksums: Vec::new() };
        if !Path::new(&desk.public_key).is_file() {
            // Half of a pair is left where the test was killed while the pair was made.
            drop(fs::remove_file(&maker));
            assert!(desk.run(&["key", &maker]).0);
        }
        assert!(desk.run(&["key", "other.key"]).0);
        for (name, seed, version, key) in
            [("one", 1, "1", maker.as_str()), ("two", 2, "2", &maker), ("forged", 3, "3", "other.key")]
        {
            let artifact = Network::tiny(Precision::W8A16).artifact(seed).unwrap();
            desk.checksums.push(artifact.model().unwrap().checksum());
            let [model, signed] = ["ffm", "ffu"].map(|end| format!("{name}.{end}"));
            fs::write(desk.folder.path().join(&model), artifact.as_bytes()).unwrap();
            let (signs, said) = desk.run(&["sign", &model, "--key", key, "--version", version, "--out", &signed]);
            assert!(signs, "{said}");
        }
        desk
    }

    /// Runs the trainer in the folder: its success and what it says.
    fn run(&self, words: &[&str]) -> (bool, String) {
        let output = Command::new(&self.trainer).args(words).current_dir(self.folder.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).trim_end().to_owned())
    }

    /// Two updates and two that are refused; the device's log.
    fn update(&self, board: &Board) -> Vec<Line> {
        let toolchain = provision::all([board]).unwrap();
        let elf = updater::elf(&toolchain, board, Path::new(&self.public_key)).unwrap();
        let device = Device::start(board, elf).unwrap();
        let send = |signed: &str| self.run(&["send", signed, "--port", &device.port]);
        let said =
            |served: &str, before: &str| (true, format!("the device serves {served}; before, it served {before}"));
        assert_eq!(send("one.ffu"), said("version 1", "no model"));
        assert_eq!(send("two.ffu"), said("version 2", "version 1"));
        for (signed, reason) in
            [("one.ffu", "older version: the device takes version 3"), ("forged.ffu", "wrong signature")]
        {
            let (is_sent, said) = send(signed);
            assert!(!is_sent && said.contains(reason), "{said}");
        }
        device.stop().unwrap()
    }
}

/// The code of a Cortex-M0 runs on a Cortex-M3 as well. The only M0 that QEMU emulates has another serial line.
#[test]
fn a_device_takes_what_its_maker_has_signed() {
    let desk = Desk::new();
    let m0 = Board { target: "thumbv6m-none-eabi", core: "Cortex-M0", ..*Board::find("mps2-an385").unwrap() };
    for board in [Board::find(DEFAULT).unwrap(), &m0] {
        let log = desk.update(board);
        let served: Vec<&String> =
            log.iter().map(|line| &line.message).filter(|line| line.starts_with("serving")).collect();
        assert!(served[0].starts_with("serving nothing"), "{log:?}");
        let checksums = desk.checksums.iter().zip(1..);
        let expected: Vec<String> = checksums
            .take(2)
            .map(|(checksum, version)| format!("serving version={version} checksum={checksum:#010x}"))
            .collect();
        assert!(served[1..].iter().copied().eq(&expected), "{log:?}");
        check_stack(board, &log);
    }
}

/// Every update tells the deepest stack since it was begun.
fn check_stack(board: &Board, log: &[Line]) {
    let updates: Vec<&Line> = log.iter().filter(|line| line.message.starts_with("updated")).collect();
    assert_eq!(updates.len(), 2, "{log:?}");
    for update in updates {
        println!("{} with the code of a {}: {}", board.name, board.core, update.message);
        let [stack, updater] = ["stack", "updater"].map(|key| update.value::<u64>(key).unwrap());
        let [most_stack, most_updater] = UPDATE_STACK_BYTES;
        assert!((most_updater / 2..=most_updater).contains(&updater), "{updater} bytes; the budget is {most_updater}");
        assert!((most_stack / 2..=most_stack).contains(&stack), "{stack} bytes; the budget is {most_stack}");
    }
}
