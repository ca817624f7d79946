//! `trainer cryo fit`: from particles to volumes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;
use serde_json::json;
use trainer::cryo::fit::{Prepared, Results, evaluate_all};
use trainer::cryo::params::CryoParams;
use trainer::cryo::particles::ParticleStack;
use trainer::cryo::run::{self, CryoSettings, Metrics};
use trainer::cryo::subset::Subset;
use trainer::cryo::synthesis::Truth;
use trainer::cryo::{CryoError, report};
use trainer::fit::effect::EncodingOption;
use trainer::network::encoding::EncodingKind;
use trainer::store::checkpoint;
use trainer::store::run::RunFolder;
use trainer::training::progress;
use trainer::training::{Ended, TrainError, TrainState, Watch};

use super::super::fit::{PrecisionArg, parse_precision};
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
    #[arg(long, help_heading = "Encoding", display_order = 2)]
    encoding: Option<EncodingKind>,
    /// Number of frequencies of the encoding, that is rows of the matrix B [default: 128]
    #[arg(long, help_heading = "Encoding", display_order = 1)]
    frequencies: Option<usize>,
    /// The scale σ, in cycles over the range of an input: the standard deviation of the frequencies, or for
    /// positional the highest frequency [default: an eighth of the image size in pixels; three eighths for
    /// positional]
    #[arg(long, help_heading = "Encoding", display_order = 0)]
    scale: Option<f64>,
    /// Widths of the hidden layers of the decoder, one number for each layer [default: 96,96,96]
    #[arg(long, help_heading = "Network", display_order = 2, value_delimiter = ',', value_name = "WIDTHS")]
    hidden: Option<Vec<usize>>,
    /// Widths of the hidden layers of the encoder [default: 64,32]
    #[arg(long, help_heading = "Network", display_order = 3, value_delimiter = ',', value_name = "WIDTHS")]
    encoder_hidden: Option<Vec<usize>>,
    /// Number of training steps; each half set is trained for half as many [default: 5000]
    #[arg(long, help_heading = "Training", display_order = 0)]
    steps: Option<u64>,
    /// Number of images in each training step [default: 128]
    #[arg(long, help_heading = "Training", display_order = 3)]
    images: Option<usize>,
    /// Number of spatial frequencies that are drawn from each image in a training step [default: 48]
    #[arg(long, help_heading = "Training", display_order = 4, value_name = "COUNT")]
    image_frequencies: Option<usize>,
    /// Highest learning rate of the optimizer Adam [default: 2e-3]
    #[arg(long, help_heading = "Training", display_order = 1)]
    learning_rate: Option<f64>,
    /// Weight β of the KL divergence in the loss; 1 gives the evidence lower bound [default: 0.3]
    #[arg(long, help_heading = "Training", display_order = 5)]
    beta: Option<f64>,
    /// Do not fit the two half sets: this halves the work, and leaves out the correlation between them
    #[arg(long, help_heading = "Training", display_order = 2)]
    no_half_sets: bool,
    /// Number format of the model: w8a16 has weights of 8 bits and activations of 16 bits; w16a16 has 16 bits for
    /// both; f32 is floating point [default: w8a16]
    #[arg(long, help_heading = "Output")]
    precision: Option<PrecisionArg>,
    /// Seed of all random numbers; the same seed gives the same result [default: 0]
    #[arg(long, help_heading = "Training", display_order = 6)]
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

/// Images and, where it is known, what they show.
pub(super) struct Images {
    pub(super) stack: ParticleStack,
    pub(super) truth: Option<Truth>,
    fingerprint: u64,
}

impl Images {
    pub(super) fn read(settings: &CryoSettings) -> anyhow::Result<Self> {
        let stack = ParticleStack::read(&settings.table, settings.stack.as_deref())?;
        let truth = settings.truth.as_deref().map(Truth::read).transpose()?.flatten();
        let fingerprint = run::fingerprint(&stack);
        stack.notes.iter().for_each(|note| trainer::note!("note: {note}"));
        Ok(Self { stack, truth, fingerprint })
    }

    /// Whether these settings suit them, before anything is made or removed.
    pub(super) fn check(&self, params: &CryoParams) -> Result<(), CryoError> {
        params.check(self.stack.particles.len(), self.stack.size)
    }

    /// Whether the truth that was asked for can be compared with.
    fn check_truth(&self, folder: &Path, table: &Path) -> anyhow::Result<()> {
        let Some(truth) = &self.truth else {
            bail!("{} has no truth.json; name a folder of `trainer cryo synthesize`", folder.display());
        };
        if truth.motions(&self.stack).is_none() {
            bail!(
                "{} does not say which conformation each image shows, so that nothing can be compared with {}; name the poses.csv of \
                 `trainer cryo synthesize`, or leave out --truth",
                table.display(),
                folder.display()
            );
        }
        Ok(())
    }
}

