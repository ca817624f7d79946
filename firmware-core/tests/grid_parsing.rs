//! Artifacts with grids that lie, and grids that are not written.

mod common;

use common::{GridNumbers, Network, Random, Shape, resealed};
use firmware_core::artifact::{GridShape, GridUse, HiddenActivation};
use firmware_core::{Grids, Model, OutputActivation, Outside, ParseError, Precision, WriteError};

const FEATURES: GridShape = GridShape { levels: 2, channels: 2, order: 2, bits: 5, used_as: GridUse::Features };
const TABLE: GridShape = GridShape { levels: 1, channels: 1, used_as: GridUse::Outputs, ..FEATURES };

/// Two axes, of which the second wraps.
fn network(precision: Precision, grid: GridShape) -> Network {
    let hidden: &[u16] = if grid.used_as == GridUse::Outputs { &[] } else { &[9] };
    let activation = OutputActivation::Linear;
    let shape = Shape { precision, activation, inputs: 2, frequencies: 0, passthrough: 0, hidden, outputs: 1 };
    Network::with_grid(&shape, grid, 0b10, 3)
}

fn write_error(grid: GridShape, change: impl FnOnce(&mut Network)) -> Option<WriteError> {
    let mut network = network(Precision::W8A16, grid);
    change(&mut network);
    network.try_artifact("").err()
}

#[test]
fn shapes_beyond_the_limits_are_refused() {
    let words = [3, 2 << 16, 0];
    let error = |change: &dyn Fn(&mut GridShape), inputs| {
        let mut shape = GridShape { levels: 1, channels: 1, order: 1, bits: 8, used_as: GridUse::Features };
        change(&mut shape);
        Grids::new(shape, inputs, 0, &words).err()
    };
    assert_eq!(error(&|_| (), 1), None);
    for inputs in [0, 5, usize::MAX] {
        assert_eq!(error(&|_| (), inputs), Some(ParseError::Shape));
    }
    assert_eq!(error(&|shape| shape.levels = 0, 1), Some(ParseError::Shape));
    assert_eq!(error(&|shape| shape.levels = 17, 1), Some(ParseError::Shape));
    assert_eq!(error(&|shape| shape.channels = 0, 1), Some(ParseError::Shape));
    assert_eq!(error(&|shape| shape.channels = 17, 1), Some(ParseError::Shape));
    for order in [0, 3, 255] {
        assert_eq!(error(&|shape| shape.order = order, 1), Some(ParseError::Shape));
    }
    for bits in [0, 3, 9, 255] {
        assert_eq!(error(&|shape| shape.bits = bits, 1), Some(ParseError::Shape));
    }
    // Two levels, or a second axis, for which there are no words.
    assert_eq!(error(&|shape| shape.levels = 2, 1), Some(ParseError::Truncated));
    assert_eq!(error(&|_| (), 2), Some(ParseError::Truncated));
}

#[test]
fn nodes_and_cells_that_do_not_fit_are_refused() {
    let error = |order, periodic, nodes: u32, cells| {
        let shape = GridShape { levels: 1, channels: 1, order, bits: 8, used_as: GridUse::Features };
        let mut words = vec![nodes, cells];
        words.resize(2 + (nodes as usize).div_ceil(4).min(1 << 15), 0);
        Grids::new(shape, 1, periodic, &words).err()
    };
    let shape = Some(ParseError::Shape);
    for (order, nodes) in [(1u8, 2u32), (1, 9), (2, 3), (2, 9), (1, 65_535), (2, 65_535)] {
        let most = (nodes - u32::from(order)) << 16;
        for cells in [1, most / 3, most - 1, most] {
            assert_eq!(error(order, 0, nodes, cells), None, "{order} {nodes} {cells}");
        }
        for cells in [0, most + 1, nodes << 16, u32::MAX] {
            assert_eq!(error(order, 0, nodes, cells), shape, "{order} {nodes} {cells}");
        }
        // Periodic: as many cells as nodes, and no others.
        assert_eq!(error(order, 1, nodes, nodes << 16), None);
        for cells in [0, 1, most, (nodes << 16) - 1, (nodes << 16) + 1] {
            assert_eq!(error(order, 1, nodes, cells), shape, "{order} {nodes} {cells}");
        }
    }
    for (order, nodes) in [(1, 0), (1, 1), (2, 0), (2, 2), (1, 1 << 16), (2, u32::MAX)] {
        for periodic in [0, 1] {
            assert_eq!(error(order, periodic, nodes, 1 << 16), shape, "{order} {nodes}");
            assert_eq!(error(order, periodic, nodes, nodes << 16), shape, "{order} {nodes}");
        }
    }
}

