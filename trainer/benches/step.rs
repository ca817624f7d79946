//! How fast one training step is, against the fastest matrix product of this machine in the same run.
//!
//! `cargo bench -p trainer --bench step` prints, for two shapes, the step's rate in GFLOP/s (two per multiply-add of
//! the forward pass, the parameters' gradient and the hidden values' gradient) and what part that is of the best rate
//! any of three libraries reaches on any of several large products with all threads. Each is the best of several
//! trials, and the trials of both kinds alternate, since other programs on the machine disturb them.

#![expect(clippy::disallowed_methods, reason = "what is only timed needs no stream of its own")]

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, linalg::general_mat_mul};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::time::Instant;
use trainer::network::matmul::{Accumulate, multiply_into};
use trainer::network::{Initialization, Mlp, OutputActivation, Shape};
use trainer::training::loss::SquaredError;
use trainer::training::optimizer::{Optimizer, Schedule};
use trainer::training::regression::{Batches, Regression};
use trainer::training::{LoopParams, TrainState, Watch, train};

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 2 } else { 6 };
    let shapes = [(4096, 128, vec![64, 64, 64], 50), (65_536, 512, vec![256, 256, 256], 1)];
    let mut steps: Vec<Step> =
        shapes.into_iter().map(|(n, width, hidden, steps)| Step::new(n, width, &hidden, steps)).collect();
    let mut products: Vec<Product> = [512, 1024, 2048].into_iter().map(Product::new).collect();
    let (mut best_product, mut best_steps) = ((0.0f64, String::new()), vec![0.0f64; steps.len()]);
    for _ in 0..rounds {
        for product in &mut products {
            for (name, rate) in product.rates() {
                if rate > best_product.0 {
                    best_product = (rate, name);
                }
            }
        }
        for (step, best) in steps.iter_mut().zip(&mut best_steps) {
            *best = best.max(step.rate());
        }
    }
    let (peak, name) = best_product;
    println!("threads: {}", rayon::current_num_threads());
    println!("best product: {peak:.1} GFLOP/s ({name})");
    for (step, rate) in steps.iter().zip(&best_steps) {
        println!(
            "step {}: {rate:.1} GFLOP/s, {:.3} ms, {:.0} % of the best product",
            step.name,
            step.flops() / rate * 1e-6,
            100.0 * rate / peak
        );
    }
}

/// A full-batch training problem of a given size, with Adam.
struct Step {
    name: String,
    samples: usize,
    objective: Regression<Array2<f32>, SquaredError>,
    state: TrainState,
    steps: u64,
}

impl Step {
    fn new(samples: usize, width: usize, hidden: &[usize], steps: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut uniform = |columns| Array2::from_shape_simple_fn((samples, columns), || rng.random_range(-1.0f32..1.0));
        let objective =
            Regression::new(uniform(width), uniform(3), SquaredError::Mean, Batches { size: None, seed: 0 });
        let shape = Shape::new(width, hidden, 3, OutputActivation::Linear);
        let name = format!("{samples} × {:?}", shape.widths);
        let state = TrainState::new(vec![Mlp::new(shape, Initialization::Glorot, &mut rng)]);
        Self { name, samples, objective, state, steps }
    }

    fn flops(&self) -> f64 {
        2.0 * (self.samples * self.state.networks[0].shape().step_multiply_adds(false)) as f64
    }

    /// GFLOP/s of a few steps of the training loop itself.
    fn rate(&mut self) -> f64 {
        let params = LoopParams {
            steps: self.state.step + self.steps,
            learning_rate: 1e-4,
            encoder_rate: 1.0,
            schedule: Schedule::Constant,
            optimizer: Optimizer::default(),
            row_limit: None,
        };
        let start = Instant::now();
        train(&mut self.objective, &mut self.state, &params, &mut Watch::default()).expect("it does not diverge");
        self.flops() * self.steps as f64 / start.elapsed().as_secs_f64() * 1e-9
    }
}

/// One square product in several libraries.
struct Product {
    size: usize,
    arrays: [Array2<f32>; 3],
    matrices: [faer::Mat<f32>; 3],
}

impl Product {
    fn new(size: usize) -> Self {
        let value = |i: usize, j: usize| ((i * 7 + j * 3) % 11) as f32 - 5.0;
        Self {
            size,
            arrays: [(); 3].map(|()| Array2::from_shape_fn((size, size), |(i, j)| value(i, j))),
            matrices: [(); 3].map(|()| faer::Mat::from_fn(size, size, value)),
        }
    }

    fn rates(&mut self) -> Vec<(String, f64)> {
        let size = self.size;
        let flops = 2.0 * (size as f64).powi(3);
        let timed = |name: &str, run: &mut dyn FnMut()| {
            let best = (0..3).map(|_| {
                let start = Instant::now();
                run();
                start.elapsed().as_secs_f64()
            });
            (format!("{name}, {size}³"), flops / best.fold(f64::INFINITY, f64::min) * 1e-9)
        };
        let [a, b, c] = &mut self.arrays;
        let [fa, fb, fc] = &mut self.matrices;
        let threads = rayon::current_num_threads();
        let faer = timed("faer", &mut || {
            faer::linalg::matmul::matmul(fc.as_mut(), faer::Accum::Replace, &fa, &fb, 1.0, faer::Par::rayon(threads));
            black_box(&fc);
        });
        // The others run on one thread a call: each takes a panel of columns of the output.
        let panel = size.div_ceil(threads);
        let mut in_panels = |product: fn(ArrayView2<'_, f32>, ArrayView2<'_, f32>, ArrayViewMut2<'_, f32>)| {
            rayon::scope(|scope| {
                for (c, b) in c.axis_chunks_iter_mut(Axis(1), panel).zip(b.axis_chunks_iter(Axis(1), panel)) {
                    let a = a.view();
                    scope.spawn(move |_| product(a, b, c));
                }
            });
        };
        let ndarray = timed("ndarray", &mut || in_panels(|a, b, mut c| general_mat_mul(1.0, &a, &b, 0.0, &mut c)));
        let gemm = timed("gemm", &mut || in_panels(|a, b, c| multiply_into(a, b, Accumulate::Replace, c)));
        vec![faer, ndarray, gemm]
    }
}
