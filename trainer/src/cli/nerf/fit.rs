//! `trainer nerf fit`: from a scene to a run folder with the model in it.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, bail};
use firmware_core::Precision;
use serde_json::json;
use trainer::encoding::EncodingKind;
use trainer::nerf::fit::{ViewsMetrics, continue_fit, export, judge_network, start_occupancy, volume_words};
use trainer::nerf::occupancy::Occupancy;
use trainer::nerf::params::{Background, DensityKind, NerfParams, ValidNerfParams};
use trainer::nerf::report;
use trainer::nerf::run::{Folder, RunSettings, load, save};
use trainer::nerf::scene::{Part, View, Views, read};
use trainer::train::{Checkpoint, Ended, TrainError, TrainState, Watch};
use trainer::{files, progress};

use super::JudgedBy;
use crate::cli::{interrupt, print};

/// Time between two checkpoints.
const CHECKPOINT: Duration = Duration::from_secs(30);

/// Learn a scene and write the model and its volume for a device.
///
/// The run folder gets model.ffm and volume.ffv (for the device), model_f32.ffm, cameras.json, metrics.json,
/// report.html and checkpoint.safetensors. Ctrl-C keeps what was learned; --resume continues to the same bits as an uninterrupted run.
#[derive(clap::Args)]
pub(crate) struct Fit {
    /// The scene's folder with transforms_train.json and so on [default with --resume: that of the run]
    #[arg(required_unless_present = "resume")]
    scene: Option<PathBuf>,
    /// The run folder to make
    #[arg(long, value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run in --out
    #[arg(long)]
    force: bool,
    /// Continue this run; its settings hold, only --steps may differ
    #[arg(long, value_name = "RUN", conflicts_with = "Settings")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Updates of the parameters [default: 6000]
    #[arg(long)]
    steps: Option<u64>,
    /// Views that are held out and judged by
    #[arg(long, value_name = "VIEWS", default_value = "test")]
    judge_by: JudgedBy,
    /// Print one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// Everything that a resumed run takes from its folder.
#[derive(clap::Args)]
struct Settings {
    /// How positions become features [default: gaussian]
    #[arg(long)]
    encoding: Option<EncodingKind>,
    /// Rows of the frequency matrix [default: 64]
    #[arg(long)]
    frequencies: Option<usize>,
    /// Deviation of the Gaussian frequencies, or the highest positional one, in cycles over the cube [default: 2; positional: 16]
    #[arg(long)]
    scale: Option<f64>,
    /// Widths of the hidden layers [default: 64,64,64]
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS")]
    hidden: Option<Vec<usize>>,
    /// From logit to density [default: softplus]
    #[arg(long)]
    density: Option<DensityKind>,
    /// Let colours depend on the direction of view: for scenes that shine. Density never does
    #[arg(long)]
    view_direction: bool,
    /// Steps across the bounding cube [default: 128]
    #[arg(long)]
    samples: Option<usize>,
    /// Cells of the occupancy grid along each axis [default: 64]
    #[arg(long)]
    grid: Option<u32>,
    /// Samples a step, about [default: 24576]
    #[arg(long)]
    batch: Option<usize>,
    /// Adam's learning rate at its highest [default: 2e-2]
    #[arg(long)]
    learning_rate: Option<f64>,
    /// What transparent parts of the pictures show [default: white]
    #[arg(long)]
    background: Option<Background>,
    /// Half width of the bounding cube around the origin [default: the scene's, or 1.5]
    #[arg(long)]
    half_width: Option<f32>,
    /// Seed of everything random [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// A small network and few steps: a trial in seconds, for scenes of --quick too
    #[arg(long)]
    quick: bool,
}

impl Settings {
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

/// A run that is ready to train.
struct Run {
    folder: Folder,
    settings: RunSettings,
    params: ValidNerfParams,
    state: TrainState,
    occupancy: RwLock<Occupancy>,
    views: Views,
    /// Read before training: a missing picture shall not cost a run.
    held_out: Vec<View>,
}

impl Fit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut run = if let Some(path) = &self.resume { self.resumed(path)? } else { self.started()? };
        let stop = interrupt::catch()?;
        let mut shown = progress::on_stderr(run.params.params().steps, run.state.step);
        let (checkpoint, settings, occupancy) = (run.folder.checkpoint(), &run.settings, &run.occupancy);
        let mut save_state = |state: &TrainState| {
            save(&checkpoint, settings, state, occupancy).map_err(|error| TrainError::Save(error.into()))
        };
        let mut watch = Watch {
            stop: Some(stop),
            progress: Some(shown.as_mut()),
            checkpoint: Some(Checkpoint { every: CHECKPOINT, save: &mut save_state }),
            ..Watch::default()
        };
        let ended = continue_fit(&run.params, &run.views.views, &mut run.state, occupancy, &mut watch);
        // What was learned before a failure is worth keeping too, unless saving is what failed.
        save(&checkpoint, settings, &run.state, occupancy)?;
        let ended = ended?;
        if ended == Ended::Interrupted {
            eprintln!(
                "stopped at step {}; continue with: trainer nerf fit --resume {}",
                run.state.step,
                run.folder.0.display()
            );
            interrupt::exit();
        }
        self.finish(&run)
    }

