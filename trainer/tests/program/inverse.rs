//! `trainer inverse` as a user meets it: three problems to their pictures and artifacts, and one sentence for each
//! thing that can be wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::desk::program;

fn trainer(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program")
}

fn refuse(arguments: &[&str]) -> String {
    let output = trainer(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(!text.contains("panicked"), "{text}");
    let sentences: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    let [sentence] = sentences[..] else { panic!("not one sentence: {text}") };
    let mut parts: Vec<&str> = sentence.split(": ").collect();
    parts.dedup();
    assert_eq!(parts.join(": "), sentence, "nothing is said twice");
    sentence.to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

const SMALL: [&str; 8] = ["--quick", "--json", "--steps", "4", "--width", "8", "--frequencies", "8"];

#[test]
fn every_problem_ends_in_a_table_a_picture_and_an_artifact() {
    let folder = tempfile::tempdir().expect("a folder");
    for (problem, inputs) in [("ct", 2), ("mri", 3), ("shape", 3)] {
        let out = folder.path().join(problem);
        let arguments = [&["inverse", problem, "--out", text(&out)][..], &SMALL].concat();
        let output = trainer(&arguments);
        assert!(output.status.success(), "{problem}: {}", String::from_utf8_lossy(&output.stderr));
        let object: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let kinds: Vec<&str> = object["mappings"]
            .as_array()
            .expect("mappings")
            .iter()
            .filter_map(|row| row["mapping"]["kind"].as_str())
            .collect();
        assert_eq!(kinds, ["none", "basic", "positional", "gaussian"], "{problem}");
        assert!(object["mappings"][0]["scores"][0].is_number() && object["artifact_scores"][0].is_number());
        let kept: Value = serde_json::from_slice(&fs::read(out.join("comparison.json")).expect("kept")).expect("JSON");
        assert_eq!(kept, object, "{problem}: what is printed is what is kept");
        assert!(fs::read(out.join("comparison.png")).expect("a picture").starts_with(b"\x89PNG"));
        let model = fs::read(out.join("model.ffm")).expect("an artifact");
        assert_eq!(model.len() as u64, object["artifact_bytes"].as_u64().expect("a number"));
        let inspected = trainer(&["inspect", text(&out.join("model.ffm")), "--json"]);
        let card: Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
        assert_eq!(card["inputs"].as_array().map(Vec::len), Some(inputs), "{problem}: {card}");
        assert!(refuse(&arguments).contains("--force"), "{problem}: what is there is kept");
        let again = trainer(&[&arguments[..], &["--force"]].concat());
        assert_eq!(again.stdout, output.stdout, "{problem}: the same seed, the same numbers");
        let said = refuse(&[&arguments[..], &["--force", "--scale-factor", "1e9"]].concat());
        assert!(said.contains("--scale-factor"), "{said}");
        assert!(out.join("checkpoint_none.safetensors").exists(), "{problem}: refused before anything is removed");
    }
}

#[test]
fn a_mesh_that_cannot_be_used_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let binary = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/meshes/binary.stl")).expect("a mesh");
    for (name, bytes, words) in [
        ("cut.stl", &binary[..binary.len() / 2], ["no sound STL", "export"]),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", ["no faces", "triangles"]),
        ("empty.obj", b"", ["no faces", "triangles"]),
        ("nan.obj", b"v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", ["not finite", "repair"]),
        ("mesh.txt", b"", ["must end in", ".stl"]),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let said = refuse(&["inverse", "shape", "--mesh", text(&path), "--out", text(&out), "--quick"]);
        assert!(said.contains(name) && words.iter().all(|word| said.contains(word)), "{said}");
    }
    let said = refuse(&["inverse", "shape", "--mesh", "missing.stl", "--out", text(&out), "--quick"]);
    assert!(said.contains("missing.stl (check its name"), "{said}");
    assert!(!out.exists(), "nothing was made");
}

#[test]
fn impossible_sizes_are_refused_and_leave_no_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let said = refuse(&["inverse", "ct", "--size", "0", "--out", text(&out)]);
    assert!(said.contains("--size is 0") && said.contains("16 to 512"), "{said}");
    // The first mapping has no frequencies; it is not trained before the others are known to be possible.
    for problem in ["ct", "mri", "shape"] {
        assert!(refuse(&["inverse", problem, "--frequencies", "0", "--out", text(&out)]).contains("--frequencies"));
    }
    assert!(refuse(&["inverse", "mri", "--rate-factor", "0", "--out", text(&out)]).contains("--rate-factor"));
    let too_small = "not all frequencies round to zero";
    for (factor, words) in [("1e9", "no frequency is beyond 32767"), ("1e-9", too_small), ("1e-20", too_small)] {
        let said = refuse(&["inverse", "ct", "--scale-factor", factor, "--out", text(&out)]);
        assert!(said.contains("--scale-factor is ") && said.contains(words), "{said}");
    }
    const NOT: &str = ", not a negative one";
    for (option, range) in [("--steps", " from 1"), ("--seed", NOT), ("--size", NOT), ("--frequencies", NOT)] {
        let said = refuse(&["inverse", "ct", option, "-5", "--out", text(&out)]);
        assert!(said.contains(&format!("give a whole number{range}")), "{said}");
    }
    let sheet = folder.path().join("sheet.obj");
    fs::write(&sheet, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nf 1 3 2\n").expect("written");
    let said = refuse(&["inverse", "shape", "--mesh", text(&sheet), "--out", text(&out)]);
    assert!(said.contains("sheet.obj: it has no thickness along z"), "{said}");
    assert!(!out.exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_resume_ends_like_a_comparison_that_was_not_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = |name: &str| folder.path().join(name);
    let inverse = |name: &str| {
        let mut command = program();
        command.args(["inverse", "ct", "--quick", "--size", "32", "--width", "24", "--frequencies", "16"]);
        command.args(["--steps", "400", "--out"]);
        command.arg(out(name));
        command
    };
    let silent = std::process::Stdio::null;
    let mut child = inverse("stopped").stdout(silent()).stderr(silent()).spawn().expect("the program");
    // In the middle of the second mapping.
    while !out("stopped").join("checkpoint_basic.safetensors").exists() {
        assert_eq!(child.try_wait().expect("a process"), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    assert!(!out("stopped").join("model.ffm").exists(), "it was stopped before the end");

    assert!(trainer(&["inverse", "--resume", text(&out("stopped"))]).status.success());
    assert!(inverse("whole").output().expect("the program").status.success());
    for name in ["model.ffm", "comparison.json", "comparison.png"] {
        let [stopped, whole] = ["stopped", "whole"].map(|run| fs::read(out(run).join(name)).expect(name));
        assert!(stopped == whole, "{name}");
    }
    let said = refuse(&["inverse", "--resume", text(&out("nothing"))]);
    assert!(said.contains("nothing is not the folder of a run"), "{said}");
}

#[test]
fn a_comparison_goes_on_with_its_own_mesh_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, mesh) = (folder.path().join("out"), folder.path().join("solid.obj"));
    let solid =
        |height: f64| format!("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 {height}\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n");
    fs::write(&mesh, solid(1.0)).expect("written");
    // Named as it is seen from its own directory, continued from another.
    let mut command = program();
    command.current_dir(folder.path()).args(["inverse", "shape", "--mesh", "solid.obj", "--out", "out"]).args(SMALL);
    let output = command.output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(trainer(&["inverse", "--resume", text(&out)]).status.success());
    fs::write(&mesh, solid(2.0)).expect("written");
    assert!(refuse(&["inverse", "--resume", text(&out)]).contains("resume with the same file"));
}
