//! `cargo xtask device` as a user runs it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use firmware_core::Precision;
use tempfile::TempDir;
use tests::synthetic::Network;
use trainer::data::npy;

/// A model with one output, and a grid of 30 rows and 40 columns to evaluate it on.
fn files(folder: &Path) {
    let network = Network { outputs: 1, ..Network::tiny(Precision::W8A16) };
    fs::write(folder.join("model.ffm"), network.artifact(5).unwrap().as_bytes()).unwrap();
    let values: Vec<f32> = (0..1200).map(|k| k as f32).collect();
    npy::write(&mut File::create(folder.join("grid.npy")).unwrap(), &[30, 40], &values).unwrap();
}

fn device(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("device").args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn one_json_object_and_the_outputs_in_the_grids_shape() {
    let folder = TempDir::new().unwrap();
    files(folder.path());
    let output = device(folder.path(), &["model.ffm", "grid.npy", "--out", "out.npy", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["board"], "mps2-an386");
    assert_eq!(summary["samples"], 1200);
    assert_eq!(summary["mismatched"], 0);
    for key in ["psnr_db", "instructions_per_sample", "flash_bytes", "model_bytes", "ram_bytes", "stack_bytes"] {
        assert!(summary[key].as_f64().is_some_and(f64::is_finite), "{key} in {summary}");
    }
    // The scratch of this model, not that of the largest one, and no second one.
    assert!(summary["ram_bytes"].as_f64().is_some_and(|bytes| bytes < 1024.0), "{summary}");
    let outputs = npy::read(&fs::read(folder.path().join("out.npy")).unwrap()).unwrap();
    assert_eq!(outputs.shape, [30, 40]);
}

#[test]
fn unfit_input_is_one_sentence() {
    let folder = TempDir::new().unwrap();
    files(folder.path());
    for (arguments, part) in [
        (["nothing.ffm", "grid.npy"], "nothing.ffm"),
        (["grid.npy", "grid.npy"], "not a model"),
        (["model.ffm", "model.ffm"], "model.ffm"),
    ] {
        let output = device(folder.path(), &arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(message.starts_with("error: ") && message.contains(part), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
