//! `trainer sweep`: many settings on one data set; `trainer collect`: the shards of a sweep put together.

use crate::cli::hold::{Others, hold_while_made};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trainer::artifact::precision::NamedPrecision;
use trainer::base::side_by_side::available_threads;
use trainer::fit::auto_scale::Setting;
use trainer::sweep::grid::parse_list;
use trainer::sweep::table::Table;
use trainer::sweep::{Grid, Shard, SweepError, SweepEvent, SweepStore, SweepWatch};
use trainer::training::Ended;

use super::fit;
use super::number::from_one;
use super::trained::TRAINING;
use super::{interrupt, print, warn_of_redundant_frequencies};

/// Samples held out where nothing is said.
const HOLDOUT: f64 = 0.1;
/// Fewer held-out samples than this hardly tell settings apart.
const FEW_JUDGES: usize = 20;

/// Train with every combination of the given values, and compare them on held-out samples.
///
/// All other options are those of `trainer fit`. Several trainings run at the same time, on one thread each; their
/// results do not depend on how many. The folder --out gets sweep.csv, sweep.json, sweep.png and sweep.svg, and a
/// small file for each finished training. The same command continues after ctrl-C, SIGTERM (a time limit of Slurm) or
/// a crash. A tenth of the samples is held out unless --holdout says otherwise.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer sweep camera_256.png --scales 1,2,4,8,16,32 --out sweeps/camera\n  \
                        trainer sweep wave.npy --encoding fourier --amplitude-powers 0,0.5,1,2,inf --frequency-counts 16,64 --out sweeps/wave\n\n\
                        A large sweep as a Slurm job array, in a directory that all nodes see:\n  \
                        #!/bin/bash\n  \
                        #SBATCH --array=1-20 --cpus-per-task=8\n  \
                        trainer sweep data.npy --scales 1,2,4,8 --widths 32,64,128 --out sweeps/data --shard $SLURM_ARRAY_TASK_ID/20\n  \
                        # and when all are done: trainer collect sweeps/data\n\
                        Kubernetes: --shard $((JOB_COMPLETION_INDEX + 1))/20. Shards may also have an --out each; collect takes them all.")]
#[command(allow_negative_numbers = true)]
pub(crate) struct Sweep {
    /// A picture, an array (.npy, .npz), an elevation grid (GeoTIFF, .asc, .hgt) or a table
    #[arg(required_unless_present = "points")]
    input: Option<PathBuf>,
    /// The folder of the sweep; a folder that holds the same sweep is continued
    #[arg(short, long, visible_alias = "output-dir", value_name = "DIR")]
    out: PathBuf,
    /// Values of --scale to try, such as 1,2,4,8
    #[arg(long, value_name = "LIST", conflicts_with = "scale", allow_hyphen_values = true)]
    scales: Option<String>,
    /// Values of --amplitude-power to try, such as 0,1,inf
    #[arg(long, value_name = "LIST", conflicts_with = "amplitude_power", allow_hyphen_values = true)]
    amplitude_powers: Option<String>,
    /// Values of --frequencies to try, such as 32,64,128
    #[arg(long, value_name = "LIST", conflicts_with = "frequencies", allow_hyphen_values = true)]
    frequency_counts: Option<String>,
    /// Widths to try, such as 32,64; all hidden layers get the same [default: the first width of --hidden]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    widths: Option<String>,
    /// Numbers of hidden layers to try, such as 2,3 [default: as many as in --hidden]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    depths: Option<String>,
    /// Do only the i-th of n parts of the sweep, with i from 1
    #[arg(long, value_name = "i/n", allow_hyphen_values = true)]
    shard: Option<String>,
    /// Number of trainings at the same time [default: the number of threads of this computer]
    #[arg(long, value_parser = from_one::<usize>)]
    threads: Option<usize>,
    #[command(flatten)]
    settings: fit::Settings,
    /// Number of training steps; each updates all parameters once [default: 2000]
    #[arg(
        long, help_heading = TRAINING, display_order = 0, aliases = ["iterations", "iters"],
        value_parser = from_one::<u64>
    )]
    steps: Option<u64>,
    /// Print the results as one JSON object; progress goes to standard error
    #[arg(long)]
    json: bool,
}

