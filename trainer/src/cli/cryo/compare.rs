//! `trainer cryo compare`: encodings on the same images.

use std::path::PathBuf;

use serde_json::json;
use trainer::cryo::comparison::{compare, sheet, steps, table};
use trainer::cryo::params::CryoParams;
use trainer::cryo::particles::ParticleStack;
use trainer::cryo::synthesis::Truth;
use trainer::files;
use trainer::progress;
use trainer::report::figure::Figure as _;

use super::super::{interrupt, print};

/// Reconstruct the same images with no encoding, the positional and the Gaussian one, beside back-projection.
///
/// Half sets are fitted with the Gaussian encoding alone.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer cryo compare kinase/poses.csv --picture encodings.png")]
pub(crate) struct Compare {
    /// A RELION .star with poses and CTF, or a poses.csv of `trainer cryo synthesize`
    table: PathBuf,
    /// The .mrcs with the images [default: the one that the table names, or particles.mrcs beside it]
    #[arg(long, value_name = "FILE.mrcs")]
    stack: Option<PathBuf>,
    /// Draw slices, latent and correlation curves
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
    /// Updates of the parameters for each encoding
    #[arg(long, default_value_t = CryoParams::default().steps)]
    steps: u64,
    /// Do not fit half sets
    #[arg(long)]
    no_half_sets: bool,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let stack = ParticleStack::read(&self.table, self.stack.as_deref())?;
        let truth = Truth::read(self.table.parent().unwrap_or("".as_ref()))?;
        let params =
            CryoParams { steps: self.steps, half_sets: !self.no_half_sets, seed: self.seed, ..CryoParams::default() };
        let (mut done, all) = (0, steps(&params));
        let mut bar = progress::on_stderr(all, 0);
        let observe = |loss| {
            done += 1;
            bar.step(done, all, loss, None);
        };
        let entries = compare(&stack, truth.as_ref(), &params, Some(interrupt::catch()?), observe)?;
        bar.end();
        let Some(entries) = entries else {
            eprintln!("interrupted; nothing is written");
            interrupt::exit();
        };
        let motions: Option<Vec<f64>> = stack.particles.iter().map(|particle| particle.motion).collect();
        if let (Some(path), Some(sheet)) = (&self.picture, sheet("Encodings", &entries, motions.as_deref())) {
            files::write(path, &sheet.png()?)?;
        }
        if self.json {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| {
                    json!({
                        "encoding": entry.kind,
                        "spearman": entry.results.spearman,
                        "qualities": entry.results.qualities,
                        "seconds": entry.seconds,
                    })
                })
                .collect();
            return print(&serde_json::to_string_pretty(&json!({ "parameters": params, "encodings": entries }))?);
        }
        let (head, rows) = table(&entries);
        let line = |row: &Vec<String>| {
            let cells: String = row[1..].iter().map(|cell| format!("{cell:>18}")).collect();
            format!("{:<40}{cells}", row[0])
        };
        print(&std::iter::once(&head).chain(&rows).map(line).collect::<Vec<_>>().join("\n"))
    }
}
