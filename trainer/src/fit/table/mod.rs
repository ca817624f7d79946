//! Tables: the B-spline coefficients of a grid without a network, by least squares, rounded with error feedback.
//!
//! The coefficients c minimize `|Ac - y|² + λ|Dc|²`, where a row of A holds the weights of the nodes around a sample
//! and D takes second differences along every axis: where there are no samples, the table is continued smoothly. Of
//! several λ the largest is taken whose table, in whole numbers, meets the samples within 1 % of the squared error of
//! the best one (0.04 dB): of equally good tables the smoothest is the best between the samples. The whole numbers q
//! that a device stores then minimize the same quadratic form around that solution: one coefficient after the other is
//! rounded, the coefficients still to come make good what the rounding did to the samples (error feedback, as Frantar
//! et al. 2023 do for weights), and sweeps of coordinate descent follow until no single step up or down helps.

mod normal;
mod rounding;

use self::normal::Equations;
use crate::data::Dataset;
use crate::network::grid::Grid;
use crate::training::TrainState;
use ndarray::{Array1, Array2};
use rayon::prelude::*;

/// Shares of the range of the coefficients that are tried as the range of the whole numbers; values beyond are cut off.
const SHARES: [f64; 10] = [1.0, 0.8, 0.64, 0.48, 0.93, 0.86, 0.72, 0.56, 0.4, 0.32];
/// So many of them are enough to choose λ.
const FEW_SHARES: usize = 4;
/// Values of λ that are tried, relative to the mean diagonal of AᵀA.
const SMOOTHNESS: [f64; 6] = [1e-6, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1];
/// The squared error that a smoother table may have, relative to the best one.
const TOLERATED: f64 = 1.01;

/// The table of one output.
struct Channel {
    /// `[nodes]`.
    whole: Vec<f64>,
    /// What one of them is worth.
    step: f64,
    /// The value of 0.
    bias: f64,
}

/// Fits the table to the given samples and puts it into the network of `state`: one layer whose weights are the steps,
/// and whose encoding holds the whole numbers.
pub(super) fn fit(grid: &Grid, dataset: &Dataset, samples: &[usize], state: &mut TrainState) {
    let equations = Equations::new(grid, dataset, samples);
    let outputs = dataset.outputs();
    let targets = |output: usize| -> Vec<f64> {
        samples.iter().map(|&sample| f64::from(dataset.targets[[sample, output]])).collect()
    };
    let channels: Vec<Channel> = (0..outputs).map(|output| channel(&equations, grid, &targets(output))).collect();
    let network = &mut state.networks[0];
    let shape = network.shape().clone();
    let steps: Array1<f32> = channels.iter().map(|channel| channel.step as f32).collect();
    let weights = Array2::from_diag(&steps);
    let parameters = network.parameters_mut();
    parameters[shape.weights_range(0)].copy_from_slice(weights.as_slice().expect("row-major"));
    for (bias, channel) in parameters[shape.biases_range(0)].iter_mut().zip(&channels) {
        *bias = channel.bias as f32;
    }
    for (node, values) in parameters[shape.encoder_range()].chunks_exact_mut(outputs).enumerate() {
        for (value, channel) in values.iter_mut().zip(&channels) {
            *value = channel.whole[node] as f32;
        }
    }
}

fn channel(equations: &Equations, grid: &Grid, targets: &[f64]) -> Channel {
    let few: Vec<_> = SMOOTHNESS
        .par_iter()
        .map(|&smoothness| best(equations, smoothness, (grid, targets), &SHARES[..FEW_SHARES]))
        .collect();
    let least = few.iter().fold(f64::INFINITY, |least, (error, _)| least.min(*error));
    let chosen = few.iter().rposition(|(error, _)| *error <= TOLERATED * least).unwrap_or(0);
    best(equations, SMOOTHNESS[chosen], (grid, targets), &SHARES).1
}

