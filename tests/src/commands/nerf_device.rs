//! `cargo xtask nerf-device`: a microcontroller draws a new view of a scene.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use firmware_core::march::{Camera, Volume};
use firmware_cortexm::protocol::PIXEL_VALUES;
use serde::Serialize;
use trainer::artifact::export::Artifact;
use trainer::base::files;
use trainer::nerf::field::ModelField;
use trainer::nerf::poses::resized;
use trainer::nerf::render::{Drawn, contact_sheet, draw, picture, png};
use trainer::nerf::run::{Folder, NerfSettings};
use trainer::nerf::scene::{Part, View, read};
use trainer::nerf::similarity::psnr;

use crate::boards::{self, Board};
use crate::device::check_clock;
use crate::firmware::Firmware;
use crate::model;
use crate::provision;
use crate::qemu;

/// Let an emulated board draw a view that the network has not seen, and compare every bit with the host
///
/// Example: cargo xtask nerf-device runs/nerf --picture device.png
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The folder of a run of `trainer nerf fit`
    run: PathBuf,
    /// Number of a test view, from 0, from whose camera the board draws
    #[arg(long, default_value_t = 0)]
    view: usize,
    /// Width and height of the picture in pixels
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=512))]
    size: u16,
    /// The emulated board
    #[arg(long, default_value = boards::DEFAULT)]
    board: String,
    /// Write a picture of what the device drew, with the exact view beside it
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the command measures.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The board.
    pub board: &'static str,
    /// Its core.
    pub core: &'static str,
    /// Pixels drawn.
    pub pixels: usize,
    /// Pixels with any bit (colour, depth, opacity) other than the host's.
    pub mismatched: usize,
    /// PSNR of the device's picture against the exact view at this size, dB.
    pub psnr_db: f64,
    /// The same in f32.
    pub f32_psnr_db: f64,
    /// Evaluations of the model, per pixel.
    pub evaluations_per_pixel: f64,
    /// Instructions of the whole picture.
    pub instructions: f64,
    /// The artifact.
    pub model_bytes: usize,
    /// The volume with its occupancy grid.
    pub volume_bytes: usize,
    /// Scratch memory that drawing needs from its caller.
    pub scratch_bytes: usize,
    /// Deepest use of the stack by a ray, painted and measured.
    pub stack_bytes: u64,
}

/// Runs the command.
///
/// # Errors
///
/// Where a file is unfit, a tool is missing, the device fails, or a bit differs.
pub fn run(args: &Args) -> Result<()> {
    let board = Board::find(&args.board)?;
    let scene = Scene::read(&args.run, args.view, args.size)?;
    let firmware = Firmware::build(&provision::all([board])?, board, None)?;
    let (summary, drawn) = draw_on(&firmware, &scene)?;
    if let Some(path) = &args.picture {
        let side = usize::from(args.size);
        let both = contact_sheet(&[picture(side, &drawn), picture(side, &scene.exact)], 2);
        files::write(path, &png(&both)?)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        print(&summary);
    }
    if summary.mismatched > 0 {
        bail!("{} of {} pixels differ between {} and the host", summary.mismatched, summary.pixels, board.name);
    }
    Ok(())
}

/// A run's artifacts, a camera, and what it should see.
pub struct Scene {
    artifact: Artifact,
    artifact_f32: Artifact,
    volume: Vec<u32>,
    camera: Camera,
    exact: Vec<[f32; 3]>,
}

impl Scene {
    /// Reads a run's folder, and the test view from its scene.
    ///
    /// # Errors
    ///
    /// Where a file is missing or unfit, or there is no such view.
    pub fn read(path: &Path, view: usize, size: u16) -> Result<Self> {
        let folder = Folder::at(path);
        let (artifact, artifact_f32) = (model::read(&folder.model())?, model::read(&folder.model_f32())?);
        let volume = folder.read_volume()?;
        let NerfSettings { scene, .. } = NerfSettings::of_run(path)?;
        let mut views = read(&scene, Part::Test)?.views;
        if view >= views.len() {
            bail!("--view is {view}, the scene has {} test views, from 0", views.len());
        }
        let view = views.swap_remove(view);
        if view.lens.is_some() {
            bail!(
                "{} has a lens that is no plain pinhole (cx, cy, fl_y or distortion), which a device does not draw",
                view.name
            );
        }
        let camera = resized(&view.camera, size, size);
        let scene = Self { exact: Vec::new(), artifact, artifact_f32, volume, camera };
        let background = scene.volume(&scene.artifact.model()?)?.background;
        Ok(Self { exact: shrunk(&view, background, usize::from(size)), ..scene })
    }

