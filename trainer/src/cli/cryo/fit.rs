//! `trainer cryo fit`: from particles to volumes.

use crate::cli::hold::{Others, hold, hold_while_made};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;
use serde_json::json;
use trainer::artifact::precision::NamedPrecision;
use trainer::cryo::params::CryoParams;
use trainer::cryo::report;
use trainer::cryo::run::{CryoMetrics, CryoSettings, Images, Run};
use trainer::fit::encoding_option::EncodingOption;
use trainer::network::encoding::EncodingKind;
use trainer::store::run::RunFolder;
use trainer::training::Watch;
use trainer::training::progress::Trainings;

use super::super::trained::{
    ENCODING, FrequenciesArgs, GridArgs, OptimizerArgs, TRAINING, encoding_of_network, with_note,
};
use super::super::{interrupt, print, warn_of_options_without_effect};

/// Recover the volume of a molecule as a function of a latent variable, from images with known poses.
///
/// The run folder gets volumes as .mrc, the latent variable of every image, the decoder as model.ffm, and a report.
/// The report shows Fourier shell correlations with the true volumes, if they are known, and between two half sets of
/// the images. Ctrl-C ends the training and keeps what was learned. --resume continues it, and gives the same bits as
/// a run that was never interrupted.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer cryo fit kinase/poses.csv --out runs/kinase\n  \
                        trainer cryo fit run_data.star --stack particles.mrcs --homogeneous --out runs/mean\n  \
                        trainer cryo fit --resume runs/kinase"
)]
pub(crate) struct Fit {
    /// A RELION .star with poses and CTF, or a poses.csv made by `trainer cryo synthesize`
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    table: Option<PathBuf>,
    /// The folder to make for this run
    #[arg(long, value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run that is in the folder --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue the run in this folder with its own settings
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Print the results as one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// Everything that a resumed run takes from its folder.
#[derive(clap::Args, Default, PartialEq)]
#[command(
    mut_arg("frequencies_fixed", |option| with_note(option, "the default")),
    mut_arg("levels", |option| with_note(option, "default: 16,32,48")),
    mut_arg("optimizer", |option| with_note(option, "default: adam"))
)]
struct Settings {
    /// The .mrcs with the images [default: the one that the table names, or particles.mrcs beside the table]
    #[arg(long, help_heading = "Data", display_order = 0, value_name = "FILE.mrcs")]
    stack: Option<PathBuf>,
    /// A folder with the true volumes, as truth.json and truth.csv [default: the folder of the table, if it has them]
    #[arg(long, help_heading = "Data", display_order = 1, value_name = "DIR")]
    truth: Option<PathBuf>,
    /// Fit one volume for all images, without latent variable and encoder
    #[arg(long, help_heading = "Network", display_order = 1, conflicts_with = "latent")]
    homogeneous: bool,
    /// Number of dimensions of the latent variable [default: 1]
    #[arg(long, help_heading = "Network", display_order = 0)]
    latent: Option<usize>,
    /// How spatial frequencies become features [default: gaussian]
    #[arg(long, help_heading = ENCODING, display_order = 2, value_parser = encoding_of_network())]
    encoding: Option<EncodingKind>,
    /// Number of frequencies of the encoding, that is rows of the matrix B [default: 128]
    #[arg(long, help_heading = ENCODING, display_order = 1)]
    frequencies: Option<usize>,
    /// The scale σ, in cycles over the range of an input: the standard deviation of the frequencies, or for
    /// positional the highest frequency [default: an eighth of the image size in pixels; three eighths for
    /// positional]
    #[arg(long, help_heading = ENCODING, display_order = 0)]
    scale: Option<f64>,
    #[command(flatten)]
    frequencies_training: FrequenciesArgs,
    #[command(flatten)]
    grids: GridArgs,
    /// Widths of the hidden layers of the decoder, one number for each layer [default: 96,96,96]
    #[arg(long, help_heading = "Network", display_order = 2, value_delimiter = ',', value_name = "WIDTHS")]
    hidden: Option<Vec<usize>>,
    /// Widths of the hidden layers of the encoder [default: 64,32]
    #[arg(long, help_heading = "Network", display_order = 3, value_delimiter = ',', value_name = "WIDTHS")]
    encoder_hidden: Option<Vec<usize>>,
    /// Number of training steps; each half set is trained for half as many [default: 5000]
    #[arg(long, help_heading = TRAINING, display_order = 0)]
    steps: Option<u64>,
    /// Number of images in each training step [default: 128]
    #[arg(long, help_heading = TRAINING, display_order = 3)]
    images: Option<usize>,
    /// Number of spatial frequencies that are drawn from each image in a training step [default: 48]
    #[arg(long, help_heading = TRAINING, display_order = 4, value_name = "COUNT")]
    image_frequencies: Option<usize>,
    #[command(flatten)]
    optimizer: OptimizerArgs,
    /// Highest learning rate; muon takes five times as much for the matrices that it moves [default: 2e-3]
    #[arg(long, help_heading = TRAINING, display_order = 1)]
    learning_rate: Option<f64>,
    /// Weight β of the KL divergence in the loss; 1 gives the evidence lower bound [default: 0.3]
    #[arg(long, help_heading = TRAINING, display_order = 5)]
    beta: Option<f64>,
    /// Do not fit the two half sets: this halves the work, and leaves out the correlation between them
    #[arg(long, help_heading = TRAINING, display_order = 2)]
    no_half_sets: bool,
    /// Number format of the model: w8a16 has weights of 8 bits and activations of 16 bits; w16a16 has 16 bits for
    /// both; f32 is floating point [default: w8a16]
    #[arg(long, help_heading = "Output")]
    precision: Option<NamedPrecision>,
    /// Seed of all random numbers; the same seed gives the same result [default: 0]
    #[arg(long, help_heading = TRAINING, display_order = 6)]
    seed: Option<u64>,
}

