//! Figure 11 of the paper: positional encoding favours waves along the axes, Gaussian features treat all directions
//! alike.

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::RngExt;
use serde::Serialize;

use super::error::ReproduceError;
use super::monitor::{Event, FigureWatch, side_by_side};
use super::{Claim, Draft, Figure, FigureContent, Options, paragraphs};
use crate::base::random::{Purpose, step_rng};
use crate::data::metrics::psnr_db;
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::network::features::EncodedFeatures;
use crate::network::{Initialization, Mlp, OutputActivation, Shape};
use crate::report::colormap::Colormap;
use crate::report::sheet::{Line, Panel, Plot, Raster, Row, Sheet, Stroke};
use crate::report::style;
use crate::theory::kernel::{FourierFeatures, Kernel};
use crate::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel};
use crate::training::loss::SquaredError;
use crate::training::optimizer::{Optimizer, Schedule};
use crate::training::regression::{Batches, Regression};
use crate::training::{Ended, LoopParams, TrainState, Watch, train};

/// Cycles over the plane; the paper's range.
const RADII: [f64; 4] = [5.0, 10.0, 15.0, 20.0];
/// The encodings and their scales.
const KINDS: [(EncodingKind, f64); 2] = [(EncodingKind::Positional, 5.0), (EncodingKind::Gaussian, 10.0)];
const LEARNING_RATE: f64 = 1e-3;
const QUICK_LEARNING_RATE: f64 = 2e-3;
/// Points a side of the kernel maps, and the half side they cover.
const MAP: (usize, f64) = (161, 0.12);

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Setting {
    /// Training points a side; the test points lie between them.
    side: usize,
    angles: usize,
    frequencies: usize,
    width: usize,
    steps: u64,
    learning_rate: f64,
    /// Draws of frequencies and weights that the results are averaged over.
    draws: u64,
    seed: u64,
}

impl Setting {
    fn new(quick: bool, seed: u64) -> Self {
        if quick {
            let learning_rate = QUICK_LEARNING_RATE;
            Self { side: 48, angles: 5, frequencies: 64, width: 64, steps: 30, learning_rate, draws: 2, seed }
        } else {
            let learning_rate = LEARNING_RATE;
            Self { side: 256, angles: 17, frequencies: 256, width: 256, steps: 500, learning_rate, draws: 1, seed }
        }
    }

    /// Radians from the x axis, both axes included.
    fn angle(&self, index: usize) -> f64 {
        TAU / 4.0 * index as f64 / (self.angles - 1) as f64
    }

    fn encoding(&self, (kind, scale): (EncodingKind, f64), seed: u64) -> EncodingParams {
        let notebook = kind == EncodingKind::Positional;
        EncodingParams { kind, scale, notebook, frequencies: self.frequencies, seed, ..EncodingParams::default() }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Numbers {
    encoding: &'static str,
    cycles: f64,
    /// Degrees from the x axis.
    angles: Vec<f64>,
    test_psnr_db: Vec<f64>,
}

/// Points of a square grid in Q0.32, each `offset` of the spacing further.
fn grid(side: usize, offset: f64) -> Array2<u32> {
    let at = |k: usize| ((k as f64 + offset) / side as f64 * 4_294_967_296.0) as u32;
    Array2::from_shape_fn((side * side, 2), |(i, axis)| at(if axis == 0 { i % side } else { i / side }))
}

/// Half of one plus a wave, `[n, 1]`; the phase in turns is that at the origin.
fn wave(points: &Array2<u32>, cycles: f64, angle: f64, phase: f64) -> Array2<f32> {
    let (sine, cosine) = angle.sin_cos();
    let unit = |v: u32| f64::from(v) / 4_294_967_296.0;
    let value = |row: ndarray::ArrayView1<'_, u32>| {
        let turns = cycles * (cosine * unit(row[0]) + sine * unit(row[1])) + phase;
        (0.5 + 0.5 * (TAU * turns).cos()) as f32
    };
    points.map_axis(ndarray::Axis(1), value).insert_axis(ndarray::Axis(1))
}

/// One network on one wave.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// The encoding and its scale.
    kind: (EncodingKind, f64),
    cycles: f64,
    /// Radians from the x axis.
    angle: f64,
    seed: u64,
}

