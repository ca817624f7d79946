//! From a file to the artifact.

use std::path::Path;

use firmware_core::Precision;
use ndarray::Axis;

use super::*;
use trainer::artifact::model_file::predict;
use trainer::data::{Dataset, LoadOptions, load};
use trainer::fit::exportable::ExportableNetwork;
use trainer::fit::settings::Imported;
use trainer::fit::{Snapshot, TrainingData};
use trainer::training::TrainState;

/// The points of a known answer as a table, with the outputs of the library as targets.
fn table(folder: &Path, name: &str) -> Dataset {
    let [points, outputs] = known(name);
    let header = (0..points.ncols()).map(|k| format!("x{k}")).chain((0..outputs.ncols()).map(|k| format!("y{k}")));
    let mut text = header.collect::<Vec<_>>().join(",") + "\n";
    for (point, output) in points.axis_iter(Axis(0)).zip(outputs.axis_iter(Axis(0))) {
        let cells = point.iter().chain(output).map(ToString::to_string).collect::<Vec<_>>();
        text += &(cells.join(",") + "\n");
    }
    let path = folder.join("known.csv");
    std::fs::write(&path, text).unwrap();
    let outputs = (0..outputs.ncols()).map(|k| format!("y{k}")).collect();
    load(&path, &LoadOptions { outputs, ..LoadOptions::default() }).unwrap()
}

/// Evaluates the artifact of a network at the known points: the largest difference from what the library computed,
/// relative to the largest output.
fn artifact_error(name: &str, params: &ImportParams, precision: Precision) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = table(folder.path(), name);
    let network = read(name, params).unwrap();
    let converted = network.convert(&dataset, &Units::new(&dataset, None, None).unwrap()).unwrap();
    let output_maps = converted.output_maps.iter().flatten().map(|map| [map.scale, map.offset]).collect();
    Imported { weights: file(name), output_maps }.apply(&mut dataset);
    let params = converted.params.check(dataset.inputs(), dataset.outputs()).unwrap();
    let (state, split) = (TrainState::new(vec![converted.network]), params.split(&dataset).unwrap());
    let snapshot = Snapshot { params: &params, state: &state, data: TrainingData::new(&dataset, &split) };
    let artifact = ExportableNetwork::new(snapshot, f64::NAN).export(precision).unwrap().artifact().unwrap();
    let found = predict(&artifact.model().unwrap(), &dataset.points).unwrap();
    let expected = &known(name)[1];
    let largest = expected.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let error = found.iter().zip(expected).fold(0.0f64, |error, (&a, b)| error.max((f64::from(a) - b).abs()));
    error / largest
}

/// The whole way to the outputs of PyTorch, by the artifact that a device evaluates.
#[test]
fn an_artifact_in_f32_gives_the_outputs_of_pytorch_to_a_hundred_thousandth() {
    let error = artifact_error("tancik", &ImportParams::default(), Precision::F32);
    assert!(error < TOLERANCE, "{error:e}");
}

/// Features and sines have 16 bits, of which one is 3·10⁻⁵; frequencies are rounded to 2⁻¹⁶ cycles.
#[test]
fn artifacts_are_as_close_to_the_library_as_their_numbers_let_them_be() {
    for (name, params) in networks() {
        for (precision, limit) in [(Precision::F32, 2e-4), (Precision::W16A16, 1e-3), (Precision::W8A16, 0.1)] {
            let error = artifact_error(name, &params, precision);
            assert!(error < limit, "{name} in {precision:?}: {error:e}");
        }
    }
}

#[test]
fn a_tanh_is_a_sigmoid_of_twice_the_slope() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = table(folder.path(), "tancik");
    let params = ImportParams { output: Some(OutputFunction::Tanh), ..ImportParams::default() };
    let network = read("tancik", &params).unwrap();
    let points = &known("tancik")[0];
    let found = network.outputs(points.view());
    for (found, linear) in found.iter().zip(&known("tancik")[1]) {
        assert!((found - linear.tanh()).abs() < TOLERANCE);
    }
    let converted = network.convert(&dataset, &Units::new(&dataset, None, None).unwrap()).unwrap();
    let maps = converted.output_maps.unwrap();
    assert!(maps.iter().all(|map| (map.scale, map.offset) == (2.0, -1.0)));
}

#[test]
fn the_data_tell_of_a_reading_that_fits_them() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = table(folder.path(), "flax");
    let (path, order) = (file("flax"), [0, 1]);
    let params = ImportParams::default();
    let reading = Reading {
        path: &path,
        params: &params,
        order: &order,
        may_turn: true,
        range: None,
        fixed_range: false,
        outputs: None,
    };
    let found = better(reading, &dataset, 0.0).unwrap();
    assert_eq!(found.options, "--gamma sin-cos");
    assert!(found.psnr_db > 90.0, "{}", found.psnr_db);
    let right = ImportParams { gamma: Gamma::SinCos, ..ImportParams::default() };
    assert_eq!(better(Reading { params: &right, ..reading }, &dataset, 0.0).map(|found| found.options), None);

    // A network that saw the inputs in the other order.
    let dataset = table(folder.path(), "tancik");
    let (path, order) = (file("tancik"), [1, 0]);
    let turned = Reading { path: &path, params: &ImportParams::default(), order: &order, ..reading };
    assert_eq!(better(turned, &dataset, 0.0).unwrap().options, "--inputs x1,x0");
}
