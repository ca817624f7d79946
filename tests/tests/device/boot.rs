//! What the firmware accepts and refuses at boot, word for word.

use std::time::Duration;

use firmware_core::Precision;
use tests::qemu::{self, Run, Task};
use tests::synthetic::Network;
use tests::{golden, points};

use crate::firmware;
use trainer::artifact::export::Artifact;

const LIMIT: Duration = Duration::from_secs(60);

fn tiny() -> Artifact {
    Network::tiny(Precision::W8A16).artifact(2).unwrap()
}

/// Runs an artifact on ten points, and compares exit code and log.
#[track_caller]
fn boots(name: &str, board: &str, model: &[u8], exit_code: i32) -> Run {
    let points = points::all_kinds(&tiny().model().unwrap(), 10, 3);
    let run = qemu::work(&firmware(board), Task::evaluate(model, &points, 10), LIMIT).unwrap();
    assert_eq!(run.exit_code, Some(exit_code), "{}", run.log_text());
    golden::check(name, &run.log).unwrap();
    run
}

#[test]
fn a_sound_model_is_served() {
    let run = boots("served", "mps2-an386", tiny().as_bytes(), 0);
    assert_eq!(run.outputs.len(), 10 * 3);
}

#[test]
fn a_damaged_model_is_refused() {
    let mut model = tiny().as_bytes().to_vec();
    let middle = model.len() / 2;
    model[middle] ^= 0x10;
    let run = boots("damaged", "mps2-an386", &model, 1);
    assert!(run.outputs.is_empty());
}

#[test]
fn a_model_that_is_cut_short_is_refused() {
    let model = tiny();
    boots("cut", "mps2-an386", &model.as_bytes()[..model.as_bytes().len() - 4], 1);
}

#[test]
fn a_model_of_a_newer_version_is_refused() {
    let mut model = tiny().as_bytes().to_vec();
    model[4] = 99;
    boots("newer", "mps2-an386", &model, 1);
}

/// The checksum is right, but the device computes other answers than the trainer noted.
#[test]
fn a_model_with_other_known_answers_is_refused() {
    let mut model = tiny().as_bytes().to_vec();
    model[16] ^= 1;
    let checksum = crc32(&[&model[..12], &model[16..]].concat());
    model[12..16].copy_from_slice(&checksum.to_le_bytes());
    boots("known-answer", "mps2-an386", &model, 1);
}

#[test]
fn a_network_beyond_the_boards_scratch_is_refused() {
    let wide = Network { hidden: vec![1024], ..Network::tiny(Precision::F32) }.artifact(0).unwrap();
    boots("scratch", "microbit", wide.as_bytes(), 1);
}

#[test]
fn a_model_beyond_the_boards_memory_is_refused_by_the_host() {
    let error =
        qemu::work(&firmware("microbit"), Task::evaluate(&[0; 200 << 10], &[], 0), LIMIT).unwrap_err().to_string();
    assert!(error.contains("204800 bytes") && error.contains("microbit"), "{error}");
}

#[test]
fn missing_points_are_a_failure() {
    let run = qemu::work(&firmware("mps2-an386"), Task::evaluate(tiny().as_bytes(), &[0.5; 4], 10), LIMIT).unwrap();
    assert_eq!(run.exit_code, Some(1));
    golden::check("missing-points", &run.log).unwrap();
    assert!(run.success().unwrap_err().to_string().contains("exit code 1"));
}

#[test]
fn a_run_beyond_its_limit_is_stopped() {
    let points = points::all_kinds(&tiny().model().unwrap(), 100_000, 3);
    let limit = Duration::from_millis(1);
    let error =
        qemu::work(&firmware("mps2-an386"), Task::evaluate(tiny().as_bytes(), &points, 100_000), limit).unwrap_err();
    assert!(error.to_string().contains("was stopped"), "{error}");
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| shift(crc)))
}
