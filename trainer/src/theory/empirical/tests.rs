use std::f64::consts::TAU;

use ndarray::{Array, Array1, Axis, array};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::network::grid::{GridFeatures, GridParams, Nodes};
use crate::network::learned::LearnedFrequencies;
use crate::theory::kernel::FourierFeatures;
use crate::theory::ntk::{Covariance, InfiniteMlpParams};
use crate::training::loss::SquaredError;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::regression::{Batches, Regression};
use crate::training::{LoopParams, TrainState, Watch, train};

/// J by central differences over all parameters, each column times the root of its factor.
fn jacobian(kernel: &EmpiricalNtk, inputs: &Array2<f64>, output: usize) -> Array2<f64> {
    let step = 1e-6;
    let shape = kernel.network.shape();
    let factor = |place: usize| {
        let layer = (0..shape.layers()).find(|&layer| place < shape.biases_range(layer).end).unwrap();
        let (weights, biases) = kernel.factors[layer];
        if shape.weights_range(layer).contains(&place) { weights } else { biases }
    };
    let mut jacobian = Array2::zeros((inputs.nrows(), shape.parameters_len()));
    for (place, mut column) in jacobian.columns_mut().into_iter().enumerate() {
        let at = |sign: f64| {
            let mut moved = kernel.network.clone();
            moved.parameters_mut()[place] += sign * step;
            moved.predict(inputs.view()).column(output).to_owned()
        };
        column.assign(&((at(1.0) - at(-1.0)) * (factor(place).sqrt() / (2.0 * step))));
    }
    jacobian
}

#[test]
fn equals_the_product_of_jacobians() {
    let inputs = Array::from_shape_fn((7, 3), |(i, k)| ((5 * i + 3 * k) as f64).sin());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let initialization = Initialization::Normal { weight_std: 1.4, bias_std: 0.3 };
    let (linear, sigmoid) = (OutputActivation::Linear, OutputActivation::Sigmoid);
    let (relu, sine) = (HiddenActivation::Relu, HiddenActivation::Sine);
    for (hidden, output) in [(relu, linear), (relu, sigmoid), (sine, linear), (sine, sigmoid)] {
        let shape = Shape::new(3, &[6, 5], 2, output).with_hidden(hidden);
        for factors in
            [vec![], vec![(0.5, 0.0), (2.0, 0.1), (1.0, 3.0)], GradientDescent::ntk(&shape, 1.4, 0.3).factors]
        {
            let network = Mlp::<f64>::new(shape.clone(), initialization, &mut rng);
            let kernel = EmpiricalNtk::new(&network, &factors).unwrap();
            let jacobian = jacobian(&kernel, &inputs, 1);
            let gram = kernel.gram(inputs.view(), 1).unwrap();
            assert!(relative_gap(gram.view(), jacobian.dot(&jacobian.t()).view()).unwrap() < 1e-8);
            let cross = kernel.cross(inputs.slice(s![2..5, ..]), inputs.view(), 1).unwrap();
            assert!(relative_gap(cross.view(), gram.slice(s![2..5, ..])).unwrap() < 1e-14);
        }
    }
}

/// An encoding with parameters of its own, by its definition in f64.
enum Exact {
    /// γ = \[cos 2πBv, sin 2πBv\] with B `[m, d]`.
    Frequencies,
    /// Values of B-splines with so many nodes along each axis, periodic or not.
    Grids { nodes: Vec<usize>, channels: usize, order: u8, periodic: bool },
}

