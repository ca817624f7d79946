//! Colours that depend on the direction of view, in one network.
//!
//! As in Mildenhall et al. (2020), density is a function of the position alone and colour one of position and
//! direction. There, the direction joins a second, small network for colours; a device evaluates one network. Here that
//! network has *blocks*: the first units of every hidden layer are about geometry, the last [quarter](appearance_units)
//! about appearance. Geometry sees the features of the position and other geometry; appearance sees everything, and so
//! do colours; density sees geometry. With the units in this order the weights of each layer are
//!
//! ```text
//!               geometry   appearance (first layer: features of the direction)
//! geometry   [     *           0     ]
//! appearance [     *           *     ]
//! ```
//!
//! The zeros stay zeros in training (their gradient is cleared) and in every precision, so that density does not depend
//! on the direction in any bit, and one occupancy grid serves all directions.
//!
//! The direction d (length one) has the coordinates v = (d + 1)/2 on
//! [`DIRECTION_AXIS`] and the features of Mildenhall et al.: cosines and sines of
//! 2^k·π·d for k below [`OCTAVES`] and each component, and d itself.

use std::ops::Range;

use firmware_core::Outside;
use firmware_core::march::{DIRECTED_INPUTS, DIRECTION_AXIS, OUTPUTS, Sample};

use crate::network::Shape;
use crate::network::encoding::Encoding;

/// Octaves of each component.
pub const OCTAVES: usize = 4;
/// Components of a direction.
const COMPONENTS: usize = 3;
/// Rows of the frequency matrix that encode the direction.
const ROWS: usize = OCTAVES * COMPONENTS;
/// One cycle in Q16.16.
const CYCLE: i32 = 65_536;

/// The encoding of position and direction, from that of positions; `None` where a device would refuse so many rows.
pub(super) fn with_direction(positions: &Encoding) -> Option<Encoding> {
    let inputs = positions.inputs() + COMPONENTS;
    let mut frequencies = Vec::new();
    for row in positions.frequencies().chunks_exact(positions.inputs()) {
        frequencies.extend_from_slice(row);
        frequencies.extend([0; COMPONENTS]);
    }
    for component in 0..COMPONENTS {
        for octave in 0..OCTAVES {
            let frequency = |axis| if axis == positions.inputs() + component { CYCLE << octave } else { 0 };
            frequencies.extend((0..inputs).map(frequency));
        }
    }
    let amplitudes = positions.amplitudes().iter().copied().chain([1.0; ROWS]).collect();
    Encoding::from_parts(inputs, frequencies, amplitudes, positions.passthrough() + COMPONENTS)
}

/// Q0.32 coordinates of a sample's position and direction; the latter are left zero where nothing depends on them.
pub(super) fn coordinates(sample: &Sample, directed: bool) -> [u32; DIRECTED_INPUTS] {
    let [x, y, z] = sample.coordinates;
    let component = |d| DIRECTION_AXIS.to_fixed(d, Outside::Clamp).unwrap_or(0);
    let [u, v, w] = if directed { sample.direction.map(component) } else { [0; COMPONENTS] };
    [x, y, z, u, v, w]
}

/// How many units of a hidden layer are about appearance.
pub fn appearance_units(width: usize) -> usize {
    width.div_ceil(4)
}

/// Where a network with a direction has its zeros, as ranges of its parameters.
pub(super) fn zero_blocks(encoding: &Encoding, shape: &Shape) -> Vec<Range<usize>> {
    let rows = encoding.amplitudes().len();
    let positions = rows - ROWS;
    let features = encoding.features_len();
    // Columns of a layer's weights that geometry does not see.
    let mut hidden_from_geometry = vec![positions..rows, rows + positions..2 * rows, features - COMPONENTS..features];
    let mut zeros = Vec::new();
    for layer in 0..shape.layers() {
        let (columns, units) = (shape.widths[layer], shape.widths[layer + 1]);
        let is_last = layer + 1 == shape.layers();
        // Of the outputs, only density, the last one, is about geometry.
        let geometry = if is_last { OUTPUTS - 1..OUTPUTS } else { 0..units - appearance_units(units) };
        let start = shape.weights_range(layer).start;
        for unit in geometry {
            let row = start + unit * columns;
            zeros.extend(hidden_from_geometry.iter().map(|range| row + range.start..row + range.end));
        }
        hidden_from_geometry.clear();
        hidden_from_geometry.push(units.saturating_sub(appearance_units(units))..units);
    }
    zeros
}

