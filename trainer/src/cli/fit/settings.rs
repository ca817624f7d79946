//! The settings of a training on the command line: those that `trainer fit` and `trainer sweep` share.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{ArgAction, ValueEnum};
use firmware_core::Precision;
use trainer::artifact::export::ExportError;
use trainer::artifact::precision::NamedPrecision;
use trainer::data::codes::{self, NamedCodes};
use trainer::data::periodic::{self, NamedPeriod};
use trainer::data::{Dataset, Holdout, LoadOptions, Outside};
use trainer::design::search::SCHEDULE;
use trainer::fit::FitParams;
use trainer::fit::auto_scale::{self, Setting};
use trainer::fit::encoding_option::EncodingOption;
use trainer::fit::guide::{self, is_wanted_between};
use trainer::fit::settings::FitSettings;
use trainer::network::OutputActivation;
use trainer::network::encoding::EncodingKind;
use trainer::network::grid::Nodes;
use trainer::training::optimizer::Schedule;

use super::super::reading::{DATA, PointsArgs, ReadingArgs};
use super::super::trained::{ENCODING, FrequenciesArgs, GridArgs, OptimizerArgs, TRAINING, with_note};
use super::super::{number::whole, warn_of_options_without_effect, warn_of_uneven_frequencies};
use super::misnamed::Misnamed;

/// Headings of the help, beside those that other commands share.
const NETWORK: &str = "Network";
const OUTPUT: &str = "Output (what the model file holds)";

