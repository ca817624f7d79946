//! The program of `trainer/NETWORK.md`: a run's network, evaluated by numpy alone.

use std::fs;
use std::process::Command;

use firmware_core::{OutputActivation, Precision};
use ndarray::Array2;
use tests::skipped::skipped;
use tests::{process, provision};
use trainer::artifact::model_file::predict;
use trainer::data::{Dataset, LoadOptions};
use trainer::fit::FitParams;
use trainer::fit::exportable::ExportableNetwork;
use trainer::fit::saved_network::SavedNetwork;
use trainer::fit::settings::FitSettings;
use trainer::network::HiddenActivation;
use trainer::network::encoding::{EncodingKind, EncodingParams};
use trainer::training::Watch;

/// Behind the program of the page: values at the points of a file, as lines of numbers in the shortest digits.
const DRIVER: &str =
    "\nimport sys\nfor row in predict(sys.argv[1], np.loadtxt(sys.argv[2], ndmin=2)): print(*map(float, row))\n";

/// The program of the page.
fn program() -> &'static str {
    let page = include_str!("../../../trainer/NETWORK.md");
    page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap()
}

/// Trains a network for a moment; compares numpy's values with those of the `f32` artifact.
#[track_caller]
fn agrees(python: &str, fit: FitParams) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let height = |k: usize, c: usize| ((k % 30) as f32 * 0.2).sin() * (k / 30 + c) as f32 * 7.5 - 3.0;
    let data = Dataset::from_grid(&[25, 30], Array2::from_shape_fn((750, 2), |(k, c)| height(k, c)));
    let what = format!("{:?} {:?} {:?}", fit.encoding.kind, fit.activation, fit.output);
    let fitted = fit.check(2, 2).unwrap().fit(&data, &mut Watch::default()).unwrap();
    let exportable = ExportableNetwork::new(fitted.snapshot(&data), f64::NAN);
    let settings =
        FitSettings { fit, precision: None, input: "made".into(), load: LoadOptions::default(), imported: None };
    let saved = SavedNetwork { settings, exportable };
    saved.write(&path).unwrap();

    // Between the samples, at them, and beyond the domain.
    let points = Array2::from_shape_fn((400, 2), |(k, axis)| (k * (7 + axis) % 101) as f32 * 0.37 - 1.0);
    let lines: String = points.rows().into_iter().map(|row| format!("{} {}\n", row[0], row[1])).collect();
    fs::write(folder.path().join("points.txt"), lines).unwrap();
    let mut command = Command::new(python);
    command.args(["-c", &format!("{}{DRIVER}", program())]).arg(&path).arg(folder.path().join("points.txt"));
    let printed = process::capture(&mut command).unwrap();
    let values: Vec<f64> = printed.split_whitespace().map(|number| number.parse().unwrap()).collect();

    let artifact = saved.exportable.export(Precision::F32).unwrap().artifact().unwrap();
    let expected = predict(&artifact.model().unwrap(), &points).unwrap();
    let scales = data.output_maps.iter().map(|map| f64::from(map.scale)).cycle();
    assert_eq!(values.len(), expected.len());
    let pairs = values.iter().zip(&expected).zip(scales);
    let largest = pairs.map(|((a, &b), scale)| ((a - f64::from(b)) / scale).abs()).fold(0.0f64, f64::max);
    let shape = saved.exportable.network.shape();
    let tolerance = match (shape.hidden, shape.output) {
        // Activations of 16 bits: where f32 rounds otherwise than f64, the last bit may.
        (HiddenActivation::Sine, _) => 1e-4,
        // The device computes the logistic function in fixed point, to 2.3e-5, of a logit with 14 bits behind the
        // point.
        (_, OutputActivation::Sigmoid) => 6e-5,
        _ => 1e-5,
    };
    println!("{what}: largest difference {largest:.1e}");
    assert!(largest < tolerance, "{what}: {largest:e}");
    // What the outputs vary by is far more than what they may differ by.
    let spread = expected.iter().fold(0.0f32, |spread, value| spread.max((value - expected[[0, 0]]).abs()));
    let share = f64::from(spread / data.output_maps[0].scale);
    assert!(share > 10.0 * tolerance, "{what}: {share}");
}

#[test]
fn numpy_evaluates_the_network_of_a_run_as_its_page_says() {
    let python = match provision::numpy() {
        Ok(python) => python,
        Err(error) if !process::succeeds(Command::new("python3").arg("--version")) => {
            return skipped(&format!("there is no Python for the program of trainer/NETWORK.md: {error}"));
        }
        Err(error) => panic!("{error}"),
    };
    let of = |kind, passthrough| EncodingParams {
        kind,
        passthrough,
        frequencies: 12,
        scale: 2.0,
        ..EncodingParams::default()
    };
    for (encoding, activation, output) in [
        (of(EncodingKind::Gaussian, 0), HiddenActivation::Relu, OutputActivation::Linear),
        (of(EncodingKind::Positional, 0), HiddenActivation::Sine, OutputActivation::Sigmoid),
        (of(EncodingKind::Gaussian, 1), HiddenActivation::Relu, OutputActivation::Sigmoid),
    ] {
        let params =
            FitParams { encoding, hidden: vec![16, 12], steps: 60, activation, output, ..FitParams::default() };
        agrees(python, params);
    }
}
