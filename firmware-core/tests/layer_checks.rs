//! The bounds that `parse` keeps: each limit itself is taken, and what lies one step beyond it is refused.

mod common;

use std::ops::Range;

use common::{Network, Shape, resealed};
use firmware_core::artifact::HiddenActivation;
use firmware_core::layout::layer_words;
use firmware_core::limits::{MAX_FREQUENCIES, MAX_HIDDEN_LAYERS, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
use firmware_core::{Axis, Model, OutputActivation, OutputMap, ParseError, Precision, WriteError};

/// Twelve features, nine hidden units and one output: padding of inputs and of rows in both layers.
const FEATURES: usize = 12;
const HIDDEN: usize = 9;

fn network(precision: Precision) -> Network {
    let shape = Shape {
        precision,
        activation: OutputActivation::Linear,
        inputs: 2,
        frequencies: FEATURES as u16 / 2,
        passthrough: 0,
        hidden: &[HIDDEN as u16],
        outputs: 1,
    };
    let mut network = Network::random(&shape, 3);
    // Nothing but what a test puts there.
    for layer in &mut network.layers {
        layer.integer_weights.fill(0);
        layer.integer_bias.fill(0);
        layer.multiplier.fill(0);
        layer.weights.fill(0.0);
        layer.bias.fill(0.0);
    }
    network.output_maps = vec![OutputMap { scale: 1e-6, offset: 0.0 }];
    network
}

fn write_error(precision: Precision, change: impl FnOnce(&mut Network)) -> Option<ParseError> {
    let mut network = network(precision);
    change(&mut network);
    match network.try_artifact("") {
        Ok(_) => None,
        Err(WriteError::Invalid(error)) => Some(error),
        Err(other) => panic!("{other:?}"),
    }
}

/// What `parse` says of an artifact in which a word of a layer is another. Layers are the last words of a file without
/// text.
fn with_word(precision: Precision, layer: usize, word: usize, value: u32) -> Option<ParseError> {
    let mut artifact = network(precision).artifact("");
    let lens = [layer_words(precision, FEATURES, HIDDEN), layer_words(precision, HIDDEN, 1)];
    let start = artifact.len() - lens[layer..].iter().sum::<usize>();
    artifact[start + word] = value;
    let artifact = resealed(artifact);
    Model::parse(bytemuck::cast_slice(&artifact)).err()
}

/// Places in a layer; an interpreter gets the ends, and those on either side of the padding of the inputs.
fn tried(places: Range<usize>) -> impl Iterator<Item = usize> {
    let ends = [places.start, places.end - 1, FEATURES - 1, FEATURES];
    places.filter(move |place| !cfg!(miri) || ends.contains(place))
}

const WEIGHT: Option<ParseError> = Some(ParseError::Weight);
const OVERFLOW: Option<ParseError> = Some(ParseError::Overflow);
const SCALE: Option<ParseError> = Some(ParseError::Scale);

/// Places by the documentation of `layout`: twelve inputs are padded to sixteen, which take 16 words of a block of 24.
#[test]
fn pairs_of_bytes_are_bounded_and_padding_is_zero() {
    let halfword = |layer: usize, block: usize, k: usize, pair: usize, value: u16| {
        let word = 24 * block + 4 + 4 * (k / 4) + 2 * pair + k % 4 / 2;
        with_word(Precision::W8A16, layer, word, u32::from(value) << (16 * (k % 2)))
    };
    for (k, pair) in tried(0..FEATURES).flat_map(|k| [(k, 0), (k, 1)]) {
        // 256·odd + even, with both in ±127.
        for (value, expected) in [
            (0x0001, None),
            (0x0100, None),
            (0x7f7f, None),
            (0x7e81, None),   // 127 and -127
            (0x817f, None),   // -127 and 127
            (0x8081, None),   // -127 and -127
            (0x0080, WEIGHT), // 1 and -128
            (0x7f80, WEIGHT), // 128 and -128
            (0x7f81, WEIGHT), // 128 and -127
            (0x8000, WEIGHT), // -128 and 0
            (0x807f, WEIGHT), // -128 and 127
        ] {
            assert_eq!(halfword(0, 1, k, pair, value), expected, "{value:#x} for input {k}, pair {pair}");
        }
    }
    for (k, pair) in tried(FEATURES..16).flat_map(|k| [(k, 0), (k, 1)]) {
        for value in [0x0001, 0x00ff, 0x0100, 0xff00] {
            assert_eq!(halfword(0, 0, k, pair, value), WEIGHT, "input {k} is none");
        }
    }
    // Of the third block the first row is the ninth of the layer, and there are no others.
    assert_eq!(halfword(0, 2, 0, 0, 0x0001), None);
    for (pair, value) in [(0, 0x0100), (1, 0x0001), (1, 0x0100)] {
        assert_eq!(halfword(0, 2, 0, pair, value), WEIGHT);
        assert_eq!(halfword(1, 0, 0, pair, value), WEIGHT);
    }
}

/// A word of two inputs for each of four rows: 32 words of a block of 40.
#[test]
fn padding_of_halfwords_is_zero() {
    let halfword = |layer: usize, block: usize, k: usize, row: usize| {
        let word = 40 * block + 4 + 4 * (k / 2) + row;
        with_word(Precision::W16A16, layer, word, 1 << (16 * (k % 2)))
    };
    for (k, row) in tried(0..16).flat_map(|k| (0..4).map(move |row| (k, row))) {
        assert_eq!(halfword(0, 1, k, row).is_some(), k >= FEATURES, "input {k}");
        assert_eq!(halfword(0, 2, k, row).is_some(), k >= FEATURES || row > 0, "input {k} of row {}", 8 + row);
        assert_eq!(halfword(1, 0, k, row).is_some(), k >= HIDDEN || row > 0, "input {k} of output {row}");
    }
}

#[test]
fn biases_and_multipliers_of_missing_rows_are_zero() {
    for (precision, block) in [(Precision::W8A16, 24), (Precision::W16A16, 40)] {
        for row in 0..12 {
            let (bias, multiplier) = (row / 4 * block + row % 4, row / 4 * block + block - 4 + row % 4);
            let expected = if row < HIDDEN { None } else { WEIGHT };
            for value in [1, 1 << 30] {
                assert_eq!(with_word(precision, 0, bias, value), expected, "row {row}");
                assert_eq!(with_word(precision, 0, multiplier, value), expected, "row {row}");
            }
            assert_eq!(with_word(precision, 0, multiplier, 1 << 31), WEIGHT, "a negative one");
        }
        // A linear output has none at all.
        assert_eq!(with_word(precision, 1, 0, 1), None);
        assert_eq!(with_word(precision, 1, block - 4, 1), WEIGHT);
    }
}

/// Four biases, then the weights of four rows for each input.
#[test]
fn numbers_in_single_precision_are_finite_and_padding_is_zero() {
    let block = 4 + 4 * FEATURES;
    for (k, row) in tried(0..FEATURES + 1).flat_map(|k| (0..12).map(move |row| (k, row))) {
        let word = row / 4 * block + 4 * k + row % 4;
        let with = |value: f32| with_word(Precision::F32, 0, word, value.to_bits());
        assert_eq!([1.0, -0.0].map(with), if row < HIDDEN { [None; 2] } else { [WEIGHT; 2] }, "row {row}");
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY, f32::NAN].map(with), [WEIGHT; 3]);
    }
}

