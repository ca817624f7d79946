//! Runs of `fit`: prepared, stopped, continued, and refused.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use firmware_core::{Model, Precision};
use ndarray::Array2;
use trainer::artifact::card_text::text_value;
use trainer::artifact::export::Artifact;
use trainer::artifact::model_file::predict;
use trainer::artifact::precision::NamedPrecision;
use trainer::data::metrics::Metrics;
use trainer::data::{Dataset, Holdout, LoadOptions};
use trainer::fit::auto_scale::Setting;
use trainer::fit::run::{FitRunError, Preparation, Run};
use trainer::fit::settings::FitSettings;
use trainer::fit::{FitError, FitParams};
use trainer::network::encoding::EncodingParams;
use trainer::store::run::RunError;
use trainer::training::{Ended, Watch};

fn data() -> Dataset {
    let wave = |(k, _): (usize, usize)| 0.5 + 0.3 * (k as f32 * 0.33).sin() + 0.1 * (k as f32 * 0.9).cos();
    Dataset::from_grid(&[40], Array2::from_shape_fn((40, 1), wave))
}

fn settings(steps: u64) -> FitSettings {
    let encoding = EncodingParams { frequencies: 8, ..EncodingParams::default() };
    let fit = FitParams { encoding, hidden: vec![8], steps, batch: Some(32), ..FitParams::default() };
    let precision = Some(NamedPrecision(Precision::W16A16));
    FitSettings { fit, precision, input: "wave".into(), load: LoadOptions::default(), imported: None }
}

#[test]
fn a_run_prepares_trains_and_writes_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut settings = settings(60);
    settings.fit = FitParams { steps: 60, batch: Some(32), ..settings.fit.with_guide() };
    let mut run = Run::new(&path, settings.clone(), data()).unwrap();
    let told = Mutex::new(Vec::new());
    let tell = |sentence: &str| told.lock().unwrap().push(sentence.to_owned());
    run.prepare(&Preparation { choices: &[Setting::Scale], hold_out: true, stop: None, tell: &tell }).unwrap();
    let told = told.into_inner().unwrap();
    for words in ["kernel regression through the samples: ", "--scale ", "extra training 5 of 5 is done"] {
        assert!(told.iter().any(|sentence| sentence.starts_with(words)), "{words}: {told:?}");
    }
    assert_ne!(run.settings().fit.encoding.scale, settings.fit.encoding.scale);
    assert_eq!(run.choice().unwrap().chosen, run.settings().fit.encoding.scale);
    assert_eq!(run.train(Watch::default()).unwrap(), Ended::Finished);
    let results = run.write().unwrap();

    let bytes = fs::read(run.folder().model()).unwrap();
    let artifact = Artifact::from_bytes(&bytes);
    let model = Model::parse(artifact.as_bytes()).unwrap();
    // Measured again from the file, as a user would.
    let outputs = predict(&model, &data().points).unwrap();
    assert_eq!(Metrics::compare(&outputs, &data().targets, &data().output_maps), results.model.train);
    let held_out = results.held_out.as_ref().unwrap();
    assert_eq!((held_out.model.samples, results.precision), (38, "w16a16"), "all rows but both ends");
    let told: serde_json::Value = serde_json::from_str(text_value(model.text(), "held_out").unwrap()).unwrap();
    assert_eq!(told["how"], held_out.how.as_str());
    // The header and metrics.json say the same number.
    let metrics: serde_json::Value = serde_json::from_slice(&fs::read(run.folder().metrics()).unwrap()).unwrap();
    assert_eq!(metrics["quantization_loss_db"].as_f64().unwrap() as f32, model.header().quantization_loss_db);
    assert!(path.join("report.html").is_file() && run.folder().guide().is_file());
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let (whole, parts) = (directory.path().join("whole"), directory.path().join("parts"));
    let mut run = Run::new(&whole, settings(30), data()).unwrap();
    run.train(Watch::default()).unwrap();
    run.write().unwrap();

    let stop = AtomicBool::new(true);
    let mut run = Run::new(&parts, settings(30), data()).unwrap();
    assert_eq!(run.train(Watch { stop: Some(&stop), ..Watch::default() }).unwrap(), Ended::Interrupted);
    let results = run.write().unwrap();
    assert!(!results.finished && results.steps < 30, "{}", results.steps);
    stop.store(false, Ordering::Relaxed);

    let read = Run::settings_of(&parts).unwrap();
    assert_eq!(read, settings(30));
    let other = Dataset::from_grid(&[40], data().targets.mapv(|target| 0.5 * target));
    let error = Run::resume(&parts, read.clone(), other).unwrap_err();
    assert!(matches!(error, FitRunError::Run(RunError::OtherData { .. })), "{error}");
    let mut run = Run::resume(&parts, read, data()).unwrap();
    assert_eq!(run.train(Watch { stop: Some(&stop), ..Watch::default() }).unwrap(), Ended::Finished);
    assert!(run.write().unwrap().finished);
    let model = |path: &Path| fs::read(path.join("model.ffm")).unwrap();
    assert_eq!(model(&parts), model(&whole));

    let error = Run::resume(&parts, settings(20), data()).unwrap_err();
    assert!(matches!(error, FitRunError::FewerSteps { steps: 20, done: 30, .. }), "{error}");
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing_and_a_taken_folder_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut impossible = settings(10);
    impossible.fit.holdout = Holdout::Fraction(0.001);
    assert!(matches!(Run::new(&path, impossible, data()), Err(FitRunError::Fit(FitError::Dataset(_)))));
    assert!(!path.exists());

    let stop = AtomicBool::new(true);
    let mut run = Run::new(&path, settings(10), data()).unwrap();
    let preparation = Preparation { choices: &[Setting::Scale], stop: Some(&stop), ..Preparation::default() };
    let error = run.prepare(&preparation).unwrap_err();
    assert!(error.is_interruption() && !path.exists(), "{error}");
    let mut run = Run::new(&path, settings(10), data()).unwrap();
    let error = run.prepare(&Preparation { choices: &[Setting::AmplitudePower], ..preparation }).unwrap_err();
    assert!(matches!(error, FitRunError::Choice { .. }) && !error.is_interruption(), "{error}");

    fs::create_dir(&path).unwrap();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    assert!(matches!(Run::new(&path, settings(10), data()), Err(FitRunError::Run(RunError::Folder(_)))));
    Run::replace(&path, settings(10), data()).unwrap().prepare(&preparation).unwrap_err();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
}

#[test]
fn a_wish_to_stop_after_the_training_is_obeyed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut run = Run::new(&path, settings(10), data()).unwrap();
    run.prepare(&Preparation::default()).unwrap();
    run.train(Watch::default()).unwrap();
    let stop = AtomicBool::new(true);
    let stopped = run.write_unless(&stop).unwrap_err();
    assert!(stopped.is_interruption() && !run.folder().model().exists(), "{stopped}");
    stop.store(false, Ordering::Relaxed);
    let resumed = Run::resume(&path, Run::settings_of(&path).unwrap(), data()).unwrap();
    assert_eq!(resumed.write_unless(&stop).unwrap().steps, 10);
    assert!(run.folder().model().is_file());
}
