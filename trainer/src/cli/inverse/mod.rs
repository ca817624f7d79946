//! `trainer inverse`: fields known by what an instrument measures of them.

use crate::cli::hold::{Others, hold, hold_while_made};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use trainer::inverse::compare::Comparison;
use trainer::inverse::ct::CtParams;
use trainer::inverse::error::InverseError;
use trainer::inverse::mri::MriParams;
use trainer::inverse::run::{InverseSettings, Run};
use trainer::inverse::shape::ShapeParams;
use trainer::inverse::training::{FurtherMapping, TrainingParams};
use trainer::network::encoding::EncodingKind;
use trainer::store::run::RunFolder;
use trainer::training::Watch;
use trainer::training::progress::Trainings;

use super::new_directories::NewDirectories;
use super::number::{from_one, positive, whole};
use super::trained::{GridArgs, OptimizerArgs, with_note};
use super::{interrupt, print};

/// Reconstruct from CT, MRI or a mesh with four encodings, and compare them with table 1 of Tancik et al. (2020).
///
/// The folder gets comparison.json, comparison.png and model.ffm (the model of the best encoding). Ctrl-C ends the
/// training and keeps what was learned. --resume continues it, and gives the same bits as a comparison that was never
/// interrupted.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer inverse ct --out ct\n  trainer inverse mri --quick --out mri --json\n  \
                        trainer inverse shape --mesh part.stl --out part\n  trainer inverse --resume ct")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, arg_required_else_help = true)]
pub(crate) struct Inverse {
    #[command(subcommand)]
    command: Option<Command>,
    /// Continue the comparison in this folder with its own settings
    #[arg(long, value_name = "DIR", required = true)]
    resume: Option<PathBuf>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Computed tomography: a section of the Shepp–Logan head from 20 parallel projections
    #[command(after_help = "Example:\n  trainer inverse ct --size 64 --steps 500 --out ct")]
    Ct(OnGrid),
    /// Magnetic resonance imaging: the Shepp–Logan head in three dimensions from a part of its Fourier coefficients
    #[command(after_help = "Example:\n  trainer inverse mri --quick --out mri --json")]
    Mri(OnGrid),
    /// The shape of a solid, from points inside and outside its closed surface
    #[command(after_help = "Example:\n  trainer inverse shape --mesh part.stl --out part")]
    Shape(Solid),
}

/// What every problem takes.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    mut_arg("levels", |option| with_note(option, "default: 12,24,48,64; over three axes 16,32,48")),
    mut_arg("optimizer", |option| with_note(option, "default: adam"))
)]
struct Common {
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the comparison that is in the folder --out
    #[arg(long)]
    force: bool,
    /// Number of training steps for each encoding [default: depends on the problem]
    #[arg(long, value_parser = from_one::<u64>)]
    steps: Option<u64>,
    /// Width of each hidden layer [default: depends on the problem]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2048))]
    width: Option<u16>,
    /// Number of frequencies, that is rows of the matrix B [default: depends on the problem]
    #[arg(long, value_parser = whole::<usize>)]
    frequencies: Option<usize>,
    /// Mappings to compare beside the published ones: learned is the Gaussian one with frequencies that are trained
    /// with the network, grid has values of grids
    #[arg(long, value_delimiter = ',', value_name = "MAPPINGS")]
    also: Vec<FurtherMapping>,
    #[command(flatten)]
    grids: GridArgs,
    #[command(flatten)]
    optimizer: OptimizerArgs,
    /// Factor on the published learning rates; the result is at most 1e-2 [default: depends on the problem]
    #[arg(long, value_parser = positive)]
    rate_factor: Option<f64>,
    /// Factor on the published frequencies [default: depends on the problem]
    #[arg(long, value_parser = positive)]
    scale_factor: Option<f64>,
    /// Seed of all random numbers; the same seed gives the same result
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>)]
    seed: u64,
    /// Use a small problem, small networks and few steps, for a trial of a few seconds
    #[arg(long)]
    quick: bool,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

/// A problem on a grid.
#[derive(clap::Args)]
struct OnGrid {
    /// Number of grid cells along each axis [default: 128 for ct, 32 for mri]
    #[arg(long, value_parser = whole::<usize>)]
    size: Option<usize>,
    #[command(flatten)]
    common: Common,
}

