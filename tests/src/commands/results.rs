//! `cargo xtask results`: the table of sizes and kinds of model in the trainer's README.

use anyhow::{Context as _, Result};
use firmware_core::Precision;
use image::codecs::jpeg::JpegEncoder;
use ndarray::Array2;
use trainer::artifact::model_file::predict;
use trainer::data::metrics::Metrics;
use trainer::data::{self, Dataset, LoadOptions};
use trainer::design::cost::Core;
use trainer::fit::FitParams;
use trainer::network::encoding::{EncodingKind, EncodingParams};
use trainer::network::grid::{GridParams, Nodes};
use trainer::training::Watch;
use trainer::training::progress;

use crate::boards;
use crate::firmware::workspace;

/// The table's data sets with the scale σ that suits them.
const DATA: [(&str, f64); 2] = [("camera_256.png", 10.0), ("terrain_elevation.npy", 6.0)];
/// Bits of a coefficient, and orders of the splines, of the tables that are tried.
const BITS: [u8; 4] = [4, 5, 6, 8];
const ORDERS: [u8; 2] = [1, 2];
/// Bytes of a table's artifact that are no coefficients: header, axes, names and settings.
const TABLE_OVERHEAD: usize = 400;

/// A budget of bytes, and what fills it.
struct Budget {
    bytes: usize,
    /// Frequencies, and the width of three hidden layers.
    frequencies: usize,
    width: usize,
    /// Nodes along both axes of four grids of two channels, before layers of 32 and 32.
    pyramid: [u32; 4],
    /// The same of seven grids of one channel and 6 bits, and the width of three layers behind them.
    dense: ([u32; 7], usize),
}

const BUDGETS: [Budget; 3] = [
    Budget {
        bytes: 8 << 10,
        frequencies: 36,
        width: 40,
        pyramid: [8, 16, 30, 40],
        dense: ([6, 10, 16, 23, 29, 35, 41], 36),
    },
    Budget {
        bytes: 16 << 10,
        frequencies: 60,
        width: 56,
        pyramid: [12, 24, 46, 63],
        dense: ([10, 17, 27, 37, 48, 58, 68], 48),
    },
    Budget {
        bytes: 32 << 10,
        frequencies: 96,
        width: 80,
        pyramid: [16, 32, 64, 96],
        dense: ([15, 25, 40, 55, 70, 85, 100], 68),
    },
];

/// Train models of 8, 16 and 32 KB on the bundled data, and print the table of sizes and kinds of trainer/README.md
///
/// The PSNR and the largest error, in the units of the data, are those of the w8a16 artifact over all samples, which
/// are also the samples trained on. Beside the networks stand tables of as many bytes: linear and quadratic B-splines
/// of 4, 5, 6 and 8 bits, fitted by least squares and rounded with error feedback. Instructions are those of one
/// evaluation on a Cortex-M4F, estimated as `trainer design` does. For information, the last row of the picture is a
/// JPEG file of as many bytes, whose decoder must read the whole picture to give one value.
///
/// Example: cargo xtask results
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Training steps of each network
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Only the budget of so many kilobytes
    #[arg(long)]
    kilobytes: Option<usize>,
}

/// Runs the command.
///
/// # Errors
///
/// Where the bundled data cannot be read or training fails.
pub fn run(args: &Args) -> Result<()> {
    println!("| data | model | bytes | PSNR | largest error | instructions | options of `trainer fit` |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (file, scale) in DATA {
        let data = data::load(&workspace().join("trainer/data").join(file), &LoadOptions::default())?;
        for budget in BUDGETS.iter().filter(|budget| args.kilobytes.is_none_or(|wanted| wanted << 10 == budget.bytes)) {
            eprintln!("{file}, {} KB", budget.bytes >> 10);
            let mut rows = Vec::new();
            for (order, bits) in ORDERS.into_iter().flat_map(|order| BITS.map(|bits| (order, bits))) {
                rows.push(Row::table(&data, budget, (order, bits))?);
            }
            for kind in [Kind::Relu, Kind::Sine, Kind::Pyramid, Kind::Dense] {
                rows.push(Row::network(
                    &data,
                    kind.params(budget, scale, args.steps),
                    kind.describe(budget, scale, args.steps),
                )?);
            }
            if file.ends_with(".png") {
                rows.extend(Row::jpeg(&data, budget)?);
            }
            for row in rows {
                anyhow::ensure!(row.bytes <= budget.bytes, "{}: {} bytes are over the budget", row.name, row.bytes);
                row.print(file);
            }
        }
    }
    Ok(())
}

/// A kind of network.
#[derive(Clone, Copy)]
enum Kind {
    Relu,
    Sine,
    Pyramid,
    Dense,
}

impl Kind {
    fn params(self, budget: &Budget, scale: f64, steps: u64) -> FitParams {
        let base = FitParams { steps, ..FitParams::default() };
        let fourier = EncodingParams { frequencies: budget.frequencies, scale, ..base.encoding.clone() };
        match self {
            Self::Relu => FitParams { encoding: fourier, hidden: vec![budget.width; 3], ..base },
            Self::Sine => FitParams { encoding: fourier, hidden: vec![budget.width; 3], ..base }.with_sines(),
            Self::Pyramid | Self::Dense => {
                let (levels, hidden) = self.grids(budget);
                let levels = levels.iter().map(|&nodes| Nodes(vec![nodes])).collect();
                let grid = match self {
                    Self::Dense => GridParams { levels, channels: 1, bits: 6, ..GridParams::default() },
                    _ => GridParams { levels, ..GridParams::default() },
                };
                let encoding = EncodingParams { kind: EncodingKind::Grid, grid, ..base.encoding.clone() };
                FitParams { encoding, hidden, ..base }
            }
        }
    }

