//! `cargo xtask device`: a model on an emulated board, at every sample of a file.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use ndarray::Array2;
use serde::Serialize;
use trainer::artifact::card_text;
use trainer::artifact::export::Artifact;
use trainer::data::metrics::Metrics;
use trainer::data::{self, Dataset, LoadOptions};
use trainer::training::progress::Count;

use crate::boards::{self, Board};
use crate::device::{self, Report};
use crate::firmware::Firmware;
use crate::model;
use crate::provision;

/// Evaluate a model under QEMU at every sample of a file, and compare every output bit with the host
///
/// Example: cargo xtask device runs/camera/model.ffm trainer/data/camera_256.png --board mps2-an505
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The model file (.ffm)
    model: PathBuf,
    /// The samples: a picture, an array, an elevation grid or a table
    input: PathBuf,
    /// The emulated board
    #[arg(long, default_value = boards::DEFAULT)]
    board: String,
    /// Write the device's outputs, in the data's units and shape, to an .npy of f32
    #[arg(long, alias = "outputs", value_name = "FILE.npy")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the command measures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The board.
    pub board: &'static str,
    /// Its core.
    pub core: &'static str,
    /// Points evaluated.
    pub samples: usize,
    /// Points with any differing bit.
    pub mismatched: usize,
    /// PSNR of the device's outputs against the data, dB; the peak is the range of the data.
    pub psnr_db: f64,
    /// Instructions of one evaluation, from a point in the user's units to outputs in the user's units.
    pub instructions_per_sample: f64,
    /// The same within a batch.
    pub instructions_per_sample_batch: f64,
    /// Code and constants of the whole program without the model.
    pub flash_bytes: u64,
    /// The artifact.
    pub model_bytes: usize,
    /// Static RAM, with the scratch that this model needs, without the buffers for the exchange with the host.
    pub ram_bytes: u64,
    /// Deepest use of the stack by an evaluation, painted and measured.
    pub stack_bytes: u64,
}

/// Runs the command.
///
/// # Errors
///
/// Where a file is unfit, a tool is missing, the device fails, or a bit differs.
pub fn run(args: &Args) -> Result<()> {
    let board = Board::find(&args.board)?;
    let artifact = model::read(&args.model)?;
    let given = LoadOptions::default();
    let options = card_text::load_options(artifact.model()?.text(), &args.input, given);
    let data = data::load(&args.input, &options)?;
    let firmware = Firmware::build(&provision::all([board])?, board, None)?;
    let (summary, outputs) = evaluate(&firmware, &artifact, &data)?;
    if let Some(path) = &args.out {
        data.write_outputs(path, &outputs)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        print(&summary);
    }
    if summary.mismatched > 0 {
        bail!("{} of {} samples differ between {} and the host", summary.mismatched, summary.samples, board.name);
    }
    Ok(())
}

/// Evaluates a model on the device at every sample of the data; also returns the outputs `[n, c]`.
///
/// # Errors
///
/// Where data and model do not belong together, or the device fails.
pub fn evaluate(firmware: &Firmware, artifact: &Artifact, data: &Dataset) -> Result<(Summary, Array2<f32>)> {
    let model = artifact.model()?;
    if (data.inputs(), data.outputs()) != (model.inputs(), model.outputs()) {
        bail!(
            "the data have {} inputs and {} outputs, the model {} and {}; use data of the kind it was trained on",
            data.inputs(),
            data.outputs(),
            model.inputs(),
            model.outputs()
        );
    }
    let points = data.points.as_slice().context("the points are not in standard layout")?;
    let mut progress = Count::on_stderr("samples", data.len() as u64);
    let report = device::evaluate_watched(firmware, artifact, points, &mut |done| progress.at(done));
    progress.end();
    let report = report?;
    let outputs = Array2::from_shape_vec(data.targets.dim(), report.outputs.clone())?;
    let metrics = Metrics::compare(&outputs, &data.targets, &data.output_maps);
    Ok((summarize(firmware.board, &report, metrics.psnr_db), outputs))
}

fn summarize(board: &'static Board, report: &Report, psnr_db: f64) -> Summary {
    let rounded = |instructions: f64| (instructions * 10.0).round() / 10.0;
    Summary {
        board: board.name,
        core: board.core,
        samples: report.samples,
        mismatched: report.mismatched,
        psnr_db,
        instructions_per_sample: rounded(report.instructions_single),
        instructions_per_sample_batch: rounded(report.instructions_batch),
        flash_bytes: report.flash_bytes,
        model_bytes: report.model_bytes,
        ram_bytes: report.ram_bytes,
        stack_bytes: report.stack_bytes,
    }
}

fn print(summary: &Summary) {
    println!("board         {} ({})", summary.board, summary.core);
    println!("samples       {}, {} with a differing bit", summary.samples, summary.mismatched);
    println!("PSNR          {:.2} dB on these samples", summary.psnr_db);
    println!(
        "instructions  {:.0} a sample, {:.0} in a batch",
        summary.instructions_per_sample, summary.instructions_per_sample_batch
    );
    println!("flash         {} bytes of program, {} of model", summary.flash_bytes, summary.model_bytes);
    println!("RAM           {} bytes, {} of stack", summary.ram_bytes, summary.stack_bytes);
}
