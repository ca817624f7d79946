//! Agreement with matrices and predictions computed elsewhere: see `testdata/ntk/README.md`.

use std::fs;
use std::path::Path;

use ndarray::{Array, Array2, Axis};

use super::dynamics::{Dynamics, Task, Training};
use super::kernel::{FourierFeatures, Kernel};
use super::ntk::{Covariance, InfiniteMlpParams, NetworkKernel, Parametrization};
use crate::data::npy;

/// Gap allowed, relative to the largest entry: the references themselves differ by 1e-8.
const TOLERANCE: f64 = 1e-7;

fn reference(name: &str) -> Array2<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ntk").join(name);
    let array = npy::read(&fs::read(path).unwrap()).unwrap();
    let rows = array.shape[0];
    Array2::from_shape_vec((rows, array.values.len() / rows), array.values).unwrap()
}

fn kernel(features: Option<FourierFeatures>) -> NetworkKernel {
    let network = InfiniteMlpParams { bias_std: Some(0.5), ..Default::default() }.check().unwrap();
    NetworkKernel { features, network, covariance: Covariance::Ntk }
}

fn harmonics() -> FourierFeatures {
    let frequencies = Array::linspace(1.0, 16.0, 16);
    let amplitudes = frequencies.mapv(f64::recip);
    FourierFeatures::new(frequencies.insert_axis(Axis(1)), amplitudes, true).unwrap()
}

/// Points i/256, those of training (every eighth) or the others.
fn points(train: bool) -> Array2<f64> {
    let chosen: Vec<f64> = (0..256).filter(|i| (i % 8 == 0) == train).map(|i| f64::from(i) / 256.0).collect();
    Array::from(chosen).insert_axis(Axis(1))
}

fn targets(train: bool) -> Array2<f64> {
    let target = reference("target_256.npy");
    let chosen: Vec<f64> = (0..256).filter(|i| (i % 8 == 0) == train).map(|i| target[[i, 0]]).collect();
    Array::from(chosen).insert_axis(Axis(1))
}

fn assert_close(found: &Array2<f64>, expected: &Array2<f64>) {
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let gap = (found - expected).iter().fold(0.0, |gap: f64, value| gap.max(value.abs()));
    assert!(gap <= TOLERANCE * largest, "gap {gap:e} beside {largest}");
}

#[test]
fn gram_of_mapped_points() {
    assert_close(&kernel(Some(harmonics())).gram(points(true).view()).unwrap(), &reference("he_bias_gram_p1.npy"));
}

#[test]
fn gram_of_raw_points() {
    let centred = points(true) - 0.5;
    assert_close(&kernel(None).gram(centred.view()).unwrap(), &reference("he_bias_gram_none.npy"));
}

#[test]
fn outputs_after_gradient_flow() {
    let kernel = kernel(Some(harmonics()));
    let (train, test) = (points(true), points(false));
    let dynamics = Dynamics::of(&kernel, train.view()).unwrap();
    let cross = kernel.cross(test.view(), train.view()).unwrap();
    let training = Training::Flow { time: 0.02 * 50_001.0 };
    let outputs = dynamics.test(cross.view(), Task::from_zero(targets(true).view()), training).unwrap();
    assert_close(&outputs, &reference("he_bias_pred_test_p1.npy"));
}

/// The raw coordinate, whose Gram matrix has rank five with biases that start at zero and two without biases:
/// predictions computed with 50 digits, at five test points, where recursions in f64 that lose positive
/// semi-definiteness are off by 1e-3 to 1e-5.
#[test]
fn outputs_of_raw_coordinates_on_singular_kernels() {
    let at = [0, 60, 111, 112, 223];
    let standard = InfiniteMlpParams {
        parametrization: Parametrization::Standard { width: 1024 },
        weight_std: 1.0,
        bias_std: Some(0.0),
        ..Default::default()
    };
    let (slow, fast) = (1e-5, 0.02);
    let flow = |rate: f64| Training::Flow { time: rate * 50_001.0 };
    let descent = |learning_rate| Training::Descent { learning_rate, steps: 50_001 };
    let without_biases = [
        0.165_985_546_046_223_43,
        0.077_111_395_407_300_64,
        0.001_306_972_803_513_570_1,
        -0.000_475_238_242_754_463_1,
        -0.060_355_256_829_816_81,
    ];
    for (params, training, expected) in [
        (
            standard,
            flow(slow),
            [
                0.141_809_725_599_251_2,
                0.095_512_126_386_284_92,
                0.056_022_997_645_813_685,
                -0.120_997_021_243_776_9,
                0.004_565_226_187_227_355,
            ],
        ),
        (
            standard,
            descent(slow),
            [
                0.141_809_534_701_172,
                0.095_512_265_886_017_55,
                0.056_023_418_955_444_64,
                -0.120_997_539_087_631_11,
                0.004_565_511_772_856_325,
            ],
        ),
        (InfiniteMlpParams::default(), flow(fast), without_biases),
        (InfiniteMlpParams::default(), descent(fast), without_biases),
    ] {
        let kernel = NetworkKernel { features: None, network: params.check().unwrap(), covariance: Covariance::Ntk };
        let (train, test) = (points(true) - 0.5, points(false) - 0.5);
        let dynamics = Dynamics::of(&kernel, train.view()).unwrap();
        let cross = kernel.cross(test.view(), train.view()).unwrap();
        let outputs = dynamics.test(cross.view(), Task::from_zero(targets(true).view()), training).unwrap();
        let expected = Array::from(expected.to_vec()).insert_axis(Axis(1));
        assert_close(&outputs.select(Axis(0), &at), &expected);
    }
}
