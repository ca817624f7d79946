//! `trainer quantize`: the model of a run in another precision.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::json;
use trainer::artifact::model_file::is_model_file;
use trainer::artifact::precision::NamedPrecision;
use trainer::base::files;
use trainer::fit::exportable::calibration;
use trainer::fit::saved_network::SavedNetwork;
use trainer::store::run::RunFolder;

use super::outputs::{check_outputs, check_replaced};
use super::print;

/// Write the trained network of a run as a model file in another precision.
///
/// The data file is not needed, since the run keeps some samples to calibrate with. The loss in dB is measured on
/// kept samples that the calibration does not use.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer quantize runs/camera --precision w16a16 --out camera.ffm")]
pub(crate) struct Quantize {
    /// The folder of a run, as `trainer fit` makes it
    run: PathBuf,
    /// Number format of the model: w8a16 has weights of 8 bits and activations of 16 bits; w16a16 has 16 bits for
    /// both; f32 is floating point
    #[arg(long)]
    precision: NamedPrecision,
    /// The model file to write
    #[arg(long, value_name = "MODEL.ffm")]
    out: PathBuf,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

impl Quantize {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        check_outputs(&[], &[Some(&self.out)])?;
        check_replaced(&self.out, "exists, is no model file, and is kept; choose another --out", is_model_file)?;
        check_no_run(&self.out)?;
        let folder = RunFolder::open(&self.run)?;
        let saved = SavedNetwork::read(&folder.network())?;
        let of_file = || folder.network().display().to_string();
        let exported = saved.exportable.export(self.precision.0).with_context(of_file)?;
        let artifact = exported.artifact().with_context(of_file)?;
        files::write(&self.out, artifact.as_bytes())?;
        let precision = self.precision;
        let (bytes, loss) = (artifact.as_bytes().len(), exported.quantization_loss_db);
        if self.json {
            let object = json!({
                "model": self.out,
                "precision": precision,
                "model_bytes": bytes,
                "quantization_loss_db": loss,
                "training_psnr_db": saved.exportable.training_psnr_db,
            });
            return print(&serde_json::to_string_pretty(&object)?);
        }
        let (_, measured) = calibration(saved.exportable.coordinates.nrows());
        let loss = if loss.is_nan() {
            "loss against f32 not known".to_owned()
        } else {
            format!("{loss:.3} dB below f32 over {measured} samples that it was trained on")
        };
        print(&format!("{precision}  {bytes} bytes, {loss}  {}", self.out.display()))
    }
}

/// Refuses the model of a run, this one or another: its report and its metrics would then tell of another model.
fn check_no_run(out: &Path) -> anyhow::Result<()> {
    let Ok(out_in_full) = out.canonicalize() else { return Ok(()) };
    let run = out_in_full.parent().and_then(|folder| RunFolder::open(folder).ok());
    ensure!(
        run.is_none_or(|run| run.model() != out_in_full),
        "{} is the model that the report and the metrics of its run tell of, and is kept; choose another --out",
        out.display()
    );
    Ok(())
}