/// A solid.
#[derive(clap::Args)]
struct Solid {
    /// The closed surface of the solid, made of triangles, as .stl, .obj or .ply [default: a knot that is made here]
    #[arg(long, value_name = "FILE")]
    mesh: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Inverse {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (settings, common) = match (self.command, self.resume) {
            (None, Some(folder)) => {
                hold(&folder, Others::Refused)?;
                return solve(&Run::resume(&folder)?, &folder, self.json);
            }
            (None, None) => unreachable!("one is required"),
            (Some(Command::Ct(OnGrid { size, common })), _) => {
                let mut params = CtParams::new(common.quick, common.seed);
                params.size = size.unwrap_or(params.size);
                common.adjust(&mut params.training);
                (InverseSettings::Ct(params), common)
            }
            (Some(Command::Mri(OnGrid { size, common })), _) => {
                let mut params = MriParams::new(common.quick, common.seed);
                params.size = size.unwrap_or(params.size);
                common.adjust(&mut params.training);
                (InverseSettings::Mri(params), common)
            }
            (Some(Command::Shape(Solid { mesh, common })), _) => {
                let mut params = ShapeParams::new(common.quick, common.seed);
                common.adjust(&mut params.training);
                // --resume may be called from another directory.
                let mesh = mesh.map(std::path::absolute).transpose().context("cannot tell the current directory")?;
                (InverseSettings::Shape { mesh, params }, common)
            }
        };
        let settings = settings.check()?;
        // Before the work, not after it; a folder made for nothing goes again.
        let _made = NewDirectories::on_the_way_to(&common.out);
        let folder =
            hold_while_made(&common.out, Others::Refused, || Ok(RunFolder::create(&common.out, common.force)?))?;
        let run = Run::start(folder, settings)?;
        solve(&run, &common.out, common.json)
    }
}

/// Solves, writes and prints.
fn solve(run: &Run, folder: &Path, as_json: bool) -> anyhow::Result<()> {
    let mut progress = Trainings::default();
    let mut watch = Watch { stop: Some(interrupt::catch()?), progress: Some(&mut progress), ..Watch::default() };
    let comparison = match run.finish(&mut watch) {
        Err(InverseError::Interrupted) => {
            trainer::note!("interrupted; continue with: trainer inverse --resume {}", folder.display());
            interrupt::exit();
        }
        result => result?,
    };
    print(&if as_json { serde_json::to_string_pretty(&comparison.to_json())? } else { text(&comparison) })
}

impl Common {
    /// Puts what was given in the place of the defaults.
    fn adjust(&self, training: &mut TrainingParams) {
        training.steps = self.steps.unwrap_or(training.steps);
        if let Some(width) = self.width {
            training.hidden.fill(usize::from(width));
        }
        training.frequencies = self.frequencies.unwrap_or(training.frequencies);
        for &also in &self.also {
            if !training.also.contains(&also) {
                training.also.push(also);
            }
        }
        self.grids.set(&mut training.grid);
        if !training.also.contains(&FurtherMapping::Grid) {
            self.grids.given().iter().filter(|(given, ..)| *given).for_each(|(_, _, option)| {
                trainer::note!("warning: {option} has no effect without --also grid");
            });
        }
        self.optimizer.set(&mut training.optimizer);
        training.rate_factor = self.rate_factor.unwrap_or(training.rate_factor);
        training.scale_factor = self.scale_factor.unwrap_or(training.scale_factor);
    }
}

/// One line for each mapping, then the artifact.
fn text(comparison: &Comparison) -> String {
    let problem = &comparison.problem;
    let measures: String = problem.measures.iter().map(|measure| format!("{measure:>18}")).collect();
    let mut text =
        format!("{}\n{}\n\n{:12}{measures}{:>12}", problem.title, problem.differences, "mapping", "published");
    for row in &comparison.rows {
        let scores: String = row.scores.iter().map(|score| format!("{score:18.3}")).collect();
        let published = row.mapping.published.map_or_else(String::new, |published| format!("{published:12.3}"));
        text += &format!("\n{:12}{scores}{published}", row.mapping.label());
    }
    let scores: String = comparison.artifact_scores.iter().map(|score| format!("{score:18.3}")).collect();
    let best = comparison.rows[..4].iter().max_by(|a, b| a.scores[0].total_cmp(&b.scores[0]));
    let order = match (comparison.has_published_order(), best.map(|row| row.mapping.kind)) {
        (true, Some(EncodingKind::Gaussian)) => "as published",
        (true, _) => "as published, with positional and Gaussian about equal",
        (false, _) => "DIFFERS from the published one",
    };
    text + &format!("\n{:12}{scores}\n\norder of the mappings: {order}", "model.ffm")
}
