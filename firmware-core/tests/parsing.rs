//! Artifacts that are damaged, and artifacts that lie.

mod common;

use common::{Network, Random, Shape, resealed};
use firmware_core::artifact::HiddenActivation;
use firmware_core::write::{self, Description, FloatLayer, IntegerLayer, Layers};
use firmware_core::{Aligned, Axis, Model, OutputActivation, OutputMap, Outside, ParseError, Precision, WriteError};

fn network(precision: Precision) -> Network {
    let shape = Shape {
        precision,
        activation: OutputActivation::Linear,
        inputs: 2,
        frequencies: 6,
        passthrough: 0,
        hidden: &[9],
        outputs: 1,
    };
    Network::random(&shape, 3)
}

/// The same, periodic along the second axis alone.
fn mixed(precision: Precision) -> Network {
    let mut network = network(precision);
    network.header.periodic = 0b10;
    network
}

fn parse(words: &[u32]) -> Result<Model<'_>, ParseError> {
    Model::parse(bytemuck::cast_slice(words))
}

#[test]
fn what_was_written_is_read() {
    for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
        let network = network(precision);
        let artifact = network.artifact("name: a test\nunits: m");
        let model = parse(&artifact).unwrap();
        assert_eq!(*model.header(), network.header);
        assert_eq!(model.axes().collect::<Vec<_>>(), network.axes);
        assert_eq!(model.output_maps().collect::<Vec<_>>(), network.output_maps);
        assert_eq!(model.encoding().frequencies(), network.frequencies);
        assert_eq!(model.text(), "name: a test\nunits: m");
        assert_eq!(model.macs(), 12 * 9 + 9);
        assert_eq!(model.checksum(), artifact[3]);
        assert_eq!(resealed(artifact.clone()), artifact, "the checksum is the CRC-32 that the documentation describes");
    }
}

#[test]
fn the_version_is_the_oldest_that_holds_the_model() {
    let (plain, mixed) = (network(Precision::W8A16).artifact("text"), mixed(Precision::W8A16).artifact("text"));
    // The checksum of what was written of that network when there was only version 1.
    assert_eq!((plain[1] & 0xffff, plain[3]), (1, 0xf1cb_1309));
    assert_eq!(parse(&plain).unwrap().header().periodic, 0);
    // The two bytes behind the header are the whole difference; here they fill what was padding or begin a word.
    assert_eq!(mixed[1], plain[1] + (2 << 16) + 1);
    let header = |words: &[u32]| bytemuck::cast_slice::<u32, u8>(words)[24..24 + (words[1] >> 16) as usize].to_vec();
    assert_eq!(header(&mixed), [&header(&plain)[..], &[0b10, 0]].concat());
    let model = parse(&mixed).unwrap();
    assert_eq!(*model.header(), self::mixed(Precision::W8A16).header);
    assert_eq!((model.header().outside_along(0), model.header().outside_along(1)), (Outside::Clamp, Outside::Periodic));
    // Beyond the most inputs of all, too.
    assert_eq!([16, usize::MAX].map(|axis| model.header().outside_along(axis)), [Outside::Clamp; 2]);
}

#[test]
fn a_model_cut_at_any_byte_is_refused() {
    let artifact = mixed(Precision::W8A16).artifact("text");
    let bytes: &[u8] = bytemuck::cast_slice(&artifact);
    for len in 0..bytes.len() {
        assert_eq!(Model::parse(&bytes[..len]).err(), Some(ParseError::Truncated), "at {len}");
    }
    let longer = [artifact.clone(), vec![0]].concat();
    assert_eq!(parse(&longer).err(), Some(ParseError::TrailingBytes));
}

#[test]
fn any_flipped_bit_is_noticed() {
    for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
        let mut artifact = mixed(precision).artifact("text");
        for bit in (0..32 * artifact.len()).step_by(if cfg!(miri) { 211 } else { 1 }) {
            artifact[bit / 32] ^= 1 << (bit % 32);
            assert!(parse(&artifact).is_err(), "{precision:?}: bit {bit}");
            artifact[bit / 32] ^= 1 << (bit % 32);
        }
        parse(&artifact).unwrap();
    }
}