impl Exact {
    fn features(&self, parameters: &[f64], point: &[f64]) -> Vec<f64> {
        match self {
            Self::Frequencies => {
                let phase = |b: &[f64]| TAU * b.iter().zip(point).map(|(b, v)| b * v).sum::<f64>();
                let phases: Vec<f64> = parameters.chunks_exact(point.len()).map(phase).collect();
                phases.iter().map(|phase| phase.cos()).chain(phases.iter().map(|phase| phase.sin())).collect()
            }
            Self::Grids { nodes, channels, order, periodic } => {
                let mut features = vec![0.0; nodes.len() * channels];
                let mut start = 0;
                for (level, &nodes) in nodes.iter().enumerate() {
                    let len = nodes.pow(point.len() as u32);
                    for node in 0..len {
                        // Row-major: the last axis is the fastest.
                        let along =
                            (0..point.len()).map(|axis| node / nodes.pow((point.len() - 1 - axis) as u32) % nodes);
                        let weight: f64 =
                            along.zip(point).map(|(j, &v)| Self::bump(*order, *periodic, [nodes, j], v)).product();
                        for channel in 0..*channels {
                            features[level * channels + channel] +=
                                weight * parameters[start + node * channels + channel];
                        }
                    }
                    start += len * channels;
                }
                features
            }
        }
    }

    /// The B-spline of node j of n at v: of order 1 the hat, of order 2 the bell of three parabolas (de Boor 1978),
    /// whose middle is half a cell before the node's place.
    fn bump(order: u8, periodic: bool, [n, j]: [usize; 2], v: f64) -> f64 {
        let cells = (if periodic { n } else { n - usize::from(order) }) as f64;
        let spline = |u: f64| match (order, u.abs()) {
            (1, u) => (1.0 - u).max(0.0),
            (_, u) if u < 0.5 => 0.75 - u * u,
            (_, u) if u < 1.5 => 0.5 * (1.5 - u).powi(2),
            _ => 0.0,
        };
        let off = v * cells - j as f64 + if order == 1 { 0.0 } else { 0.5 };
        if periodic { [-1.0, 0.0, 1.0].map(|turn| spline(off + turn * cells)).iter().sum() } else { spline(off) }
    }
}

/// A small network behind an encoding that is trained with it.
struct Encoded {
    features: Box<dyn Features>,
    exact: Exact,
    points: Array2<f64>,
    network: Mlp<f32>,
}

impl Encoded {
    fn new(params: &EncodingParams, hidden: HiddenActivation, seed: u64) -> Self {
        let encoding = params.check(2).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let coordinates = Array2::from_shape_simple_fn((9, 2), || rng.random::<u32>());
        let points = coordinates.mapv(|v| f64::from(v) / 2f64.powi(32));
        let shape = Shape::new(encoding.features_len(), &[6, 5], 1, OutputActivation::Linear);
        let shape = shape.with_hidden(hidden).with_encoder(encoding.parameters_len());
        let mut network = Mlp::<f32>::new(shape.clone(), Initialization::Siren, &mut rng);
        let parameters = &mut network.parameters_mut()[shape.encoder_range()];
        let (features, exact): (Box<dyn Features>, _) = match encoding.grid() {
            None => {
                let cycles = encoding.frequency_matrix().mapv(|b| b as f32);
                parameters.copy_from_slice(cycles.as_slice().unwrap());
                let trained = vec![true; 2];
                (Box::new(LearnedFrequencies::new(&encoding, coordinates, trained)), Exact::Frequencies)
            }
            Some(grid) => {
                parameters.iter_mut().for_each(|parameter| *parameter = rng.random_range(-1.0f32..1.0));
                let nodes = grid.levels().iter().map(|level| level.nodes()[0] as usize).collect();
                let GridParams { channels, order, .. } = params.grid;
                let exact = Exact::Grids { nodes, channels, order, periodic: params.whole };
                (Box::new(GridFeatures::new(grid, coordinates, u64::MAX)), exact)
            }
        };
        Self { features, exact, points, network }
    }

    /// Four kinds of encodings, each before layers of both kinds.
    fn all() -> impl Iterator<Item = Self> {
        let gaussian = EncodingParams { frequencies: 4, scale: 1.5, ..EncodingParams::default() };
        let grids = |order, whole| {
            let grid = GridParams { levels: [4, 7].map(|n| Nodes(vec![n])).into(), order, ..GridParams::default() };
            EncodingParams { kind: EncodingKind::Grid, grid, whole, ..EncodingParams::default() }
        };
        let encodings = [gaussian, grids(1, false), grids(2, false), grids(2, true)];
        let both = [HiddenActivation::Relu, HiddenActivation::Sine];
        let kinds = encodings.into_iter().flat_map(move |encoding| both.map(|hidden| (encoding.clone(), hidden)));
        kinds.enumerate().map(|(seed, (encoding, hidden))| Self::new(&encoding, hidden, seed as u64))
    }

