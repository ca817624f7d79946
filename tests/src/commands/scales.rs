//! `cargo xtask scales`: what `--scale auto` costs against a sweep over twelve scales.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use firmware_core::Precision;
use ndarray::Array2;
use trainer::artifact::precision::NamedPrecision;
use trainer::base::side_by_side::available_threads;
use trainer::data::{self, Dataset, Holdout, LoadOptions};
use trainer::fit::FitParams;
use trainer::fit::auto_scale::{ChoiceData, Judge, Setting, choose};
use trainer::fit::settings::FitSettings;
use trainer::network::encoding::EncodingKind;
use trainer::sweep::{Grid, Shard, Sweep, SweepEvent, SweepStore, SweepWatch};

use crate::firmware::workspace;
use crate::signals::{self, Signal};

/// Of the reference sweep.
const CANDIDATES: usize = 12;

/// Compare the automatic choice of σ and p with the best of twelve values each, on pictures, terrains and lines
///
/// The networks have the default settings of `trainer fit`, and are compared by the PSNR on a tenth of the samples that
/// is held out. *Tuned* signals were used to develop the choice, *blind* ones were not. Times are those of one thread.
/// The sweeps take an hour on two cores; what is finished is kept in --out, and the same command continues.
///
/// Example: cargo xtask scales --out scales
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The folder for the sweeps
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only signals whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Training steps of each network
    #[arg(long, default_value_t = FitParams::default().steps)]
    steps: u64,
}

/// A file of the bundled data, or a signal made now.
enum Source {
    Bundled(&'static str),
    Made(fn() -> Signal),
}

/// What was known of a signal before the choice was settled.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Group {
    Tuned,
    Blind,
}

impl Group {
    const ALL: [Self; 2] = [Self::Tuned, Self::Blind];

    const fn name(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Blind => "blind",
        }
    }
}

