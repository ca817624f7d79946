//! `trainer fit`: from a file of data to a run folder with the model in it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use firmware_core::Precision;
use serde_json::json;
use trainer::auto_scale::{self, AutoScaleError, Choice, Setting};
use trainer::dataset::{Dataset, Holdout, LoadOptions, Outside, Split, load};
use trainer::effect::EncodingOption;
use trainer::encoding::EncodingKind;
use trainer::fit::{FitParams, ValidFitParams};
use trainer::network::OutputActivation;
use trainer::optimizer::Schedule;
use trainer::outcome::{self, Outcome};
use trainer::run::RunFolder;
use trainer::saved::{RunSettings, SavedNetwork};
use trainer::train::{Checkpoint, Ended, TrainError, TrainState, Watch};
use trainer::{checkpoint, files, progress};

use super::number::{from_one, whole};
use super::{interrupt, print};

/// Time between two checkpoints.
const CHECKPOINT: Duration = Duration::from_secs(30);

/// Train a network on a picture, an array or a table, and write the model for a device.
///
/// The run folder gets network.safetensors (weights for PyTorch or JAX), model.ffm (for the device), metrics.json and
/// report.html. Ctrl-C keeps what was learned; --resume continues to the same bits as an uninterrupted run.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer fit camera_256.png --out runs/camera\n  \
                        trainer fit sensor.csv --inputs adc,temperature --outputs pressure --out runs/sensor --holdout 0.1\n  \
                        trainer fit --resume runs/camera --steps 4000")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Fit {
    /// A PNG or JPEG picture, an .npy array, or a CSV table [default with --resume: that of the run]
    #[arg(required_unless_present = "resume")]
    input: Option<PathBuf>,
    /// The run folder to make
    #[arg(long, value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run in --out
    #[arg(long)]
    force: bool,
    /// Continue this run; its settings hold, only --steps may differ
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Updates of the parameters [default: 2000]
    #[arg(long, value_parser = from_one::<u64>)]
    steps: Option<u64>,
    /// Print one JSON object, with the curve that auto chose by; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// Everything that a resumed run takes from its folder.
#[derive(clap::Args, Default, PartialEq)]
pub(super) struct Settings {
    /// Columns of a CSV that are inputs
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// Columns of a CSV that are outputs
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    outputs: Vec<String>,
    /// The last axis of an .npy holds the outputs
    #[arg(long)]
    channels_last: bool,
    /// How coordinates become features [default: gaussian]
    #[arg(long)]
    encoding: Option<EncodingKind>,
    /// Rows of the frequency matrix; positional and fourier share them among the axes [default: 64]
    #[arg(long, value_parser = whole::<usize>)]
    frequencies: Option<usize>,
    /// Deviation of the Gaussian frequencies, or the highest positional one, in cycles over the domain; auto, for gaussian only,
    /// chooses it by kernel theory and short trainings [default: 10]
    #[arg(long, value_name = "SCALE", value_parser = parse_value)]
    scale: Option<Value>,
    /// p of the amplitudes 1/j^p of fourier; inf leaves the first frequency; auto chooses it as for --scale [default: 0]
    #[arg(long, value_name = "P", value_parser = parse_value)]
    amplitude_power: Option<Value>,
    /// Frequencies of fourier along each axis [default: 1,2,3,…]
    #[arg(long, value_delimiter = ',', value_name = "B", conflicts_with = "frequencies")]
    frequency_list: Vec<f64>,
    /// Divide the features by the norm of the amplitudes
    #[arg(long)]
    normalize: bool,
    /// Positional frequencies 2^s - 1, s from 0 to --scale, as in the published code
    #[arg(long)]
    positional_notebook: bool,
    /// Widths of the hidden layers [default: 64,64,64]
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS", value_parser = whole::<usize>)]
    hidden: Option<Vec<usize>>,
    /// Last activation: linear or sigmoid [default: sigmoid]
    #[arg(long)]
    output: Option<Output>,
    /// Samples a step, or all [default: 4096]
    #[arg(long, value_parser = parse_batch)]
    batch: Option<Batch>,
    /// Adam's learning rate at its highest [default: 1e-2]
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Its course: constant, cosine (to 1 %), or exponential:FACTOR:STEPS [default: cosine]
    #[arg(long, value_parser = parse_schedule)]
    schedule: Option<Schedule>,
    /// Numbers in the artifact [default: w8a16]
    #[arg(long)]
    precision: Option<PrecisionArg>,
    /// Points beyond the domain; periodic makes the network periodic [default: clamp]
    #[arg(long)]
    outside: Option<OutsideArg>,
    /// Samples to test with: none, even (train on even rows and columns, test on odd ones), or a part such as 0.1 [default: none]
    #[arg(long)]
    holdout: Option<Holdout>,
    /// Seed of everything random [default: 0]
    #[arg(long, value_parser = whole::<u64>)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Output {
    Linear,
    Sigmoid,
}

