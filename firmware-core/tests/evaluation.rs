//! Evaluation against the specification, and what the caller can do wrong.

mod common;

use common::{Network, Random, Shape};
use firmware_core::artifact::HiddenActivation;
use firmware_core::{Axis, EvalError, Model, OutputActivation, Outside, Precision, Scratch};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::W8A16, Precision::W16A16];
/// Widths that are no multiples of anything, single units, no hidden layer, features that are only coordinates.
const SHAPES: [(u8, u16, u8, &[u16], u8); 7] = [
    (2, 64, 0, &[64, 64, 64], 3),
    (1, 1, 0, &[1], 1),
    (3, 0, 3, &[33, 7], 2),
    (2, 5, 1, &[], 4),
    (4, 13, 2, &[9, 31, 10, 17, 5], 5),
    (1, 9, 0, &[12, 20], 16),
    (16, 3, 16, &[8, 8, 8, 8, 8, 8, 8, 8], 1),
];

fn networks() -> impl Iterator<Item = Network> {
    PRECISIONS.into_iter().flat_map(|precision| {
        [OutputActivation::Linear, OutputActivation::Sigmoid].into_iter().flat_map(move |activation| {
            SHAPES.into_iter().enumerate().map(move |(seed, (inputs, frequencies, passthrough, hidden, outputs))| {
                let shape = Shape { precision, activation, inputs, frequencies, passthrough, hidden, outputs };
                Network::random(&shape, seed as u64)
            })
        })
    })
}

/// The same networks with sine layers: multipliers of any size, so that most phases wrap many times.
fn sine_networks() -> impl Iterator<Item = Network> {
    let mut random = Random(17);
    networks().map(move |mut network| {
        network.header.hidden_activation = HiddenActivation::Sine;
        let hidden = network.header.hidden.len();
        for (l, layer) in network.layers.iter_mut().enumerate() {
            if l < hidden {
                for (row, multiplier) in layer.multiplier.iter_mut().enumerate() {
                    *multiplier = match row % 8 {
                        7 => i32::MAX,
                        6 => 0,
                        5 => 1,
                        4 => (random.word() >> 24) as i32,
                        _ => (random.word() >> 1) as i32,
                    };
                }
            }
            if l > 0 {
                // Their inputs go to 32767 too, as features do.
                layer.weights.iter_mut().for_each(|weight| *weight /= if l == 1 { 32_767.0 } else { 500.0 });
            }
        }
        network
    })
}

/// Whether an interpreter gets the network too.
fn is_tried(network: &Network) -> bool {
    !cfg!(miri) || network.layers.iter().all(|layer| layer.integer_weights.len() < 1000)
}

fn bytes(words: &[u32]) -> &[u8] {
    bytemuck::cast_slice(words)
}

#[test]
fn raw_outputs_follow_the_specification() {
    let mut random = Random(99);
    for network in networks().chain(sine_networks()).filter(is_tried) {
        let artifact = network.artifact("");
        let model = Model::parse(bytes(&artifact)).unwrap();
        let mut scratch = vec![0xdead_beef; model.scratch_words()];
        model.self_test(&mut scratch).unwrap();
        let mut distinct = std::collections::BTreeSet::new();
        let points = if cfg!(miri) { 5 } else { 200 };
        for i in 0..points {
            let coordinates: Vec<u32> = (0..model.inputs())
                .map(|_| match i {
                    0 => 0,
                    1 => u32::MAX,
                    2 => 1 << 31,
                    _ => random.word(),
                })
                .collect();
            let mut raw = vec![0; model.outputs()];
            model.eval_fixed_into(&coordinates, &mut scratch, &mut raw).unwrap();
            assert_eq!(raw, network.raw(&coordinates), "{:?} at {coordinates:?}", network.header);
            let mut portable = vec![0; model.outputs()];
            model.eval_fixed_portable_into(&coordinates, &mut scratch, &mut portable).unwrap();
            assert_eq!(portable, raw);
            distinct.insert(raw);
        }
        assert!(distinct.len() > points / 10, "{:?} hardly depends on its input: {}", network.header, distinct.len());
    }
}

