//! `trainer cryo fit`: from particles to volumes.

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

use super::super::{interrupt, print, warn_of_options_without_effect};

/// Recover the volume of a molecule as a function of a latent variable, from images with known poses.
///
/// The run folder gets volumes as .mrc, the latent of every image, a report with Fourier shell correlations against the truth
/// (if it is known) and between half sets, and the decoder as model.ffm. Ctrl-C keeps what was learned; --resume
/// continues to the same bits as an uninterrupted run.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer cryo fit kinase/poses.csv --out runs/kinase\n  \
                        trainer cryo fit run_data.star --stack particles.mrcs --homogeneous --out runs/mean\n  \
                        trainer cryo fit --resume runs/kinase"
)]
pub(crate) struct Fit {
    /// A RELION .star with poses and CTF, or a poses.csv of `trainer cryo synthesize`
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    table: Option<PathBuf>,
    /// The run folder to make
    #[arg(long, value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run in --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue this run; its settings hold
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Print one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// Everything that a resumed run takes from its folder.
#[derive(clap::Args, Default, PartialEq)]
struct Settings {
    /// The .mrcs with the images [default: the one that the table names, or particles.mrcs beside it]
    #[arg(long, value_name = "FILE.mrcs")]
    stack: Option<PathBuf>,
    /// A folder with truth.json and truth.csv [default: the table's, if it has them]
    #[arg(long, value_name = "DIR")]
    truth: Option<PathBuf>,
    /// One volume for all images: no latent, no encoder
    #[arg(long, conflicts_with = "latent")]
    homogeneous: bool,
    /// Dimensions of the latent variable [default: 1]
    #[arg(long)]
    latent: Option<usize>,
    /// How frequencies become features [default: gaussian]
    #[arg(long)]
    encoding: Option<EncodingKind>,
    /// Rows of the frequency matrix [default: 128]
    #[arg(long)]
    frequencies: Option<usize>,
    /// Deviation of Gaussian rows, or the highest positional one, in cycles over the domain [default: an eighth of the image's size; three eighths for positional]
    #[arg(long)]
    scale: Option<f64>,
    /// Widths of the decoder's hidden layers [default: 96,96,96]
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS")]
    hidden: Option<Vec<usize>>,
    /// Widths of the encoder's hidden layers [default: 64,32]
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS")]
    encoder_hidden: Option<Vec<usize>>,
    /// Updates of the parameters; half sets take half as many each [default: 5000]
    #[arg(long)]
    steps: Option<u64>,
    /// Images a step [default: 128]
    #[arg(long)]
    images: Option<usize>,
    /// Frequencies drawn of each image in a step [default: 48]
    #[arg(long, value_name = "COUNT")]
    image_frequencies: Option<usize>,
    /// Adam's learning rate at its highest [default: 2e-3]
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Weight of the KL divergence; 1 is the evidence lower bound [default: 0.3]
    #[arg(long)]
    beta: Option<f64>,
    /// Do not fit half sets: no correlation between them, and about half the work
    #[arg(long)]
    no_half_sets: bool,
    /// Numbers in the artifact [default: w8a16]
    #[arg(long)]
    precision: Option<NamedPrecision>,
    /// Seed of everything random [default: 0]
    #[arg(long)]
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
    }

    fn params(&self) -> CryoParams {
        let mut params = CryoParams::default();
        params.encoding.kind = self.encoding.unwrap_or(params.encoding.kind);
        params.encoding.frequencies = self.frequencies.unwrap_or(params.encoding.frequencies);
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
            Some(run) => Run::resume(run, &images)?,
            None => Run::start(RunFolder::create(out, self.force)?, settings, &images)?,
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
