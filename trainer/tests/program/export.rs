//! `trainer export` as a user meets it. `tests/tests/harness/c_interface.rs` compiles what it writes.

use std::fs;
use std::path::Path;
use std::process::Output;

use firmware_core::Outside;

use crate::desk::program;
use crate::plane::Plane;

fn export(folder: &Path, arguments: &str) -> Output {
    let mut command = program();
    command.current_dir(folder).arg("export").args(arguments.split(' ')).output().expect("the program")
}

/// The bytes of the array in a source.
fn bytes(source: &str) -> Vec<u8> {
    let words = source.split([' ', ',', '\n']).filter_map(|word| word.strip_prefix("0x"));
    words.flat_map(|word| u32::from_str_radix(word, 16).unwrap().to_le_bytes()).collect()
}

#[test]
fn the_array_has_the_bytes_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    // A text that would end the comment.
    let card = "seed: \"*/ #error\"\n";
    let plane = Plane { slopes: [0.5, 0.25], height: 0.0, outside: Outside::Clamp, training_psnr_db: f32::NAN, card }
        .artifact();
    fs::write(folder.path().join("model.ffm"), &plane).unwrap();

    let output = export(folder.path(), "model.ffm --c firmware/src");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(folder.path().join("firmware/src").join(name)).unwrap();
    let (header, source) = (read("model.h"), read("model.c"));
    assert_eq!(bytes(&source), plane);
    for line in ["#define MODEL_INPUTS 2", "#define MODEL_OUTPUTS 1", &format!("#define MODEL_BYTES {}", plane.len())] {
        assert!(header.lines().any(|found| found == line), "{line} is not in:\n{header}");
    }
    assert!(header.contains("extern const uint32_t model_ffm[MODEL_BYTES / 4];"), "{header}");
    assert!(header.contains("* / #error") && !header.contains("*/ #error"), "{header}");

    let output = export(folder.path(), "model.ffm --c . --name plane --json");
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["model_bytes"], plane.len());
    assert!(fs::read_to_string(folder.path().join("plane.h")).unwrap().contains("PLANE_SCRATCH_WORDS"));
}

#[test]
fn what_cannot_be_exported_is_told_in_one_sentence_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("2.ffm"), b"no model").unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    for (arguments, part) in [
        ("2.ffm --c out", "--name"),
        ("2.ffm --c out --name type-k", "\"type-k\" cannot be a name in C"),
        ("2.ffm --c out --name k", "2.ffm is not a usable model"),
        ("none.ffm --c out", "cannot read none.ffm"),
    ] {
        let output = export(folder.path(), arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(part) && message.lines().count() == 1, "{message}");
        assert!(!folder.path().join("out").exists());
    }
}
