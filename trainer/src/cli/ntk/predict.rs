//! `trainer ntk predict`: outputs of the infinitely wide network during training.

use std::path::PathBuf;

use anyhow::bail;
use ndarray::{Array2, ArrayView2};
use trainer::theory::TheoryError;
use trainer::theory::dynamics::{Dynamics, Initial, Stability, Task, Training, half_squared_error};
use trainer::theory::kernel::Kernel;
use trainer::theory::memory::Workload;
use trainer::theory::regression::{KernelRegression, Solution};

use super::arrays;
use super::kernel::KernelArgs;
use crate::cli::{outputs, print};

/// Predict the outputs of an infinitely wide network after training, at the training points or at those of --against.
///
/// The loss is ½ Σ (output - target)², summed over the points. If your loss is a mean over n points, divide the
/// learning rate by n. Gradient flow runs for the time learning rate × steps.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer ntk predict --points X.npy --targets y.npy --against Y.npy \
                        --encoding fourier --frequencies 16 --amplitude-power 1 --normalize --bias-std 0.5 \
                        --learning-rate 0.02 --steps 50001 --flow --out pred.npy")]
#[command(group(clap::ArgGroup::new("training").args(["flow", "descent", "converged"])))]
pub(crate) struct Predict {
    #[command(flatten)]
    kernel: KernelArgs,
    /// The targets at the points: an .npy [n] or [n, c]
    #[arg(long, value_name = "y.npy")]
    targets: PathBuf,
    /// The test points, where outputs are predicted: an .npy [m, d] [default: the training points]
    #[arg(long, value_name = "Y.npy")]
    against: Option<PathBuf>,
    /// The true values at the predicted points, an .npy; with it the error of the prediction is printed
    #[arg(long, value_name = "truth.npy")]
    truth: Option<PathBuf>,
    /// The outputs at the training points before training, an .npy in the shape of the targets [default: zero]
    #[arg(long, value_name = "f0.npy")]
    initial: Option<PathBuf>,
    /// The outputs at the test points before training, an .npy [m] or [m, c] [default: zero]; --initial with
    /// --against needs it
    #[arg(long, value_name = "g0.npy", requires = "against")]
    initial_against: Option<PathBuf>,
    /// Learning rate, for the loss summed over the points
    #[arg(long, conflicts_with = "converged", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Number of training steps
    #[arg(long, conflicts_with = "converged", allow_negative_numbers = true)]
    steps: Option<u64>,
    /// Train by gradient flow, the limit of small steps [default]
    #[arg(long)]
    flow: bool,
    /// Train by gradient descent, step by step
    #[arg(long)]
    descent: bool,
    /// Train for an infinite time, which is kernel regression
    #[arg(long)]
    converged: bool,
    /// The .npy of f64 to write the outputs to
    #[arg(long, value_name = "pred.npy")]
    out: PathBuf,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    points: usize,
    predictions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_eigenvalue: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stability: Option<Stability>,
    /// how kernel regression was solved
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<Solution>,
    /// ½ Σ (output - target)² on the training points
    initial_loss: f64,
    train_loss: f64,
    /// mean squared error against --truth
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_squared_error: Option<f64>,
    out: &'a PathBuf,
}

impl Report<'_> {
    /// One sentence for a reader.
    fn text(&self) -> String {
        let Self { predictions, train_loss, initial_loss, .. } = self;
        let how = match self.solution {
            Some(Solution::Eigen { cutoff, rank }) => format!(
                "; the kernel is singular, of rank {rank} of {}: eigenvalues up to {cutoff:.3e} are taken for zero",
                self.points
            ),
            Some(Solution::Cholesky) | None => String::new(),
        };
        let error =
            self.mean_squared_error.map_or_else(String::new, |error| format!(", mean squared error {error:.6e}"));
        format!(
            "{predictions} outputs in {}; the training loss falls from {initial_loss:.6e} to {train_loss:.6e}{error}{how}",
            self.out.display()
        )
    }
}

impl Predict {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let training = self.training()?;
        self.check_files()?;
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

