//! What is written, what is not, and texts that take the place of others.

mod common;

use common::{Network, Numbers, Shape};
use firmware_core::artifact::{GridShape, GridUse};
use firmware_core::write::{self, packed};
use firmware_core::{Aligned, OutputActivation, ParseError, Precision, WriteError};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::W8A16, Precision::W16A16];

fn network(precision: Precision) -> Network {
    let activation = OutputActivation::Sigmoid;
    let shape = Shape { precision, activation, inputs: 2, frequencies: 6, passthrough: 1, hidden: &[9], outputs: 3 };
    Network::random(&shape, 3)
}

#[test]
fn parts_of_other_lengths_are_not_written() {
    for precision in PRECISIONS {
        let error = |change: &dyn Fn(&mut Network)| {
            let mut network = network(precision);
            change(&mut network);
            network.try_artifact("").err()
        };
        assert_eq!(error(&|_| ()), None);
        let parts = Some(WriteError::Parts);
        assert_eq!(error(&|n| n.axes.push(n.axes[0])), parts);
        assert_eq!(error(&|n| n.output_maps.push(n.output_maps[0])), parts);
        assert_eq!(error(&|n| n.output_maps.truncate(2)), parts);
        assert_eq!(error(&|n| n.frequencies.push(0)), parts);
        assert_eq!(error(&|n| n.frequencies.truncate(10)), parts);
        assert_eq!(error(&|n| n.layers.truncate(1)), parts);
        let is_float = precision == Precision::F32;
        for layer in 0..2 {
            let changed = |change: &dyn Fn(&mut Numbers)| error(&|n| change(&mut n.layers[layer]));
            // Those of the other kind are not looked at.
            let (of_floats, of_integers) = (parts.filter(|_| is_float), parts.filter(|_| !is_float));
            assert_eq!(changed(&|numbers| numbers.weights.truncate(5)), of_floats);
            assert_eq!(changed(&|numbers| numbers.weights.push(0.0)), of_floats);
            assert_eq!(changed(&|numbers| numbers.bias.truncate(2)), of_floats);
            assert_eq!(changed(&|numbers| numbers.bias.push(0.0)), of_floats);
            assert_eq!(changed(&|numbers| numbers.integer_weights.truncate(5)), of_integers);
            assert_eq!(changed(&|numbers| numbers.integer_weights.push(0)), of_integers);
            assert_eq!(changed(&|numbers| numbers.integer_bias.truncate(2)), of_integers);
            assert_eq!(changed(&|numbers| numbers.integer_bias.push(0)), of_integers);
            assert_eq!(changed(&|numbers| numbers.multiplier.truncate(2)), of_integers);
            assert_eq!(changed(&|numbers| numbers.multiplier.push(0)), of_integers);
        }
    }
    // The smallest and the largest weight of a byte, and the next ones.
    for (weight, expected) in
        [(127, None), (-127, None), (128, Some(ParseError::Weight)), (-128, Some(ParseError::Weight))]
    {
        let mut network = network(Precision::W8A16);
        network.layers[0].integer_weights[100] = weight;
        assert_eq!(network.try_artifact("").err(), expected.map(WriteError::Invalid), "{weight}");
    }
}

#[test]
fn another_text_takes_the_place_of_the_old_one() {
    for (old, new) in ["", "a", "four", "five5", "a text of several words"]
        .into_iter()
        .flat_map(|old| ["", "b", "more", "µm", "another text"].map(|new| (old, new)))
    {
        let (before, after) = (network(Precision::W8A16).artifact(old), network(Precision::W8A16).artifact(new));
        let (artifact, expected): (&[u8], &[u8]) = (bytemuck::cast_slice(&before), bytemuck::cast_slice(&after));
        // Of what the buffer held nothing is left, and it need not be longer than the file.
        let mut out = Aligned([0xff; 4096]);
        let len = expected.len();
        assert_eq!(write::with_text(artifact, new, &mut out.0[..len]), Ok(len), "{old:?} {new:?}");
        assert_eq!(out.0[..len], *expected, "{old:?} {new:?}");
        assert_eq!(write::with_text(artifact, new, &mut out.0[..len - 1]), Err(WriteError::Buffer));
    }
    let artifact = network(Precision::W8A16).artifact("");
    let cut: &[u8] = &bytemuck::cast_slice(&artifact)[..100];
    let refused = write::with_text(cut, "", &mut Aligned([0; 4096]).0);
    assert_eq!(refused, Err(WriteError::Invalid(ParseError::Truncated)));
}

/// Bit by bit, as `GridNumbers::words` of the other tests does it.
#[test]
fn coefficients_are_packed_from_the_lowest_bit() {
    for bits in 1..=8u8 {
        for len in [0, 1, 3, 4, 5, 8, 16, 32, 33, 97] {
            let coefficients: Vec<i8> = (0..len).map(|k: i32| (k * 37 % 256) as u8 as i8).collect();
            let stream: Vec<u32> =
                coefficients.iter().flat_map(|&q| (0..bits).map(move |bit| q as u32 >> bit & 1)).collect();
            let words = stream.chunks(32).map(|bits| bits.iter().rev().fold(0, |word, bit| word << 1 | bit));
            assert!(packed(bits, &coefficients).eq(words), "{len} of {bits} bits");
        }
    }
    // 2^32 - 32 bits can be counted, and 2^32 - 31 cannot.
    let shape = GridShape { levels: 1, channels: 1, order: 1, bits: 8, used_as: GridUse::Features };
    assert_eq!(shape.coefficient_words([(1 << 29) - 4]), Some((1 << 27) - 1));
    assert_eq!(shape.coefficient_words([(1 << 29) - 3]), None);
    assert_eq!(shape.coefficient_words([1 << 15, 1 << 15]), None);
}