/// Name, group, and where it comes from.
const SIGNALS: [(&str, Group, Source); 40] = [
    ("picture: camera", Group::Tuned, Source::Bundled("camera_256.png")),
    ("picture: dead leaves", Group::Tuned, Source::Made(|| signals::dead_leaves(128, [0.02, 0.4], 0.05, 1))),
    ("picture: coffee", Group::Tuned, Source::Bundled("coffee_256.png")),
    ("picture: strokes", Group::Tuned, Source::Made(|| signals::strokes(192, 60, 3))),
    ("picture: textured leaves", Group::Tuned, Source::Made(|| signals::dead_leaves(160, [0.05, 0.3], 0.12, 7))),
    ("terrain: Jacksboro fault", Group::Tuned, Source::Bundled("terrain_elevation.npy")),
    ("terrain: hills", Group::Tuned, Source::Made(|| signals::hills(128, 0.5, false, 1))),
    ("terrain: rough hills", Group::Tuned, Source::Made(|| signals::hills(160, 0.65, false, 5))),
    ("terrain: ridges", Group::Tuned, Source::Made(|| signals::hills(192, 0.5, true, 9))),
    ("terrain: craters", Group::Tuned, Source::Made(|| signals::craters(128, 80, 4))),
    ("line: tones and a step", Group::Tuned, Source::Made(|| signals::tones(1024, &[3.0, 11.0, 37.0], 0.8))),
    ("line: walk", Group::Tuned, Source::Made(|| signals::walk(2048, 6, 1))),
    ("line: slow heartbeat", Group::Tuned, Source::Made(|| signals::heartbeat(1024, 6.0, 0.02, 1))),
    ("line: demand", Group::Tuned, Source::Made(|| signals::demand(1008, 2))),
    ("line: tones", Group::Tuned, Source::Made(|| signals::tones(512, &[2.0, 5.0, 9.0, 23.0], 0.0))),
    ("line: chirp", Group::Tuned, Source::Made(|| signals::chirp(2048, 2.0, 120.0))),
    ("line: heartbeat", Group::Tuned, Source::Made(|| signals::heartbeat(3000, 14.0, 0.05, 8))),
    ("picture: other leaves", Group::Tuned, Source::Made(|| signals::dead_leaves(144, [0.03, 0.5], 0.08, 21))),
    ("picture: dense strokes", Group::Tuned, Source::Made(|| signals::strokes(160, 110, 12))),
    ("picture: few leaves", Group::Tuned, Source::Made(|| signals::dead_leaves(128, [0.1, 0.6], 0.0, 34))),
    ("terrain: other hills", Group::Tuned, Source::Made(|| signals::hills(160, 0.55, false, 31))),
    ("terrain: other ridges", Group::Tuned, Source::Made(|| signals::hills(128, 0.6, true, 44))),
    ("terrain: many craters", Group::Tuned, Source::Made(|| signals::craters(176, 150, 17))),
    ("line: long walk", Group::Tuned, Source::Made(|| signals::walk(1500, 3, 5))),
    ("line: slow chirp", Group::Tuned, Source::Made(|| signals::chirp(1024, 1.0, 60.0))),
    ("line: quick heartbeat", Group::Tuned, Source::Made(|| signals::heartbeat(2000, 9.0, 0.03, 3))),
    ("line: other demand", Group::Tuned, Source::Made(|| signals::demand(1344, 11))),
    ("line: four tones and a step", Group::Tuned, Source::Made(|| signals::tones(768, &[1.0, 4.0, 13.0, 29.0], 0.4))),
    ("picture: small leaves", Group::Blind, Source::Made(|| signals::dead_leaves(176, [0.02, 0.25], 0.1, 55))),
    ("picture: large leaves", Group::Blind, Source::Made(|| signals::dead_leaves(120, [0.06, 0.5], 0.03, 90))),
    ("picture: sparse strokes", Group::Blind, Source::Made(|| signals::strokes(144, 40, 71))),
    ("terrain: gentle hills", Group::Blind, Source::Made(|| signals::hills(144, 0.45, false, 61))),
    ("terrain: steep ridges", Group::Blind, Source::Made(|| signals::hills(176, 0.55, true, 73))),
    ("terrain: few craters", Group::Blind, Source::Made(|| signals::craters(144, 60, 29))),
    ("line: other walk", Group::Blind, Source::Made(|| signals::walk(1800, 4, 13))),
    ("line: other chirp", Group::Blind, Source::Made(|| signals::chirp(1536, 3.0, 90.0))),
    ("line: other heartbeat", Group::Blind, Source::Made(|| signals::heartbeat(1500, 11.0, 0.04, 19))),
    ("line: third demand", Group::Blind, Source::Made(|| signals::demand(1176, 23))),
    ("line: three tones and a step", Group::Tuned, Source::Made(|| signals::tones(896, &[3.0, 7.0, 17.0], 0.6))),
    ("line: other tones", Group::Blind, Source::Made(|| signals::tones(640, &[1.0, 6.0, 19.0, 27.0], 0.0))),
];

/// Runs the command.
///
/// # Errors
///
/// Where a sweep cannot be written or a training fails.
pub fn run(args: &Args) -> Result<()> {
    println!("| signal | | best of {CANDIDATES} | chosen | costs | theory alone costs | time |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut costs = Vec::new();
    for (name, group, source) in SIGNALS.iter().filter(|(name, ..)| name.contains(&args.only)) {
        let row = Row::new(Setting::Scale, name, source, args)?;
        println!("| {name} | {} | {row} |", group.name());
        costs.push((*name, *group, row));
    }
    let mut power_costs = Vec::new();
    for (name, _, source) in SIGNALS.iter().filter(|(name, ..)| name.starts_with("line") && name.contains(&args.only)) {
        let row = Row::new(Setting::AmplitudePower, name, source, args)?;
        println!("| p of {name} | {} | {row} |", Group::Tuned.name());
        power_costs.push(row);
    }
    ensure!(!costs.is_empty(), "no signal is named like '{}'", args.only);
    println!();
    for group in Group::ALL {
        print_mean(group.name(), costs.iter().filter(|cost| cost.1 == group).map(|cost| &cost.2));
    }
    for kind in ["picture", "terrain", "line"] {
        print_mean(kind, costs.iter().filter(|cost| cost.0.starts_with(kind)).map(|cost| &cost.2));
    }
    print_mean("all scales", costs.iter().map(|cost| &cost.2));
    print_mean("all powers", power_costs.iter());
    Ok(())
}

fn print_mean<'a>(of: &str, rows: impl Iterator<Item = &'a Row>) {
    let rows: Vec<&Row> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let mean = |value: fn(&Row) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / rows.len() as f64;
    let (cost, theory, time) = (mean(|r| r.cost), mean(|r| r.theory_cost), 100.0 * mean(|r| r.time));
    println!("mean of {of} ({}): {cost:.2} dB, theory alone {theory:.2} dB, {time:.0} % of the time", rows.len());
}

