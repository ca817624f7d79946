//! Tables as a user meets them on the command line: what was understood is the first line, and a model answers in the
//! file's numbers.

use std::fs;

use crate::desk::{json, said, trainer};

/// Trained in a moment: for tests that look at texts and files alone.
const TINY: &str = "--hidden 8 --frequencies 8";
const SMALL: &str = "--hidden 16,16 --steps 300 --frequencies 16 --scale 1 --precision w16a16";

/// A table of a smooth surface over 12 by 12 points; each number goes through its function first.
fn surface(names: &str, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64, z: impl Fn(f64) -> f64) -> String {
    let mut text = format!("{names}\n");
    for k in 0..144 {
        let (column, row) = (f64::from(k % 12) / 2.0, f64::from(k / 12) / 2.0);
        // In eighths, which every number below holds exactly.
        let height = ((column * 0.9).sin() * 16.0 + row * row).round() / 8.0;
        text += &format!("{},{},{}\n", x(column), y(row), z(height));
    }
    text
}

#[test]
fn the_first_line_says_what_was_understood() {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("t.csv"), surface("adc,temp,p", |x| x * 10.0, |y| y + 15.5, |z| z)).unwrap();
    // The surface is lowest at column 5 of row 0, 16 sin(4.5) / 8 = -15.6 / 8, and highest at column 2 of row 5.5:
    // (15.6 + 30.25) / 8.
    let line = "144 rows: adc (0 to 55), temp (15.5 to 21) → p (-2 to 5.75)";
    for command in [
        &format!("fit t.csv --out run --steps 2 {TINY}"),
        &format!("sweep t.csv --scales 1 --out sweep --steps 2 {TINY}"),
        "evaluate run/model.ffm t.csv",
    ] {
        let output = trainer(desk.path(), command);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(said(&output).lines().next(), Some(line), "{command}");
    }
}

#[test]
fn one_row_of_other_columns_is_evaluated() {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("t.csv"), surface("adc,temp,p", |x| x, |y| y, |z| z)).unwrap();
    // The point (2.5, 3): (16 sin(2.25) + 9) / 8 = 2.68, in eighths 2.625.
    fs::write(desk.path().join("one.csv"), "temp;extra;p;adc\n3;x;2,625;2,5\n").unwrap();
    fs::write(desk.path().join("points.csv"), "adc,temp\n1,2\n").unwrap();
    assert!(trainer(desk.path(), &format!("fit t.csv --out run {SMALL}")).status.success());
    let one = json(&trainer(desk.path(), "evaluate run/model.ffm one.csv --json"));
    assert_eq!(one["samples"], 1);
    assert!(one["max_abs_error"].as_f64().unwrap() < 0.5, "{one}");
    let points = trainer(desk.path(), "evaluate run/model.ffm points.csv");
    assert!(
        !points.status.success() && said(&points).contains("no column 'p' to compare the model with"),
        "{}",
        said(&points)
    );
}

