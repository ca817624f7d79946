//! How a file of data is read: the options that `fit`, `sweep`, `evaluate` and `predict` share.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use firmware_core::Model;

use super::number;
use trainer::artifact::card_text;
use trainer::data::codes::CodesError;
use trainer::data::{Dataset, DatasetError, Decimal, LoadOptions, load};
use trainer::fit::settings::FitSettings;
use trainer::fit::{FitError, ValidFitParams};

/// Where these options stand in the help: a heading for all that follow would also be that of the command's own
/// options.
pub(super) const DATA: &str = "Data";

/// Options of reading; which columns are what is named by each command itself.
#[derive(clap::Args, Clone, Default, PartialEq)]
pub(super) struct ReadingArgs {
    /// The last axis of an array holds the outputs [default: as in training, where there is a model]
    #[arg(long, help_heading = DATA)]
    channels_last: bool,
    /// An array of height × width × 3 or 4 is a volume, not a picture in colours
    #[arg(long, help_heading = DATA, conflicts_with = "channels_last")]
    volume: bool,
    /// Which array of an .npz to read, where it holds several
    #[arg(long, help_heading = DATA, value_name = "NAME")]
    array: Option<String>,
    /// Values that mean "missing", such as -9999; samples with one of them are left out [default: as in training,
    /// where there is a model]
    #[arg(
        long, help_heading = DATA, value_delimiter = ',', allow_hyphen_values = true, value_name = "VALUES",
        value_parser = number::any
    )]
    no_data: Vec<f64>,
    /// The decimal mark of a table, '.' or ','; the other one then groups thousands [default: found out from the
    /// cells]
    #[arg(long, help_heading = DATA, value_parser = decimal, value_name = "MARK")]
    decimal: Option<Decimal>,
    /// Leave out rows of a table with a missing or bad cell in a column that is used, and cells of a grid that are
    /// NaN
    #[arg(long, help_heading = DATA)]
    skip_missing: bool,
    /// The table is a grid: it has one axis in its first line and the other in its first column
    #[arg(long, help_heading = DATA)]
    wide: bool,
}

/// Gives data the periods and codes of the settings, says what is worth saying about it, and checks that they can be
/// trained on.
pub(super) fn apply_and_tell(dataset: Dataset, settings: &FitSettings) -> anyhow::Result<(Dataset, ValidFitParams)> {
    let told = dataset.notes.len();
    let (dataset, params) = settings.apply(dataset).map_err(|error| match error {
        FitError::Codes(CodesError::Value { .. }) => anyhow!("{}: {error}", settings.input.display()),
        error => error.into(),
    })?;
    dataset.notes[told..].iter().for_each(|note| trainer::note!("{note}"));
    Ok((dataset, params))
}

/// A decimal mark, as itself or as a word.
fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("give '.' or ','".to_owned()),
    }
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
            decimal: self.decimal,
            skip_missing: self.skip_missing,
            wide: self.wide,
            origins: None,
        }
    }
}

/// Reads the data that a model is to be compared with, as the model was trained unless `given` says otherwise, and
/// checks that they fit it. What there is to [`tell`] of them waits.
pub(super) fn load_for(model: &Model<'_>, path: &Path, given: LoadOptions) -> anyhow::Result<Dataset> {
    let data = load(path, &card_text::load_options(model.text(), path, given))?;
    ensure!(
        (data.inputs(), data.outputs()) == (model.inputs(), model.outputs()),
        "{} has {} inputs and {} outputs, the model {} and {}; name data of the kind it was trained on",
        path.display(),
        data.inputs(),
        data.outputs(),
        model.inputs(),
        model.outputs()
    );
    Ok(data)
}

/// Points and their targets in two arrays, in place of one file.
#[derive(clap::Args, Clone, Default, PartialEq)]
pub(super) struct PointsArgs {
    /// Read scattered points in place of INPUT: coordinates from an .npy or .npz of shape (n, d) or (n), values from
    /// --targets
    #[arg(long, help_heading = DATA, value_name = "X.npy", requires = "targets", conflicts_with = "input")]
    points: Option<PathBuf>,
    /// The values at the --points, from an .npy or .npz of shape (n, c) or (n)
    #[arg(long, help_heading = DATA, value_name = "Y.npy", requires = "points")]
    targets: Option<PathBuf>,
}

impl PointsArgs {
    /// The file to read: the points, if they are given.
    pub(super) fn or<'a>(&'a self, input: Option<&'a PathBuf>) -> Option<&'a PathBuf> {
        self.points.as_ref().or(input)
    }

    /// The array that belongs to the points.
    pub(super) fn targets(&self) -> Option<PathBuf> {
        self.targets.clone()
    }
}

/// Reads a file and says on standard error, in one line, what it was understood to be, and what was skipped or assumed.
pub(super) fn load_and_tell(path: &Path, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    let dataset = load(path, options)?;
    tell(&dataset);
    Ok(dataset)
}

/// Says what a file was understood to be, and what was skipped or assumed, where that waits until the data are known to
/// fit.
pub(super) fn tell(dataset: &Dataset) {
    trainer::note!("{}", dataset.summary());
    for note in &dataset.notes {
        trainer::note!("{note}");
    }
}
