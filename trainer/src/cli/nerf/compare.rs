//! `trainer nerf compare`: the encodings side by side.

use std::path::PathBuf;

use serde_json::json;
use trainer::nerf::compare::{PUBLISHED, compare_one};
use trainer::nerf::params::NerfParams;
use trainer::nerf::scene::{Part, read};
use trainer::progress;
use trainer::train::Watch;

use super::JudgedBy;
use crate::cli::{interrupt, print};

/// Fit a scene with each encoding and print held-out PSNR beside table 7 of Tancik et al. (2020).
///
/// The published numbers are of another scene at another size: compare their order, not their height.
#[derive(clap::Args)]
pub(crate) struct Compare {
    /// The scene's folder
    scene: PathBuf,
    /// Updates for each encoding [default: 1500]
    #[arg(long)]
    steps: Option<u64>,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A small network and few steps: a trial in seconds
    #[arg(long)]
    quick: bool,
    /// Views that are held out and judged by
    #[arg(long, value_name = "VIEWS", default_value = "test")]
    judge_by: JudgedBy,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut base =
            if self.quick { NerfParams::quick() } else { NerfParams { steps: 1500, ..NerfParams::default() } };
        base.steps = self.steps.unwrap_or(base.steps);
        base.seed = self.seed;
        let (train, test) = (read(&self.scene, Part::Train)?, read(&self.scene, self.judge_by.into())?);
        let stop = interrupt::catch()?;
        let mut rows = Vec::new();
        for (kind, _) in PUBLISHED {
            eprintln!("{}", name(kind));
            let mut shown = progress::on_stderr(base.steps, 0);
            let mut watch = Watch { stop: Some(stop), progress: Some(shown.as_mut()), ..Watch::default() };
            match compare_one(&base, kind, &train, &test, &mut watch)? {
                Some(trained) => rows.push(trained.row),
                None => interrupt::exit(),
            }
        }
        if self.json {
            let result = json!({ "scene": self.scene, "steps": base.steps, "judged_by": Part::from(self.judge_by).name(), "encodings": rows });
            return print(&serde_json::to_string_pretty(&result)?);
        }
        let mut text = String::from("encoding      PSNR       SSIM    published (Lego)");
        for row in rows {
            let (name, published) = (name(row.encoding), row.published_psnr_db);
            text += &format!("\n{name:12} {:5.2} dB  {:.4}  {published:5.2} dB", row.psnr_db, row.ssim);
        }
        print(&text)
    }
}

fn name(kind: trainer::encoding::EncodingKind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
