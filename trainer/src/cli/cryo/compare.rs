//! `trainer cryo compare`: encodings on the same images.

use std::path::{Path, PathBuf};

use serde_json::json;
use trainer::cryo::comparison::{Comparison, Entry, table, to_json};
use trainer::cryo::params::CryoParams;
use trainer::cryo::report::limit;
use trainer::cryo::run::CryoSettings;
use trainer::training::Watch;
use trainer::training::progress::Trainings;

use super::super::{interrupt, print};
use super::fit::read_images;
use crate::cli::hold::{Others, hold, hold_while_made};

/// Reconstruct the same images without encoding, with positional and with Gaussian encoding, and by back-projection.
///
/// The folder gets comparison.json and comparison.png, and for each encoding the folder of a run as `trainer cryo
/// fit` makes it. Half sets are fitted with the Gaussian encoding alone. Ctrl-C ends the training and keeps what was
/// learned; --resume continues it.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer cryo compare kinase/poses.csv --out runs/encodings\n  \
                        trainer cryo compare --resume runs/encodings"
)]
pub(crate) struct Compare {
    /// A RELION .star with poses and CTF, or a poses.csv made by `trainer cryo synthesize`
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    table: Option<PathBuf>,
    /// The folder to make
    #[arg(long, value_name = "DIR", required_unless_present = "resume", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the comparison that is in the folder --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue the comparison in this folder with its own settings
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// The .mrcs with the images [default: the one that the table names, or particles.mrcs beside the table]
    #[arg(long, value_name = "FILE.mrcs", conflicts_with = "resume")]
    stack: Option<PathBuf>,
    /// Number of training steps for each encoding [default: 5000]
    #[arg(long, conflicts_with = "resume")]
    steps: Option<u64>,
    /// Do not fit the two half sets: this leaves out the correlation between them
    #[arg(long, conflicts_with = "resume")]
    no_half_sets: bool,
    /// Seed of all random numbers; the same seed gives the same result [default: 0]
    #[arg(long, conflicts_with = "resume")]
    seed: Option<u64>,
    /// Print the results as one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (settings, out) = match (&self.resume, &self.table, &self.out) {
            (Some(out), ..) => {
                hold(out, Others::Refused)?;
                (Comparison::settings_of(out)?, out)
            }
            (None, Some(table), Some(out)) => (self.settings_of(table)?, out),
            _ => anyhow::bail!("name a table of particles and an --out, or a comparison to --resume"),
        };
        let images = read_images(&settings)?;
        // Before the first back-projection, so that ctrl-C is heard there too.
        let stop = interrupt::catch()?;
        let comparison = match self.resume {
            Some(_) => Comparison::resume(out, &images)?,
            None => {
                let start = || Ok(Comparison::start(out, self.force, &settings, &images)?);
                hold_while_made(out, Others::Refused, start)?
            }
        };
        let mut progress = Trainings::default();
        let mut watch = Watch { stop: Some(stop), progress: Some(&mut progress), ..Watch::default() };
        let Some(entries) = comparison.finish(&mut watch)? else {
            trainer::note!("interrupted; continue with: trainer cryo compare --resume {}", out.display());
            interrupt::exit();
        };
        let result = || serde_json::to_string_pretty(&json!({ "encodings": to_json(&entries) }));
        print(&if self.json { result()? } else { text(&entries) })
    }

    fn settings_of(&self, table: &Path) -> anyhow::Result<CryoSettings> {
        let base = CryoParams::default();
        let params = CryoParams {
            steps: self.steps.unwrap_or(base.steps),
            half_sets: !self.no_half_sets,
            seed: self.seed.unwrap_or(base.seed),
            ..base
        };
        Ok(CryoSettings {
            stack: self.stack.as_ref().map(std::path::absolute).transpose()?,
            ..CryoSettings::new(params, std::path::absolute(table)?)
        })
    }
}

/// The baseline and one line for each encoding.
fn text(entries: &[Entry]) -> String {
    let (head, rows) = table(entries);
    let line = |row: &Vec<String>| {
        let cells: String = row[1..].iter().map(|cell| format!("{cell:>22}")).collect();
        format!("{:<40}{cells}", row[0])
    };
    let limit = entries.iter().find_map(|entry| limit(&entry.results.qualities));
    std::iter::once(&head).chain(&rows).map(line).chain(limit).collect::<Vec<_>>().join("\n")
}
