//! `trainer evaluate` and `trainer inspect` as a user meets them: exit codes, JSON, files, and one sentence for each
//! thing that can be wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use firmware_core::Outside;
use serde_json::Value;

use crate::desk::{Desk, failure, json, program};
use crate::plane::Plane;

/// 10 + 4 · 0.5 for every point of a 4 x 2 grid.
fn constant_model(outside: Outside) -> Vec<u8> {
    let card = "output_ranges: [[10.0,14.0]]\nseed: 7\n";
    Plane { slopes: [0.0; 2], height: 0.5, outside, training_psnr_db: 31.5, card }.artifact()
}

impl Desk {
    /// A 2 x 4 grid of 12, but for one 13.
    fn grid(&self) -> PathBuf {
        let mut values = [12.0f32; 8];
        values[5] = 13.0;
        self.put_array("grid.npy", &[2, 4], &values)
    }
}

fn trainer(arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = program();
    // The subcommand, then the files, then the options.
    command.arg(arguments[0]).args(paths).args(&arguments[1..]).output().expect("the trainer starts")
}

#[test]
fn evaluate_compares_and_writes() {
    let desk = Desk::new();
    let (model, grid) = (desk.put("m.ffm", &constant_model(Outside::Clamp)), desk.grid());
    let (outputs, picture) = (desk.path("out.npy"), desk.path("out.png"));
    let files = ["--out", outputs.to_str().unwrap(), "--picture", picture.to_str().unwrap()];
    let result = json(&trainer(&[&["evaluate", "--json"], &files[..]].concat(), &[&model, &grid]));
    assert_eq!(result["samples"], 8);
    assert_eq!(result["max_abs_error"], 1.0);
    assert!((result["rmse"].as_f64().unwrap() - (1.0f64 / 8.0).sqrt()).abs() < 1e-12);
    // The range is 1, the mean squared error 1/8.
    assert!((result["psnr_db"].as_f64().unwrap() - 10.0 * 8.0f64.log10()).abs() < 1e-9);

    let written = trainer::data::npy::read(&fs::read(outputs).unwrap()).unwrap();
    assert_eq!((written.shape, written.values), (vec![2, 4], vec![12.0; 8]));
    assert!(image::open(picture).is_ok());
}

#[test]
fn inspect_accounts_for_every_byte() {
    let desk = Desk::new();
    let model = desk.put("m.ffm", &constant_model(Outside::Reject));
    let card = json(&trainer(&["inspect", "--json"], &[&model]));
    let sections = card["sections"].as_array().unwrap();
    let sum: u64 = sections.iter().map(|section| section["bytes"].as_u64().unwrap()).sum();
    assert_eq!(Some(sum), card["model_bytes"].as_u64());
    assert_eq!(sum, fs::metadata(&model).unwrap().len());
    assert_eq!((&card["precision"], &card["outside"]), (&"f32".into(), &"reject".into()));
    assert_eq!(card["inputs"][0], serde_json::json!({"name": "x", "minimum": 0.0, "maximum": 3.0, "period": 4.0}));
    assert_eq!((&card["training_psnr_db"], &card["quantization_loss_db"]), (&31.5.into(), &Value::Null));
    assert_eq!((&card["settings"]["seed"], &card["parameters"]), (&7.into(), &3.into()));
    let text = trainer(&["inspect"], &[&model]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("training PSNR           31.50 dB (in f32, over the samples"), "{text}");
    // The data repeat nowhere.
    assert!(!text.contains("period"), "{text}");
    let wave = desk.put("p.ffm", &constant_model(Outside::Periodic));
    let text = trainer(&["inspect"], &[&wave]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("x: 0 to 3, period 4"));
}

