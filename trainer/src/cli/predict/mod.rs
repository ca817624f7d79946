//! `trainer predict`: what a model says at points, computed as the device computes it.

mod predictions;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::ensure;
use firmware_core::{Axis, Model, Outside};
use ndarray::Array2;
use rayon::prelude::*;
use serde_json::json;
use trainer::artifact::card_text::{self, names, origins};
use trainer::artifact::model_file::{ModelFile, predict};
use trainer::artifact::precision::NamedPrecision;
use trainer::base::files;
use trainer::data::{periodic, points};

use self::predictions::{FileFormat, Predictions, shortest};
use super::reading::ReadingArgs;
use super::{outputs, print};

/// Rows that a message names.
const NAMED: usize = 5;

/// Compute the outputs of a model at given points, with the code that runs on the device.
///
/// POINTS is a CSV table or an .npy array. A table has a column for each input of the model, under the names of the
/// training data and in any order; other columns are ignored. An array has a row for each point and a column for each
/// input. `trainer inspect` shows the names and their order. The result is a CSV of inputs and outputs on standard
/// output, or the file --out. To compare with known values, use `trainer evaluate`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer predict runs/sensor/model.ffm --at 812,23.5\n  \
                        trainer predict runs/sensor/model.ffm points.csv --out values.csv\n  \
                        trainer predict runs/camera/model.ffm points.npy --out values.npy")]
pub(crate) struct Predict {
    /// The model file (.ffm)
    model: PathBuf,
    /// A CSV table or an .npy array of points
    #[arg(required_unless_present = "at", conflicts_with = "at")]
    points: Option<PathBuf>,
    /// One point: a number for each input, in the order of `trainer inspect`, such as 45,30; give the option several
    /// times for several points
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    at: Vec<Point>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Write to this file instead of printing: a .csv of inputs and outputs, or an .npy of the outputs [n, outputs]
    #[arg(short, long, visible_alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object; without --out it holds the points and the outputs
    #[arg(long)]
    json: bool,
}

/// A point on the command line.
#[derive(Clone)]
struct Point(Vec<f64>);

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split(',').map(|number| number.trim().parse().ok().filter(|x: &f64| x.is_finite()));
        let numbers: Option<_> = numbers.collect();
        numbers.map(Self).ok_or_else(|| "give a number for each input, separated by commas, as in 45,30".to_owned())
    }
}

impl Predict {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let format = self.out.as_deref().map(FileFormat::of).transpose()?;
        outputs::check_outputs(&[Some(&self.model), self.points.as_deref()], &[self.out.as_deref()])?;
        let file = ModelFile::read(&self.model)?;
        let model = file.model()?;
        let inputs = named(&model, "inputs", model.inputs());
        let points = match &self.points {
            Some(path) => self.read(path, &inputs, model.text())?,
            None => self.points_at(&inputs)?,
        };
        let values = self.evaluate(&model, &inputs, &points)?;
        let predictions = Predictions { inputs, outputs: named(&model, "outputs", model.outputs()), points, values };
        match (&self.out, format) {
            (Some(path), Some(FileFormat::Npy)) => predictions.write_npy(path)?,
            (Some(path), _) => files::write_with(path, |writer| predictions.write_csv(writer))?,
            _ => {}
        }
        let count = predictions.points.nrows();
        match (&self.out, self.json) {
            (None, false) => to_stdout(|writer| predictions.write_csv(writer)),
            (Some(path), false) => {
                let points = if count == 1 { "point" } else { "points" };
                print(&format!("{count} {points}    {}", path.display()))
            }
            (out, true) => {
                let precision = NamedPrecision(model.header().precision).name();
                let mut object = json!({
                    "model": self.model, "points": count, "precision": precision,
                    "inputs": predictions.inputs, "outputs": predictions.outputs, "out": out,
                });
                if out.is_none() {
                    let rows =
                        |array: &Array2<f64>| array.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
                    object["at"] = json!(rows(&predictions.points));
                    object["values"] = json!(rows(&predictions.values.mapv(shortest)));
                }
                print(&serde_json::to_string_pretty(&object)?)
            }
        }
    }

    fn read(&self, path: &Path, inputs: &[String], text: &str) -> anyhow::Result<Array2<f64>> {
        let mut options = self.reading.options(&[], &[]);
        let needless =
            [(options.channels_last, "--channels-last"), (options.wide, "--wide"), (options.volume, "--volume")];
        for (given, option) in needless {
            ensure!(!given, "{option} tells inputs from outputs, and points have no outputs; leave it out");
        }
        options.no_data = card_text::load_options(text, path, options.clone()).no_data;
        let points = points::read(path, inputs, &options)?;
        points.notes.iter().for_each(|note| trainer::note!("{note}"));
        Ok(points.values)
    }

    /// The points of the command line.
    fn points_at(&self, inputs: &[String]) -> anyhow::Result<Array2<f64>> {
        for Point(numbers) in &self.at {
            let (given, wanted, names) = (numbers.len(), inputs.len(), inputs.join(", "));
            let plural = if wanted == 1 { "input" } else { "inputs" };
            ensure!(
                given == wanted,
                "--at has {given} numbers, and the model has {wanted} {plural} ({names}); give one for each"
            );
        }
        let numbers = self.at.iter().flat_map(|point| &point.0).copied().collect();
        Ok(Array2::from_shape_vec((self.at.len(), inputs.len()), numbers)?)
    }

    /// The model's values, with what is to be said of points beyond its domain.
    fn evaluate(&self, model: &Model<'_>, inputs: &[String], points: &Array2<f64>) -> anyhow::Result<Array2<f64>> {
        let origins = origins(model.text());
        let mut shifted = Array2::zeros(points.dim());
        ndarray::Zip::from(shifted.rows_mut()).and(points.rows()).par_for_each(|mut shifted, point| {
            for (k, (x, &file)) in shifted.iter_mut().zip(point).enumerate() {
                *x = (file - origins.input(k)) as f32;
            }
        });
        let place = self.points.as_ref().map_or("--at".to_owned(), |path| path.display().to_string());
        say_beyond(model, &shifted, |rows, axis, trained| {
            let (row, column) = (rows[0], axis);
            let (name, value, origin) = (&inputs[column], shortest(points[[row, column]]), origins.input(column));
            let number = |x: f32| if origin == 0.0 { x.to_string() } else { (origin + f64::from(x)).to_string() };
            format!(
                "{name} is {value} in row {}, counted from 1, and the domain is {} to {}",
                row + 1,
                number(trained.minimum),
                number(trained.maximum)
            )
        })
        .map_err(|sentence| anyhow::anyhow!("{place}: {sentence}"))?;
        let bits = model.header().code_bits.iter().copied();
        for (k, bits) in bits.enumerate().filter(|&(_, bits)| bits > 0) {
            let numbers = points.column(k).into_iter().filter(|x| x.fract() != 0.0);
            if let Some(&example) = numbers.clone().next() {
                let (name, count) = (&inputs[k], numbers.count());
                trainer::note!(
                    "note: {name} consists of integer codes of {bits} bits, and {count} of {} points are between two \
                     of them, such as {example}; a device that takes codes never sees these",
                    points.nrows()
                );
            }
        }
        let mut values = predict(model, &shifted)?.mapv(f64::from);
        for (k, mut column) in values.columns_mut().into_iter().enumerate() {
            column.mapv_inplace(|value| origins.output(k) + value);
        }
        Ok(values)
    }
}

