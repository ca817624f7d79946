//! Against the plain recursion, the arc-cosine kernels, and what every kernel must be.

use std::f64::consts::PI;

use ndarray::{Array, Axis, array};

use super::*;
use crate::theory::kernel::{FourierFeatures, Kernel};
use crate::theory::linalg::symmetric_eigen;

/// The recursion as the references state it, with `arccos`.
fn naive(params: &InfiniteMlpParams, x: &[f64], y: &[f64]) -> (f64, f64) {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>() / x.len() as f64;
    let (weight, bias) = (params.weight_std.powi(2), params.bias_std.unwrap_or(0.0).powi(2));
    let (mut q11, mut q12, mut q22, mut tangent) = (dot(x, x), dot(x, y), dot(y, y), 0.0);
    for layer in 0..=params.hidden_layers {
        let before = q12;
        (q11, q12, q22) = (weight * q11 + bias, weight * q12 + bias, weight * q22 + bias);
        tangent = weight * tangent
            + match params.parametrization {
                Parametrization::Ntk => q12,
                Parametrization::Standard { width } => {
                    let fan_in = if layer == 0 { x.len() } else { width };
                    fan_in as f64 * before + if params.bias_std.is_some() { 1.0 } else { 0.0 }
                }
            };
        if layer < params.hidden_layers {
            let scale = (q11 * q22).sqrt();
            let cosine = (q12 / scale).clamp(-1.0, 1.0);
            let angle = cosine.acos();
            q12 = scale * (angle.sin() + (PI - angle) * cosine) / (2.0 * PI);
            tangent *= (PI - angle) / (2.0 * PI);
            (q11, q22) = (q11 / 2.0, q22 / 2.0);
        }
    }
    (q12, tangent)
}

fn networks() -> Vec<InfiniteMlp> {
    let mut networks = Vec::new();
    for hidden_layers in [0, 1, 3, 8] {
        for parametrization in [Parametrization::Ntk, Parametrization::Standard { width: 100 }] {
            for (weight_std, bias_std) in [(2f64.sqrt(), None), (1.0, Some(0.0)), (1.3, Some(0.5))] {
                let params = InfiniteMlpParams { hidden_layers, parametrization, weight_std, bias_std };
                networks.push(params.check().unwrap());
            }
        }
    }
    networks
}

#[test]
fn equals_the_plain_recursion_away_from_its_cancellation() {
    let points = array![
        [0.3, -0.2, 0.9, 1.0, 0.1],
        [1.2, 0.4, 0.1, -0.3, 0.2],
        [-0.3, 0.2, -0.8, 0.7, 2.0],
        [0.3, -0.2, 0.9, 1.0, 0.101],
        [-0.3, 0.2, -0.9, -1.01, -0.1],
    ];
    for network in networks() {
        let ntk = network.gram(points.view(), Covariance::Ntk).unwrap();
        let nngp = network.cross(points.view(), points.view(), Covariance::Nngp).unwrap();
        let diagonal = network.diagonal(points.view(), Covariance::Ntk).unwrap();
        for i in 0..5 {
            assert!((diagonal[i] - ntk[[i, i]]).abs() <= 1e-15 * diagonal[i]);
            for j in 0..5 {
                let (x, y) = (points.row(i).to_vec(), points.row(j).to_vec());
                let (q, t) = naive(network.params(), &x, &y);
                // beyond 1e-7 the plain recursion is the worse of the two, on the diagonal
                let tolerance = if i == j { 1e-7 } else { 1e-11 };
                assert!((nngp[[i, j]] - q).abs() < tolerance * nngp[[i, i]].max(nngp[[j, j]]), "{network:?} {i} {j}");
                assert!((ntk[[i, j]] - t).abs() < tolerance * ntk[[i, i]].max(ntk[[j, j]]), "{network:?} {i} {j}");
            }
        }
    }
}

#[test]
fn one_hidden_layer_matches_the_arc_cosine_kernels() {
    // He, no bias, unit-norm inputs at angle θ, f = 2: q = 2·½·κ1(cos θ)/… by hand
    let network = InfiniteMlpParams { hidden_layers: 1, ..Default::default() }.check().unwrap();
    for angle in [1e-9, 1e-5, 0.1, 1.0, 3.0, PI] {
        let inputs = array![[1.0, 0.0], [f64::cos(angle), f64::sin(angle)]];
        let kappa0 = (PI - angle) / PI;
        let kappa1 = (angle.sin() + (PI - angle) * angle.cos()) / PI;
        let ntk = network.gram(inputs.view(), Covariance::Ntk).unwrap();
        assert!((ntk[[0, 1]] - (kappa1 + angle.cos() * kappa0)).abs() < 1e-14, "{angle}");
    }
}

