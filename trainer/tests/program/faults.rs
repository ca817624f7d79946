//! `trainer faults` against flips by hand: on a plane, of which every change is known, and on a bundled network, of
//! which every flip can be evaluated directly.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use firmware_core::{Model, Outside};
use serde_json::Value;

use crate::plane::Plane;

/// y = 11.4 + x/2 - 0.4·y for x from 0 to 3 and y from 0 to 1: between 11 at (0, 1) and 12.9 at (3, 0).
const PLANE: Plane<'_> =
    Plane { slopes: [0.25, -0.1], height: 0.5, outside: Outside::Clamp, training_psnr_db: 31.5, card: "" };
const NETWORK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-core/models/thermocouple.ffm");
const CURVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/thermocouple_k.csv");

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::write(desk.path("plane.ffm"), PLANE.artifact()).unwrap();
        let rows: String = (0..4).flat_map(|x| [0, 1].map(|y| format!("{x},{y},12\n"))).collect();
        fs::write(desk.path("points.csv"), format!("x,y,value\n{rows}")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the command; names of files stand for those on the desk.
    fn faults(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.current_dir(self.0.path()).arg("faults").args(arguments.split_whitespace());
        command.output().expect("the trainer starts")
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows of a table, each by the names of its columns.
fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("faults.json")).unwrap()).unwrap()
}

/// Every flip of the file's front and numbers is found by the checksum or before it, and by the re-check.
fn assert_all_are_found(report: &Value) {
    let found = &report["found"];
    let flips = found["flips"].as_u64().unwrap();
    assert_eq!(flips, report["flipped"].as_u64().unwrap() + report["header_bits"].as_u64().unwrap());
    assert_eq!((found["at_boot"].as_u64(), found["by_recheck"].as_u64()), (Some(flips), Some(flips)), "{found}");
    // A CRC-32 finds each single bit. Magic, version and length, of 10 bytes, are looked at before it.
    assert!(flips - found["by_checksum"].as_u64().unwrap() <= 80, "{found}");
}

#[test]
fn flips_of_a_weight_of_a_plane_change_what_its_formula_says() {
    let desk = Desk::new();
    let output = desk.faults("plane.ffm points.csv --out flips");
    assert!(output.status.success(), "{}", said(&output));
    let report = report(&desk.path("flips"));
    assert_all_are_found(&report);
    let [low, high] = [0, 1].map(|k| report["outputs"][0]["range"][k].as_f64().unwrap());
    assert!((10.9..=11.0).contains(&low) && (12.89..=13.0).contains(&high), "{low} to {high}");
    assert!(fs::read(desk.path("flips/faults.png")).unwrap().starts_with(b"\x89PNG"));

    // The weight of u = x/2 - 1 is stored for features of which 32767 is 1; u reaches -1 at x = 0.
    let weight = PLANE.slopes[0] / 32_767.0;
    let of_weight: Vec<_> = rows(&desk.path("flips/faults.csv"))
        .into_iter()
        .filter(|row| row["number"] == "layer 1, weight [0, 0]")
        .collect();
    assert_eq!(of_weight.len(), 32);
    let mut compared = 0;
    for row in of_weight.iter().filter(|row| row["outcome"] == "answered") {
        let bit: u32 = row["number_bit"].parse().unwrap();
        let flipped = f32::from_bits(weight.to_bits() ^ 1 << bit);
        let slope = 32_767.0 * f64::from(flipped);
        let expected = 4.0 * (slope - 0.25).abs();
        let change: f64 = row["change of value"].parse().unwrap();
        // Coordinates that are passed through have steps of 2^-15, and answers near 12 those of 2^-20.
        assert!((change - expected).abs() <= 1e-4 * expected + 4e-6, "bit {bit}: {change}, and {expected} is true");
        let value = |u: f64, w: f64| 12.0 + 4.0 * (slope * u - 0.1 * w);
        let corners = [value(-1.0, -1.0), value(-1.0, 0.0), value(0.5, -1.0), value(0.5, 0.0)];
        let is_beyond = |by: f64| corners.iter().any(|&value| value < low - by || value > high + by);
        assert!(row["outside_range"] == "true" || !is_beyond(1e-3), "bit {bit}: {corners:?}");
        assert!(row["outside_range"] == "false" || is_beyond(-1e-3), "bit {bit}: {corners:?}");
        compared += 1;
    }
    // Of the 32 flips only those to the largest exponents are refused.
    assert!(compared >= 30, "{compared}");
    // The sign: 10 + 4·(-0.25·(-1) - 0.1·(-1) + 0.5) = 13.4 at (0, 0).
    assert!(of_weight.iter().any(|row| row["number_bit"] == "31" && row["outside_range"] == "true"));
}