/// PSNR between the training points after training.
fn test_psnr(setting: Setting, job: Job, monitor: &FigureWatch<'_>) -> Result<f64, ReproduceError> {
    let Job { kind, cycles, angle, seed } = job;
    let encoding = setting.encoding(kind, seed).check(2)?;
    let (points, test) = (grid(setting.side, 0.0), grid(setting.side, 0.5));
    let features = EncodedFeatures::new(&encoding, points.view());
    let shape = Shape::new(encoding.features_len(), &[setting.width], 1, OutputActivation::Sigmoid);
    let network = Mlp::new(shape, Initialization::Glorot, &mut step_rng(seed, Purpose::InitialParameters, 0));
    // Another phase with each seed: waves that are even about the origin are a special case for the cosines.
    let phase: f64 = step_rng(seed, Purpose::WavePhase, 0).random();
    let targets = wave(&points, cycles, angle, phase);
    let mut objective = Regression::new(features, targets, SquaredError::HalfMean, Batches { size: None, seed });
    let params = LoopParams {
        steps: setting.steps,
        learning_rate: setting.learning_rate,
        encoder_rate: 1.0,
        schedule: Schedule::Constant,
        optimizer: Optimizer::default(),
        row_limit: None,
    };
    let mut state = TrainState::new(vec![network]);
    let mut watch = Watch { stop: Some(monitor.stop), ..Watch::default() };
    if train(&mut objective, &mut state, &params, &mut watch)? == Ended::Interrupted {
        return Err(ReproduceError::Interrupted);
    }
    monitor.advance(1);
    let outputs = state.networks[0].predict(encoding.features(test.view()).view());
    let difference = outputs - wave(&test, cycles, angle, phase);
    let squares = difference.iter().map(|d| f64::from(*d).powi(2)).sum::<f64>();
    Ok(psnr_db(squares / difference.len() as f64, 1.0))
}

fn measure(setting: Setting, radii: &[f64], monitor: &FigureWatch<'_>) -> Result<Vec<Numbers>, ReproduceError> {
    let groups: Vec<_> = KINDS.iter().flat_map(|&kind| radii.iter().map(move |&cycles| (kind, cycles))).collect();
    let jobs: Vec<_> = groups
        .iter()
        .flat_map(|&(kind, cycles)| (0..setting.angles).map(move |angle| (kind, cycles, setting.angle(angle))))
        .collect();
    let psnr = side_by_side(&jobs, |&(kind, cycles, angle)| {
        let each = (0..setting.draws).map(|draw| {
            let job = Job { kind, cycles, angle, seed: setting.seed.wrapping_add(draw) };
            monitor.part(1, (setting, job), || test_psnr(setting, job, monitor))
        });
        Ok(each.sum::<Result<f64, _>>()? / setting.draws as f64)
    })?;
    let numbers = |(&(kind, cycles), psnr): (&((EncodingKind, f64), f64), &[f64])| Numbers {
        encoding: kind.0.label(),
        cycles,
        angles: (0..setting.angles).map(|index| setting.angle(index).to_degrees()).collect(),
        test_psnr_db: psnr.to_vec(),
    };
    Ok(groups.iter().zip(psnr.chunks(setting.angles)).map(numbers).collect())
}

/// Mean over the cycles of the PSNR along the axes, and over all directions between them, for an encoding.
fn along_and_between(numbers: &[Numbers], kind: EncodingKind) -> (f64, f64) {
    let chosen: Vec<_> = numbers.iter().filter(|n| n.encoding == kind.label()).collect();
    let mean =
        |of: &dyn Fn(&[f64]) -> f64| chosen.iter().map(|n| of(&n.test_psnr_db)).sum::<f64>() / chosen.len() as f64;
    let between = |psnr: &[f64]| psnr[1..psnr.len() - 1].iter().sum::<f64>() / (psnr.len() - 2) as f64;
    (mean(&|psnr| f64::midpoint(psnr[0], psnr[psnr.len() - 1])), mean(&between))
}