#[test]
fn grids_of_more_coefficients_than_there_are_words_are_refused() {
    for (inputs, nodes) in [(1, 5u32), (2, 65_535), (3, 65_535), (4, 256), (4, 65_535)] {
        let shape = GridShape { levels: 1, channels: 16, order: 1, bits: 8, used_as: GridUse::Features };
        let words: Vec<u32> = (0..inputs).flat_map(|_| [nodes, 1 << 16]).chain([0; 3]).collect();
        assert_eq!(Grids::new(shape, inputs, 0, &words).err(), Some(ParseError::Truncated), "{inputs} {nodes}");
    }
    let shape = GridShape { levels: 1, channels: 1, order: 1, bits: 8, used_as: GridUse::Features };
    assert_eq!(Grids::new(shape, 1, 0, &[2, 1 << 16, 0, 0]).err(), Some(ParseError::TrailingBytes));
}

#[test]
fn coefficients_and_padding_out_of_range_are_refused() {
    let mut random = Random(8);
    for bits in 4..=8 {
        let grid = GridShape { bits, levels: 1, channels: 3, order: 1, used_as: GridUse::Features };
        let level = GridNumbers { nodes: vec![3], cells: vec![2 << 16], coefficients: vec![0; 9] };
        let good = level.words(grid);
        assert!(Grids::new(grid, 1, 0, &good).is_ok());
        let step = if cfg!(miri) { 5 } else { 1 };
        for k in (0..9).step_by(step) {
            for q in (-(1i32 << (bits - 1))..1 << (bits - 1)).step_by(step) {
                let mut level = level.clone();
                level.coefficients.fill_with(|| random.within(3) as i8);
                level.coefficients[k] = q as i8;
                let words = level.words(grid);
                let error = Grids::new(grid, 1, 0, &words).err();
                let is_most_negative = q == -(1 << (bits - 1));
                assert_eq!(error, is_most_negative.then_some(ParseError::Weight), "{bits} bits: {q} at {k}");
            }
        }
        for bit in 9 * usize::from(bits)..32 * (good.len() - 2) {
            let mut words = good.clone();
            words[2 + bit / 32] |= 1 << (bit % 32);
            assert_eq!(Grids::new(grid, 1, 0, &words).err(), Some(ParseError::Weight), "bit {bit} of the padding");
        }
    }
}

