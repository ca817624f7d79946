//! How fast a desktop evaluates an artifact, against the trainer's own forward pass in single precision.
//!
//! `cargo bench -p trainer --bench evaluate` takes 65,536 points through two networks of equal parameters. The
//! trainer's pass is timed alone on features that are there already, and from coordinates, with the encoding; artifacts
//! are always timed from points in user units to values in user units. Each figure is the best of several trials, which
//! alternate.

#![expect(clippy::disallowed_methods, reason = "what is only timed needs no stream of its own")]

use std::hint::black_box;
use std::time::Instant;

use firmware_core::{Axis, OutputMap, Outside, Precision};
use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::artifact::export::{Artifact, Card, Domain, TrainedNetwork};
use trainer::artifact::model_file;
use trainer::network::encoding::{Encoding, EncodingParams};
use trainer::network::{self, Initialization, Mlp, Shape};

const POINTS: usize = 65_536;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 3 } else { 20 };
    println!("{POINTS} points, threads: {}", rayon::current_num_threads());
    for (frequencies, width) in [(64, 64), (128, 128)] {
        let network = Network::new(frequencies, width);
        println!("\n{} features, 3 hidden layers of {width}, 3 outputs: million points a second", 2 * frequencies);
        let predictions = network.predictions();
        let mut best = vec![f64::INFINITY; predictions.len()];
        for _ in 0..rounds {
            for ((_, predict), best) in predictions.iter().zip(&mut best) {
                let start = Instant::now();
                black_box(predict());
                *best = best.min(start.elapsed().as_secs_f64());
            }
        }
        for ((name, _), seconds) in predictions.iter().zip(&best) {
            println!("{name:44} {:6.2}  {:5.2} × the forward pass", POINTS as f64 / seconds * 1e-6, best[0] / seconds);
        }
    }
}

/// A name and what is timed.
type Prediction<'a> = (String, Box<dyn Fn() -> Array2<f32> + 'a>);

/// A network with random parameters, in the trainer's form and as artifacts.
struct Network {
    encoding: Encoding,
    mlp: Mlp<f32>,
    artifacts: Vec<(&'static str, Artifact)>,
    /// Q0.32, and the same in user units.
    coordinates: Array2<u32>,
    points: Array2<f32>,
    features: Array2<f32>,
}

impl Network {
    fn new(frequencies: usize, width: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let encoding = EncodingParams { frequencies, ..EncodingParams::default() }.check(2).expect("an encoding");
        let shape = Shape::new(2 * frequencies, &[width; 3], 3, network::OutputActivation::Sigmoid);
        let mlp = Mlp::new(shape, Initialization::Glorot, &mut rng);
        let points = Array2::from_shape_simple_fn((POINTS, 2), || rng.random_range(0.0f32..1.0));
        let axes = [Axis::new(0.0, 1.0, 1.0); 2];
        let to_fixed = |&x: &f32| axes[0].to_fixed(x, Outside::Clamp).expect("a number");
        let coordinates = points.map(to_fixed);
        let domain = Domain::clamped(axes.to_vec(), vec![OutputMap { scale: 1.0, offset: 0.0 }; 3]);
        let trained = TrainedNetwork { encoding: &encoding, network: &mlp, domain: &domain };
        let calibration = encoding.encode(coordinates.slice(s![..2048, ..]));
        let artifacts = [("w8a16", Precision::W8A16), ("w16a16", Precision::W16A16), ("f32", Precision::F32)].map(
            |(name, precision)| {
                (name, trained.artifact(precision, calibration.view(), Card::new("")).expect("an artifact"))
            },
        );
        let features = encoding.features(coordinates.view());
        Self { encoding, mlp, artifacts: artifacts.into(), coordinates, points, features }
    }

    /// What is timed; the first is the forward pass alone.
    fn predictions(&self) -> Vec<Prediction<'_>> {
        let forward = || self.mlp.predict(self.features.view());
        let encoded = || self.mlp.predict(self.encoding.features(self.coordinates.view()).view());
        let mut predictions: Vec<Prediction<'_>> = vec![
            ("trainer's forward pass, features given".into(), Box::new(forward)),
            ("trainer's encoding and forward pass".into(), Box::new(encoded)),
        ];
        for (name, artifact) in &self.artifacts {
            let predict = || {
                let model = artifact.model().expect("an artifact");
                model_file::predict(&model, &self.points).expect("points inside the domain")
            };
            predictions.push((format!("{name} artifact, encoding included"), Box::new(predict)));
        }
        predictions
    }
}
