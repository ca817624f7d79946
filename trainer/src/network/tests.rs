//! Gradients against differences, and the layout of parameters.

use std::ops::Range;

use super::*;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-1.0..1.0))
}

/// A loss with a plain gradient: Σ weights ⊙ outputs².
fn loss(network: &Mlp<f64>, inputs: &Array2<f64>, weights: &Array2<f64>) -> f64 {
    (&network.predict(inputs.view()).mapv(|y| y * y) * weights).sum()
}

/// Compares a derivative with a central difference, unless a ReLU switches inside the interval: then the
/// differences over the interval and over a fifth of it disagree.
fn check(exact: f64, what: &str, mut value_at: impl FnMut(f64) -> f64) -> bool {
    let mut central = |step: f64| (value_at(step) - value_at(-step)) / (2.0 * step);
    let (wide, narrow) = (central(5e-5), central(1e-5));
    let tolerance = 1e-7 * (1.0 + exact.abs());
    if (wide - narrow).abs() > tolerance {
        return false;
    }
    assert!((exact - narrow).abs() < 3.0 * tolerance, "{what}: {exact} but {narrow} by differences");
    true
}

#[test]
fn gradients_match_finite_differences_in_f64() {
    for output in [OutputActivation::Linear, OutputActivation::Sigmoid] {
        for hidden in [&[][..], &[9], &[17, 12, 8]] {
            let shape = Shape::new(7, hidden, 3, output);
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let init = Initialization::Normal { weight_std: 1.4, bias_std: 0.3 };
            let mut network = Mlp::<f64>::new(shape.clone(), init, &mut rng);
            let (inputs, weights) = (random(21, 7, 1), random(21, 3, 2));
            let mut tape = Tape::default();
            let outputs = tape.forward(&network, inputs.view()).to_owned();
            let mut gradient = vec![0.0; shape.parameters_len()];
            let mut input_gradient = Array2::zeros((21, 7));
            let dy = &outputs * &weights * 2.0;
            let into = Some(input_gradient.view_mut());
            let gradients = Gradients { outputs: dy.view(), parameters: &mut gradient, inputs: into };
            tape.backward(&network, inputs.view(), gradients);

            let mut smooth = 0;
            for (index, &exact) in gradient.iter().enumerate() {
                let start = network.parameters[index];
                let ok = check(exact, &format!("{output:?} {hidden:?} parameter {index}"), |step| {
                    network.parameters[index] = start + step;
                    loss(&network, &inputs, &weights)
                });
                network.parameters[index] = start;
                smooth += usize::from(ok);
            }
            assert!(smooth * 10 > gradient.len() * 9, "too few smooth places: {smooth} of {}", gradient.len());
            for row in 0..21 {
                for column in 0..7 {
                    let mut moved = inputs.clone();
                    check(input_gradient[[row, column]], &format!("input {row} {column}"), |step| {
                        moved[[row, column]] = inputs[[row, column]] + step;
                        loss(&network, &moved, &weights)
                    });
                }
            }
        }
    }
}

#[test]
fn gradients_add_up_over_passes_of_one_tape() {
    let shape = Shape::new(5, &[6, 4], 2, OutputActivation::Linear);
    let network = Mlp::<f64>::new(shape, Initialization::He, &mut ChaCha8Rng::seed_from_u64(0));
    let (inputs, dy) = (random(30, 5, 4), random(30, 2, 5));
    let gradient_of = |chunks: &[Range<usize>]| {
        let (mut tape, mut gradient) = (Tape::default(), vec![0.0; network.parameters.len()]);
        for chunk in chunks {
            let rows = ndarray::s![chunk.clone(), ..];
            tape.forward(&network, inputs.slice(rows));
            let gradients = Gradients { outputs: dy.slice(rows), parameters: &mut gradient, inputs: None };
            tape.backward(&network, inputs.slice(rows), gradients);
        }
        gradient
    };
    let (whole, parts) = (gradient_of(&[0..30, 30..30]), gradient_of(&[0..17, 17..18, 18..30]));
    for (whole, part) in whole.iter().zip(parts) {
        assert!((whole - part).abs() < 1e-12);
    }
}

#[test]
fn parameters_start_with_the_promised_deviations() {
    let shape = Shape::new(300, &[500], 2, OutputActivation::Linear);
    for (initialization, weight, bias) in [
        (Initialization::Glorot, (2.0f64 / 800.0).sqrt(), 0.01),
        (Initialization::He, (2.0f64 / 300.0).sqrt(), 0.0),
        (Initialization::Normal { weight_std: 1.0, bias_std: 0.5 }, (1.0f64 / 300.0).sqrt(), 0.5),
    ] {
        let network = Mlp::<f64>::new(shape.clone(), initialization, &mut ChaCha8Rng::seed_from_u64(1));
        assert!((network.weights(0).std(0.0) / weight - 1.0).abs() < 0.01, "{initialization:?}");
        assert!((network.biases(0).std(0.0) - bias).abs() <= 0.1 * bias);
        if initialization == Initialization::Glorot {
            assert!(network.weights(0).iter().all(|w| w.abs() < 2.0 * weight / 0.879));
        }
    }
}

#[test]
fn layers_lie_where_the_shape_says() {
    let shape = Shape::new(2, &[3], 1, OutputActivation::Linear);
    assert_eq!(shape.parameters_len(), 13);
    let network = Mlp::from_parameters(shape.clone(), (0..13).map(f64::from).collect()).unwrap();
    assert_eq!(network.weights(0), ndarray::array![[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
    assert_eq!(network.biases(0), ndarray::array![6.0, 7.0, 8.0]);
    assert_eq!(network.weights(1), ndarray::array![[9.0, 10.0, 11.0]]);
    assert_eq!(network.biases(1), ndarray::array![12.0]);
    assert!(Mlp::from_parameters(shape, vec![0.0; 12]).is_none());
}
