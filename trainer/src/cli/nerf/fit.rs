//! `trainer nerf fit`: from a scene to a run folder with the model in it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{PoisonError, RwLock};

use anyhow::{Context, bail};
use firmware_core::Precision;
use serde::Serialize;
use trainer::base::files;
use trainer::fit::effect::EncodingOption;
use trainer::nerf::fit::{
    ViewsMetrics, check_rays, continue_fit, export, judge_network, start_occupancy, volume_words,
};
use trainer::nerf::occupancy::Occupancy;
use trainer::nerf::params::{Background, DensityKind, NerfParams, ValidNerfParams};
use trainer::nerf::report;
use trainer::nerf::run::{Folder, RunSettings, cameras_text, fingerprint, load, save, settings_of};
use trainer::nerf::scene::{Part, View, Views, read};
use trainer::network::encoding::EncodingKind;
use trainer::store::run::{RunError, RunFolder};
use trainer::training::progress;
use trainer::training::{Ended, TrainError, TrainState, Watch};

use super::JudgedBy;
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
    #[arg(long, value_name = "RUN", conflicts_with = "Settings")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Number of training steps; each updates all parameters once [default: 6000]
    #[arg(long, help_heading = "Training", display_order = 0)]
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
struct Settings {
    /// How positions become features [default: gaussian]
    #[arg(long, help_heading = "Encoding", display_order = 2)]
    encoding: Option<EncodingKind>,
    /// Number of frequencies, that is rows of the matrix B [default: 64]
    #[arg(long, help_heading = "Encoding", display_order = 1)]
    frequencies: Option<usize>,
    /// The scale σ, in cycles over the bounding cube: the standard deviation of the frequencies, or for positional
    /// the highest frequency [default: 2; positional: 16]
    #[arg(long, help_heading = "Encoding", display_order = 0)]
    scale: Option<f64>,
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
    #[arg(long, help_heading = "Training", display_order = 3)]
    batch: Option<usize>,
    /// Highest learning rate of the optimizer Adam [default: 2e-2]
    #[arg(long, help_heading = "Training", display_order = 1)]
    learning_rate: Option<f64>,
    /// What the transparent parts of the pictures show [default: white]
    #[arg(long, help_heading = "Scene", display_order = 0)]
    background: Option<Background>,
    /// Half the width of the bounding cube [default: that of the scene, or what the cameras of a transforms.json look
    /// at, or 1.5]
    #[arg(long, help_heading = "Scene", display_order = 1)]
    half_width: Option<f32>,
    /// Seed of all random numbers; the same seed gives the same result [default: 0]
    #[arg(long, help_heading = "Training", display_order = 4)]
    seed: Option<u64>,
    /// Use a small network and few steps, for a trial of a few seconds; it suits scenes made with --quick
    #[arg(long, help_heading = "Training", display_order = 2)]
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
    }

    fn params(&self) -> NerfParams {
        let mut params = if self.quick { NerfParams::quick() } else { NerfParams::default() };
        let encoding = &mut params.encoding;
        encoding.kind = self.encoding.unwrap_or(encoding.kind);
        encoding.frequencies = self.frequencies.unwrap_or(encoding.frequencies);
        encoding.scale = self.scale.unwrap_or(NerfParams::default_scale(encoding.kind));
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

/// A scene as read before training: a missing picture shall not cost a run.
pub(super) struct Scene {
    folder: PathBuf,
    train: Views,
    held_out: Vec<View>,
    judged_by: JudgedBy,
    fingerprint: u64,
}

impl Scene {
    pub(super) fn read(folder: &Path, judged_by: JudgedBy) -> anyhow::Result<Self> {
        let mut train = read(folder, Part::Train)?;
        let Views { views: held_out, notes, .. } = read(folder, judged_by.into())?;
        for note in notes {
            if !train.notes.contains(&note) {
                train.notes.push(note);
            }
        }
        let fingerprint = fingerprint(&train);
        // Absolute, so that a run is continued from any folder.
        Ok(Self { folder: std::path::absolute(folder)?, train, held_out, judged_by, fingerprint })
    }

    /// The scene that a run was started with.
    pub(super) fn of_run(run: &Path, judged_by: JudgedBy) -> anyhow::Result<Self> {
        Self::read(&settings_of(&Folder(run.to_owned()).checkpoint())?.scene, judged_by)
    }

    /// Settings that suit it.
    pub(super) fn check(&self, params: &NerfParams) -> anyhow::Result<ValidNerfParams> {
        let params = NerfParams { center: self.train.center, ..params.clone() }.check(self.train.half_width)?;
        check_rays(&params, &self.train.views)?;
        Ok(params)
    }

    /// Says what is worth saying of its files; of the cube's size only where no option sets it.
    pub(super) fn say_notes(&self, has_size: bool) {
        let size = self.train.size_note.iter().filter(|_| !has_size);
        self.train.notes.iter().chain(size).for_each(|note| trainer::note!("note: {note}"));
    }

    /// Which views are held out.
    pub(super) fn judged_by(&self) -> &'static str {
        Part::from(self.judged_by).name()
    }
}