    /// Outputs at all points in f64, of any parameters in the network's layout.
    fn outputs(&self, network: &Mlp<f64>) -> Array1<f64> {
        let features = |point: ArrayView1<'_, f64>| self.exact.features(network.encoder(), &point.to_vec());
        let rows: Vec<f64> = self.points.outer_iter().flat_map(features).collect();
        let inputs = Array2::from_shape_vec((self.points.nrows(), network.shape().inputs()), rows).unwrap();
        network.predict(inputs.view()).column(0).to_owned()
    }
}

/// What 16 bits leave of the device's features.
const FEATURE_GAP: f64 = 5e-4;

#[test]
fn the_parameters_of_an_encoding_add_their_share() {
    for encoded in Encoded::all() {
        let exact = encoded.network.cast::<f64>();
        // J by central differences of the definition, over all parameters.
        let mut jacobian = Array2::zeros((9, exact.parameters().len()));
        for (place, mut column) in jacobian.columns_mut().into_iter().enumerate() {
            let at = |step: f64| {
                let mut moved = exact.clone();
                moved.parameters_mut()[place] += step;
                encoded.outputs(&moved)
            };
            column.assign(&((at(1e-6) - at(-1e-6)) / 2e-6));
        }
        let of_encoding = jacobian.slice(s![.., exact.shape().encoder_range()]).to_owned();
        let kernel = EmpiricalNtk::new(&encoded.network, &[]).unwrap();
        for factor in [1.0, 7.0] {
            let expected = jacobian.dot(&jacobian.t()) + of_encoding.dot(&of_encoding.t()) * (factor - 1.0);
            let kernel = kernel.clone().with_encoder_factor(factor);
            let gram = kernel.gram_of(&encoded.features, &Rows::Range(0..9), 0).unwrap();
            let gap = relative_gap(gram.view(), expected.view()).unwrap();
            assert!(gap < FEATURE_GAP, "{gap}");
            let some = Rows::Indices(&[7, 2, 2]);
            let cross = kernel.cross_of(&encoded.features, [&some, &Rows::Range(1..9)], 0).unwrap();
            let rows = gram.select(Axis(0), &[7, 2, 2]);
            assert!(relative_gap(cross.view(), rows.slice(s![.., 1..])).unwrap() < 1e-12);
        }
        // The share is no small one: to leave it out would be seen.
        let layers = &jacobian.dot(&jacobian.t()) - &of_encoding.dot(&of_encoding.t());
        assert!(relative_gap(layers.view(), jacobian.dot(&jacobian.t()).view()).unwrap() > 20.0 * FEATURE_GAP);
    }
}

#[test]
fn a_small_step_of_descent_moves_the_outputs_as_the_kernel_says() {
    const ENCODER_RATE: f64 = 3.0;
    for mut encoded in Encoded::all() {
        let before = encoded.outputs(&encoded.network.cast());
        let kernel = EmpiricalNtk::new(&encoded.network, &[]).unwrap().with_encoder_factor(ENCODER_RATE);
        let gram = kernel.gram_of(&encoded.features, &Rows::Range(0..9), 0).unwrap();
        let targets = Array1::from_shape_fn(9, |i| (i as f64).cos());
        // Far below the rate at which the step is no longer small, and far above the rounding of f32.
        let learning_rate = 1e-3 / gram.diag().sum();
        let expected = gram.dot(&(&targets - &before)) * learning_rate;
        let mut state = TrainState::new(vec![encoded.network.clone()]);
        let features = std::mem::replace(&mut encoded.features, Box::new(Array2::zeros((9, 1))));
        let column = targets.mapv(|y| y as f32).insert_axis(Axis(1));
        let batches = Batches { size: None, seed: 0 };
        let objective = &mut Regression::new(features, column, SquaredError::HalfSum, batches);
        let params = LoopParams {
            steps: 1,
            learning_rate,
            encoder_rate: ENCODER_RATE,
            schedule: Schedule::Constant,
            optimizer: Optimizer::GradientDescent(GradientDescent::default()),
            row_limit: None,
        };
        train(objective, &mut state, &params, &mut Watch::default()).unwrap();
        let moved = encoded.outputs(&state.networks[0].cast()) - &before;
        let gap = (&moved - &expected).mapv(|gap| gap * gap).sum().sqrt() / expected.dot(&expected).sqrt();
        assert!(gap < 0.01, "{gap}");
    }
}

