//! A limit of the weights for the sake of their rounding.
//!
//! A row of weights of eight bits has one step, in proportion to its largest weight. The less this weight stands out,
//! the less all the others lose by rounding.

use crate::network::Mlp;

/// Moves every weight that lies beyond `limit` times the root mean square of its row to there. Biases and the encoding
/// stay as they are, and so does a row with a number that is not finite: the next loss tells of it.
pub(super) fn limit_rows(network: &mut Mlp<f32>, limit: f64) {
    let shape = network.shape().clone();
    for layer in 0..shape.layers() {
        let inputs = shape.widths[layer];
        for row in network.parameters_mut()[shape.weights_range(layer)].chunks_exact_mut(inputs) {
            let square: f32 = row.iter().map(|weight| weight * weight).sum();
            let largest = limit as f32 * (square / inputs as f32).sqrt();
            if largest.is_finite() {
                row.iter_mut().for_each(|weight| *weight = weight.clamp(-largest, largest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{OutputActivation, Shape};

    #[test]
    fn weights_beyond_the_limit_of_their_row_are_moved_to_it() {
        let rows =
            [[6.0, 1.0, -1.0, 1.0], [1.0, -6.0, 0.0, 0.0], [0.5, -0.5, 0.5, 0.5], [0.0; 4], [f32::NAN, 9.0, 1.0, 1.0]];
        let shape = Shape::new(4, &[5], 1, OutputActivation::Linear);
        // Biases of the first layer, weights and bias of the second.
        let rest = [9.0, 0.1, 0.1, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, 8.0, 7.0];
        let mut network =
            Mlp::from_parameters(shape, [&rows.concat()[..], &rest].concat()).expect("as many parameters");
        limit_rows(&mut network, 1.5);
        let largest = |squares: f32, inputs: f32| 1.5 * (squares / inputs).sqrt();
        let found = network.parameters();
        assert_eq!(found[..4], [largest(39.0, 4.0), 1.0, -1.0, 1.0]);
        assert_eq!(found[4..8], [1.0, -largest(37.0, 4.0), 0.0, 0.0]);
        assert_eq!(found[8..16], [0.5, -0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
        assert!(found[16].is_nan() && found[17..20] == [9.0, 1.0, 1.0]);
        assert_eq!(found[20..29], rest[..9]);
        assert_eq!(found[29..], [largest(68.0, 5.0), 7.0]);
    }
}
