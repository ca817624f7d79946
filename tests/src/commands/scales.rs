//! `cargo xtask scales`: what `--scale auto` costs against a sweep over twelve scales.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use firmware_core::Precision;
use ndarray::Array2;
use trainer::auto_scale::choose_scale;
use trainer::dataset::{self, Dataset, Holdout, LoadOptions};
use trainer::fit::FitParams;
use trainer::saved::RunSettings;
use trainer::side_by_side::available_threads;
use trainer::sweep::{Event, Grid, Shard, Store, Sweep, Watcher};
use trainer::theory::select::candidate_scales;

use crate::firmware::workspace;
use crate::signals::{self, Signal};

/// Scales of the reference sweep.
const SCALES: usize = 12;

/// Sweep twelve scales on pictures, terrains and lines, and print what the choice before training costs against the best
///
/// Held-out PSNR of networks with the defaults of `trainer fit`, one tenth held out. *Seen* signals were looked at while the
/// choice was made to work, *fresh* ones were not. Times are those of one thread. The sweeps take some twenty minutes on two cores;
/// what is finished is kept in --out, and the same command continues.
///
/// Example: cargo xtask scales --out scales
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The directory for the sweeps
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only signals whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Updates of each network
    #[arg(long, default_value_t = FitParams::default().steps)]
    steps: u64,
}

/// A file of the bundled data, or a signal made now.
enum Source {
    Bundled(&'static str),
    Made(fn() -> Signal),
}

/// Name, whether it was looked at, and where it comes from.
const SIGNALS: [(&str, bool, Source); 17] = [
    ("picture: camera", true, Source::Bundled("camera_256.png")),
    ("picture: dead leaves", true, Source::Made(|| signals::dead_leaves(128, [0.02, 0.4], 0.05, 1))),
    ("picture: coffee", true, Source::Bundled("coffee_256.png")),
    ("picture: strokes", true, Source::Made(|| signals::strokes(192, 60, 3))),
    ("picture: textured leaves", false, Source::Made(|| signals::dead_leaves(160, [0.05, 0.3], 0.12, 7))),
    ("terrain: Jacksboro fault", true, Source::Bundled("terrain_elevation.npy")),
    ("terrain: hills", true, Source::Made(|| signals::hills(128, 0.5, false, 1))),
    ("terrain: rough hills", false, Source::Made(|| signals::hills(160, 0.65, false, 5))),
    ("terrain: ridges", false, Source::Made(|| signals::hills(192, 0.5, true, 9))),
    ("terrain: craters", false, Source::Made(|| signals::craters(128, 80, 4))),
    ("line: tones and a step", true, Source::Made(|| signals::tones(1024, &[3.0, 11.0, 37.0], 0.8))),
    ("line: walk", true, Source::Made(|| signals::walk(2048, 6, 1))),
    ("line: slow heartbeat", true, Source::Made(|| signals::heartbeat(1024, 6.0, 0.02, 1))),
    ("line: demand", true, Source::Made(|| signals::demand(1008, 2))),
    ("line: tones", true, Source::Made(|| signals::tones(512, &[2.0, 5.0, 9.0, 23.0], 0.0))),
    ("line: chirp", false, Source::Made(|| signals::chirp(2048, 2.0, 120.0))),
    ("line: heartbeat", false, Source::Made(|| signals::heartbeat(3000, 14.0, 0.05, 8))),
];

/// Runs the command.
///
/// # Errors
///
/// Where a sweep cannot be written or a training fails.
pub fn run(args: &Args) -> Result<()> {
    println!("| signal | | best of {SCALES} | chosen | costs | theory alone costs | time |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut costs = Vec::new();
    for (name, seen, source) in SIGNALS.iter().filter(|(name, ..)| name.contains(&args.only)) {
        let row = Row::new(name, source, args)?;
        let group = if *seen { "seen" } else { "fresh" };
        println!("| {name} | {group} | {row} |");
        costs.push((*seen, row));
    }
    ensure!(!costs.is_empty(), "no signal is named like '{}'", args.only);
    for group in [true, false] {
        let of: Vec<&Row> = costs.iter().filter(|(seen, _)| *seen == group).map(|(_, row)| row).collect();
        if !of.is_empty() {
            let mean = |value: fn(&Row) -> f64| of.iter().map(|row| value(row)).sum::<f64>() / of.len() as f64;
            let name = if group { "seen" } else { "fresh" };
            println!(
                "\nmean over {} {name} signals: {:.2} dB, theory alone {:.2} dB",
                of.len(),
                mean(|r| r.cost),
                mean(|r| r.theory_cost)
            );
        }
    }
    Ok(())
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
    fn new(name: &str, source: &Source, args: &Args) -> Result<Self> {
        let data = load(source)?;
        let fit = FitParams { holdout: Holdout::Fraction(0.1), steps: args.steps, ..FitParams::default() };
        let base = RunSettings {
            fit: fit.clone(),
            precision: "w8a16".into(),
            input: name.into(),
            channels_last: false,
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        let grid = Grid { scales: candidate_scales(data.len(), data.inputs(), SCALES), ..Grid::default() };
        let sweep = Sweep::new(base, grid, Precision::W8A16, &data)?;
        let path = args.out.join(name.replace(": ", "-").replace(' ', "-"));
        let store = Store::create(Path::new(&path), sweep.manifest())?;
        eprintln!("{name}");
        let stop = AtomicBool::new(false);
        let tell = |event: Event<'_>| {
            if let Event::Finished(row) = event {
                eprintln!("  scale {:.3}: {:.2} dB", row.scale, row.test_psnr_db());
            }
        };
        sweep.run(&store, Shard::WHOLE, Watcher { threads: available_threads(), stop: &stop, tell: &tell })?;
        let (_, rows) = Store::collect(&[path])?;
        let points: Vec<(f64, f64)> = rows.iter().flatten().map(|row| (row.scale, row.test_psnr_db())).collect();
        let sweep_seconds: f64 = rows.iter().flatten().filter_map(|row| row.seconds).sum();
        let split = fit.check(data.inputs(), data.outputs())?.split(&data)?;
        let begun = Instant::now();
        let choice = choose_scale(&fit, &data, &split, None)?;
        // The choice trains on all threads, a setting of the sweep on one.
        let seconds = begun.elapsed().as_secs_f64() * available_threads() as f64;
        let best = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).context("an empty sweep")?;
        let at = |scale: f64| {
            let distance = |point: &(f64, f64)| (point.0 / scale).ln().abs();
            points.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b))).context("an empty sweep")
        };
        let chosen = at(choice.chosen)?;
        let theory_cost = best.1 - at(choice.theory)?.1;
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
        Source::Bundled(file) => {
            Ok(dataset::load(&workspace().join("trainer/data").join(file), &LoadOptions::default())?)
        }
        Source::Made(make) => {
            let Signal { shape, values } = make();
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
            let unit = values.iter().map(|value| (value - low) / (high - low)).collect();
            Ok(Dataset::from_grid(&shape, Array2::from_shape_vec((values.len(), 1), unit)?))
        }
    }
}
