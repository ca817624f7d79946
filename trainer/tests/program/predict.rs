//! `trainer predict` as a user meets it.

use std::fs;
use std::path::Path;
use std::process::Output;

use firmware_core::Outside;
use serde_json::Value;
use tempfile::TempDir;
use trainer::data::npy;

use crate::desk::program;
use crate::plane::Plane;

/// A plane that rises by 0.5 along x and by 0.25 along y.
fn model(outside: Outside, card: &str) -> Vec<u8> {
    Plane { slopes: [0.5, 0.25], height: 0.0, outside, training_psnr_db: f32::NAN, card }.artifact()
}

fn expected(x: f64, y: f64) -> f64 {
    10.0 + 4.0 * (0.5 * (2.0 * x / 4.0 - 1.0) + 0.25 * (2.0 * y / 2.0 - 1.0))
}

/// A folder with a model of each kind.
fn desk() -> TempDir {
    let desk = tempfile::tempdir().expect("a directory");
    for (name, outside, text) in [
        ("m.ffm", Outside::Clamp, ""),
        ("r.ffm", Outside::Reject, ""),
        ("o.ffm", Outside::Clamp, "input_origins: [500000.0,0.0]\noutput_origins: [1000000.25]\n"),
    ] {
        fs::write(desk.path().join(name), model(outside, text)).expect("a file");
    }
    desk
}

fn predict(desk: &TempDir, arguments: &str) -> Output {
    let mut command = program();
    command.current_dir(desk.path()).arg("predict").args(arguments.split(' ')).output().expect("the program")
}

fn put(desk: &TempDir, name: &str, text: &str) {
    fs::write(desk.path().join(name), text).expect("a file");
}

fn put_npy(desk: &TempDir, name: &str, shape: &[usize], values: &[f64]) {
    let mut bytes = Vec::new();
    npy::write(&mut bytes, shape, values).expect("writes to memory");
    fs::write(desk.path().join(name), bytes).expect("a file");
}

