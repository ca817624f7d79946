//! The one-dimensional problem of the text: 32 samples of a random signal, seven mappings, and wide networks trained on it
//! by plain gradient descent, with the kernel's prediction of the same training.
//!
//! The loss is ½ Σ (f - y)² over the 32 training points i/32; the 224 other points of i/256 test. The signal has the
//! spectrum 1/(1 + k) below 64 cycles and lies in [-0.5, 0.5].
//!
//! While the learning rate stays well below 2/λmax, gradient descent follows gradient flow, and the flow knows only the
//! product of rate and steps: a rate ten times as large with a tenth of the steps is the same training. The quick settings
//! rest on this. It fails for the largest eigenvalue of the raw coordinate, 678 in the standard parametrization: at 200 times
//! the published rate its mode alternates in sign while it shrinks. The prediction is that of descent at the rate in use.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::error::ReproduceError;
use super::monitor::Monitor;
use crate::dataset::npy;
use crate::encoding::{EncodingKind, EncodingParams};
use crate::loss::SquaredError;
use crate::network::{Initialization, Mlp, OutputActivation, Shape};
use crate::optimizer::{GradientDescent, Optimizer, Schedule};
use crate::regression::Regression;
use crate::theory::dynamics::{Dynamics, Initial, Training};
use crate::theory::empirical::EmpiricalNtk;
use crate::theory::kernel::{FourierFeatures, Kernel};
use crate::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel, Parametrization};
use crate::train::{Ended, LoopParams, TrainState, Watch, train};

/// Samples of the signal over its period.
const SIGNAL: usize = 256;
/// Every eighth of them trains.
const SPACING: usize = 8;
/// Harmonics 1 … 16 of the mappings.
pub(super) const FREQUENCIES: usize = 16;
/// ReLU layers of every network here.
const HIDDEN_LAYERS: usize = 3;

/// What the network is fed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ToyMapping {
    /// For legends.
    pub(super) name: &'static str,
    /// p of the amplitudes 1/j^p of harmonics 1 … 16; none: the coordinate itself, less 0.5.
    pub(super) power: Option<f64>,
}

/// All seven, the raw coordinate last.
pub(super) const MAPPINGS: [ToyMapping; 7] = [
    ToyMapping { name: "p = 0", power: Some(0.0) },
    ToyMapping { name: "p = 0.5", power: Some(0.5) },
    ToyMapping { name: "p = 1", power: Some(1.0) },
    ToyMapping { name: "p = 1.5", power: Some(1.5) },
    ToyMapping { name: "p = 2", power: Some(2.0) },
    ToyMapping { name: "p = ∞", power: Some(f64::INFINITY) },
    ToyMapping { name: "no mapping", power: None },
];

impl ToyMapping {
    /// The features of unit norm, none for the coordinate itself. All 32 columns stay, those of amplitude zero too.
    pub(super) fn features(self) -> Result<Option<FourierFeatures>, ReproduceError> {
        let Some(amplitude_power) = self.power else { return Ok(None) };
        let (kind, frequencies) = (EncodingKind::Fourier, FREQUENCIES);
        let params =
            EncodingParams { kind, frequencies, amplitude_power, normalize: true, ..EncodingParams::default() };
        Ok(FourierFeatures::of(&params, 1)?)
    }

    /// The network's inputs `[n, f]` for points `[n, 1]`.
    pub(super) fn inputs(self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, ReproduceError> {
        Ok(match self.features()? {
            Some(features) => features.features(points)?,
            None => &points - 0.5,
        })
    }
}

/// Points and values; columns of length 32 and 224.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) train_points: Array2<f64>,
    pub(super) train_targets: Array2<f64>,
    pub(super) test_points: Array2<f64>,
    pub(super) test_targets: Array2<f64>,
}

