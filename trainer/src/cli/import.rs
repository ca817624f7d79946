//! `trainer import`: a network that was trained elsewhere, as a run.

use crate::cli::hold::{Others, hold_while_made};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;
use trainer::artifact::precision::NamedPrecision;
use trainer::data::metrics::short;
use trainer::data::{LoadOptions, has_columns};
use trainer::fit::results::Results;
use trainer::fit::run::Run;
use trainer::import::{
    self, Gamma, ImportParams, ImportResults, ImportSettings, InputRange, Layout, Mapping, OutputFunction,
};
use trainer::network::HiddenActivation;

use super::print;
use super::reading::{DATA, ReadingArgs, load_and_tell};

/// Headings of the help.
const NETWORK: &str = "Network (what the file does not say)";

/// Make a model of weights from PyTorch or JAX, for networks of Fourier features or sine layers (SIREN).
///
/// WEIGHTS is a safetensors file with a state_dict or with the parameters of Flax. Tensors are recognized by the names
/// of common programs, and --map names the others. The data are needed: their range is the domain of the model, some of
/// their samples calibrate its integers, and the others show what that costs. The run folder gets the same files as
/// that of `trainer fit`, and `trainer fit --resume RUN --steps N` trains the network on.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    trainer import weights.safetensors --data sensor.csv --inputs adc,temperature --outputs pressure --out \
    runs/sensor\n  \
    trainer import siren.safetensors --data camera_256.png --inputs y,x --output-range=-1..1 --out runs/siren\n  \
    trainer import net.safetensors --data x.npy --targets y.npy --map B=encoder.freqs --gamma sin-cos --out runs/net")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Import {
    /// The weights: a safetensors file
    weights: PathBuf,
    /// The folder to make for this run
    #[arg(short, long, value_name = "RUN")]
    out: PathBuf,
    /// Replace the run that is in the folder --out
    #[arg(long)]
    force: bool,
    /// What the network was trained on, in a format that `trainer fit` reads
    #[arg(long, help_heading = DATA, value_name = "FILE")]
    data: PathBuf,
    /// The values at the points of --data, from an .npy or .npz of shape (n, c) or (n)
    #[arg(long, help_heading = DATA, value_name = "Y.npy")]
    targets: Option<PathBuf>,
    /// The inputs in the order of the network: columns of a table by name or number, or the axes of a picture or grid,
    /// as in y,x [default: the order of the data, x first]
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// The outputs in the order of the network: columns of a table, by name or number
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    outputs: Vec<String>,
    /// What the network is given along an axis of the data: LOW..HIGH where the sample behind the last one would be at
    /// HIGH, as of numpy.linspace with endpoint=False, or LOW..=HIGH where the last sample is there [default: the
    /// data's own numbers; of a picture or grid 0..1, or -1..=1 for a SIREN]
    #[arg(
        long,
        help_heading = DATA,
        value_name = "RANGE",
        allow_hyphen_values = true,
        value_parser = str::parse::<InputRange>
    )]
    input_range: Option<InputRange>,
    /// What the network gives for the least and the greatest value of the data, as in -1..1 [default: the data's own
    /// numbers; of a picture 0..1]
    #[arg(long, help_heading = DATA, value_name = "RANGE", allow_hyphen_values = true, value_parser = range)]
    output_range: Option<(f64, f64)>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Tensors whose names tell nothing: B=NAME (the frequencies), a=NAME (their amplitudes), layers.N=NAME (what the
    /// names of weights and bias begin with), layers.N.weight=NAME, layers.N.bias=NAME
    #[arg(
        long,
        help_heading = NETWORK,
        value_delimiter = ',',
        value_name = "PART=NAME",
        value_parser = str::parse::<Mapping>
    )]
    map: Vec<Mapping>,
    /// Tensors that do not belong to the network, by name
    #[arg(long, help_heading = NETWORK, value_delimiter = ',', value_name = "NAMES")]
    ignore: Vec<String>,
    /// The order of the features [default: cos-sin, as in the paper; the notebook that was published with it has
    /// sin-cos]
    #[arg(long, help_heading = NETWORK)]
    gamma: Option<Gamma>,
    /// The frequencies are in radians for a unit of the input: the network computes cos(Bv) and not cos(2πBv)
    #[arg(long, help_heading = NETWORK)]
    radians: bool,
    /// The features are divided by the norm of their amplitudes
    #[arg(long, help_heading = NETWORK)]
    normalize: bool,
    /// What follows the hidden layers: relu or sine [default: relu where there are frequencies, otherwise what the
    /// names tell]
    #[arg(long, help_heading = NETWORK, value_parser = activation)]
    activation: Option<HiddenActivation>,
    /// ω₀ of sine layers, which compute sin(ω₀(Wx + b)): one number, or that of the first layer and that of the others
    /// [default: 30; 30,1 for the names of siren-pytorch]
    #[arg(
        long,
        help_heading = NETWORK,
        visible_alias = "w0",
        value_delimiter = ',',
        num_args = 1,
        value_name = "OMEGA"
    )]
    omega: Vec<f64>,
    /// What follows the last layer [default: linear]
    #[arg(long, help_heading = NETWORK)]
    output: Option<OutputFunction>,
    /// Which axis of weights counts the outputs [default: out-in, and in-out for kernels of Flax or where only that
    /// fits]
    #[arg(long, help_heading = NETWORK)]
    layout: Option<Layout>,
    /// Number format of the model [default: w8a16, or w16a16 where w8a16 would cost more than 1 dB]
    #[arg(long)]
    precision: Option<NamedPrecision>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

