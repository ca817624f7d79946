//! What is proven, against the device: nothing is outside, and where everything can be evaluated the bounds are
//! reached.

#[path = "../../../firmware-core/tests/common/mod.rs"]
pub(crate) mod common;

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use firmware_core::artifact::{GridShape, GridUse, HiddenActivation};
use firmware_core::{Axis, Model, OutputActivation, OutputMap, Precision};
use rayon::prelude::*;

use self::common::{Network, Random, Shape};
use super::arithmetic::Arithmetic;
use super::bench::Bench;
use super::bounds::answers;
use super::enumerate::{Codes, Enumerated, Enumeration, Extreme, Halt};
use super::interpolant::Interpolant;
use super::parts::Parts;
use super::region::{MAX_AXES, Region};
use super::search::{Goal, Quantity, Search, Until};
use super::slope::slope_range;
use super::{Certification, CertifyError, CertifySettings, Method, Misfit, Unfinished, Verdict};
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

/// A model of two outputs whose inputs are codes of so many bits.
pub(crate) fn of_codes(bits: &[u8]) -> Vec<u32> {
    let (precision, activation) = (Precision::W8A16, OutputActivation::Linear);
    let inputs = bits.len() as u8;
    let shape = Shape { precision, activation, inputs, frequencies: 4, passthrough: 0, hidden: &[6], outputs: 2 };
    let mut network = Network::random(&shape, 21);
    network.header.code_bits = bits.iter().copied().collect();
    network.axes = bits.iter().map(|&bits| Axis::codes(bits)).collect();
    network.artifact("")
}

#[test]
fn codes_are_enumerated_as_the_device_answers_them() {
    for inputs in 1..=3u8 {
        let bits = [5u8, 3, 4];
        let words = of_codes(&bits[..usize::from(inputs)]);
        let model = model(&words);
        let parts = Parts::of(&model);
        let codes = Codes::of(&parts, None).unwrap().unwrap();
        let mut enumeration = codes.start();
        codes.run(&mut enumeration, Halt { stop: &AtomicBool::new(false), end: None }, |_| ()).unwrap();
        // The same by one call for each point.
        let mut scratch = vec![0; model.scratch_words()];
        let mut at = |point: &[u32]| {
            let mut out = [0.0; 2];
            model.eval_codes_into(point, &mut scratch, &mut out).unwrap();
            out.map(f64::from)
        };
        let count = |axis: usize| if axis < usize::from(inputs) { 1u32 << bits[axis] } else { 1 };
        let (mut high, mut low, mut rise) = ([f64::MIN; 2], [f64::MAX; 2], [[f64::MIN; 3]; 2]);
        for x in 0..count(0) {
            for y in 0..count(1) {
                for z in 0..count(2) {
                    let point = [x, y, z];
                    let here = at(&point[..usize::from(inputs)]);
                    for k in 0..2 {
                        (high[k], low[k]) = (high[k].max(here[k]), low[k].min(here[k]));
                    }
                    for axis in 0..usize::from(inputs) {
                        let mut next = point;
                        next[axis] += 1;
                        if next[axis] < count(axis) {
                            let there = at(&next[..usize::from(inputs)]);
                            (0..2).for_each(|k| rise[k][axis] = rise[k][axis].max(there[k] - here[k]));
                        }
                    }
                }
            }
        }
        for (k, enumerated) in enumeration.outputs.iter().enumerate() {
            assert_eq!((enumerated.upper.value, -enumerated.lower.value), (high[k], low[k]));
            assert_eq!(at(&enumerated.upper.codes)[k], high[k]);
            for axis in 0..usize::from(inputs) {
                assert_eq!(enumerated.rise[axis].value, rise[k][axis], "{inputs} inputs, axis {axis}");
                let mut next = enumerated.rise[axis].codes.clone();
                next[axis] += 1;
                assert_eq!(at(&next)[k] - at(&enumerated.rise[axis].codes)[k], rise[k][axis]);
            }
        }
    }
}