/// A run that is ready to train.
pub(super) struct Run {
    folder: Folder,
    settings: RunSettings,
    params: ValidNerfParams,
    state: TrainState,
    occupancy: RwLock<Occupancy>,
}

/// What `metrics.json` holds.
#[derive(Serialize)]
pub(super) struct Metrics {
    run: PathBuf,
    scene: PathBuf,
    steps: u64,
    encoding: EncodingKind,
    view_direction: bool,
    judged_by: &'static str,
    pub(super) held_out: ViewsMetrics,
    training_psnr_db: f64,
    occupied_part: f64,
    samples_per_ray: f64,
    /// What was said of the scene's files.
    notes: Vec<String>,
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (scene, mut run) = if let Some(path) = &self.resume {
            let scene = match &self.scene {
                Some(folder) => Scene::read(folder, self.judge_by)?,
                None => Scene::of_run(path, self.judge_by)?,
            };
            let run = Run::resume(path, &scene, self.steps)?;
            (scene, run)
        } else {
            let (folder, out) = self.scene.as_ref().zip(self.out.as_ref()).context("name a scene and --out")?;
            let scene = Scene::read(folder, self.judge_by)?;
            let mut params = self.settings.params();
            params.steps = self.steps.unwrap_or(params.steps);
            self.settings.warn_of_options_without_effect(params.encoding.kind);
            scene.say_notes(params.half_width.is_some());
            let params = scene.check(&params)?;
            RunFolder::create(out, self.force)?;
            let run = Run::start(out, params, &scene)?;
            (scene, run)
        };
        if run.train(&scene, interrupt::catch()?)? == Ended::Interrupted {
            let (step, folder) = (run.state.step, run.folder.0.display());
            trainer::note!("stopped at step {step}; continue with: trainer nerf fit --resume {folder}");
            interrupt::exit();
        }
        let metrics = run.finish(&scene)?;
        if self.json {
            return print(&serde_json::to_string_pretty(&metrics)?);
        }
        print(&format!("{}\nreport           {}", metrics.text(), run.folder.report().display()))
    }
}

impl Run {
    /// A run in a folder that exists, begun: its checkpoint is written, so that it can be resumed from here on.
    pub(super) fn start(folder: &Path, params: ValidNerfParams, scene: &Scene) -> anyhow::Result<Self> {
        let folder = Folder(folder.to_owned());
        let settings =
            RunSettings { nerf: params.params().clone(), scene: scene.folder.clone(), fingerprint: scene.fingerprint };
        let (state, occupancy) = (params.start(), start_occupancy(&params));
        folder.forget_results()?;
        save(&folder.checkpoint(), &settings, &state, &occupancy)?;
        Ok(Self { folder, settings, params, state, occupancy })
    }

