//! The objective: cross-entropy of the occupancy of points drawn afresh in each step.

use ndarray::ArrayView2;
use rand::RngExt;
use rayon::prelude::*;

use super::inside::Inside;
use super::mesh::Point;
use crate::base::random::{Purpose, step_rng};
use crate::network::Mlp;
use crate::network::features::Backward;
use crate::network::trained_encoding::PointEncoder;
use crate::training::regression::CHUNK_ROWS;
use crate::training::{Objective, Pass, TrainError};

/// `mean (ln(1 + eᶻ) - y·z)` for a network of one output, the logit z, and occupancies y.
pub struct OccupancyObjective<'a> {
    encoder: PointEncoder,
    solid: &'a Inside<'a>,
    points: RandomPoints,
    /// Coordinates `[n, 3]` of the points of the step at hand, Q0.32.
    coordinates: Vec<u32>,
    /// Whether they are within, 1 or 0.
    inside: Vec<f32>,
}

/// The points that are drawn in each step.
#[derive(Clone, Copy, Debug)]
pub struct RandomPoints {
    /// Lowest and highest corner of the box that they lie in.
    pub bounds: [Point; 2],
    /// How many there are in each step.
    pub batch: usize,
    /// Another seed gives other points.
    pub seed: u64,
}

impl<'a> OccupancyObjective<'a> {
    /// The objective of learning a solid from the encoded coordinates of random points.
    pub fn new(encoder: PointEncoder, solid: &'a Inside<'a>, points: RandomPoints) -> Self {
        Self { encoder, solid, points, coordinates: Vec::new(), inside: Vec::new() }
    }
}

/// What a group works with.
#[derive(Debug, Default)]
pub struct OccupancyScratch {
    features: Vec<f32>,
    gradients: Vec<f32>,
    feature_gradients: Vec<f32>,
}

impl Objective for OccupancyObjective<'_> {
    type Scratch = OccupancyScratch;

    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError> {
        let RandomPoints { bounds: [low, high], batch, seed } = self.points;
        let mut rng = step_rng(seed, Purpose::SamplePoints, step);
        let mut point = || std::array::from_fn(|k| low[k] + (high[k] - low[k]) * rng.random::<f64>());
        let points: Vec<Point> = (0..batch).map(|_| point()).collect();
        self.inside = points.par_iter().map(|&point| f32::from(u8::from(self.solid.contains(point)))).collect();
        self.coordinates = super::fixed(&points).into_raw_vec_and_offset().0;
        self.encoder.begin_step(step, &networks[0]);
        Ok(batch.div_ceil(CHUNK_ROWS))
    }

    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<OccupancyScratch>) -> f64 {
        let scratch = &mut pass.scratch;
        let range = chunk * CHUNK_ROWS..((chunk + 1) * CHUNK_ROWS).min(self.points.batch);
        let (network, tape) = (&networks[0], &mut pass.tapes[0]);
        let points = &self.coordinates[3 * range.start..3 * range.end];
        let features = self.encoder.encode(points, network, &mut scratch.features);
        let part = 1.0 / self.points.batch as f32;
        scratch.gradients.clear();
        let mut loss = 0.0;
        for (&logit, &inside) in tape.forward(network, features).iter().zip(&self.inside[range.clone()]) {
            // Of e to the power of minus the logit's size, which never overflows.
            let small = (-logit.abs()).exp();
            loss += f64::from(logit.max(0.0) - inside * logit + small.ln_1p());
            let probability = if logit >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            scratch.gradients.push(part * (probability - inside));
        }
        let outputs = ArrayView2::from_shape((range.len(), 1), &scratch.gradients).expect("one output a row");
        let backward = Backward { network, tape, features, outputs, gradient: &mut pass.gradients[0] };
        backward.run(&mut scratch.feature_gradients, |gradient, into| {
            self.encoder.add_gradient(points, [features, gradient], into);
        });
        loss * f64::from(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverse::shape::knot;
    use crate::network::encoding::EncodingParams;
    use crate::network::trained_encoding::TrainedEncoding;
    use crate::network::{Initialization, Shape};
    use crate::training::loss_and_gradients;
    use firmware_core::OutputActivation;

    #[test]
    fn the_gradient_matches_differences() {
        let (mesh, _) = knot::mesh().in_unit_cube();
        let solid = Inside::new(&mesh);
        let params = EncodingParams { frequencies: 6, scale: 2.0, learned: true, ..EncodingParams::default() };
        let encoding = TrainedEncoding::new(&params, params.check(3).unwrap());
        let shape = Shape::new(encoding.start().features_len(), &[7], 1, OutputActivation::Linear)
            .with_encoder(encoding.parameters_len());
        let mut rng = step_rng(5, Purpose::InitialParameters, 0);
        let mut network = Mlp::new(shape, Initialization::Glorot, &mut rng);
        encoding.begin(&mut network, &mut rng);
        let mut networks = vec![network];
        let mut objective = OccupancyObjective::new(
            encoding.encoder(9),
            &solid,
            RandomPoints { bounds: mesh.bounds(), batch: 700, seed: 1 },
        );
        let (_, gradients) = loss_and_gradients(&mut objective, 0, &networks).unwrap();
        let scale = gradients[0].iter().fold(0.0f32, |most, value| most.max(value.abs()));
        for (parameter, &gradient) in gradients[0].iter().enumerate() {
            let step = 1e-2;
            let mut loss_at = |offset: f32| {
                networks[0].parameters_mut()[parameter] += offset;
                let (loss, _) = loss_and_gradients(&mut objective, 0, &networks).unwrap();
                networks[0].parameters_mut()[parameter] -= offset;
                loss
            };
            let difference = ((loss_at(step) - loss_at(-step)) / f64::from(2.0 * step)) as f32;
            assert!((difference - gradient).abs() < 0.02 * scale, "{parameter}: {difference} {gradient}");
        }
    }
}
