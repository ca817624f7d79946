//! What a run leaves in its folder when its training ends: network, artifact, figures and report.

use crate::artifact::export::Artifact;
use crate::artifact::precision::NamedPrecision;
use crate::base::files;
use crate::data::Dataset;
use crate::data::metrics::HeldOut;
use crate::fit::Snapshot;
use crate::fit::advice::{self, Advice, Between};
use crate::fit::auto_scale::Choice;
use crate::fit::guide::is_wanted_between;
use crate::fit::judge::{Judged, Quality};
use crate::fit::saved_network::SavedNetwork;
use crate::fit::settings::names_and_values;
use crate::network::encoding::EncodingKind;
use crate::report::{Report, ReportError};
use crate::store::json;
use crate::store::run::{RunError, RunFolder};
use ndarray::Array2;
use serde::Serialize;

/// What `metrics.json` holds.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Steps that were done.
    pub steps: u64,
    /// Whether these are all that were asked for.
    pub finished: bool,
    /// The loss before the last step that was logged.
    pub loss: f64,
    /// Parameters of the network.
    pub parameters: usize,
    /// How good the network is in f32.
    pub f32: Quality,
    /// The precision of `model.ffm`: `f32`, `w8a16` or `w16a16`.
    pub precision: &'static str,
    /// Length of `model.ffm`.
    pub model_bytes: usize,
    /// How good `model.ffm` is, computed as on the device.
    pub model: Quality,
    /// Quality at samples that were held out: those of `--holdout`, or by trainings of their own; none if none were.
    pub held_out: Option<HeldOut>,
    /// What the user should know, a sentence or two each.
    pub advice: Vec<String>,
    /// What the header of `model.ffm` says of its precision: PSNR in f32 less that of the artifact, dB, over samples
    /// that calibration did not see (see [`Exported`](crate::fit::exportable::Exported)). Over all training samples it
    /// is the difference of the two figures above.
    pub quantization_loss_db: f32,
    /// The loss at some 400 steps of the training: (step, loss).
    pub losses: Vec<(u64, f64)>,
}

impl Results {
    /// The figures of a network, with advice. `f32` is its quality in f32, `artifact` what is stored of it.
    #[must_use]
    pub fn new(snapshot: Snapshot<'_>, f32: Quality, judged: &Judged<'_>, artifact: &Artifact) -> Self {
        let Snapshot { params, state, data } = snapshot;
        let (dataset, parameters) = (data.dataset, snapshot.network().parameters().len());
        let held_out = judged.held_out.as_ref();
        let gap = held_out.and_then(|held_out| advice::gap(f32.train.psnr_db, held_out.f32.psnr_db));
        let values = data.split.train.len() * dataset.outputs();
        let between = Between::of(dataset.len(), held_out.is_some());
        let few = (values < parameters && is_wanted_between(dataset)).then_some(Advice::FewSamples {
            values,
            parameters,
            guided: data.learned.is_some(),
            between,
        });
        let finished = state.step >= params.params().steps;
        let loss = state.history.last().map_or(f64::NAN, |&(_, loss)| loss);
        let falling = advice::still_falling(&state.history, state.step, -10.0 * loss.log10());
        let falling = falling.filter(|_| finished && gap.is_none());
        let advice = judged.advice.iter().cloned().chain(gap).chain(few).chain(falling);
        let exported = &judged.device.exported;
        Self {
            steps: state.step,
            finished,
            loss,
            parameters,
            f32,
            precision: NamedPrecision(exported.precision).name(),
            model_bytes: artifact.as_bytes().len(),
            model: judged.device.quality.clone(),
            held_out: judged.held_out.clone(),
            advice: advice.map(|advice| advice.to_string()).collect(),
            quantization_loss_db: exported.quantization_loss_db,
            losses: state.history.clone(),
        }
    }
}

/// Why a run's results could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// `network.safetensors` cannot be written.
    #[error(transparent)]
    Network(#[from] RunError),
    /// Another file cannot be written.
    #[error(transparent)]
    Write(#[from] files::WriteError),
    /// The report cannot be drawn or written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// The contents of the files that a run leaves when its training ends.
#[derive(Clone, Debug)]
pub struct ResultFiles<'a> {
    /// `network.safetensors`.
    pub network: SavedNetwork,
    /// `model.ffm`.
    pub artifact: Artifact,
    /// `metrics.json`.
    pub results: &'a Results,
    /// What the report draws: the data,
    pub dataset: &'a Dataset,
    /// what the artifact gives at all samples, `[n, c]` in the user's units,
    pub predictions: Array2<f32>,
    /// and how a hyperparameter was chosen, if one was.
    pub choice: Option<&'a Choice>,
}

impl ResultFiles<'_> {
    /// Writes all files into the folder of a run.
    ///
    /// # Errors
    /// [`ResultsError`]; files written before it stay.
    pub fn write(&self, folder: &RunFolder) -> Result<(), ResultsError> {
        self.network.write(&folder.network())?;
        files::write(&folder.model(), self.artifact.as_bytes())?;
        json::write(&folder.metrics(), self.results)?;
        Ok(self.write_report(folder)?)
    }

    fn write_report(&self, folder: &RunFolder) -> Result<(), ReportError> {
        let (results, settings) = (self.results, &self.network.settings);
        let Results { precision, parameters, steps, model_bytes, .. } = results;
        let imported = settings.imported.as_ref().map(|imported| imported.weights.display().to_string());
        let is_untrained = imported.is_some() && *steps == 0;
        let mut metrics = Vec::new();
        if let Some(HeldOut { how, f32, model, .. }) = &results.held_out {
            metrics.push((format!("held out: {how}; {precision}"), model.clone()));
            metrics.push(("held out: the same, f32".to_owned(), f32.clone()));
        }
        for (name, quality) in [(*precision, &results.model), ("f32", &results.f32)] {
            let samples = if is_untrained { "all samples" } else { "trained samples" };
            metrics.push((format!("{samples}, {name}"), quality.train.clone()));
        }
        let title = settings.input.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let state = if results.finished { "" } else { " It was interrupted and can be resumed." };
        let origin = imported.map_or(String::new(), |file| format!("imported from {file}"));
        let training = format!("trained for {steps} of {} steps", settings.fit.steps);
        let training = match (origin.is_empty(), is_untrained) {
            (true, _) => training,
            (false, true) => origin,
            (false, false) => format!("{origin} and {training}"),
        };
        let what = if settings.fit.encoding.kind == EncodingKind::Table {
            format!("A table of {parameters} parameters, fitted by least squares")
        } else {
            format!("A network of {parameters} parameters, {training}")
        };
        let summary = format!("{what}; its {precision} artifact has {model_bytes} bytes.{state}");
        let choice = self.choice.map(Choice::drawing).transpose()?;
        Report {
            title: &title,
            summary: &summary,
            dataset: self.dataset,
            predictions: &self.predictions,
            artifact: Some(&self.artifact),
            losses: &results.losses,
            choice: choice.as_ref(),
            metrics: &metrics,
            advice: &results.advice,
            settings: &names_and_values(settings),
        }
        .write(folder.path())
    }
}