#[test]
fn damaged_models_are_one_sentence() {
    let desk = Desk::new();
    let whole = constant_model(Outside::Clamp);
    for len in [0, 3, 4, 30, whole.len() - 1] {
        let model = desk.put("cut.ffm", &whole[..len]);
        assert!(failure(&trainer(&["inspect"], &[&model])).contains("cut.ffm is not a usable model"));
    }
    let mut longer = whole.clone();
    longer.push(0);
    failure(&trainer(&["inspect"], &[&desk.put("long.ffm", &longer)]));
    let mut newer = whole;
    newer[4] = 9;
    assert!(failure(&trainer(&["inspect"], &[&desk.put("new.ffm", &newer)])).contains("version 9"));
    assert!(failure(&trainer(&["inspect"], &[&desk.path("none.ffm")])).contains("none.ffm (check its name"));
    failure(&trainer(&["inspect"], &[desk.folder()]));
}

/// Every cut and every single flipped bit, through the check that the commands make.
#[test]
fn no_damage_goes_unnoticed() {
    let whole = constant_model(Outside::Clamp);
    let damaged = |bytes: &[u8]| trainer::artifact::export::Artifact::from_bytes(bytes).model().is_err();
    assert!(!damaged(&whole));
    for len in 0..whole.len() {
        assert!(damaged(&whole[..len]), "cut at {len}");
    }
    for bit in 0..8 * whole.len() {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(damaged(&flipped), "bit {bit} flipped");
    }
}

#[test]
fn data_that_do_not_fit_are_one_sentence() {
    let desk = Desk::new();
    let model = desk.put("m.ffm", &constant_model(Outside::Reject));
    let mut bytes = Vec::new();
    trainer::data::npy::write(&mut bytes, &[8], &[1.0; 8]).unwrap();
    let line = desk.put("line.npy", &bytes);
    assert!(
        failure(&trainer(&["evaluate"], &[&model, &line])).contains("has 1 inputs and 1 outputs, the model 2 and 1")
    );

    let mut bytes = Vec::new();
    trainer::data::npy::write(&mut bytes, &[2, 5], &[1.0; 10]).unwrap();
    let wide = desk.put("wide.npy", &bytes);
    assert!(failure(&trainer(&["evaluate"], &[&model, &wide])).contains("refuses sample 4: the point lies outside"));
    // The same data are clamped where the model says so, and a note tells.
    let clamping = desk.put("c.ffm", &constant_model(Outside::Clamp));
    let clamped = trainer(&["evaluate", "--json"], &[&clamping, &wide]);
    assert_eq!(json(&clamped)["samples"], 10);
    assert!(String::from_utf8_lossy(&clamped.stderr).contains("clamped to it"));

    let grid = desk.grid();
    let nowhere = desk.path("none/out.npy");
    let refused = trainer(&["evaluate", "--out", nowhere.to_str().unwrap()], &[&model, &grid]);
    assert!(failure(&refused).contains("create the directory first"));
    // The columns of `fit --outputs` are no name of a file, and the model is not written over.
    let column = trainer(&["evaluate", "--outputs", desk.path("y").to_str().unwrap()], &[&model, &grid]);
    assert!(failure(&column).contains("what is written is a .npy; name it so"));
    assert!(!desk.path("y").exists());
    let over = trainer(&["evaluate", "--out", grid.to_str().unwrap()], &[&model, &grid]);
    assert!(failure(&over).contains("would be written over"));
}

#[test]
fn errors_have_the_unit_of_the_data() {
    let desk = Desk::new();
    let model = desk.put("m.ffm", &constant_model(Outside::Clamp));
    let table = desk.put("t.csv", b"y,value,x\nm,degC,m\n0,12,1\n1,13.5,3\n");
    let output = trainer(&["evaluate", "--inputs", "x,y", "--targets", "value"], &[&model, &table]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("largest error    1.500000 degC"), "{text} {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn no_error_is_null() {
    let desk = Desk::new();
    let model = desk.put("m.ffm", &constant_model(Outside::Clamp));
    let table = desk.put("t.csv", b"y,note,value,x\n0,a,12,1\n1,b,12,3\n");
    let result = json(&trainer(&["evaluate", "--json"], &[&model, &table]));
    assert_eq!((&result["psnr_db"], &result["max_abs_error"]), (&Value::Null, &0.0.into()));
}
