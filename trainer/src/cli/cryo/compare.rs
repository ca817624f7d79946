//! `trainer cryo compare`: encodings on the same images.

use std::path::{Path, PathBuf};

use serde_json::json;
use trainer::base::files;
use trainer::cryo::comparison::{ENCODINGS, Entry, sheet, table, to_json, with_encoding};
use trainer::cryo::params::CryoParams;
use trainer::cryo::report::limit;
use trainer::cryo::run::{self, CryoSettings};
use trainer::network::encoding::EncodingKind;
use trainer::report::figure::Figure as _;
use trainer::store::run::RunFolder;

use super::super::{interrupt, print};
use super::fit::{Images, Job};

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
        let (out, images, runs) = match (&self.resume, &self.table, &self.out) {
            (Some(out), ..) => {
                let open = |kind| {
                    let folder = RunFolder::open(&folder_of(out, kind))?;
                    let settings = run::read_settings(&folder)?;
                    Ok((folder, settings))
                };
                let runs = ENCODINGS.into_iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
                (out, Images::read(&runs[0].1)?, runs)
            }
            (None, Some(table), Some(out)) => {
                let base = self.settings_of(table)?;
                let settings =
                    ENCODINGS.map(|kind| CryoSettings { params: with_encoding(&base.params, kind), ..base.clone() });
                let images = Images::read(&settings[0])?;
                settings.iter().try_for_each(|settings| images.check(&settings.params))?;
                RunFolder::create(out, self.force)?;
                files::remove_all(out, &["comparison.png", "comparison.json"])?;
                let start = |(kind, settings)| {
                    let folder = RunFolder::create(&folder_of(out, kind), true)?;
                    run::forget(&folder)?;
                    // Its settings, for --resume; the networks follow when their turn comes.
                    run::write_network(&folder, &settings, &[])?;
                    Ok((folder, settings))
                };
                let runs = ENCODINGS.into_iter().zip(settings).map(start).collect::<anyhow::Result<Vec<_>>>()?;
                (out, images, runs)
            }
            _ => anyhow::bail!("name a table of particles and an --out, or a comparison to --resume"),
        };
        // Before the first back-projection, so that ctrl-C is heard there too.
        interrupt::catch()?;
        let mut entries = Vec::new();
        for (kind, (folder, settings)) in ENCODINGS.into_iter().zip(runs) {
            let Some((results, _)) = Job::new(folder, settings, &images).run()? else {
                trainer::note!("interrupted; continue with: trainer cryo compare --resume {}", out.display());
                interrupt::exit();
            };
            entries.push(Entry { kind, results });
        }
        let motions = images.stack.motions();
        if let Some(sheet) = sheet("Encodings", &entries, motions.as_deref()) {
            files::write(&out.join("comparison.png"), &sheet.png()?)?;
        }
        let result = serde_json::to_string_pretty(&json!({ "encodings": to_json(&entries) }))?;
        files::write(&out.join("comparison.json"), result.as_bytes())?;
        print(&if self.json { result } else { text(&entries) })
    }

    fn settings_of(&self, table: &Path) -> anyhow::Result<CryoSettings> {
        let base = CryoParams::default();
        let params = CryoParams {
            steps: self.steps.unwrap_or(base.steps),
            half_sets: !self.no_half_sets,
            seed: self.seed.unwrap_or(base.seed),
            ..base
        };
        let table = std::path::absolute(table)?;
        Ok(CryoSettings {
            params,
            truth: table.parent().map(Path::to_owned),
            table,
            stack: self.stack.as_ref().map(std::path::absolute).transpose()?,
            precision: "w8a16".to_owned(),
        })
    }
}

fn folder_of(out: &Path, kind: EncodingKind) -> PathBuf {
    out.join(kind.name())
}

/// The table.
fn text(entries: &[Entry]) -> String {
    let (head, rows) = table(entries);
    let line = |row: &Vec<String>| {
        let cells: String = row[1..].iter().map(|cell| format!("{cell:>22}")).collect();
        format!("{:<40}{cells}", row[0])
    };
    let limit = entries.iter().find_map(|entry| limit(&entry.results.qualities));
    std::iter::once(&head).chain(&rows).map(line).chain(limit).collect::<Vec<_>>().join("\n")
}
