//! `trainer inspect`: the model card.

use std::path::PathBuf;

use trainer::artifact::model_card::ModelCard;
use trainer::artifact::model_file::ModelFile;

use super::print;

/// Show what a model file holds: shapes, encoding, ranges, memory that it needs, quality, checksum.
///
/// Where an input or output is counted from an origin, a line such as "x = northing in the file - 4649770" gives the
/// constant that a program on the device subtracts or adds; in JSON it is "origin". The ranges are those of x.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer inspect runs/camera/model.ffm")]
pub(crate) struct Inspect {
    /// The model file (.ffm)
    model: PathBuf,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let file = ModelFile::read(&self.model)?;
        let card = ModelCard::new(&file.model()?, file.bytes().len());
        if self.json { print(&serde_json::to_string_pretty(&card)?) } else { print(card.to_string().trim_end()) }
    }
}