/// The table of the best of these ranges, and its squared error.
fn best(equations: &Equations, smoothness: f64, (grid, targets): (&Grid, &[f64]), shares: &[f64]) -> (f64, Channel) {
    let normal = equations.smoothed(smoothness);
    let exact = normal.solve(targets);
    let (low, high) = targets.iter().fold((f64::MAX, f64::MIN), |(low, high), &y| (low.min(y), high.max(y)));
    let (bias, largest) = (0.5 * (low + high), f64::from(grid.largest()));
    let bound = exact.iter().fold(f64::from(f32::MIN_POSITIVE) * largest, |bound, c| bound.max((c - bias).abs()));
    let candidates = shares.par_iter().map(|share| {
        let step = share * bound / largest;
        let scaled: Vec<f64> = exact.iter().map(|c| (c - bias) / step).collect();
        let whole = rounding::round(&normal, &scaled, largest);
        let coefficients: Vec<f64> = whole.iter().map(|q| bias + step * q).collect();
        (equations.squared_error(&coefficients, targets), Channel { whole, step, bias })
    });
    let candidates: Vec<_> = candidates.collect();
    let best = candidates.into_iter().reduce(|best, next| if next.0 < best.0 { next } else { best });
    best.expect("there are candidates")
}

#[cfg(test)]
mod tests {
    use crate::data::Dataset;
    use crate::fit::FitParams;
    use crate::network::encoding::{EncodingKind, EncodingParams};
    use crate::network::grid::{GridParams, Nodes};
    use crate::training::Watch;
    use firmware_core::Precision;
    use ndarray::Array2;

    fn table(nodes: &[u32], order: u8, bits: u8) -> FitParams {
        let grid = GridParams { levels: vec![Nodes(nodes.to_vec())], order, bits, ..GridParams::default() };
        let encoding = EncodingParams { kind: EncodingKind::Table, grid, ..EncodingParams::default() };
        FitParams { encoding, ..FitParams::default() }
    }

    /// A grid of samples of a function that a quadratic table of few nodes holds.
    fn parabola(side: usize) -> Dataset {
        let value = |k: usize| {
            let (x, y) = ((k % side) as f32 / side as f32, (k / side) as f32 / side as f32);
            1.0 + 3.0 * x * x - 2.0 * x * y + 0.5 * y * y
        };
        Dataset::from_grid(&[side, side], Array2::from_shape_fn((side * side, 1), |(k, _)| value(k)))
    }

    #[test]
    fn a_quadratic_table_holds_a_parabola_and_a_linear_one_comes_near() {
        let data = parabola(40);
        let psnr = |order, bits| {
            let params = table(&[9], order, bits).check(2, 1).unwrap();
            let fitted = params.fit(&data, &mut Watch::default()).unwrap();
            let artifact = fitted.artifact(&data, Precision::W8A16).unwrap();
            let outputs = crate::artifact::model_file::predict(&artifact.model().unwrap(), &data.points).unwrap();
            let metrics = crate::data::metrics::Metrics::compare(&outputs, &data.targets, &data.output_maps);
            (fitted.metrics(&data, &fitted.split.train).psnr_db, metrics.psnr_db)
        };
        // Rounding to 8 bits is an error of 1/255/√12 of the range of the coefficients at a node, 58.9 dB; their range
        // is larger than that of the samples, for those at the edges lie outside.
        let (host, device) = psnr(2, 8);
        assert!(host > 54.0 && (host - device).abs() < 0.1, "{host} {device}");
        // Linear interpolation misses h²f''/8 = (1/8)²·6/8 in the middle of a cell; a range of 4 makes at least 45 dB.
        let (host, _) = psnr(1, 8);
        assert!((40.0..55.0).contains(&host), "{host}");
        assert!(psnr(2, 4).0 < psnr(2, 6).0 - 8.0, "two bits are 12 dB");
    }

    #[test]
    fn what_has_no_samples_is_continued_and_several_outputs_are_kept_apart() {
        let full = parabola(40);
        let both = ndarray::concatenate![ndarray::Axis(1), full.targets.view(), full.targets.mapv(|t| 1.0 - t).view()];
        let data = Dataset::from_grid(&[40, 40], both);
        let params = table(&[9, 12], 2, 8).check(2, 2).unwrap();
        // No sample in the middle.
        let samples: Vec<usize> =
            (0..1600).filter(|k| !((15..25).contains(&(k % 40)) && (15..25).contains(&(k / 40)))).collect();
        let mut state = params.start();
        super::fit(params.encoding().grid().unwrap(), &data, &samples, &mut state);
        let encoding = params.encoding_of(&state.networks[0]);
        let outputs = crate::fit::unit_outputs(&encoding, &state.networks[0], data.coordinates.view());
        let worst = outputs.iter().zip(&data.targets).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 0.02, "{worst}");
    }
}
