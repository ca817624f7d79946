//! `trainer fit`: from a file of data to a run folder with the model in it.

mod misnamed;
mod settings;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;
use trainer::base::files;
use trainer::data::metrics::Metrics;
use trainer::data::{Dataset, Split, periodic};
use trainer::fit::auto_scale::{self, AutoScaleError, Choice, Judge, Setting};
use trainer::fit::guide::{self, is_wanted_between};
use trainer::fit::outcome::{self, Outcome, RunData};
use trainer::fit::saved::{RunSettings, SavedNetwork};
use trainer::fit::validation;
use trainer::fit::validation::{Measured, Validation, ValidationError};
use trainer::fit::{FitError, ValidFitParams};
use trainer::store::checkpoint;
use trainer::store::run::RunFolder;
use trainer::training::progress;
use trainer::training::{Ended, TrainError, TrainState, Watch};

pub(super) use self::settings::{PrecisionArg, Settings, TRAINING, given_precision, parse_precision};
use super::number::from_one;
use super::reading::load_and_tell;
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
    /// Number of training steps; each updates all parameters once [default: 2000, or 4000 where the network learns
    /// from kernel regression, as it does for small tables]
    #[arg(long, help_heading = TRAINING, display_order = 0, aliases = ["iterations", "iters"], value_parser = from_one::<u64>)]
    steps: Option<u64>,
    /// Print the results as one JSON object, with the curves of automatic choices; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// With a guide the short trainings begin at this scale, or at that of the guide's kernel if it is larger: a network shapes smooth
/// functions from waves that are shorter than those of the kernel.
const LEAST_START: f64 = 0.7;