/// Everything that a resumed run takes from its folder.
#[derive(clap::Args, Default, PartialEq)]
#[command(
    mut_arg("frequencies_learned", |option| with_note(option, "the default")),
    mut_arg("levels", |option| with_note(option, "default: 12,24,48,64; of a table 64")),
    mut_arg("optimizer", |option| with_note(option, "default: muon"))
)]
pub(in crate::cli) struct Settings {
    /// The columns of a table that are inputs, by name or number [default: all columns that are not outputs]
    #[arg(long, help_heading = DATA, display_order = 0, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// The columns of a table that are outputs, by name or number [default: the last column, or all that are not in
    /// --inputs]
    #[arg(long, help_heading = DATA, display_order = 1, value_delimiter = ',', value_name = "COLUMNS")]
    outputs: Vec<String>,
    #[command(flatten)]
    points: PointsArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    /// How coordinates become features [default: gaussian]
    #[arg(long, help_heading = ENCODING, display_order = 2)]
    encoding: Option<EncodingKind>,
    /// Number of frequencies, that is rows of the matrix B; positional and fourier divide them evenly among the
    /// inputs [default: 64]
    #[arg(
        long,
        help_heading = ENCODING,
        display_order = 1,
        aliases = ["m", "num-frequencies", "num-freqs"],
        value_parser = whole::<usize>
    )]
    frequencies: Option<usize>,
    /// The scale σ: how fine the detail is that the network can learn [default: auto for tables and small grids,
    /// otherwise 10]
    ///
    /// For gaussian, σ is the standard deviation of the frequencies; for positional, it is the highest frequency.
    /// Both are in cycles over the range of an input. auto, for gaussian only, chooses σ by short trainings; a sweep
    /// tries the values in --scales instead.
    #[arg(
        long,
        help_heading = ENCODING,
        display_order = 0,
        visible_alias = "sigma",
        value_name = "SCALE",
        value_parser = parse_value
    )]
    scale: Option<Value>,
    /// For fourier: the power p of the amplitudes 1/j^p; inf keeps only the first frequency; auto chooses p by short
    /// trainings [default: 0]
    #[arg(long, help_heading = ENCODING, display_order = 3, value_name = "P", value_parser = parse_value)]
    amplitude_power: Option<Value>,
    /// For fourier: the frequencies along each input, in cycles over its range [default: 1,2,3,…]
    #[arg(
        long,
        help_heading = ENCODING,
        display_order = 4,
        value_delimiter = ',',
        value_name = "B",
        conflicts_with = "frequencies"
    )]
    frequency_list: Vec<f64>,
    /// Divide the features by the norm of the amplitudes
    #[arg(long, help_heading = ENCODING, display_order = 5)]
    normalize: bool,
    /// For positional: use the frequencies 2^s - 1, with s from 0 to --scale, as in the code published with the paper
    #[arg(long, help_heading = ENCODING, display_order = 6)]
    positional_notebook: bool,
    #[command(flatten)]
    frequencies_training: FrequenciesArgs,
    #[command(flatten)]
    grid: GridArgs,
    /// Activation of the hidden layers: sine suits smooth data (Sitzmann et al. 2020) [default: relu, or sine where the
    /// network learns from kernel regression]
    #[arg(long, help_heading = NETWORK)]
    activation: Option<Activation>,
    /// Widths of the hidden layers, one number for each layer [default: 64,64,64]
    #[arg(
        long,
        help_heading = NETWORK,
        value_delimiter = ',',
        value_name = "WIDTHS",
        value_parser = whole::<usize>,
        action = ArgAction::Set
    )]
    hidden: Option<Vec<usize>>,
    /// Activation of the last layer [default: sigmoid]
    #[arg(long, help_heading = NETWORK)]
    output: Option<Output>,
    /// Number of samples in each training step, or all [default: 4096, or 1024 where the network learns from kernel
    /// regression]
    #[arg(
        long,
        help_heading = TRAINING,
        display_order = 3,
        visible_alias = "batch-size",
        alias = "bs",
        value_parser = parse_batch
    )]
    batch: Option<Batch>,
    #[command(flatten)]
    optimizer: OptimizerArgs,
    /// Highest learning rate; muon takes five times as much for the matrices that it moves [default: 1e-2]
    #[arg(long, help_heading = TRAINING, display_order = 1, visible_alias = "lr")]
    learning_rate: Option<f64>,
    /// Learning-rate schedule: constant, cosine (falls to 1 % of the highest rate), stable (falls to 1 % over the last
    /// third), or exponential:FACTOR:STEPS, such as exponential:0.1:5000, which multiplies the rate by FACTOR over
    /// every STEPS steps [default: cosine; stable for grids; exponential by a factor of 4000 over all steps where the
    /// network learns from kernel regression]
    #[arg(long, help_heading = TRAINING, display_order = 2, value_parser = parse_schedule)]
    schedule: Option<Schedule>,
    /// Number format of the model: w8a16 has weights of 8 bits and activations of 16 bits; w16a16 has 16 bits for
    /// both; f32 is floating point [default: w8a16, or w16a16 where w8a16 would cost more than 1 dB]
    #[arg(long, help_heading = OUTPUT)]
    precision: Option<NamedPrecision>,
    /// What the model does with points outside the range of the training data: clamp moves them to the edge, reject
    /// makes the evaluation fail, periodic repeats the network along every input [default: clamp]
    #[arg(long, help_heading = OUTPUT)]
    outside: Option<OutsideArg>,
    /// Inputs that repeat, each with its period in the units of the data, such as angle_deg=360
    ///
    /// The network has the same value one period further. NAME is the name of an input or its number, counted from 1.
    /// --outside holds for the other inputs.
    #[arg(
        long,
        help_heading = DATA,
        display_order = 3,
        value_delimiter = ',',
        value_name = "NAME=PERIOD",
        value_parser = str::parse::<NamedPeriod>
    )]
    periodic: Vec<NamedPeriod>,
    /// Inputs that are integer codes, as of a converter, each with its number of bits, such as adc=12
    ///
    /// Their domain is all codes, 0 to 4095 of 12 bits, and a device takes them as they are, without floating point.
    /// NAME is the name of an input or its number, counted from 1.
    #[arg(
        long,
        help_heading = DATA,
        display_order = 3,
        value_delimiter = ',',
        value_name = "NAME=BITS",
        value_parser = str::parse::<NamedCodes>
    )]
    codes: Vec<NamedCodes>,
    /// Samples to test with and not to train on: none, a part such as 0.1, or even (train on even rows and columns,
    /// test on odd ones)
    ///
    /// Default of fit: tables and small grids are tested by up to five extra trainings, each without some of the
    /// rows, and none turns that off; pictures and large grids are not tested. Default of sweep: 0.1.
    #[arg(long, help_heading = DATA, display_order = 2)]
    holdout: Option<Holdout>,
    /// Learn from kernel regression through the samples, also with a --scale of one's own; without one, tables and
    /// small grids do so anyway
    #[arg(long, help_heading = TRAINING, display_order = 6)]
    guide: bool,
    /// Seed of all random numbers; the same seed gives the same model [default: 0]
    #[arg(long, help_heading = TRAINING, display_order = 4, value_parser = whole::<u64>)]
    seed: Option<u64>,
    #[command(flatten)]
    misnamed: Misnamed,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Output {
    Linear,
    Sigmoid,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Activation {
    Relu,
    Sine,
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
        ["stable"] => Ok(SCHEDULE),
        ["exponential", factor, every] => match (factor.parse(), every.parse()) {
            (Ok(factor), Ok(every)) => Ok(Schedule::Exponential { factor, every }),
            _ => Err("expected two numbers, as in exponential:0.1:5000".to_owned()),
        },
        _ => {
            Err("expected constant, cosine, stable, or exponential:FACTOR:STEPS such as exponential:0.1:5000"
                .to_owned())
        }
    }
}

