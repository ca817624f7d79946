//! Encodings in training, at points that are chosen step by step: what rays, slices and random points are fed with.
//!
//! The coefficients of grids are always trained with the layers, Gaussian frequencies where that is wanted, all others
//! never. What is trained lies behind the layers' parameters ([`Mlp::encoder`]).

use ndarray::{Array2, ArrayView2};
use rand::RngExt;

use super::Mlp;
use super::encoding::{Encoding, EncodingKind, EncodingParams};
use super::features::{EncodedFeatures, Features, buffer_rows, filled_rows};
use super::grid::{GridEncoder, GridFeatures};
use super::learned::{FrequencyEncoder, LearnedFrequencies};
use super::vector_encoder::VectorEncoder;

/// Learning rate of the coefficients of grids, as a multiple of that of the layers.
const GRID_RATE: f64 = 1.0;
/// Coefficients of grids start between this and its negative; those of a table are fitted, from zero.
const GRID_START: f32 = 0.1;

/// A checked encoding, and what of it is trained with the layers.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedEncoding {
    start: Encoding,
    /// Whether frequencies are parameters.
    learned: bool,
    /// Along which axes they are trained: those of a periodic axis stay whole.
    axes: Vec<bool>,
    scale: f64,
}

impl TrainedEncoding {
    /// The encoding that was made of these hyperparameters, or one that has further inputs behind its own.
    #[must_use]
    pub fn new(params: &EncodingParams, start: Encoding) -> Self {
        let encoded = start.inputs() - start.passthrough();
        let is_trained = |axis| axis < encoded && !params.whole && !params.whole_axes.contains(&axis);
        let axes = (0..start.inputs()).map(is_trained).collect();
        let learned = params.learned && params.kind == EncodingKind::Gaussian;
        Self { start, learned, axes, scale: params.scale }
    }

    /// The encoding before any training.
    #[must_use]
    pub fn start(&self) -> &Encoding {
        &self.start
    }

    /// The number of parameters that are trained with the layers.
    #[must_use]
    pub fn parameters_len(&self) -> usize {
        let is_trained = self.learned || self.start.grid().is_some();
        if is_trained { self.start.parameters_len() } else { 0 }
    }

    /// Writes the parameters that a training starts from behind those of the layers of a new network.
    ///
    /// # Panics
    /// If the shape of the network has room for another number of them.
    pub fn begin(&self, network: &mut Mlp<f32>, rng: &mut impl rand::Rng) {
        let range = network.shape().encoder_range();
        assert_eq!(range.len(), self.parameters_len(), "a network for another encoding");
        let parameters = &mut network.parameters_mut()[range];
        if let Some(grid) = self.start.grid() {
            let width = if grid.is_table() { 0.0 } else { GRID_START };
            parameters.iter_mut().for_each(|parameter| *parameter = width * rng.random_range(-1.0..=1.0f32));
        } else {
            let cycles = self.start.frequency_matrix();
            parameters.iter_mut().zip(&cycles).for_each(|(parameter, &cycles)| *parameter = cycles as f32);
        }
    }

    /// The encoding of a network in training: with its own frequencies or coefficients, if they are trained.
    #[must_use]
    pub fn of(&self, network: &Mlp<f32>) -> Encoding {
        if network.encoder().is_empty() { self.start.clone() } else { self.start.with_parameters(network.encoder()) }
    }

    /// The learning rate of the trained parameters, as a multiple of that of the layers.
    #[must_use]
    pub fn rate(&self) -> f64 {
        // Of frequencies as if B were σ times a matrix of standard normal numbers, and those were trained.
        if self.start.grid().is_some() { GRID_RATE } else { self.scale }
    }

    /// What encodes the points of a training of so many steps. In its last quarter the network sees the coefficients of
    /// grids as they will be stored.
    #[must_use]
    pub fn encoder(&self, steps: u64) -> PointEncoder {
        let parts = if let Some(grid) = self.start.grid() {
            Parts::Grid(GridEncoder::new(grid, round_from(steps)))
        } else if self.learned {
            Parts::Frequencies(FrequencyEncoder::new(&self.start, self.axes.clone()))
        } else {
            Parts::Fixed { factors: self.start.feature_factors(), encoding: self.start.clone() }
        };
        PointEncoder { inputs: self.start.inputs(), parts }
    }

    /// The features of a data set whose points `[n, d]` (Q0.32) are all known, in a training of so many steps.
    ///
    /// # Panics
    /// If the points are of another dimension.
    #[must_use]
    pub fn features(&self, points: Array2<u32>, steps: u64) -> Box<dyn Features> {
        if let Some(grid) = self.start.grid() {
            Box::new(GridFeatures::new(grid, points, round_from(steps)))
        } else if self.learned {
            Box::new(LearnedFrequencies::new(&self.start, points, self.axes.clone()))
        } else {
            Box::new(EncodedFeatures::new(&self.start, points.view()))
        }
    }
}

/// The first of so many steps that sees the coefficients of grids as they will be stored.
fn round_from(steps: u64) -> u64 {
    steps - steps / 4
}

