//! How a run went: quality in f32 and as the device computes it, in numbers and in the report.

use crate::auto_scale::Choice;
use crate::dataset::{Dataset, Split};
use crate::encoding::Encoding;
use crate::files;
use crate::fit::{in_user_units, unit_outputs};
use crate::metrics::Metrics;
use crate::model_card::precision_name;
use crate::model_file::{ModelError, predict};
use crate::report::{Report, ReportError};
use crate::run::{RunError, RunFolder};
use crate::saved::{RunSettings, SavedNetwork};
use crate::train::TrainState;
use firmware_core::{ParseError, Precision};
use ndarray::{Array2, Axis};
use serde::Serialize;

/// Quality on the samples that trained and on those held out.
#[derive(Clone, Debug, Serialize)]
pub struct Quality {
    /// The samples trained on.
    pub train: Metrics,
    /// The samples held out, if any.
    pub test: Option<Metrics>,
}

impl Quality {
    /// Compares predictions `[n, c]` in user units at all samples.
    pub fn new(predictions: &Array2<f32>, dataset: &Dataset, split: &Split) -> Self {
        let of = |samples: &[usize]| {
            let (predictions, targets) =
                (predictions.select(Axis(0), samples), dataset.targets.select(Axis(0), samples));
            Metrics::compare(&predictions, &targets, &dataset.output_maps)
        };
        Self { train: of(&split.train), test: (!split.test.is_empty()).then(|| of(&split.test)) }
    }
}

/// What `metrics.json` holds.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Steps done.
    pub steps: u64,
    /// Whether these are all that were asked for.
    pub finished: bool,
    /// Loss before the last logged step.
    pub loss: f64,
    /// Parameters of the network.
    pub parameters: usize,
    /// The network in f32.
    pub f32: Quality,
    /// Of the artifact.
    pub precision: &'static str,
    /// Its length.
    pub model_bytes: usize,
    /// The artifact, computed as on the device.
    pub model: Quality,
    /// PSNR on training samples in f32 less that of the artifact, dB; `null` where both are exact.
    pub quantization_loss_db: f64,
    /// (step, loss).
    pub losses: Vec<(u64, f64)>,
}

/// Why a run's results could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The artifact or the network.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The artifact refuses the data.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The artifact cannot be read.
    #[error("the artifact fails its own check")]
    Parse(#[source] ParseError),
    /// A file.
    #[error(transparent)]
    Write(#[from] files::WriteError),
    /// The report.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Writes the network of a run alone, trained or not.
///
/// # Errors
/// If it cannot be written.
pub fn write_network(
    folder: &RunFolder,
    settings: &RunSettings,
    encoding: &Encoding,
    state: &TrainState,
    (dataset, split): (&Dataset, &Split),
) -> Result<(), OutcomeError> {
    let saved = SavedNetwork::new(settings.clone(), encoding, state, dataset, &split.train, f64::NAN);
    Ok(saved.write(&folder.network())?)
}

/// Writes network, artifact, metrics and report of a run, finished or not.
///
/// # Errors
/// [`OutcomeError`]; files written before it stay.
pub fn write(
    folder: &RunFolder,
    settings: &RunSettings,
    precision: Precision,
    encoding: &Encoding,
    state: &TrainState,
    (dataset, split): (&Dataset, &Split),
) -> Result<Outcome, OutcomeError> {
    let network = &state.networks[0];
    let exact = in_user_units(unit_outputs(encoding, network, dataset.coordinates.view()), dataset);
    let f32 = Quality::new(&exact, dataset, split);
    let saved = SavedNetwork::new(settings.clone(), encoding, state, dataset, &split.train, f32.train.psnr_db);
    saved.write(&folder.network())?;
    let artifact = saved.export(precision)?.artifact;
    files::write(&folder.model(), artifact.as_bytes())?;
    let predictions = predict(&artifact.model().map_err(OutcomeError::Parse)?, &dataset.points)?;
    let model = Quality::new(&predictions, dataset, split);
    let outcome = Outcome {
        steps: state.step,
        finished: state.step >= settings.fit.steps,
        loss: state.history.last().map_or(f64::NAN, |&(_, loss)| loss),
        parameters: network.parameters().len(),
        precision: precision_name(precision),
        model_bytes: artifact.as_bytes().len(),
        quantization_loss_db: f32.train.psnr_db - model.train.psnr_db,
        f32,
        model,
        losses: state.history.clone(),
    };
    let json = serde_json::to_string_pretty(&outcome).expect("plain values");
    files::write(&folder.metrics(), json.as_bytes())?;
    outcome.report(folder, settings, dataset, &predictions)?;
    Ok(outcome)
}

impl Outcome {
    fn report(
        &self,
        folder: &RunFolder,
        settings: &RunSettings,
        dataset: &Dataset,
        predictions: &Array2<f32>,
    ) -> Result<(), ReportError> {
        let mut metrics = Vec::new();
        for (name, quality) in [("f32", &self.f32), (self.precision, &self.model)] {
            metrics.push((format!("{name}, trained samples"), quality.train.clone()));
            metrics.extend(quality.test.iter().map(|test| (format!("{name}, held-out samples"), test.clone())));
        }
        let title = settings.input.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let state = if self.finished { "" } else { " It was interrupted and can be resumed." };
        let summary = format!(
            "A network of {} parameters, trained for {} of {} steps; its {} artifact has {} bytes.{state}",
            self.parameters, self.steps, settings.fit.steps, self.precision, self.model_bytes
        );
        let rows = flat(settings);
        let choice = std::fs::read(folder.choice()).ok();
        let choice = choice.and_then(|json| serde_json::from_slice::<Choice>(&json).ok());
        let choice = choice.map(|choice| choice.drawing()).transpose()?;
        Report {
            title: &title,
            summary: &summary,
            dataset,
            predictions,
            losses: &self.losses,
            choice: choice.as_ref(),
            metrics: &metrics,
            settings: &rows,
        }
        .write(folder.path())
    }
}

/// Names and values of all settings, nested ones with dots.
pub(crate) fn flat(settings: &impl Serialize) -> Vec<(String, String)> {
    fn walk(name: &str, value: serde_json::Value, rows: &mut Vec<(String, String)>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    walk(&if name.is_empty() { key } else { format!("{name}.{key}") }, value, rows);
                }
            }
            serde_json::Value::String(text) => rows.push((name.to_owned(), text)),
            value => rows.push((name.to_owned(), value.to_string())),
        }
    }
    let mut rows = Vec::new();
    walk("", serde_json::to_value(settings).unwrap_or_default(), &mut rows);
    rows
}