#[test]
fn large_coordinates_and_outputs_are_as_good_as_small_ones() {
    let desk = tempfile::tempdir().unwrap();
    let raw = surface("easting,northing,t", |x| 500_000.25 + x, |y| 4_649_776.25 + y, |z| 1.7e9 + z / 8.0);
    fs::write(desk.path().join("raw.csv"), raw).unwrap();
    // 500000, 4649770 and 1.7e9 are what the program chooses and says, subtracted by hand.
    let small = surface("easting,northing,t", |x| x + 0.25, |y| y + 6.25, |z| z / 8.0);
    fs::write(desk.path().join("small.csv"), small).unwrap();
    let mut qualities = Vec::new();
    for name in ["raw", "small"] {
        let fit = trainer(desk.path(), &format!("fit {name}.csv --out {name} {SMALL}"));
        assert!(fit.status.success(), "{}", said(&fit));
        assert_eq!(said(&fit).contains("'northing' is counted from 4649770"), name == "raw", "{}", said(&fit));
        qualities.push(json(&trainer(
            desk.path(),
            &format!("evaluate {name}/model.ffm {name}.csv --json --out {name}.npy"),
        )));
    }
    for quantity in ["psnr_db", "rmse", "max_abs_error"] {
        assert_eq!(qualities[0][quantity], qualities[1][quantity], "{quantity}");
    }
    assert!(qualities[0]["psnr_db"].as_f64().unwrap() > 25.0, "{}", qualities[0]);
    let outputs = |name: &str| trainer::data::npy::read(&fs::read(desk.path().join(name)).unwrap()).unwrap().values;
    for (raw, small) in outputs("raw.npy").iter().zip(outputs("small.npy")) {
        // Double precision holds 1.7e9 to 2.4e-7.
        assert!((raw - 1.7e9 - small).abs() < 1e-6, "{raw} {small}");
    }
    let card = json(&trainer(desk.path(), "inspect raw/model.ffm --json"));
    assert_eq!(
        [&card["inputs"][0]["origin"], &card["inputs"][1]["origin"], &card["outputs"][0]["origin"]],
        [5e5, 4_649_770.0, 1.7e9]
    );
    let card = trainer(desk.path(), "inspect raw/model.ffm");
    assert!(String::from_utf8_lossy(&card.stdout).contains("x = northing in the file - 4649770"));
    // A point that is given alone is counted from the model's origin, not from its own.
    fs::write(desk.path().join("one.csv"), "northing,t,easting\n4649779.25,1700000000.328125,500002.75\n").unwrap();
    let one = json(&trainer(desk.path(), "evaluate raw/model.ffm one.csv --json"));
    assert!(one["max_abs_error"].as_f64().unwrap() < 0.1, "{one}");
}

#[test]
fn what_stood_for_missing_data_in_training_is_left_out_later() {
    let desk = tempfile::tempdir().unwrap();
    let holes = surface("x,y,z", |x| x, |y| y, |z| if z > 4.0 { -9999.0 } else { z });
    let missing = holes.matches("-9999").count();
    fs::write(desk.path().join("void.csv"), &holes).unwrap();
    let warned = trainer(desk.path(), &format!("fit void.csv --out warned --steps 1 {TINY}"));
    assert!(
        said(&warned).contains(&format!("warning: {missing} of the 144 values of column 'z' are -9999")),
        "{}",
        said(&warned)
    );
    let fit = trainer(desk.path(), &format!("fit void.csv --out run --no-data -9999 --holdout none {SMALL}"));
    assert!(fit.status.success() && !said(&fit).contains("warning"), "{}", said(&fit));
    let quality = json(&trainer(desk.path(), "evaluate run/model.ffm void.csv --json"));
    assert_eq!(quality["samples"], 144 - missing);
    assert!(quality["psnr_db"].as_f64().unwrap() > 25.0, "{quality}");
    assert!(trainer(desk.path(), "fit --resume run --steps 310").status.success());
}

#[test]
fn a_column_of_times_is_refused_with_the_words_that_leave_it_out() {
    let desk = tempfile::tempdir().unwrap();
    let rows: String = (0..20).map(|k| format!("2024-05-01T12:00:{k:02}Z;{k},5;{},25\n", k * k)).collect();
    fs::write(desk.path().join("t.csv"), format!("when;volt;bar\n{rows}")).unwrap();
    let refused = trainer(desk.path(), "fit t.csv --out run");
    assert!(!refused.status.success() && !desk.path().join("run").exists());
    let (_, remedy) =
        said(&refused).split_once("leave it out with ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let remedy = remedy.split(", or").next().unwrap();
    let fit = trainer(desk.path(), &format!("fit t.csv --out run --steps 1 {TINY} --decimal , {remedy}"));
    assert_eq!(said(&fit).lines().next(), Some("20 rows: volt (0.5 to 19.5) → bar (0.25 to 361.25)"));
    // A run keeps how its data are read.
    assert!(trainer(desk.path(), "fit --resume run --steps 2").status.success());
}
