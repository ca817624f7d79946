//! `cargo xtask demo`: from a file of data to the same bits on a device, with a report.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use trainer::artifact::card_text;
use trainer::base::files;
use trainer::base::fingerprint::fingerprint_of;
use trainer::data::{self, LoadOptions};

use super::device::{self, Summary};
use crate::boards::{self, Board};
use crate::firmware::{self, Firmware};
use crate::model;
use crate::process;
use crate::provision;
use crate::trainer_program;

/// Train on data, quantize, run on an emulated board, and compare every output bit with the host
///
/// Example: cargo xtask demo --input sensor.csv --board microbit -- --outputs pressure
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A picture, an array, an elevation grid or a table [default: the bundled photograph]
    #[arg(long)]
    input: Option<PathBuf>,
    /// The emulated board
    #[arg(long, default_value = boards::DEFAULT)]
    board: String,
    /// Options for `trainer fit`, after --
    #[arg(last = true, value_name = "OPTIONS")]
    fit_options: Vec<String>,
}

/// The data that are trained on unless others are named, from the workspace's folder.
const BUNDLED: &str = "trainer/data/camera_256.png";

/// The part of a run's `metrics.json` that is shown.
#[derive(Deserialize)]
struct Outcome {
    f32: Quality,
    precision: String,
}

#[derive(Deserialize)]
struct Quality {
    train: TrainMetrics,
}

#[derive(Deserialize)]
struct TrainMetrics {
    psnr_db: Option<f64>, // null where there is no error at all
}

/// Runs the command.
///
/// # Errors
///
/// Where the data are unfit, a tool is missing, the device fails, or a bit differs.
pub fn run(args: &Args) -> Result<()> {
    let board = Board::find(&args.board)?;
    let input = match &args.input {
        Some(input) => std::path::absolute(input)?,
        None => firmware::workspace().join(BUNDLED),
    };
    let toolchain = provision::all([board])?;
    eprintln!("Building the program `trainer`");
    let trainer = trainer_program::build()?;
    let folder = train(&trainer, &input, &args.fit_options)?;
    let artifact = model::read(&folder.join("model.ffm"))?;
    let options = card_text::load_options(artifact.model()?.text(), &input, LoadOptions::default());
    let data = data::load(&input, &options)?;

    eprintln!(
        "Building the firmware for {} ({}); the first time this takes about half a minute",
        board.name, board.core
    );
    let firmware = Firmware::build(&toolchain, board, None)?;
    eprintln!("Evaluating {} samples under QEMU, which emulates the board instruction by instruction", data.len());
    let (summary, _) = device::evaluate(&firmware, &artifact, &data)?;

    let rows = table(&input, &folder, &summary)?;
    add_to_report(&folder.join("report.html"), &rows)?;
    for (name, value) in &rows {
        println!("{name:13} {value}");
    }
    println!("{:13} {}", "report", shown(&folder.join("report.html")));
    if summary.mismatched > 0 {
        bail!("{} of {} samples differ between {} and the host", summary.mismatched, summary.samples, board.name);
    }
    eprintln!("{NEXT}");
    Ok(())
}

/// What the demo's user may want to do next.
const NEXT: &str = "\
What to try next:
  cargo xtask demo --input YOUR-DATA.csv         the same with a table, a picture or an array of your own
  cargo xtask demo --board microbit              the same on a small board, without a floating-point unit
  cargo run -p trainer -- fit --help             how to choose the size, the encoding and the precision of a network
  cargo run -p trainer -- predict --help         what a model gives at any point";

/// Trains, and returns the run's folder; a run that the same program made from the same data and options is kept.
fn train(trainer: &Path, input: &Path, options: &[String]) -> Result<PathBuf> {
    let stem = input.file_stem().context("the input has no file name")?.to_string_lossy().into_owned();
    let folder = firmware::workspace().join("runs").join(format!("demo-{stem}"));
    let data = files::read(input)?;
    let program = files::read(trainer)?;
    let stamp = format!("{:016x} {:016x} {}", fingerprint_of(data), fingerprint_of(program), options.join(" "));
    let stamp_path = folder.join("demo.stamp");
    if fs::read_to_string(&stamp_path).is_ok_and(|found| found == stamp) {
        eprintln!("Nothing has changed since {} was trained", shown(&folder));
        return Ok(folder);
    }
    eprintln!("Training on {}; the program below tells how long it still takes", shown(input));
    let mut command = Command::new(trainer);
    command.arg("fit").arg(input).arg("--out").arg(&folder).arg("--force").args(options);
    // The trainer's summary would stand between the demo's lines on standard output.
    process::run(command.stdout(std::io::stderr()))?;
    files::write(&stamp_path, stamp.as_bytes())?;
    Ok(folder)
}

/// The demo's result: names and values.
fn table(input: &Path, folder: &Path, summary: &Summary) -> Result<Vec<(&'static str, String)>> {
    let metrics = folder.join("metrics.json");
    let text = fs::read_to_string(&metrics).with_context(|| format!("cannot read {}", metrics.display()))?;
    let outcome: Outcome =
        serde_json::from_str(&text).with_context(|| format!("{} is not a run's metrics", metrics.display()))?;
    let trained = outcome.f32.train.psnr_db.unwrap_or(f64::INFINITY);
    Ok(vec![
        ("data", format!("{}, {} samples", shown(input), summary.samples)),
        ("trained", format!("{trained:.2} dB on the samples it was trained on, in f32 on the desktop")),
        (
            "device",
            format!(
                "{:.2} dB on all samples, in {} on {} ({})",
                summary.psnr_db, outcome.precision, summary.board, summary.core
            ),
        ),
        ("differing", format!("{} of {} samples between desktop and device", summary.mismatched, summary.samples)),
        (
            "instructions",
            format!(
                "{:.0} a sample, {:.0} in a batch",
                summary.instructions_per_sample, summary.instructions_per_sample_batch
            ),
        ),
        ("flash", format!("{} bytes of model, {} of program with its log", summary.model_bytes, summary.flash_bytes)),
        ("RAM", format!("{} bytes, {} of stack", summary.ram_bytes, summary.stack_bytes)),
    ])
}

/// Puts the table at the end of the run's report, in place of an earlier one.
fn add_to_report(path: &Path, rows: &[(&str, String)]) -> Result<()> {
    const MARK: &str = "<!-- device -->\n";
    const END: &str = "</body>";
    let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let kept = page.split(MARK).next().unwrap_or(&page);
    let body = kept.split(END).next().unwrap_or(kept);
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let rows: String =
        rows.iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{}</td></tr>\n", escape(value))).collect();
    let page = format!("{body}{MARK}<h2>On the device</h2>\n<table>\n{rows}</table>\n{END}\n</html>\n");
    Ok(files::write(path, page.as_bytes())?)
}

/// A path as it is short from here.
fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