impl Problem {
    /// The bundled signal.
    pub(super) fn load() -> Self {
        let signal =
            npy::read(include_bytes!("../../testdata/ntk/target_256.npy")).expect("the bundled array is sound");
        let part = |train: bool| {
            let chosen = (0..SIGNAL).filter(move |i| i.is_multiple_of(SPACING) == train);
            let points: Vec<f64> = chosen.clone().map(|i| i as f64 / SIGNAL as f64).collect();
            let targets: Vec<f64> = chosen.map(|i| signal.values[i]).collect();
            (Array1::from(points).insert_axis(Axis(1)), Array1::from(targets).insert_axis(Axis(1)))
        };
        let ((train_points, train_targets), (test_points, test_targets)) = (part(true), part(false));
        Self { train_points, train_targets, test_points, test_targets }
    }

    /// The same without the test points, for what asks of the training points alone: evaluating 224 points at every logged
    /// step costs more than a short training does.
    pub(super) fn training_only(mut self) -> Self {
        self.test_points = Array2::zeros((0, 1));
        self.test_targets = Array2::zeros((0, 1));
        self
    }

    /// Whether there are test points.
    fn tests(&self) -> bool {
        !self.test_points.is_empty()
    }

    /// Values at the training and the test points merged into the order of the 256 samples, with their places.
    pub(super) fn curve(&self, train: ArrayView1<'_, f64>, test: ArrayView1<'_, f64>) -> Vec<(f64, f64)> {
        let pairs = |points: &Array2<f64>, values: ArrayView1<'_, f64>| {
            points.iter().copied().zip(values.iter().copied()).collect::<Vec<_>>()
        };
        let mut all = pairs(&self.train_points, train);
        all.extend(pairs(&self.test_points, test));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }
}

/// A network and how it is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Setting {
    /// Where the scale of the weights stands.
    pub(super) ntk_parametrization: bool,
    /// Units of each of the three hidden layers.
    pub(super) width: usize,
    /// η.
    pub(super) learning_rate: f64,
    /// Updates.
    pub(super) steps: u64,
    /// Of the initial weights.
    pub(super) seed: u64,
}

impl Setting {
    /// The setting of the paper: standard parametrization, σw = 1, biases from zero. `speedup` divides the steps and
    /// multiplies the rate.
    pub(super) fn published(speedup: u64, seed: u64) -> Self {
        Self {
            ntk_parametrization: false,
            width: 1024,
            learning_rate: 1e-5 * speedup as f64,
            steps: (50_000 / speedup) + 1,
            seed,
        }
    }

    /// σw and σb. In the NTK parametrization twice He's variance: the initial outputs, of size 1, are larger than the signal, so
    /// that weights need move little (lazy training; Chizat, Oyallon and Bach 2019), and gaps are smaller shares of the initial loss.
    pub(super) fn deviations(&self) -> (f64, f64) {
        if self.ntk_parametrization { (2.0, 0.0) } else { (1.0, 0.0) }
    }

    /// The tangent kernel of this network at infinite width behind a mapping, a function of the mapped inputs.
    pub(super) fn kernel(&self, mapping: ToyMapping) -> Result<NetworkKernel, ReproduceError> {
        let (weight_std, bias_std) = self.deviations();
        let parametrization = if self.ntk_parametrization {
            Parametrization::Ntk
        } else {
            Parametrization::Standard { width: self.width }
        };
        let params =
            InfiniteMlpParams { hidden_layers: HIDDEN_LAYERS, parametrization, weight_std, bias_std: Some(bias_std) };
        Ok(NetworkKernel { features: mapping.features()?, network: params.check()?, covariance: Covariance::Ntk })
    }

    fn network(&self, inputs: usize) -> Mlp<f32> {
        let (weight_std, bias_std) = self.deviations();
        let shape = Shape::new(inputs, &[self.width; HIDDEN_LAYERS], 1, OutputActivation::Linear);
        let initialization = Initialization::Normal { weight_std, bias_std };
        Mlp::new(shape, initialization, &mut ChaCha8Rng::seed_from_u64(self.seed))
    }

    /// Gradient descent in this parametrization.
    fn descent(&self, shape: &Shape) -> GradientDescent {
        let (weight_std, bias_std) = self.deviations();
        if self.ntk_parametrization {
            GradientDescent::ntk(shape, weight_std, bias_std)
        } else {
            GradientDescent::default()
        }
    }
}

