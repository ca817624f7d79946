//! Frequencies, features and refusals.

use ndarray::{array, s};

use super::*;
use crate::theory::kernel::FourierFeatures;

fn params(kind: EncodingKind) -> EncodingParams {
    EncodingParams { kind, frequencies: 6, ..EncodingParams::default() }
}

fn column(params: &EncodingParams) -> Vec<f64> {
    params.check(1).unwrap().frequency_matrix().column(0).to_vec()
}

#[test]
fn frequencies_are_those_of_the_text() {
    assert_eq!(params(EncodingKind::None).check(3).unwrap().features_len(), 3);
    assert_eq!(params(EncodingKind::Basic).check(2).unwrap().frequency_matrix(), array![[1.0, 0.0], [0.0, 1.0]]);
    let positional = EncodingParams { scale: 64.0, ..params(EncodingKind::Positional) };
    assert_eq!(column(&positional), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
    let two_axes = positional.check(2).unwrap().frequency_matrix();
    assert_eq!(two_axes.slice(s![..3, ..]), array![[1.0, 0.0], [4.0, 0.0], [16.0, 0.0]]);
    assert_eq!(two_axes.slice(s![3.., ..]), array![[0.0, 1.0], [0.0, 4.0], [0.0, 16.0]]);
    let notebook = EncodingParams { scale: 5.0, notebook: true, ..params(EncodingKind::Positional) };
    assert_eq!(column(&notebook), [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]);
    let fourier = EncodingParams { amplitude_power: 1.0, ..params(EncodingKind::Fourier) };
    assert_eq!(column(&fourier), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(fourier.check(1).unwrap().amplitudes()[3], 0.25);
    let only_the_first = EncodingParams { amplitude_power: f64::INFINITY, ..fourier };
    assert_eq!(column(&only_the_first), [1.0]);
    assert_eq!(only_the_first.check(1).unwrap().amplitudes(), [1.0]);
    let listed = EncodingParams { list: vec![0.5, 7.0], ..params(EncodingKind::Fourier) };
    assert_eq!(column(&listed), [0.5, 7.0]);
}

#[test]
fn gaussian_rows_have_their_deviation_and_follow_the_seed() {
    let gaussian = EncodingParams { frequencies: 1024, ..params(EncodingKind::Gaussian) };
    let matrix = gaussian.check(2).unwrap().frequency_matrix();
    assert!((matrix.std(0.0) - 10.0).abs() < 0.5);
    assert!(matrix.mean().unwrap().abs() < 0.7);
    assert_eq!(matrix, gaussian.check(2).unwrap().frequency_matrix());
    assert_ne!(matrix, EncodingParams { seed: 1, ..gaussian.clone() }.check(2).unwrap().frequency_matrix());
    let whole = EncodingParams { whole: true, ..gaussian }.check(2).unwrap();
    assert!(whole.frequencies().iter().all(|frequency| frequency % 65_536 == 0));
}

#[test]
fn training_features_are_the_exact_ones_to_sixteen_bits() {
    let coordinates = Array2::from_shape_fn((500, 3), |(i, j)| (i as u32).wrapping_mul(2_654_435_761 + 17 * j as u32));
    let points = coordinates.mapv(|v| f64::from(v) / 4_294_967_296.0);
    for kind in [
        EncodingKind::None,
        EncodingKind::Basic,
        EncodingKind::Positional,
        EncodingKind::Gaussian,
        EncodingKind::Fourier,
    ] {
        for normalize in [false, true] {
            let passthrough = usize::from(kind != EncodingKind::None);
            let encoding = EncodingParams { normalize, passthrough, ..params(kind) }.check(3).unwrap();
            let found = encoding.features(coordinates.view()).mapv(f64::from);
            let mapped = found.ncols() - encoding.passthrough();
            let passed = points.slice(s![.., 3 - encoding.passthrough()..]).mapv(|v| 2.0 * v - 1.0);
            let mut difference = Array2::zeros(found.raw_dim());
            difference.slice_mut(s![.., mapped..]).assign(&passed);
            if mapped > 0 {
                let amplitudes = encoding.amplitudes().iter().map(|&a| f64::from(a)).collect();
                let exact = FourierFeatures::new(encoding.frequency_matrix(), amplitudes, false).unwrap();
                let exact = exact.features(points.view()).unwrap();
                let squares = exact.row(0).dot(&exact.row(0));
                assert!(!normalize || (squares - 1.0).abs() < 1e-6, "{squares}");
                difference.slice_mut(s![.., ..mapped]).assign(&exact);
            }
            difference -= &found;
            assert!(difference.iter().all(|difference| difference.abs() < 7e-5), "{kind:?}");
        }
    }
}

#[test]
fn impossible_settings_are_explained() {
    let base = EncodingParams::default();
    for (params, words) in [
        (EncodingParams { scale: 0.0, ..base.clone() }, "--scale"),
        (EncodingParams { scale: f64::NAN, ..base.clone() }, "--scale"),
        (EncodingParams { scale: 1e9, ..base.clone() }, "lower --scale"),
        (EncodingParams { scale: 1e-9, ..base.clone() }, "raise --scale"),
        (EncodingParams { frequencies: 0, ..base.clone() }, "--frequencies"),
        (EncodingParams { frequencies: 1025, ..base.clone() }, "1024"),
        (EncodingParams { frequencies: 1, ..params(EncodingKind::Positional) }, "2 to 1024"),
        (EncodingParams { amplitude_power: -1.0, ..params(EncodingKind::Fourier) }, "0 to inf"),
        (EncodingParams { amplitude_power: 1.0, ..base.clone() }, "fourier"),
        (EncodingParams { notebook: true, ..base.clone() }, "positional"),
        (EncodingParams { list: vec![f64::NAN], ..params(EncodingKind::Fourier) }, "frequency"),
        (EncodingParams { passthrough: 3, ..base.clone() }, "passed through"),
    ] {
        let error = params.check(2).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(base.check(0).is_err() && base.check(17).is_err());
}

#[test]
fn settings_survive_json() {
    let params = EncodingParams { amplitude_power: f64::INFINITY, ..EncodingParams::default() };
    let text = serde_json::to_string(&params).unwrap();
    assert_eq!(serde_json::from_str::<EncodingParams>(&text).unwrap(), params);
}