/// A run about to train.
pub(super) struct Job<'a> {
    folder: RunFolder,
    settings: CryoSettings,
    images: &'a Images,
    begun: Instant,
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let (settings, out) = match (&self.resume, &self.table, &self.out) {
            (Some(run), ..) => {
                if self.settings != Settings::default() {
                    bail!("--resume continues with the settings of the run; leave out all options but --json");
                }
                (run::read_settings(&RunFolder::open(run)?)?, run)
            }
            (None, Some(table), Some(out)) => {
                let settings = self.settings_of(table)?;
                self.settings.warn_of_options_without_effect(settings.params.encoding.kind);
                (settings, out)
            }
            _ => bail!("name a table of particles and an --out, or a run to --resume"),
        };
        let images = Images::read(&settings)?;
        images.check(&settings.params)?;
        if let Some(folder) = &self.settings.truth {
            images.check_truth(folder, &settings.table)?;
        } else if images.truth.as_ref().is_some_and(|truth| truth.motions(&images.stack).is_none()) {
            let table = settings.table.display();
            trainer::note!("not compared with the truth: {table} does not say which conformation each image shows");
        }
        let folder = match &self.resume {
            Some(run) => RunFolder::open(run)?,
            None => RunFolder::create(out, self.force)?,
        };
        if self.resume.is_none() {
            run::forget(&folder)?;
        }
        let job = Job { folder, settings, images: &images, begun };
        match job.run()? {
            Some((_, metrics)) => job.print(&metrics, self.json),
            None => {
                trainer::note!("interrupted; continue with: trainer cryo fit --resume {}", job.folder.path().display());
                interrupt::exit();
            }
        }
    }

    fn settings_of(&self, table: &Path) -> anyhow::Result<CryoSettings> {
        // Absolute, so that the run is continued from any folder.
        let table = std::path::absolute(table)?;
        let truth = self.settings.truth.as_deref().or(table.parent());
        let precision = self.settings.precision.unwrap_or(PrecisionArg::W8a16);
        Ok(CryoSettings {
            params: self.settings.params(),
            stack: self.settings.stack.as_ref().map(std::path::absolute).transpose()?,
            truth: truth.map(std::path::absolute).transpose()?,
            precision: trainer::artifact::model_card::precision_name(precision.into()).to_owned(),
            table,
        })
    }
}

impl<'a> Job<'a> {
    /// A run in a folder of its own, from where its checkpoints left it.
    pub(super) fn new(folder: RunFolder, settings: CryoSettings, images: &'a Images) -> Self {
        Self { folder, settings, images, begun: Instant::now() }
    }

    /// Trains to the end and writes everything; `None` if ctrl-C came before.
    pub(super) fn run(&self) -> anyhow::Result<Option<(Results, Metrics)>> {
        let precision = parse_precision(&self.settings.precision)?;
        let Images { stack, truth, .. } = self.images;
        let stop = interrupt::catch()?;
        let mut trained = Vec::new();
        for &subset in Subset::trained(&self.settings.params) {
            let (images, params) = (subset.of(stack), subset.params(&self.settings.params));
            trainer::note!("back-projecting {} images", images.particles.len());
            let prepared = Prepared::new(&images, &params)?;
            let mut state = prepared.start();
            if subset == Subset::All && !run::checkpoint_path(&self.folder, subset).exists() {
                // A disk that is full or read-only shows before the training, not after it.
                let begun = run::write_network(&self.folder, &self.settings, &state.networks);
                if begun.is_err() {
                    self.folder.discard();
                }
                begun?;
            }
            run::resume(&self.folder, subset, &mut state, self.images.fingerprint)?;
            if self.train(&prepared, subset, &mut state, stop)? == Ended::Interrupted {
                return Ok(None);
            }
            trained.push((prepared, state.networks));
        }
        let results = evaluate_all(&trained, stack, truth.as_ref());
        let (prepared, networks) = &trained[0];
        let seconds = self.begun.elapsed().as_secs_f64();
        let parts = (prepared, stack, &results);
        let metrics = run::write(&self.folder, &self.settings, precision, parts, networks, seconds)?;
        Ok(Some((results, metrics)))
    }

    fn train(
        &self,
        prepared: &Prepared,
        subset: Subset,
        state: &mut TrainState,
        stop: &std::sync::atomic::AtomicBool,
    ) -> Result<Ended, CryoError> {
        let path = run::checkpoint_path(&self.folder, subset);
        let mut save = |state: &TrainState| {
            checkpoint::write(&path, state, &self.settings, self.images.fingerprint)
                .map_err(|error| TrainError::Save(Box::new(error)))
        };
        save(state)?;
        trainer::note!("training on {} images", subset.name());
        let mut bar = progress::on_stderr(prepared.params().steps, state.step);
        let mut watch = Watch { stop: Some(stop), progress: Some(&mut *bar), save: Some(&mut save), observe: None };
        let ended = prepared.train(state, &mut watch)?;
        save(state)?;
        Ok(ended)
    }

    fn print(&self, metrics: &Metrics, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            let object = json!({ "run": self.folder.path(), "settings": self.settings, "metrics": metrics });
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
        let path = self.folder.path();
        text += &format!("model    {} ({} bytes)\n", self.folder.model().display(), metrics.model_bytes);
        text += &format!(
            "volumes  {}\nreport   {}",
            path.join("conformation_*.mrc").display(),
            path.join("report.html").display()
        );
        print(&text)
    }
}