fn range(text: &str) -> Result<(f64, f64), String> {
    let ends = text.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    ends.filter(|(low, high)| low < high).ok_or_else(|| "give LOW..HIGH, as in -1..1".to_owned())
}

/// An activation of the hidden layers; others are refused by their names.
fn activation(text: &str) -> Result<HiddenActivation, String> {
    match text {
        "relu" => Ok(HiddenActivation::Relu),
        "sine" | "sin" => Ok(HiddenActivation::Sine),
        other => Err(format!(
            "a device has no {other}: its hidden layers are followed by relu or sine; train the network with one of \
             these"
        )),
    }
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let absolute = |path: &Path| std::path::absolute(path).context("cannot tell the current directory");
        let load = self.load_options(self.targets.as_deref().map(absolute).transpose()?);
        let dataset = load_and_tell(&self.data, &load)?;
        let settings = ImportSettings {
            weights: self.weights.clone(),
            params: self.params()?,
            data: self.data.clone(),
            load,
            inputs: self.inputs.clone(),
            input_range: self.input_range,
            output_range: self.output_range,
            precision: self.precision,
        };
        let import = import::Import::read(settings, dataset)?;
        trainer::note!("{}: {}", self.weights.display(), import.network().description());
        let mut started = hold_while_made(&self.out, Others::Refused, || Ok(import.start(&self.out, self.force)?))?;
        let results = started.write()?;
        self.print(started.run(), &results)?;
        if let Some(alternative) = results.alternative {
            trainer::note!(
                "warning: the network does not fit the data (PSNR {:.1} dB); with {} it does ({:.1} dB)",
                results.source.psnr_db,
                alternative.options,
                alternative.psnr_db
            );
        }
        Ok(())
    }

    fn load_options(&self, targets: Option<PathBuf>) -> LoadOptions {
        let of_table = has_columns(&self.data);
        let inputs = if of_table { &self.inputs[..] } else { &[] };
        LoadOptions { targets, ..self.reading.options(inputs, &self.outputs) }
    }

    fn params(&self) -> anyhow::Result<ImportParams> {
        let omega = match self.omega[..] {
            [] => None,
            [all] => Some((all, all)),
            [first, others] => Some((first, others)),
            _ => bail!("--omega takes one number, or that of the first layer and that of the others, as in 30,1"),
        };
        Ok(ImportParams {
            map: self.map.clone(),
            ignore: self.ignore.clone(),
            gamma: self.gamma.unwrap_or_default(),
            radians: self.radians,
            normalize: self.normalize,
            activation: self.activation,
            omega,
            output: self.output,
            layout: self.layout,
        })
    }

    fn print(&self, run: &Run, imported: &ImportResults) -> anyhow::Result<()> {
        let ImportResults { results, source, differences, .. } = imported;
        let Results { precision, quantization_loss_db, model_bytes, model, .. } = results;
        let dataset = run.snapshot().data.dataset;
        let (count, loss) = (dataset.len(), quantization_loss_db);
        let (kept, measured) = trainer::fit::exportable::calibration(count);
        if self.json {
            let object = json!({
                "run": run.folder().path(), "weights": self.weights, "data": self.data, "samples": count,
                "network": source, "f32": results.f32.train, "precision": precision, "model": model.train,
                "largest_difference": differences, "calibration_samples": kept, "measured_samples": measured,
                "quantization_loss_db": loss, "model_file": run.folder().model(), "model_bytes": model_bytes,
                "advice": results.advice,
            });
            return print(&serde_json::to_string_pretty(&object)?);
        }
        let (names, units) = (&dataset.output_names, &dataset.output_units);
        let mut text = String::new();
        let stages = [("network of the file", source), ("in f32", &results.f32.train), (*precision, &model.train)];
        // What is stored in f32 needs no third stage.
        for (title, metrics) in stages.into_iter().filter(|(title, _)| *title != "in f32" || *precision != "f32") {
            text += &format!("{title}: {count} samples\n  {}\n", metrics.lines(names, units).join("\n  "));
        }
        let unit = |k: usize| units.get(k).filter(|unit| !unit.is_empty()).map_or(String::new(), |u| format!(" {u}"));
        let differences = differences.iter().enumerate();
        let differences: Vec<String> = differences.map(|(k, &d)| format!("{}{}", short(d), unit(k))).collect();
        text += &format!("largest difference of the model from the network of the file: {}\n", differences.join(", "));
        let on = if measured < count { "others" } else { "the same" };
        text += &format!(
            "quantization loss {loss:.3} dB: calibrated on {kept} samples of {}, measured on {measured} {on}\n",
            self.data.display()
        );
        for advice in &results.advice {
            trainer::note!("note: {advice}");
        }
        text += &format!("model   {} ({model_bytes} bytes)\n", run.folder().model().display());
        text += &format!("report  {}", run.folder().path().join("report.html").display());
        print(&text)
    }
}