#[test]
fn headers_that_contradict_their_grids_are_refused() {
    use ParseError::Shape;
    use WriteError::{Invalid, Parts};
    for grid in [FEATURES, TABLE] {
        assert_eq!(write_error(grid, |_| ()), None);
        assert_eq!(write_error(grid, |n| n.header.passthrough = 1), Some(Invalid(Shape)));
        assert_eq!(write_error(grid, |n| n.header.periodic = 0b11), Some(Invalid(Shape)));
        assert_eq!(write_error(grid, |n| n.header.periodic = 0), Some(Invalid(Shape)));
        assert_eq!(write_error(grid, |n| n.header.outside = Outside::Periodic), Some(Invalid(Shape)));
        assert_eq!(write_error(grid, |n| n.header.outside = Outside::Reject), None);
        assert_eq!(
            write_error(grid, |n| {
                n.header.frequencies = 1;
                n.frequencies = vec![0; 2];
            }),
            Some(Invalid(Shape))
        );
        assert_eq!(write_error(grid, |n| n.grids.clear()), Some(Parts));
        assert_eq!(write_error(grid, |n| n.header.grid = None), Some(Parts));
        assert_eq!(write_error(grid, |n| n.grids.push(n.grids[0].clone())), Some(Parts));
        assert_eq!(write_error(grid, |n| n.grids[0].nodes[0] += 1), Some(Parts));
        assert_eq!(write_error(grid, |n| n.grids[0].cells.truncate(1)), Some(Parts));
        assert_eq!(write_error(grid, |n| n.grids[0].coefficients[3] = 16), Some(Invalid(ParseError::Weight)));
        assert_eq!(write_error(grid, |n| n.grids[0].coefficients[3] = -16), Some(Invalid(ParseError::Weight)));
        assert_eq!(write_error(grid, |n| n.header.grid = Some(GridShape { bits: 40, ..grid })), Some(Invalid(Shape)));
    }
    // Tables have as many channels as outputs, one level, and nothing behind it.
    assert_eq!(write_error(TABLE, |n| n.header.activation = OutputActivation::Sigmoid), Some(Invalid(Shape)));
    assert_eq!(write_error(TABLE, |n| n.header.hidden_activation = HiddenActivation::Sine), Some(Invalid(Shape)));
    assert_eq!(write_error(TABLE, |n| n.header.hidden.push(4).unwrap()), Some(Invalid(Shape)));
    assert_eq!(
        write_error(TABLE, |n| {
            n.header.outputs = 2;
            n.output_maps.push(n.output_maps[0]);
        }),
        Some(Invalid(Shape))
    );
    assert_eq!(
        write_error(TABLE, |n| {
            n.header.grid = Some(GridShape { levels: 2, ..TABLE });
            n.grids.push(n.grids[0].clone());
        }),
        Some(Invalid(Shape))
    );
    assert_eq!(write_error(TABLE, |n| n.header.precision = Precision::F32), Some(Invalid(Shape)));
}

#[test]
fn flipped_bits_under_a_right_checksum_never_panic() {
    let mut random = Random(1);
    let (mut survivors, step) = (0, if cfg!(miri) { 307 } else { 1 });
    for (precision, grid) in [
        (Precision::F32, FEATURES),
        (Precision::W8A16, FEATURES),
        (Precision::W16A16, GridShape { order: 1, bits: 8, channels: 3, ..FEATURES }),
        (Precision::W8A16, TABLE),
        (Precision::W16A16, GridShape { order: 1, bits: 6, ..TABLE }),
    ] {
        let original = network(precision, grid).artifact("text");
        for bit in (0..32 * original.len()).step_by(step) {
            let mut artifact = original.clone();
            artifact[bit / 32] ^= 1 << (bit % 32);
            assert!(Model::parse(bytemuck::cast_slice(&artifact)).is_err(), "bit {bit} is not noticed");
            if random.word().is_multiple_of(4) {
                artifact[(random.word() as usize) % original.len()] = random.word();
            }
            let artifact = resealed(artifact);
            let Ok(model) = Model::parse(bytemuck::cast_slice(&artifact)) else { continue };
            survivors += 1;
            let mut scratch = vec![u32::MAX; 9 * model.scratch_words()];
            let points: Vec<f32> = (0..11 * model.inputs()).map(|_| f32::from_bits(random.word())).collect();
            let _ = model.eval_batch_into(&points, &mut scratch, &mut vec![0.0; 11 * model.outputs()]);
            let _ = model.self_test(&mut scratch);
        }
    }
    assert!(survivors > 1000 / step, "the test must reach the evaluation: {survivors}");
}

#[test]
fn a_model_cut_at_any_byte_is_refused() {
    for grid in [FEATURES, TABLE] {
        let artifact = network(Precision::W8A16, grid).artifact("text");
        let bytes: &[u8] = bytemuck::cast_slice(&artifact);
        for len in 0..bytes.len() {
            assert_eq!(Model::parse(&bytes[..len]).err(), Some(ParseError::Truncated), "at {len}");
        }
    }
}
