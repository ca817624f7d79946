//! `trainer design`: the best model for a budget of bytes, instructions and RAM.

use crate::cli::hold::{Others, hold_while_made};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trainer::base::files;
use trainer::base::shard::Shard;
use trainer::base::side_by_side::available_threads;
use trainer::data::codes::{self, NamedCodes};
use trainer::data::periodic::{self, NamedPeriod};
use trainer::data::{Dataset, LoadOptions, Outside};
use trainer::design::budget::{Budget, Goal, parse_bytes, parse_time, plain_bytes};
use trainer::design::cost::Core;
use trainer::design::events::{DesignEvent, SearchWatch};
use trainer::design::store::{DesignManifest, DesignStore};
use trainer::design::{Design as Search, DesignParams, EndedSearch};
use trainer::fit::FitParams;
use trainer::fit::settings::FitSettings;
use trainer::training::{Ended, Watch, progress};

use super::number::{from_one, whole};
use super::reading::{DATA, PointsArgs, ReadingArgs, apply_and_tell, load_and_tell};
use super::{interrupt, print};

/// Headings of the help, beside that of the data.
const BUDGET: &str = "Budget and goal";
const SEARCH: &str = "Search";
/// The exit code where the best model is not good enough.
const NOT_ENOUGH: i32 = 2;
/// The board whose instructions count where none is named.
const DEFAULT_BOARD: &str = "mps2-an386";
/// The time of a search.
const TIME: Duration = Duration::from_secs(300);
/// Time between two lines of progress where there is no terminal.
const LINE: Duration = Duration::from_secs(15);

/// Find the best model for so many bytes, instructions and bytes of RAM.
///
/// Models of several kinds that fill the budget are trained for a short time, and the best of them are continued until
/// two are left. The folder gets the run of the winner (model.ffm, report.html and the other files of `trainer fit`)
/// and design.csv, design.json and design.png: every model that was compared, with the command that makes it. Ctrl-C
/// ends the search and keeps the best so far; --resume continues it. The exit code is 2 if no model is good enough.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer design camera_256.png --flash 16K --out runs/camera\n  \
                        trainer design dem.tif --flash 16K --instructions 3000 --max-error 0.5 --out runs/dem\n  \
                        trainer design sensor.csv --flash 1K --psnr 60 --board microbit --out runs/sensor\n  \
                        trainer design --resume runs/camera --time 10m\n\n\
                        Several computers, in a directory that all see:\n  \
                        trainer design data.npy --flash 32K --out runs/data --shard 1/4\n  \
                        # and when all four are done: trainer design --resume runs/data")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Design {
    /// A picture, an array (.npy, .npz), an elevation grid (GeoTIFF, .asc, .hgt) or a table
    #[arg(required_unless_present_any = ["resume", "points"])]
    input: Option<PathBuf>,
    /// Largest number of bytes of the model file, such as 16K; more than 16K and than the data take, with 4 bytes a
    /// number, makes no larger models
    #[arg(
        long, help_heading = BUDGET, value_name = "BYTES", value_parser = parse_bytes,
        required_unless_present = "resume"
    )]
    flash: Option<usize>,
    /// Largest number of instructions of one evaluation
    #[arg(long, help_heading = BUDGET, value_name = "COUNT", value_parser = from_one::<u64>)]
    instructions: Option<u64>,
    /// Largest number of bytes of the scratch memory of one evaluation, such as 1K
    #[arg(long, help_heading = BUDGET, value_name = "BYTES", value_parser = parse_bytes)]
    ram: Option<usize>,
    /// Largest error that is good enough, in the unit of the outputs
    #[arg(long, help_heading = BUDGET, value_name = "ERROR", conflicts_with = "psnr")]
    max_error: Option<f64>,
    /// Lowest PSNR that is good enough, dB
    #[arg(long, help_heading = BUDGET, value_name = "DB")]
    psnr: Option<f64>,
    /// The board whose instructions count, by its name or that of its core [default: mps2-an386, a Cortex-M4F]
    #[arg(long, help_heading = BUDGET)]
    board: Option<String>,
    /// Time of the search, such as 90s, 5m or 1h [default: 5m]
    #[arg(long, help_heading = SEARCH, value_parser = parse_time)]
    time: Option<Duration>,
    /// The folder to make for this run; with --shard it may be there already
    #[arg(short, long, visible_alias = "output-dir", value_name = "RUN", required_unless_present = "resume")]
    #[arg(conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Replace the run that is in the folder --out
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Continue the search in this folder with its own settings; only --time and --threads may differ
    #[arg(
        long, value_name = "RUN",
        conflicts_with_all = ["input", "flash", "instructions", "ram", "max_error", "psnr", "board", "points"]
    )]
    resume: Option<PathBuf>,
    /// Search only the i-th of n parts of the models, with i from 1; --resume then ends the search
    #[arg(long, help_heading = SEARCH, value_name = "i/n", allow_hyphen_values = true)]
    shard: Option<String>,
    /// Number of trainings at the same time [default: the number of threads of this computer]
    #[arg(long, help_heading = SEARCH, value_parser = from_one::<usize>)]
    threads: Option<usize>,
    /// The columns of a table that are inputs, by name or number [default: all columns that are not outputs]
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// The columns of a table that are outputs, by name or number [default: the last column, or all that are not in
    /// --inputs]
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    outputs: Vec<String>,
    #[command(flatten)]
    points: PointsArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Inputs that repeat, each with its period in the units of the data, such as angle_deg=360
    #[arg(
        long, help_heading = DATA, value_delimiter = ',', value_name = "NAME=PERIOD",
        value_parser = str::parse::<NamedPeriod>
    )]
    periodic: Vec<NamedPeriod>,
    /// Inputs that are integer codes, as of a converter, each with its number of bits, such as adc=12
    #[arg(
        long, help_heading = DATA, value_delimiter = ',', value_name = "NAME=BITS",
        value_parser = str::parse::<NamedCodes>
    )]
    codes: Vec<NamedCodes>,
    /// Seed of all random numbers [default: 0]
    #[arg(long, help_heading = SEARCH, value_parser = whole::<u64>)]
    seed: Option<u64>,
    /// Print the results as one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