#[test]
fn approaches_the_infinite_kernel_as_the_width_grows() {
    // mean gaps of an independent computation: 0.50 at width 64, 0.26 at 256
    let frequencies = Array::linspace(1.0, 16.0, 16);
    let amplitudes = frequencies.mapv(f64::recip);
    let features = FourierFeatures::new(frequencies.insert_axis(Axis(1)), amplitudes, true).unwrap();
    let points = Array::from_shape_fn((32, 1), |(i, _)| i as f64 / 32.0);
    let inputs = features.features(points.view()).unwrap();
    let network = InfiniteMlpParams::default().check().unwrap();
    let infinite = network.gram(inputs.view(), Covariance::Ntk).unwrap();
    let mean_gap = |width, draws: u64| {
        let gap = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let finite = EmpiricalNtk::sample(&network, 32, width, &mut rng).unwrap();
            relative_gap(finite.gram(inputs.view(), 0).unwrap().view(), infinite.view()).unwrap()
        };
        (0..draws).map(gap).sum::<f64>() / draws as f64
    };
    let (narrow, wide) = (mean_gap(64, 40), mean_gap(256, 20));
    assert!((0.4..0.6).contains(&narrow), "{narrow}");
    assert!((0.2..0.32).contains(&wide), "{wide}");
}

#[test]
fn a_standard_network_approaches_its_closed_form_too() {
    let params = InfiniteMlpParams {
        parametrization: Parametrization::Standard { width: 512 },
        weight_std: 1.0,
        bias_std: Some(0.0),
        ..Default::default()
    };
    let network = params.check().unwrap();
    let inputs = Array::from_shape_fn((12, 4), |(i, k)| ((5 * i + 3 * k) as f64).sin());
    let infinite = network.gram(inputs.view(), Covariance::Ntk).unwrap();
    let gaps = (0..6).map(|seed| {
        let finite = EmpiricalNtk::sample(&network, 4, 512, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        relative_gap(finite.gram(inputs.view(), 0).unwrap().view(), infinite.view()).unwrap()
    });
    let mean = gaps.sum::<f64>() / 6.0;
    assert!(mean < 0.2, "{mean}");
}

#[test]
fn inputs_and_outputs_that_do_not_fit_are_refused() {
    let shape = Shape::new(2, &[3], 1, OutputActivation::Linear);
    let network = Mlp::<f32>::new(shape, Initialization::He, &mut ChaCha8Rng::seed_from_u64(0));
    assert!(EmpiricalNtk::new(&network, &[(1.0, 1.0)]).is_err());
    let kernel = EmpiricalNtk::new(&network, &[]).unwrap();
    assert!(kernel.gram(array![[1.0, 2.0]].view(), 1).is_err());
    assert!(kernel.gram(array![[1.0]].view(), 0).is_err());
    assert!(kernel.gram(array![[1.0, f64::NAN]].view(), 0).is_err());
    let mut broken = network;
    broken.parameters_mut()[3] = f32::NAN;
    assert!(matches!(EmpiricalNtk::new(&broken, &[]), Err(TheoryError::NotFinite { column: 3, .. })));
}
