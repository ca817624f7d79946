//! `trainer nerf compare`: the encodings side by side.

use std::path::{Path, PathBuf};

use serde_json::json;
use trainer::base::files;
use trainer::nerf::compare::{Compared, PUBLISHED, with_encoding};
use trainer::nerf::params::NerfParams;
use trainer::network::encoding::EncodingKind;
use trainer::store::run::RunFolder;
use trainer::training::Ended;

use super::JudgedBy;
use super::fit::{Run, Scene};
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
        let (out, scene, runs) = match (&self.resume, &self.scene, &self.out) {
            (Some(out), ..) => {
                let scene = Scene::of_run(&folder_of(out, PUBLISHED[0].0), self.judge_by)?;
                let resume = |(kind, _)| Run::resume(&folder_of(out, kind), &scene, None);
                let runs = PUBLISHED.into_iter().map(resume).collect::<anyhow::Result<Vec<_>>>()?;
                (out, scene, runs)
            }
            (None, Some(scene), Some(out)) => {
                let scene = Scene::read(scene, self.judge_by)?;
                scene.say_notes(false);
                let runs = self.start(out, &scene)?;
                (out, scene, runs)
            }
            _ => anyhow::bail!("name a scene and an --out, or a comparison to --resume"),
        };
        let stop = interrupt::catch()?;
        let mut rows = Vec::new();
        for ((kind, _), mut run) in PUBLISHED.into_iter().zip(runs) {
            trainer::note!("{}", kind.name());
            if run.train(&scene, stop)? == Ended::Interrupted {
                trainer::note!("interrupted; continue with: trainer nerf compare --resume {}", out.display());
                interrupt::exit();
            }
            rows.push(Compared::new(kind, run.finish(&scene)?.held_out));
        }
        let result = json!({ "judged_by": scene.judged_by(), "encodings": rows });
        let result = serde_json::to_string_pretty(&result)?;
        files::write(&out.join("comparison.json"), result.as_bytes())?;
        print(&if self.json { result } else { text(&rows) })
    }

    /// All runs, begun, so that any of them can be resumed.
    fn start(&self, out: &Path, scene: &Scene) -> anyhow::Result<Vec<Run>> {
        let mut base =
            if self.quick { NerfParams::quick() } else { NerfParams { steps: 1500, ..NerfParams::default() } };
        base.steps = self.steps.unwrap_or(base.steps);
        base.seed = self.seed.unwrap_or(base.seed);
        let params = PUBLISHED.map(|(kind, _)| with_encoding(&base, kind));
        let params = params.iter().map(|params| scene.check(params)).collect::<anyhow::Result<Vec<_>>>()?;
        RunFolder::create(out, self.force)?;
        files::remove(&out.join("comparison.json"))?;
        let start = |(params, (kind, _))| {
            let folder = folder_of(out, kind);
            files::make_folder(&folder)?;
            Run::start(&folder, params, scene)
        };
        params.into_iter().zip(PUBLISHED).map(start).collect()
    }
}

fn folder_of(out: &Path, kind: EncodingKind) -> PathBuf {
    out.join(kind.name())
}

/// The table.
fn text(rows: &[Compared]) -> String {
    let mut text = String::from("encoding      PSNR       SSIM    published (Lego)");
    for row in rows {
        let (name, published) = (row.encoding.name(), row.published_psnr_db);
        text += &format!("\n{name:12} {:5.2} dB  {:.4}  {published:5.2} dB", row.psnr_db, row.ssim);
    }
    text
}