/// |bias| + 32767·Σ|w| fits into 31 bits: 65538·32767 = 2³¹ - 2.
#[test]
fn accumulators_may_reach_their_largest_value_and_no_more() {
    let sum = |weights: [i16; 3], bias: i32| {
        write_error(Precision::W16A16, |network| {
            let (layer, last) = (&mut network.layers[0], FEATURES * (HIDDEN - 1));
            // Of the last row, the only one of its block.
            for (k, weight) in [0, 5, 11].into_iter().zip(weights) {
                layer.integer_weights[last + k] = weight;
            }
            layer.integer_bias[HIDDEN - 1] = bias;
        })
    };
    for bias in [0, 1, -1] {
        assert_eq!(sum([32_767, -32_767, 4], bias), None);
    }
    for bias in [2, -2, i32::MAX, i32::MIN] {
        assert_eq!(sum([32_767, -32_767, 4], bias), OVERFLOW);
    }
    assert_eq!(sum([32_767, -32_767, -5], 0), OVERFLOW);
    assert_eq!([i32::MAX, -i32::MAX].map(|bias| sum([0; 3], bias)), [None; 2]);
    assert_eq!(sum([0; 3], i32::MIN), OVERFLOW);
    // Of the halves of a halfword in w8a16 each counts for its own row.
    let bytes = |bias: [i32; 2]| {
        write_error(Precision::W8A16, |network| {
            (network.layers[0].integer_weights[0], network.layers[0].integer_weights[FEATURES]) = (127, -100);
            network.layers[0].integer_bias[..2].copy_from_slice(&bias);
        })
    };
    let most = [127, 100].map(|weight| i32::MAX - 32_767 * weight);
    assert_eq!(bytes(most), None);
    assert_eq!(bytes(most.map(|bias| -bias)), None);
    assert_eq!(bytes([most[0] + 1, most[1]]), OVERFLOW);
    assert_eq!(bytes([most[0], most[1] + 1]), OVERFLOW);
}