impl Sweep {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Some(setting) = self.settings.settings_to_choose().next() {
            let numbers = match setting {
                Setting::Scale => "--scales 1,2,4,8",
                Setting::AmplitudePower => "--amplitude-powers 0,0.5,1,2",
            };
            bail!("{} auto chooses for one training; give a sweep numbers, such as {numbers}", setting.option());
        }
        let grid = self.grid()?;
        let shard = self.shard.as_deref().map_or(Ok(Shard::WHOLE), str::parse)?;
        let mut base = self.settings.fit_settings(self.settings.input(self.input.as_ref())?.clone(), self.steps);
        if !self.settings.has_holdout() {
            base.fit.holdout = trainer::data::Holdout::Fraction(HOLDOUT);
        }
        let NamedPrecision(precision) = *base.precision.get_or_insert_default();
        let (dataset, _) = self.settings.read_data(&mut base)?;
        self.settings.warn_of_options_without_effect();
        self.settings.warn_of_uneven_frequencies(dataset.inputs());
        let sweep = trainer::sweep::Sweep::new(base, grid, precision, &dataset)?;
        let settings = sweep.settings().iter();
        warn_of_redundant_frequencies(settings.map(|setting| (&setting.params().encoding, setting.encoding())));
        let stop = interrupt::catch()?;
        let others = if self.shard.is_some() { Others::Shards } else { Others::Refused };
        let store = hold_while_made(&self.out, others, || Ok(SweepStore::create(&self.out, sweep.manifest())?))?;
        let (bar, finished) = (Progress::new(), AtomicUsize::new(0));
        let watch = SweepWatch {
            threads: self.threads.unwrap_or_else(available_threads),
            stop,
            tell: &|event| bar.show(event, &finished),
        };
        let ended = sweep.run(&store, shard, watch);
        bar.0.finish_and_clear();
        let ended = ended?;
        report(std::slice::from_ref(&self.out), &self.out, self.json)?;
        if ended == Ended::Interrupted {
            trainer::note!("interrupted; the same command continues");
            interrupt::exit();
        }
        Ok(())
    }

    fn grid(&self) -> Result<Grid, SweepError> {
        fn list<T>(
            text: Option<&String>,
            parse: impl Fn(&str) -> Result<Vec<T>, SweepError>,
        ) -> Result<Vec<T>, SweepError> {
            text.map_or_else(|| Ok(Vec::new()), |text| parse(text))
        }
        let counts =
            |option, text| list(text, |text| parse_list(option, text, "whole numbers from 1", |&count| count > 0));
        Ok(Grid {
            scales: list(self.scales.as_ref(), |text| {
                parse_list("--scales", text, "positive numbers", |&scale: &f64| scale > 0.0 && scale.is_finite())
            })?,
            amplitude_powers: list(self.amplitude_powers.as_ref(), |text| {
                parse_list("--amplitude-powers", text, "numbers from 0, or inf", |&power: &f64| power >= 0.0)
            })?,
            frequency_counts: counts("--frequency-counts", self.frequency_counts.as_ref())?,
            widths: counts("--widths", self.widths.as_ref())?,
            depths: counts("--depths", self.depths.as_ref())?,
        })
    }
}

/// Put the parts of a sweep together in one table and one plot, and name what is missing.
///
/// The folders must hold the same sweep of the same data. sweep.csv, sweep.json, sweep.png and sweep.svg are written
/// to --out. Trainings that are not finished are named on standard error; the exit code is then 2, so that a script
/// can tell.
#[derive(clap::Args)]
#[command(after_help = "Example: trainer collect sweeps/part-*/ --out sweeps/all")]
pub(crate) struct Collect {
    /// The folders that `trainer sweep` wrote to (its --out)
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The folder for the table and the plot; it is made if need be [default: the first DIR]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

/// The exit code where settings are missing: neither success nor an error of the command.
const INCOMPLETE: i32 = 2;

impl Collect {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let out = self.out.as_ref().unwrap_or(&self.directories[0]);
        if !self.directories.iter().any(|directory| directory.canonicalize().ok() == out.canonicalize().ok()) {
            let tables = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with("sweep.");
            let strange = std::fs::read_dir(out).is_ok_and(|entries| !entries.flatten().all(|entry| tables(&entry)));
            ensure!(
                !strange,
                "{} holds more than the tables of a collected sweep; choose another --out",
                out.display()
            );
        }
        if !report(&self.directories, out, self.json)? {
            std::process::exit(INCOMPLETE);
        }
        Ok(())
    }
}

/// Writes and prints what is finished, and names what is not; whether all is.
fn report(directories: &[PathBuf], out: &Path, as_json: bool) -> anyhow::Result<bool> {
    let (manifest, rows) = SweepStore::collect(directories)?;
    let table = Table::new(manifest, rows);
    trainer::base::files::make_folder(out)?;
    table.write(out)?;
    let missing = table.missing_names()?;
    if as_json {
        print(String::from_utf8_lossy(&table.json()).trim_end())?;
    } else {
        let mut text = table.text();
        if let Some(best) = table.best() {
            text += &format!("\n\nbest    {}: {:.2} dB held out", table.name(best), best.test_psnr_db());
            if let Some(measured) = &best.measured {
                let (judges, learned) = (measured.test.samples, measured.train.samples);
                text += &format!("\njudged  on {judges} held-out samples; {learned} others trained");
                if judges < FEW_JUDGES {
                    trainer::note!(
                        "note: the settings are judged on {judges} held-out samples only, so that one may be ahead by chance; a \
                         larger part, such as --holdout 0.5, tells more"
                    );
                }
            }
            let edges = table.edges();
            if !edges.is_empty() {
                trainer::note!(
                    "The best setting lies at the edge of the values tried ({}); a better one may lie beyond.",
                    edges.join(", ")
                );
            }
        }
        text += &format!("\ntable   {}\nplot    {}", out.join("sweep.csv").display(), out.join("sweep.png").display());
        print(&text)?;
    }
    if !missing.is_empty() {
        const NAMED: usize = 20;
        let named = missing.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
        let more = if missing.len() > NAMED { "; …" } else { "" };
        let all = missing.len() + table.rows().count();
        trainer::note!("not finished: {} of {all} settings ({named}{more})", missing.len());
    }
    Ok(missing.is_empty())
}

/// A bar of steps, and a line for each finished setting; only the lines where there is no terminal.
struct Progress(ProgressBar);

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} steps  {eta} left");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    fn show(&self, event: SweepEvent<'_>, finished: &AtomicUsize) {
        match event {
            SweepEvent::Begin { settings, steps } => self.0.set_length((settings as u64).saturating_mul(steps)),
            SweepEvent::Steps(steps) => self.0.inc(steps),
            SweepEvent::Finished(row) => {
                let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
                let quality = match &row.measured {
                    Some(measured) => format!("held out {:.2} dB", measured.test.psnr_db),
                    None => row.failure.clone().unwrap_or_default(),
                };
                let seconds = row.seconds.map_or(String::new(), |seconds| format!(", {seconds:.1} s"));
                self.0.suspend(|| {
                    trainer::note!("setting {} finished ({count} in this run): {quality}{seconds}", row.index);
                });
            }
        }
    }
}