#[test]
fn flipped_bits_under_a_right_checksum_never_panic() {
    let mut random = Random(1);
    let (mut survivors, step) = (0, if cfg!(miri) { 101 } else { 1 });
    for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
        let original = mixed(precision).artifact("text");
        for bit in (0..32 * original.len()).step_by(step) {
            let mut artifact = original.clone();
            artifact[bit / 32] ^= 1 << (bit % 32);
            if random.word().is_multiple_of(4) {
                artifact[(random.word() as usize) % original.len()] = random.word();
            }
            let artifact = resealed(artifact);
            let Ok(model) = parse(&artifact) else { continue };
            survivors += 1;
            let mut scratch = vec![u32::MAX; 9 * model.scratch_words()];
            let points: Vec<f32> = (0..11 * model.inputs()).map(|_| f32::from_bits(random.word())).collect();
            let _ = model.eval_batch_into(&points, &mut scratch, &mut vec![0.0; 11 * model.outputs()]);
            let _ = model.self_test(&mut scratch);
        }
    }
    assert!(survivors > 1000 / step, "the test must reach the evaluation: {survivors}");
}

/// Bytes of the header: variants of precision, outside and activation, then inputs, outputs, frequencies, passthrough.
#[test]
fn headers_that_cannot_be_decoded_are_refused() {
    let good = network(Precision::W8A16).artifact("text");
    let header_error = |change: &dyn Fn(&mut [u8])| {
        let mut artifact = good.clone();
        change(bytemuck::cast_slice_mut(&mut artifact));
        parse(&resealed(artifact)).err()
    };
    assert_eq!(header_error(&|_| ()), None);
    // Enumerations have three, three and two variants.
    for (byte, first_unknown) in [(24, 3), (25, 3), (26, 2)] {
        assert_eq!(header_error(&|bytes| bytes[byte] = first_unknown), Some(ParseError::Header), "byte {byte}");
        assert_eq!(header_error(&|bytes| bytes[byte] = 0xff), Some(ParseError::Header), "byte {byte}");
    }
    // A varint of u16 that does not end after three bytes.
    assert_eq!(header_error(&|bytes| bytes[29..32].fill(0xff)), Some(ParseError::Header));
    // More hidden layers than there may be.
    assert_eq!(header_error(&|bytes| bytes[31] = 9), Some(ParseError::Header));
    // Cut short, and with a byte behind its end.
    assert_eq!(header_error(&|bytes| bytes[6] -= 1), Some(ParseError::Header));
    assert_eq!(header_error(&|bytes| bytes[6] += 1), Some(ParseError::Header));
}

#[test]
fn each_cause_has_its_error() {
    let good = network(Precision::W8A16).artifact("text");
    let with = |index: usize, word: u32| {
        let mut artifact = good.clone();
        artifact[index] = word;
        parse(&resealed(artifact)).err()
    };
    assert_eq!(parse(&[]).err(), Some(ParseError::Truncated));
    assert_eq!(Model::parse(b"<svg>").err(), Some(ParseError::Magic));
    assert_eq!(with(0, 7), Some(ParseError::Magic));
    assert_eq!(with(1, (good[1] & 0xffff_0000) | 3), Some(ParseError::Version(3)));
    // Of version 2 only where there are periodic axes, and all of them are there.
    assert_eq!(with(1, good[1] + 1), Some(ParseError::Header));
    let mixed = mixed(Precision::W8A16).artifact("text");
    let with_periodic = |periodic: u16| {
        let mut artifact = mixed.clone();
        let end = 24 + (artifact[1] >> 16) as usize;
        bytemuck::cast_slice_mut::<u32, u8>(&mut artifact)[end - 2..end].copy_from_slice(&periodic.to_le_bytes());
        parse(&resealed(artifact)).err()
    };
    assert_eq!(with_periodic(0b11), None);
    assert_eq!(with_periodic(0), Some(ParseError::Header));
    assert_eq!(with_periodic(0b100), Some(ParseError::Shape));
    assert_eq!(with_periodic(0x8001), Some(ParseError::Shape));
    assert_eq!(parse(&[&good[..6], &good[7..]].concat()).err(), Some(ParseError::Truncated));
    assert_eq!(with(5, 1 << 30), Some(ParseError::Truncated));
    let last = good.len() - 1;
    assert_eq!(with(last, 0xffff_ffff), Some(ParseError::Text));

    let mut unaligned = Aligned([0u8; 4096]);
    let bytes: &[u8] = bytemuck::cast_slice(&good);
    unaligned.0[1..=bytes.len()].copy_from_slice(bytes);
    assert_eq!(Model::parse(&unaligned.0[1..=bytes.len()]).err(), Some(ParseError::Misaligned));
}

fn write_error(change: impl FnOnce(&mut Network)) -> WriteError {
    let mut network = network(Precision::W8A16);
    change(&mut network);
    network.try_artifact("").unwrap_err()
}