impl Settings {
    /// What the user wants to be chosen before training.
    pub(in crate::cli) fn settings_to_choose(&self) -> impl Iterator<Item = Setting> {
        let values = [(self.scale, Setting::Scale), (self.amplitude_power, Setting::AmplitudePower)];
        values.into_iter().filter(|(value, _)| *value == Some(Value::Auto)).map(|(_, setting)| setting)
    }

    /// What is to be chosen before training on these data: where values between the samples are wanted, the scale too,
    /// unless the user gives one or there are too few samples.
    pub(super) fn choices(&self, dataset: &Dataset, training_samples: usize) -> Vec<Setting> {
        let mut choices: Vec<Setting> = self.settings_to_choose().collect();
        let is_gaussian = self.encoding.unwrap_or_default() == EncodingKind::Gaussian;
        let is_possible = guide::is_possible(training_samples) || training_samples >= auto_scale::LEAST_SAMPLES;
        if self.scale.is_none() && is_gaussian && is_wanted_between(dataset) && is_possible {
            choices.push(Setting::Scale);
        }
        choices
    }

    /// Whether the user wants a guide whatever else is given.
    pub(super) const fn wants_guide(&self) -> bool {
        self.guide
    }

    /// Lets a guide lead the training, with the batches, steps and activation that suit one where the user gives none.
    pub(super) fn guide(&self, fit: &mut FitParams, steps: Option<u64>) {
        let mut guided = fit.clone().with_guide();
        if self.activation.is_none() && guided.encoding.kind == EncodingKind::Gaussian {
            guided = guided.with_sines();
        }
        let batch = self.batch.map_or(guided.batch, |batch| batch.0);
        let steps = steps.unwrap_or(guided.steps);
        let schedule = self.schedule.unwrap_or_else(|| FitParams::guided_schedule(steps));
        *fit = FitParams { steps, batch, schedule, ..guided };
    }

    /// The file to read: that of the points, if they are given.
    pub(in crate::cli) fn input<'a>(&'a self, input: Option<&'a PathBuf>) -> anyhow::Result<&'a PathBuf> {
        self.points.or(input).context("name a file of data, or give --points and --targets")
    }

    /// Whether the user gave a scale.
    pub(super) fn has_scale(&self) -> bool {
        matches!(self.scale, Some(Value::Given(_)))
    }

    /// Whether the user said which samples test.
    pub(in crate::cli) fn has_holdout(&self) -> bool {
        self.holdout.is_some()
    }