    fn volume(&self, model: &firmware_core::Model<'_>) -> Result<Volume<'_>> {
        Volume::parse(bytemuck::cast_slice(&self.volume), model)
            .map_err(|reason| anyhow!("the run's volume cannot be drawn: {reason}; fit the scene again"))
    }

    /// What the host draws with an artifact.
    fn on_host(&self, artifact: &Artifact) -> Result<Drawn> {
        let model = artifact.model()?;
        Ok(draw(&self.volume(&model)?, &self.camera, &ModelField::new(&model)))
    }
}

/// A view at another size: means over the part of the picture that each new pixel covers.
fn shrunk(view: &View, background: [f32; 3], size: usize) -> Vec<[f32; 3]> {
    let colors = view.over(background);
    let (width, height) = (usize::from(view.camera.width), usize::from(view.camera.height));
    // Squares of the larger side's scale about the centre, as `resized` turns the camera.
    let scale = width.max(height) as f64 / size as f64;
    let weights = |index: usize, side: usize| -> Vec<(usize, f64)> {
        let from = (index as f64 - 0.5 * size as f64) * scale + 0.5 * side as f64;
        let overlap = |k: usize| ((k + 1) as f64).min(from + scale) - (k as f64).max(from);
        (0..side).map(|k| (k, overlap(k))).filter(|&(_, weight)| weight > 1e-9).collect()
    };
    let columns: Vec<_> = (0..size).map(|x| weights(x, width)).collect();
    let rows: Vec<_> = (0..size).map(|y| weights(y, height)).collect();
    let mut shrunk = Vec::with_capacity(size * size);
    for row in &rows {
        for column in &columns {
            let (mut sum, mut total) = ([0.0; 3], 0.0);
            for &(y, wy) in row {
                for &(x, wx) in column {
                    for (sum, channel) in sum.iter_mut().zip(colors[y * width + x]) {
                        *sum += wx * wy * f64::from(channel);
                    }
                    total += wx * wy;
                }
            }
            shrunk.push(if total > 0.0 { sum.map(|sum| (sum / total) as f32) } else { background });
        }
    }
    shrunk
}

/// Draws on the device and on the host, and compares; also returns the device's colours.
///
/// # Errors
///
/// Where the firmware refuses or fails. Differing bits are no error here: the summary counts them.
pub fn draw_on(firmware: &Firmware, scene: &Scene) -> Result<(Summary, Vec<[f32; 3]>)> {
    let model = scene.artifact.model()?;
    let host = scene.on_host(&scene.artifact)?;
    let expected: Vec<[f32; PIXEL_VALUES]> = host
        .pixels
        .iter()
        .map(|pixel| {
            let [red, green, blue] = pixel.color;
            [red, green, blue, pixel.depth, pixel.opacity]
        })
        .collect();
    let mut region = bytemuck::cast_slice::<u32, u8>(&scene.volume).to_vec();
    region.extend_from_slice(scene.artifact.as_bytes());

    let evaluations: u64 = host.pixels.iter().map(|pixel| u64::from(pixel.evaluations)).sum();
    // Ten times what a slow machine needs, as for plain evaluations.
    let operations = evaluations * (model.macs() + 50 * model.encoding().features_len() + 2000) as u64;
    let limit = Duration::from_secs(120) + Duration::from_nanos(600 * operations);
    let run = qemu::draw(firmware, &region, &[scene.camera], limit)?.success()?;
    check_clock(firmware.board, &run)?;
    if run.outputs.len() != PIXEL_VALUES * expected.len() {
        bail!("the device wrote {} values instead of {}", run.outputs.len(), PIXEL_VALUES * expected.len());
    }
    let pixels = run.outputs.chunks_exact(PIXEL_VALUES);
    let differs = |(a, b): (&[f32], &[f32; PIXEL_VALUES])| a.iter().zip(b).any(|(a, b)| a.to_bits() != b.to_bits());
    let mismatched = pixels.clone().zip(&expected).filter(|&pair| differs(pair)).count();
    let colors: Vec<[f32; 3]> = pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let line = run.line("drawn")?;
    let drawn: f64 = line.value("evaluations")?;
    let summary = Summary {
        board: firmware.board.name,
        core: firmware.board.core,
        pixels: expected.len(),
        mismatched,
        psnr_db: psnr(&colors, &scene.exact),
        f32_psnr_db: psnr(&scene.on_host(&scene.artifact_f32)?.colors(), &scene.exact),
        evaluations_per_pixel: drawn / expected.len() as f64,
        instructions: firmware.board.instructions(line.value("ticks")?),
        model_bytes: scene.artifact.as_bytes().len(),
        volume_bytes: 4 * scene.volume.len(),
        scratch_bytes: 4 * model.scratch_words(),
        stack_bytes: run.line("stack")?.value("bytes")?,
    };
    Ok((summary, colors))
}

fn print(summary: &Summary) {
    let Summary { board, core, pixels, mismatched, psnr_db, f32_psnr_db, .. } = summary;
    println!("board          {board} ({core})");
    println!("pixels         {pixels}, {mismatched} mismatched");
    println!("PSNR           {psnr_db:.2} dB, {f32_psnr_db:.2} dB in f32");
    println!("evaluations    {:.1} per pixel", summary.evaluations_per_pixel);
    let per_pixel = summary.instructions / *pixels as f64;
    println!("instructions   {:.3e}, {per_pixel:.0} per pixel", summary.instructions);
    println!("flash          {} bytes of model, {} of volume", summary.model_bytes, summary.volume_bytes);
    println!("RAM            {} bytes of scratch, {} of stack", summary.scratch_bytes, summary.stack_bytes);
}