struct Row {
    best: (f64, f64),
    chosen: (f64, f64),
    cost: f64,
    theory_cost: f64,
    /// Of the choice, relative to the sweep.
    time: f64,
}

impl Row {
    fn new(setting: Setting, name: &str, source: &Source, args: &Args) -> Result<Self> {
        let data = load(source)?;
        let mut fit = FitParams { holdout: Holdout::Fraction(0.1), steps: args.steps, ..FitParams::default() };
        let candidates = setting.candidates(data.len(), data.inputs(), CANDIDATES);
        let (grid, folder) = match setting {
            Setting::Scale => (Grid { scales: candidates, ..Grid::default() }, "scale"),
            Setting::AmplitudePower => {
                fit.encoding.kind = EncodingKind::Fourier;
                (Grid { amplitude_powers: candidates, ..Grid::default() }, "power")
            }
        };
        let base = FitSettings {
            fit: fit.clone(),
            precision: Some(NamedPrecision(Precision::W8A16)),
            input: name.into(),
            load: LoadOptions::default(),
            imported: None,
        };
        let sweep = Sweep::new(base, grid, Precision::W8A16, &data)?;
        let path = args.out.join(folder).join(name.replace(": ", "-").replace(' ', "-"));
        let store = SweepStore::create(Path::new(&path), sweep.manifest())?;
        eprintln!("{} of {name}", setting.option());
        let value =
            |row: &trainer::sweep::SweepRow| if setting == Setting::Scale { row.scale } else { row.amplitude_power };
        let stop = AtomicBool::new(false);
        let tell = |event: SweepEvent<'_>| {
            if let SweepEvent::Finished(row) = event {
                eprintln!("  {:.3}: {:.2} dB", value(row), row.test_psnr_db());
            }
        };
        sweep.run(&store, Shard::WHOLE, SweepWatch { threads: available_threads(), stop: &stop, tell: &tell })?;
        let (_, rows) = SweepStore::collect(std::slice::from_ref(&path))?;
        let points: Vec<(f64, f64)> = rows.iter().flatten().map(|row| (value(row), row.test_psnr_db())).collect();
        let sweep_seconds: f64 = rows.iter().flatten().filter_map(|row| row.seconds).sum();
        let split = fit.check(data.inputs(), data.outputs())?.split(&data)?;
        let begun = Instant::now();
        let choice = choose(setting, &fit, ChoiceData { dataset: &data, split: &split, judge: Judge::LeftOut }, None)?;
        // The choice trains on all threads, a setting of the sweep on one.
        let seconds = begun.elapsed().as_secs_f64() * available_threads() as f64;
        let best = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).context("an empty sweep")?;
        let at = |wanted: f64| {
            let distance = |point: &(f64, f64)| (point.0 - wanted).abs();
            points.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b))).context("an empty sweep")
        };
        let chosen = at(choice.chosen)?;
        let theory_cost = best.1 - at(choice.theory.unwrap_or(choice.chosen))?.1;
        Ok(Self { best, chosen, cost: best.1 - chosen.1, theory_cost, time: seconds / sweep_seconds })
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (best, chosen) = (self.best, self.chosen);
        write!(
            f,
            "{:.2} dB at {:.2} | {:.2} dB at {:.2} | {:.2} dB | {:.2} dB | {:.0} %",
            best.1,
            best.0,
            chosen.1,
            chosen.0,
            self.cost,
            self.theory_cost,
            100.0 * self.time
        )
    }
}

fn load(source: &Source) -> Result<Dataset> {
    match source {
        Source::Bundled(file) => Ok(data::load(&workspace().join("trainer/data").join(file), &LoadOptions::default())?),
        Source::Made(make) => {
            let Signal { shape, values } = make();
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
            let unit = values.iter().map(|value| (value - low) / (high - low)).collect();
            Ok(Dataset::from_grid(&shape, Array2::from_shape_vec((values.len(), 1), unit)?))
        }
    }
}
