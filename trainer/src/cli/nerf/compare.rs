//! `trainer nerf compare`: the encodings side by side.

use std::path::PathBuf;

use trainer::nerf::compare::{Compared, Comparison};
use trainer::nerf::params::NerfParams;
use trainer::nerf::run::Scene;
use trainer::training::Watch;
use trainer::training::progress::Trainings;

use super::JudgedBy;
use super::fit::say_notes;
use crate::cli::hold::{Others, hold, hold_while_made};
use crate::cli::{interrupt, print};

/// Fit a scene with each encoding, and print the held-out PSNR beside table 7 of Tancik et al. (2020).
///
/// The folder gets comparison.json, and for each encoding the folder of a run as `trainer nerf fit` makes it. Ctrl-C
/// ends the training and keeps what was learned. --resume continues it, and gives the same bits as a comparison that
/// was never interrupted. The published numbers are of another scene at another size, so compare the order of the
/// encodings and not the values.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer nerf compare scene --out runs/encodings\n  \
                        trainer nerf compare --resume runs/encodings"
)]
pub(crate) struct Compare {
    /// The folder of the scene
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    scene: Option<PathBuf>,
    /// The folder to make
    #[arg(long, value_name = "DIR", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the comparison that is in the folder --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue the comparison in this folder with its own settings
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// Number of training steps for each encoding [default: 1500]
    #[arg(long, conflicts_with = "resume")]
    steps: Option<u64>,
    /// Seed of all random numbers; the same seed gives the same result [default: 0]
    #[arg(long, conflicts_with = "resume")]
    seed: Option<u64>,
    /// Use a small network and few steps, for a trial of a few seconds
    #[arg(long, conflicts_with = "resume")]
    quick: bool,
    /// Views that are held out to measure the quality
    #[arg(long, value_name = "VIEWS", default_value = "test")]
    judge_by: JudgedBy,
    /// Print the results as one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let judged_by = self.judge_by.into();
        let (out, scene, comparison) = match (&self.resume, &self.scene, &self.out) {
            (Some(out), ..) => {
                hold(out, Others::Refused)?;
                let scene = Scene::read(&Comparison::settings_of(out)?.scene, judged_by)?;
                let comparison = Comparison::resume(out, &scene)?;
                (out, scene, comparison)
            }
            (None, Some(scene), Some(out)) => {
                let scene = Scene::read(scene, judged_by)?;
                say_notes(&scene, false);
                let start = || Ok(Comparison::start(out, self.force, &self.base(), &scene)?);
                let comparison = hold_while_made(out, Others::Refused, start)?;
                (out, scene, comparison)
            }
            _ => anyhow::bail!("name a scene and an --out, or a comparison to --resume"),
        };
        let mut progress = Trainings::default();
        let mut watch = Watch { stop: Some(interrupt::catch()?), progress: Some(&mut progress), ..Watch::default() };
        let Some(compared) = comparison.finish(&scene, &mut watch)? else {
            trainer::note!("interrupted; continue with: trainer nerf compare --resume {}", out.display());
            interrupt::exit();
        };
        print(&if self.json { serde_json::to_string_pretty(&compared.to_json())? } else { text(&compared.rows) })
    }

    /// The settings that all encodings share.
    fn base(&self) -> NerfParams {
        let mut base =
            if self.quick { NerfParams::quick() } else { NerfParams { steps: 1500, ..NerfParams::default() } };
        base.steps = self.steps.unwrap_or(base.steps);
        base.seed = self.seed.unwrap_or(base.seed);
        base
    }
}

/// One line for each encoding.
fn text(rows: &[Compared]) -> String {
    let mut text = String::from("encoding      PSNR       SSIM    published (Lego)");
    for row in rows {
        let (name, published) = (row.encoding.name(), row.published_psnr_db);
        text += &format!("\n{name:12} {:5.2} dB  {:.4}  {published:5.2} dB", row.psnr_db, row.ssim);
    }
    text
}
