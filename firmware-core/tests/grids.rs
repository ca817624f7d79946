//! Grids against the specification, against splines in double precision, and against values computed by hand.

mod common;

use common::{GridNumbers, Network, Random, Shape};
use firmware_core::artifact::{GridShape, GridUse};
use firmware_core::{Grids, Model, OutputActivation, Precision};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::W8A16, Precision::W16A16];

fn shape(channels: u8, order: u8, bits: u8) -> GridShape {
    GridShape { levels: 1, channels, order, bits, used_as: GridUse::Features }
}

/// Every number of axes, order and width, with one to five channels and one to three levels.
fn shapes() -> impl Iterator<Item = (usize, GridShape)> {
    (1..=4).flat_map(|inputs| {
        (1..=2).flat_map(move |order| {
            (4..=8).flat_map(move |bits| {
                (1..=5).map(move |channels| {
                    (inputs, GridShape { levels: 1 + (channels + bits) % 3, ..shape(channels, order, bits) })
                })
            })
        })
    })
}

/// The same, for an interpreter one in 23 of them.
fn tried_shapes() -> impl Iterator<Item = (usize, GridShape)> {
    shapes().step_by(if cfg!(miri) { 23 } else { 1 })
}

/// Coordinates at the edges, at nodes and between.
fn coordinates(random: &mut Random, inputs: usize, i: usize) -> Vec<u32> {
    let place = |random: &mut Random| match i {
        0 => 0,
        1 => u32::MAX,
        2 => 1 << 31,
        3 => (1 << 31) - 1,
        _ if i.is_multiple_of(3) => random.word() << 28,
        _ => random.word(),
    };
    (0..inputs).map(|_| place(random)).collect()
}

/// Grids of one axis and one channel, whose words are written out.
fn line(order: u8, periodic: u16, cells: u32, coefficients: [i8; 4]) -> impl Fn(f64) -> (i16, i32) {
    let words = [4, cells << 16, u32::from_le_bytes(coefficients.map(|q| q as u8))];
    move |v| {
        let grids = Grids::new(shape(1, order, 8), 1, periodic, &words).unwrap();
        let coordinate = [(v * 4_294_967_296.0) as u32];
        let (mut feature, mut sum) = ([0], [0]);
        grids.encode_into(&coordinate, &mut feature);
        grids.sums_into(&coordinate, &mut sum);
        (feature[0], sum[0])
    }
}

#[test]
fn lines_are_interpolated_as_by_hand() {
    let at = line(1, 0, 2, [10, -20, 127, -127]);
    assert_eq!(at(0.0), (10 << 8, 10 << 23));
    assert_eq!(at(0.5), (-20 << 8, -20 << 23), "the second node");
    assert_eq!(at(0.25), (-5 << 8, -5 << 23), "half of 10 and half of -20");
    assert_eq!(at(0.625), ((127 - 60) << 6, (127 - 60) << 21), "three quarters of -20 and a quarter of 127");
}

#[test]
fn quadratic_splines_are_interpolated_as_by_hand() {
    let at = line(2, 0, 2, [10, -20, 127, -127]);
    assert_eq!(at(0.0), (-5 << 8, -5 << 23), "at a knot two coefficients count one half each");
    assert_eq!(at(0.5).1, 107 << 22);
    // In the middle of a cell the weights are 1/8, 3/4, 1/8.
    assert_eq!(at(0.25).1, (10 - 6 * 20 + 127) << 20);
    assert_eq!(at(0.75).1, (-20 + 6 * 127 - 127) << 20);
}

#[test]
fn periodic_axes_go_on_at_the_first_node() {
    let at = line(1, 1, 4, [10, -20, 127, -126]);
    assert_eq!(at(0.75).1, -126 << 23);
    assert_eq!(at(0.875).1, (10 - 126) << 22, "between the last node and the first");
    let at = line(2, 1, 4, [10, -20, 127, -126]);
    assert_eq!(at(0.5).1, (127 - 126) << 22);
    assert_eq!(at(0.625).1, (127 - 6 * 126 + 10) << 20);
    assert_eq!(at(0.875).1, (-126 + 6 * 10 - 20) << 20, "the last node, and the first two");
}

