//! From a fit to what is stored of it, and back.

use firmware_core::{Model, OutputActivation, Precision};
use ndarray::Array2;
use trainer::artifact::card_text::text_value;
use trainer::artifact::model_file::predict;
use trainer::data::metrics::Metrics;
use trainer::data::{Dataset, LoadOptions};
use trainer::fit::exportable::ExportableNetwork;
use trainer::fit::saved_network::SavedNetwork;
use trainer::fit::settings::{FitSettings, Imported};
use trainer::fit::{FitParams, Fitted};
use trainer::training::Watch;

fn fitted(output: OutputActivation) -> (Dataset, Fitted) {
    let value = |(k, c): (usize, usize)| {
        let (x, y) = ((k % 40) as f32 / 40.0, (k / 40) as f32 / 40.0);
        0.5 + 0.3 * (11.0 * x - 7.0 * y * y).sin() * if c == 0 { 1.0 } else { x }
    };
    let data = Dataset::from_grid(&[40, 40], Array2::from_shape_fn((1600, 2), value));
    let mut params = FitParams { hidden: vec![32, 24], steps: 400, output, ..FitParams::default() };
    params.encoding.scale = 2.0;
    let fitted = params.check(2, 2).unwrap().fit(&data, &mut Watch::default()).unwrap();
    (data, fitted)
}

/// The whole way of a library user: data in memory, a fit, an artifact, and what the artifact computes.
#[test]
fn artifacts_of_a_fit_are_as_good_as_promised() {
    for output in [OutputActivation::Linear, OutputActivation::Sigmoid] {
        let (data, fitted) = fitted(output);
        let exact = fitted.metrics(&data, &fitted.split.train).psnr_db;
        assert!(exact > 30.0, "{exact}");
        let network = ExportableNetwork::new(fitted.snapshot(&data), exact);
        for (precision, limit) in [(Precision::F32, 0.001), (Precision::W16A16, 0.05), (Precision::W8A16, 1.0)] {
            let artifact = fitted.artifact(&data, precision).unwrap();
            let model = Model::parse(artifact.as_bytes()).unwrap();
            // Over all samples, while the header tells of those that calibration did not see.
            let outputs = predict(&model, &data.points).unwrap();
            let metrics = Metrics::compare(&outputs, &data.targets, &data.output_maps);
            assert!(exact - metrics.psnr_db < limit, "{output:?} {precision:?}: {} of {exact} dB", metrics.psnr_db);
            let header = model.header();
            let exported = network.export(precision).unwrap();
            assert_eq!(header.training_psnr_db, exact as f32);
            assert_eq!(header.quantization_loss_db, exported.quantization_loss_db);
            assert!(header.quantization_loss_db < limit as f32, "{precision:?} {}", header.quantization_loss_db);
            assert_eq!(text_value(model.text(), "hidden_layers"), Some("[32,24]"));
        }
        let artifact = fitted.artifact(&data, Precision::F32).unwrap();
        let device = predict(&artifact.model().unwrap(), &data.points).unwrap();
        let host = fitted.snapshot(&data).predict(data.coordinates.view());
        let scale = data.output_maps.iter().fold(f32::INFINITY, |least, map| least.min(map.scale));
        let worst = device.iter().zip(&host).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs() / scale));
        assert!(worst < 2e-5, "{output:?}: {worst}");
    }
}

#[test]
fn a_network_that_is_read_back_gives_the_same_artifacts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("network.safetensors");
    let data = Dataset::from_grid(&[900], Array2::from_shape_fn((900, 2), |(k, c)| ((k * (c + 2)) % 97) as f32));
    let fit = FitParams { hidden: vec![12, 8], steps: 20, ..FitParams::default() };
    let fitted = fit.check(1, 2).unwrap().fit(&data, &mut Watch::default()).unwrap();
    let load = LoadOptions { no_data: vec![-9999.0], ..LoadOptions::default() };
    let imported = Some(Imported { weights: "elsewhere.safetensors".into(), output_maps: vec![[0.1, -3.0]; 2] });
    let settings = FitSettings { fit, precision: None, input: "made".into(), load, imported };
    let exportable = ExportableNetwork::new(fitted.snapshot(&data), 21.5).with_settings(&settings);
    assert!(exportable.text.as_str().contains("imported_from: \"elsewhere.safetensors\""));
    let saved = SavedNetwork { settings, exportable };
    saved.write(&path).unwrap();
    let read = SavedNetwork::read(&path).unwrap();
    assert_eq!(read.settings, saved.settings);
    for precision in [Precision::F32, Precision::W16A16, Precision::W8A16] {
        let artifact = |saved: &SavedNetwork| saved.exportable.export(precision).unwrap().artifact().unwrap();
        assert_eq!(artifact(&read), artifact(&saved), "{precision:?}");
    }
}
