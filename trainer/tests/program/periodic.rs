//! `--periodic`, frequencies that add nothing, and the names that people type first, as a user meets them.

use std::f64::consts::PI;
use std::fmt::Write as _;
use std::fs;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::trainer;

/// What a command says on standard error, and on standard output.
fn success(output: &Output) -> (String, String) {
    let [said, printed] = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{said}");
    (said, printed)
}

fn failure(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
    assert!(!output.status.success() && errors == 1 && !said.contains("panicked"), "{said}");
    said
}

/// A folder with a table of an angle in steps of 10 degrees, a radius, and a smooth value that has its steepest slope
/// at 0 degrees.
fn desk() -> TempDir {
    let desk = tempfile::tempdir().expect("a directory");
    let mut rows = "angle_deg,r,value\n".to_owned();
    for step in 0..36 {
        for r in 1..=4 {
            let (angle, r) = (f64::from(10 * step), f64::from(r));
            let value = (angle * PI / 180.0).sin() * (1.0 + 0.3 * r) + 0.2 * r;
            writeln!(rows, "{angle},{r},{value}").unwrap();
        }
    }
    fs::write(desk.path().join("polar.csv"), rows).expect("a file");
    desk
}

fn predicted(desk: &TempDir, points: &[(f64, f64)]) -> Vec<f64> {
    let mut arguments = "predict run/model.ffm --json".to_owned();
    for (angle, r) in points {
        write!(arguments, " --at {angle},{r}").unwrap();
    }
    let object: Value = serde_json::from_str(&success(&trainer(desk, &arguments)).1).unwrap();
    object["values"].as_array().unwrap().iter().map(|row| row[0].as_f64().unwrap()).collect()
}

#[test]
fn an_axis_repeats_after_its_true_period_and_the_other_clamps() {
    let desk = desk();
    let options = "--periodic angle_deg=360 --sigma 1 --frequencies 24 --hidden 24,24 --steps 1200 --holdout none";
    let (said, _) = success(&trainer(&desk, &format!("train polar.csv -o run {options}")));
    assert!(!said.contains("warning") && !said.contains("same place"), "{said}");
    let model = fs::read(desk.path().join("run/model.ffm")).unwrap();
    assert_eq!(model[4..6], [2, 0], "the version for models with periodic axes");

    let card: Value = serde_json::from_str(&success(&trainer(&desk, "info --json run/model.ffm")).1).unwrap();
    assert_eq!((&card["outside"], &card["inputs"][0]["outside"]), (&"clamp".into(), &"periodic".into()));
    assert_eq!((&card["inputs"][0]["period"], card["inputs"][1].get("outside")), (&360.0.into(), None));
    let (_, printed) = success(&trainer(&desk, "inspect run/model.ffm"));
    assert!(printed.contains("angle_deg: 0 to 350, period 360, periodic\n"), "{printed}");

    let found = predicted(&desk, &[(0.0, 2.0), (360.0, 2.0), (-720.0, 2.0), (30.0, 2.0), (390.0, 2.0), (359.99, 2.0)]);
    assert_eq!([found[1], found[2]], [found[0]; 2], "the same place to the bit");
    assert!((found[3] - found[4]).abs() < 1e-5, "{found:?}");
    // The slope is 1.6 a radian; without a true period there would be a step, or a value held.
    assert!((found[0] - 0.4).abs() < 0.1 && (found[5] - found[0]).abs() < 0.01, "{found:?}");
    // Between the last sample and the first, where only the wrap can tell.
    let between = predicted(&desk, &[(355.0, 2.0)])[0];
    assert!((between - (0.4 + 1.6 * (-5.0 * PI / 180.0).sin())).abs() < 0.1, "{between}");
    let clamped = predicted(&desk, &[(90.0, 4.0), (90.0, 99.0), (90.0, 1.0), (90.0, -3.0)]);
    assert_eq!((clamped[0], clamped[2]), (clamped[1], clamped[3]));

    // A run that goes on keeps its period, and a test file wraps where it must.
    success(&trainer(&desk, "fit --resume run --steps 1210"));
    let card: Value = serde_json::from_str(&success(&trainer(&desk, "inspect --json run/model.ffm")).1).unwrap();
    assert_eq!((&card["inputs"][0]["period"], &card["inputs"][0]["outside"]), (&360.0.into(), &"periodic".into()));
    fs::write(desk.path().join("test.csv"), "angle_deg,r,value\n-90,2,-1.2\n450,2,2\n").unwrap();
    let (said, printed) = success(&trainer(&desk, "eval run/model.ffm test.csv --json"));
    assert!(said.contains("wrapped into it") && !said.contains("clamped"), "{said}");
    let metrics: Value = serde_json::from_str(&printed).unwrap();
    assert!(metrics["max_abs_error"].as_f64().unwrap() < 0.2, "{metrics}");
}