    fn started(&self) -> anyhow::Result<Run> {
        let (scene, out) = self.scene.as_ref().zip(self.out.as_ref()).context("name a scene and --out")?;
        let views = read(scene, Part::Train)?;
        let held_out = read(scene, self.judge_by.into())?.views;
        let mut params = self.settings.params();
        params.steps = self.steps.unwrap_or(params.steps);
        let params = params.check(views.half_width)?;
        std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        let folder = Folder(out.clone());
        if folder.checkpoint().exists() && !self.force {
            bail!("{} holds a run; choose another --out, or --force to replace it, or --resume it", out.display());
        }
        let settings =
            RunSettings { nerf: params.params().clone(), scene: scene.clone(), precision: "w8a16".to_owned() };
        let (state, occupancy) = (params.start(), start_occupancy(&params));
        Ok(Run { folder, settings, params, state, occupancy, views, held_out })
    }

    fn resumed(&self, path: &std::path::Path) -> anyhow::Result<Run> {
        let folder = Folder(path.to_owned());
        let (mut settings, state, occupancy) = load(&folder.checkpoint())?;
        if let Some(scene) = &self.scene {
            settings.scene.clone_from(scene);
        }
        settings.nerf.steps = self.steps.unwrap_or(settings.nerf.steps);
        let views = read(&settings.scene, Part::Train)?;
        let held_out = read(&settings.scene, self.judge_by.into())?.views;
        let params = settings.nerf.check(views.half_width)?;
        if params.start().networks[0].shape() != state.networks[0].shape() {
            bail!("{} holds another network than its settings say; fit the scene again", path.display());
        }
        Ok(Run { folder, settings, params, state, occupancy, views, held_out })
    }

    fn finish(&self, run: &Run) -> anyhow::Result<()> {
        let Run { folder, settings, params, state, occupancy, views, held_out: judged_by } = run;
        let network = &state.networks[0];
        let grid = occupancy.read().unwrap_or_else(PoisonError::into_inner);
        // A tenth of the training views tells whether the network overfits.
        let some: Vec<View> = views.views.iter().step_by(10).cloned().collect();
        let trained = judge_network(params, network, &grid, &some);
        let held_out = judge_network(params, network, &grid, judged_by);
        for (path, precision) in [(folder.model(), Precision::W8A16), (folder.model_f32(), Precision::F32)] {
            let artifact = export(params, network, occupancy, &views.views, precision, trained.psnr_db)?;
            files::write(&path, artifact.as_bytes())?;
        }
        files::write(&folder.volume(), bytemuck::cast_slice(&volume_words(params, &grid)))?;
        let cameras: Vec<_> = judged_by.iter().map(|view| view.camera.to_values()).collect();
        files::write(&folder.cameras(), serde_json::to_string(&cameras)?.as_bytes())?;
        let metrics = json!({
            "run": folder.0,
            "scene": settings.scene,
            "steps": state.step,
            "encoding": settings.nerf.encoding.kind,
            "view_direction": settings.nerf.view_direction,
            "judged_by": Part::from(self.judge_by).name(),
            "held_out": held_out,
            "training_psnr_db": trained.psnr_db,
            "occupied_part": grid.occupied_part(),
            "samples_per_ray": grid.samples_per_ray(),
        });
        files::write(&folder.metrics(), serde_json::to_string_pretty(&metrics)?.as_bytes())?;
        report::write(folder, settings, (params, network, &grid), judged_by, &held_out)?;
        if self.json {
            return print(&serde_json::to_string_pretty(&metrics)?);
        }
        let text = summary(&held_out, trained.psnr_db, grid.occupied_part());
        print(&format!("{text}\nreport           {}", folder.report().display()))
    }
}

/// The result as text.
fn summary(held_out: &ViewsMetrics, training_psnr_db: f64, occupied: f64) -> String {
    let mut text = String::from("view              PSNR     SSIM\n");
    for view in &held_out.views {
        text += &format!("{:16} {:5.2} dB  {:.4}\n", view.name, view.psnr_db, view.ssim);
    }
    text + &format!(
        "held out         {:5.2} dB  {:.4}\ntraining views   {training_psnr_db:5.2} dB\noccupied cells   {:.1} %\nevaluations      {:.1} per pixel",
        held_out.psnr_db,
        held_out.ssim,
        100.0 * occupied,
        held_out.evaluations_per_pixel
    )
}
