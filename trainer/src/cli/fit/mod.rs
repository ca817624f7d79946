//! `trainer fit`: from a file of data to a run folder with the model in it.

mod misnamed;
mod settings;

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;
use trainer::auto_scale::{self, AutoScaleError, Choice, Setting};
use trainer::dataset::{Dataset, Split, periodic};
use trainer::fit::ValidFitParams;
use trainer::outcome::{self, Outcome};
use trainer::run::RunFolder;
use trainer::saved::{RunSettings, SavedNetwork};
use trainer::train::{Ended, TrainError, TrainState, Watch};
use trainer::{checkpoint, files, progress};

pub(super) use self::settings::{PrecisionArg, Settings, parse_precision};
use super::number::from_one;
use super::reading::load_and_tell;
use super::{interrupt, print, warn_of_redundant_frequencies};

/// Train a network on a picture, an array or a table, and write the model for a device.
///
/// The run folder gets network.safetensors (weights for PyTorch or JAX), model.ffm (for the device), metrics.json and
/// report.html. Ctrl-C keeps what was learned; --resume continues to the same bits as an uninterrupted run.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer fit camera_256.png --out runs/camera\n  \
                        trainer fit dem.tif --out runs/dem --holdout 0.1\n  \
                        trainer fit --points x.npy --targets y.npy --out runs/cloud\n  \
                        trainer fit sensor.csv --inputs adc,temperature --outputs pressure --out runs/sensor --holdout 0.1\n  \
                        trainer fit --resume runs/camera --steps 4000")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Fit {
    /// A picture, an array (.npy, .npz), an elevation grid (GeoTIFF, .asc, .hgt) or a table [default with --resume: that of the run]
    #[arg(required_unless_present_any = ["resume", "points"])]
    input: Option<PathBuf>,
    /// The run folder to make
    #[arg(short, long, visible_alias = "output-dir", value_name = "RUN", required_unless_present = "resume")]
    #[arg(conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run in --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue this run; its settings hold, only --steps may differ
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Updates of the parameters [default: 2000]
    #[arg(long, aliases = ["iterations", "iters"], value_parser = from_one::<u64>)]
    steps: Option<u64>,
    /// Print one JSON object, with the curve that auto chose by; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// A run about to train.
struct Job {
    folder: RunFolder,
    settings: RunSettings,
    dataset: Dataset,
    split: Split,
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

    fn new_run(&self, out: &std::path::Path, input: &std::path::Path) -> anyhow::Result<Job> {
        // --resume may be called from another directory.
        let absolute = |path: &std::path::Path| std::path::absolute(path).context("cannot tell the current directory");
        let mut settings = self.settings.run_settings(absolute(input)?, self.steps);
        settings.load.targets = settings.load.targets.map(|targets| absolute(&targets)).transpose()?;
        for setting in self.settings.wishes() {
            setting.check(settings.fit.encoding.kind)?;
        }
        let (dataset, mut params) = self.settings.read_data(&mut settings)?;
        self.settings.warn_of_options_without_effect();
        self.settings.warn_of_uneven_frequencies(dataset.inputs());
        let split = params.split(&dataset)?;
        let folder = RunFolder::create(out, self.force)?;
        files::check_writable(folder.path())?;
        for setting in self.settings.wishes() {
            settings.fit = choose(setting, &folder, &settings, (&dataset, &split))?.apply(&settings.fit);
            params = settings.fit.check(dataset.inputs(), dataset.outputs())?;
        }
        if self.settings.wishes().next().is_none() {
            // What an earlier run in this folder chose is not this run's.
            files::remove(&folder.choice())?;
        }
        warn_of_redundant_frequencies([(&settings.fit.encoding, params.encoding())]);
        let (state, fingerprint) = (params.start(), checkpoint::fingerprint(&dataset));
        Ok(Job { folder, settings, dataset, split, params, state, fingerprint })
    }

    fn resumed(&self, run: &std::path::Path) -> anyhow::Result<Job> {
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
        let mut state = params.start();
        let fingerprint = checkpoint::read(&folder.checkpoint(), &mut state)?;
        if fingerprint != checkpoint::fingerprint(&dataset) {
            bail!(trainer::run::RunError::OtherData { path: run.to_owned() });
        }
        if let Some(steps) = self.steps.filter(|&steps| steps < state.step) {
            bail!("{} steps of {} are done; --steps {steps} would be fewer", state.step, run.display());
        }
        if state.step >= params.params().steps {
            trainer::note!("all {} steps are done; give more with --steps", state.step);
        }
        Ok(Job { folder, settings, dataset, split, params, state, fingerprint })
    }
}

/// Chooses the scale or the power before the run, and keeps how in the folder.
fn choose(
    setting: Setting,
    folder: &RunFolder,
    settings: &RunSettings,
    (dataset, split): (&Dataset, &Split),
) -> anyhow::Result<Choice> {
    trainer::note!("choosing {}", setting.option());
    let stop = interrupt::catch()?;
    let chosen = auto_scale::choose(setting, &settings.fit, dataset, split, Some(stop));
    if chosen.is_err() {
        // Goes only if it is empty: a run that was to be replaced is kept.
        let _ = std::fs::remove_dir(folder.path());
    }
    let choice = match chosen {
        Err(error @ AutoScaleError::Interrupted) => {
            trainer::note!("{error}");
            interrupt::exit();
        }
        other => other.with_context(|| settings.input.display().to_string())?,
    };
    files::write(&folder.choice(), serde_json::to_string_pretty(&choice)?.as_bytes())?;
    trainer::note!("{} {:.4} (kernel theory alone: {:.4})", setting.option(), choice.chosen, choice.theory);
    Ok(choice)
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
    /// Trains to the end or to ctrl-C, and writes everything either way.
    fn train(&mut self) -> anyhow::Result<(Ended, Outcome)> {
        let precision = parse_precision(&self.settings.precision)?;
        let path = self.folder.checkpoint();
        let mut save = |state: &TrainState| {
            checkpoint::write(&path, state, &self.settings, self.fingerprint)
                .map_err(|error| TrainError::Save(Box::new(error)))
        };
        // A disk that is full or read-only shows before the training, not after it.
        let data = (&self.dataset, &self.split);
        let begun = outcome::write_network(&self.folder, &self.settings, self.params.encoding(), &self.state, data)
            .map_err(anyhow::Error::from)
            .and_then(|()| Ok(save(&self.state.with_room_for_moments())?));
        if begun.is_err() && self.state.step == 0 {
            self.folder.discard();
        }
        begun?;
        let mut bar = progress::on_stderr(self.params.params().steps, self.state.step);
        let mut watch =
            Watch { stop: Some(interrupt::catch()?), progress: Some(&mut *bar), save: Some(&mut save), observe: None };
        let ended = self.params.continue_fit(&self.dataset, &self.split, &mut self.state, &mut watch)?;
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
        let mut text = String::new();
        for (name, quality) in [("f32", &outcome.f32), (outcome.precision, &outcome.model)] {
            text += &format!("{name:<7} PSNR {:.2} dB", quality.train.psnr_db);
            if let Some(test) = &quality.test {
                text += &format!(", held out {:.2} dB", test.psnr_db);
            }
            text += "\n";
        }
        text += &format!("model   {} ({} bytes)\n", self.folder.model().display(), outcome.model_bytes);
        text += &format!("report  {}", folder.join("report.html").display());
        print(&text)
    }
}
