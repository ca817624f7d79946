//! How a run went: quality in f32 and as the device computes it, in numbers and in the report.

use crate::artifact::export::{Artifact, ExportError};
use crate::artifact::model_file::{ModelError, predict};
use crate::artifact::precision::NamedPrecision;
use crate::base::files;
use crate::data::in_user_units;
use crate::data::metrics::HeldOut;
use crate::data::metrics::Metrics;
use crate::data::{Dataset, OutputMap, Split};
use crate::fit::advice::{self, Advice};
use crate::fit::auto_scale::Choice;
use crate::fit::guide::is_wanted_between;
use crate::fit::saved::{RunSettings, SavedNetwork};
use crate::fit::unit_outputs;
use crate::fit::validation::Measured;
use crate::network::encoding::Encoding;
use crate::report::{Report, ReportError};
use crate::store::run::{RunError, RunFolder};
use crate::training::TrainState;
use firmware_core::Precision;
use ndarray::{Array2, Axis};
use serde::Serialize;

/// The data of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunData<'a> {
    /// What was given.
    pub dataset: &'a Dataset,
    /// Which of its samples trained and which were held out.
    pub split: &'a Split,
    /// What the network learned in place of the training samples, where a [guide](crate::fit::guide) led it.
    pub learned: Option<&'a Dataset>,
    /// Quality at samples held out by trainings of their own.
    pub held_out: Option<&'a Measured>,
}

impl<'a> RunData<'a> {
    /// What the network learned: a data set, and which of its samples.
    #[must_use]
    pub fn learned(&self) -> (&'a Dataset, Vec<usize>) {
        match self.learned {
            Some(learned) => (learned, (0..learned.len()).collect()),
            None => (self.dataset, self.split.train.clone()),
        }
    }

    /// From the network's unit outputs to the user's units.
    #[must_use]
    pub fn output_maps(&self) -> &'a [OutputMap] {
        &self.learned.unwrap_or(self.dataset).output_maps
    }
}

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
    /// Quality at samples that were held out: those of `--holdout`, or by trainings of their own; none if none were.
    pub held_out: Option<HeldOut>,
    /// What is worth being told, a sentence or two each.
    pub advice: Vec<String>,
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
    /// The artifact cannot be made.
    #[error(transparent)]
    Export(#[from] ExportError),
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
    data: RunData<'_>,
) -> Result<(), OutcomeError> {
    let saved = SavedNetwork::new(settings.clone(), encoding, state, data, f64::NAN);
    Ok(saved.write(&folder.network())?)
}

/// Writes network, artifact, metrics and report of a run, finished or not.
///
/// # Errors
/// [`OutcomeError`]; files written before it stay.
pub fn write(
    folder: &RunFolder,
    settings: &RunSettings,
    precision: Option<Precision>,
    encoding: &Encoding,
    state: &TrainState,
    data: RunData<'_>,
) -> Result<Outcome, OutcomeError> {
    let (dataset, network) = (data.dataset, &state.networks[0]);
    let exact = in_user_units(unit_outputs(encoding, network, dataset.coordinates.view()), data.output_maps());
    let f32 = Quality::new(&exact, dataset, data.split);
    let mut saved = SavedNetwork::new(settings.clone(), encoding, state, data, f32.train.psnr_db);
    let mut device = OnDevice::new(&saved, precision.unwrap_or(Precision::W8A16), data)?;
    let mut advice = Vec::new();
    let costs = |device: &OnDevice| f32.train.psnr_db - device.quality.train.psnr_db;
    if costs(&device) > advice::QUANTIZATION_DB {
        let loss_db = costs(&device);
        advice.push(if precision.is_none() {
            device = OnDevice::new(&saved, Precision::W16A16, data)?;
            Advice::WiderPrecision { loss_db }
        } else {
            Advice::Quantization { loss_db, precision: NamedPrecision(device.precision).name() }
        });
    }
    let held_out = match data.held_out {
        Some(measured) => measured.in_precision(device.precision, state.step),
        None => spared(&f32, &device, data),
    };
    if let Some(held_out) = &held_out {
        // The card tells how good the model is, and that is known only now.
        saved.text = saved.text.held_out(held_out);
        device.artifact = saved.export(device.precision)?.artifact;
    }
    saved.write(&folder.network())?;
    files::write(&folder.model(), device.artifact.as_bytes())?;
    let (values, parameters) = (data.split.train.len() * dataset.outputs(), network.parameters().len());
    let gap = held_out.as_ref().and_then(|held_out| advice::gap(f32.train.psnr_db, held_out.f32.psnr_db));
    let few = values < parameters && is_wanted_between(dataset);
    let (guided, measured) = (data.learned.is_some(), held_out.is_some());
    let few = few.then_some(Advice::FewSamples { values, parameters, guided, measured });
    let finished = state.step >= settings.fit.steps;
    let last_loss = state.history.last().map_or(f64::NAN, |&(_, loss)| loss);
    let falling = advice::still_falling(&state.history, state.step, -10.0 * last_loss.log10());
    let falling = falling.filter(|_| finished && gap.is_none());
    advice.extend(gap.into_iter().chain(few).chain(falling));
    let outcome = Outcome {
        steps: state.step,
        finished,
        loss: last_loss,
        parameters,
        precision: NamedPrecision(device.precision).name(),
        model_bytes: device.artifact.as_bytes().len(),
        quantization_loss_db: costs(&device),
        held_out,
        advice: advice.iter().map(ToString::to_string).collect(),
        model: device.quality,
        f32,
        losses: state.history.clone(),
    };
    let json = serde_json::to_string_pretty(&outcome).expect("plain values");
    files::write(&folder.metrics(), json.as_bytes())?;
    outcome.report(folder, settings, dataset, &device.predictions)?;
    Ok(outcome)
}

/// The artifact in a precision, and what it computes.
struct OnDevice {
    precision: Precision,
    artifact: Artifact,
    /// At all samples, `[n, c]`, user units.
    predictions: Array2<f32>,
    quality: Quality,
}

impl OnDevice {
    fn new(saved: &SavedNetwork, precision: Precision, data: RunData<'_>) -> Result<Self, OutcomeError> {
        let artifact = saved.export(precision)?.artifact;
        let predictions = predict(&artifact.model().map_err(ExportError::Parse)?, &data.dataset.points)?;
        let quality = Quality::new(&predictions, data.dataset, data.split);
        Ok(Self { precision, artifact, predictions, quality })
    }
}

/// The quality at the samples that `--holdout` spared.
fn spared(f32: &Quality, device: &OnDevice, data: RunData<'_>) -> Option<HeldOut> {
    let (f32, model) = (f32.test.clone()?, device.quality.test.clone()?);
    let how = format!("{} of {} samples, left out of the training by --holdout", f32.samples, data.dataset.len());
    Some(HeldOut { how, precision: NamedPrecision(device.precision).name().to_owned(), f32, model })
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
        if let Some(HeldOut { how, f32, model, .. }) = &self.held_out {
            metrics.push((format!("held out: {how}; {}", self.precision), model.clone()));
            metrics.push(("held out: the same, f32".to_owned(), f32.clone()));
        }
        for (name, quality) in [(self.precision, &self.model), ("f32", &self.f32)] {
            metrics.push((format!("trained samples, {name}"), quality.train.clone()));
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
            advice: &self.advice,
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