/// Says how many points lie beyond the domain and are clamped; refuses those that the model rejects. `describe` tells
/// of the first of some rows that lie beyond it along an axis.
fn say_beyond(
    model: &Model<'_>,
    points: &Array2<f32>,
    describe: impl Fn(&[usize], usize, &Axis) -> String,
) -> Result<(), String> {
    let axes: Vec<Axis> = model.axes().collect();
    let count = points.nrows();
    for outside in [Outside::Clamp, Outside::Reject] {
        let beyond = |row: usize, k: usize| {
            model.header().outside_along(k) == outside && periodic::is_beyond(&axes[k], outside, points[[row, k]])
        };
        let is_beyond = |row: &usize| (0..axes.len()).any(|k| beyond(*row, k));
        let rows: Vec<usize> = (0..count).into_par_iter().filter(is_beyond).collect();
        let Some(&first) = rows.first() else { continue };
        let axis = (0..axes.len()).find(|&k| beyond(first, k)).unwrap_or(0);
        let what = describe(&rows, axis, &axes[axis]);
        let (some, lie) = (rows.len(), if rows.len() == 1 { "lies" } else { "lie" });
        if outside == Outside::Clamp {
            trainer::note!(
                "note: {some} of {count} points {lie} outside the domain that the model was trained on; the nearest \
                 points of the domain are taken instead ({what})"
            );
        } else {
            let named = rows.iter().take(NAMED).map(|row| (row + 1).to_string()).collect::<Vec<_>>().join(", ");
            let more = if some > NAMED { ", …" } else { "" };
            return Err(format!(
                "{some} of {count} points {lie} outside the domain of the model, which rejects them: rows \
                 {named}{more} ({what}); leave them out, or train with --outside clamp"
            ));
        }
    }
    Ok(())
}

/// The names of inputs or outputs; numbers where the model has none.
fn named(model: &Model<'_>, key: &str, count: usize) -> Vec<String> {
    let found = names(model.text(), key);
    let kind = key.trim_end_matches('s');
    if found.len() == count { found } else { (0..count).map(|k| format!("{kind} {k}")).collect() }
}

/// Writes to standard output. A reader that has closed the pipe, such as `head`, is no failure.
fn to_stdout(contents: impl FnOnce(&mut BufWriter<io::StdoutLock<'_>>) -> io::Result<()>) -> anyhow::Result<()> {
    let mut writer = BufWriter::new(io::stdout().lock());
    match contents(&mut writer).and_then(|()| writer.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