impl Settings {
    /// Says which of the options given change nothing.
    fn warn_of_options_without_effect(&self, encoding: EncodingKind) {
        let given = [
            (self.scale.is_some(), EncodingOption::Scale, "--scale"),
            (self.frequencies.is_some(), EncodingOption::Frequencies, "--frequencies"),
        ];
        warn_of_options_without_effect(encoding, &given);
        warn_of_options_without_effect(encoding, &self.frequencies_training.given());
        warn_of_options_without_effect(encoding, &self.grids.given());
    }

    fn params(&self) -> CryoParams {
        let mut params = CryoParams::default();
        params.encoding.kind = self.encoding.unwrap_or(params.encoding.kind);
        params.encoding.frequencies = self.frequencies.unwrap_or(params.encoding.frequencies);
        self.frequencies_training.set(&mut params.encoding);
        self.grids.set(&mut params.encoding.grid);
        self.optimizer.set(&mut params.optimizer);
        params.scale = self.scale;
        params.hidden = self.hidden.clone().unwrap_or(params.hidden);
        params.encoder_hidden = self.encoder_hidden.clone().unwrap_or(params.encoder_hidden);
        params.latent = if self.homogeneous { 0 } else { self.latent.unwrap_or(params.latent) };
        params.steps = self.steps.unwrap_or(params.steps);
        params.images = self.images.unwrap_or(params.images);
        params.frequencies = self.image_frequencies.unwrap_or(params.frequencies);
        params.learning_rate = self.learning_rate.unwrap_or(params.learning_rate);
        params.beta = self.beta.unwrap_or(params.beta);
        params.half_sets = !self.no_half_sets;
        params.seed = self.seed.unwrap_or(params.seed);
        params
    }
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let (settings, out) = match (&self.resume, &self.table, &self.out) {
            (Some(run), ..) => {
                if self.settings != Settings::default() {
                    bail!("--resume continues with the settings of the run; leave out all options but --json");
                }
                (CryoSettings::of_run(run)?, run)
            }
            (None, Some(table), Some(out)) => {
                let settings = self.settings_of(table)?;
                self.settings.warn_of_options_without_effect(settings.params.encoding.kind);
                (settings, out)
            }
            _ => bail!("name a table of particles and an --out, or a run to --resume"),
        };
        let images = read_images(&settings)?;
        images.check(&settings.params)?;
        if let Some(folder) = &self.settings.truth {
            images.check_truth(folder, &settings.table)?;
        } else if images.lacks_motions() {
            let table = settings.table.display();
            trainer::note!("not compared with the truth: {table} does not say which conformation each image shows");
        }
        // Before the first back-projection, so that ctrl-C is heard there too.
        let stop = interrupt::catch()?;
        let run = match &self.resume {
            Some(run) => {
                hold(run, Others::Refused)?;
                Run::resume(run, &images)?
            }
            None => {
                let folder = hold_while_made(out, Others::Refused, || Ok(RunFolder::create(out, self.force)?))?;
                Run::start(folder, settings, &images)?
            }
        };
        let run = run.since(begun);
        let mut progress = Trainings::default();
        let mut watch = Watch { stop: Some(stop), progress: Some(&mut progress), ..Watch::default() };
        let Some((_, metrics)) = run.finish(&mut watch)? else {
            trainer::note!("interrupted; continue with: trainer cryo fit --resume {}", run.folder().path().display());
            interrupt::exit();
        };
        print_result(&run, &metrics, self.json)
    }

    fn settings_of(&self, table: &Path) -> anyhow::Result<CryoSettings> {
        // Absolute, so that the run is continued from any folder.
        let table = std::path::absolute(table)?;
        let truth = self.settings.truth.as_deref().or(table.parent());
        Ok(CryoSettings {
            params: self.settings.params(),
            stack: self.settings.stack.as_ref().map(std::path::absolute).transpose()?,
            truth: truth.map(std::path::absolute).transpose()?,
            precision: self.settings.precision.unwrap_or_default(),
            table,
        })
    }
}

/// Reads the images and says what is worth saying of their files.
pub(super) fn read_images(settings: &CryoSettings) -> anyhow::Result<Images> {
    let images = Images::read(settings)?;
    images.stack.notes.iter().for_each(|note| trainer::note!("note: {note}"));
    Ok(images)
}

/// Prints the table of qualities and where the files are.
fn print_result(run: &Run<'_>, metrics: &CryoMetrics, as_json: bool) -> anyhow::Result<()> {
    let folder = run.folder();
    if as_json {
        let object = json!({ "run": folder.path(), "settings": run.settings(), "metrics": metrics });
        return print(&serde_json::to_string_pretty(&object)?);
    }
    let mut text = String::new();
    if let Some(rho) = metrics.spearman {
        text += &format!("Spearman's ρ of the latent with the true motion: {rho:.3}\n");
    }
    let (head, rows) = report::table(&metrics.qualities);
    for row in std::iter::once(&head).chain(&rows) {
        text += &format!("{:<40}", row[0]);
        row[1..].iter().for_each(|cell| text += &format!("{cell:>22}"));
        text += "\n";
    }
    if let Some(limit) = report::limit(&metrics.qualities) {
        text += &format!("{limit}\n");
    }
    text += &format!("model    {} ({} bytes)\n", folder.model().display(), metrics.model_bytes);
    text += &format!("volumes  {}\n", folder.path().join("conformation_*.mrc").display());
    print(&(text + &format!("report   {}", folder.path().join("report.html").display())))
}