#[test]
fn batches_equal_single_points_whatever_the_scratch() {
    let mut random = Random(5);
    let (len, scratches) = if cfg!(miri) { (9, &[1, 8][..]) } else { (137, &[1, 2, 3, 4, 8, 9, 16, 20, 64][..]) };
    for network in networks().chain(sine_networks()).filter(is_tried) {
        let artifact = network.artifact("");
        let model = Model::parse(bytes(&artifact)).unwrap();
        let points: Vec<f32> = (0..len * model.inputs()).map(|_| random.unit() * 2.5 + 0.5).collect();
        let mut single = vec![0.0; len * model.outputs()];
        let mut scratch = vec![7; model.scratch_words()];
        for (point, out) in points.chunks_exact(model.inputs()).zip(single.chunks_exact_mut(model.outputs())) {
            model.eval_into(point, &mut scratch, out).unwrap();
        }
        for times in scratches {
            let mut batch = vec![f32::NAN; single.len()];
            let mut scratch = vec![0xffff_ffff; times * model.scratch_words()];
            model.eval_batch_into(&points, &mut scratch, &mut batch).unwrap();
            assert_eq!(
                batch.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
                single.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
            );
        }
        model.eval_batch_into(&[], &mut scratch, &mut []).unwrap();
        // The same in fixed point.
        let coordinates: Vec<u32> = (0..len * model.inputs()).map(|_| random.word()).collect();
        let mut single = vec![0; len * model.outputs()];
        for (point, out) in coordinates.chunks_exact(model.inputs()).zip(single.chunks_exact_mut(model.outputs())) {
            model.eval_fixed_into(point, &mut scratch, out).unwrap();
        }
        for words in [model.scratch_words(), model.batch_scratch_words()] {
            let (mut batch, mut scratch) = (vec![0x5555; single.len()], vec![0xffff_ffff; words]);
            model.eval_fixed_batch_into(&coordinates, &mut scratch, &mut batch).unwrap();
            assert_eq!(batch, single);
        }
    }
}

/// Activations of one point: halfwords in the integer precisions, words in single precision.
#[test]
fn encoding_alone_gives_the_features() {
    for network in networks().filter(is_tried) {
        let artifact = network.artifact("");
        let model = Model::parse(bytes(&artifact)).unwrap();
        let coordinates: Vec<u32> = (0..model.inputs() as u32).map(|k| (k + 1).wrapping_mul(0x1234_5678)).collect();
        let mut features = vec![0i16; model.encoding().features_len()];
        model.encoding().encode_into(&coordinates, &mut features);
        let mut scratch = vec![0; model.scratch_words()];
        model.encode_fixed(&coordinates, &mut scratch).unwrap();
        if network.header.precision == Precision::F32 {
            let found = scratch.iter().map(|&word| f32::from_bits(word));
            assert!(found.zip(&features).all(|(found, &feature)| found == f32::from(feature)));
        } else {
            assert_eq!(bytemuck::cast_slice::<u32, i16>(&scratch)[..features.len()], features);
        }
        assert_eq!(model.encode_fixed(&coordinates[1..], &mut scratch), Err(EvalError::PointLength));
        assert_eq!(model.encode_fixed(&coordinates, &mut []), Err(EvalError::ScratchLength));
    }
}

#[test]
fn wrong_lengths_are_refused_before_anything_is_written() {
    let network = networks().next().unwrap();
    let artifact = network.artifact("");
    let model = Model::parse(bytes(&artifact)).unwrap();
    let mut scratch = Scratch::<192>::new();
    assert_eq!(model.scratch_words(), scratch.len(), "single precision: 128 features and layers of 64");
    let mut out = [42.0; 3];
    assert_eq!(model.eval_into(&[0.0], &mut scratch, &mut out), Err(EvalError::PointLength));
    assert_eq!(model.eval_into(&[0.0; 4], &mut scratch, &mut out), Err(EvalError::PointLength));
    assert_eq!(model.eval_batch_into(&[0.0; 3], &mut scratch, &mut out), Err(EvalError::PointLength));
    assert_eq!(model.eval_into(&[0.0; 2], &mut scratch, &mut out[..2]), Err(EvalError::OutputLength));
    assert_eq!(model.eval_batch_into(&[0.0; 4], &mut scratch, &mut out), Err(EvalError::OutputLength));
    assert_eq!(model.eval_into(&[0.0; 2], &mut scratch[..191], &mut out), Err(EvalError::ScratchLength));
    assert_eq!(model.eval_fixed_into(&[0; 3], &mut scratch, &mut [0; 3]), Err(EvalError::PointLength));
    assert_eq!(model.eval_fixed_into(&[0; 2], &mut scratch, &mut [0; 4]), Err(EvalError::OutputLength));
    assert_eq!(model.eval_fixed_into(&[0; 2], &mut [], &mut [0; 3]), Err(EvalError::ScratchLength));
    assert_eq!(model.eval_fixed_batch_into(&[0; 3], &mut scratch, &mut [0; 3]), Err(EvalError::PointLength));
    assert_eq!(model.eval_fixed_batch_into(&[0; 4], &mut scratch, &mut [0; 3]), Err(EvalError::OutputLength));
    assert_eq!(model.eval_fixed_batch_into(&[0; 4], &mut [], &mut [0; 6]), Err(EvalError::ScratchLength));
    assert_eq!(model.self_test(&mut []), Err(EvalError::ScratchLength));
    assert_eq!(out, [42.0; 3]);
}