/// A precision by its name.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum PrecisionArg {
    F32,
    W8a16,
    W16a16,
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Self {
        match precision {
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::W8a16 => Self::W8A16,
            PrecisionArg::W16a16 => Self::W16A16,
        }
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum OutsideArg {
    Clamp,
    Periodic,
    Reject,
}

/// Samples a step; none: all.
#[derive(Clone, Copy, PartialEq)]
struct Batch(Option<usize>);

fn parse_batch(text: &str) -> Result<Batch, String> {
    match text {
        "all" => Ok(Batch(None)),
        _ => text.parse().map(|batch| Batch(Some(batch))).map_err(|_| "give a whole number from 1, or all".to_owned()),
    }
}

/// A number, or the wish to have it chosen.
#[derive(Clone, Copy, PartialEq)]
enum Value {
    Auto,
    Given(f64),
}

fn parse_value(text: &str) -> Result<Value, String> {
    match text {
        "auto" => Ok(Value::Auto),
        _ => text.parse().map(Value::Given).map_err(|_| "expected a number or auto".to_owned()),
    }
}

fn parse_schedule(text: &str) -> Result<Schedule, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["constant"] => Ok(Schedule::Constant),
        ["cosine"] => Ok(FitParams::default().schedule),
        ["exponential", factor, every] => match (factor.parse(), every.parse()) {
            (Ok(factor), Ok(every)) => Ok(Schedule::Exponential { factor, every }),
            _ => Err("expected two numbers, as in exponential:0.1:5000".to_owned()),
        },
        _ => Err("expected constant, cosine, or exponential:FACTOR:STEPS such as exponential:0.1:5000".to_owned()),
    }
}

pub(super) fn parse_precision(name: &str) -> anyhow::Result<Precision> {
    let precision = PrecisionArg::from_str(name, false).ok().with_context(|| format!("unknown precision {name}"))?;
    Ok(precision.into())
}

impl Settings {
    /// What is to be chosen before training.
    pub(super) fn wishes(&self) -> impl Iterator<Item = Setting> {
        let values = [(self.scale, Setting::Scale), (self.amplitude_power, Setting::AmplitudePower)];
        values.into_iter().filter(|(value, _)| *value == Some(Value::Auto)).map(|(_, setting)| setting)
    }

    /// Whether the user said which samples test.
    pub(super) fn has_holdout(&self) -> bool {
        self.holdout.is_some()
    }

    /// Says which of the options given change nothing: scripts that go through the encodings may leave them on the line.
    pub(super) fn warn_of_options_without_effect(&self) {
        let given = [
            (self.scale.is_some(), EncodingOption::Scale, "--scale"),
            (self.frequencies.is_some(), EncodingOption::Frequencies, "--frequencies"),
            (self.normalize, EncodingOption::Normalize, "--normalize"),
        ];
        let kind = self.encoding.unwrap_or_default();
        let warnings = given
            .into_iter()
            .filter(|(given, ..)| *given)
            .filter_map(|(_, option, name)| option.check(name, kind).err());
        warnings.for_each(|warning| eprintln!("warning: {warning}"));
    }

    fn params(&self, steps: Option<u64>) -> FitParams {
        let mut params = FitParams::default();
        let encoding = &mut params.encoding;
        encoding.kind = self.encoding.unwrap_or(encoding.kind);
        encoding.frequencies = self.frequencies.unwrap_or(encoding.frequencies);
        if let Some(Value::Given(scale)) = self.scale {
            encoding.scale = scale;
        }
        if let Some(Value::Given(power)) = self.amplitude_power {
            encoding.amplitude_power = power;
        }
        encoding.normalize = self.normalize;
        encoding.notebook = self.positional_notebook;
        encoding.list.clone_from(&self.frequency_list);
        params.hidden = self.hidden.clone().unwrap_or(params.hidden);
        params.output = match self.output {
            Some(Output::Linear) => OutputActivation::Linear,
            Some(Output::Sigmoid) | None => OutputActivation::Sigmoid,
        };
        params.steps = steps.unwrap_or(params.steps);
        params.batch = self.batch.map_or(params.batch, |batch| batch.0);
        params.learning_rate = self.learning_rate.unwrap_or(params.learning_rate);
        params.schedule = self.schedule.unwrap_or(params.schedule);
        params.outside = match self.outside {
            Some(OutsideArg::Periodic) => Outside::Periodic,
            Some(OutsideArg::Reject) => Outside::Reject,
            Some(OutsideArg::Clamp) | None => Outside::Clamp,
        };
        params.holdout = self.holdout.unwrap_or(params.holdout);
        params.seed = self.seed.unwrap_or(params.seed);
        params
    }