/// A run about to train.
struct Job {
    folder: RunFolder,
    settings: RunSettings,
    dataset: Dataset,
    split: Split,
    /// What the network learns in place of the training samples, where a guide leads it.
    learned: Option<Dataset>,
    held_out: Option<Measured>,
    choice: Option<Choice>,
    params: ValidFitParams,
    state: TrainState,
    fingerprint: u64,
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut job = match (&self.resume, &self.out) {
            (Some(run), _) => self.resumed(run)?,
            (None, Some(out)) => self.new_run(out, self.settings.input(self.input.as_ref())?)?,
            _ => bail!("name the data and an --out, or a run to --resume"),
        };
        let (ended, outcome) = job.train()?;
        job.print(&outcome, self.json)?;
        if ended == Ended::Interrupted {
            trainer::note!("interrupted; continue with: trainer fit --resume {}", job.folder.path().display());
            interrupt::exit();
        }
        Ok(())
    }

    fn new_run(&self, out: &Path, input: &Path) -> anyhow::Result<Job> {
        // --resume may be called from another directory.
        let absolute = |path: &Path| std::path::absolute(path).context("cannot tell the current directory");
        let mut settings = self.settings.run_settings(absolute(input)?, self.steps);
        settings.load.targets = settings.load.targets.map(|targets| absolute(&targets)).transpose()?;
        for setting in self.settings.wishes() {
            setting.check(settings.fit.encoding.kind)?;
        }
        let (dataset, mut params) = self.settings.read_data(&mut settings)?;
        self.settings.warn_of_options_without_effect();
        self.settings.warn_of_uneven_frequencies(dataset.inputs());
        let split = params.split(&dataset)?;
        let choices = self.settings.choices(&dataset, split.train.len());
        let between = is_wanted_between(&dataset);
        if choices.contains(&Setting::Scale) && between && guide::is_possible(split.train.len()) {
            self.settings.guide(&mut settings.fit, self.steps);
            params = settings.fit.check(dataset.inputs(), dataset.outputs())?;
        }
        let folder = RunFolder::create(out, self.force)?;
        files::check_writable(folder.path())?;
        let mut preparation = Preparation { settings: &mut settings, dataset: &dataset, split: &split, params };
        let prepared = preparation.prepare(&choices, between && !self.settings.has_holdout());
        let params = preparation.params;
        if let Err(error) = &prepared {
            // The folder goes only if it is empty: a run that was to be replaced is kept.
            let _ = std::fs::remove_dir(folder.path());
            if is_interruption(error) {
                trainer::note!("{error}");
                interrupt::exit();
            }
        }
        let Prepared { learned, held_out, choice } = prepared?;
        if self.settings.has_scale() {
            warn_of_redundant_frequencies([(&settings.fit.encoding, params.encoding())]);
        }
        let (state, fingerprint) = (params.start(), fingerprint(&dataset, learned.as_ref()));
        Ok(Job { folder, settings, dataset, split, learned, held_out, choice, params, state, fingerprint })
    }

    fn resumed(&self, run: &Path) -> anyhow::Result<Job> {
        if self.settings != Settings::default() {
            bail!("--resume continues with the settings of the run; leave out all options but --steps and --json");
        }
        let folder = RunFolder::open(run)?;
        let mut settings = SavedNetwork::read(&folder.network())?.settings;
        if let Some(input) = &self.input {
            settings.input = std::path::absolute(input).context("cannot tell the current directory")?;
        }
        settings.fit.steps = self.steps.unwrap_or(settings.fit.steps);
        let dataset = load_and_tell(&settings.input, &settings.load)?;
        let (dataset, params) = prepare(dataset, &settings)?;
        let split = params.split(&dataset)?;
        let is_guided = settings.fit.guide && guide::is_possible(split.train.len());
        let learned = is_guided.then(|| guide::read(&folder.guide(), &dataset)).transpose()?;
        let (held_out, choice) = (kept(&folder.held_out())?, kept(&folder.choice())?);
        let mut state = params.start();
        let fingerprint = checkpoint::read(&folder.checkpoint(), &mut state)?;
        if fingerprint != self::fingerprint(&dataset, learned.as_ref()) {
            bail!(trainer::store::run::RunError::OtherData { path: run.to_owned() });
        }
        if let Some(steps) = self.steps.filter(|&steps| steps < state.step) {
            bail!("{} steps of {} are done; --steps {steps} would be fewer", state.step, run.display());
        }
        if state.step >= params.params().steps {
            trainer::note!("all {} steps are done; give more with --steps", state.step);
        }
        Ok(Job { folder, settings, dataset, split, learned, held_out, choice, params, state, fingerprint })
    }
}

/// What a run depends on: the data, and what a guide made of them.
fn fingerprint(dataset: &Dataset, learned: Option<&Dataset>) -> u64 {
    let guided = learned.map_or(0, Dataset::fingerprint);
    dataset.fingerprint() ^ guided.rotate_left(1)
}

/// What happens between reading the data and training.
struct Preparation<'a> {
    settings: &'a mut RunSettings,
    dataset: &'a Dataset,
    split: &'a Split,
    params: ValidFitParams,
}

/// What it gives.
struct Prepared {
    learned: Option<Dataset>,
    held_out: Option<Measured>,
    choice: Option<Choice>,
}