        let files = [
            ("targets", Some(self.targets.as_path())),
            ("initial outputs", self.initial.as_deref()),
            ("initial test outputs", self.initial_against.as_deref()),
            ("test points", self.against.as_deref()),
        ];
        // Before the work, not after it.
        let predictions = against.as_ref().map_or(points.nrows(), |against| against.nrows());
        initial.check(targets.view(), points.nrows(), predictions).map_err(arrays::of_file(&files))?;
        let truth = self.truth((predictions, targets.ncols()))?;
        let task = Task { targets: targets.view(), initial };
        let problem = Problem { kernel: kernel.as_ref(), points: points.view(), against: against.as_ref(), task };
        let prediction = match training {
            Some(training) => self.train(problem, training),
            None => problem.regress(),
        }
        .map_err(arrays::of_file(&files))?;
        let Prediction { fitted, outputs, largest_eigenvalue, stability, solution } = prediction;
        let start = initial.train_or_zeros(targets.view())?;
        let report = Report {
            points: points.nrows(),
            predictions: outputs.nrows(),
            largest_eigenvalue,
            stability,
            solution,
            initial_loss: half_squared_error(start.view(), targets.view()),
            train_loss: half_squared_error(fitted.view(), targets.view()),
            mean_squared_error: truth
                .map(|truth| 2.0 * half_squared_error(outputs.view(), truth.view()) / truth.len() as f64),
            out: &self.out,
        };
        arrays::write(&self.out, &outputs.view(), true)?;
        if self.json {
            return print(&serde_json::to_string_pretty(&report)?);
        }
        print(&report.text())
    }

    /// Refuses files that do not go together, before one is read.
    fn check_files(&self) -> anyhow::Result<()> {
        if self.initial.is_some() && self.against.is_some() && self.initial_against.is_none() {
            bail!(
                "--initial tells the outputs before training at the points; tell those at the test points by \
                 --initial-against"
            );
        }
        let inputs = [&self.against, &self.truth, &self.initial, &self.initial_against].map(|path| path.as_deref());
        let inputs = [&[Some(self.kernel.points_path()), Some(&self.targets)], inputs.as_slice()].concat();
        outputs::check_extension("--out", &self.out, "npy")?;
        outputs::check_outputs(&inputs, &[Some(&self.out)])
    }

    /// None: the limit of infinite time.
    fn training(&self) -> anyhow::Result<Option<Training>> {
        match (self.converged, self.learning_rate, self.steps) {
            (true, ..) => Ok(None),
            (false, Some(learning_rate), Some(steps)) if self.descent => {
                Ok(Some(Training::Descent { learning_rate, steps }))
            }
            (false, Some(learning_rate), Some(steps)) => {
                Ok(Some(Training::Flow { time: learning_rate * steps as f64 }))
            }
            _ => bail!("give --learning-rate and --steps, or --converged for the limit of infinite time"),
        }
    }

    /// Outputs after training for some time.
    fn train(&self, problem: Problem<'_>, training: Training) -> Result<Prediction, TheoryError> {
        let Problem { kernel, points, against, task } = problem;
        let dynamics = Dynamics::of(kernel, points)?;
        let stability = self.learning_rate.map(|rate| dynamics.stability(rate)).transpose()?;
        if let (Some(Stability { stable: false, learning_rate_limit, .. }), Some(rate)) =
            (stability, self.learning_rate)
        {
            trainer::note!(
                "warning: gradient descent diverges at a learning rate of {rate:e}, beyond 2/lambda_max = \
                 {learning_rate_limit:e}{}",
                if self.descent { "" } else { "; the flow predicted here is not what it would do" }
            );
        }
        let fitted = dynamics.train(task, training)?;
        let outputs = match against {
            Some(against) => {
                let cross = kernel.cross(against.view(), points)?;
                dynamics.test(cross.view(), task, training)?
            }
            None => fitted.clone(),
        };
        let largest_eigenvalue = Some(dynamics.eigen().values[0]);
        Ok(Prediction { fitted, outputs, largest_eigenvalue, stability, solution: None })
    }

    /// The true values, of the outputs' shape.
    fn truth(&self, outputs: (usize, usize)) -> anyhow::Result<Option<Array2<f64>>> {
        let Some(path) = &self.truth else { return Ok(None) };
        let truth = arrays::read("true values", path)?;
        if truth.dim() != outputs {
            bail!("{}: its shape {:?} is not that of the outputs, {outputs:?}", path.display(), truth.dim());
        }
        Ok(Some(truth))
    }
}

/// What is predicted, and from what.
#[derive(Clone, Copy)]
struct Problem<'a> {
    kernel: &'a dyn Kernel,
    /// of training
    points: ArrayView2<'a, f64>,
    /// where outputs are asked for, if not at the points of training
    against: Option<&'a Array2<f64>>,
    task: Task<'a>,
}

/// Outputs after training.
struct Prediction {
    /// on the training points
    fitted: Array2<f64>,
    /// on the points asked for
    outputs: Array2<f64>,
    largest_eigenvalue: Option<f64>,
    stability: Option<Stability>,
    solution: Option<Solution>,
}

impl Problem<'_> {
    /// The limit of infinite time: kernel regression of what the initial outputs leave.
    fn regress(self) -> Result<Prediction, TheoryError> {
        let Self { kernel, points, against, task: Task { targets, initial } } = self;
        // Whichever way it is solved: a copy and a factor need less.
        Workload::MatrixAndEigen.check(points.nrows(), points.nrows())?;
        let gram = kernel.gram(points)?;
        let start = initial.train_or_zeros(targets)?;
        let regression = KernelRegression::fit(gram.view(), (&targets - &start).view(), 0.0)?;
        let fitted = start + regression.predict(gram.view())?;
        let outputs = match against {
            Some(against) => initial.add_test(regression.predict(kernel.cross(against.view(), points)?.view())?)?,
            None => fitted.clone(),
        };
        Ok(Prediction {
            fitted,
            outputs,
            largest_eigenvalue: None,
            stability: None,
            solution: Some(regression.solution()),
        })
    }
}