    /// Says if fewer frequencies are used than were asked for.
    pub(in crate::cli) fn warn_of_uneven_frequencies(&self, inputs: usize) {
        if self.frequencies.is_some() {
            warn_of_uneven_frequencies(&self.params(None).encoding, inputs);
        }
    }

    /// Finds the axes that have a period of their own or consist of codes, for [`Self::fit_settings`] does not know the
    /// inputs' names.
    ///
    /// # Errors
    /// Also if a table, which is no network, shall have layers.
    pub(in crate::cli) fn resolve(&self, settings: &mut FitSettings, dataset: &Dataset) -> anyhow::Result<()> {
        let of_layers = [
            (self.hidden.as_ref().is_some_and(|widths| !widths.is_empty()), "--hidden"),
            (self.activation.is_some(), "--activation"),
            (self.output == Some(Output::Sigmoid), "--output sigmoid"),
        ];
        if settings.fit.encoding.kind == EncodingKind::Table
            && let Some((_, option)) = of_layers.into_iter().find(|(given, _)| *given)
        {
            bail!("a table has no layers; leave out {option}, or give --encoding grid for a network behind grids");
        }
        if settings.fit.encoding.kind == EncodingKind::Table
            && settings.precision == Some(NamedPrecision(Precision::F32))
        {
            return Err(ExportError::TableOfFloats.into());
        }
        settings.fit.periodic = periodic::resolve(&self.periodic, &dataset.input_names)?;
        settings.fit.codes = codes::resolve(&self.codes, &dataset.input_names)?;
        Ok(())
    }

    /// Says which of the options given change nothing.
    pub(in crate::cli) fn warn_of_options_without_effect(&self) {
        let given = [
            (self.scale.is_some(), EncodingOption::Scale, "--scale"),
            (self.frequencies.is_some(), EncodingOption::Frequencies, "--frequencies"),
            (self.normalize, EncodingOption::Normalize, "--normalize"),
        ];
        let encoding = self.encoding.unwrap_or_default();
        warn_of_options_without_effect(encoding, &given);
        warn_of_options_without_effect(encoding, &self.frequencies_training.given());
        warn_of_options_without_effect(encoding, &self.grid.given());
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
        self.frequencies_training.set(encoding);
        if encoding.kind == EncodingKind::Table {
            encoding.grid.levels = vec![Nodes(vec![64])];
        }
        self.grid.set(&mut encoding.grid);
        params.hidden = self.hidden.clone().unwrap_or(params.hidden);
        if self.activation == Some(Activation::Sine) {
            params = params.with_sines();
        }
        self.optimizer.set(&mut params.optimizer);
        params.output = match self.output {
            Some(Output::Linear) => OutputActivation::Linear,
            Some(Output::Sigmoid) | None => OutputActivation::Sigmoid,
        };
        params.steps = steps.unwrap_or(params.steps);
        params.batch = self.batch.map_or(params.batch, |batch| batch.0);
        params.learning_rate = self.learning_rate.unwrap_or(params.learning_rate);
        // Grids end on rounded coefficients, which still have to move when the rounding begins.
        let of_kind = if params.encoding.kind == EncodingKind::Grid { SCHEDULE } else { params.schedule };
        params.schedule = self.schedule.unwrap_or(of_kind);
        params.outside = match self.outside {
            Some(OutsideArg::Periodic) => Outside::Periodic,
            Some(OutsideArg::Reject) => Outside::Reject,
            Some(OutsideArg::Clamp) | None => Outside::Clamp,
        };
        params.holdout = self.holdout.unwrap_or(params.holdout);
        params.seed = self.seed.unwrap_or(params.seed);
        if params.encoding.kind == EncodingKind::Table { params.as_table() } else { params }
    }

    pub(in crate::cli) fn fit_settings(&self, input: PathBuf, steps: Option<u64>) -> FitSettings {
        let load = self.reading.options(&self.inputs, &self.outputs);
        FitSettings {
            fit: self.params(steps),
            precision: self.precision,
            input,
            load: LoadOptions { targets: self.points.targets(), ..load },
            imported: None,
        }
    }
}
