//! How long the tangent kernel of 4,096 points takes, beside the plain product of their features in the same run.
//!
//! `cargo bench -p trainer --bench gram` prints the best of several trials of each, which alternate, since other
//! programs on the machine disturb them. The product is what any implementation needs at least: all inner products, on
//! all threads, in f64.

#![expect(clippy::disallowed_methods, reason = "what is only timed needs no stream of its own")]

use std::hint::black_box;
use std::time::Instant;

use ndarray::{Array2, Axis, linalg::general_mat_mul};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::network::encoding::EncodingParams;
use trainer::theory::kernel::{FourierFeatures, Kernel};
use trainer::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel};

const POINTS: usize = 4096;

fn main() {
    let trials = if std::env::args().any(|argument| argument == "--quick") { 1 } else { 5 };
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let points = Array2::from_shape_simple_fn((POINTS, 2), || rng.random_range(0.0..1.0));
    let encoding = EncodingParams { frequencies: 256, normalize: true, ..EncodingParams::default() };
    let features = FourierFeatures::of(&encoding, 2).expect("it exists").expect("Gaussian features");
    let encoded = features.features(points.view()).expect("they fit");
    let network = InfiniteMlpParams::default().check().expect("the defaults");
    let kernel = NetworkKernel { features: Some(features), network, covariance: Covariance::Ntk };
    let (mut gram, mut product) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..trials {
        gram = gram.min(seconds(|| kernel.gram(points.view()).expect("it fits")));
        product = product.min(seconds(|| inner_products(&encoded)));
    }
    println!("threads: {}", rayon::current_num_threads());
    println!("tangent kernel of {POINTS} points, {} features, 3 hidden layers: {gram:.2} s", encoded.ncols());
    println!(
        "plain inner products of the features: {product:.2} s; the kernel takes {:.1} times as long",
        gram / product
    );
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

/// By panels of rows, one a thread.
fn inner_products(encoded: &Array2<f64>) -> Array2<f64> {
    let mut products = Array2::zeros((encoded.nrows(), encoded.nrows()));
    let panel = encoded.nrows().div_ceil(rayon::current_num_threads());
    rayon::scope(|scope| {
        for (mut rows, left) in
            products.axis_chunks_iter_mut(Axis(0), panel).zip(encoded.axis_chunks_iter(Axis(0), panel))
        {
            scope.spawn(move |_| general_mat_mul(1.0, &left, &encoded.t(), 0.0, &mut rows));
        }
    });
    products
}