/// Outputs after some number of updates, on the training and the test points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) step: u64,
    pub(super) train: Array1<f64>,
    pub(super) test: Array1<f64>,
}

impl Snapshot {
    /// ½ Σ (f - y)² on the training points.
    pub(super) fn train_loss(&self, problem: &Problem) -> f64 {
        0.5 * squares(&self.train, &problem.train_targets)
    }

    /// Mean of (f - y)² on the test points.
    pub(super) fn test_error(&self, problem: &Problem) -> f64 {
        squares(&self.test, &problem.test_targets) / self.test.len() as f64
    }
}

fn squares(outputs: &Array1<f64>, targets: &Array2<f64>) -> f64 {
    outputs.iter().zip(targets).map(|(output, target)| (output - target).powi(2)).sum()
}

/// A training run as it was measured, and what is needed to predict it.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) setting: Setting,
    pub(super) mapping: ToyMapping,
    /// At the steps of [`logged_steps`], the start and the end included.
    pub(super) measured: Vec<Snapshot>,
    /// The network before training.
    start: Mlp<f32>,
}

/// 0, the last step, and about `count` between them at even ratios.
pub(super) fn logged_steps(steps: u64, count: usize) -> Vec<u64> {
    let ratio = (steps.max(1) as f64).ln() / count.max(1) as f64;
    let mut logged: Vec<u64> = (0..=count).map(|k| (ratio * k as f64).exp().round() as u64).collect();
    logged.push(steps);
    logged.insert(0, 0);
    logged.retain(|&step| step <= steps);
    logged.dedup();
    logged
}

/// Trains one network on the problem.
pub(super) fn run(
    problem: &Problem,
    mapping: ToyMapping,
    setting: Setting,
    logged: &[u64],
    monitor: &Monitor<'_>,
) -> Result<Run, ReproduceError> {
    let f32_inputs = |points: &Array2<f64>| Ok::<_, ReproduceError>(mapping.inputs(points.view())?.mapv(|x| x as f32));
    let train_inputs = f32_inputs(&problem.train_points)?;
    let test_inputs = if problem.tests() { Some(f32_inputs(&problem.test_points)?) } else { None };
    let network = setting.network(train_inputs.ncols());
    let start = network.clone();
    let params = LoopParams {
        steps: setting.steps,
        learning_rate: setting.learning_rate,
        schedule: Schedule::Constant,
        optimizer: Optimizer::GradientDescent(setting.descent(network.shape())),
    };
    let snapshot = |step, network: &Mlp<f32>| {
        let outputs = |inputs: &Array2<f32>| network.predict(inputs.view()).column(0).mapv(f64::from);
        let test = test_inputs.as_ref().map_or_else(|| Array1::zeros(0), outputs);
        Snapshot { step, train: outputs(&train_inputs), test }
    };
    let targets = problem.train_targets.mapv(|y| y as f32);
    let mut objective = Regression::new(train_inputs.clone(), targets, SquaredError::HalfSum, None, 0);
    let mut state = TrainState::new(vec![network]);
    let mut measured = Vec::with_capacity(logged.len());
    let mut observe = |state: &TrainState, _loss: f64| {
        if logged.binary_search(&state.step).is_ok() {
            measured.push(snapshot(state.step, &state.networks[0]));
        }
        monitor.advance(1);
    };
    let mut watch = Watch { stop: Some(monitor.stop), observe: Some(&mut observe), ..Watch::default() };
    let ended = train(&mut objective, &mut state, &params, &mut watch)?;
    if ended == Ended::Interrupted {
        return Err(ReproduceError::Interrupted);
    }
    measured.push(snapshot(state.step, &state.networks[0]));
    Ok(Run { setting, mapping, measured, start })
}

/// Which kernel predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    /// That of infinite width, in closed form.
    Infinite,
    /// That of the network itself before its first update.
    Own,
}

/// Gram matrix of the training points `[32, 32]` and cross matrix `[224, 32]` of the test points with them.
#[derive(Clone, Debug)]
pub(super) struct Kernels {
    pub(super) gram: Array2<f64>,
    cross: Array2<f64>,
}