    /// The run in a folder, where it stopped; `steps` replaces those that it was to have.
    pub(super) fn resume(path: &Path, scene: &Scene, steps: Option<u64>) -> anyhow::Result<Self> {
        let folder = Folder(path.to_owned());
        let (mut settings, state, occupancy) = load(&folder.checkpoint())?;
        if settings.fingerprint != scene.fingerprint {
            return Err(RunError::OtherData { path: path.to_owned() }.into());
        }
        settings.scene.clone_from(&scene.folder);
        settings.nerf.steps = steps.unwrap_or(settings.nerf.steps);
        let params = scene.check(&settings.nerf)?;
        if params.start().networks[0].shape() != state.networks[0].shape() {
            bail!("{} holds another network than its settings say; fit the scene again", path.display());
        }
        Ok(Self { folder, settings, params, state, occupancy })
    }

    /// Trains to the end, or until `stop`; either way the checkpoint is that of the last step.
    pub(super) fn train(&mut self, scene: &Scene, stop: &AtomicBool) -> anyhow::Result<Ended> {
        let mut shown = progress::on_stderr(self.params.params().steps, self.state.step);
        let (checkpoint, settings, occupancy) = (self.folder.checkpoint(), &self.settings, &self.occupancy);
        let mut save_state = |state: &TrainState| {
            save(&checkpoint, settings, state, occupancy).map_err(|error| TrainError::Save(error.into()))
        };
        let mut watch =
            Watch { stop: Some(stop), progress: Some(shown.as_mut()), save: Some(&mut save_state), ..Watch::default() };
        let ended = continue_fit(&self.params, &scene.train.views, &mut self.state, occupancy, &mut watch);
        // What was learned before a failure is worth keeping too, unless saving is what failed.
        save(&checkpoint, settings, &self.state, occupancy)?;
        Ok(ended?)
    }

    /// Judges the network and writes all files but the checkpoint.
    pub(super) fn finish(&self, scene: &Scene) -> anyhow::Result<Metrics> {
        let Self { folder, settings, params, state, occupancy } = self;
        let network = &state.networks[0];
        let grid = occupancy.read().unwrap_or_else(PoisonError::into_inner);
        // A tenth of the training views tells whether the network overfits.
        let some: Vec<View> = scene.train.views.iter().step_by(10).cloned().collect();
        let trained = judge_network(params, network, &grid, &some);
        let held_out = judge_network(params, network, &grid, &scene.held_out);
        for (path, precision) in [(folder.model(), Precision::W8A16), (folder.model_f32(), Precision::F32)] {
            let artifact = export(params, network, &grid, &scene.train.views, precision, trained.psnr_db)?;
            files::write(&path, artifact.as_bytes())?;
        }
        files::write(&folder.volume(), bytemuck::cast_slice(&volume_words(params, &grid)))?;
        let cameras: Vec<_> = scene.held_out.iter().map(View::viewpoint).collect();
        files::write(&folder.cameras(), cameras_text(&cameras).as_bytes())?;
        report::write(folder, settings, (params, network, &grid), &scene.held_out, &held_out)?;
        let metrics = Metrics {
            run: folder.0.clone(),
            scene: settings.scene.clone(),
            steps: state.step,
            encoding: settings.nerf.encoding.kind,
            view_direction: settings.nerf.view_direction,
            judged_by: scene.judged_by(),
            held_out,
            training_psnr_db: trained.psnr_db,
            occupied_part: grid.occupied_part(),
            samples_per_ray: grid.samples_per_ray(),
            notes: scene.train.notes.clone(),
        };
        files::write(&folder.metrics(), serde_json::to_string_pretty(&metrics)?.as_bytes())?;
        Ok(metrics)
    }
}

impl Metrics {
    fn text(&self) -> String {
        let mut text = String::from("view              PSNR     SSIM\n");
        for view in &self.held_out.views {
            text += &format!("{:16} {:5.2} dB  {:.4}\n", view.name, view.psnr_db, view.ssim);
        }
        text + &format!(
            "held out         {:5.2} dB  {:.4}\ntraining views   {:5.2} dB\noccupied cells   {:.1} %\nevaluations      {:.1} per pixel",
            self.held_out.psnr_db,
            self.held_out.ssim,
            self.training_psnr_db,
            100.0 * self.occupied_part,
            self.held_out.evaluations_per_pixel
        )
    }
}