/// CRC-32 by its definition (IEEE 802.3), bit by bit, of all bytes but those of the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    let mut state = u32::MAX;
    for byte in bytes[..12].iter().chain(&bytes[16..]) {
        state ^= u32::from(*byte);
        for _ in 0..8 {
            state = state >> 1 ^ if state & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !state
}

/// What a model answers at some points, one by one; `None` if its bytes are refused.
fn answers(bytes: &[u8], points: &[f32]) -> Option<Vec<f32>> {
    let mut words = vec![0u32; bytes.len() / 4];
    bytemuck::cast_slice_mut(&mut words).copy_from_slice(bytes);
    let model = Model::parse(bytemuck::cast_slice(&words)).ok()?;
    let answer = |x: &f32| {
        let (mut scratch, mut out) = (vec![0; model.scratch_words()], [0.0]);
        model.eval_into(&[*x], &mut scratch, &mut out).unwrap();
        out[0]
    };
    Some(points.iter().map(answer).collect())
}

#[test]
fn flips_of_a_network_are_those_of_a_direct_evaluation() {
    let desk = Desk::new();
    let output = desk.faults(&format!("{NETWORK} {CURVE} --out flips --time 2"));
    assert!(output.status.success(), "{}", said(&output));
    let report = report(&desk.path("flips"));
    assert_all_are_found(&report);
    assert_eq!((report["bits"].as_u64(), report["samples"].as_u64()), (report["flipped"].as_u64(), Some(138)));

    // The line of units is no number.
    let voltages: Vec<f32> = rows(Path::new(CURVE)).iter().filter_map(|row| row["voltage"].parse().ok()).collect();
    assert_eq!(voltages.len(), 138);
    let bytes = fs::read(NETWORK).unwrap();
    let before = answers(&bytes, &voltages).unwrap();
    let all = rows(&desk.path("flips/faults.csv"));
    assert_eq!(all.len() as u64, report["found"]["flips"].as_u64().unwrap());
    let (mut answered, mut refused, mut worst) = (0, 0, 0.0f64);
    for row in all.iter().filter(|row| row["part"] != "header") {
        let [byte, bit]: [usize; 2] = ["byte", "bit"].map(|column| row[column].parse().unwrap());
        let mut flipped = bytes.clone();
        flipped[byte] ^= 1 << bit;
        let made_right = checksum(&flipped).to_le_bytes();
        flipped[12..16].copy_from_slice(&made_right);
        let Some(after) = answers(&flipped, &voltages) else {
            assert!(row["outcome"].starts_with("refused: "), "{row:?}");
            refused += 1;
            continue;
        };
        let changes = before.iter().zip(&after).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
        let expected = changes.fold(0.0, f64::max);
        assert_eq!(row["change of temperature"].parse::<f64>().unwrap(), expected, "{row:?}");
        worst = worst.max(expected);
        answered += 1;
    }
    assert!(answered > 2000 && refused > 100, "{answered}, {refused}");
    assert_eq!(report["worst"][0]["changes"][0].as_f64(), Some(worst));
    assert_eq!(report["found"]["by_range"]["answered"].as_u64(), Some(answered));
    assert_eq!(report["found"]["by_other_checks"].as_u64(), Some(refused));
    let by_range = &report["found"]["by_range"];
    let share = by_range["found"].as_f64().unwrap() / answered as f64;
    assert!((by_range["share"].as_f64().unwrap() - share).abs() < 1e-12, "{by_range}");
}

#[test]
fn samples_are_drawn_by_the_seed_and_the_text_says_so() {
    let desk = Desk::new();
    let arguments = format!("{NETWORK} {CURVE} --flips 500 --samples 20 --time 1");
    let texts = ["--seed 1", "--seed 1", "--seed 2"].map(|seed| {
        let output = desk.faults(&format!("{arguments} {seed}"));
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    });
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2]);
    // Ten parts share 500 flips: of the two smallest ones all 32 bits are flipped, and 436 / 8 of the next one.
    for (part, numbers) in [("layer 2, biases", ["32", "32"]), ("domain", ["96", "54"])] {
        let row = texts[0].lines().find_map(|line| line.strip_prefix(part)).unwrap();
        assert!(row.split_whitespace().take(2).eq(numbers), "{}", texts[0]);
    }
    for words in ["500 of the ", "drawn by seed 1", "20 of 138 samples", "100 %", "the worst flips", "degC"] {
        assert!(texts[0].contains(words), "{words}: {}", texts[0]);
    }
}

#[test]
fn what_cannot_be_compared_is_refused_in_one_sentence() {
    let desk = Desk::new();
    fs::write(desk.path("hole.csv"), "x,y,value\n0,0,12\n1,nan,12\n2,1,12\n").unwrap();
    let mut bytes = Vec::new();
    trainer::data::npy::write(&mut bytes, &[2, 2, 2], &[1.0f32; 8]).unwrap();
    fs::write(desk.path("volume.npy"), bytes).unwrap();
    fs::create_dir(desk.path("full")).unwrap();
    fs::write(desk.path("full/note"), "kept").unwrap();
    for (arguments, words) in [
        ("points.csv points.csv", "is not a usable model"),
        ("plane.ffm volume.npy --volume", "has 3 inputs and 1 outputs, the model 2 and 1"),
        ("plane.ffm hole.csv", "hole.csv"),
        ("plane.ffm points.csv --samples 0", "a whole number from 1"),
        ("plane.ffm points.csv --out full", "exists and is kept"),
        ("plane.ffm none.csv --out new", "cannot read none.csv"),
    ] {
        let output = desk.faults(arguments);
        let said = said(&output);
        assert!(!output.status.success() && said.contains(words), "{arguments}: {said}");
        assert!(!said.contains("panicked") && !desk.path("new").exists(), "{arguments}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    use std::io::Read;

    let desk = Desk::new();
    // So many rows that the flips take seconds.
    let rows: String = (0..1000).map(|row| format!("{}.{:03},20\n", row / 20, row * 50 % 1000)).collect();
    fs::write(desk.path("many.csv"), format!("voltage,temperature\n{rows}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.current_dir(desk.0.path()).args(["faults", NETWORK, "many.csv", "--out", "new/flips"]);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    // It says that it begins with the proof; from there on signals are caught.
    let mut said = String::new();
    while !said.contains("proving") {
        let mut letter = [0];
        assert_eq!(stderr.read(&mut letter).unwrap(), 1, "{said}");
        said.push(char::from(letter[0]));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    stderr.read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(status.code() == Some(130) && said.contains("nothing is written"), "{status}: {said}");
    assert!(!desk.path("new").exists(), "{said}");
}
