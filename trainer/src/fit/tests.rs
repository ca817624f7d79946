use ndarray::Array2;

use super::*;
use crate::data::periodic::Period;
use crate::data::{Dataset, Holdout, Outside};
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::training::Watch;
use crate::training::optimizer::{Optimizer, Schedule};

fn waves(side: usize) -> Dataset {
    let value = |(k, _): (usize, usize)| {
        let (x, y) = ((k % side) as f32 / side as f32, (k / side) as f32 / side as f32);
        0.5 + 0.25 * (12.0 * x + 3.0 * y).sin() + 0.2 * (9.0 * y * y).cos()
    };
    Dataset::from_grid(&[side, side], Array2::from_shape_fn((side * side, 1), value))
}

#[test]
fn impossible_settings_are_refused_before_training() {
    let base = FitParams::default();
    let with = |change: fn(&mut FitParams)| {
        let mut params = base.clone();
        change(&mut params);
        params.check(2, 1).map(|_| ()).unwrap_err().to_string()
    };
    for (error, words) in [
        (with(|p| p.hidden = vec![64, 0]), "--hidden"),
        (with(|p| p.hidden = vec![2049]), "1 to 2048"),
        (with(|p| p.hidden = vec![8; 9]), "up to 8"),
        (with(|p| p.learning_rate = f64::NAN), "--learning-rate"),
        (with(|p| p.learning_rate = 0.0), "--learning-rate"),
        (with(|p| p.steps = 0), "--steps"),
        (with(|p| p.batch = Some(0)), "--batch"),
        (with(|p| p.encoding.scale = 1e9), "--scale"),
        (with(|p| p.schedule = Schedule::Exponential { factor: f64::NAN, every: 1.0 }), "schedule"),
    ] {
        assert!(error.contains(words), "{error}");
    }
    assert!(base.check(2, 17).is_err() && base.check(2, 0).is_err());
    assert!(base.check(2, 1).is_ok());
}

#[test]
fn a_default_network_learns_a_picture_and_settings_survive_json() {
    let params = FitParams { hidden: vec![32, 32], steps: 300, holdout: Holdout::Even, ..FitParams::default() };
    let text = serde_json::to_string(&params).unwrap();
    assert_eq!(serde_json::from_str::<FitParams>(&text).unwrap(), params);
    let params = FitParams { encoding: EncodingParams { scale: 1.0, ..params.encoding }, ..params };
    let data = waves(48);
    let fitted = params.check(2, 1).unwrap().fit(&data, &mut Watch::default()).unwrap();
    let (train, test) = (fitted.metrics(&data, &fitted.split.train), fitted.metrics(&data, &fitted.split.test));
    assert!(train.psnr_db > 50.0 && test.psnr_db > 32.0, "{} {}", train.psnr_db, test.psnr_db);
}

#[test]
fn weights_are_limited_where_it_helps_eight_bits_and_costs_nothing() {
    let limit = |change: fn(FitParams) -> FitParams| {
        change(FitParams::default()).check(2, 1).expect("possible").loop_params().row_limit
    };
    assert_eq!(limit(|params| params), Some(2.2));
    assert_eq!(limit(FitParams::with_sines), None);
    assert_eq!(limit(|params| FitParams { optimizer: Optimizer::default(), ..params }), None);
    assert_eq!(limit(|params| FitParams { hidden: Vec::new(), ..params }), None);
    let with = |kind| EncodingParams { kind, ..EncodingParams::default() };
    let positional = FitParams { encoding: with(EncodingKind::Positional), ..FitParams::default() };
    assert_eq!(positional.check(2, 1).expect("possible").loop_params().row_limit, None);
}

#[test]
fn a_periodic_domain_gets_whole_frequencies() {
    let params = FitParams { outside: Outside::Periodic, ..FitParams::default() }.check(2, 1).unwrap();
    assert!(params.encoding().frequencies().iter().all(|frequency| frequency % 65_536 == 0));
}

#[test]
fn only_the_periodic_axis_gets_whole_frequencies() {
    let plain = FitParams { seed: 3, ..FitParams::default() };
    let periodic = vec![Period { axis: 1, period: 360.0 }];
    let params = FitParams { periodic: periodic.clone(), ..plain.clone() };
    let cycles = |params: &FitParams| params.check(2, 1).unwrap().encoding().frequency_matrix();
    let (free, found) = (cycles(&plain), cycles(&params));
    assert_eq!(found.column(0), free.column(0));
    assert_eq!(found.column(1), free.column(1).mapv(f64::round));
    assert_ne!(found.column(1), free.column(1));
    assert_eq!(params.beyond(2), (Outside::Clamp, 0b10));
    assert_eq!(FitParams { outside: Outside::Reject, ..params.clone() }.beyond(2), (Outside::Reject, 0b10));
    // What is periodic everywhere is written as it always was.
    assert_eq!(FitParams { outside: Outside::Periodic, ..params.clone() }.beyond(2), (Outside::Periodic, 0));
    let one = FitParams { periodic: vec![Period { axis: 0, period: 360.0 }], ..plain.clone() };
    assert_eq!(one.beyond(1), (Outside::Periodic, 0));
    let text = serde_json::to_string(&params).unwrap();
    assert_eq!(serde_json::from_str::<FitParams>(&text).unwrap(), params);
    assert!(!serde_json::to_string(&plain).unwrap().contains("periodic"), "settings of old are written as of old");
    let unencoded = EncodingParams { kind: EncodingKind::None, ..EncodingParams::default() };
    let error = FitParams { encoding: unencoded, ..params }.check(2, 1).unwrap_err().to_string();
    assert!(error.contains("input 2 is not encoded") && error.contains("--periodic"), "{error}");
}