#[test]
fn a_stopped_enumeration_goes_on_as_if_it_had_not_been() {
    let words = of_codes(&[8, 4]);
    let model = model(&words);
    // At the largest codes of the first input, so that the first rounds find no distance.
    let mut data = Dataset::from_grid(&[2, 2], ndarray::array![[0.0, 0.5], [1.0, 0.25], [0.0, 0.0], [2.0, 1.0]]);
    data.points = ndarray::array![[200.0, 3.0], [200.0, 9.0], [250.0, 3.0], [250.0, 9.0]];
    let settings = CertifySettings {
        seconds: 1.0,
        ratio: 1.1,
        max_error: Some(0.5),
        within: Some([0.0, 1.0]),
        monotone: Some("input 0".to_owned()),
    };
    let begin = || Certification::new(&model, Some(&data), &settings).unwrap();
    let proof = |mut certification: Certification<'_>| {
        certification.run(&AtomicBool::new(false), &|_| ()).unwrap();
        serde_json::to_string_pretty(&certification.certificate(Some(&data), String::new())).unwrap()
    };
    let whole = proof(begin());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proof.json");

    let (parts, interpolant) = (Parts::of(&model), Interpolant::of(&data).unwrap());
    let mut codes = Codes::of(&parts, Some(&interpolant)).unwrap().unwrap();
    // A task for each code of the first input and half of those of the second: eight rounds, each stopped at its end.
    (codes.task, codes.round) = (8, 64);
    let mut enumeration = codes.start();
    for stops in 1.. {
        let stop = AtomicBool::new(false);
        if codes.run(&mut enumeration, Halt { stop: &stop, end: None }, |_| stop.store(true, Relaxed)).is_ok() {
            assert_eq!(stops, 8);
            break;
        }
        assert_eq!(enumeration.points, stops * 64 * 8);
        let unfinished = Unfinished { enumeration: Some(enumeration.clone()), ..begin().unfinished(Some(&data)) };
        let mut resumed = begin();
        unfinished.write(&path).unwrap();
        let read = Unfinished::read(&path, &resumed.certificate(Some(&data), String::new())).unwrap();
        assert_eq!(read.enumeration.as_ref(), Some(&enumeration));
        resumed.resume(read).unwrap();
        assert_eq!(proof(resumed), whole);
    }
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

/// An enumeration of the first half of 128 points.
fn half(codes: &Codes<'_>) -> Enumeration {
    let halt = Halt { stop: &AtomicBool::new(false), end: None };
    let (mut half, task) = (codes.start(), 0..64);
    half.take(vec![task.clone()], vec![codes.task(&task, halt)]).unwrap();
    half
}

/// Settings that ask for nothing.
fn unasked() -> CertifySettings {
    CertifySettings { seconds: 1.0, ratio: 1.1, max_error: None, within: None, monotone: None }
}

