//! `trainer import` as a user meets it, on files that PyTorch wrote (`testdata/import/make.py`).

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use trainer::store::tensors::Tensors;

use crate::desk::program;

fn import(weights: &Path, data: &Path, out: &Path, options: &str) -> Output {
    let mut command = program();
    command.arg("import").arg(weights).arg("--data").arg(data).arg("--out").arg(out);
    command.args(options.split_whitespace()).output().expect("the program")
}

fn weights(name: &str) -> std::path::PathBuf {
    Path::new("testdata/import").join(format!("{name}.safetensors"))
}

/// What a library computed, as a table with columns of other orders and names.
fn table(folder: &Path, name: &str, header: &str, columns: &[(&str, usize)]) -> std::path::PathBuf {
    let tensors = Tensors::read(&weights(&format!("{name}.outputs"))).unwrap();
    let mut text = format!("{header}\n");
    for row in 0..tensors.numbers("points").unwrap().0[0] {
        let cell = |&(of, column): &(&str, usize)| {
            let (shape, values) = tensors.numbers(of).unwrap();
            values[row * shape[1] + column].to_string()
        };
        text += &(columns.iter().map(cell).collect::<Vec<_>>().join(",") + "\n");
    }
    let path = folder.join("known.csv");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_network_of_pytorch_becomes_a_run_that_can_be_trained_on() {
    let desk = tempfile::tempdir().unwrap();
    let columns = [("outputs", 1), ("points", 1), ("outputs", 0), ("points", 0), ("outputs", 2)];
    let data = table(desk.path(), "tancik", "green,v,red,u,blue", &columns);
    let run = desk.path().join("run");
    let options = "--inputs u,v --outputs red,green,blue --precision f32 --json";
    let output = import(&weights("tancik"), &data, &run, options);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("16 frequencies, layers 32 → 24 → 24 → 3, ReLU, linear output"), "{said}");
    assert!(!said.contains("warning"), "{said}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The network itself, and the model in 16 bits of features; targets are f32, read from decimal text.
    assert!(object["network"]["psnr_db"].as_f64().unwrap() > 120.0, "{object}");
    assert!(object["model"]["psnr_db"].as_f64().unwrap() > 85.0, "{object}");
    assert_eq!((object["calibration_samples"].as_u64(), object["measured_samples"].as_u64()), (Some(24), Some(24)));
    for file in ["model.ffm", "network.safetensors", "checkpoint.safetensors", "metrics.json", "report.html"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("imported from testdata/import/tancik.safetensors; its f32 artifact"), "{page}");

    // The run goes on like one of this program: in another precision, and trained on.
    let trainer = |arguments: &[&str]| program().current_dir(desk.path()).args(arguments).output().unwrap();
    let quantized = trainer(&["quantize", "run", "--precision", "w8a16", "--out", "w8.ffm"]);
    assert!(quantized.status.success(), "{}", String::from_utf8_lossy(&quantized.stderr));
    let card = trainer(&["inspect", "w8.ffm"]);
    assert!(String::from_utf8_lossy(&card.stdout).contains("tancik.safetensors"));
    let resumed = trainer(&["fit", "--resume", "run", "--steps", "3", "--json"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    let object: Value = serde_json::from_slice(&resumed.stdout).unwrap();
    assert_eq!(object["steps"], 3);
}

/// The network's range is not the data's, and a sigmoid keeps its own; a run that is resumed has to know.
#[test]
fn a_sigmoid_over_other_units_is_resumed_in_them() {
    let desk = tempfile::tempdir().unwrap();
    let columns = [("points", 0), ("points", 1), ("outputs", 0), ("outputs", 1), ("outputs", 2)];
    let data = table(desk.path(), "pixels", "x,y,r,g,b", &columns);
    let run = desk.path().join("run");
    let output = import(&weights("pixels"), &data, &run, "--inputs x,y --gamma sin-cos --output sigmoid");
    let (said, told) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{said}");
    assert!(told.contains("calibrated on 24 samples of") && told.contains("measured on 24 the same"), "{told}");
    let trainer = program().args(["fit", "--steps", "2", "--resume"]).arg(&run).output();
    let resumed = trainer.unwrap();
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    // A wrong order of the features is found out from the data.
    let output = import(&weights("pixels"), &data, &desk.path().join("other"), "--inputs x,y --output sigmoid");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("with --gamma sin-cos it does"), "{said}");
}

#[test]
fn what_cannot_be_imported_is_one_sentence_and_leaves_nothing() {
    let desk = tempfile::tempdir().unwrap();
    let data = desk.path().join("d.csv");
    fs::write(&data, "x,y,value\n0,0,1\n1,0,2\n0,1,3\n1,1,4\n").unwrap();
    let pickle = desk.path().join("net.pt");
    fs::write(&pickle, b"PK\x03\x04archive/data.pkl").unwrap();
    let cut = desk.path().join("cut.safetensors");
    let whole = fs::read(weights("skip")).unwrap();
    fs::write(&cut, &whole[..whole.len() - 9]).unwrap();
    for (file, options, words) in [
        (&weights("skip"), "", "a skip connection cannot be represented"),
        (&weights("batch_norm"), "--activation relu", "1.running_mean [8]"),
        (
            &weights("siren"),
            "--activation tanh",
            "a device has no tanh: its hidden layers are followed by relu or sine",
        ),
        (&weights("tancik"), "--inputs x", "frequencies of 1 inputs have the shape [m, 1] or [1, m]"),
        (&weights("tancik"), "--map layers.1.b=x", "give PART=NAME, where PART is B"),
        (
            &pickle,
            "",
            "is a ZIP archive, as torch.save and numpy.savez write it, and no safetensors file; convert it with",
        ),
        (&cut, "", "is cut short: its tensors take"),
    ] {
        let out = desk.path().join("out");
        let output = import(file, &data, &out, &format!("{options} --outputs value"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{words}: {said}");
        assert!(!said.contains("EOF") && !out.exists(), "{said}");
    }
    // Weights from elsewhere in the place of a run's.
    let run = desk.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::copy(weights("tancik"), run.join("network.safetensors")).unwrap();
    let mut quantize = program();
    let output = quantize.arg("quantize").arg(&run).args(["--precision", "f32", "--out", "m.ffm"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("holds tensors and no settings of a run") && said.contains("`trainer import "), "{said}");
}
