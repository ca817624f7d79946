//! Networks of random weights in every precision, against the definition in double precision.

use firmware_core::Precision;
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::artifact::export::{Artifact, Card, Domain, ExportError, TrainedNetwork};
use trainer::artifact::quantize::DenseLayer;
use trainer::data::{Axis, OutputMap};
use trainer::network::encoding::Encoding;
use trainer::network::{HiddenActivation, Mlp, OutputActivation, Shape};

const AMPLITUDES: usize = 24;

struct Case {
    hidden_activation: HiddenActivation,
    encoding: Encoding,
    layers: Vec<DenseLayer>,
    features: Array2<i16>,
    coordinates: Array2<u32>,
}

/// A random network of a trained network's magnitudes, and calibration points.
fn case(hidden: &[usize]) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut uniform = move |limit: f64| rng.random_range(-limit..limit);
    let frequencies: Vec<i32> = (0..2 * AMPLITUDES).map(|_| (uniform(8.0) * 65_536.0) as i32).collect();
    let amplitudes: Vec<f32> = (0..AMPLITUDES).map(|j| 1.0 / (1.0 + j as f32).sqrt()).collect();
    let widths = [&[2 * AMPLITUDES], hidden, &[3]].concat();
    let layers: Vec<DenseLayer> = widths
        .windows(2)
        .map(|pair| {
            let limit = (6.0 / pair[0] as f64).sqrt();
            DenseLayer {
                weights: Array2::from_shape_simple_fn((pair[1], pair[0]), || uniform(limit) as f32),
                bias: Array1::from_shape_simple_fn(pair[1], || uniform(0.3) as f32),
            }
        })
        .collect();
    let coordinates = Array2::from_shape_simple_fn((1500, 2), || ((uniform(0.5) + 0.5) * 4_294_967_295.0) as u32);
    let encoding = Encoding::from_parts(2, frequencies, amplitudes, 0).unwrap();
    let features = encoding.encode(coordinates.view());
    Case { hidden_activation: HiddenActivation::Relu, encoding, layers, features, coordinates }
}

fn domain(inputs: usize, map: OutputMap) -> Domain {
    Domain::clamped(vec![Axis::new(0.0, 1.0, 1.0); inputs], vec![map; 3])
}

impl Case {
    fn artifact(
        &self,
        precision: Precision,
        activation: OutputActivation,
        domain: &Domain,
    ) -> Result<Artifact, ExportError> {
        let network = self.network(activation);
        let trained = TrainedNetwork { encoding: &self.encoding, network: &network, domain };
        trained.artifact(precision, self.features.view(), Card::new(""))
    }

    fn network(&self, activation: OutputActivation) -> Mlp<f32> {
        let hidden: Vec<usize> = self.layers[..self.layers.len() - 1].iter().map(|layer| layer.bias.len()).collect();
        let shape =
            Shape::new(self.encoding.features_len(), &hidden, 3, activation).with_hidden(self.hidden_activation);
        let parameters = self.layers.iter().flat_map(|layer| layer.weights.iter().chain(&layer.bias)).copied();
        Mlp::from_parameters(shape, parameters.collect()).unwrap()
    }
}

/// Outputs `[n, 3]` in f64, straight from the definition.
fn reference(case: &Case, sigmoid: bool) -> Array2<f64> {
    let mut x = case.features.mapv(|feature| f64::from(feature) / 32767.0);
    for (j, &amplitude) in case.encoding.amplitudes().iter().enumerate() {
        for column in [j, AMPLITUDES + j] {
            x.column_mut(column).mapv_inplace(|value| value * f64::from(amplitude));
        }
    }
    for (l, layer) in case.layers.iter().enumerate() {
        x = x.dot(&layer.weights.mapv(f64::from).t()) + layer.bias.mapv(f64::from);
        if l + 1 < case.layers.len() {
            x.mapv_inplace(|value| match case.hidden_activation {
                HiddenActivation::Relu => value.max(0.0),
                HiddenActivation::Sine => value.sin(),
            });
        }
    }
    if sigmoid { x.mapv(|z| 1.0 / (1.0 + (-z).exp())) } else { x }
}