fn read_npy(path: &Path) -> npy::NpyArray {
    npy::read(&fs::read(path).expect("a file")).expect("an array")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn failure(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty() && said.starts_with("error: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// The last column of a CSV, and the lines before it.
fn values(csv: &str) -> Vec<(String, f64)> {
    let split = |line: &str| line.rsplit_once(',').map(|(point, value)| (point.to_owned(), value.parse().unwrap()));
    csv.lines().skip(1).filter_map(split).collect()
}

#[test]
fn a_table_an_array_and_the_command_line_give_the_same() {
    let desk = desk();
    put(&desk, "p.csv", "name,y,x\na,0.25,1\nb,1,3\nc,0,0.125\n");
    let printed = text(&predict(&desk, "m.ffm p.csv"));
    assert!(printed.starts_with("x,y,value\n1,0.25,"), "{printed}");
    let found = values(&printed);
    let points = [(1.0, 0.25), (3.0, 1.0), (0.125, 0.0)];
    assert_eq!(found.len(), 3);
    for ((_, value), (x, y)) in found.iter().zip(points) {
        // Features have sixteen bits.
        assert!((value - expected(x, y)).abs() < 4.0 / 32_767.0, "{value} at {x}, {y}");
    }
    assert_eq!(text(&predict(&desk, "m.ffm --at 1,0.25 --at 3,1 --at 0.125,0")), printed);

    put_npy(&desk, "p.npy", &[3, 2], &[1.0, 0.25, 3.0, 1.0, 0.125, 0.0]);
    assert_eq!(text(&predict(&desk, "m.ffm p.npy")), printed);
    put_npy(&desk, "one.npy", &[2], &[3.0, 1.0]);
    assert_eq!(values(&text(&predict(&desk, "m.ffm one.npy"))), found[1..2]);
    put(&desk, "one.csv", "x,y\n3,1\n");
    assert_eq!(values(&text(&predict(&desk, "m.ffm one.csv"))), found[1..2]);

    let said = text(&predict(&desk, "m.ffm p.npy --out v.npy"));
    assert!(said.contains("3 points"), "{said}");
    let array = read_npy(&desk.path().join("v.npy"));
    assert_eq!(array.shape, [3, 1]);
    for (stored, (_, value)) in array.values.iter().zip(&found) {
        assert_eq!(*stored as f32, *value as f32);
    }
    text(&predict(&desk, "m.ffm p.csv -o v.csv"));
    assert_eq!(fs::read_to_string(desk.path().join("v.csv")).unwrap(), printed);

    let object: Value = serde_json::from_str(&text(&predict(&desk, "m.ffm --json --at 3,1"))).unwrap();
    assert_eq!((&object["points"], &object["inputs"]), (&1.into(), &serde_json::json!(["x", "y"])));
    assert_eq!(object["values"][0][0].as_f64(), Some(found[1].1));
    let object: Value = serde_json::from_str(&text(&predict(&desk, "m.ffm p.csv --json --out v.csv"))).unwrap();
    assert_eq!((&object["out"], object.get("values")), (&"v.csv".into(), None));
}

#[test]
fn points_beyond_the_domain_are_counted_or_named() {
    let desk = desk();
    put(&desk, "p.csv", "x,y\n1,0.5\n9,0.5\n3,0.5\n2,-1\n");
    let output = predict(&desk, "m.ffm p.csv");
    let found = values(&text(&output));
    assert_eq!(found[1].1, found[2].1, "at the border");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("2 of 4 points lie outside the domain") && said.lines().count() == 1, "{said}");
    assert!(said.contains("x is 9 in row 2, counted from 1, and the domain is 0 to 3"), "{said}");

    let said = failure(&predict(&desk, "r.ffm p.csv --out v.npy"));
    assert!(said.contains("p.csv: 2 of 4 points") && said.contains("rows 2, 4 (x is 9 in row 2"), "{said}");
    assert!(!desk.path().join("v.npy").exists());
    text(&predict(&desk, "r.ffm --at 3,1"));
}

#[test]
fn origins_are_subtracted_and_added_in_double_precision() {
    let desk = desk();
    // Single precision knows eighths of 500000 no finer than 1/32, and of a million no finer than 1/16.
    put(&desk, "p.csv", "x,y\n500000.123,0.5\n500003,1\n");
    let printed = text(&predict(&desk, "o.ffm p.csv"));
    for ((_, value), (x, y)) in values(&printed).iter().zip([(0.123, 0.5), (3.0, 1.0)]) {
        assert!((value - 1_000_000.25 - expected(x, y)).abs() < 4.0 / 32_767.0, "{printed}");
    }
    assert!(printed.contains("\n500000.123,0.5,"), "{printed}");
    put_npy(&desk, "p.npy", &[2, 2], &[500_000.123, 0.5, 500_003.0, 1.0]);
    text(&predict(&desk, "o.ffm p.npy --out v.npy"));
    let stored = read_npy(&desk.path().join("v.npy")).values;
    assert_eq!(stored, values(&printed).iter().map(|(_, value)| *value).collect::<Vec<_>>());
    let said = String::from_utf8(predict(&desk, "o.ffm --at 500009,0").stderr).unwrap();
    assert!(said.contains("x is 500009 in row 1, counted from 1, and the domain is 500000 to 500003"), "{said}");
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let desk = desk();
    put(&desk, "p.csv", "x,y\n1,0.5\n2,\n");
    put(&desk, "other.csv", "x,height\n1,0.5\n");
    put(&desk, "p.png", "\u{89}PNG");
    put_npy(&desk, "wide.npy", &[2, 3], &[0.0; 6]);
    for (arguments, words) in [
        ("m.ffm p.csv", "p.csv: line 3, column 'y'"),
        ("m.ffm other.csv", "no column 'y', which is an input of the model; its columns are x, height"),
        ("m.ffm wide.npy", "the shape [2, 3]; points for this model are an array of n rows and 2 columns (x, y)"),
        ("m.ffm p.png", "neither an .npy array"),
        ("m.ffm nothing.csv", "nothing.csv (check its name"),
        ("p.csv p.csv", "not a usable model"),
        ("m.ffm --at 1", "--at has 1 numbers, and the model has 2 inputs (x, y)"),
        ("m.ffm --at 1,b", "give a number for each input"),
        ("m.ffm", "required"),
        ("m.ffm p.csv --at 1,1", "cannot be used with"),
        ("m.ffm other.csv --out v.txt", "a .csv or an .npy; name it so"),
        ("m.ffm p.csv --out p.csv", "would be written over"),
    ] {
        let said = failure(&predict(&desk, arguments));
        assert!(said.contains(words), "{arguments}: {said}");
    }
}