impl Run {
    /// The kernel's prediction at the same steps, from the network's own initial outputs.
    pub(super) fn predict(&self, problem: &Problem, predictor: Predictor) -> Result<Vec<Snapshot>, ReproduceError> {
        let kernels = self.kernels(problem, predictor)?;
        self.predict_by(problem, &Dynamics::new(kernels.gram.view())?, &kernels)
    }

    /// As [`Self::predict`], by kernels that are known and the dynamics of their Gram matrix.
    pub(super) fn predict_by(
        &self,
        problem: &Problem,
        dynamics: &Dynamics,
        kernels: &Kernels,
    ) -> Result<Vec<Snapshot>, ReproduceError> {
        let projected = kernels.cross.dot(&dynamics.eigen().vectors);
        let start = &self.measured[0];
        let (train, test) = (start.train.view().insert_axis(Axis(1)), start.test.view().insert_axis(Axis(1)));
        let initial = Initial { train: Some(train), test: problem.tests().then_some(test) };
        let targets = problem.train_targets.view();
        self.measured
            .iter()
            .map(|measured| {
                let learning_rate = self.setting.learning_rate;
                let training = Training::Descent { learning_rate, steps: measured.step };
                let column = |outputs: Array2<f64>| outputs.column(0).to_owned();
                Ok(Snapshot {
                    step: measured.step,
                    train: column(dynamics.train(targets, initial, training)?),
                    test: if problem.tests() {
                        column(dynamics.test_modes(&projected, targets, initial, training)?)
                    } else {
                        Array1::zeros(0)
                    },
                })
            })
            .collect()
    }

    /// The predictor's kernels on this problem.
    pub(super) fn kernels(&self, problem: &Problem, predictor: Predictor) -> Result<Kernels, ReproduceError> {
        // Kernels are of at least one point.
        let none = || Array2::zeros((0, problem.train_points.nrows()));
        let tested = problem.tests();
        match predictor {
            Predictor::Infinite => {
                let kernel = self.setting.kernel(self.mapping)?;
                let shift = if self.mapping.power.is_none() { 0.5 } else { 0.0 };
                let (train, test) = (&problem.train_points - shift, &problem.test_points - shift);
                let cross = if tested { kernel.cross(test.view(), train.view())? } else { none() };
                Ok(Kernels { gram: kernel.gram(train.view())?, cross })
            }
            Predictor::Own => {
                let network = EmpiricalNtk::new(&self.start, &self.setting.descent(self.start.shape()).factors)?;
                let train = self.mapping.inputs(problem.train_points.view())?;
                let cross = if tested {
                    let test = self.mapping.inputs(problem.test_points.view())?;
                    network.cross(test.view(), train.view(), 0)?
                } else {
                    none()
                };
                Ok(Kernels { gram: network.gram(train.view(), 0)?, cross })
            }
        }
    }

    /// Mean square on the test points of what the kernel of infinite width predicts at `time` of gradient flow from outputs
    /// of zero: the theory alone, without any draw of weights.
    pub(super) fn test_error_from_zero(&self, problem: &Problem, time: f64) -> Result<f64, ReproduceError> {
        let kernels = self.kernels(problem, Predictor::Infinite)?;
        let dynamics = Dynamics::new(kernels.gram.view())?;
        let projected = kernels.cross.dot(&dynamics.eigen().vectors);
        let (targets, training) = (problem.train_targets.view(), Training::Flow { time });
        let outputs = dynamics.test_modes(&projected, targets, Initial::default(), training)?.column(0).to_owned();
        Ok(squares(&outputs, &problem.test_targets) / outputs.len() as f64)
    }

    /// The largest `|measured - predicted training loss| / initial loss` over the logged steps.
    pub(super) fn largest_gap(&self, problem: &Problem, predicted: &[Snapshot]) -> f64 {
        let initial = self.measured[0].train_loss(problem);
        let gap = |(measured, predicted): (&Snapshot, &Snapshot)| {
            (measured.train_loss(problem) - predicted.train_loss(problem)).abs() / initial
        };
        self.measured.iter().zip(predicted).map(gap).fold(0.0, f64::max)
    }
}