/// Floats in an integer precision and integers in `f32`.
#[test]
fn layers_of_the_other_kind_are_not_written() {
    let float = [FloatLayer { weights: &[0.0; 2], bias: &[0.0] }];
    let integer = [IntegerLayer { weights: &[0; 2], bias: &[0], multiplier: &[] }];
    for (precision, layers, error) in [
        (Precision::F32, Layers::Float(&float), None),
        (Precision::W8A16, Layers::Integer(&integer), None),
        (Precision::W16A16, Layers::Integer(&integer), None),
        (Precision::F32, Layers::Integer(&integer), Some(WriteError::Parts)),
        (Precision::W8A16, Layers::Float(&float), Some(WriteError::Parts)),
        (Precision::W16A16, Layers::Float(&float), Some(WriteError::Parts)),
    ] {
        let activation = OutputActivation::Linear;
        let shape = Shape { precision, activation, inputs: 1, frequencies: 1, passthrough: 0, hidden: &[], outputs: 1 };
        let network = Network::random(&shape, 0);
        let description = Description {
            header: &network.header,
            axes: &network.axes,
            output_maps: &network.output_maps,
            frequencies: &network.frequencies,
            grids: &[],
            text: "",
            layers,
        };
        let mut out = Aligned([0; 256]);
        assert_eq!(write::artifact(&description, &mut [0; 64], &mut out.0).err(), error, "{precision:?}, {layers:?}");
    }
}

#[test]
fn networks_that_no_device_may_see_are_not_written() {
    use ParseError::{Overflow, Scale, Shape, Weight};
    use WriteError::{Invalid, Parts};
    assert_eq!(write_error(|n| n.axes.clear()), Parts);
    assert_eq!(write_error(|n| n.layers[0].multiplier.clear()), Parts);
    assert_eq!(write_error(|n| n.layers[1].multiplier.push(1)), Parts);
    assert_eq!(write_error(|n| n.header.periodic = 0b100), Invalid(Shape));
    assert_eq!(write_error(|n| n.layers[0].integer_weights[5] = 128), Invalid(Weight));
    assert_eq!(write_error(|n| n.layers[0].multiplier[0] = -1), Invalid(Weight));
    assert_eq!(write_error(|n| n.layers[0].integer_bias[8] = i32::MAX - 5), Invalid(Overflow));
    assert_eq!(write_error(|n| n.axes[1] = Axis::new(0.0, 1.0, f32::INFINITY)), Invalid(Scale));
    assert_eq!(write_error(|n| n.axes[1].minimum = f32::NAN), Invalid(Scale));
    assert_eq!(write_error(|n| n.output_maps[0] = OutputMap { scale: 1e30, offset: 0.0 }), Invalid(Scale));
    assert_eq!(write_error(|n| n.header.hidden[0] = 0), Parts);
    assert_eq!(
        write_error(|n| {
            n.header.precision = Precision::F32;
            n.layers[1].weights[0] = f32::NAN;
        }),
        Invalid(Weight)
    );
    assert_eq!(
        write_error(|n| {
            n.header.precision = Precision::F32;
            n.layers[0].weights.fill(1e36);
        }),
        Invalid(Overflow)
    );
    assert_eq!(
        write_error(|n| {
            n.header.inputs = 0;
            n.axes.clear();
            n.frequencies.clear();
        }),
        Invalid(Shape)
    );
}

#[test]
fn sine_layers_are_checked() {
    let sines = |network: &mut Network| network.header.hidden_activation = HiddenActivation::Sine;
    let mut network = network(Precision::W8A16);
    sines(&mut network);
    network.layers[0].multiplier[0] = i32::MAX;
    let artifact = network.artifact("");
    let model = parse(&artifact).unwrap();
    assert_eq!(model.header().hidden_activation, HiddenActivation::Sine);
    // The negative ones and those of missing rows are refused as in other layers.
    assert_eq!(
        write_error(|n| {
            sines(n);
            n.layers[0].multiplier[0] = -1;
        }),
        WriteError::Invalid(ParseError::Weight)
    );
    // In f32 the first layer's inputs go to 32767, and those of the next ones too.
    for (layer, largest) in [(0, 60_000.0), (1, 60_000.0)] {
        let with = |weight: f32| {
            let mut network = self::network(Precision::F32);
            sines(&mut network);
            network.layers.iter_mut().for_each(|layer| layer.weights.fill(0.0));
            network.layers[layer].weights[0] = weight;
            network.try_artifact("").err()
        };
        assert_eq!(with(largest), None, "layer {layer}");
        let is_hidden = layer < self::network(Precision::F32).header.hidden.len();
        let expected = is_hidden.then_some(WriteError::Invalid(ParseError::Overflow));
        assert_eq!(with(66_000.0), expected, "layer {layer}");
    }
}