/// The largest output of a row is |bias| + Σ|w|·(the largest input), and a thousandth more: below 1e37.
#[test]
fn sums_in_single_precision_stay_below_their_limit() {
    for row in [0, HIDDEN - 1] {
        let hidden = |weights: [f32; 2], bias: f32| {
            write_error(Precision::F32, |network| {
                network.layers[0].weights[FEATURES * row] = weights[0];
                network.layers[0].weights[FEATURES * row + 11] = weights[1];
                network.layers[0].bias[row] = bias;
            })
        };
        assert_eq!([9.98e36, -9.98e36].map(|bias| hidden([0.0; 2], bias)), [None; 2]);
        // A thousandth more is beyond 1e37.
        assert_eq!([9.995e36, -9.995e36].map(|bias| hidden([0.0; 2], bias)), [OVERFLOW; 2]);
        // 3.04e32 · 32767 · 1.001 = 9.971e36, and 3.06e32 would be 1.0037e37.
        assert_eq!([[3.04e32, 0.0], [0.0, -3.04e32], [1.52e32, -1.52e32]].map(|w| hidden(w, 0.0)), [None; 3]);
        assert_eq!([[3.06e32, 0.0], [0.0, -3.06e32], [1.53e32, -1.53e32]].map(|w| hidden(w, 0.0)), [OVERFLOW; 3]);
        assert_eq!(hidden([1.53e32, 0.0], -5e36), OVERFLOW);
        assert_eq!(hidden([f32::MAX, 0.0], 0.0), OVERFLOW);
        // The next layer's input is as large as the largest row can be: 32767 · 1.001 = 32799.8.
        let output = |weight: f32| {
            write_error(Precision::F32, |network| {
                network.layers[0].weights[FEATURES * row] = -1.0;
                network.layers[1].weights[row] = weight;
            })
        };
        assert_eq!((output(3.04e32), output(-3.06e32)), (None, OVERFLOW));
    }
}

/// A sine layer takes accumulators below 2³¹ turns, of which a thousandth is set aside, and hands 32767 at most to the
/// next.
#[test]
fn turns_of_sine_layers_stay_below_two_to_the_31() {
    let sines = |bias: f32, output: f32| {
        write_error(Precision::F32, |network| {
            network.header.hidden_activation = HiddenActivation::Sine;
            network.layers[0].bias[HIDDEN - 1] = bias;
            network.layers[1].weights[HIDDEN - 1] = output;
        })
    };
    // 2³¹ / 1.001 = 2145338309.
    assert_eq!([2.145e9, -2.145e9].map(|bias| sines(bias, 0.0)), [None; 2]);
    assert_eq!([2.146e9, -2.146e9].map(|bias| sines(bias, 0.0)), [OVERFLOW; 2]);
    assert_eq!([1.0, 2.0e9].map(|bias| sines(bias, 3.04e32)), [None; 2]);
    assert_eq!([1.0, 2.0e9].map(|bias| sines(bias, 3.06e32)), [OVERFLOW; 2]);
}

/// |scale|·(the largest raw output) + |offset| is finite: below 3.4028e38.
#[test]
fn output_maps_keep_values_finite() {
    let map = |activation, scale: f32, offset: f32| {
        write_error(Precision::W8A16, |network| {
            network.header.activation = activation;
            if activation == OutputActivation::Sigmoid {
                network.layers[1].multiplier = vec![1];
            }
            network.output_maps = vec![OutputMap { scale, offset }];
        })
    };
    // 2³¹ · 1.58e29 = 3.393e38, and 65536 · 5.19e33 = 3.4013e38.
    for (activation, most, more) in
        [(OutputActivation::Linear, 1.58e29, 1.59e29), (OutputActivation::Sigmoid, 5.19e33, 5.2e33)]
    {
        for sign in [1.0, -1.0] {
            assert_eq!(map(activation, sign * most, 0.0), None);
            assert_eq!(map(activation, sign * more, 0.0), SCALE);
            assert_eq!(map(activation, sign * most / 2.0, 1.6e38), None);
            assert_eq!(map(activation, sign * most / 2.0, -1.8e38), SCALE);
            assert_eq!(map(activation, sign * most / 2.0, 1.8e38), SCALE);
        }
        assert_eq!(map(activation, 0.0, f32::INFINITY), SCALE);
        assert_eq!(map(activation, f32::NAN, 0.0), SCALE);
    }
    // In single precision the largest raw output is the network's own: here 1000 · 1.001.
    let single = |scale: f32| {
        write_error(Precision::F32, |network| {
            network.layers[1].bias[0] = -1000.0;
            network.output_maps = vec![OutputMap { scale, offset: 0.0 }];
        })
    };
    assert_eq!([3.39e35, 3.41e35, -3.41e35].map(single), [None, SCALE, SCALE]);
}

