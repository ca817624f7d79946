//! `trainer design` as a user meets it: the winner and the commands of all models, going on, shards, and one sentence
//! for each thing that can be wrong.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::desk::{Desk, program};

impl Desk {
    /// A hilly plane of 40 × 40 samples, which is large enough to be stored as it is.
    fn hills() -> Self {
        let desk = Self::new();
        let height = |k: usize| ((k % 40) as f32 * 0.2).sin() * 3.0 + (k / 40) as f32 * 0.05;
        desk.put_array("hills.npy", &[40, 40], &(0..1600).map(height).collect::<Vec<f32>>());
        desk
    }

    fn design(&self, out: &str, options: &str) -> Output {
        let mut command = program();
        command.arg("design").arg(self.path("hills.npy")).arg("--out").arg(self.path(out));
        command.args(options.split_whitespace()).output().expect("the trainer starts")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_winner_and_its_command_are_the_same_model() {
    let desk = Desk::hills();
    let output = desk.design("run", "--flash 2K --instructions 6000 --ram 400 --time 1s --json");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let front: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let rows = front["rows"].as_array().expect("rows");
    let winner = rows.iter().find(|row| row["chosen"] == true).expect("a winner");
    let model = fs::read(desk.path("run/model.ffm")).expect("the winner's model");
    assert_eq!(winner["bytes"].as_u64(), Some(model.len() as u64));
    for row in rows {
        assert!(row["bytes"].as_u64() <= Some(2048) && row["instructions"].as_u64() <= Some(6000), "{row}");
        assert!(row["ram_bytes"].as_u64() <= Some(400), "{row}");
    }
    let best = rows.iter().filter_map(|row| row["psnr_db"].as_f64()).fold(0.0, f64::max);
    assert_eq!(winner["psnr_db"].as_f64(), Some(best));
    for file in ["report.html", "metrics.json", "design.csv", "design.json", "design.png"] {
        assert!(desk.path("run").join(file).is_file(), "{file}");
    }
    // The command runs as it stands.
    let command = winner["command"].as_str().expect("a command").strip_prefix("trainer ").expect("of the trainer");
    let again = program().args(command.split_whitespace()).output().expect("the trainer starts");
    assert!(again.status.success(), "{}", text(&again.stderr));
    let (_, out) = command.split_once("--out ").expect("a folder");
    assert!(Path::new(out).parent() == desk.path("run").parent() && Path::new(out) != desk.path("run"), "{out}");
    assert_eq!(fs::read(Path::new(out).join("model.ffm")).expect("a model"), model);

    // What is done is not done again, and the result is the same.
    let mut resumed = program();
    let resumed = resumed.arg("design").arg("--resume").arg(desk.path("run")).output().expect("the trainer starts");
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_eq!(fs::read(desk.path("run/model.ffm")).expect("a model"), model);
}

#[test]
fn a_goal_out_of_reach_is_told_with_what_comes_closest() {
    let desk = Desk::hills();
    let output = desk.design("run", "--flash 700 --psnr 150 --time 1s");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("no model of the budget reaches 150 dB; the closest reaches "), "{said}");
    assert!(desk.path("run/model.ffm").is_file());
}

#[test]
fn shards_are_put_together() {
    let desk = Desk::hills();
    for shard in ["1/2", "2/2"] {
        let output = desk.design("run", &format!("--flash 700 --time 1s --shard {shard}"));
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(!desk.path("run/model.ffm").exists());
    }
    let mut resumed = program();
    let resumed = resumed.arg("design").arg("--resume").arg(desk.path("run")).output().expect("the trainer starts");
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stderr).contains("ending the search of the shards 1-of-2, 2-of-2"));
    assert!(desk.path("run/model.ffm").is_file());
}

#[test]
fn rows_of_a_table_are_held_out_and_may_be_codes() {
    let desk = Desk::hills();
    let table = desk.path("sensor.csv");
    let rows = (0..60).map(|k| format!("{},{}\n", k, (f64::from(k) * 0.1).sin()));
    fs::write(&table, format!("adc,degrees\n{}", rows.collect::<String>())).expect("a file");
    let mut command = program();
    command.arg("design").arg(&table).arg("--out").arg(desk.path("run"));
    command.args(["--flash", "1K", "--time", "1s", "--codes", "adc=8"]);
    let output = command.output().expect("the trainer starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("--codes 1=8"), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("judged on 11 of 60 samples, held out"), "{}", text(&output.stdout));
    let metrics: Value = serde_json::from_slice(&fs::read(desk.path("run/metrics.json")).unwrap()).unwrap();
    assert!(metrics["held_out"]["model"]["psnr_db"].as_f64().is_some(), "{metrics}");
    assert!(fs::metadata(desk.path("run/model.ffm")).unwrap().len() <= 1024);
    let card = program().arg("inspect").arg(desk.path("run/model.ffm")).output().expect("the trainer starts");
    assert!(text(&card.stdout).contains("adc: 0 to 255, integer codes of 8 bits"), "{}", text(&card.stdout));
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let desk = Desk::hills();
    for (options, expected) in [
        ("--flash 64", "no model keeps the budget: the smallest takes "),
        ("--flash 4K --board abacus", "no board is called \"abacus\"; choose one of microbit (Cortex-M0), "),
        ("--flash 4K --max-error NaN", "--max-error NaN is not possible; give a number above 0"),
        ("--flash 4K --shard 3/2", "--shard 3/2 is not possible; give i/n with i from 1 to n, such as 1/4"),
        ("--flash many", "give a number of bytes, such as 16K or 16384"),
        ("--flash 4K --time never", "give a time, such as 5m, 90s or 1h"),
    ] {
        let output = desk.design("run", options);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{options}: {said}");
        assert!(said.matches("error: ").count() == 1 && !said.contains("panicked"), "{said}");
        assert!(!desk.path("run").exists(), "{options}");
    }
    let mut command = program();
    let output = command.arg("design").arg("--resume").arg(desk.path("none")).output().expect("the trainer starts");
    assert!(text(&output.stderr).contains("is not the folder of `trainer design`"), "{}", text(&output.stderr));
}
