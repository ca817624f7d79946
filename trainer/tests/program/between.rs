//! Right between the samples: `trainer fit` with its defaults but for the steps, and for a smaller network in some
//! tests, judged on points that no training saw.

use std::f64::consts::PI;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::program;

fn trainer(desk: &Path, arguments: &[&str]) -> Output {
    program().current_dir(desk).args(arguments).output().expect("the trainer runs")
}

fn json(desk: &Path, arguments: &[&str]) -> Value {
    let output = trainer(desk, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn table(header: &str, rows: impl Iterator<Item = Vec<f64>>) -> String {
    rows.fold(format!("{header}\n"), |mut text, row| {
        let cells: Vec<String> = row.iter().map(|value| format!("{value:.6}")).collect();
        writeln!(text, "{}", cells.join(",")).expect("a string");
        text
    })
}

/// Points of the unit square that fill it evenly and lie on no lattice: multiples of the roots of x³ = x + 1.
fn scattered(count: usize) -> impl Iterator<Item = (f64, f64)> {
    (1..=count).map(|k| ((k as f64 * 0.754_877_666_246_692_8).fract(), (k as f64 * 0.569_840_290_998_053_2).fract()))
}

/// A thermistor by the beta equation: R = 10 kΩ at 25 °C, B = 3950 K; the logarithm of its resistance at a temperature.
fn log_ohm(celsius: f64) -> f64 {
    (10_000f64).ln() + 3950.0 * (1.0 / (celsius + 273.15) - 1.0 / 298.15)
}

/// `fit` on `train` with its defaults and the options given; PSNR and largest error on `test` by `evaluate`.
fn judged(train: &str, test: &str, options: &[&str]) -> (TempDir, Value, f64, f64) {
    let desk = tempfile::tempdir().expect("a directory");
    fs::write(desk.path().join("train.csv"), train).expect("a file");
    fs::write(desk.path().join("test.csv"), test).expect("a file");
    let fitted = json(desk.path(), &[&["fit", "train.csv", "--out", "run", "--json"], options].concat());
    let judged = json(desk.path(), &["evaluate", "run/model.ffm", "test.csv", "--json"]);
    let number = |key: &str| judged[key].as_f64().expect("a number");
    let (psnr_db, largest) = (number("psnr_db"), number("max_abs_error"));
    (desk, fitted, psnr_db, largest)
}

#[test]
fn a_thermistor_table_is_right_between_its_points() {
    let row = |celsius: f64| vec![log_ohm(celsius), celsius];
    let train = table("log_ohm,celsius", (0..41).map(|k| row(-20.0 + 2.0 * f64::from(k))));
    let test = table("log_ohm,celsius", (0..40).map(|k| row(-19.0 + 2.0 * f64::from(k))));
    let (_desk, fitted, psnr_db, largest) = judged(&train, &test, &["--holdout", "none", "--steps", "500"]);
    assert!(largest <= 0.05, "{largest} degrees, {psnr_db} dB");
    assert_eq!(fitted["held_out"], Value::Null);
}

#[test]
fn a_calibration_grid_is_better_than_bilinear_interpolation_and_says_how_good_it_is() {
    let pressure = |adc: f64, temp: f64| {
        100.0 + 6.0 * (adc / 14.0).sin() + 0.002 * (adc - 20.0) * (temp - 30.0) + 0.3 * (temp / 9.0).cos()
    };
    let row = |adc: f64, temp: f64| vec![adc, temp, pressure(adc, temp)];
    let lattice = (0..80).map(|k| (5.0 * f64::from(k / 8), 15.5 + 5.0 * f64::from(k % 8)));
    let train = table("adc,temp,p", lattice.map(|(adc, temp)| row(adc, temp)));
    let points: Vec<(f64, f64)> = scattered(500).map(|(x, y)| (45.0 * x, 15.5 + 35.0 * y)).collect();
    let test = table("adc,temp,p", points.iter().map(|&(adc, temp)| row(adc, temp)));
    let (_desk, fitted, psnr_db, _) =
        judged(&train, &test, &["--steps", "300", "--hidden", "32,32", "--frequencies", "32"]);

    let bilinear = |adc: f64, temp: f64| {
        let (i, j) = ((adc / 5.0).floor(), ((temp - 15.5) / 5.0).floor());
        let (u, v) = (adc / 5.0 - i, (temp - 15.5) / 5.0 - j);
        let at = |i: f64, j: f64| pressure(5.0 * i, 15.5 + 5.0 * j);
        (1.0 - u) * ((1.0 - v) * at(i, j) + v * at(i, j + 1.0))
            + u * ((1.0 - v) * at(i + 1.0, j) + v * at(i + 1.0, j + 1.0))
    };
    let values: Vec<f64> = points.iter().map(|&(adc, temp)| pressure(adc, temp)).collect();
    let squares: f64 =
        points.iter().zip(&values).map(|(&(adc, temp), value)| (bilinear(adc, temp) - value).powi(2)).sum();
    let range =
        values.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b)) - values.iter().fold(f64::INFINITY, |a, &b| a.min(b));
    let bilinear_db = -10.0 * (squares / 500.0 / (range * range)).log10();
    assert!(psnr_db > bilinear_db, "{psnr_db} dB, bilinear interpolation {bilinear_db} dB");

    let held_out = &fitted["held_out"];
    let said = held_out["model"]["psnr_db"].as_f64().expect("a number");
    // Corners and edges are extrapolated in cross-validation, and are interpolated by the model that is kept.
    assert!(said < psnr_db + 3.0 && said > 35.0, "held out {said} dB, true {psnr_db} dB");
    assert!(
        held_out["how"].as_str().is_some_and(|how| how.contains("each left out of one of 5 extra trainings")),
        "{held_out}"
    );
    assert!(fitted["advice"].to_string().contains("parameters"), "{}", fitted["advice"]);
}