    /// Nodes of the grids, and the hidden layers behind them; none without grids.
    fn grids(self, budget: &Budget) -> (&[u32], Vec<usize>) {
        match self {
            Self::Pyramid => (&budget.pyramid, vec![32, 32]),
            Self::Dense => (&budget.dense.0, vec![budget.dense.1; 3]),
            Self::Relu | Self::Sine => (&[], Vec::new()),
        }
    }

    /// The name of the model, and the options that make it.
    fn describe(self, budget: &Budget, scale: f64, steps: u64) -> (String, String) {
        let Budget { frequencies, width, .. } = budget;
        let fourier = format!("--frequencies {frequencies} --scale {scale} --hidden {width},{width},{width}");
        let (name, options) = match self {
            Self::Relu => ("Fourier features, ReLU", fourier),
            Self::Sine => ("Fourier features, sine", format!("{fourier} --activation sine")),
            Self::Pyramid | Self::Dense => {
                let (levels, hidden) = self.grids(budget);
                let levels = levels.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
                let hidden = hidden.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
                let options = format!("--encoding grid --levels {levels} --hidden {hidden}");
                match self {
                    Self::Dense => ("seven grids, ReLU", format!("{options} --channels 1 --bits 6")),
                    _ => ("four grids, ReLU", options),
                }
            }
        };
        (name.to_owned(), format!("{options} --steps {steps}"))
    }
}

/// A model and how good it is.
struct Row {
    name: String,
    options: String,
    bytes: usize,
    /// Of one evaluation; none where values cannot be had one by one.
    instructions: Option<f64>,
    metrics: Metrics,
}

impl Row {
    fn network(data: &Dataset, params: FitParams, (name, options): (String, String)) -> Result<Self> {
        let valid = params.check(data.inputs(), data.outputs())?;
        let mut bar = progress::on_stderr(params.steps, 0);
        let fitted = valid.fit(data, &mut Watch { progress: Some(bar.as_mut()), ..Watch::default() })?;
        let artifact = fitted.artifact(data, Precision::W8A16)?;
        let model = artifact.model()?;
        let metrics = Metrics::compare(&predict(&model, &data.points)?, &data.targets, &data.output_maps);
        let instructions = Some(Core::find(boards::DEFAULT)?.instructions(model.header()));
        Ok(Self { name, options, bytes: artifact.as_bytes().len(), instructions, metrics })
    }

    fn table(data: &Dataset, budget: &Budget, (order, bits): (u8, u8)) -> Result<Self> {
        let coefficients = 8 * (budget.bytes - TABLE_OVERHEAD) / usize::from(bits);
        let nodes = coefficients.isqrt() as u32;
        let grid = GridParams { levels: vec![Nodes(vec![nodes])], order, bits, ..GridParams::default() };
        let encoding = EncodingParams { kind: EncodingKind::Table, grid, ..EncodingParams::default() };
        let name = format!("{} table of {bits} bits", if order == 1 { "linear" } else { "quadratic" });
        let options = format!("--encoding table --levels {nodes} --order {order} --bits {bits}");
        Self::network(data, FitParams { encoding, ..FitParams::default() }, (name, options))
    }

    /// The JPEG file of the best quality within the budget; none if the lowest quality takes more.
    fn jpeg(data: &Dataset, budget: &Budget) -> Result<Option<Self>> {
        let [height, width] = data.grid_shape().context("a picture has two axes")?[..] else { return Ok(None) };
        let pixels: Vec<u8> = data.targets.iter().map(|value| (255.0 * value).round() as u8).collect();
        let mut best = None;
        for quality in 1..=100 {
            let mut file = Vec::new();
            let encoder = JpegEncoder::new_with_quality(&mut file, quality);
            image::ImageEncoder::write_image(
                encoder,
                &pixels,
                width as u32,
                height as u32,
                image::ExtendedColorType::L8,
            )?;
            if file.len() <= budget.bytes {
                best = Some((quality, file));
            }
        }
        let Some((quality, file)) = best else { return Ok(None) };
        let decoded = image::load_from_memory(&file)?.to_luma32f();
        let values = Array2::from_shape_vec((decoded.len(), 1), decoded.into_raw())?;
        let metrics = Metrics::compare(&values, &data.targets, &data.output_maps);
        let name = format!("JPEG of quality {quality}");
        Ok(Some(Self { name, options: String::new(), bytes: file.len(), instructions: None, metrics }))
    }

    fn print(&self, file: &str) {
        let instructions = self.instructions.map_or_else(|| "—".to_owned(), |count| format!("{count:.0}"));
        let Self { name, options, bytes, metrics, .. } = self;
        let largest = metrics.outputs[0].max_abs_error;
        println!(
            "| `{file}` | {name} | {bytes} | {:.2} dB | {largest:.3} | {instructions} | `{options}` |",
            metrics.psnr_db
        );
    }
}