#[test]
fn a_changed_digit_of_what_was_stopped_is_found() {
    let words = of_codes(&[4, 3]);
    let model = model(&words);
    let parts = Parts::of(&model);
    let half = half(&Codes::of(&parts, None).unwrap().unwrap());
    let work = Certification::new(&model, None, &unasked()).unwrap();
    let nothing = work.certificate(None, String::new());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proof.json");
    Unfinished { enumeration: Some(half.clone()), ..work.unfinished(None) }.write(&path).unwrap();
    assert!(Unfinished::read(&path, &nothing).is_ok());
    let kept = Unfinished::path(&path);
    let bytes = std::fs::read(&kept).unwrap();
    let digits: Vec<usize> = (0..bytes.len()).filter(|&place| bytes[place].is_ascii_digit()).collect();
    assert!(digits.len() > 100);
    for place in digits {
        let mut changed = bytes.clone();
        changed[place] = if changed[place] == b'7' { b'3' } else { b'7' };
        std::fs::write(&kept, changed).unwrap();
        match Unfinished::read(&path, &nothing) {
            Err(CertifyError::Damaged { .. } | CertifyError::Format { .. }) => {}
            // The last digit of a long number may change without another number being the nearest.
            Ok(read) => assert_eq!(read.enumeration.as_ref(), Some(&half), "{place}"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_enumeration_of_another_shape_is_not_continued() {
    let words = of_codes(&[4, 3]);
    let model = model(&words);
    let parts = Parts::of(&model);
    let half = half(&Codes::of(&parts, None).unwrap().unwrap());
    let resumed = |change: &dyn Fn(&mut Enumeration)| {
        let mut work = Certification::new(&model, None, &unasked()).unwrap();
        let mut enumeration = half.clone();
        change(&mut enumeration);
        match work.resume(Unfinished { enumeration: Some(enumeration), ..work.unfinished(None) }) {
            Ok(()) => None,
            Err(CertifyError::Misfit(misfit)) => Some(misfit),
            Err(error) => panic!("{error}"),
        }
    };
    let of_output = |change: fn(&mut Enumerated)| resumed(&|all| change(&mut all.outputs[1]));
    assert_eq!(resumed(&|_| ()), None);
    assert_eq!(resumed(&|all| all.points = 128), Some(Misfit::Points(128, 128)));
    assert_eq!(resumed(&|all| all.points = 0), Some(Misfit::Codes));
    assert_eq!(resumed(&|all| all.outputs.clear()), Some(Misfit::Outputs(0, 2)));
    assert_eq!(of_output(|output| output.rise.truncate(1)), Some(Misfit::Inputs(1, 2)));
    assert_eq!(of_output(|output| output.fall.truncate(0)), Some(Misfit::Inputs(0, 2)));
    assert_eq!(of_output(|output| output.distance = Some(output.upper.clone())), Some(Misfit::Distance));
    assert_eq!(of_output(|output| output.upper.value = f64::NEG_INFINITY), Some(Misfit::Codes));
    assert_eq!(of_output(|output| output.fall[0].codes.truncate(1)), Some(Misfit::Codes));
    assert_eq!(of_output(|output| output.rise[1].codes[1] = 8), Some(Misfit::Codes));
    let lost = Extreme { value: f64::NEG_INFINITY, codes: Vec::new() };
    let lost: Extreme = serde_json::from_str(&serde_json::to_string(&lost).unwrap()).unwrap();
    assert_eq!(resumed(&|all| all.outputs[0].lower = lost.clone()), Some(Misfit::Codes));
}

#[test]
fn data_between_two_codes_leave_the_distance_undecided() {
    let words = of_codes(&[4]);
    let model = model(&words);
    let mut data = Dataset::from_grid(&[2], ndarray::array![[0.0, 0.5], [1.0, 0.25]]);
    data.points = ndarray::array![[3.2], [3.8]];
    let settings = CertifySettings { max_error: Some(0.5), ..unasked() };
    let mut work = Certification::new(&model, Some(&data), &settings).unwrap();
    work.run(&AtomicBool::new(false), &|_| ()).unwrap();
    let certificate = work.certificate(Some(&data), String::new());
    assert_eq!(certificate.method, Method::Enumeration { points: 16 });
    assert_eq!(certificate.questions.len(), 2);
    for question in &certificate.questions {
        assert_eq!(question.answer, Verdict::NotDecided);
        let said = certificate.sentence(question);
        assert!(said.contains("no code lies between the first and the last position of the data"), "{said}");
    }
}

#[test]
fn of_a_stopped_round_the_tasks_before_the_first_unfinished_one_count() {
    let words = of_codes(&[4, 4]);
    let model = model(&words);
    let parts = Parts::of(&model);
    let mut codes = Codes::of(&parts, None).unwrap().unwrap();
    (codes.task, codes.round) = (32, 8);
    let halt = Halt { stop: &AtomicBool::new(false), end: None };
    let mut whole = codes.start();
    codes.run(&mut whole, halt, |_| ()).unwrap();

    let mut parted = codes.start();
    let tasks = vec![0..32, 32..64, 64..96];
    let ended = |task: usize| codes.task(&tasks[task], halt);
    let round = vec![ended(0), Err(CertifyError::Stopped), ended(2)];
    assert!(matches!(parted.take(tasks.clone(), round), Err(CertifyError::Stopped)));
    assert_eq!((parted.points, &parted.outputs), (32, &codes.task(&tasks[0], halt).unwrap()));
    codes.run(&mut parted, halt, |_| ()).unwrap();
    assert_eq!(parted, whole);
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
