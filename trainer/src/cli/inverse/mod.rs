//! `trainer inverse`: fields known by what an instrument measures of them.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use trainer::encoding::EncodingKind;
use trainer::files;
use trainer::inverse::compare::{Comparison, Monitor, Training, name};
use trainer::inverse::ct::{self, CtParams};
use trainer::inverse::error::InverseError;
use trainer::inverse::mri::{self, MriParams};
use trainer::inverse::shape::{self, ShapeParams, made, read};
use trainer::progress;
use trainer::report::figure::Figure;

use super::{interrupt, print};

/// Compare four mappings on an inverse problem, beside table 1 of Tancik et al. (2020).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer inverse ct --out ct\n  trainer inverse mri --quick --out mri --json\n  \
                        trainer inverse shape --mesh part.stl --out part")]
pub(crate) struct Inverse {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Computed tomography: the head of Shepp and Logan from 20 parallel projections
    Ct(OnGrid),
    /// Magnetic resonance: the same head in three dimensions from a part of its Fourier coefficients
    Mri(OnGrid),
    /// Occupancy of a solid, from its closed surface
    Shape(Solid),
}

/// What every problem takes.
#[derive(clap::Args)]
struct Common {
    /// The folder for comparison.json, comparison.png and model.ffm (the best mapping); created if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Updates for each mapping [default: as the problem needs]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Units of each hidden layer [default: as the problem needs]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2048))]
    width: Option<u16>,
    /// Rows of B [default: as the problem needs]
    #[arg(long)]
    frequencies: Option<usize>,
    /// What published learning rates are multiplied by, up to 1e-2 [default: as the problem needs]
    #[arg(long, value_parser = positive)]
    rate_factor: Option<f64>,
    /// What published frequencies are multiplied by [default: as the problem needs]
    #[arg(long, value_parser = positive)]
    scale_factor: Option<f64>,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A small problem, small networks and few steps: a trial in seconds
    #[arg(long)]
    quick: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A problem on a grid.
#[derive(clap::Args)]
struct OnGrid {
    /// Grid cells a side [default: 128 for ct, 32 for mri]
    #[arg(long)]
    size: Option<usize>,
    #[command(flatten)]
    common: Common,
}

/// A solid.
#[derive(clap::Args)]
struct Solid {
    /// Its surface, closed, of triangles: .stl, .obj or .ply [default: a knot made here]
    #[arg(long, value_name = "FILE")]
    mesh: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Inverse {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Ct(OnGrid { size, common }) => {
                let mut params = CtParams::new(common.quick, common.seed);
                params.size = size.unwrap_or(params.size);
                common.adjust(&mut params.training);
                common.run(|monitor| ct::compare(&params, monitor))
            }
            Command::Mri(OnGrid { size, common }) => {
                let mut params = MriParams::new(common.quick, common.seed);
                params.size = size.unwrap_or(params.size);
                common.adjust(&mut params.training);
                common.run(|monitor| mri::compare(&params, monitor))
            }
            Command::Shape(Solid { mesh, common }) => {
                let (name, mesh) = match &mesh {
                    Some(path) => (path.file_name().unwrap_or_default().to_string_lossy(), read::read(path)?),
                    None => (made::NAME.into(), made::knot()),
                };
                let mut params = ShapeParams::new(common.quick, common.seed);
                common.adjust(&mut params.training);
                common.run(|monitor| shape::compare((&name, &mesh), &params, monitor))
            }
        }
    }
}

/// A number above zero.
fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite()).ok_or("give a number above 0".to_owned())
}

impl Common {
    /// Puts what was given in the place of the defaults.
    fn adjust(&self, training: &mut Training) {
        training.steps = self.steps.unwrap_or(training.steps);
        if let Some(width) = self.width {
            training.hidden.fill(usize::from(width));
        }
        training.frequencies = self.frequencies.unwrap_or(training.frequencies);
        training.rate_factor = self.rate_factor.unwrap_or(training.rate_factor);
        training.scale_factor = self.scale_factor.unwrap_or(training.scale_factor);
    }

    fn run(&self, compare: impl FnOnce(&Monitor<'_>) -> Result<Comparison, InverseError>) -> anyhow::Result<()> {
        // Before the work, not after it; a folder made for nothing goes again.
        let made = !self.out.exists();
        let leave = || {
            if made {
                // What cannot be removed is somebody else's by now.
                let _ = std::fs::remove_dir(&self.out);
            }
        };
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot create the folder {}; choose another with --out", self.out.display()))?;
        let shown = |kind: EncodingKind, steps| {
            eprintln!("{}", name(kind));
            progress::on_stderr(steps, 0)
        };
        let monitor = Monitor { stop: interrupt::catch()?, progress: &shown };
        let comparison = match compare(&monitor) {
            Err(error @ InverseError::Interrupted) => {
                eprintln!("{error}");
                leave();
                interrupt::exit();
            }
            result => result.inspect_err(|_| leave())?,
        };
        let png = comparison.sheet.png()?;
        let json = serde_json::to_string_pretty(&comparison.to_json())?;
        files::write(&self.out.join("model.ffm"), comparison.artifact.as_bytes())?;
        files::write(&self.out.join("comparison.png"), &png)?;
        files::write(&self.out.join("comparison.json"), json.as_bytes())?;
        print(&if self.json { json } else { text(&comparison) })
    }
}

/// The table.
fn text(comparison: &Comparison) -> String {
    let problem = &comparison.problem;
    let measures: String = problem.measures.iter().map(|measure| format!("{measure:>18}")).collect();
    let mut text =
        format!("{}\n{}\n\n{:12}{measures}{:>12}", problem.title, problem.differences, "mapping", "published");
    for row in &comparison.rows {
        let scores: String = row.scores.iter().map(|score| format!("{score:18.3}")).collect();
        let published = row.mapping.published.map_or_else(String::new, |published| format!("{published:12.3}"));
        text += &format!("\n{:12}{scores}{published}", name(row.mapping.kind));
    }
    let scores: String = comparison.artifact_scores.iter().map(|score| format!("{score:18.3}")).collect();
    let order = if comparison.has_published_order() { "as published" } else { "DIFFERS from the published one" };
    text + &format!("\n{:12}{scores}\n\norder of the mappings: {order}", "model.ffm")
}
