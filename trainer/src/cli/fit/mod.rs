//! `trainer fit`: from a file of data to a run folder with the model in it.

mod misnamed;
mod settings;

use crate::cli::hold::{Others, hold, hold_while_made};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use trainer::data::metrics::Metrics;
use trainer::data::{Dataset, note_of_repeated};
use trainer::fit::auto_scale::Setting;
use trainer::fit::guide::{self, is_wanted_between};
use trainer::fit::results::Results;
use trainer::fit::run::{FitRunError, Preparation, Run};
use trainer::fit::settings::FitSettings;
use trainer::fit::validation;
use trainer::fit::{Snapshot, ValidFitParams};
use trainer::training::progress;
use trainer::training::{Ended, Watch};

pub(super) use self::settings::Settings;
use super::number::from_one;
use super::reading::{apply_and_tell, load_and_tell};
use super::trained::TRAINING;
use super::{interrupt, print, warn_of_redundant_frequencies};

/// Train a network on a picture, an array or a table, and write the model for a device.
///
/// The run folder gets model.ffm (the model for the device), network.safetensors (the weights for PyTorch or JAX),
/// metrics.json and report.html. Ctrl-C ends the training and keeps what was learned. --resume continues it, and
/// gives the same bits as a run that was never interrupted.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer fit camera_256.png --out runs/camera\n  \
                        trainer fit dem.tif --out runs/dem --holdout 0.1\n  \
                        trainer fit --points x.npy --targets y.npy --out runs/cloud\n  \
                        trainer fit sensor.csv --inputs adc,temperature --outputs pressure --out runs/sensor --holdout 0.1\n  \
                        trainer fit --resume runs/camera --steps 4000")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Fit {
    /// A picture, an array (.npy, .npz), an elevation grid (GeoTIFF, .asc, .hgt) or a table [default with --resume:
    /// the data of that run]
    #[arg(required_unless_present_any = ["resume", "points"])]
    input: Option<PathBuf>,
    /// The folder to make for this run
    #[arg(short, long, visible_alias = "output-dir", value_name = "RUN", required_unless_present = "resume")]
    #[arg(conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run that is in the folder --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue the run in this folder with its own settings; only --steps may differ
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Number of training steps; each updates all parameters once [default: 2000, or 2500 where the network learns
    /// from kernel regression, as it does for small tables]
    #[arg(
        long, help_heading = TRAINING, display_order = 0, aliases = ["iterations", "iters"],
        value_parser = from_one::<u64>
    )]
    steps: Option<u64>,
    /// Print the results as one JSON object, with the curves of automatic choices; progress goes to standard error
    #[arg(long)]
    json: bool,
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut run = match (&self.resume, &self.out) {
            (Some(folder), _) => self.resumed(folder)?,
            (None, Some(out)) => self.new_run(out, self.settings.input(self.input.as_ref())?)?,
            _ => bail!("name the data and an --out, or a run to --resume"),
        };
        let Snapshot { params, state, .. } = run.snapshot();
        let mut bar = progress::on_stderr(params.params().steps, state.step);
        let stop = interrupt::catch()?;
        let watch = Watch { stop: Some(stop), progress: Some(&mut *bar), ..Watch::default() };
        let ended = run.train(watch).map_err(|error| with_resume(&run, error))?;
        // What an interrupted training has learned is written; a wish to stop that comes after the training is obeyed.
        let results = if ended == Ended::Interrupted { run.write() } else { run.write_unless(stop) };
        let is_stopped = results.as_ref().is_err_and(FitRunError::is_interruption);
        if !is_stopped {
            print_results(&run, &results.map_err(|error| with_resume(&run, error))?, self.json)?;
        }
        if is_stopped || ended == Ended::Interrupted {
            trainer::note!("interrupted; continue with: trainer fit --resume {}", run.folder().path().display());
            interrupt::exit();
        }
        Ok(())
    }

    fn new_run(&self, out: &Path, input: &Path) -> anyhow::Result<Run> {
        // --resume may be called from another directory.
        let absolute = |path: &Path| std::path::absolute(path).context("cannot tell the current directory");
        let mut settings = self.settings.fit_settings(absolute(input)?, self.steps);
        settings.load.targets = settings.load.targets.map(|targets| absolute(&targets)).transpose()?;
        for setting in self.settings.settings_to_choose() {
            setting.check(settings.fit.encoding.kind)?;
        }
        let (dataset, params) = self.settings.read_data(&mut settings)?;
        self.settings.warn_of_options_without_effect();
        self.settings.warn_of_uneven_frequencies(dataset.inputs());
        let training_samples = params.split(&dataset)?.train.len();
        let choices = self.settings.choices(&dataset, training_samples);
        let between = is_wanted_between(&dataset);
        let is_led =
            choices.contains(&Setting::Scale) || settings.fit.encoding.kind.has_grid() || self.settings.wants_guide();
        if is_led && between && guide::is_possible(training_samples) {
            self.settings.guide(&mut settings.fit, self.steps);
        }
        let new = if self.force { Run::replace } else { Run::new };
        let mut run = hold_while_made(out, Others::Refused, || Ok(new(out, settings, dataset)?))?;
        let preparation = Preparation {
            choices: &choices,
            hold_out: between && !self.settings.has_holdout(),
            stop: Some(interrupt::catch()?),
            tell: &|sentence| trainer::note!("{sentence}"),
        };
        if let Err(error) = run.prepare(&preparation) {
            if error.is_interruption() {
                trainer::note!("{error}");
                interrupt::exit();
            }
            return Err(error.into());
        }
        if self.settings.has_scale() {
            warn_of_redundant_frequencies([(&run.settings().fit.encoding, run.snapshot().params.encoding())]);
        }
        Ok(run)
    }

    fn resumed(&self, path: &Path) -> anyhow::Result<Run> {
        if self.settings != Settings::default() {
            bail!("--resume continues with the settings of the run; leave out all options but --steps and --json");
        }
        hold(path, Others::Refused)?;
        let mut settings = Run::settings_of(path)?;
        if let Some(input) = &self.input {
            settings.input = std::path::absolute(input).context("cannot tell the current directory")?;
        }
        ensure!(
            self.input.is_some() || settings.input.exists(),
            "{}, which the run was trained on, is not there; if it has another place or name now: trainer fit --resume {} FILE",
            settings.input.display(),
            path.display()
        );
        settings.fit.steps = self.steps.unwrap_or(settings.fit.steps);
        let dataset = load_and_tell(&settings.input, &settings.load)?;
        let (dataset, _) = apply_and_tell(dataset, &settings)?;
        let run = Run::resume(path, settings, dataset)?;
        let Snapshot { params, state, .. } = run.snapshot();
        if state.step >= params.params().steps {
            trainer::note!("all {} steps are done; give more with --steps", state.step);
        }
        Ok(run)
    }
}

