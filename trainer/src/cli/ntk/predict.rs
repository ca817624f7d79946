//! `trainer ntk predict`: outputs of the infinitely wide network during training.

use std::path::PathBuf;

use anyhow::bail;
use ndarray::Array2;
use trainer::theory::dynamics::{Dynamics, Initial, Stability, Training, half_squared_error};

use super::arrays;
use super::kernel::KernelArgs;
use crate::cli::print;

/// Predict what training does to the outputs, at the points of --against or, without them, at the training points.
///
/// The loss is ½ Σ (output - target)², summed over the points: for a loss that is a mean over n points, divide the
/// learning rate by n. The flow is that of time learning rate · steps.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer ntk predict --points X.npy --targets y.npy --against Y.npy \
                        --encoding fourier --frequencies 16 --amplitude-power 1 --normalize --bias-std 0.5 \
                        --learning-rate 0.02 --steps 50001 --flow --out pred.npy")]
#[command(group(clap::ArgGroup::new("training").args(["flow", "descent", "converged"])))]
pub(crate) struct Predict {
    #[command(flatten)]
    kernel: KernelArgs,
    /// Targets at the points, .npy [n] or [n, c]
    #[arg(long, value_name = "y.npy")]
    targets: PathBuf,
    /// Test points, .npy [m, d] [default: the points themselves]
    #[arg(long, value_name = "Y.npy")]
    against: Option<PathBuf>,
    /// True values at the predicted points, .npy: tells the error of the prediction
    #[arg(long, value_name = "truth.npy")]
    truth: Option<PathBuf>,
    /// Outputs at the points before training, of the targets' shape [default: zero]
    #[arg(long, value_name = "f0.npy")]
    initial: Option<PathBuf>,
    /// Outputs at the test points before training, .npy [m] or [m, c] [default: zero]
    #[arg(long, value_name = "g0.npy", requires = "against")]
    initial_against: Option<PathBuf>,
    /// Learning rate of the loss summed over the points
    #[arg(long, conflicts_with = "converged", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Steps of training
    #[arg(long, conflicts_with = "converged")]
    steps: Option<u64>,
    /// Gradient flow: the limit of small steps [default]
    #[arg(long)]
    flow: bool,
    /// Gradient descent, step by step
    #[arg(long)]
    descent: bool,
    /// The limit of infinite time: kernel regression
    #[arg(long)]
    converged: bool,
    /// The outputs, .npy of f64
    #[arg(long, value_name = "pred.npy")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    points: usize,
    predictions: usize,
    largest_eigenvalue: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stability: Option<Stability>,
    /// ½ Σ (output - target)² on the training points
    initial_loss: f64,
    train_loss: f64,
    /// mean squared error against --truth
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_squared_error: Option<f64>,
    out: &'a PathBuf,
}

impl Predict {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let training = self.training()?;
        let points = self.kernel.points()?;
        let targets = arrays::read("targets", &self.targets)?;
        let kernel = self.kernel.kernel(points.ncols())?;
        let optional = |what, path: &Option<PathBuf>| path.as_ref().map(|path| arrays::read(what, path)).transpose();
        let initial = optional("initial outputs", &self.initial)?;
        let initial_test = optional("initial test outputs", &self.initial_against)?;
        let initial = Initial {
            train: initial.as_ref().map(|array| array.view()),
            test: initial_test.as_ref().map(|array| array.view()),
        };
        let against = self.against.as_ref().map(|path| self.kernel.read("test points", path)).transpose()?;

        let dynamics = Dynamics::new(kernel.gram(points.view())?.view())?;
        let stability = self.learning_rate.map(|rate| dynamics.stability(rate)).transpose()?;
        if let (Some(Stability { stable: false, learning_rate_limit, .. }), Some(rate)) =
            (stability, self.learning_rate)
        {
            eprintln!(
                "warning: gradient descent diverges at a learning rate of {rate:e}, beyond 2/lambda_max = \
                 {learning_rate_limit:e}{}",
                if self.descent { "" } else { "; the flow predicted here is not what it would do" }
            );
        }
        let files = [
            ("targets", Some(self.targets.as_path())),
            ("initial outputs", self.initial.as_deref()),
            ("initial test outputs", self.initial_against.as_deref()),
            ("test points", self.against.as_deref()),
        ];
        let of_file = arrays::of_file(&files);
        let fitted = dynamics.train(targets.view(), initial, training).map_err(&of_file)?;
        let outputs = match against {
            Some(against) => {
                let cross = kernel.cross(against.view(), points.view()).map_err(&of_file)?;
                dynamics.test(cross.view(), targets.view(), initial, training).map_err(&of_file)?
            }
            None => fitted.clone(),
        };
        let start = initial.train.map_or_else(|| Array2::zeros(targets.raw_dim()), |start| start.to_owned());
        let report = Report {
            points: points.nrows(),
            predictions: outputs.nrows(),
            largest_eigenvalue: dynamics.eigen().values[0],
            stability,
            initial_loss: half_squared_error(start.view(), targets.view()),
            train_loss: half_squared_error(fitted.view(), targets.view()),
            mean_squared_error: self.mean_squared_error(&outputs)?,
            out: &self.out,
        };
        arrays::write(&self.out, &outputs.view(), true)?;
        if self.json {
            return print(&serde_json::to_string_pretty(&report)?);
        }
        let Report { predictions, train_loss, initial_loss, .. } = report;
        let error =
            report.mean_squared_error.map_or_else(String::new, |error| format!(", mean squared error {error:.6e}"));
        print(&format!(
            "{predictions} outputs in {}; the training loss falls from {initial_loss:.6e} to {train_loss:.6e}{error}",
            self.out.display()
        ))
    }

    fn training(&self) -> anyhow::Result<Training> {
        match (self.converged, self.learning_rate, self.steps) {
            (true, ..) => Ok(Training::Converged),
            (false, Some(learning_rate), Some(steps)) if self.descent => Ok(Training::Descent { learning_rate, steps }),
            (false, Some(learning_rate), Some(steps)) => Ok(Training::Flow { time: learning_rate * steps as f64 }),
            _ => bail!("give --learning-rate and --steps, or --converged for the limit of infinite time"),
        }
    }

    fn mean_squared_error(&self, outputs: &Array2<f64>) -> anyhow::Result<Option<f64>> {
        let Some(path) = &self.truth else { return Ok(None) };
        let truth = arrays::read("true values", path)?;
        if truth.dim() != outputs.dim() {
            bail!("{}: its shape {:?} is not that of the outputs, {:?}", path.display(), truth.dim(), outputs.dim());
        }
        Ok(Some(2.0 * half_squared_error(outputs.view(), truth.view()) / truth.len() as f64))
    }
}