/// Encodes points under the parameters that a network has at the time, as the device will.
#[derive(Clone, Debug)]
pub struct PointEncoder {
    inputs: usize,
    parts: Parts,
}

#[derive(Clone, Debug)]
enum Parts {
    Fixed { encoding: Encoding, factors: Vec<f32> },
    Frequencies(FrequencyEncoder),
    Grid(GridEncoder),
}

impl PointEncoder {
    /// The number of features.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.parts {
            Parts::Fixed { factors, .. } => factors.len(),
            Parts::Frequencies(encoder) => encoder.width(),
            Parts::Grid(encoder) => encoder.width(),
        }
    }

    /// Hears the number of a step and the network that it begins with, before any point of it is encoded.
    pub fn begin_step(&mut self, step: u64, network: &Mlp<f32>) {
        if let Parts::Grid(encoder) = &mut self.parts {
            encoder.begin_step(step, network.encoder());
        }
    }

    /// Features `[n, width]` of points `[n, d]` (Q0.32, row-major), in `buffer`, which grows as needed.
    pub fn encode<'b>(&self, points: &[u32], network: &Mlp<f32>, buffer: &'b mut Vec<f32>) -> ArrayView2<'b, f32> {
        let (rows, width, parameters) = (points.len() / self.inputs, self.width(), network.encoder());
        let points = points.chunks_exact(self.inputs);
        let out = buffer_rows(buffer, rows, width);
        match &self.parts {
            Parts::Fixed { encoding, factors } => {
                VectorEncoder::new(encoding, factors).encode_all(points, out);
            }
            Parts::Frequencies(encoder) => encoder.encode(points, parameters, out),
            Parts::Grid(encoder) => encoder.encode(points, parameters, out),
        }
        filled_rows(buffer, rows, width)
    }

    /// Adds the gradient with respect to the trained parameters of the encoding, if there are any, to `into`: it comes
    /// from the features of points `[n, d]`, as [`Self::encode`] gave them, and the gradient with respect to these,
    /// both `[n, width]`.
    pub fn add_gradient(&self, points: &[u32], of: [ArrayView2<'_, f32>; 2], into: &mut [f32]) {
        let points = points.chunks_exact(self.inputs);
        match &self.parts {
            Parts::Fixed { .. } => {}
            Parts::Frequencies(encoder) => encoder.add_gradient(points, of, into),
            Parts::Grid(encoder) => encoder.add_gradient(points, of[1], into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::features::{FeatureGradient, Rows};
    use crate::network::grid::GridParams;
    use crate::network::{Initialization, OutputActivation, Shape};
    use rand::SeedableRng;

    /// Both ways of asking for features, one at points of a data set, the other at points as they come.
    #[test]
    fn points_have_the_features_and_the_gradient_of_a_data_set() {
        let levels = ["4", "3x5x4"].map(|level| level.parse().unwrap()).to_vec();
        let base = EncodingParams { frequencies: 7, learned: true, ..EncodingParams::default() };
        for params in [
            EncodingParams { learned: false, ..base.clone() },
            EncodingParams { passthrough: 1, ..base.clone() },
            EncodingParams { kind: EncodingKind::None, ..base.clone() },
            EncodingParams { kind: EncodingKind::Grid, grid: GridParams { levels, ..GridParams::default() }, ..base },
        ] {
            let encoding = TrainedEncoding::new(&params, params.check(3).unwrap());
            let len = encoding.parameters_len();
            let is_trained =
                params.kind == EncodingKind::Grid || params.learned && params.kind == EncodingKind::Gaussian;
            assert_eq!(len > 0, is_trained);
            let width = encoding.start().features_len();
            let shape = Shape::new(width, &[3], 1, OutputActivation::Linear).with_encoder(len);
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
            let mut network = Mlp::new(shape, Initialization::Glorot, &mut rng);
            encoding.begin(&mut network, &mut rng);
            let points = Array2::from_shape_simple_fn((40, 3), || rng.random::<u32>());
            let gradient = Array2::from_shape_simple_fn((40, width), || rng.random_range(-1.0..1.0f32));
            for step in [0, 9] {
                let (mut of_points, mut of_data) = (encoding.encoder(10), encoding.features(points.clone(), 10));
                of_points.begin_step(step, &network);
                of_data.begin_step(step, network.encoder());
                let (mut first, mut second) = (Vec::new(), Vec::new());
                let points = points.as_slice().unwrap();
                let found = of_points.encode(points, &network, &mut first);
                let rows = Rows::Range(0..40);
                let features = of_data.rows(&rows, network.encoder(), &mut second);
                assert_eq!(found, features);
                let (mut sum, mut expected) = (vec![0.0; len], vec![0.0; len]);
                of_points.add_gradient(points, [found, gradient.view()], &mut sum);
                of_data
                    .add_gradient(&FeatureGradient { rows: &rows, features, gradient: gradient.view() }, &mut expected);
                assert_eq!(sum, expected);
                assert_eq!(sum.iter().any(|&value| value != 0.0), is_trained);
            }
        }
    }
}