#[test]
fn surfaces_are_interpolated_as_by_hand() {
    // Two rows of three nodes with two channels of 4 bits: [1 7] [-3 0] [2 -7] and [5 4] [3 -2] [-1 6].
    let words = [2, 1 << 16, 3, 2 << 16, 0x4592_0d71, 0x6fe3];
    let grids = Grids::new(shape(2, 1, 4), 2, 0, &words).unwrap();
    let mut features = [0; 2];
    grids.encode_into(&[0, 1 << 31], &mut features);
    assert_eq!(features, [-3 << 12, 0]);
    grids.encode_into(&[1 << 31, 1 << 31], &mut features);
    assert_eq!(features, [0, -1 << 12], "half of both rows");
    grids.encode_into(&[1 << 30, 3 << 30], &mut features);
    // A quarter of the way from (-1/2, -7/2) in the first row to (1, 2) in the second.
    assert_eq!(features, [-1 << 9, -17 << 9]);
}

/// Basis functions of B-splines by their recursion (de Boor 1978): that of `order` over the knots from `i` on, at x.
fn basis(order: u8, i: i64, x: f64) -> f64 {
    let (i_f, order_f) = (i as f64, f64::from(order));
    if order == 0 {
        return f64::from(u8::from(x >= i_f && x < i_f + 1.0));
    }
    ((x - i_f) * basis(order - 1, i, x) + (i_f + order_f + 1.0 - x) * basis(order - 1, i + 1, x)) / order_f
}

/// The spline of one channel at v, where coefficient k belongs to the basis function over the knots from k - order on.
fn spline(grid: GridShape, level: &GridNumbers, channel: usize, v: &[f64]) -> f64 {
    let len: usize = level.nodes.iter().map(|&nodes| nodes as usize).product();
    (0..len)
        .map(|node| {
            let mut rest = node;
            let mut product = f64::from(level.coefficients[node * usize::from(grid.channels) + channel]);
            for ((&nodes, &cells), v) in level.nodes.iter().zip(&level.cells).zip(v).rev() {
                let (k, x) = ((rest % nodes as usize) as i64, v * f64::from(cells) / 65_536.0);
                rest /= nodes as usize;
                // Repeated once where the axis is periodic; else the second one is beyond the domain.
                let first = k - i64::from(grid.order);
                product *= basis(grid.order, first, x) + basis(grid.order, first + i64::from(nodes), x);
            }
            product
        })
        .sum::<f64>()
        * f64::from(1 << (16 - grid.bits))
}

#[test]
fn grids_are_b_splines() {
    let mut random = Random(4);
    let mut worst = [0.0f64; 4];
    for (inputs, grid) in tried_shapes() {
        let periodic = (random.word() % 16) as u16 & ((1 << inputs) - 1);
        let level = GridNumbers::random(&mut random, inputs, grid, periodic);
        let (grid, words) = (GridShape { levels: 1, ..grid }, level.words(grid));
        let grids = Grids::new(grid, inputs, periodic, &words).unwrap();
        for i in 0..if cfg!(miri) { 5 } else { 20 } {
            let coordinates = coordinates(&mut random, inputs, i);
            let v: Vec<f64> = coordinates.iter().map(|&v| f64::from(v) / 4_294_967_296.0).collect();
            let mut features = vec![0; grids.features_len()];
            grids.encode_into(&coordinates, &mut features);
            for (channel, &feature) in features.iter().enumerate() {
                let error = (f64::from(feature) - spline(grid, &level, channel, &v)).abs();
                worst[inputs - 1] = error.max(worst[inputs - 1]);
            }
        }
    }
    // Units of 2^-15 of the full scale. A position is rounded down to 2^-15 cells, and there may be the full scale, up
    // and down, between two nodes.
    for (inputs, worst) in (1..).zip(worst) {
        assert!(worst < 4.0 * f64::from(inputs), "{worst} units with {inputs} axes");
    }
}

#[test]
fn features_follow_the_specification() {
    let mut random = Random(5);
    for (inputs, grid) in tried_shapes() {
        let periodic = (random.word() % 16) as u16 & ((1 << inputs) - 1);
        let levels: Vec<_> =
            (0..grid.levels).map(|_| GridNumbers::random(&mut random, inputs, grid, periodic)).collect();
        let words: Vec<u32> = levels.iter().flat_map(|level| level.words(grid)).collect();
        let grids = Grids::new(grid, inputs, periodic, &words).unwrap();
        assert_eq!(grids.features_len(), usize::from(grid.levels * grid.channels));
        for (level, expected) in grids.levels().zip(&levels) {
            assert!(
                level.nodes().eq(expected.nodes.iter().copied()) && level.cells().eq(expected.cells.iter().copied())
            );
            assert_eq!(level.coefficients().collect::<Vec<_>>(), expected.coefficients);
        }
        for i in 0..if cfg!(miri) { 5 } else { 60 } {
            let coordinates = coordinates(&mut random, inputs, i);
            let (mut features, mut sums) = (vec![0; grids.features_len()], vec![0; grids.features_len()]);
            grids.encode_into(&coordinates, &mut features);
            grids.sums_into(&coordinates, &mut sums);
            let expected: Vec<i64> = levels.iter().flat_map(|level| level.sums(grid, &coordinates)).collect();
            assert!(expected.iter().all(|sum| sum.abs() < 1 << 30));
            assert!(sums.iter().zip(&expected).all(|(&sum, &expected)| i64::from(sum) == expected), "{grid:?}");
            let rounded = expected.iter().map(|sum| ((sum + (1 << 14)) >> 15) as i16);
            assert!(features.iter().copied().eq(rounded), "{grid:?} at {coordinates:?}");
        }
    }
}