impl Preparation<'_> {
    /// Fits the guide, makes the choices, and measures the quality at held-out samples.
    fn prepare(&mut self, choices: &[Setting], hold_out: bool) -> anyhow::Result<Prepared> {
        let name = self.settings.input.display().to_string();
        let train = &self.split.train;
        let guide = self.params.guide(self.dataset, train).with_context(|| name.clone())?;
        let learned = guide.as_ref().map(|guide| guide.dataset(self.dataset, train, self.settings.fit.seed));
        if let Some(guide) = &guide {
            trainer::note!("kernel regression through the samples: {}", guide.summary(&self.dataset.output_names));
        }
        let mut chosen = None;
        for &setting in choices {
            let choice = match (&guide, &learned, setting) {
                (Some(guide), Some(learned), Setting::Scale) => {
                    let near = guide.widest().max(LEAST_START);
                    auto_scale::choose_guided(&self.settings.fit, learned, near, Some(interrupt::catch()?))
                }
                _ => self.choose(setting)?,
            };
            let choice = choice.map_err(|error| match error {
                AutoScaleError::Interrupted => anyhow::Error::from(error),
                error => anyhow::Error::from(error).context(name.clone()),
            })?;
            tell(&choice);
            self.settings.fit = choice.apply(&self.settings.fit);
            self.params = self.settings.fit.check(self.dataset.inputs(), self.dataset.outputs())?;
            chosen = Some(choice);
        }
        let held_out = if hold_out { self.measure()? } else { None };
        Ok(Prepared { learned, held_out, choice: chosen })
    }

    fn choose(&self, setting: Setting) -> anyhow::Result<Result<Choice, AutoScaleError>> {
        trainer::note!("choosing {}", setting.option());
        let is_stored = !is_wanted_between(self.dataset) && self.split.test.is_empty();
        let judge = if is_stored { Judge::Stored } else { Judge::LeftOut };
        let (fit, samples) = (&self.settings.fit, (self.split, judge));
        Ok(auto_scale::choose(setting, fit, self.dataset, samples, Some(interrupt::catch()?)))
    }

    fn measure(&self) -> anyhow::Result<Option<Measured>> {
        let tell = |done: usize, all: usize| match done {
            0 => trainer::note!(
                "measuring the quality by extra trainings that leave samples out (--holdout none turns this off)"
            ),
            _ => trainer::note!("extra training {done} of {all} is done"),
        };
        let validation = Validation {
            settings: self.settings,
            params: &self.params,
            dataset: self.dataset,
            precision: given_precision(&self.settings.precision)?,
            stop: Some(interrupt::catch()?),
            tell: &tell,
        };
        match validation.measure() {
            // The training itself may still succeed, and says so if it does not.
            Err(ValidationError::Fit(error @ FitError::Train(TrainError::Diverged { .. }))) => {
                trainer::note!("warning: the quality could not be measured: {error}");
                Ok(None)
            }
            measured => Ok(measured?),
        }
    }
}

/// Whether the user stopped what failed.
fn is_interruption(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(AutoScaleError::Interrupted))
        || matches!(error.downcast_ref(), Some(ValidationError::Interrupted))
}

fn tell(choice: &Choice) {
    let theory = choice.theory.map_or(String::new(), |theory| format!("; kernel theory alone: {theory:.4}"));
    let (option, chosen, judge) = (choice.setting.option(), choice.chosen, choice.judge.words());
    trainer::note!("{option} {chosen:.4}, the best on {judge}{theory}");
    if choice.is_at_an_end() {
        trainer::note!(
            "{option} {chosen:.4} is the last of the values tried; give {option} a number to try one beyond"
        );
    }
}

/// Writes a result, or removes what an earlier run in the same folder left.
fn keep(path: &Path, result: Option<&impl serde::Serialize>) -> anyhow::Result<()> {
    match result {
        Some(result) => files::write(path, serde_json::to_string_pretty(result)?.as_bytes())?,
        None => files::remove(path)?,
    }
    Ok(())
}

/// Reads what [`keep`] wrote; none if there is no such file.
fn kept<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    let damaged = || format!("{} is damaged; fit the run again", path.display());
    serde_json::from_slice(&files::read(path)?).with_context(damaged)
}

impl Settings {
    /// Reads the data, and completes the settings by what can only be known then.
    pub(super) fn read_data(&self, settings: &mut RunSettings) -> anyhow::Result<(Dataset, ValidFitParams)> {
        let dataset = load_and_tell(&settings.input, &settings.load)?;
        self.resolve(settings, &dataset)?;
        prepare(dataset, settings)
    }
}

