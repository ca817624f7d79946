//! `trainer ntk gram`: a kernel matrix.

use std::path::PathBuf;

use super::arrays;
use super::kernel::KernelArgs;
use crate::cli::{outputs, print};

/// Write the kernel matrix of the points, an .npy of f64 [n, n], or with --against [m, n].
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer ntk gram --points X.npy --encoding fourier --frequencies 16 \
                        --amplitude-power 1 --normalize --hidden-layers 3 --bias-std 0.5 --out K.npy")]
pub(crate) struct Gram {
    #[command(flatten)]
    kernel: KernelArgs,
    /// Other points, an .npy [m, d]; each gives a row of the matrix
    #[arg(long, value_name = "Y.npy")]
    against: Option<PathBuf>,
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
    smallest: f64,
    largest: f64,
    out: &'a PathBuf,
}

impl Gram {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        outputs::check_extension("--out", &self.out, "npy")?;
        outputs::check_outputs(&[Some(self.kernel.points_path()), self.against.as_deref()], &[Some(&self.out)])?;
        let points = self.kernel.points()?;
        let kernel = self.kernel.kernel(points.ncols())?;
        let matrix = match &self.against {
            Some(path) => kernel
                .cross(self.kernel.read("test points", path)?.view(), points.view())
                .map_err(arrays::of_file(&[("test points", Some(path))]))?,
            None => kernel.gram(points.view())?,
        };
        arrays::write(&self.out, &matrix.view(), false)?;
        let report = Report {
            rows: matrix.nrows(),
            columns: matrix.ncols(),
            smallest: matrix.iter().copied().fold(f64::INFINITY, f64::min),
            largest: matrix.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            out: &self.out,
        };
        if self.json {
            return print(&serde_json::to_string_pretty(&report)?);
        }
        let Report { rows, columns, smallest, largest, out } = report;
        print(&format!("{rows} x {columns} entries from {smallest:.6e} to {largest:.6e} in {}", out.display()))
    }
}