#[test]
fn axes_are_usable_or_refused() {
    let axis = |minimum: f32, maximum: f32, scale: f32| {
        let axis = Axis { minimum, maximum, scale };
        let error = write_error(Precision::W8A16, |network| network.axes[1] = axis);
        assert_eq!(error, if axis.is_valid() { None } else { SCALE });
        axis.is_valid()
    };
    assert!(axis(-1.0, 2.0, 0.25) && axis(2.0, 2.0, f32::MIN_POSITIVE) && axis(f32::MIN, f32::MAX, f32::MAX));
    assert!(!axis(2.5, 2.0, 1.0), "reversed");
    assert!(![0.0, -1.0, f32::INFINITY, f32::NAN].into_iter().any(|scale| axis(0.0, 1.0, scale)));
    assert!(![f32::NEG_INFINITY, f32::NAN].into_iter().any(|minimum| axis(minimum, 1.0, 1.0)));
    assert!(![f32::INFINITY, f32::NAN].into_iter().any(|maximum| axis(0.0, maximum, 1.0)));
    assert_eq!(Axis::new(1.0, 2.0, 8.0).period(), 8.0);
}

/// The largest shapes of `limits`, and one more.
#[test]
fn shapes_may_be_as_large_as_the_limits() {
    let error = |inputs: usize, frequencies: usize, passthrough: usize, width: usize, outputs: usize| {
        let shape = Shape {
            precision: Precision::W16A16,
            activation: OutputActivation::Linear,
            inputs: inputs as u8,
            frequencies: frequencies as u16,
            passthrough: passthrough as u8,
            hidden: &[width as u16],
            outputs: outputs as u8,
        };
        Network::random(&shape, 1).try_artifact("").err()
    };
    let shape = Some(WriteError::Invalid(ParseError::Shape));
    assert_eq!(error(MAX_INPUTS, 1, MAX_INPUTS, 1, MAX_OUTPUTS), None);
    assert_eq!(error(MAX_INPUTS + 1, 1, 0, 1, 1), shape);
    assert_eq!(error(1, 1, 0, 1, MAX_OUTPUTS + 1), shape);
    assert_eq!(error(1, 1, 0, 1, 0), shape);
    assert_eq!(error(2, 1, 3, 1, 1), shape);
    assert_eq!(error(1, MAX_FREQUENCIES, 0, 1, 1), None);
    assert_eq!(error(1, MAX_FREQUENCIES + 1, 0, 1, 1), shape);
    assert_eq!(error(1, 1, 0, MAX_WIDTH, 1), None);
    assert_eq!(error(1, 1, 0, MAX_WIDTH + 1, 1), shape);
    // As many hidden layers as there may be; a list of more cannot be made.
    let shape = Shape {
        precision: Precision::F32,
        activation: OutputActivation::Sigmoid,
        inputs: 1,
        frequencies: 1,
        passthrough: 0,
        hidden: &[3; MAX_HIDDEN_LAYERS],
        outputs: 1,
    };
    let network = Network::random(&shape, 1);
    assert!(network.header.hidden.is_full() && network.try_artifact("").is_ok());
}

#[test]
fn files_of_other_lengths_and_of_version_zero_are_refused() {
    let artifact = network(Precision::W8A16).artifact("");
    let mut bytes = bytemuck::cast_slice::<u32, u8>(&artifact).to_vec();
    // As long as it says, and no whole number of words.
    bytes.extend([0, 0]);
    let len = bytes.len() as u32;
    bytes[8..12].copy_from_slice(&len.to_le_bytes());
    assert_eq!(Model::parse(&bytes).err(), Some(ParseError::TrailingBytes));
    // Version 0 was never written, so that it is damage.
    let mut old = artifact.clone();
    old[1] &= 0xffff_0000;
    assert_eq!(Model::parse(bytemuck::cast_slice(&resealed(old))).err(), Some(ParseError::Checksum));
    // A word behind the layers that no part of the header accounts for.
    let mut longer = artifact.clone();
    longer.push(0);
    longer[2] += 4;
    assert_eq!(Model::parse(bytemuck::cast_slice(&resealed(longer))).err(), Some(ParseError::TrailingBytes));
}