/// Gives the data their periods, and checks that they can be trained on.
fn prepare(mut dataset: Dataset, settings: &RunSettings) -> anyhow::Result<(Dataset, ValidFitParams)> {
    for note in periodic::apply(&mut dataset, &settings.fit.periodic)? {
        trainer::note!("{note}");
        dataset.notes.push(note);
    }
    let params = settings.fit.check(dataset.inputs(), dataset.outputs())?;
    Ok((dataset, params))
}

impl Job {
    /// Writes what came before the training, and removes what an earlier run in the same folder left of it.
    fn keep_preparation(&self) -> anyhow::Result<()> {
        keep(&self.folder.choice(), self.choice.as_ref())?;
        keep(&self.folder.held_out(), self.held_out.as_ref())?;
        match &self.learned {
            Some(learned) => Ok(guide::write(&self.folder.guide(), learned)?),
            None => Ok(files::remove(&self.folder.guide())?),
        }
    }

    /// Trains to the end or to ctrl-C, and writes everything either way.
    fn train(&mut self) -> anyhow::Result<(Ended, Outcome)> {
        let precision = given_precision(&self.settings.precision)?;
        let path = self.folder.checkpoint();
        let mut save = |state: &TrainState| {
            checkpoint::write(&path, state, &self.settings, self.fingerprint)
                .map_err(|error| TrainError::Save(Box::new(error)))
        };
        // A disk that is full or read-only shows before the training, not after it.
        let data = RunData {
            dataset: &self.dataset,
            split: &self.split,
            learned: self.learned.as_ref(),
            held_out: self.held_out.as_ref(),
        };
        let begun = outcome::write_network(&self.folder, &self.settings, self.params.encoding(), &self.state, data)
            .map_err(anyhow::Error::from)
            .and_then(|()| self.keep_preparation())
            .and_then(|()| Ok(save(&self.state.with_room_for_moments())?));
        if begun.is_err() && self.state.step == 0 {
            self.folder.discard();
        }
        begun?;
        let mut bar = progress::on_stderr(self.params.params().steps, self.state.step);
        let mut watch =
            Watch { stop: Some(interrupt::catch()?), progress: Some(&mut *bar), save: Some(&mut save), observe: None };
        let ended = self.params.train(data, &mut self.state, &mut watch)?;
        save(&self.state)?;
        let encoding = self.params.encoding();
        let outcome = outcome::write(&self.folder, &self.settings, precision, encoding, &self.state, data)?;
        Ok((ended, outcome))
    }

    fn print(&self, outcome: &Outcome, as_json: bool) -> anyhow::Result<()> {
        let folder = self.folder.path();
        if as_json {
            let mut object = serde_json::to_value(outcome)?;
            object["run"] = json!(folder);
            object["model_file"] = json!(self.folder.model());
            let choice = files::read(&self.folder.choice()).ok();
            object["choice"] = choice.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
            if let Some(object) = object.as_object_mut() {
                object.remove("losses");
            }
            return print(&serde_json::to_string_pretty(&object)?);
        }
        let (names, units) = (&self.dataset.output_names, &self.dataset.output_units);
        let mut text = String::new();
        let mut section = |title: &str, metrics: &Metrics| {
            text += &format!("{title}\n  {}\n", metrics.lines(names, units).join("\n  "));
        };
        let precision = outcome.precision;
        match &outcome.held_out {
            Some(held_out) => section(&format!("held out: {}; {precision}", held_out.how), &held_out.model),
            None if self.dataset.len() < validation::LEAST_SAMPLES => {
                trainer::note!("note: there are too few samples to hold any out and measure the quality between them");
            }
            None => trainer::note!("note: no samples were held out; --holdout 0.1 measures the quality between them"),
        }
        let trained = outcome.model.train.samples;
        section(&format!("trained: {trained} samples; {precision}"), &outcome.model.train);
        for advice in &outcome.advice {
            trainer::note!("note: {advice}");
        }
        text += &format!("model   {} ({} bytes)\n", self.folder.model().display(), outcome.model_bytes);
        text += &format!("report  {}", folder.join("report.html").display());
        print(&text)
    }
}
