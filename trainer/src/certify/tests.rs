//! What is proven, against the device: nothing is outside, and where everything can be evaluated the bounds are
//! reached.

#[path = "../../../firmware-core/tests/common/mod.rs"]
pub(crate) mod common;

pub(crate) mod codes;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use firmware_core::artifact::{GridShape, GridUse, HiddenActivation};
use firmware_core::{Axis, Model, OutputActivation, OutputMap, Precision};
use rayon::prelude::*;

use self::common::{Network, Random, Shape};
use super::arithmetic::Arithmetic;
use super::bench::Bench;
use super::bounds::answers;
use super::interpolant::Interpolant;
use super::parts::Parts;
use super::region::{MAX_AXES, Region};
use super::search::{Goal, Quantity, Search, Until};
use super::slope::slope_range;
use super::{Certification, CertifySettings, Verdict};
use crate::data::Dataset;

const PRECISIONS: [Precision; 3] = [Precision::W8A16, Precision::W16A16, Precision::F32];

/// Artifacts of every kind, of 1 to 3 inputs.
fn artifacts(seed: u64) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for precision in PRECISIONS {
        for (activation, hidden) in [(OutputActivation::Linear, &[7, 6][..]), (OutputActivation::Sigmoid, &[9])] {
            for inputs in 1..=3u8 {
                let shape = Shape {
                    precision,
                    activation,
                    inputs,
                    frequencies: 5,
                    passthrough: inputs - 1,
                    hidden,
                    outputs: 2,
                };
                let mut network = Network::random(&shape, seed);
                // Slow waves too, of which a box sees less than a turn.
                let mut random = Random(seed);
                network.frequencies.iter_mut().for_each(|b| *b >>= random.word() % 8);
                network.output_maps[1].scale = -1e-6;
                all.push(network.artifact(""));
                network.header.hidden_activation = HiddenActivation::Sine;
                // Phases of a few turns, as a trained network has.
                for layer in &mut network.layers {
                    layer.multiplier.iter_mut().for_each(|multiplier| *multiplier >>= 4);
                }
                all.push(network.artifact(""));
                for order in 1..=2 {
                    let grid = GridShape { levels: 2, channels: 3, order, bits: 6, used_as: GridUse::Features };
                    all.push(Network::with_grid(&shape, grid, 0, seed).artifact(""));
                    if precision != Precision::F32 && activation == OutputActivation::Linear {
                        let table = GridShape { levels: 1, channels: 2, used_as: GridUse::Outputs, ..grid };
                        let shape = Shape { hidden: &[], ..shape };
                        all.push(Network::with_grid(&shape, table, 1, seed).artifact(""));
                    }
                }
            }
        }
    }
    all
}

/// Settings that ask for nothing.
fn unasked() -> CertifySettings {
    CertifySettings { seconds: 1.0, ratio: 1.1, max_error: None, within: None, monotone: None }
}

fn model(words: &[u32]) -> Model<'_> {
    Model::parse(bytemuck::cast_slice(words)).unwrap()
}

/// A box of any size, from one coordinate to half of the domain along each axis.
fn random_region(random: &mut Random, inputs: usize) -> Region {
    let mut region = Region { lower: [0; MAX_AXES], upper: [0; MAX_AXES] };
    let common = 1 + random.word() % 32;
    for axis in 0..inputs {
        let span = random.word() >> (common + random.word() % 2).min(31);
        region.lower[axis] = random.word().min(u32::MAX - span);
        region.upper[axis] = region.lower[axis] + if random.word().is_multiple_of(16) { 0 } else { span };
    }
    region
}

/// A point of a box, every fourth time on its edge; and where it is, from -1 to 1.
fn random_point(random: &mut Random, region: &Region) -> ([u32; MAX_AXES], [f64; MAX_AXES]) {
    let on_edge = random.word().is_multiple_of(4);
    let point: [u32; MAX_AXES] = std::array::from_fn(|axis| {
        let span = u64::from(region.upper[axis] - region.lower[axis]);
        let offset = if on_edge { span * u64::from(random.word() & 1) } else { u64::from(random.word()) % (span + 1) };
        region.lower[axis] + offset as u32
    });
    let place = std::array::from_fn(|axis| match region.half(axis) {
        0.0 => 0.0,
        half => (f64::from(point[axis]) - region.center(axis)) / half,
    });
    (point, place)
}

