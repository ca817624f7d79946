//! `trainer nerf fit`: from a scene to a run folder with the model in it.

use std::path::PathBuf;

use anyhow::Context;
use trainer::fit::encoding_option::EncodingOption;
use trainer::nerf::params::{Background, DensityKind, NerfParams};
use trainer::nerf::run::{NerfMetrics, NerfSettings, Run, Scene};
use trainer::network::encoding::EncodingKind;
use trainer::store::run::RunFolder;
use trainer::training::optimizer::Optimizer;
use trainer::training::progress::Trainings;
use trainer::training::{Ended, Watch};

use super::JudgedBy;
use crate::cli::hold::{Others, hold, hold_while_made};
use crate::cli::trained::{
    ENCODING, FrequenciesArgs, GridArgs, OptimizerArgs, TRAINING, encoding_of_network, with_note,
};
use crate::cli::{interrupt, print, warn_of_options_without_effect};

/// Learn a scene from its pictures, and write the model and its volume for a device.
///
/// The run folder gets model.ffm and volume.ffv (for the device), model_f32.ffm, cameras.json, metrics.json,
/// report.html and checkpoint.safetensors. Ctrl-C ends the training and keeps what was learned. --resume continues
/// it, and gives the same bits as a run that was never interrupted.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer nerf fit scene --out runs/nerf\n  \
                        trainer nerf fit --resume runs/nerf --steps 12000"
)]
pub(crate) struct Fit {
    /// The folder of the scene, with transforms_train.json and its companions, or with one transforms.json of all
    /// views [default with --resume: the scene of that run]
    #[arg(required_unless_present = "resume")]
    scene: Option<PathBuf>,
    /// The folder to make for this run
    #[arg(long, value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run that is in the folder --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue the run in this folder with its own settings; only --steps may differ
    #[arg(long, value_name = "RUN", conflicts_with_all = ["Settings", "FrequenciesArgs", "GridArgs", "OptimizerArgs"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Number of training steps; each updates all parameters once [default: 6000]
    #[arg(long, help_heading = TRAINING, display_order = 0)]
    steps: Option<u64>,
    /// Views that are held out to measure the quality
    #[arg(long, help_heading = "Scene", display_order = 3, value_name = "VIEWS", default_value = "test")]
    judge_by: JudgedBy,
    /// Print the results as one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// Everything that a resumed run takes from its folder.
#[derive(clap::Args)]
#[command(
    mut_arg("frequencies_fixed", |option| with_note(option, "the default")),
    mut_arg("levels", |option| with_note(option, "default: 16,32,48")),
    mut_arg("optimizer", |option| with_note(option, "default: muon"))
)]
struct Settings {
    /// How positions become features [default: gaussian]
    #[arg(long, help_heading = ENCODING, display_order = 2, value_parser = encoding_of_network())]
    encoding: Option<EncodingKind>,
    /// Number of frequencies, that is rows of the matrix B [default: 64]
    #[arg(long, help_heading = ENCODING, display_order = 1)]
    frequencies: Option<usize>,
    /// The scale σ, in cycles over the bounding cube: the standard deviation of the frequencies, or for positional
    /// the highest frequency [default: 2; positional: 16]
    #[arg(long, help_heading = ENCODING, display_order = 0)]
    scale: Option<f64>,
    #[command(flatten)]
    frequencies_training: FrequenciesArgs,
    #[command(flatten)]
    grids: GridArgs,
    /// Widths of the hidden layers, one number for each layer [default: 64,64,64]
    #[arg(long, help_heading = "Network", display_order = 0, value_delimiter = ',', value_name = "WIDTHS")]
    hidden: Option<Vec<usize>>,
    /// How the output z of the network becomes a density [default: softplus]
    #[arg(long, help_heading = "Network", display_order = 2)]
    density: Option<DensityKind>,
    /// Let colours depend on the direction of view, for shiny scenes; densities never depend on it
    #[arg(long, help_heading = "Network", display_order = 1)]
    view_direction: bool,
    /// Number of samples along a ray that crosses the bounding cube [default: 128]
    #[arg(long, help_heading = "Scene", display_order = 2)]
    samples: Option<usize>,
    /// Number of cells of the occupancy grid along each axis; empty cells are skipped [default: 64]
    #[arg(long, help_heading = "Scene", display_order = 4)]
    grid: Option<u32>,
    /// Approximate number of samples in each training step [default: 24576]
    #[arg(long, help_heading = TRAINING, display_order = 3)]
    batch: Option<usize>,
    #[command(flatten)]
    optimizer: OptimizerArgs,
    /// Highest learning rate; muon takes five times as much for the matrices that it moves [default: 5e-3; of
    /// adam 2e-2, of grids 1e-2]
    #[arg(long, help_heading = TRAINING, display_order = 1)]
    learning_rate: Option<f64>,
    /// What the transparent parts of the pictures show [default: white]
    #[arg(long, help_heading = "Scene", display_order = 0)]
    background: Option<Background>,
    /// Half the width of the bounding cube [default: that of the scene, or what the cameras of a transforms.json look
    /// at, or 1.5]
    #[arg(long, help_heading = "Scene", display_order = 1)]
    half_width: Option<f32>,
    /// Seed of all random numbers; the same seed gives the same result [default: 0]
    #[arg(long, help_heading = TRAINING, display_order = 4)]
    seed: Option<u64>,
    /// Use a small network and few steps, for a trial of a few seconds; it suits scenes made with --quick
    #[arg(long, help_heading = TRAINING, display_order = 2)]
    quick: bool,
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

