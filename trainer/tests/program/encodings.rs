//! Grids, tables and integer codes on the command line: fitted, converted, asked, continued, inspected, refused.

use std::f64::consts::PI;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use firmware_core::Model;
use serde_json::Value;
use tempfile::TempDir;
use trainer::artifact::export::Artifact;

use crate::desk::program;

fn command(desk: &TempDir, arguments: &str) -> Command {
    let mut command = program();
    command.current_dir(desk.path()).args(arguments.split(' '));
    command
}

fn trainer(desk: &TempDir, arguments: &str) -> Output {
    command(desk, arguments).output().expect("the program")
}

/// What a command that succeeds says on standard error, and prints.
fn success(desk: &TempDir, arguments: &str) -> (String, String) {
    let output = trainer(desk, arguments);
    let [said, printed] = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{arguments}: {said}");
    (said, printed)
}

fn json(desk: &TempDir, arguments: &str) -> Value {
    serde_json::from_str(&success(desk, arguments).1).expect("one JSON object")
}

fn psnr_db(desk: &TempDir, model: &str, data: &str) -> f64 {
    json(desk, &format!("evaluate {model} {data} --json"))["psnr_db"].as_f64().expect("a number")
}

fn predicted(desk: &TempDir, model: &str, points: &[&str]) -> Vec<f64> {
    let points: String = points.iter().map(|point| format!(" --at {point}")).collect();
    let object = json(desk, &format!("predict {model} --json{points}"));
    object["values"].as_array().expect("rows").iter().map(|row| row[0].as_f64().expect("a number")).collect()
}

/// A table over a lattice of so many points along each axis; axis k runs from 0 to its number of points less one.
fn lattice(names: &str, sizes: &[usize], value: impl Fn(&[f64]) -> f64) -> String {
    let mut text = format!("{names}\n");
    for cell in 0..sizes.iter().product() {
        let mut rest: usize = cell;
        let mut point = Vec::new();
        for size in sizes {
            point.push((rest % size) as f64);
            rest /= size;
        }
        for x in &point {
            write!(text, "{x},").expect("a string");
        }
        writeln!(text, "{}", value(&point)).expect("a string");
    }
    text
}

fn desk(files: &[(&str, String)]) -> TempDir {
    let desk = tempfile::tempdir().expect("a directory");
    files.iter().for_each(|(name, text)| fs::write(desk.path().join(name), text).expect("a file"));
    desk
}

#[test]
fn a_table_over_one_three_and_four_inputs_holds_what_splines_hold() {
    // What is linear along each axis is a linear spline; what is quadratic along each, a quadratic one.
    let one = lattice("x,z", &[60], |p| 3.0 + 0.01 * p[0] * p[0]);
    let three = lattice("x,y,w,z", &[7, 6, 5], |p| p[0] * p[1] - 2.0 * p[2] + p[1]);
    let four = lattice("x,y,w,v,z", &[4, 4, 4, 4], |p| p[0] * p[3] - p[1] * p[2]);
    let desk = desk(&[("one.csv", one), ("three.csv", three), ("four.csv", four)]);
    for (data, grid, coefficients) in [
        ("one.csv", "--levels 9 --order 2", 9),
        ("three.csv", "--levels 4x5x3", 60),
        ("four.csv", "--levels 3 --bits 8", 81),
    ] {
        success(&desk, &format!("fit {data} --encoding table {grid} --holdout none --out run --force"));
        // 8 bits of the range of the coefficients: an error of 1/255/√12 of it is 58.9 dB at a node, and the
        // coefficients that lie outside of the samples make the range up to twice as large.
        let quality = psnr_db(&desk, "run/model.ffm", data);
        assert!(quality > 52.0, "{data}: {quality}");
        let card = json(&desk, "inspect run/model.ffm --json");
        assert_eq!(card["grid"]["coefficients"], coefficients, "{card}");
        assert_eq!((&card["grid"]["used_as"], &card["features"]), (&"outputs".into(), &1.into()));
        assert_eq!(card["parameters"], coefficients);
        // Format version 2: a prelude of 32 bytes, a header of less than 100, and the parts that are named.
        let header = card["sections"][0]["bytes"].as_u64().unwrap();
        assert!(card["sections"][0]["name"] == "header" && header < 132, "{card}");
        // Eight bits each, filled to whole words, with two words for each axis.
        let axes = card["inputs"].as_array().unwrap().len();
        let (_, text) = success(&desk, "inspect run/model.ffm");
        let bytes = 4 * (2 * axes + usize::div_ceil(coefficients, 4));
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(&format!("{bytes}  grid 1 ("))),
            "{bytes}: {text}"
        );
        assert!(!text.contains("layer 1") && !text.contains("frequencies"), "{text}");
    }
    success(&desk, "fit one.csv --encoding table --levels 9 --order 2 --holdout none --out run --force");
    // Between the samples: 3 + 0.01 · 20.5² = 7.2025; the range is 34.81, of which 8 bits are 0.14.
    let value = predicted(&desk, "run/model.ffm", &["20.5"])[0];
    assert!((value - 7.2025).abs() < 0.14, "{value}");
    success(&desk, "quantize run --precision w16a16 --out wide.ffm");
    assert_eq!(predicted(&desk, "wide.ffm", &["20.5"])[0], value, "the coefficients have their own bits");
    let refused = trainer(&desk, "quantize run --precision f32 --out f32.ffm");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("a table holds integers and has no f32 form"), "{said}");
}