/// The raw outputs of the device at a point as numbers.
fn raw(parts: &Parts<'_>, point: &[u32; MAX_AXES]) -> Vec<f64> {
    let mut scratch = vec![0; parts.model.scratch_words()];
    let mut raw = vec![0; parts.outputs()];
    parts.model.eval_fixed_into(&point[..parts.inputs()], &mut scratch, &mut raw).unwrap();
    let number = |raw: i32| if parts.is_float { f64::from(f32::from_bits(raw as u32)) } else { f64::from(raw) };
    raw.into_iter().map(number).collect()
}

/// How many points of how many boxes lie outside of what is proven; the suite and the run by hand differ in the
/// numbers.
fn check_boxes(seed: u64, boxes: usize, points: usize) -> u64 {
    let artifacts = artifacts(seed);
    let checked = artifacts.par_iter().map(|words| {
        let model = model(words);
        let parts = Parts::of(&model);
        let mut random = Random(seed ^ 0xb0c5);
        for _ in 0..boxes {
            let region = random_region(&mut random, parts.inputs());
            let device = answers(&parts, &region, Arithmetic::Device);
            for _ in 0..points {
                let (point, place) = random_point(&mut random, &region);
                for (output, raw) in raw(&parts, &point).into_iter().enumerate() {
                    let [low, high] = device.raw[output];
                    let what = format!("{:?} {:?} at {point:?} of {region:?}", model.header(), model.axes().len());
                    assert!((low..=high).contains(&raw), "{raw} is not in {low} to {high}: {what}");
                    let map = parts.maps[output];
                    let y = f64::from(raw as f32 * map.scale + map.offset);
                    let form = device.values[output];
                    let linear: f64 = form.slopes.iter().zip(place).map(|(slope, place)| slope * place).sum();
                    let slack = 1e-12 * form.center.abs();
                    assert!((y - form.center - linear).abs() <= form.radius + slack, "{y} is not in {form:?}: {what}");
                }
            }
        }
        (boxes * points) as u64
    });
    checked.sum()
}

#[test]
fn no_answer_leaves_its_bounds() {
    assert!(check_boxes(7, 60, 6) > 10_000);
}

/// 10^8 points: `cargo test --release -p trainer --lib certify -- --ignored hundred`.
#[test]
#[ignore = "takes minutes"]
fn no_answer_leaves_its_bounds_at_a_hundred_million_points() {
    let (mut checked, mut seed) = (0, 100);
    while checked < 100_000_000 {
        checked += check_boxes(seed, 400, 100);
        seed += 1;
        println!("{checked} points");
    }
    println!("{checked} points of models of {} seeds, none outside", seed - 100);
}

#[test]
fn slopes_hold_between_any_two_points() {
    for words in artifacts(11) {
        let model = model(&words);
        let parts = Parts::of(&model);
        let mut random = Random(5);
        let value = |point: [u32; MAX_AXES]| {
            let one = Region { lower: point, upper: point };
            answers(&parts, &one, Arithmetic::Exact).values[0]
        };
        for _ in 0..20 {
            let region = random_region(&mut random, parts.inputs());
            let exact = answers(&parts, &region, Arithmetic::Exact);
            let (from, _) = random_point(&mut random, &region);
            for axis in 0..parts.inputs() {
                let mut to = from;
                to[axis] = random_point(&mut random, &region).0[axis];
                if to[axis] == from[axis] {
                    continue;
                }
                // By the mean value theorem some slope between is the quotient.
                let step = (f64::from(to[axis]) - f64::from(from[axis])) / 4_294_967_296.0;
                let step = step / f64::from(parts.axes[axis].scale);
                let (a, b) = (value(from), value(to));
                let quotient = (b.center - a.center) / step;
                let error = (a.radius + b.radius) / step.abs() * 1.000_001;
                let [low, high] = slope_range(&parts, &region, &exact, (0, axis));
                assert!(
                    quotient >= low - error && quotient <= high + error,
                    "{quotient}: {low} to {high} {region:?} {:?}",
                    model.header()
                );
            }
        }
    }
}