/// Root mean square error of the artifact against the reference, relative to the outputs' deviation.
fn relative_error(case: &Case, precision: Precision, activation: OutputActivation) -> f64 {
    let domain = domain(2, OutputMap { scale: 3.0, offset: -1.0 });
    let artifact = case.artifact(precision, activation, &domain).unwrap();
    let model = artifact.model().unwrap();
    let mut scratch = vec![0; model.scratch_words()];
    let expected = reference(case, activation == OutputActivation::Sigmoid);
    let deviation = expected.std(0.0);
    let maps: Vec<OutputMap> = model.output_maps().collect();
    let mut squares = 0.0;
    for (coordinates, expected) in case.coordinates.rows().into_iter().zip(expected.rows()) {
        let mut raw = [0; 3];
        model.eval_fixed_into(coordinates.as_slice().unwrap(), &mut scratch, &mut raw).unwrap();
        for ((raw, map), expected) in raw.iter().zip(&maps).zip(expected) {
            let raw = if precision == Precision::F32 { f32::from_bits(*raw as u32) } else { *raw as f32 };
            let unit = (f64::from(raw * map.scale + map.offset) + 1.0) / 3.0;
            squares += (unit - expected).powi(2);
        }
    }
    (squares / expected.len() as f64).sqrt() / deviation
}

#[test]
fn every_precision_reproduces_the_network() {
    for hidden_activation in [HiddenActivation::Relu, HiddenActivation::Sine] {
        for activation in [OutputActivation::Linear, OutputActivation::Sigmoid] {
            for hidden in [&[][..], &[40], &[33, 17], &[64, 64, 64]] {
                let case = Case { hidden_activation, ..case(hidden) };
                for (precision, limit) in [(Precision::F32, 2e-4), (Precision::W16A16, 6e-4), (Precision::W8A16, 7e-3)]
                {
                    let error = relative_error(&case, precision, activation);
                    assert!(error < limit, "{precision:?} {hidden_activation:?} {activation:?} {hidden:?}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn weights_too_large_for_a_sine_are_refused() {
    let mut case = Case { hidden_activation: HiddenActivation::Sine, ..case(&[8]) };
    case.layers[0].weights[[3, 1]] = -2e5;
    let domain = domain(2, OutputMap { scale: 1.0, offset: 0.0 });
    let error = case.artifact(Precision::W8A16, OutputActivation::Linear, &domain).unwrap_err();
    let expected = "the weights of layer 1 are too large for a sine; train again with a lower --learning-rate";
    assert_eq!(error.to_string(), expected);
}

/// A hidden unit whose contribution to a logit exceeds 100, as long trainings on a black sky give, decides its output.
#[test]
fn logits_of_hundreds_saturate() {
    let mut case = case(&[40]);
    for layer in &mut case.layers {
        layer.weights *= 15.0;
    }
    let error = relative_error(&case, Precision::W8A16, OutputActivation::Sigmoid);
    assert!(error < 0.1, "{error:e}");
}

#[test]
fn sizes_beyond_the_limits_are_named() {
    let case = case(&[8]);
    let domain = domain(17, OutputMap { scale: 1.0, offset: 0.0 });
    let error = case.artifact(Precision::F32, OutputActivation::Linear, &domain).unwrap_err();
    assert_eq!(error.to_string(), "the number of inputs is 17, more than the 16 that a device accepts");
}

#[test]
fn rows_of_zeros_and_large_biases_are_stored() {
    let mut case = case(&[16]);
    case.layers[0].weights.row_mut(3).fill(0.0);
    case.layers[0].weights.row_mut(4).fill(0.0);
    case.layers[0].bias[4] = 1000.0;
    case.layers[1].weights.fill(0.0);
    let domain = domain(2, OutputMap { scale: 1.0, offset: 0.0 });
    for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
        case.artifact(precision, OutputActivation::Linear, &domain).unwrap().model().unwrap();
    }
}