/// Where the frequencies lie, among the parameters of a network that are trained, of which the features of the position
/// depend on the direction, or those of the direction on anything else.
pub(super) fn fixed_frequencies(encoding: &Encoding, shape: &Shape) -> Vec<Range<usize>> {
    let (inputs, start) = (encoding.inputs(), shape.encoder_range().start);
    let positions = encoding.amplitudes().len() - ROWS;
    let of_positions = (0..positions).map(|row| start + row * inputs + COMPONENTS..start + (row + 1) * inputs);
    of_positions.chain(std::iter::once(start + positions * inputs..shape.encoder_range().end)).collect()
}

/// Clears ranges of parameters or of their gradient.
pub(super) fn clear(values: &mut [f32], ranges: &[Range<usize>]) {
    for range in ranges {
        values[range.clone()].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use firmware_core::OutputActivation;
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::network::encoding::{EncodingKind, EncodingParams};
    use crate::network::{Initialization, Mlp};

    fn encoding(kind: EncodingKind) -> Encoding {
        let params = EncodingParams { kind, frequencies: 6, scale: 2.0, ..EncodingParams::default() };
        with_direction(&params.check(3).unwrap()).unwrap()
    }

    /// Features of random places, all in the direction `d`.
    fn features(encoding: &Encoding, d: [f32; 3]) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut points = Array2::from_shape_fn((40, 6), |_| rng.random());
        for mut point in points.rows_mut() {
            for (axis, &d) in d.iter().enumerate() {
                point[3 + axis] = DIRECTION_AXIS.to_fixed(d, Outside::Clamp).unwrap();
            }
        }
        encoding.features(points.view())
    }

    #[test]
    fn directions_have_the_features_of_the_text() {
        let encoding = encoding(EncodingKind::Gaussian);
        let d = [0.6f32, -0.48, 0.64];
        let features = features(&encoding, d);
        let rows = 6 + ROWS;
        assert_eq!(features.ncols(), 2 * rows + 3);
        for (component, &d) in d.iter().enumerate() {
            for octave in 0..OCTAVES {
                let row = 6 + component * OCTAVES + octave;
                // 2π·2^k·(d + 1)/2 is 2^k·π·d and a whole turn, or half a one for the lowest octave.
                let sign = if octave == 0 { -1.0 } else { 1.0 };
                let angle = std::f64::consts::PI * f64::from(1 << octave) * f64::from(d);
                assert!((f64::from(features[[0, row]]) - sign * angle.cos()).abs() < 1e-4);
                assert!((f64::from(features[[0, rows + row]]) - sign * angle.sin()).abs() < 1e-4);
            }
            assert!((features[[0, 2 * rows + component]] - d).abs() < 1e-4);
        }
    }

    #[test]
    fn density_does_not_see_the_direction_and_colours_do() {
        for kind in [EncodingKind::None, EncodingKind::Gaussian] {
            for hidden in [&[8][..], &[9, 5, 16]] {
                let encoding = encoding(kind);
                let shape = Shape::new(encoding.features_len(), hidden, OUTPUTS, OutputActivation::Linear);
                let zeros = zero_blocks(&encoding, &shape);
                let mut rng = ChaCha8Rng::seed_from_u64(2);
                let mut network: Mlp<f32> = Mlp::new(shape, Initialization::Glorot, &mut rng);
                clear(network.parameters_mut(), &zeros);
                let [a, b] = [[1.0, 0.0, 0.0], [0.0, -0.6, 0.8]]
                    .map(|direction| network.predict(features(&encoding, direction).view()));
                assert_eq!(a.column(3), b.column(3));
                let difference = (&a - &b).mapv(f32::abs);
                assert!((0..3).all(|channel| difference.column(channel).sum() > 0.01), "{kind:?} {hidden:?}");
                // And density still sees the position.
                assert!(a.column(3).std(0.0) > 0.01, "{kind:?} {hidden:?}");
            }
        }
    }
}
