//! The layers of a model as matrices: the numbers that were written, at their places.

mod common;

use common::{Network, Numbers, Shape};
use firmware_core::{Model, OutputActivation, Precision};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::W8A16, Precision::W16A16];

fn expected(precision: Precision, numbers: &Numbers, at: usize) -> f32 {
    match precision {
        Precision::F32 => numbers.weights[at],
        Precision::W8A16 | Precision::W16A16 => f32::from(numbers.integer_weights[at]),
    }
}

#[test]
fn matrices_are_those_that_were_written() {
    for precision in PRECISIONS {
        for activation in [OutputActivation::Linear, OutputActivation::Sigmoid] {
            let hidden = &[9u16, 6, 17][..];
            let shape = Shape { precision, activation, inputs: 2, frequencies: 6, passthrough: 1, hidden, outputs: 5 };
            let network = Network::random(&shape, 4);
            let artifact = network.artifact("");
            let model = Model::parse(bytemuck::cast_slice(&artifact)).unwrap();
            let layers: Vec<_> = model.dense_layers().collect();
            let shapes: Vec<_> = layers.iter().map(|layer| (layer.inputs(), layer.rows())).collect();
            assert_eq!(shapes, [(13, 9), (9, 6), (6, 17), (17, 5)]);
            for (layer, numbers) in layers.iter().zip(&network.layers) {
                let (inputs, rows) = (layer.inputs(), layer.rows());
                for (row, input) in (0..rows).flat_map(|row| (0..inputs).map(move |input| (row, input))) {
                    let weight = layer.weight(row, input);
                    assert_eq!(
                        weight,
                        expected(precision, numbers, row * inputs + input),
                        "{precision:?} {row} {input}"
                    );
                }
                // Nothing lies beyond the matrix, whatever the file has there.
                for (row, input) in [(rows, 0), (0, inputs), (rows, inputs), (usize::MAX, 0), (0, usize::MAX)] {
                    assert_eq!(layer.weight(row, input), 0.0, "{precision:?} {row} {input}");
                }
                for row in 0..rows {
                    let multiplier = numbers.multiplier.get(row).copied().unwrap_or(0);
                    let (bias, multiplier) = match precision {
                        Precision::F32 => (f64::from(numbers.bias[row]), 0),
                        _ => (f64::from(numbers.integer_bias[row]), multiplier),
                    };
                    assert_eq!((layer.bias(row), layer.multiplier(row)), (bias, multiplier), "{precision:?} {row}");
                }
            }
        }
    }
}
