//! `trainer ntk spectrum`: eigenvalues, and the error in the eigenbasis.

use std::fmt::Write;
use std::path::PathBuf;

use trainer::theory::dynamics::{Dynamics, Initial, Stability, Task, Training};
use trainer::theory::memory::Workload;
use trainer::theory::spectrum::{Bandwidth, bandwidth, covers_one_period, effective_rank, magnitudes, time_to_learn};

use super::arrays;
use super::kernel::KernelArgs;
use crate::cli::{outputs, print};

/// Compute the eigenvalues of a kernel matrix, largest first, and how fast each eigenvector is learned.
///
/// Along an eigenvector of eigenvalue λ the training error falls as exp(-λ · learning rate · steps), for the loss ½ Σ
/// (output - target)². In JSON, a time that is infinite is null.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer ntk spectrum --points X.npy --targets y.npy --encoding fourier \
                        --frequencies 16 --amplitude-power 1 --normalize --learning-rate 0.02 --steps 1000 \
                        --out eigenvalues.npy --json")]
pub(crate) struct Spectrum {
    #[command(flatten)]
    kernel: KernelArgs,
    /// The targets at the points, an .npy [n] or [n, c]; with them the error along each eigenvector is listed
    #[arg(long, value_name = "y.npy")]
    targets: Option<PathBuf>,
    /// The outputs of the network at the points before training, an .npy in the shape of the targets [default: zero]
    #[arg(long, value_name = "f0.npy", requires = "targets")]
    initial: Option<PathBuf>,
    /// Learning rate, for the loss summed over the points; with it times are listed in steps too, and whether
    /// gradient descent is stable
    #[arg(long, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Number of steps of gradient flow; with it the error that remains after them is listed
    #[arg(long, requires = "learning_rate")]
    steps: Option<u64>,
    /// Number of eigenvectors to list
    #[arg(long, default_value_t = 16)]
    modes: usize,
    /// Write the eigenvalues to this .npy [n]
    #[arg(long, value_name = "values.npy")]
    out: Option<PathBuf>,
    /// Write the eigenvectors to this .npy [n, n], one in each column
    #[arg(long, value_name = "vectors.npy")]
    vectors_out: Option<PathBuf>,
    /// Write the error before training along each eigenvector to this .npy, in the shape of the targets
    #[arg(long, value_name = "error.npy", requires = "targets")]
    components_out: Option<PathBuf>,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    points: usize,
    largest_eigenvalue: f64,
    smallest_eigenvalue: f64,
    /// eigenvalues up to this are rounding
    cutoff: f64,
    rank: usize,
    effective_rank: f64,
    /// of the kernel over one period, where the points cover it evenly; the width is in spacings of the points
    #[serde(skip_serializing_if = "Option::is_none")]
    bandwidth: Option<Bandwidth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stability: Option<Stability>,
    modes: Vec<Mode>,
}

#[derive(serde::Serialize)]
struct Mode {
    eigenvalue: f64,
    /// learning rate · steps until a tenth of the error remains
    time_to_tenth: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_to_tenth: Option<f64>,
    /// part of the error that remains after the steps
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<f64>,
    /// norm of the error along the eigenvector before training
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<f64>,
}

impl Spectrum {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let outputs = [&self.out, &self.vectors_out, &self.components_out].map(|path| path.as_deref());
        let inputs = [Some(self.kernel.points_path()), self.targets.as_deref(), self.initial.as_deref()];
        for (option, path) in ["--out", "--vectors-out", "--components-out"].into_iter().zip(outputs) {
            path.map_or(Ok(()), |path| outputs::check_extension(option, path, "npy"))?;
        }
        outputs::check_outputs(&inputs, &outputs)?;
        let points = self.kernel.points()?;
        Workload::MatrixAndEigen.check(points.nrows(), points.nrows())?;
        let gram = self.kernel.kernel(points.ncols())?.gram(points.view())?;
        let dynamics = Dynamics::new(gram.view())?;
        let components = self.components(&dynamics)?;
        let stability = self.learning_rate.map(|rate| dynamics.stability(rate)).transpose()?;
        let eigen = dynamics.eigen();
        if let Some(path) = &self.out {
            arrays::write(path, &eigen.values.view().insert_axis(ndarray::Axis(1)), true)?;
        }
        if let Some(path) = &self.vectors_out {
            arrays::write(path, &eigen.vectors.view(), false)?;
        }
        if let (Some(path), Some(components)) = (&self.components_out, &components) {
            arrays::write(path, &components.view(), true)?;
        }