#[test]
fn three_hundred_scattered_points_of_a_smooth_function_are_enough() {
    let value = |(x, y): (f64, f64)| vec![x, y, (2.0 * PI * x).sin() * (PI * y).cos() + 0.3 * x * x];
    let train = table("x,y,z", scattered(300).map(value));
    let test = table("x,y,z", scattered(1000).skip(300).map(value));
    let (_desk, _, psnr_db, _) = judged(&train, &test, &["--holdout", "none", "--steps", "300"]);
    assert!(psnr_db > 50.0, "{psnr_db} dB");
}

#[test]
fn noise_is_not_learned_and_each_output_has_its_own_line() {
    // Two outputs of different units; the noise is a fixed sequence with a deviation of 0.3 % of the range.
    let noise = |k: usize, shift: f64| ((k as f64 * 0.618_034 + shift).fract() - 0.5) * 12f64.sqrt() * 0.003;
    let row = |(k, (x, y)): (usize, (f64, f64)), noisy: f64| {
        let volt = 20.0 + 10.0 * (2.0 * x).sin() * y + 10.0 * noisy * noise(k, 0.0);
        let metre = 0.003 + 0.0005 * (3.0 * y).cos() + 0.001 * noisy * noise(k, 0.4);
        vec![x, y, volt, metre]
    };
    let train = table("x,y,volt,metre", scattered(500).enumerate().map(|sample| row(sample, 1.0)));
    let test = table("x,y,volt,metre", scattered(900).enumerate().skip(500).map(|sample| row(sample, 0.0)));
    let desk = tempfile::tempdir().expect("a directory");
    fs::write(desk.path().join("train.csv"), train).expect("a file");
    fs::write(desk.path().join("test.csv"), test).expect("a file");
    let columns = ["--outputs", "volt,metre", "--steps", "900", "--hidden", "24,24", "--frequencies", "16"];
    let output = trainer(desk.path(), &[&["fit", "train.csv", "--out", "run"], &columns[..]].concat());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("held out: 99 of 500 rows (never those at the ends of an input)"), "{text}");
    for name in ["volt ", "metre"] {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(name) && line.contains("largest error")),
            "{text}"
        );
    }
    let judged = json(desk.path(), &["evaluate", "run/model.ffm", "test.csv", "--json"]);
    // Nearer to the function than the noisy rows are: their noise is at 50.5 dB.
    assert!(judged["psnr_db"].as_f64().is_some_and(|db| db > 52.0), "{judged}");
    assert_eq!(judged["rmse"], Value::Null, "volts and metres have no common error");
    let card = trainer(desk.path(), &["inspect", "run/model.ffm"]);
    assert!(
        String::from_utf8_lossy(&card.stdout).contains("held out                99 of 500 rows"),
        "the card tells how good the model is"
    );
}

