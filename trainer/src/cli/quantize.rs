//! `trainer quantize`: the model of a run in another precision.

use std::path::PathBuf;

use serde_json::json;
use trainer::artifact::precision::NamedPrecision;
use trainer::base::files;
use trainer::fit::saved_network::SavedNetwork;
use trainer::store::run::RunFolder;

use super::print;

/// Write the network of a run as a model in the precision of your choice.
///
/// No data file is needed: the run keeps samples for calibration. The loss in dB is measured on samples that the
/// calibration does not see.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer quantize runs/camera --precision w16a16 --out camera.ffm")]
pub(crate) struct Quantize {
    /// The folder of a run
    run: PathBuf,
    /// Numbers in the artifact
    #[arg(long)]
    precision: NamedPrecision,
    /// The model to write
    #[arg(long, value_name = "MODEL.ffm")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Quantize {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let folder = RunFolder::open(&self.run)?;
        let saved = SavedNetwork::read(&folder.network())?;
        let exported = saved.exportable.export(self.precision.0)?;
        let artifact = exported.artifact()?;
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
        print(&format!("{precision}  {bytes} bytes, {loss:.3} dB below f32  {}", self.out.display()))
    }
}
