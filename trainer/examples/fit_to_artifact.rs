//! Trains a small network on a file of data, writes it as an artifact, and says how well the artifact meets the data.
//!
//! ```text
//! cargo run -p trainer --example fit_to_artifact -- [DATA] [MODEL.ffm]
//! ```
//!
//! Without arguments it reads a bundled table of a thermocouple and writes `thermocouple_k.ffm` to the current
//! directory.

use std::path::PathBuf;

use firmware_core::Precision;
use trainer::artifact::model_file::predict;
use trainer::base::files;
use trainer::data::metrics::Metrics;
use trainer::data::{LoadOptions, load};
use trainer::fit::FitParams;
use trainer::network::encoding::EncodingParams;
use trainer::training::Watch;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/data/thermocouple_k.csv");
    let input = arguments.next().unwrap_or_else(|| bundled.into());
    let model = arguments.next().unwrap_or_else(|| input.with_extension("ffm").file_name().unwrap_or_default().into());

    let data = load(&input, &LoadOptions::default())?;
    println!("{}", data.summary());

    let encoding = EncodingParams { scale: 1.0, frequencies: 12, ..EncodingParams::default() };
    let params = FitParams { encoding, hidden: vec![24, 24], ..FitParams::default() };
    let fitted = params.check(data.inputs(), data.outputs())?.fit(&data, &mut Watch::default())?;

    let artifact = fitted.artifact(&data, Precision::W8A16)?;
    files::write(&model, artifact.as_bytes())?;

    let outputs = predict(&artifact.model()?, &data.points)?;
    let metrics = Metrics::compare(&outputs, &data.targets, &data.output_maps);
    println!("trained samples: {}", metrics.lines(&data.output_names, &data.output_units).join("; "));
    println!("{} ({} bytes)", model.display(), artifact.as_bytes().len());
    Ok(())
}
