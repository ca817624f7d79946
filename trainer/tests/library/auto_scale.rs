//! The choice of σ, and of the power that amplitudes fall with.

use ndarray::Array2;
use trainer::data::{Dataset, Holdout, Split, split};
use trainer::fit::FitParams;
use trainer::fit::auto_scale::{AutoScaleError, Candidate, Choice, ChoiceData, Judge, Setting, choose};
use trainer::network::encoding::EncodingKind;

fn line(frequency: f32, len: usize) -> Dataset {
    let value = |(k, _): (usize, usize)| {
        let t = k as f32 / len as f32;
        0.5 + 0.3 * (frequency * 6.0 * t).sin() + 0.15 * (frequency * 11.0 * t * t).cos()
    };
    Dataset::from_grid(&[len], Array2::from_shape_fn((len, 1), value))
}

fn choose_by(setting: Setting, params: &FitParams, dataset: &Dataset) -> Result<Choice, AutoScaleError> {
    let split = split(dataset, params.holdout, params.seed).unwrap();
    choose(setting, params, ChoiceData { dataset, split: &split, judge: Judge::LeftOut }, None)
}

fn choose_scale(params: &FitParams, data: &Dataset) -> Result<Choice, AutoScaleError> {
    choose_by(Setting::Scale, params, data)
}

#[test]
fn faster_signals_get_larger_scales_and_the_curve_is_kept() {
    let params =
        FitParams { hidden: vec![32, 32], steps: 800, holdout: Holdout::Fraction(0.1), ..FitParams::default() };
    let (slow, fast) =
        (choose_scale(&params, &line(2.0, 400)).unwrap(), choose_scale(&params, &line(30.0, 400)).unwrap());
    assert!(slow.chosen < fast.chosen, "{} {}", slow.chosen, fast.chosen);
    assert_eq!((slow.trial_steps, slow.theory.is_some()), (200, true));
    let (first, last) = (slow.candidates[0].value, slow.candidates.last().unwrap().value);
    assert!(first <= 0.125 && last == 100.0, "{first} {last}: a quarter of the samples a side is the most");
    let tried = slow.candidates.iter().filter(|candidate| candidate.trial_psnr_db.is_some()).count();
    assert!((2..=7).contains(&tried), "{tried} of at most seven");
    assert!(slow.candidates.iter().any(|candidate| candidate.value == slow.chosen));
    assert_eq!(choose_scale(&params, &line(2.0, 400)).unwrap(), slow, "the same seed, the same choice");
    let text = serde_json::to_string(&slow).unwrap();
    assert_eq!(serde_json::from_str::<Choice>(&text).unwrap().candidates, slow.candidates);
}

#[test]
fn stored_samples_are_judged_themselves_and_an_open_end_is_told() {
    let params = FitParams { hidden: vec![16], steps: 200, ..FitParams::default() };
    let data = line(5.0, 200);
    let all = Split::all(&data);
    let choose = |dataset: &Dataset| {
        choose(Setting::Scale, &params, ChoiceData { dataset, split: &all, judge: Judge::Stored }, None).unwrap()
    };
    let stored = choose(&data);
    // What is to be stored is never left out: a spoilt sample changes the trials.
    let mut spoilt = data.clone();
    spoilt.targets[[100, 0]] = 1.0;
    let other = choose(&spoilt);
    assert_eq!(stored.judge, Judge::Stored);
    assert_ne!(stored.candidates, other.candidates);
    // The best between two that were tried is no end; with a neighbour untried, or none, it is.
    let candidate = |value: f64, trial_psnr_db| Candidate { value, theory_psnr_db: None, trial_psnr_db };
    let known: Vec<Candidate> = [(1.0, 20.0), (2.0, 30.0), (4.0, 25.0)].map(|(v, db)| candidate(v, Some(db))).to_vec();
    let at = |trial, candidates: &[Candidate]| {
        Choice { trial, candidates: candidates.to_vec(), ..stored.clone() }.is_at_an_end()
    };
    assert!(!at(2.0, &known) && at(4.0, &known));
    assert!(at(2.0, &[known[0].clone(), known[1].clone(), candidate(4.0, None)]));
}

#[test]
fn smoother_signals_get_larger_powers() {
    let mut params =
        FitParams { hidden: vec![32, 32], steps: 800, holdout: Holdout::Fraction(0.1), ..FitParams::default() };
    params.encoding.kind = EncodingKind::Fourier;
    let power = |frequency| choose_by(Setting::AmplitudePower, &params, &line(frequency, 400)).unwrap();
    let (slow, fast) = (power(1.0), power(30.0));
    assert!(slow.chosen > fast.chosen, "{} {}", slow.chosen, fast.chosen);
    assert_eq!(slow.apply(&params).encoding.amplitude_power, slow.chosen);
}

#[test]
fn held_out_samples_are_not_looked_at() {
    let params = FitParams { hidden: vec![16], steps: 400, holdout: Holdout::Fraction(0.3), ..FitParams::default() };
    let data = line(5.0, 200);
    let held_out = split(&data, params.holdout, params.seed).unwrap().test;
    let mut spoilt = data.clone();
    held_out.iter().for_each(|&sample| spoilt.targets[[sample, 0]] = 1.0);
    assert_eq!(choose_scale(&params, &data).unwrap(), choose_scale(&params, &spoilt).unwrap());
}

#[test]
fn impossible_choices_are_refused() {
    let mut params = FitParams { steps: 100, ..FitParams::default() };
    assert!(matches!(choose_scale(&params, &line(1.0, 8)), Err(AutoScaleError::Samples { samples: 8 })));
    let data = line(1.0, 100);
    let power = choose_by(Setting::AmplitudePower, &params, &data);
    assert!(matches!(power, Err(AutoScaleError::NotFourier)));
    params.encoding.kind = EncodingKind::Basic;
    assert!(matches!(choose_scale(&params, &data), Err(AutoScaleError::NotGaussian)));
    // A constant has no best scale, but any will do.
    params.encoding.kind = EncodingKind::Gaussian;
    let flat = Dataset::from_grid(&[64], Array2::from_elem((64, 1), 0.5));
    assert!(choose_scale(&params, &flat).is_ok());
}