/// A table of 30 rows, and options that train quickly.
fn quick(desk: &Path) -> [&'static str; 6] {
    let train = table("x,y", (0..30).map(|k| vec![f64::from(k), (f64::from(k) * 0.2).sin()]));
    fs::write(desk.join("train.csv"), train).expect("a file");
    ["--hidden", "16,16", "--frequencies", "8", "--steps", "20"]
}

#[test]
fn a_guided_run_goes_on_to_the_same_bits_and_needs_its_guide() {
    let desk = tempfile::tempdir().expect("a directory");
    let options = quick(desk.path());
    let fit = |out, steps| {
        let whole = [&["fit", "train.csv", "--out", out, "--json", "--schedule", "constant"], &options[..4]].concat();
        json(desk.path(), &[&whole[..], &["--steps", steps]].concat())
    };
    fit("whole", "200");
    let begun = fit("part", "100");
    let resumed = json(desk.path(), &["fit", "--resume", "part", "--steps", "200", "--json"]);
    let network = |run: &str| fs::read(desk.path().join(run).join("checkpoint.safetensors")).expect("a checkpoint");
    // The checkpoint holds the steps that each run was first told, in its settings, beside the same tensors.
    let tail = |bytes: &[u8]| bytes[bytes.len() - 4000..].to_vec();
    assert_eq!(tail(&network("part")), tail(&network("whole")));
    // The held-out figures are of trainings of 100 steps, and say so after 200.
    let how = |run: &Value| run["held_out"]["how"].as_str().expect("a text").to_owned();
    assert!(!how(&begun).contains("steps") && how(&resumed).contains("of 100 steps each"), "{}", how(&resumed));
    fs::remove_file(desk.path().join("part/guide.safetensors")).expect("the guide");
    let refused = trainer(desk.path(), &["fit", "--resume", "part", "--steps", "300"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("guide.safetensors"), "{said}");
}

#[test]
fn held_out_figures_are_of_the_precision_that_is_written() {
    let desk = tempfile::tempdir().expect("a directory");
    let options = quick(desk.path());
    for (given, expected) in
        [(&[][..], None), (&["--precision", "w16a16"], Some("w16a16")), (&["--precision", "f32"], Some("f32"))]
    {
        let fit = [&["fit", "train.csv", "--out", "run", "--force", "--json"], &options[..], given].concat();
        let fitted = json(desk.path(), &fit);
        assert_eq!(fitted["held_out"]["precision"], fitted["precision"]);
        assert!(expected.is_none_or(|expected| fitted["precision"] == expected), "{fitted}");
        let card = json(desk.path(), &["inspect", "run/model.ffm", "--json"]);
        assert_eq!(card["settings"]["held_out"]["precision"], fitted["precision"]);
    }
}

#[test]
fn a_picture_is_stored_and_says_that_nothing_was_held_out() {
    let desk = tempfile::tempdir().expect("a directory");
    let pixels: Vec<u8> = (0..40 * 40).map(|k| (k * 7 % 251) as u8).collect();
    image::save_buffer(desk.path().join("p.png"), &pixels, 40, 40, image::ColorType::L8).expect("a picture");
    let output = trainer(desk.path(), &["fit", "p.png", "--out", "run", "--hidden", "8", "--steps", "5"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("no samples were held out"), "{said}");
    assert!(!desk.path().join("run/guide.safetensors").exists());
}

#[test]
fn outputs_that_are_mostly_one_value_are_met() {
    // A sigmoid that saturates at the end of the range would answer one value for ever, 1/14 of the range off.
    let ramp = table("x,y,c", (0..101).map(|k| vec![f64::from(k), (f64::from(k) - 90.0).max(0.0), 3.0]));
    let desk = tempfile::tempdir().expect("a directory");
    fs::write(desk.path().join("ramp.csv"), ramp).expect("a file");
    let fit = ["fit", "ramp.csv", "--inputs", "x", "--out", "run", "--json", "--holdout", "none", "--steps", "400"];
    let fitted = json(desk.path(), &fit);
    let outputs = &fitted["f32"]["train"]["outputs"];
    let largest = |k: usize| outputs[k]["max_abs_error"].as_f64().expect("a number");
    assert!(largest(0) < 0.3 && largest(1) < 0.003, "{outputs}");
}