#[test]
fn a_grid_is_trained_converted_and_periodic_where_it_shall_be() {
    let wave = |p: &[f64]| (PI * p[0] / 12.0).sin() * (0.5 + 0.1 * p[1]);
    let desk = desk(&[("polar.csv", lattice("hour,r,z", &[24, 6], wave))]);
    let options = "--levels 12x4,6x3 --order 2 --bits 6 --channels 1 --hidden 12 --steps 400 --periodic hour=24";
    success(&desk, &format!("fit polar.csv --encoding grid {options} --holdout none --out run"));
    let quality = psnr_db(&desk, "run/model.ffm", "polar.csv");
    assert!(quality > 30.0, "{quality}");
    let found = predicted(&desk, "run/model.ffm", &["0,2", "24,2", "-48,2", "23.999,2"]);
    assert_eq!([found[1], found[2]], [found[0]; 2], "the same place to the bit");
    // The slope is 0.7 · 2π/24 an hour.
    assert!((found[3] - found[0]).abs() < 0.01, "{found:?}");
    let card = json(&desk, "inspect run/model.ffm --json");
    assert_eq!(card["grid"]["levels"], serde_json::json!([[12, 4], [6, 3]]));
    assert_eq!((&card["features"], &card["grid"]["bits"], &card["grid"]["order"]), (&2.into(), &6.into(), &2.into()));
    // 48 and 18 coefficients, 2 · 12 + 12 and 12 + 1 parameters of the layers.
    assert_eq!(card["parameters"], 48 + 18 + 36 + 13);
    for precision in ["f32", "w16a16", "w8a16"] {
        success(&desk, &format!("quantize run --precision {precision} --out {precision}.ffm"));
        let converted = psnr_db(&desk, &format!("{precision}.ffm"), "polar.csv");
        assert!((converted - quality).abs() < 3.0, "{precision}: {converted} and {quality}");
    }
}