#[test]
fn what_is_periodic_everywhere_is_of_the_old_version() {
    let desk = desk();
    let options = "--inputs angle_deg --outputs value --hidden 4 --steps 2 --frequencies 4 --sigma 2";
    success(&trainer(&desk, &format!("fit polar.csv --out run --periodic 1=360 {options}")));
    assert_eq!(fs::read(desk.path().join("run/model.ffm")).unwrap()[4..6], [1, 0]);
    let card: Value = serde_json::from_str(&success(&trainer(&desk, "inspect --json run/model.ffm")).1).unwrap();
    assert_eq!((&card["outside"], &card["inputs"][0]["period"]), (&"periodic".into(), &360.0.into()));
    success(&trainer(&desk, &format!("fit polar.csv --out old {options}")));
    let card: Value = serde_json::from_str(&success(&trainer(&desk, "inspect --json old/model.ffm")).1).unwrap();
    assert_eq!((&card["outside"], &card["inputs"][0]["period"]), (&"clamp".into(), &360.0.into()));
}

#[test]
fn data_beyond_the_period_and_at_its_end_are_told_of() {
    let desk = desk();
    let table = "angle_deg,value\n0,1\n90,2\n180,3\n270,2.5\n360,1.5\n";
    fs::write(desk.path().join("ends.csv"), table).unwrap();
    let options = "--hidden 4 --steps 2 --frequencies 4 --sigma 2 --force --out run";
    let (said, _) = success(&trainer(&desk, &format!("fit ends.csv --periodic angle_deg=360 {options}")));
    assert!(
        said.contains("samples at angle_deg 0 and 360 are at the same place") && !said.contains("runs from"),
        "{said}"
    );
    let (said, _) = success(&trainer(&desk, &format!("fit ends.csv --periodic angle_deg=180 {options}")));
    assert!(said.contains("angle_deg runs from 0 to 360, more than its period of 180"), "{said}");
    assert!(said.contains("(2 places of this kind)"), "{said}");
}

#[test]
fn impossible_periods_are_refused_by_name() {
    let desk = desk();
    for (options, words) in [
        ("--periodic angle=360", "--periodic names 'angle', which is no input; the inputs are angle_deg, r"),
        ("--periodic 3=360", "the inputs are angle_deg, r"),
        ("--periodic angle_deg=0", "angle_deg cannot have the period 0"),
        ("--periodic angle_deg=-5", "angle_deg cannot have the period -5"),
        ("--periodic angle_deg=x", "angle_deg cannot have the period x"),
        ("--periodic angle_deg", "as in angle_deg=360"),
        ("--periodic angle_deg=360,1=360", "--periodic names angle_deg twice"),
        ("--periodic angle_deg=360 --encoding none", "input 1 is not encoded"),
    ] {
        let said = failure(&trainer(&desk, &format!("fit polar.csv --out run {options}")));
        assert!(said.contains(words), "{options}: {said}");
        let said = failure(&trainer(&desk, &format!("sweep polar.csv --out run --widths 4,8 {options}")));
        assert!(said.contains(words), "{options}: {said}");
        assert!(!desk.path().join("run").exists(), "{options}");
    }
}

#[test]
fn frequencies_that_add_nothing_are_told_of_once() {
    let desk = desk();
    let options = "--inputs angle_deg --outputs value --outside periodic --frequencies 48 --hidden 4 --steps 2";
    let (said, _) = success(&trainer(&desk, &format!("fit polar.csv --out run --scale 0.25 {options}")));
    let expected = "warning: 47 of 48 frequencies add nothing after rounding";
    assert!(said.matches(expected).count() == 1 && said.contains("a larger --scale or fewer --frequencies"), "{said}");
    let (said, _) = success(&trainer(&desk, &format!("sweep polar.csv --out sweep --scales 0.25,3000 {options}")));
    assert!(said.contains("warning: in 1 of 2 settings, at worst 47 of 48 frequencies"), "{said}");
}

#[test]
fn names_that_people_type_first_are_accepted_or_pointed_at() {
    let desk = desk();
    let options = "--sigma 3 --lr 0.02 --bs 16 --num-frequencies 7 --iterations 3 --hidden 5 --output-dir run";
    success(&trainer(&desk, &format!("train polar.csv {options}")));
    let card: Value = serde_json::from_str(&success(&trainer(&desk, "info --json run/model.ffm")).1).unwrap();
    assert_eq!((&card["frequencies"], &card["settings"]["scale"]), (&7.into(), &3.into()));
    assert_eq!(card["settings"]["steps"], 3);
    for (option, words) in [
        ("--epochs 5", "--steps"),
        ("--epochs", "--steps"),
        ("--layers 3", "--hidden 64,64,64"),
        ("--width 64", "--hidden 64,64,64"),
        ("--features 64", "--frequencies"),
    ] {
        for command in ["fit polar.csv --out new", "sweep polar.csv --out new --scales 1,2"] {
            let said = failure(&trainer(&desk, &format!("{command} {option}")));
            assert!(said.contains(words), "{option}: {said}");
        }
    }
}
