use super::*;
use crate::network::features::{FeatureGradient, Features, Rows};
use ndarray::Array2;

fn grid(levels: &[&str], order: u8, bits: u8) -> Grid {
    let levels = levels.iter().map(|level| level.parse().unwrap()).collect();
    Grid::new(&GridParams { levels, channels: 2, order, bits }, 2, GridUse::Features, 0b10).unwrap()
}

fn coordinates() -> Array2<u32> {
    Array2::from_shape_fn((9, 2), |(i, j)| (i as u32 * 2 + j as u32 + 1).wrapping_mul(2_654_435_761))
}

fn coefficients(grid: &Grid) -> Vec<f32> {
    (0..grid.coefficients_len()).map(|k| ((k * 37 + 11) % 101) as f32 / 50.0 - 1.0).collect()
}

/// The uniform B-spline of an order, centred on zero, by its definition (de Boor 1978).
fn spline(order: u8, x: f64) -> f64 {
    let x = x.abs();
    match order {
        1 => (1.0 - x).max(0.0),
        _ if x < 0.5 => 0.75 - x * x,
        _ => 0.5 * (1.5 - x).max(0.0).powi(2),
    }
}

#[test]
fn features_are_sums_of_splines_and_their_gradient_is_the_splines() {
    for order in [1, 2] {
        let grid = grid(&["5x6", "9x7"], order, 8);
        let (points, values) = (coordinates(), coefficients(&grid));
        let features = GridFeatures::new(&grid, points.clone(), u64::MAX);
        let rows = Rows::Indices(&[3, 8, 0]);
        let mut buffer = Vec::new();
        let found = features.rows(&rows, &values, &mut buffer).to_owned();
        let slope = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as f32 - 5.0);
        let mut gradient = vec![0.0; values.len()];
        let of = FeatureGradient { rows: &rows, features: found.view(), gradient: slope.view() };
        features.add_gradient(&of, &mut gradient);
        let mut expected_gradient = vec![0.0; values.len()];
        let (mut start, shift) = (0, f64::from(order - 1) / 2.0);
        for (level, [n, m]) in [[5usize, 6], [9, 7]].into_iter().enumerate() {
            for (i, index) in rows.iter().enumerate() {
                let v = [0, 1].map(|axis| f64::from(points[[index, axis]]) / 2f64.powi(32));
                let x = v[0] * (n - usize::from(order)) as f64 + shift;
                let y = v[1] * m as f64 + shift;
                let mut sums = [0.0; 2];
                for a in 0..n {
                    for b in 0..m {
                        // The second axis repeats after m nodes.
                        let around = |turn: f64| spline(order, y - b as f64 + turn * m as f64);
                        let weight = spline(order, x - a as f64) * (around(0.0) + around(-1.0) + around(1.0));
                        for (channel, sum) in sums.iter_mut().enumerate() {
                            let k = start + (a * m + b) * 2 + channel;
                            *sum += weight * f64::from(values[k]);
                            expected_gradient[k] += weight * f64::from(slope[[i, level * 2 + channel]]);
                        }
                    }
                }
                for (channel, sum) in sums.into_iter().enumerate() {
                    let found = f64::from(found[[i, level * 2 + channel]]);
                    assert!((found - sum).abs() < 1e-4, "order {order}: {found} {sum}");
                }
            }
            start += n * m * 2;
        }
        for (found, expected) in gradient.iter().zip(expected_gradient) {
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{found} {expected}");
        }
    }
}

#[test]
fn the_device_computes_what_the_rounded_training_sees() {
    for (order, bits) in [(1, 8), (2, 6), (2, 4)] {
        let grid = grid(&["5", "8x12"], order, bits);
        let (points, values) = (coordinates(), coefficients(&grid));
        let mut features = GridFeatures::new(&grid, points.clone(), 7);
        features.begin_step(7, &values);
        let stored = grid.with_coefficients(&values);
        let mut buffer = Vec::new();
        let seen = features.rows(&Rows::Range(0..9), &values, &mut buffer);
        let (device, factors) = (stored.device(), stored.feature_factors());
        let mut integers = [0; 4];
        for (seen, point) in seen.rows().into_iter().zip(points.rows()) {
            device.encode_into(point.to_slice().unwrap(), &mut integers);
            for ((seen, &integer), factor) in seen.iter().zip(&integers).zip(&factors) {
                // Each of two roundings is half a unit, and weights are short of the exact ones by up to 1/32768.
                let difference = seen - f32::from(integer) * factor;
                assert!(difference.abs() < 6.0 * factor, "{difference} {factor}");
            }
        }
        features.begin_step(6, &values);
        let mut exact = Vec::new();
        assert_ne!(features.rows(&Rows::Range(0..9), &values, &mut exact), filled(&buffer));
    }
}