#[test]
fn duplicates_are_exactly_the_diagonal_wherever_they_stand() {
    let features =
        FourierFeatures::new(Array::linspace(1.0, 40.0, 40).insert_axis(Axis(1)), Array::linspace(1.0, 0.1, 40), true)
            .unwrap();
    let points = Array::from_shape_fn((100, 1), |(i, _)| (i % 50) as f64 / 61.0);
    let inputs = features.features(points.view()).unwrap();
    for network in networks() {
        let gram = network.gram(inputs.view(), Covariance::Ntk).unwrap();
        assert!((0..50).all(|i| gram[[i, i]] == gram[[i, i + 50]]), "{network:?}");
        assert!((0..50).all(|i| gram.row(i) == gram.row(i + 50)), "{network:?}");
    }
}

#[test]
fn gram_matrices_are_positive_semi_definite() {
    let points = Array::from_shape_fn((40, 2), |(i, k)| ((i * (7 + 4 * k)) % 41) as f64 / 20.0 - 1.0);
    for network in networks() {
        for which in [Covariance::Ntk, Covariance::Nngp] {
            let values = symmetric_eigen(network.gram(points.view(), which).unwrap().view()).unwrap().values;
            assert!(values[39] > -1e-13 * values[0], "{network:?}: {} of {}", values[39], values[0]);
        }
    }
}

#[test]
fn without_biases_one_scalar_input_spans_four_functions() {
    let points = Array::from_shape_fn((33, 1), |(i, _)| i as f64 / 32.0 - 0.5);
    let network = InfiniteMlpParams::default().check().unwrap();
    let values = symmetric_eigen(network.gram(points.view(), Covariance::Ntk).unwrap().view()).unwrap().values;
    assert!(values[4] < 1e-14 * values[0], "rank at most four, but {} beside {}", values[4], values[0]);
}

#[test]
fn composed_with_features_it_is_stationary() {
    let features = FourierFeatures::new(array![[1.0, 2.0], [-3.0, 0.5], [4.0, 4.0]], array![1.0, 0.7, 0.2], false);
    for network in networks() {
        let kernel = NetworkKernel { features: Some(features.clone().unwrap()), network, covariance: Covariance::Ntk };
        let (left, right) = (array![[0.1, 0.2], [0.4, 0.9]], array![[0.15, 0.17], [0.2, 0.3]]);
        let shift = array![[12.3, -7.7]];
        let here = kernel.cross(left.view(), right.view()).unwrap();
        let there = kernel.cross((&left + &shift).view(), (&right + &shift).view()).unwrap();
        let largest = kernel.gram(left.view()).unwrap()[[0, 0]];
        assert!((here - there).iter().all(|gap| gap.abs() < 1e-12 * largest), "{network:?}");
    }
}

#[test]
fn bad_input_is_an_error() {
    let network = InfiniteMlpParams::default().check().unwrap();
    assert!(matches!(network.gram(array![[f64::NAN]].view(), Covariance::Ntk), Err(TheoryError::NotFinite { .. })));
    assert!(matches!(network.gram(array![[1e200]].view(), Covariance::Ntk), Err(TheoryError::Parameter { .. })));
    assert!(network.cross(array![[1.0]].view(), array![[1.0, 2.0]].view(), Covariance::Ntk).is_err());
    assert!((network.gram(array![[2.0]].view(), Covariance::Nngp).unwrap()[[0, 0]] - 8.0).abs() < 1e-14);
    assert!(InfiniteMlpParams { weight_std: 0.0, ..Default::default() }.check().is_err());
    assert!(InfiniteMlpParams { bias_std: Some(-1.0), ..Default::default() }.check().is_err());
    assert!(InfiniteMlpParams { hidden_layers: 1000, ..Default::default() }.check().is_err());
    let parametrization = Parametrization::Standard { width: 0 };
    assert!(InfiniteMlpParams { parametrization, ..Default::default() }.check().is_err());
}