impl Settings {
    /// Reads the data, and completes the settings by what can only be known then.
    pub(super) fn read_data(&self, settings: &mut FitSettings) -> anyhow::Result<(Dataset, ValidFitParams)> {
        let dataset = load_and_tell(&settings.input, &settings.load)?;
        self.resolve(settings, &dataset)?;
        let (mut dataset, params) = apply_and_tell(dataset, settings)?;
        if let Some(note) = note_of_repeated(&dataset, settings.fit.holdout) {
            trainer::note!("{note}");
            dataset.notes.push(note);
        }
        Ok((dataset, params))
    }
}

/// Tells, where the disk is full, that what was saved is not lost.
fn with_resume(run: &Run, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let error = error.into();
    let is_full = |cause: &io::Error| matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if error.chain().any(|cause| cause.downcast_ref().is_some_and(is_full)) && run.folder().checkpoint().is_file() {
        trainer::note!(
            "what was saved is kept; with more space, continue with: trainer fit --resume {}",
            run.folder().path().display()
        );
    }
    error
}

/// Prints what a run came to: as one JSON object, or as a table with advice on standard error.
fn print_results(run: &Run, results: &Results, as_json: bool) -> anyhow::Result<()> {
    let folder = run.folder().path();
    if as_json {
        let mut object = serde_json::to_value(results)?;
        object["run"] = json!(folder);
        object["model_file"] = json!(run.folder().model());
        object["choice"] = json!(run.choice());
        if let Some(object) = object.as_object_mut() {
            object.remove("losses");
        }
        return print(&serde_json::to_string_pretty(&object)?);
    }
    let dataset = run.snapshot().data.dataset;
    let (names, units) = (&dataset.output_names, &dataset.output_units);
    let mut text = String::new();
    let mut section = |title: &str, metrics: &Metrics| {
        text += &format!("{title}\n  {}\n", metrics.lines(names, units).join("\n  "));
    };
    let precision = results.precision;
    match &results.held_out {
        Some(held_out) => section(&format!("held out: {}; {precision}", held_out.how), &held_out.model),
        None if dataset.len() < validation::LEAST_SAMPLES => {
            trainer::note!("note: there are too few samples to hold any out and measure the quality between them");
        }
        // The advice says it.
        None if results.advice.iter().any(|advice| advice.contains("--holdout")) => {}
        None if is_wanted_between(dataset) => {
            trainer::note!("note: no samples were held out; leave --holdout out to measure the quality between them");
        }
        None => trainer::note!("note: no samples were held out; --holdout 0.1 measures the quality between them"),
    }
    let trained = results.model.train.samples;
    section(&format!("trained: {trained} samples; {precision}"), &results.model.train);
    for advice in &results.advice {
        trainer::note!("note: {advice}");
    }
    text += &format!("model   {} ({} bytes)\n", run.folder().model().display(), results.model_bytes);
    text += &format!("report  {}", folder.join("report.html").display());
    print(&text)
}