pub(super) fn make(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let setting = Setting::new(options.quick, options.seed);
    let units = (KINDS.len() * RADII.len() * setting.angles) as u64 * setting.draws;
    (monitor.tell)(Event::Begin { figure: Figure::AxisAligned.name(), units });
    let numbers = measure(setting, &RADII, monitor)?;
    let kernels = KINDS
        .iter()
        .map(|&kind| kernel_map(setting, kind).map(Panel::Raster))
        .collect::<Result<Vec<_>, ReproduceError>>()?;
    let plot = |&(kind, _): &(EncodingKind, f64)| {
        let lines = numbers.iter().filter(|n| n.encoding == kind.label()).enumerate().map(|(index, n)| {
            let points = n.angles.iter().copied().zip(n.test_psnr_db.iter().copied());
            Line::new(format!("{} cycles", n.cycles), style::SERIES[index], Stroke::Marked, points)
        });
        Panel::Plot(Plot {
            title: format!("{}: PSNR by direction", kind.label()),
            x_label: "degrees from the x axis".to_owned(),
            y_label: "PSNR (dB)".to_owned(),
            y_range: Some(range(&numbers)),
            lines: lines.collect(),
            ..Plot::default()
        })
    };
    let (positional, gaussian) =
        (along_and_between(&numbers, EncodingKind::Positional), along_and_between(&numbers, EncodingKind::Gaussian));
    let content = FigureContent {
        title: "Positional encoding favours the axes, Gaussian features do not".to_owned(),
        what_you_see: vec![
            format!(
                "Above: networks learn plane waves, one wave each, and are tested between the training points. Each \
                 line is a number of cycles; from left to right the wave turns from running along x to running along \
                 y. With positional encoding the quality is high at both ends and sinks in between ({:.1} dB along the \
                 axes, {:.1} dB between them, on average). With Gaussian features the direction matters little ({:.1} \
                 dB and {:.1} dB).",
                positional.0, positional.1, gaussian.0, gaussian.1
            ),
            "Below: the tangent kernel of both networks around a point of the plane, light where it is large. That of \
             the positional encoding is a cross along the axes. That of Gaussian features is round, up to the noise of \
             the random draw."
                .to_owned(),
        ],
        why: paragraphs([
            "Positional encoding has frequencies along x and frequencies along y, but none in between. The kernel of \
             these features is a sum of one part that depends on Δx alone and one that depends on Δy alone, and so the \
             tangent kernel is a cross. A wave along an axis is made of its frequencies and has a large eigenvalue. A \
             slanted wave is not, has a smaller eigenvalue, and is learned more slowly and less well.",
            "The frequencies of Gaussian features are drawn from a distribution that is the same in all directions. \
             The kernel depends on the distance of two points alone, and all waves with the same number of cycles have \
             about the same eigenvalue. That is why Gaussian features are the default for data of more than one \
             coordinate.",
        ]),
        method: vec![method(options, setting)],
        caption: "Above: PSNR between the training points by the direction of the wave. Below: tangent kernels over \
                  the differences Δx and Δy."
            .to_owned(),
        tables: Vec::new(),
        claims: claims(positional, gaussian),
        numbers: serde_json::json!({ "setting": setting, "results": numbers }),
    };
    let rows = [KINDS.iter().map(plot).collect(), kernels].map(|panels| Row { height: 600, panels });
    let sheet = Sheet { title: "Waves in all directions, learned behind two encodings".to_owned(), rows: rows.into() };
    Ok(Draft { content, sheet })
}

fn method(options: Options, setting: Setting) -> String {
    let quick = if options.quick {
        " The quick settings have a smaller grid and network, fewer angles and steps, and a higher rate."
    } else {
        ""
    };
    format!(
        "Waves of 5 to 20 cycles in {} directions with random phases are learned at {} × {} points and tested half-way \
         between these. Each value is the mean over {} draws of frequencies, weights and phase. The network has one \
         hidden layer of {} units and {} frequencies, and is trained by {} steps of Adam at the rate {:e}. As \
         published, the positional encoding has S = 5, and the Gaussian one σ = 10. The waves lie in [0, 1] and the \
         network ends in a sigmoid, while the published waves lie in [−1, 1] and that network ends in a tanh, which is \
         twice as steep.{quick}",
        setting.angles,
        setting.side,
        setting.side,
        setting.draws,
        setting.width,
        setting.frequencies,
        setting.steps,
        setting.learning_rate
    )
}

fn claims(positional: (f64, f64), gaussian: (f64, f64)) -> Vec<Claim> {
    let gap = |(along, between): (f64, f64)| along - between;
    vec![
        Claim::new(
            "Positional encoding is better along the axes than between them",
            format!("{:.1} dB along, {:.1} dB between", positional.0, positional.1),
            gap(positional) > 1.0,
        ),
        Claim::new(
            "Gaussian features treat directions alike",
            format!("{:.1} dB along, {:.1} dB between", gaussian.0, gaussian.1),
            gap(gaussian).abs() < (0.5 * gap(positional)).max(1.0),
        ),
        Claim::new(
            "Between the axes Gaussian features beat positional encoding",
            format!("{:.1} against {:.1} dB", gaussian.1, positional.1),
            gaussian.1 > positional.1,
        ),
    ]
}