        let errors = components.map(|components| magnitudes(components.view()));
        let mode = |(index, &eigenvalue): (usize, &f64)| -> anyhow::Result<Mode> {
            let time_to_tenth = time_to_learn(eigenvalue, 0.1);
            let time = self.learning_rate.zip(self.steps).map(|(rate, steps)| rate * steps as f64);
            Ok(Mode {
                eigenvalue,
                time_to_tenth,
                steps_to_tenth: self.learning_rate.map(|rate| time_to_tenth / rate),
                remaining: time.map(|time| dynamics.decay(eigenvalue, Training::Flow { time })).transpose()?,
                error: errors.as_ref().map(|errors| errors[index]),
            })
        };
        let report = Report {
            points: points.nrows(),
            largest_eigenvalue: eigen.values[0],
            smallest_eigenvalue: eigen.values[eigen.values.len() - 1],
            cutoff: dynamics.cutoff(),
            rank: eigen.values.iter().filter(|&&value| value > dynamics.cutoff()).count(),
            effective_rank: effective_rank(eigen.values.view()),
            bandwidth: if covers_one_period(gram.view()) { Some(bandwidth(gram.row(0))?) } else { None },
            stability,
            modes: eigen.values.iter().take(self.modes).enumerate().map(mode).collect::<anyhow::Result<_>>()?,
        };
        if self.json {
            return print(&serde_json::to_string_pretty(&report)?);
        }
        print(&table(&report)?)
    }

    /// The error before training in the eigenbasis.
    fn components(&self, dynamics: &Dynamics) -> anyhow::Result<Option<ndarray::Array2<f64>>> {
        let Some(path) = &self.targets else { return Ok(None) };
        let targets = arrays::read("targets", path)?;
        let initial = self.initial.as_ref().map(|path| arrays::read("initial outputs", path)).transpose()?;
        let files = [("targets", Some(path.as_path())), ("initial outputs", self.initial.as_deref())];
        let initial = Initial { train: initial.as_ref().map(|array| array.view()), test: None };
        let modes = dynamics.modes(Task { targets: targets.view(), initial });
        Ok(Some(modes.map_err(arrays::of_file(&files))?))
    }
}

fn table(report: &Report) -> anyhow::Result<String> {
    let mut text = format!(
        "points           {}\nlargest λ        {:.6e}\nsmallest λ       {:.6e}\nrank             {}\neffective rank   {:.2}",
        report.points, report.largest_eigenvalue, report.smallest_eigenvalue, report.rank, report.effective_rank
    );
    if let Some(bandwidth) = report.bandwidth {
        write!(text, "\nRMS frequency    {:.3} cycles a period", bandwidth.rms_frequency)?;
        if let Some(width) = bandwidth.full_width_half_maximum {
            write!(text, "\nwidth at half    {:.3} of the period", width / report.points as f64)?;
        }
    }
    if let Some(stability) = report.stability {
        let verdict = if stability.stable { "stable" } else { "diverges" };
        write!(text, "\nlearning rate    {verdict}, the limit is {:.6e}", stability.learning_rate_limit)?;
    }
    write!(text, "\n\n mode    eigenvalue  time to 1/10  steps to 1/10  remaining      error")?;
    let number =
        |value: Option<f64>, width| value.map_or(format!("{:>width$}", "-"), |value| format!("{value:>width$.3e}"));
    for (index, mode) in report.modes.iter().enumerate() {
        let (eigenvalue, time) = (mode.eigenvalue, mode.time_to_tenth);
        let (steps, remaining) = (number(mode.steps_to_tenth, 14), number(mode.remaining, 10));
        write!(text, "\n{index:>5} {eigenvalue:>13.6e} {time:>13.3e} {steps} {remaining} {}", number(mode.error, 10))?;
    }
    Ok(text)
}