fn filled(buffer: &[f32]) -> ndarray::ArrayView2<'_, f32> {
    ndarray::ArrayView2::from_shape((9, 4), buffer).unwrap()
}

#[test]
fn steps_are_those_of_least_error_and_impossible_grids_are_refused() {
    let grid = grid(&["3"], 1, 4);
    // Whole numbers to ±7 lose nothing.
    let values: Vec<f32> = (0..18).map(|k| ((k % 15) as f32 - 7.0) * 0.25).collect();
    let stored = grid.with_coefficients(&values);
    assert_eq!((stored.steps(), stored.values()), (&[0.25, 0.25][..], values));
    let refused = |levels: &[&str], inputs, change: &dyn Fn(&mut GridParams)| {
        let levels = levels.iter().map(|level| level.parse().unwrap()).collect();
        let mut params = GridParams { levels, ..GridParams::default() };
        change(&mut params);
        Grid::new(&params, inputs, GridUse::Features, 0).unwrap_err().to_string()
    };
    let nothing = |_: &mut GridParams| {};
    assert!(refused(&["8"], 5, &nothing).contains("--encoding"));
    assert!(refused(&[], 2, &nothing).contains("--levels"));
    assert!(refused(&["8x8x8"], 2, &nothing).contains("8x8x8"));
    assert!(refused(&["1"], 2, &nothing).contains("2 to 65535"));
    assert!(refused(&["60000"], 2, &nothing).contains("fewer nodes"));
    assert!(refused(&["8"], 2, &|params| params.bits = 9).contains("--bits"));
    assert!(refused(&["8"], 2, &|params| params.order = 3).contains("--order"));
    assert!(refused(&["8"], 2, &|params| params.channels = 17).contains("--channels"));
    assert!("8x".parse::<Nodes>().is_err() && "0x4".parse::<Nodes>().unwrap().to_string() == "0x4");
}

#[test]
fn training_sees_the_coefficients_that_are_stored() {
    for bits in 4..=8 {
        let grid = grid(&["5x6", "9x7"], 1, bits);
        let mut values = coefficients(&grid);
        values[3] = 4.0;
        assert_eq!(grid.rounded(&values), grid.with_coefficients(&values).values());
    }
}

#[test]
fn taps_of_many_axes_are_products_of_those_of_each() {
    for order in [1, 2] {
        let levels = vec!["3x4x5x6".parse().unwrap()];
        let grid =
            Grid::new(&GridParams { levels, channels: 1, order, bits: 8 }, 4, GridUse::Features, 0b0100).unwrap();
        let point = [0x1234_5678, u32::MAX, 0xffff_0000, 0x8000_0001];
        let taps = |axes: std::ops::Range<usize>| {
            let level = &grid.levels()[0];
            let level = Level {
                nodes: level.nodes[axes.clone()].to_vec(),
                cells: level.cells[axes.clone()].to_vec(),
                ..level.clone()
            };
            let mut taps = Vec::new();
            level.visit_taps(&point[axes], order, |node, weight| taps.push((node, weight)));
            taps
        };
        let mut expected = vec![(0, 1.0)];
        for axis in 0..4 {
            let nodes = grid.levels()[0].nodes[axis] as usize;
            let product = |&(row, weight): &(usize, f32)| {
                taps(axis..axis + 1).into_iter().map(move |(node, of_axis)| (row * nodes + node, weight * of_axis))
            };
            expected = expected.iter().flat_map(product).collect();
            if axis > 0 {
                assert_eq!(taps(0..axis + 1), expected);
            }
        }
    }
}