/// Networks over grids in every precision, and tables.
fn networks() -> impl Iterator<Item = Network> {
    let each = if cfg!(miri) { 61 } else { 7 };
    shapes().zip(1..).filter(move |(_, seed)| seed % each == 0).flat_map(|((inputs, grid), seed)| {
        let periodic = seed as u16 & ((1 << inputs) - 1);
        PRECISIONS.into_iter().flat_map(move |precision| {
            let activation = OutputActivation::Linear;
            let (inputs, hidden) = (inputs as u8, if seed % 2 == 0 { &[9, 12][..] } else { &[] });
            let shape = Shape { precision, activation, inputs, frequencies: 0, passthrough: 0, hidden, outputs: 3 };
            let table = GridShape { levels: 1, used_as: GridUse::Outputs, ..grid };
            let of_table = Shape { hidden: &[], outputs: grid.channels, ..shape };
            let table = (precision != Precision::F32).then(|| Network::with_grid(&of_table, table, periodic, seed));
            [Some(Network::with_grid(&shape, grid, periodic, seed)), table].into_iter().flatten()
        })
    })
}

#[test]
fn models_follow_the_specification() {
    let mut random = Random(6);
    for network in networks() {
        let artifact = network.artifact("units: m");
        let model = Model::parse(bytemuck::cast_slice(&artifact)).unwrap();
        assert_eq!((model.header(), model.text()), (&network.header, "units: m"));
        assert_eq!(model.grids().unwrap().shape(), network.header.grid.unwrap());
        assert_eq!(model.encoding().features_len(), 0);
        let mut scratch = vec![0xdead_beef; model.scratch_words()];
        model.self_test(&mut scratch).unwrap();
        for i in 0..if cfg!(miri) { 5 } else { 60 } {
            let coordinates = coordinates(&mut random, model.inputs(), i);
            let mut raw = vec![0; model.outputs()];
            model.eval_fixed_into(&coordinates, &mut scratch, &mut raw).unwrap();
            assert_eq!(raw, network.raw(&coordinates), "{:?} at {coordinates:?}", network.header);
        }
        // In the user's units, alone and side by side.
        let points: Vec<f32> = (0..21 * model.inputs()).map(|_| random.unit() * 2.5 + 0.5).collect();
        let (mut single, mut batch) = (vec![0.0; 21 * model.outputs()], vec![0.0; 21 * model.outputs()]);
        for (point, out) in points.chunks_exact(model.inputs()).zip(single.chunks_exact_mut(model.outputs())) {
            model.eval_into(point, &mut scratch, out).unwrap();
        }
        model.eval_batch_into(&points, &mut vec![7; model.batch_scratch_words()], &mut batch).unwrap();
        assert_eq!(single, batch);
    }
}

#[test]
fn a_table_is_its_grid_and_little_else() {
    let shape = Shape {
        precision: Precision::W8A16,
        activation: OutputActivation::Linear,
        inputs: 2,
        frequencies: 0,
        passthrough: 0,
        hidden: &[],
        outputs: 3,
    };
    let grid = GridShape { levels: 1, channels: 3, order: 2, bits: 6, used_as: GridUse::Outputs };
    let network = Network::with_grid(&shape, grid, 0, 1);
    let artifact = network.artifact("");
    let model = Model::parse(bytemuck::cast_slice(&artifact)).unwrap();
    assert_eq!((model.scratch_words(), model.macs()), (3, 3 * 9));
    let nodes: u32 = network.grids[0].nodes.iter().product();
    // Prelude, header, axes, output maps, nodes and cells, coefficients.
    let header_words = (artifact[1] >> 16).div_ceil(4);
    assert_eq!(artifact.len() as u32, 6 + header_words + 2 * 3 + 3 * 2 + 4 + (nodes * 3 * 6).div_ceil(32));
}