/// A model of one input whose domain has so many bits of coordinates.
fn narrow(precision: Precision, bits: u32) -> Vec<u32> {
    let activation = OutputActivation::Linear;
    let shape = Shape { precision, activation, inputs: 1, frequencies: 4, passthrough: 1, hidden: &[8, 6], outputs: 1 };
    let mut network = Network::random(&shape, 3);
    // From 0 to a small part of the period; fast waves, so that something happens there.
    network.axes = vec![Axis::new(0.0, ((1u64 << bits) - 1) as f32, 4_294_967_296.0)];
    network.frequencies = vec![300 << 16, -(41 << 16), 1200 << 16, 7 << 16];
    network.frequencies.iter_mut().for_each(|b| *b = (*b << (20 - bits.min(20))) >> (bits.max(20) - 20));
    network.output_maps = vec![OutputMap { scale: 1e-5, offset: 2.0 }];
    network.artifact("")
}

fn exhausted(words: &[u32], bits: u32) {
    let model = model(words);
    let parts = Parts::of(&model);
    let domain = parts.domain();
    assert!(domain.upper[0] >= (1 << bits) - 1 - (1 << (bits.max(24) - 24)), "{domain:?}");
    let map = parts.maps[0];
    let value = |v: u32| f64::from(raw(&parts, &[v, 0, 0])[0] as f32 * map.scale + map.offset);
    let all = (0..=domain.upper[0]).into_par_iter().map(value);
    let (low, high) = all.map(|y| (y, y)).reduce(|| (f64::MAX, f64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let bench = Bench { parts: &parts, interpolant: None };
    let stop = AtomicBool::new(false);
    let end = Instant::now() + Duration::from_secs(120);
    for (quantity, expected) in [(Quantity::Upper, high), (Quantity::Lower, -low)] {
        let mut search = bench.search(Goal { quantity, output: 0 });
        bench.run(&mut search, &Until { ratio: 1.0, width: 1.0, enough: None, end, stop: &stop }, |_| ());
        println!("{quantity:?} over {} coordinates: {}, {} boxes", domain.upper[0], search.proven(), search.boxes);
        // In single precision a bound is outward by a rounding or two of each step.
        let slack = if parts.is_float { 1e-5 * (high - low) } else { 0.0 };
        assert!(search.proven() >= expected && search.proven() <= expected + slack, "{} {expected}", search.proven());
        assert!(search.found.value <= expected);
    }
}

#[test]
fn bounds_of_one_input_are_what_every_coordinate_gives() {
    for precision in PRECISIONS {
        exhausted(&narrow(precision, 16), 16);
    }
}

/// 2^24 coordinates: `cargo test --release -p trainer --lib certify -- --ignored sixteen_million`.
#[test]
#[ignore = "takes a minute"]
fn bounds_are_what_sixteen_million_coordinates_give() {
    for precision in [Precision::W8A16, Precision::W16A16] {
        exhausted(&narrow(precision, 24), 24);
    }
}

#[test]
fn a_stopped_search_goes_on_as_if_it_had_not_been() {
    let words = narrow(Precision::W16A16, 16);
    let model = model(&words);
    let parts = Parts::of(&model);
    let bench = Bench { parts: &parts, interpolant: None };
    let goal = Goal { quantity: Quantity::Slope(0), output: 0 };
    let never = AtomicBool::new(false);
    let until = |stop, seconds| Until {
        ratio: 1.0001,
        width: 1.0,
        enough: None,
        end: Instant::now() + Duration::from_secs(seconds),
        stop,
    };
    let mut whole = bench.search(goal);
    bench.run(&mut whole, &until(&never, 60), |_| ());
    let mut parted = bench.search(goal);
    // Stopped at once and again and again, and written in between.
    bench.run(&mut parted, &until(&never, 0), |_| ());
    let mut parted: Search = serde_json::from_str(&serde_json::to_string(&parted).unwrap()).unwrap();
    bench.run(&mut parted, &until(&never, 60), |_| ());
    assert_eq!((parted.proven(), parted.boxes), (whole.proven(), whole.boxes));
    assert!(whole.proven() <= 1.0001 * whole.found.value);
}

/// A network of one input, without a wave, whose one output is the difference of two units. Both take ten times the
/// unit that has its kink in the middle, one of them takes `factor` times another unit that has none too: the slope is
/// the same everywhere.
fn straight_through_a_kink(factor: f32) -> Vec<u32> {
    let activation = OutputActivation::Linear;
    let hidden = &[2, 2][..];
    let shape =
        Shape { precision: Precision::F32, activation, inputs: 1, frequencies: 0, passthrough: 1, hidden, outputs: 1 };
    let mut network = Network::random(&shape, 1);
    let numbers = [
        (vec![1e-4, 1e-4], vec![0.0, 100.0]),
        (vec![10.0, factor, 10.0, 0.0], vec![500.0, 500.0]),
        (vec![1.0, -1.0], vec![0.0]),
    ];
    for (layer, (weights, bias)) in network.layers.iter_mut().zip(numbers) {
        (layer.weights, layer.bias) = (weights, bias);
    }
    network.artifact("")
}

#[test]
fn a_kink_that_cancels_is_no_slope() {
    for factor in [1.0, -1.0] {
        let words = straight_through_a_kink(factor);
        let model = model(&words);
        let settings = CertifySettings { monotone: Some("input 0".to_owned()), ..unasked() };
        let mut work = Certification::new(&model, None, &settings).unwrap();
        work.run(&AtomicBool::new(false), &|_| ()).unwrap();
        let certificate = work.certificate(None, String::new());
        let slope = &certificate.outputs[0].slopes[0];
        assert!(slope.proven < 1.001 * slope.found && slope.found > 0.0, "{slope:?}");
        assert_eq!(certificate.questions[0].answer, Verdict::Yes);
    }
}

#[test]
fn a_domain_of_one_point_is_proven() {
    for inputs in 1..=2 {
        let mut network = Network::random(
            &Shape {
                precision: Precision::W8A16,
                activation: OutputActivation::Linear,
                inputs,
                frequencies: 4,
                passthrough: 0,
                hidden: &[5],
                outputs: 1,
            },
            3,
        );
        network.axes = vec![Axis::new(1.0, 1.0, 1.0); usize::from(inputs)];
        let words = network.artifact("");
        let model = model(&words);
        let mut work = Certification::new(&model, None, &unasked()).unwrap();
        work.run(&AtomicBool::new(false), &|_| ()).unwrap();
        assert!(work.is_near());
        let answer = &work.certificate(None, String::new()).outputs[0];
        let mut value = [0.0];
        model.eval_into(&[1.0, 1.0][..usize::from(inputs)], &mut vec![0; model.scratch_words()], &mut value).unwrap();
        assert_eq!([answer.largest.proven, answer.smallest.proven], [f64::from(value[0]); 2]);
    }
}

#[test]
fn repeated_rows_of_equal_values_are_one_and_others_are_named() {
    let data = |values: [f32; 4]| {
        let targets = ndarray::Array2::from_shape_vec((4, 1), values.to_vec()).unwrap();
        let mut data = Dataset::from_grid(&[4], targets);
        data.points = ndarray::array![[0.0], [1.0], [1.0], [2.0]];
        Interpolant::of(&data)
    };
    assert_eq!(data([0.0, 0.5, 0.5, 1.0]).unwrap().at(&[1.5], 0), 0.75);
    let said = data([0.0, 0.5, 0.25, 1.0]).err().unwrap().to_string();
    assert!(said.starts_with("samples 2 and 3, counted from 1, are at the same place with different values"), "{said}");
    assert!(said.contains("there is 1 such pair"), "{said}");
}
