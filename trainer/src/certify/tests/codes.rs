//! What is proven of codes by enumeration, against the device, and what a stopped enumeration keeps.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use firmware_core::{Axis, OutputActivation, Precision};

use super::common::{Network, Shape};
use super::{model, unasked};
use crate::certify::enumerate::{Codes, Enumerated, Enumeration, Extreme, Halt};
use crate::certify::interpolant::Interpolant;
use crate::certify::parts::Parts;
use crate::certify::{Certification, CertifyError, CertifySettings, Method, Misfit, Unfinished, Verdict};
use crate::data::Dataset;

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

/// An enumeration of the first half of 128 points.
fn half(codes: &Codes<'_>) -> Enumeration {
    let halt = Halt { stop: &AtomicBool::new(false), end: None };
    let (mut half, task) = (codes.start(), 0..64);
    half.take(vec![task.clone()], vec![codes.task(&task, halt)]).unwrap();
    half
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
