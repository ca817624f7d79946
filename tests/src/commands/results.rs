//! `cargo xtask results`: the table of precisions and sizes in the trainer's README.

use anyhow::{Context as _, Result};
use firmware_core::Precision;
use ndarray::ArrayView2;
use trainer::artifact::model_file::predict;
use trainer::data::metrics::Metrics;
use trainer::data::{self, Dataset, LoadOptions};
use trainer::fit::FitParams;
use trainer::training::Watch;
use trainer::training::progress;

use crate::baseline::{BilinearTable, bilinear_table};
use crate::firmware::workspace;

/// The table's data sets with the scale σ that suits them.
const DATA: [(&str, f64); 2] = [("camera_256.png", 10.0), ("terrain_elevation.npy", 6.0)];
/// Budgets of the w8a16 artifact in bytes, with the frequencies and the width of three hidden layers that fill them.
const BUDGETS: [(usize, usize, usize); 3] = [(8 << 10, 36, 40), (16 << 10, 60, 56), (32 << 10, 96, 80)];

/// Train models of 8, 16 and 32 KB on the bundled data, and print the table of precisions and sizes of trainer/README.md
///
/// Each cell has the PSNR and the largest error, in the units of the data. `bytes` is the most that the w8a16 artifact may
/// take. The last figures are those of the best table of that size: samples of 8 or 16 bits, fitted by least squares and read
/// by bilinear interpolation.
///
/// Example: cargo xtask results
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Training steps of each network
    #[arg(long, default_value_t = 5000)]
    steps: u64,
}

/// Runs the command.
///
/// # Errors
///
/// Where the bundled data cannot be read or training fails.
pub fn run(args: &Args) -> Result<()> {
    println!("| data | bytes | f32 | w16a16 | w8a16 | best table of as many bytes | command |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (file, scale) in DATA {
        let path = workspace().join("trainer/data").join(file);
        let data = data::load(&path, &LoadOptions::default())?;
        for (budget, frequencies, width) in BUDGETS {
            let mut params = FitParams { hidden: vec![width; 3], steps: args.steps, ..FitParams::default() };
            params.encoding.frequencies = frequencies;
            params.encoding.scale = scale;
            eprintln!("{file}, {} KB", budget >> 10);
            let row = Row::new(&data, &params, budget)?;
            let command = format!(
                "trainer fit trainer/data/{file} --out RUN --frequencies {frequencies} --scale {scale} \
                 --hidden {width},{width},{width} --steps {}",
                args.steps
            );
            row.print(file, budget, &command);
        }
    }
    Ok(())
}

struct Row {
    f32: Metrics,
    w16a16: Metrics,
    w8a16: Metrics,
    table: Metrics,
    shape: BilinearTable,
}

impl Row {
    fn new(data: &Dataset, params: &FitParams, budget: usize) -> Result<Self> {
        let valid = params.check(data.inputs(), data.outputs())?;
        let mut bar = progress::on_stderr(params.steps, 0);
        let fitted = valid.fit(data, &mut Watch { progress: Some(bar.as_mut()), ..Watch::default() })?;
        let measure = |precision| -> Result<Metrics> {
            let artifact = fitted.artifact(data, precision)?;
            let bytes = artifact.as_bytes().len();
            anyhow::ensure!(precision != Precision::W8A16 || bytes <= budget, "{bytes} bytes are over the budget");
            let outputs = predict(&artifact.model()?, &data.points)?;
            Ok(Metrics::compare(&outputs, &data.targets, &data.output_maps))
        };
        let grid = data.grid_shape().context("the bundled data are grids")?;
        let values = ArrayView2::from_shape((grid[0], grid[1]), data.targets.as_slice().context("row-major")?)?;
        let (map, candidates) = (data.output_maps[0], [8, 16].map(|bits| bilinear_table(values, budget, bits)));
        let measured = candidates.map(|table| {
            let outputs = table.values.mapv(|unit| unit * map.scale + map.offset);
            let outputs = outputs.into_shape_with_order(data.targets.raw_dim()).expect("as many as the grid");
            (Metrics::compare(&outputs, &data.targets, &data.output_maps), table)
        });
        let [first, second] = measured;
        let (table, shape) = if first.0.psnr_db >= second.0.psnr_db { first } else { second };
        Ok(Self {
            f32: measure(Precision::F32)?,
            w16a16: measure(Precision::W16A16)?,
            w8a16: measure(Precision::W8A16)?,
            table,
            shape,
        })
    }

    fn print(&self, file: &str, budget: usize, command: &str) {
        let (rows, columns) = self.shape.shape;
        let cell = |metrics: &Metrics| format!("{:.2} dB, {:.3}", metrics.psnr_db, metrics.outputs[0].max_abs_error);
        println!(
            "| `{file}` | {} K | {} | {} | {} | {} ({rows}×{columns}, {} bit) | `{command}` |",
            budget >> 10,
            cell(&self.f32),
            cell(&self.w16a16),
            cell(&self.w8a16),
            cell(&self.table),
            self.shape.bits,
        );
    }
}