    pub(super) fn run_settings(&self, input: PathBuf, steps: Option<u64>) -> RunSettings {
        let precision = self.precision.unwrap_or(PrecisionArg::W8a16);
        RunSettings {
            fit: self.params(steps),
            precision: trainer::model_card::precision_name(precision.into()).to_owned(),
            input,
            channels_last: self.channels_last,
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
        }
    }
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
        let mut job = match (&self.resume, &self.out, &self.input) {
            (Some(run), ..) => self.resumed(run)?,
            (None, Some(out), Some(input)) => self.new_run(out, input)?,
            _ => bail!("name the data and an --out, or a run to --resume"),
        };
        let (ended, outcome) = job.train()?;
        job.print(&outcome, self.json)?;
        if ended == Ended::Interrupted {
            eprintln!("interrupted; continue with: trainer fit --resume {}", job.folder.path().display());
            interrupt::exit();
        }
        Ok(())
    }

    fn new_run(&self, out: &std::path::Path, input: &std::path::Path) -> anyhow::Result<Job> {
        // --resume may be called from another directory.
        let absolute = std::path::absolute(input).context("cannot tell the current directory")?;
        let mut settings = self.settings.run_settings(absolute, self.steps);
        for setting in self.settings.wishes() {
            setting.check(settings.fit.encoding.kind)?;
        }
        self.settings.warn_of_options_without_effect();
        let (dataset, mut params) = read_data(&settings)?;
        let split = params.split(&dataset)?;
        let folder = RunFolder::create(out, self.force)?;
        // What an earlier run in this folder chose is not this run's.
        let _ = std::fs::remove_file(folder.choice());
        for setting in self.settings.wishes() {
            settings.fit = choose(setting, &folder, &params, (&dataset, &split))?.apply(&settings.fit);
            params = settings.fit.check(dataset.inputs(), dataset.outputs())?;
        }
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
        let (dataset, params) = read_data(&settings)?;
        let split = params.split(&dataset)?;
        let mut state = params.start();
        let fingerprint = checkpoint::read(&folder.checkpoint(), &mut state)?;
        if fingerprint != checkpoint::fingerprint(&dataset) {
            bail!(trainer::run::RunError::OtherData { path: run.to_owned() });
        }
        if state.step >= params.params().steps {
            eprintln!("all {} steps are done; give more with --steps", state.step);
        }
        Ok(Job { folder, settings, dataset, split, params, state, fingerprint })
    }
}

/// Chooses the scale or the power before the run, and keeps how in the folder.
fn choose(
    setting: Setting,
    folder: &RunFolder,
    params: &ValidFitParams,
    (dataset, split): (&Dataset, &Split),
) -> anyhow::Result<Choice> {
    eprintln!("choosing {}", setting.option());
    let stop = interrupt::catch()?;
    let chosen = auto_scale::choose(setting, params.params(), dataset, split, Some(stop));
    if chosen.is_err() {
        // Goes only if it is empty: a run that was to be replaced is kept.
        let _ = std::fs::remove_dir(folder.path());
    }
    let choice = match chosen {
        Err(error @ AutoScaleError::Interrupted) => {
            eprintln!("{error}");
            interrupt::exit();
        }
        other => other?,
    };
    files::write(&folder.choice(), serde_json::to_string_pretty(&choice)?.as_bytes())?;
    eprintln!("{} {:.4} (kernel theory alone: {:.4})", setting.option(), choice.chosen, choice.theory);
    Ok(choice)
}

pub(super) fn read_data(settings: &RunSettings) -> anyhow::Result<(Dataset, ValidFitParams)> {
    let options = LoadOptions {
        channels_last: settings.channels_last,
        inputs: settings.inputs.clone(),
        outputs: settings.outputs.clone(),
    };
    let dataset = load(&settings.input, &options)?;
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
        let mut watch = Watch {
            stop: Some(interrupt::catch()?),
            progress: Some(&mut *bar),
            checkpoint: Some(Checkpoint { every: CHECKPOINT, save: &mut save }),
            observe: None,
        };
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