    fn params(&self) -> NerfParams {
        let mut params = if self.quick { NerfParams::quick() } else { NerfParams::default() };
        let encoding = &mut params.encoding;
        encoding.kind = self.encoding.unwrap_or(encoding.kind);
        encoding.frequencies = self.frequencies.unwrap_or(encoding.frequencies);
        encoding.scale = self.scale.unwrap_or(NerfParams::default_scale(encoding.kind));
        self.frequencies_training.set(encoding);
        self.grids.set(&mut encoding.grid);
        let mut optimizer = if self.view_direction { Optimizer::default() } else { params.optimizer.clone() };
        self.optimizer.set(&mut optimizer);
        params = params.with_optimizer(optimizer);
        params.hidden = self.hidden.clone().unwrap_or(params.hidden);
        params.density = self.density.unwrap_or(params.density);
        params.view_direction = self.view_direction;
        params.samples = self.samples.unwrap_or(params.samples);
        params.grid = self.grid.unwrap_or(params.grid);
        params.batch = self.batch.unwrap_or(params.batch);
        params.learning_rate = self.learning_rate.unwrap_or(params.learning_rate);
        params.background = self.background.unwrap_or(params.background);
        params.half_width = self.half_width.or(params.half_width);
        params.seed = self.seed.unwrap_or(params.seed);
        params
    }
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let judged_by = self.judge_by.into();
        let (scene, mut run) = if let Some(path) = &self.resume {
            let scene = match &self.scene {
                Some(folder) => Scene::read(folder, judged_by)?,
                None => Scene::read(&NerfSettings::of_run(path)?.scene, judged_by)?,
            };
            hold(path, Others::Refused)?;
            let run = Run::resume(path, &scene, self.steps)?;
            (scene, run)
        } else {
            let (folder, out) = self.scene.as_ref().zip(self.out.as_ref()).context("name a scene and --out")?;
            let scene = Scene::read(folder, judged_by)?;
            let mut params = self.settings.params();
            params.steps = self.steps.unwrap_or(params.steps);
            self.settings.warn_of_options_without_effect(params.encoding.kind);
            say_notes(&scene, params.half_width.is_some());
            let params = scene.check(&params)?;
            hold_while_made(out, Others::Refused, || Ok(RunFolder::create(out, self.force)?))?;
            let run = Run::start(out, params, &scene)?;
            (scene, run)
        };
        let mut progress = Trainings::default();
        let mut watch = Watch { stop: Some(interrupt::catch()?), progress: Some(&mut progress), ..Watch::default() };
        let folder = run.folder();
        if run.train(&scene, &mut watch)? == Ended::Interrupted {
            let (step, folder) = (run.step(), folder.path().display());
            trainer::note!("stopped at step {step}; continue with: trainer nerf fit --resume {folder}");
            interrupt::exit();
        }
        let metrics = run.finish(&scene)?;
        if self.json {
            return print(&serde_json::to_string_pretty(&metrics)?);
        }
        print(&format!("{}\nreport           {}", text(&metrics), folder.report().display()))
    }
}

/// Says what is worth saying of a scene's files; of the cube's size only where no option sets it.
pub(super) fn say_notes(scene: &Scene, has_size: bool) {
    let size = scene.size_note().filter(|_| !has_size);
    scene.notes().iter().map(String::as_str).chain(size).for_each(|note| trainer::note!("note: {note}"));
}

/// View by view, then the means.
fn text(metrics: &NerfMetrics) -> String {
    let held_out = &metrics.held_out;
    let mut text = String::from("view              PSNR     SSIM\n");
    for view in &held_out.views {
        text += &format!("{:16} {:5.2} dB  {:.4}\n", view.name, view.psnr_db, view.ssim);
    }
    text += &format!("held out         {:5.2} dB  {:.4}\n", held_out.psnr_db, held_out.ssim);
    text += &format!("training views   {:5.2} dB\n", metrics.training_psnr_db);
    text += &format!("occupied cells   {:.1} %\n", 100.0 * metrics.occupied_part);
    text + &format!("evaluations      {:.1} per pixel", held_out.evaluations_per_pixel)
}
