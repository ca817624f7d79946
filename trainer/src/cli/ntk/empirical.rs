//! `trainer ntk empirical`: the tangent kernel of a network that the trainer produced.

use std::path::{Path, PathBuf};

use anyhow::bail;
use firmware_core::Outside;
use ndarray::Array2;
use trainer::fit::saved_network::SavedNetwork;
use trainer::store::run::RunFolder;
use trainer::theory::empirical::EmpiricalNtk;

use super::arrays;
use crate::cli::{outputs, print};

/// Write the exact tangent kernel J Jᵀ of the trained network of a run, an .npy of f64 [n, n], or with --against [m,
/// n].
///
/// It is the kernel of plain gradient descent on all weights and biases, for the output of the network before it is
/// converted to the units of the data: multiply it by the square of the range of the data to convert it. The features
/// are those that the device computes, rounded to 16 bits, as in training.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer ntk empirical runs/camera --points X.npy --out K.npy")]
pub(crate) struct Empirical {
    /// The folder of a run, as `trainer fit` makes it
    run: PathBuf,
    /// The points: an .npy [n] or [n, d], in the units of the data that the network was trained on
    #[arg(long, value_name = "X.npy")]
    points: PathBuf,
    /// Other points, an .npy [m, d]; each gives a row of the matrix
    #[arg(long, value_name = "Y.npy")]
    against: Option<PathBuf>,
    /// The number of the output of the network, counted from 0
    #[arg(long, default_value_t = 0)]
    output: usize,
    /// The .npy to write the matrix to
    #[arg(long, value_name = "K.npy")]
    out: PathBuf,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    rows: usize,
    columns: usize,
    parameters: usize,
    smallest: f64,
    largest: f64,
    out: &'a PathBuf,
}

impl Empirical {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let run = RunFolder::open(&self.run)?;
        let files = [run.network(), run.model(), run.checkpoint(), run.metrics()];
        let inputs = files.iter().chain([&self.points]).chain(&self.against).map(|path| Some(path.as_path()));
        outputs::check_extension("--out", &self.out, "npy")?;
        outputs::check_outputs(&inputs.collect::<Vec<_>>(), &[Some(&self.out)])?;
        let saved = SavedNetwork::read(&run.network())?;
        let network = EmpiricalNtk::new(&saved.exportable.network, &[])?;
        let points = features(&saved, "points", &self.points)?;
        let matrix = match &self.against {
            Some(path) => network.cross(features(&saved, "test points", path)?.view(), points.view(), self.output)?,
            None => network.gram(points.view(), self.output)?,
        };
        arrays::write(&self.out, &matrix.view(), false)?;
        let report = Report {
            rows: matrix.nrows(),
            columns: matrix.ncols(),
            parameters: saved.exportable.network.parameters().len(),
            smallest: matrix.iter().copied().fold(f64::INFINITY, f64::min),
            largest: matrix.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            out: &self.out,
        };
        if self.json {
            return print(&serde_json::to_string_pretty(&report)?);
        }
        let Report { rows, columns, parameters, smallest, largest, out } = report;
        print(&format!(
            "{rows} x {columns} entries from {smallest:.6e} to {largest:.6e}, over {parameters} parameters, in {}",
            out.display()
        ))
    }
}

/// What the network is fed for points in the user's units: the features that training saw.
fn features(saved: &SavedNetwork, what: &'static str, path: &Path) -> anyhow::Result<Array2<f64>> {
    let points = arrays::read(what, path)?;
    if points.ncols() != saved.exportable.domain.axes.len() {
        bail!(
            "{}: {what} have {} columns, but the network was trained on {} inputs",
            path.display(),
            points.ncols(),
            saved.exportable.domain.axes.len()
        );
    }
    let mut coordinates = Array2::zeros(points.dim());
    for ((row, column), &value) in points.indexed_iter() {
        let is_periodic = saved.settings.fit.periodic.iter().any(|period| period.axis == column);
        let outside = if is_periodic { Outside::Periodic } else { Outside::Reject };
        let Some(fixed) = saved.exportable.domain.axes[column].to_fixed(value as f32, outside) else {
            bail!(
                "{}: {value} in row {row}, column {column} (counted from 0) lies outside the range that the network was \
                 trained on; remove that row",
                path.display()
            );
        };
        coordinates[[row, column]] = fixed;
    }
    Ok(saved.exportable.encoding.features(coordinates.view()).mapv(f64::from))
}