#[test]
fn points_outside_the_domain_do_as_the_artifact_says() {
    let mut network = networks().next().unwrap();
    let value = |network: &Network, x: f32| {
        let artifact = network.artifact("");
        let model = Model::parse(bytes(&artifact)).unwrap();
        let mut out = [0.0; 3];
        model.eval_into(&[x, 0.0], &mut Scratch::<192>::new(), &mut out).map(|()| out)
    };
    assert_eq!(value(&network, 9.0), value(&network, 2.0));
    assert_eq!(value(&network, f32::NAN), value(&network, -1.0));
    network.header.outside = Outside::Periodic;
    assert_eq!(value(&network, 0.5 + 3.5), value(&network, 0.5));
    assert_ne!(value(&network, 2.25), value(&network, 2.0));
    network.header.outside = Outside::Reject;
    assert_eq!(value(&network, 2.25), Err(EvalError::OutsideDomain));
    assert_eq!(value(&network, f32::NAN), Err(EvalError::OutsideDomain));
    assert!(value(&network, 2.0).is_ok());
}

#[test]
fn each_axis_does_as_the_artifact_says_of_it() {
    for precision in PRECISIONS {
        for outside in [Outside::Clamp, Outside::Reject] {
            let (inputs, outputs) = (3, 2);
            let (activation, hidden) = (OutputActivation::Linear, &[9u16, 7][..]);
            let shape = Shape { precision, activation, inputs, frequencies: 5, passthrough: 0, hidden, outputs };
            let mut network = Network::random(&shape, 8);
            network.header.outside = outside;
            network.header.periodic = 0b010;
            network.axes[1] = Axis::new(-1.0, 2.0, 4.0);
            let artifact = network.artifact("");
            let model = Model::parse(bytes(&artifact)).unwrap();
            let mut scratch = vec![0; 8 * model.scratch_words()];
            let mut value = |point: [f32; 3]| {
                let mut out = [0.0; 2];
                let single = model.eval_into(&point, &mut scratch, &mut out).map(|()| out);
                // Nine points: a group of lanes and one more.
                let (points, mut outs) = (point.repeat(9), [0.0; 18]);
                let batch = model.eval_batch_into(&points, &mut scratch, &mut outs);
                assert_eq!(batch.map(|()| outs.to_vec()), single.map(|out| out.repeat(9)));
                single
            };
            let inside = value([0.5, 0.25, 1.0]).unwrap();
            // One over the period is exact: the coordinates are equal.
            assert_eq!(value([0.5, 0.25 + 4.0, 1.0]), Ok(inside));
            assert_eq!(value([0.5, 0.25 - 8.0, 1.0]), Ok(inside));
            assert_ne!(value([0.5, 2.25, 1.0]), value([0.5, 2.0, 1.0]));
            for point in [[0.5f32 + 3.5, 0.25, 1.0], [0.5, 0.25, 1.0 - 3.5]] {
                let nearest = point.map(|x| x.clamp(-1.0, 2.0));
                let expected = if outside == Outside::Clamp { value(nearest) } else { Err(EvalError::OutsideDomain) };
                assert_eq!(value(point), expected);
            }
        }
    }
}