fn range(numbers: &[Numbers]) -> std::ops::Range<f64> {
    let all = numbers.iter().flat_map(|n| n.test_psnr_db.iter().copied());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    (low - 1.0).floor()..(high + 1.0).ceil()
}

/// The tangent kernel of an infinitely wide network behind the features, made unit norm.
fn kernel(setting: Setting, kind: (EncodingKind, f64)) -> Result<NetworkKernel, ReproduceError> {
    let features = FourierFeatures::of(&EncodingParams { normalize: true, ..setting.encoding(kind, setting.seed) }, 2)?;
    let network = InfiniteMlpParams { hidden_layers: 1, ..Default::default() }.check()?;
    Ok(NetworkKernel { features, network, covariance: Covariance::Ntk })
}

/// The tangent kernel with the origin, over a square around it.
fn kernel_map(setting: Setting, kind: (EncodingKind, f64)) -> Result<Raster, ReproduceError> {
    let kernel = kernel(setting, kind)?;
    let (side, half) = MAP;
    let at = |k: usize| half * (2.0 * k as f64 / (side - 1) as f64 - 1.0);
    let points = Array2::from_shape_fn((side * side, 2), |(i, axis)| at(if axis == 0 { i % side } else { i / side }));
    let values = kernel.cross(points.view(), Array2::zeros((1, 2)).view())?;
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(*value));
    let smallest = values.iter().fold(f64::INFINITY, |smallest: f64, value| smallest.min(*value));
    let unit = |value: &f64| (value - smallest) / (largest - smallest);
    Ok(Raster {
        title: format!("{}: tangent kernel around a point", kind.0.label()),
        caption: format!("|Δx|, |Δy| ≤ {half}; dark {:.2}, light 1 of the peak", smallest / largest),
        shape: [side, side],
        rgb: values.iter().flat_map(|value| Colormap::Viridis.rgb(unit(value))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use ndarray::array;

    use super::*;
    use crate::reproduce::parts::Parts;

    #[test]
    fn a_measurement_that_was_stopped_goes_on_to_the_same_bits() {
        let setting = Setting { side: 8, frequencies: 8, width: 8, steps: 3, ..Setting::new(true, 0) };
        let all = RADII.len() * KINDS.len() * setting.angles * 2;
        let (stop, trained) = (AtomicBool::new(false), AtomicUsize::new(0));
        // Stops after so many trainings in all.
        let limit = AtomicUsize::new(all / 3);
        let tell = |event| {
            if let Event::Advance(1) = event
                && trained.fetch_add(1, Ordering::Relaxed) + 1 == limit.load(Ordering::Relaxed)
            {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let out = tempfile::tempdir().unwrap();
        let parts = Parts::of(Figure::AxisAligned, out.path());
        let kept = FigureWatch { parts: Some(&parts), ..FigureWatch::new(&stop, &tell) };
        assert!(matches!(measure(setting, &RADII, &kept), Err(ReproduceError::Interrupted)));
        stop.store(false, Ordering::Relaxed);
        limit.store(usize::MAX, Ordering::Relaxed);
        let goes_on = measure(setting, &RADII, &kept).unwrap();
        let plain = measure(setting, &RADII, &FigureWatch::new(&stop, &|_| {})).unwrap();
        assert_eq!(format!("{goes_on:?}"), format!("{plain:?}"));
        let first = trained.load(Ordering::Relaxed) - all;
        assert!((all / 3..all).contains(&first), "every one counts in both runs: {first}");
        // With a stop that nothing trained would pass.
        stop.store(true, Ordering::Relaxed);
        assert_eq!(format!("{:?}", measure(setting, &RADII, &kept).unwrap()), format!("{plain:?}"));
    }

    /// What the maps show: at one distance the positional kernel is larger along an axis, the Gaussian one is round.
    #[test]
    fn the_positional_kernel_lies_on_the_axes_and_the_gaussian_one_is_round() {
        let setting = Setting { frequencies: 1024, ..Setting::new(true, 0) };
        let (distance, diagonal) = (0.1, 0.1 / 2f64.sqrt());
        let ratio = |kind| {
            let kernel = kernel(setting, kind).unwrap();
            let points = array![[distance, 0.0], [diagonal, diagonal]];
            let values = kernel.cross(points.view(), Array2::zeros((1, 2)).view()).unwrap();
            values[[0, 0]] / values[[1, 0]]
        };
        let (positional, gaussian) = (ratio(KINDS[0]), ratio(KINDS[1]));
        assert!(positional > 1.3, "{positional}");
        assert!((gaussian - 1.0).abs() < 0.3, "{gaussian}");
    }
}
