//! `trainer nerf render`: views, depth maps and turntables from a run's artifacts, by the device's code.

use std::path::PathBuf;

use anyhow::{Context, bail};
use firmware_core::march::Volume;
use serde_json::json;
use trainer::artifact::model_file::{ModelError, ModelFile};
use trainer::base::files;
use trainer::nerf::error::NerfError;
use trainer::nerf::field::ModelField;
use trainer::nerf::lens::Viewpoint;
use trainer::nerf::poses::{mean_distance, moved, turntable};
use trainer::nerf::render::{contact_sheet, draw, gif, png};
use trainer::nerf::run::{Folder, parse_cameras};

use crate::cli::{outputs, print};

/// Pixels of all frames of a turn.
const MOST_PIXELS: usize = 1 << 27;

/// Draw views with the model.ffm and volume.ffv of a run, with the same bits as on a device.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer nerf render runs/nerf --picture view.png --depth depth.png\n  \
                        trainer nerf render runs/nerf --turntable turntable.gif --size 256"
)]
pub(crate) struct Render {
    /// The folder of a run, as `trainer nerf fit` makes it
    run: PathBuf,
    /// Number of a camera of the run, from 0; the cameras are those of the held-out views
    #[arg(long, default_value_t = 0)]
    view: usize,
    /// Width and height of a picture in pixels [default: as in training]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    size: Option<u16>,
    /// Use model_f32.ffm, the model in floating point
    #[arg(long)]
    f32: bool,
    /// Write the view to this file
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
    /// Write a map of the distances in the view to this file
    #[arg(long, value_name = "FILE.png")]
    depth: Option<PathBuf>,
    /// Write a turn around the scene to this file, as an animation
    #[arg(long, value_name = "FILE.gif")]
    turntable: Option<PathBuf>,
    /// Write a turn around the scene to this file, as one picture
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
    /// Number of views of a turn
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=360))]
    frames: u16,
    /// Height of the cameras of a turn above the horizon, in degrees
    #[arg(long, default_value_t = 25.0)]
    elevation: f64,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

impl Render {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if [&self.picture, &self.depth, &self.turntable, &self.sheet].iter().all(|path| path.is_none()) {
            bail!("nothing to draw; give --picture, --depth, --turntable or --sheet");
        }
        self.check()?;
        let folder = Folder::at(&self.run);
        let file = ModelFile::read(&if self.f32 { folder.model_f32() } else { folder.model() }).map_err(unusable)?;
        let model = file.model()?;
        let words = folder.read_volume()?;
        let volume = Volume::parse(bytemuck::cast_slice(&words), &model)
            .map_err(|reason| NerfError::Artifact { path: folder.volume(), reason: reason.to_string() })?;
        let cameras = self.cameras(&folder)?;
        self.check_turn(&cameras)?;
        let field = ModelField::new(&model);

        let mut evaluations = None;
        if self.picture.is_some() || self.depth.is_some() {
            let camera = cameras.get(self.view).with_context(|| {
                format!("--view is {}, the run has the cameras of {} views, from 0", self.view, cameras.len())
            })?;
            let drawn = draw(&volume, camera, &field);
            evaluations = Some(drawn.evaluations_per_pixel());
            if let Some(path) = &self.picture {
                files::write(path, &png(&drawn.picture())?)?;
            }
            if let Some(path) = &self.depth {
                files::write(path, &png(&drawn.depth_map())?)?;
            }
        }
        if self.turntable.is_some() || self.sheet.is_some() {
            let like = cameras.first().context("the run has no cameras")?.camera;
            let center = volume.axes.map(|axis| 0.5 * (axis.minimum + axis.maximum));
            let centered: Vec<_> = cameras.iter().map(|at| moved(&at.camera, center.map(|x| -x))).collect();
            let ring = turntable(&like, mean_distance(centered.iter()), self.elevation, usize::from(self.frames));
            let ring = ring.iter().map(|camera| moved(camera, center));
            let frames: Vec<_> = ring.map(|camera| draw(&volume, &camera, &field).picture()).collect();
            if let Some(path) = &self.turntable {
                files::write(path, &gif(&frames)?)?;
            }
            if let Some(path) = &self.sheet {
                files::write(path, &png(&contact_sheet(&frames, 6))?)?;
            }
        }
        let written: Vec<_> =
            [&self.picture, &self.depth, &self.turntable, &self.sheet].into_iter().flatten().collect();
        if self.json {
            let result = json!({ "run": self.run, "written": written, "evaluations_per_pixel": evaluations });
            return print(&serde_json::to_string_pretty(&result)?);
        }
        let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        print(&format!("written: {}", names.join(", ")))
    }

    /// What can be wrong with the options alone.
    fn check(&self) -> anyhow::Result<()> {
        if !(-90.0..=90.0).contains(&self.elevation) {
            bail!("--elevation is {}; it takes -90 (below) to 90 (above)", self.elevation);
        }
        let named = [
            ("--picture", &self.picture, "png"),
            ("--depth", &self.depth, "png"),
            ("--turntable", &self.turntable, "gif"),
            ("--sheet", &self.sheet, "png"),
        ];
        for (option, path, extension) in named {
            if let Some(path) = path {
                outputs::check_extension(option, path, extension)?;
            }
        }
        outputs::check_outputs(&[], &named.map(|(_, path, _)| path.as_deref()))
    }

    /// All frames of a turn are in memory.
    fn check_turn(&self, cameras: &[Viewpoint]) -> anyhow::Result<()> {
        let size = |at: &Viewpoint| usize::from(at.camera.width) * usize::from(at.camera.height);
        let pixels = cameras.first().map_or(0, size);
        if (self.turntable.is_some() || self.sheet.is_some()) && pixels * usize::from(self.frames) > MOST_PIXELS {
            bail!("a turn of {} frames of {pixels} pixels is too large; lower --frames or --size", self.frames);
        }
        Ok(())
    }

    fn cameras(&self, folder: &Folder) -> anyhow::Result<Vec<Viewpoint>> {
        let path = folder.cameras();
        let cameras = parse_cameras(&files::read(&path)?)
            .with_context(|| format!("{} holds no cameras; fit the scene again", path.display()))?;
        Ok(match self.size {
            Some(size) => cameras.iter().map(|camera| camera.resized(size, size)).collect(),
            None => cameras,
        })
    }
}

/// A damaged model of a field comes back by fitting, not by quantizing.
fn unusable(error: ModelError) -> anyhow::Error {
    match error {
        ModelError::Parse { path, source } => NerfError::Artifact { path, reason: source.to_string() }.into(),
        other => other.into(),
    }
}