impl Design {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let shard = self.shard.as_deref().map(str::parse::<Shard>).transpose()?;
        let stop = interrupt::catch()?;
        let (path, dataset);
        let search = if let Some(folder) = &self.resume {
            path = folder.clone();
            let manifest = DesignStore::manifest_of(folder)?;
            dataset = self.prepared_again(&manifest)?;
            Search::resumed(folder, manifest, &dataset)?
        } else {
            path = self.out.clone().context("name the data and an --out, or a run to --resume")?;
            let core = Core::find(self.board.as_deref().unwrap_or(DEFAULT_BOARD))?;
            let (data, base) = self.prepared()?;
            dataset = data;
            Search::new(DesignParams { base, budget: self.budget()?, goal: self.goal(), core }, &dataset)?
        };
        let flash = search.manifest().budget.flash;
        if self.flash.is_some_and(|given| given > flash) {
            let (samples, plain) = (dataset.len(), plain_bytes(&dataset));
            trainer::note!(
                "models of up to {flash} bytes are compared, since the {samples} samples themselves take {plain}"
            );
        }
        let others = if shard.is_some() { Others::Shards } else { Others::Refused };
        let create = || {
            self.check_folder(&path, shard.is_some())?;
            Ok(DesignStore::create(&path, search.manifest(), shard.unwrap_or(Shard::WHOLE))?)
        };
        let store = hold_while_made(&path, others, create)?;
        let others = if shard.is_none() { store.other_shards() } else { Vec::new() };
        let ended = if others.is_empty() {
            let candidates = search.candidates_of(shard.unwrap_or(Shard::WHOLE));
            trainer::note!("{} models are compared on {}", candidates.len(), search.judged_on());
            let shown = Shown::new();
            let watch = SearchWatch {
                time: self.time.unwrap_or(TIME),
                threads: self.threads.unwrap_or_else(available_threads),
                stop,
                tell: &|event| shown.show(event),
            };
            let ended = search.search(&store, &candidates, watch);
            shown.bar.finish_and_clear();
            ended?
        } else {
            trainer::note!("ending the search of the shards {}", others.join(", "));
            Ended::Finished
        };
        if shard.is_some() {
            if ended == Ended::Interrupted {
                trainer::note!("interrupted; the same command continues");
                interrupt::exit();
            }
            trainer::note!("when all shards are done: trainer design --resume {}", path.display());
            return Ok(());
        }
        let mut designed = search.choose(&path, &store)?;
        self.finish(&search, &path, EndedSearch { store: &store, designed: &mut designed, ended })
    }

    /// Writes the run of the winner, and says what came out.
    fn finish(&self, search: &Search<'_>, path: &Path, of: EndedSearch<'_>) -> anyhow::Result<()> {
        let EndedSearch { store, designed, ended } = of;
        let mut bar = progress::on_stderr(designed.best.steps, 0);
        // The wish to stop has been heard; what is left is to write.
        let stop = if ended == Ended::Finished { Some(interrupt::catch()?) } else { None };
        let watch = Watch { stop, progress: Some(&mut *bar), ..Watch::default() };
        let written = search.write(path, EndedSearch { store, designed: &mut *designed, ended }, watch)?;
        let winner = designed.front.rows.iter().find(|row| row.chosen).context("the winner is among the models")?;
        if self.json {
            print(&serde_json::to_string_pretty(&designed.front)?)?;
        } else {
            let mut text = format!("judged on {}\n\n{}\n", designed.front.judged_on, designed.front.text());
            text += &format!("chosen  {}\n", winner.command);
            if let Some(on_all) = &designed.front.chosen_on_all {
                text += &format!("quality {}", on_all.words());
                // What it would reach between them, the table above tells.
                text += if search.holds_out() && ended == Ended::Finished {
                    ", the same samples that it was trained on\n"
                } else {
                    "\n"
                };
            }
            text += &format!("model   {}\n", path.join("model.ffm").display());
            text += &format!("report  {}\n", path.join("report.html").display());
            text += &format!("table   {}", path.join("design.csv").display());
            print(&text)?;
        }
        if ended == Ended::Interrupted || written == Ended::Interrupted {
            trainer::note!("interrupted; continue with: trainer design --resume {}", path.display());
            interrupt::exit();
        }
        if let Some(shortfall) = &designed.shortfall {
            trainer::note!("{shortfall}");
            std::process::exit(NOT_ENOUGH);
        }
        Ok(())
    }

    fn budget(&self) -> anyhow::Result<Budget> {
        let flash = self.flash.context("give --flash, such as 16K")?;
        Ok(Budget { flash, instructions: self.instructions, ram: self.ram })
    }

    fn goal(&self) -> Option<Goal> {
        self.max_error.map(Goal::MaxError).or(self.psnr.map(Goal::Psnr))
    }

    fn prepared(&self) -> anyhow::Result<(Dataset, FitSettings)> {
        let absolute = |path: &Path| std::path::absolute(path).context("cannot tell the current directory");
        let input =
            self.points.or(self.input.as_ref()).context("name a file of data, or give --points and --targets")?;
        let load = LoadOptions {
            targets: self.points.targets().map(|targets| absolute(&targets)).transpose()?,
            ..self.reading.options(&self.inputs, &self.outputs)
        };
        let fit = FitParams { seed: self.seed.unwrap_or(0), outside: Outside::Clamp, ..FitParams::default() };
        let mut base = FitSettings { fit, precision: None, input: absolute(input)?, load, imported: None };
        let dataset = load_and_tell(&base.input, &base.load)?;
        base.fit.periodic = periodic::resolve(&self.periodic, &dataset.input_names)?;
        base.fit.codes = codes::resolve(&self.codes, &dataset.input_names)?;
        Ok((apply_and_tell(dataset, &base)?.0, base))
    }

    fn prepared_again(&self, manifest: &DesignManifest) -> anyhow::Result<Dataset> {
        let dataset = load_and_tell(&manifest.base.input, &manifest.base.load)?;
        Ok(apply_and_tell(dataset, &manifest.base)?.0)
    }

    /// Refuses a folder that holds something else, before the work, and takes away the search that --force replaces.
    fn check_folder(&self, path: &Path, is_shared: bool) -> anyhow::Result<()> {
        if self.resume.is_some() || (is_shared && path.join("design").is_dir()) {
            return Ok(());
        }
        if self.force {
            files::remove_folder(&path.join("design"))?;
        }
        Ok(files::new_folder(path, self.force)?)
    }
}