#[cfg(unix)]
#[test]
fn a_grid_that_is_interrupted_goes_on_to_the_same_bits() {
    let desk = desk(&[("t.csv", lattice("x,y,z", &[16, 12], |p| (0.4 * p[0]).sin() + 0.05 * p[1] * p[1]))]);
    let options = "--encoding grid --levels 4,8 --hidden 16 --batch 64 --steps 3000 --holdout none --precision w8a16";
    success(&desk, &format!("fit t.csv {options} --out whole"));
    let mut child = command(&desk, &format!("fit t.csv {options} --out parts"))
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The first checkpoint is written before the first step.
    let began = Instant::now();
    while !desk.path().join("parts/checkpoint.safetensors").exists() {
        assert!(child.try_wait().expect("a process").is_none() && began.elapsed() < Duration::from_secs(300));
        std::thread::sleep(Duration::from_millis(2));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    assert_eq!(child.wait().expect("a process").code(), Some(130), "it is interrupted before its end");
    let metrics: Value = serde_json::from_slice(&fs::read(desk.path().join("parts/metrics.json")).unwrap()).unwrap();
    assert!(metrics["steps"].as_u64().unwrap() < 3000, "{metrics}");
    success(&desk, "fit --resume parts");
    let model = |run: &str| fs::read(desk.path().join(run).join("model.ffm")).unwrap();
    assert_eq!(model("parts"), model("whole"));
}

#[test]
fn codes_of_a_converter_are_evaluated_as_they_are() {
    let mut rows = "adc,temp,z\n".to_owned();
    for k in 0..20 {
        for j in 0..6 {
            let (adc, temp) = (f64::from(200 * k + 13), f64::from(170 * j));
            writeln!(rows, "{adc},{temp},{}", (adc / 900.0).sin() + temp / 500.0).unwrap();
        }
    }
    let desk = desk(&[
        ("t.csv", rows.clone()),
        ("half.csv", rows.replace("\n213,", "\n213.5,")),
        ("large.csv", rows + "4096,0,1\n"),
    ]);
    for options in [
        "--frequencies 8 --scale 1 --hidden 12 --steps 200",
        "--encoding grid --levels 6,10 --hidden 8 --steps 200",
        "--encoding table --levels 10x5",
    ] {
        let fit = format!("fit t.csv --codes adc=12,temp=10 --holdout none {options} --out run --force");
        let (said, _) = success(&desk, &fit);
        assert!(
            said.contains("takes the codes 0 to 4095 of adc, and the samples have those from 13 to 3813"),
            "{said}"
        );
        let bytes = fs::read(desk.path().join("run/model.ffm")).unwrap();
        let artifact = Artifact::from_bytes(&bytes);
        let model = Model::parse(artifact.as_bytes()).unwrap();
        assert_eq!(model.header().code_bits, [12, 10]);
        let mut scratch = vec![0; model.scratch_words()];
        for k in 0..5000u32 {
            // Beyond the largest code too, which clamps.
            let codes = [k.wrapping_mul(2_654_435_761) >> 19, k.wrapping_mul(40_503) % 1100];
            let (mut of_codes, mut of_numbers) = ([0.0f32], [0.0f32]);
            model.eval_codes_into(&codes, &mut scratch, &mut of_codes).unwrap();
            model.eval_into(&codes.map(|code| code as f32), &mut scratch, &mut of_numbers).unwrap();
            assert_eq!(of_codes[0].to_bits(), of_numbers[0].to_bits(), "{options} at {codes:?}");
        }
        let mut value = [0.0f32];
        model.eval_codes_into(&[1813, 340], &mut scratch, &mut value).unwrap();
        assert_eq!(predicted(&desk, "run/model.ffm", &["1813,340"])[0] as f32, value[0]);
        assert!(psnr_db(&desk, "run/model.ffm", "t.csv") > 25.0, "{options}");
    }
    let (said, _) = success(&desk, "predict run/model.ffm --at 1813.5,340");
    assert!(said.contains("adc consists of integer codes of 12 bits"), "{said}");
    let card = json(&desk, "inspect run/model.ffm --json");
    assert_eq!((&card["inputs"][0]["code_bits"], &card["inputs"][1]["code_bits"]), (&12.into(), &10.into()));
    assert!(success(&desk, "inspect run/model.ffm").1.contains("adc: 0 to 4095, integer codes of 12 bits"));
    // Of all precisions, and after going on.
    let codes_of =
        |desk: &TempDir, model: &str| json(desk, &format!("inspect {model} --json"))["inputs"][0]["code_bits"].clone();
    success(
        &desk,
        "fit t.csv --codes 1=12 --frequencies 8 --scale 1 --hidden 12 --steps 20 --holdout none --out run --force",
    );
    success(&desk, "quantize run --precision f32 --out f32.ffm");
    assert_eq!(codes_of(&desk, "f32.ffm"), 12);
    success(&desk, "fit --resume run --steps 30");
    assert_eq!(codes_of(&desk, "run/model.ffm"), 12);
    let card = json(&desk, "inspect run/model.ffm --json");
    assert_eq!((card["inputs"][1].get("code_bits"), &card["inputs"][1]["maximum"]), (None, &850.0.into()));
    let report = fs::read_to_string(desk.path().join("run/report.html")).unwrap();
    assert!(report.contains("fit.codes"), "the settings are in the report");
    for (data, options, words) in [
        ("half.csv", "--codes adc=12", "adc is 213.5 in sample "),
        ("large.csv", "--codes adc=12", "codes of 12 bits are whole numbers from 0 to 4095"),
        ("t.csv", "--codes volt=12", "--codes names 'volt', which is no input; the inputs are adc, temp"),
        ("t.csv", "--codes adc=17", "adc cannot consist of codes of 17 bits"),
        ("t.csv", "--codes adc", "as in adc=12"),
        ("t.csv", "--codes adc=12 --periodic adc=360", "which repeat after 4096 and not after 360"),
    ] {
        refused(&desk, &format!("fit {data} {options} --out new"), words);
    }
}

/// A command fails with one sentence and leaves no folder `new`.
fn refused(desk: &TempDir, arguments: &str, words: &str) {
    let output = trainer(desk, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
    assert!(!output.status.success() && errors == 1 && said.contains(words), "{arguments}: {said}");
    assert!(!said.contains("panicked") && !desk.path().join("new").exists(), "{arguments}: {said}");
}

#[test]
fn what_grids_and_tables_cannot_be_is_refused() {
    let plane = lattice("x,y,z", &[6, 5], |p| p[0] + p[1]);
    let five = lattice("a,b,c,d,e,z", &[2, 2, 2, 2, 2], |p| p.iter().sum());
    let desk = desk(&[("t.csv", plane), ("five.csv", five)]);
    for (data, options, words) in [
        ("t.csv", "--encoding grid --levels", "--levels"),
        ("t.csv", "--encoding grid --levels 8x", "`8x` is no grid"),
        ("t.csv", "--encoding grid --levels 8x8x8", "the level 8x8x8 does not fit 2 inputs"),
        ("t.csv", "--encoding grid --levels 8,1", "the level 1 is not possible; each axis takes 2 to"),
        ("t.csv", "--encoding grid --levels 2 --order 2", "each axis takes 3 to"),
        ("t.csv", "--encoding grid --order 3", "splines of order 3 are not possible; --order takes 1 (linear) or 2"),
        ("t.csv", "--encoding grid --bits 9", "coefficients of 9 bits are not possible; --bits takes 4 to 8"),
        ("t.csv", "--encoding table --bits 3", "coefficients of 3 bits are not possible"),
        ("t.csv", "--encoding grid --channels 17", "17 channels are not possible"),
        ("t.csv", "--encoding table --levels 8,16", "a table is one grid, and --levels names 2"),
        ("t.csv", "--encoding table --hidden 32,32", "a table has no layers; leave out --hidden"),
        ("t.csv", "--encoding table --activation sine", "a table has no layers; leave out --activation"),
        ("t.csv", "--encoding table --output sigmoid", "a table has no layers; leave out --output sigmoid"),
        ("t.csv", "--encoding table --precision f32", "a table holds integers and has no f32 form"),
        ("five.csv", "--encoding grid --levels 3", "grids over 5 inputs are not possible; a device takes 1 to 4"),
        ("five.csv", "--encoding table --levels 3", "grids over 5 inputs are not possible"),
    ] {
        refused(&desk, &format!("fit {data} --holdout none {options} --out new"), words);
    }
}
