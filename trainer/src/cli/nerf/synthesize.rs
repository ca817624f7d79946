//! `trainer nerf synthesize`: a scene whose pictures are exact.

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

use anyhow::bail;
use indicatif::ProgressBar;
use serde_json::json;
use trainer::base::files;
use trainer::nerf::synthesize::{SynthesizeParams, synthesize};

use crate::cli::print;

/// Make a scene of textured solids with exact, ray-traced pictures, in the format of Blender's exporters.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer nerf synthesize --out scene\n  \
                        trainer nerf synthesize --glossy --size 256 --out shiny"
)]
pub(crate) struct Synthesize {
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the scene that is in the folder --out
    #[arg(long)]
    force: bool,
    /// Width and height of each picture in pixels [default: 128]
    #[arg(long)]
    size: Option<u32>,
    /// Make surfaces shine, so that colours depend on the direction of view; fit such a scene with --view-direction
    #[arg(long)]
    glossy: bool,
    /// Seed of the random places of the cameras
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Make 24 training views of 48 × 48 pixels, for a trial of a few seconds
    #[arg(long)]
    quick: bool,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

impl Synthesize {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let base = if self.quick { SynthesizeParams::quick() } else { SynthesizeParams::default() };
        let mut params = SynthesizeParams { glossy: self.glossy, seed: self.seed, ..base };
        params.size = self.size.unwrap_or(params.size);
        if !(8..=4096).contains(&params.size) {
            bail!("--size is {}; pictures have 8 to 4096 pixels a side", params.size);
        }
        let views: usize = params.views.iter().map(|(_, count)| count).sum();
        let bar = if stderr().is_terminal() { ProgressBar::new(views as u64) } else { ProgressBar::hidden() };
        files::new_folder(&self.out, self.force)?;
        synthesize(&self.out, &params, |done| bar.set_position(done as u64))?;
        bar.finish_and_clear();
        let counts = params.views.map(|(_, count)| count);
        if self.json {
            let [train, validation, test] = counts;
            let result = json!({
                "scene": self.out, "size": params.size, "train": train, "validation": validation, "test": test,
            });
            return print(&serde_json::to_string_pretty(&result)?);
        }
        let [train, validation, test] = counts;
        print(&format!(
            "{}: {train} views to train on, {validation} to validate, {test} to test with, {size}×{size} pixels",
            self.out.display(),
            size = params.size
        ))
    }
}
