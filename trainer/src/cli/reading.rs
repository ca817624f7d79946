//! How a file of data is read: the options that `fit`, `sweep`, `evaluate` and `predict` share.

use std::path::Path;

use trainer::dataset::{Dataset, DatasetError, LoadOptions, load};

/// Options of reading; which columns are what is named by each command itself.
#[derive(clap::Args, Clone, Default, PartialEq)]
#[command(next_help_heading = "Reading the data")]
pub(super) struct ReadingArgs {
    /// The last axis of an .npy holds the outputs [default: as in training, where there is a model]
    #[arg(long)]
    channels_last: bool,
    /// An .npy of height x width x 3 or 4 is a volume, not a picture in colours
    #[arg(long, conflicts_with = "channels_last")]
    volume: bool,
    /// The array of an .npz to read, if it holds several
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// Values that stand for missing data: samples with one of them are left out [default: as in training, where there is a model]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "VALUES")]
    no_data: Vec<f64>,
}

impl ReadingArgs {
    /// The options for [`load`], with the columns of a table that are inputs and outputs.
    pub(super) fn options(&self, inputs: &[String], outputs: &[String]) -> LoadOptions {
        LoadOptions {
            channels_last: self.channels_last,
            volume: self.volume,
            array: self.array.clone(),
            targets: None,
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            no_data: self.no_data.clone(),
        }
    }
}

/// Reads a file and says on standard error what was skipped or assumed.
pub(super) fn load_and_tell(path: &Path, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    let dataset = load(path, options)?;
    for note in &dataset.notes {
        trainer::note!("{note}");
    }
    Ok(dataset)
}
