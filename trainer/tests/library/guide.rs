//! Guides: kernel regressions that say what lies between samples.

use ndarray::Array2;
use trainer::data::Dataset;
use trainer::fit::guide::{Guide, read, write};

fn line(len: usize, value: impl Fn(f64) -> f64) -> Dataset {
    let values: Vec<f32> = (0..len).map(|k| value(k as f64 / len as f64) as f32).collect();
    Dataset::from_grid(&[len], Array2::from_shape_vec((len, 1), values).unwrap())
}

/// The largest error between the samples of a line, halfway.
fn halfway(data: &Dataset, value: impl Fn(f64) -> f64) -> f64 {
    let all: Vec<usize> = (0..data.len()).collect();
    let guide = Guide::fit(data, &all, &[false], 0).unwrap();
    let n = data.len() as f64;
    let points = Array2::from_shape_fn((data.len() - 1, 1), |(k, _)| (k as f64 + 0.5) / n);
    let outputs = guide.predict(points.view());
    points.iter().zip(&outputs).map(|(&t, output)| (output - value(t)).abs()).fold(0.0, f64::max)
}

#[test]
fn a_smooth_line_is_known_between_its_samples() {
    let smooth = |t: f64| 0.5 + 0.3 * (5.0 * t).sin() + 0.1 * (11.0 * t).cos();
    // Halfway between 40 samples a straight line is off by h²·max|f''|/8 = (1/40)²·(7.5 + 12.1)/8 = 1.5e-3 at most.
    assert!(halfway(&line(40, smooth), smooth) < 1e-5);
}

#[test]
fn a_kink_costs_no_more_than_the_distance_of_two_samples() {
    let kink = |t: f64| 0.2 + 1.2 * (t - 0.47).abs();
    assert!(halfway(&line(40, kink), kink) < 1.2 / 40.0);
}

#[test]
fn noise_is_smoothed_and_said() {
    let clean = |t: f64| 0.5 + 0.3 * (5.0 * t).sin();
    // A fixed rough sequence of deviation 0.02 in place of random numbers.
    let noise = |t: f64| 0.0283 * (1e4 * t * t).sin();
    let data = line(300, |t| clean(t) + noise(t));
    let all: Vec<usize> = (0..300).collect();
    let guide = Guide::fit(&data, &all, &[false], 0).unwrap();
    let outputs = guide.predict(Array2::from_shape_fn((300, 1), |(k, _)| k as f64 / 300.0).view());
    let squares: f64 = outputs.iter().enumerate().map(|(k, output)| (output - clean(k as f64 / 300.0)).powi(2)).sum();
    assert!((squares / 300.0).sqrt() < 0.008, "{}", (squares / 300.0).sqrt());
    // At rows left out the noise itself remains: -20 log10(0.02) = 34 dB.
    let db = guide.left_out_psnr_db()[0];
    assert!((32.0..36.0).contains(&db), "{db}");
    assert!(guide.summary(&data.output_names).starts_with("output 0: "));
}

#[test]
fn what_the_network_learns_lies_within_a_margin_and_maps_back() {
    let data = line(32, |t| 0.5 + 0.5 * (6.0 * t).sin());
    let all: Vec<usize> = (0..32).collect();
    let guide = Guide::fit(&data, &all, &[false], 0).unwrap();
    let learned = guide.dataset(&data, &all, 0);
    assert_eq!((learned.len(), learned.axes.clone()), (16_384, data.axes.clone()));
    assert!(learned.targets.iter().all(|target| (0.05..=0.95).contains(target)));
    let path = tempfile::tempdir().unwrap();
    let path = path.path().join("guide.safetensors");
    write(&path, &learned).unwrap();
    let read = read(&path, &data).unwrap();
    assert_eq!(
        (&read.coordinates, &read.targets, &read.points),
        (&learned.coordinates, &learned.targets, &learned.points)
    );
    assert_eq!(read.output_maps, learned.output_maps);
    let map = learned.output_maps[0];
    for (row, target) in data.targets.iter().enumerate() {
        let back = map.offset + map.scale * learned.targets[[row, 0]];
        assert!((back - target).abs() < 1e-4, "{back} {target}");
        assert!((learned.points[[row, 0]] - data.points[[row, 0]]).abs() < 1e-4);
    }
}

#[test]
fn the_ends_of_a_periodic_axis_meet() {
    let wave = |t: f64| 0.5 + 0.4 * (2.0 * std::f64::consts::PI * t).sin();
    let data = line(24, wave);
    let all: Vec<usize> = (0..24).collect();
    let guide = Guide::fit(&data, &all, &[true], 0).unwrap();
    let ends = guide.predict(ndarray::array![[0.999_999_9], [0.0], [23.5 / 24.0]].view());
    assert!((ends[[0, 0]] - ends[[1, 0]]).abs() < 1e-5, "{ends}");
    assert!((ends[[2, 0]] - wave(23.5 / 24.0)).abs() < 1e-4, "{ends}");
}