/// A bar of the search, and a line for each model; only lines where there is no terminal.
struct Shown {
    bar: ProgressBar,
    line: Mutex<Instant>,
}

impl Shown {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:32} {percent} %  {msg}");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, line: Mutex::new(Instant::now()) }
    }

    fn show(&self, event: DesignEvent<'_>) {
        match event {
            DesignEvent::Tables { count } => self.bar.suspend(|| trainer::note!("{count} tables are fitted")),
            DesignEvent::Round { number, of, round } => self.bar.suspend(|| {
                let models = round.candidates.len();
                let models = if models == 1 { "1 model".to_owned() } else { format!("{models} models") };
                let steps = || round.candidates.iter().map(|&candidate| round.steps_of(candidate));
                let (fewest, most) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
                let steps = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
                trainer::note!("round {number} of {of}: {models}, {steps} steps each");
            }),
            DesignEvent::Judged(candidate, outcome) => self.bar.suspend(|| {
                let quality = match (&outcome.device, &outcome.failure) {
                    (Some(metrics), _) => format!("{:.2} dB", metrics.psnr_db),
                    (None, failure) => failure.clone().unwrap_or_default(),
                };
                let bytes = outcome.bytes.unwrap_or(candidate.size.bytes);
                trainer::note!("  {}; {bytes} bytes, {quality}", candidate.words());
            }),
            DesignEvent::Progress(part, left) => {
                self.bar.set_position((1000.0 * part) as u64);
                self.bar.set_message(format!("{} s left", left.as_secs()));
                let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
                if self.bar.is_hidden() && line.elapsed() >= LINE {
                    *line = Instant::now();
                    trainer::note!("{:.0} % done  {} s left", 100.0 * part, left.as_secs());
                }
            }
        }
    }
}
