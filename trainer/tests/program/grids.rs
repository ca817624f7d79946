//! Grids with holes, colours and points on the command line: trained, continued, evaluated, drawn.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use trainer::data::npy;

use crate::desk::trainer;

const QUICK: &str = "--frequencies 8 --hidden 8 --steps 20";

/// What a command that succeeds says on standard error.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn json(output: &Output) -> Value {
    said(output);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn put(directory: &Path, name: &str, shape: &[usize], values: &[f32]) {
    let mut bytes = Vec::new();
    npy::write(&mut bytes, shape, values).expect("writes to memory");
    fs::write(directory.join(name), bytes).expect("a file");
}

fn get(directory: &Path, name: &str) -> npy::NpyArray {
    npy::read(&fs::read(directory.join(name)).expect("it was written")).expect("an array")
}

#[test]
fn a_grid_with_holes_trains_on_what_it_has() {
    let desk = tempfile::tempdir().unwrap();
    let dem = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/grids/f32_deflate.tif");
    fs::copy(dem, desk.path().join("dem.tif")).unwrap();
    // 33 of its 35 cells hold data, as its README says.
    let run = trainer(desk.path(), &format!("fit dem.tif --out run {QUICK} --holdout even --json"));
    let notes = said(&run);
    assert!(notes.contains("note: 2 of the 35 cells are without data (its GDAL_NODATA is -9999)"), "{notes}");
    assert!(notes.contains("east = 500015 + 30 x"), "{notes}");
    let metrics = json(&run);
    // Of 3 x 4 cells in even rows and columns one is a hole (0, 0); of 2 x 3 in odd ones none is.
    assert_eq!((&metrics["f32"]["train"]["samples"], &metrics["f32"]["test"]["samples"]), (&11.into(), &6.into()));
    let report = fs::read_to_string(desk.path().join("run/report.html")).unwrap();
    assert!(report.contains("Cells without data are grey."));

    let evaluated = trainer(desk.path(), "evaluate run/model.ffm dem.tif --out out.npy --picture out.png --json");
    assert_eq!(json(&evaluated)["samples"], 33);
    let outputs = get(desk.path(), "out.npy");
    assert_eq!(outputs.shape, [5, 7]);
    let holes: Vec<usize> = (0..35).filter(|&cell| outputs.values[cell].is_nan()).collect();
    assert_eq!(holes, [0, 25]);
    // On the picture, the cell in the upper left corner is grey, its neighbour is not.
    let picture = image::open(desk.path().join("run/target.png")).unwrap().to_rgb8();
    let grey = picture.pixels().filter(|pixel| pixel.0 == [170, 170, 170]).count();
    assert!(grey > 1000, "{grey}");

    // The same run from the values of an array, whose holes are named; it resumes with them.
    put(desk.path(), "dem.npy", &[2, 4], &[1.0, 2.0, -9999.0, 4.0, f32::NAN, 6.0, 7.0, 8.0]);
    let refused = trainer(desk.path(), "fit dem.npy --out array --no-data -9999");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--no-data=NaN"));
    said(&trainer(desk.path(), &format!("fit dem.npy --out array {QUICK} --no-data=-9999,nan")));
    let resumed = json(&trainer(desk.path(), "fit --resume array --steps 40 --json"));
    assert_eq!((&resumed["steps"], &resumed["f32"]["train"]["samples"]), (&40.into(), &6.into()));
    said(&trainer(desk.path(), &format!("fit dem.npy --out skipped {QUICK} --no-data -9999 --skip-missing")));
    assert_eq!(json(&trainer(desk.path(), "evaluate array/model.ffm dem.npy --json"))["samples"], 6);
    let noticed = said(&trainer(desk.path(), &format!("fit dem.npy --out noticed {QUICK} --no-data nan")));
    assert!(noticed.contains("warning: 1 of the 7 values of the grid is -9999"), "{noticed}");
}

