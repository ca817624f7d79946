use ndarray::array;

use super::*;
use crate::theory::kernel::Rbf;
use crate::theory::regression::KernelRegression;

fn problem() -> (Array2<f64>, Array2<f64>, Array2<f64>) {
    let points = array![[0.0], [0.3], [0.5], [0.9]];
    let kernel = Rbf::new(0.3).unwrap();
    let cross = kernel.cross(array![[0.1], [0.7]].view(), points.view()).unwrap();
    (kernel.gram(points.view()).unwrap(), cross, array![[1.0, 0.0], [-0.5, 0.2], [0.3, -1.0], [0.8, 0.4]])
}

fn gap(left: &Array2<f64>, right: &Array2<f64>) -> f64 {
    (left - right).iter().fold(0.0, |gap, value| value.abs().max(gap))
}

#[test]
fn descent_is_what_iterating_it_gives() {
    let (gram, cross, targets) = problem();
    let (mut train, mut test) =
        (array![[0.1, 0.2], [0.0, 0.3], [-0.4, 0.0], [0.5, 0.5]], array![[0.7, 0.1], [0.0, -0.2]]);
    let (start, test_start) = (train.clone(), test.clone());
    // 2/λmax is about 1.2 here: the largest mode alternates
    let rate = 0.9;
    for _ in 0..7 {
        let error = &targets - &train;
        test += &(rate * cross.dot(&error));
        train += &(rate * gram.dot(&error));
    }
    let dynamics = Dynamics::new(gram.view()).unwrap();
    let training = Training::Descent { learning_rate: rate, steps: 7 };
    let initial = Initial { train: Some(start.view()), test: Some(test_start.view()) };
    assert!(gap(&dynamics.train(Task { targets: targets.view(), initial }, training).unwrap(), &train) < 1e-13);
    assert!(
        gap(&dynamics.test(cross.view(), Task { targets: targets.view(), initial }, training).unwrap(), &test) < 1e-13
    );
}

#[test]
fn small_steps_approach_the_flow_at_first_order() {
    let (gram, cross, targets) = problem();
    let dynamics = Dynamics::new(gram.view()).unwrap();
    let test = |training| dynamics.test(cross.view(), Task::from_zero(targets.view()), training).unwrap();
    let flow = test(Training::Flow { time: 2.0 });
    let error = |steps| gap(&test(Training::Descent { learning_rate: 2.0 / steps as f64, steps }), &flow);
    assert!(error(20) > 1e-3);
    assert!((error(2000) / error(20_000) - 10.0).abs() < 0.1);
    assert!(error(1 << 40) < 1e-11);
}

#[test]
fn infinite_time_is_kernel_regression_from_the_start() {
    let (gram, cross, targets) = problem();
    let dynamics = Dynamics::new(gram.view()).unwrap();
    let regression = KernelRegression::fit(gram.view(), targets.view(), 0.0).unwrap();
    let limit = dynamics.test(cross.view(), Task::from_zero(targets.view()), Training::Converged).unwrap();
    assert!(gap(&limit, &regression.predict(cross.view()).unwrap()) < 1e-12);
    let late = dynamics.test(cross.view(), Task::from_zero(targets.view()), Training::Flow { time: 1e12 }).unwrap();
    assert!(gap(&limit, &late) < 1e-12);
    assert!(gap(&dynamics.train(Task::from_zero(targets.view()), Training::Converged).unwrap(), &targets) < 1e-13);
}

#[test]
fn duplicated_points_never_blow_up() {
    // the difference of the two targets lies in the null space: it is never learned and never amplified
    let gram = array![[1.0, 1.0], [1.0, 1.0]];
    let dynamics = Dynamics::new(gram.view()).unwrap();
    for training in
        [Training::Converged, Training::Flow { time: 1e30 }, Training::Descent { learning_rate: 0.5, steps: u64::MAX }]
    {
        let outputs = dynamics.test(gram.view(), Task::from_zero(array![[1.0], [3.0]].view()), training).unwrap();
        assert!(gap(&outputs, &array![[2.0], [2.0]]) < 1e-12, "{training:?}: {outputs}");
        let outputs = dynamics.train(Task::from_zero(array![[1.0], [3.0]].view()), training).unwrap();
        assert!(gap(&outputs, &array![[2.0], [2.0]]) < 1e-12, "{training:?}: {outputs}");
    }
}

#[test]
fn a_kernel_of_zeros_learns_nothing_in_any_time() {
    let (gram, targets) = (Array2::zeros((2, 2)), array![[1.0], [3.0]]);
    let dynamics = Dynamics::new(gram.view()).unwrap();
    for training in [Training::Converged, Training::Flow { time: 1e30 }] {
        let train = dynamics.train(Task::from_zero(targets.view()), training).unwrap();
        let test = dynamics.test(gram.view(), Task::from_zero(targets.view()), training).unwrap();
        assert!(train.iter().chain(&test).all(|&output| output == 0.0), "{training:?}: {train} {test}");
    }
}

#[test]
fn training_outputs_are_the_test_outputs_at_the_same_points() {
    // A point that stands twice among eight: its eigenvalue is rounding, not zero.
    let points = array![[0.0], [0.1], [0.25], [0.31], [0.31], [0.5], [0.77], [0.9]];
    let gram = Rbf::new(0.05).unwrap().gram(points.view()).unwrap();
    let targets = array![[0.3], [1.0], [-0.5], [1.0], [3.0], [0.2], [-1.0], [0.7]];
    let dynamics = Dynamics::new(gram.view()).unwrap();
    let smallest = dynamics.eigen().values[7];
    for training in [
        Training::Converged,
        Training::Flow { time: 1e30 },
        Training::Descent { learning_rate: 0.5, steps: u64::MAX },
        Training::Descent { learning_rate: 0.5, steps: 10 },
    ] {
        let train = dynamics.train(Task::from_zero(targets.view()), training).unwrap();
        let test = dynamics.test(gram.view(), Task::from_zero(targets.view()), training).unwrap();
        assert!(gap(&train, &test) < 1e-9, "{training:?}, smallest eigenvalue {smallest:e}: {train} {test}");
    }
}

#[test]
fn learning_rates_beyond_the_limit_are_told() {
    let dynamics = Dynamics::new(array![[2.0]].view()).unwrap();
    assert!(dynamics.stability(1.0).unwrap().stable && !dynamics.stability(1.001).unwrap().stable);
    assert_eq!(dynamics.stability(1.0).unwrap().learning_rate_limit, 1.0);
    let diverge = |steps| {
        let training = Training::Descent { learning_rate: 1.5, steps };
        dynamics.train(Task::from_zero(array![[1.0]].view()), training)
    };
    assert!((diverge(3).unwrap()[[0, 0]] - 9.0).abs() < 1e-14);
    assert!(matches!(diverge(5000), Err(TheoryError::Diverged { .. })));
}

#[test]
fn bad_times_are_refused() {
    let dynamics = Dynamics::new(array![[2.0]].view()).unwrap();
    for training in [
        Training::Flow { time: -1.0 },
        Training::Flow { time: f64::INFINITY },
        Training::Descent { learning_rate: 0.0, steps: 1 },
        Training::Descent { learning_rate: f64::NAN, steps: 1 },
    ] {
        assert!(dynamics.train(Task::from_zero(array![[1.0]].view()), training).is_err(), "{training:?}");
    }
}
