//! `trainer evaluate`: a model against data, computed as the device computes it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use firmware_core::{Axis, Model, Outside};
use ndarray::Array2;
use serde::Serialize;
use trainer::artifact::model_file::{ModelFile, predict};
use trainer::artifact::precision::NamedPrecision;
use trainer::base::files;
use trainer::data::metrics::Metrics;
use trainer::data::{Dataset, periodic};
use trainer::report;

use super::reading::{DATA, ReadingArgs, load_for, tell};
use super::{outputs, print};

/// Compare a model with the known values of a file, computed with the code that runs on the device.
///
/// The peak of PSNR is the range of the data (1 for pictures). rmse and max_abs_error are in the units of the data.
/// In JSON, psnr_db is null where there is no error at all.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer evaluate runs/camera/model.ffm camera_256.png --picture out.png\n  \
                        trainer evaluate runs/sensor/model.ffm sensor.csv --json")]
pub(crate) struct Evaluate {
    /// The model file (.ffm)
    model: PathBuf,
    /// A picture, an array (.npy, .npz), an elevation grid (GeoTIFF, .asc, .hgt) or a table
    #[arg(required_unless_present = "points")]
    input: Option<PathBuf>,
    /// Read scattered points in place of INPUT: coordinates from an .npy or .npz of shape (n, d) or (n), values from
    /// --targets
    #[arg(long, help_heading = DATA, value_name = "X.npy", requires = "targets", conflicts_with = "input")]
    points: Option<PathBuf>,
    /// The columns of a table that are inputs, by name or number [default: those that the model was trained on]
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    inputs: Vec<String>,
    /// The columns of a table to compare with, by name or number [default: those that the model was trained on]; with
    /// --points, the .npy or .npz of the values there
    #[arg(long, help_heading = DATA, value_delimiter = ',', value_name = "COLUMNS")]
    targets: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Write the outputs of the model to this .npy, in the units and the shape of the data
    ///
    /// The numbers are f32, or f64 where the model counts from an origin (see `trainer inspect`). Cells without data
    /// are NaN.
    #[arg(short, long, alias = "outputs", value_name = "FILE.npy")]
    out: Option<PathBuf>,
    /// Draw the outputs of the model to this PNG: the picture itself, a map, a curve, or predicted against true
    /// values
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Evaluation<'a> {
    model: &'a Path,
    input: &'a Path,
    precision: &'static str,
    #[serde(flatten)]
    metrics: Metrics,
}

impl Evaluate {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        self.check_files()?;
        let file = ModelFile::read(&self.model)?;
        let model = file.model()?;
        let data = self.load(&model)?;
        let input = self.path()?;
        let predictions = predict(&model, &data.points).with_context(|| input.display().to_string())?;
        let metrics = Metrics::compare(&predictions, &data.targets, &data.output_maps);
        self.write_files(&data, &predictions)?;
        // Now that nothing can fail: a failure is one sentence.
        Self::tell(&data, &model);

        let precision = NamedPrecision(model.header().precision).name();
        let evaluation = Evaluation { model: &self.model, input, precision, metrics };
        if self.json {
            return print(&serde_json::to_string_pretty(&evaluation)?);
        }
        let Metrics { samples, psnr_db, rmse, max_abs_error, .. } = evaluation.metrics;
        let mut text = format!("samples          {samples}\nPSNR             {psnr_db:.2} dB");
        if let (Some(rmse), Some(largest)) = (rmse, max_abs_error) {
            // Outputs of different units have no common error.
            let unit = data.output_units.first().filter(|unit| data.output_units.iter().all(|other| other == *unit));
            let unit = unit.filter(|unit| !unit.is_empty()).map_or(String::new(), |unit| format!(" {unit}"));
            text += &format!("\nRMSE             {rmse:.6}{unit}\nlargest error    {largest:.6}{unit}");
        }
        if data.outputs() > 1 {
            text += &format!("\n  {}", evaluation.metrics.lines(&data.output_names, &data.output_units).join("\n  "));
        }
        print(&text)
    }

    /// Refuses names of files to write that another format or another file has.
    fn check_files(&self) -> anyhow::Result<()> {
        for (option, path, extension) in [("--out", &self.out, "npy"), ("--picture", &self.picture, "png")] {
            path.as_deref().map_or(Ok(()), |path| outputs::check_extension(option, path, extension))?;
        }
        let targets = self.points.is_some().then(|| PathBuf::from(self.targets.join(",")));
        let read = [Some(self.model.as_path()), self.input.as_deref(), self.points.as_deref(), targets.as_deref()];
        outputs::check_outputs(&read, &[self.out.as_deref(), self.picture.as_deref()])
    }

    /// The file of the samples: that of the points, if they are given.
    fn path(&self) -> anyhow::Result<&Path> {
        self.points.as_deref().or(self.input.as_deref()).context("name a file of data, or give --points and --targets")
    }

    /// Reads the data as the model was trained, unless the arguments say otherwise, and checks that they fit.
    fn load(&self, model: &Model<'_>) -> anyhow::Result<Dataset> {
        let path = self.path()?;
        let mut given = self.reading.options(&self.inputs, &self.targets);
        if self.points.is_some() {
            // A comma in the name of the array is no separator of columns.
            given.targets = Some(std::mem::take(&mut given.outputs).join(",").into());
        }
        load_for(model, path, given)
    }

    /// Says what the data are, and whether they go beyond what the model was trained on.
    fn tell(data: &Dataset, model: &Model<'_>) {
        tell(data);
        for (outside, treated) in [(Outside::Clamp, "clamped to it"), (Outside::Periodic, "wrapped into it")] {
            let mut axes = data.axes.iter().zip(model.axes()).enumerate();
            let is_beyond = |(k, (axis, trained)): (usize, (&Axis, Axis))| {
                let beyond = |x| periodic::is_beyond(&trained, outside, x);
                model.header().outside_along(k) == outside && (beyond(axis.minimum) || beyond(axis.maximum))
            };
            if axes.any(is_beyond) {
                trainer::note!(
                    "note: some samples lie outside the domain that the model was trained on and are {treated}"
                );
            }
        }
    }

    fn write_files(&self, data: &Dataset, predictions: &Array2<f32>) -> anyhow::Result<()> {
        if let Some(path) = &self.out {
            data.write_outputs(path, predictions)?;
        }
        if let Some(path) = &self.picture {
            let png = report::reconstruction(data, predictions)?;
            files::write(path, &png)?;
        }
        Ok(())
    }
}