#[test]
fn points_and_targets_are_two_arrays() {
    let desk = tempfile::tempdir().unwrap();
    let points: Vec<f32> = (0..60).flat_map(|k| [(k % 8) as f32 + 0.25 * (k % 3) as f32, (k / 8) as f32]).collect();
    let values: Vec<f32> = points.chunks(2).map(|point| 3.0 * point[0] - point[1]).collect();
    put(desk.path(), "x.npy", &[60, 2], &points);
    put(desk.path(), "y,1.npy", &[60], &values);
    let rows: String = points.chunks(2).zip(&values).map(|(p, v)| format!("{},{},{v}\n", p[0], p[1])).collect();
    fs::write(desk.path().join("same.csv"), format!("x,y,value\n{rows}")).unwrap();

    said(&trainer(desk.path(), &format!("fit --points x.npy --targets y,1.npy --holdout none --out run {QUICK}")));
    said(&trainer(desk.path(), &format!("fit same.csv --holdout none --out table {QUICK}")));
    let model = |run: &str| fs::read(desk.path().join(run).join("model.ffm")).unwrap();
    assert_eq!(model("run"), model("table"), "arrays and a table of the same numbers give the same model");
    let evaluated = json(&trainer(desk.path(), "evaluate run/model.ffm --points x.npy --targets y,1.npy --json"));
    assert_eq!(evaluated, {
        let mut table = json(&trainer(desk.path(), "evaluate run/model.ffm same.csv --json"));
        table["input"] = "x.npy".into();
        table
    });
    // Both files are found from elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    let run = desk.path().join("run");
    let resumed = json(&trainer(elsewhere.path(), &format!("fit --resume {} --steps 30 --json", run.display())));
    assert_eq!((&resumed["steps"], &resumed["f32"]["train"]["samples"]), (&30.into(), &60.into()));
    said(&trainer(desk.path(), &format!("sweep --points x.npy --targets y,1.npy --scales 1,2 --out sweep {QUICK}")));

    for (arguments, words) in [
        ("fit --points x.npy --out other", "--targets"),
        ("fit same.csv --points x.npy --targets y,1.npy --out other", "cannot be used with"),
        ("fit --points x.npy --targets same.csv --out other", "same.csv is not an .npy or .npz array"),
        ("fit --points x.npy --targets no.npy --out other", "no.npy"),
        ("fit --resume run --points x.npy --targets y,1.npy", "leave out all options"),
        ("evaluate run/model.ffm", "required"),
    ] {
        let output = trainer(desk.path(), arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(words), "{arguments}: {text}");
    }
}

#[test]
fn an_array_of_colours_trains_as_the_picture_that_it_is() {
    let desk = tempfile::tempdir().unwrap();
    let colours: Vec<f32> = (0..8 * 6 * 3).map(|k| ((k * 37) % 256) as f32).collect();
    put(desk.path(), "c.npy", &[8, 6, 3], &colours);
    let pixels = colours.iter().map(|&value| value as u8).collect();
    image::RgbImage::from_raw(6, 8, pixels).unwrap().save(desk.path().join("c.png")).unwrap();
    let of_array = trainer(desk.path(), &format!("fit c.npy --out array {QUICK} --json"));
    assert!(said(&of_array).contains("is read as a picture"));
    let (of_array, of_picture) =
        (json(&of_array), json(&trainer(desk.path(), &format!("fit c.png --out picture {QUICK} --json"))));
    // The same network: in units of the range the errors are the same, in the data's units 255 times those.
    assert_eq!(of_array["loss"], of_picture["loss"]);
    let (a, b) = (
        of_array["f32"]["train"]["psnr_db"].as_f64().unwrap(),
        of_picture["f32"]["train"]["psnr_db"].as_f64().unwrap(),
    );
    assert!((a - b).abs() < 1e-3, "{a} {b}");
    let target = |run: &str| image::open(desk.path().join(run).join("target.png")).unwrap().to_rgb8();
    assert_eq!(target("array"), target("picture"));
    said(&trainer(desk.path(), "evaluate array/model.ffm c.npy --out out.npy --picture out.png"));
    let outputs = get(desk.path(), "out.npy");
    assert_eq!(outputs.shape, [8, 6, 3]);
    assert!(outputs.values.iter().any(|&value| value > 2.0), "in the array's units, up to 255");
    let drawn = image::open(desk.path().join("out.png")).unwrap().to_rgb8();
    let off =
        drawn.as_raw().iter().zip(&outputs.values).filter(|(byte, value)| (f64::from(**byte) - *value).abs() > 0.51);
    assert_eq!(off.count(), 0, "the picture shows the outputs");

    // A volume stays one when it is evaluated.
    said(&trainer(desk.path(), &format!("fit c.npy --volume --out volume {QUICK}")));
    assert_eq!(json(&trainer(desk.path(), "evaluate volume/model.ffm c.npy --json"))["samples"], 144);
}
