//! Axes of integer codes.

mod common;

use common::{Network, Random, Shape};
use firmware_core::{Axis, EvalError, Model, OutputActivation, Outside, ParseError, Precision, WriteError};

const WIDTHS: [u8; 3] = [12, 1, 16];

fn network(precision: Precision) -> Network {
    let activation = OutputActivation::Linear;
    let shape = Shape { precision, activation, inputs: 3, frequencies: 7, passthrough: 1, hidden: &[9], outputs: 2 };
    let mut network = Network::random(&shape, 11);
    network.header.code_bits = WIDTHS.into_iter().collect();
    network.axes = WIDTHS.map(Axis::codes).to_vec();
    network
}

#[test]
fn codes_give_what_the_same_numbers_give() {
    let mut random = Random(2);
    for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
        for (outside, periodic) in [(Outside::Clamp, 0b001), (Outside::Periodic, 0), (Outside::Reject, 0b100)] {
            let mut network = network(precision);
            (network.header.outside, network.header.periodic) = (outside, periodic);
            let artifact = network.artifact("");
            let model = Model::parse(bytemuck::cast_slice(&artifact)).unwrap();
            assert_eq!(*model.header(), network.header);
            let mut scratch = vec![0; model.scratch_words()];
            let mut rejected = 0;
            for i in 0..if cfg!(miri) { 10 } else { 2000 } {
                // Within the width, and now and then beyond it; all are whole numbers in single precision.
                let codes = WIDTHS.map(|bits| random.word() >> (32 - bits) << if i % 9 == 0 { 2 } else { 0 });
                let (mut of_codes, mut of_numbers) = ([0.0; 2], [0.0; 2]);
                let by_codes = model.eval_codes_into(&codes, &mut scratch, &mut of_codes);
                let by_numbers = model.eval_into(&codes.map(|code| code as f32), &mut scratch, &mut of_numbers);
                assert_eq!((by_codes, of_codes), (by_numbers, of_numbers), "{precision:?} {outside:?} at {codes:?}");
                rejected += u32::from(by_codes == Err(EvalError::OutsideDomain));
                if by_codes.is_ok() && i % 9 != 0 {
                    let coordinates = [codes[0] << 20, codes[1] << 31, codes[2] << 16];
                    let mut raw = [0; 2];
                    model.eval_fixed_into(&coordinates, &mut scratch, &mut raw).unwrap();
                    assert_eq!(raw, *network.raw(&coordinates));
                }
            }
            assert_eq!(rejected > 0, outside == Outside::Reject);
        }
    }
}

#[test]
fn wrong_lengths_and_other_axes_are_refused() {
    let mut network = network(Precision::W8A16);
    let refused = |network: &Network, codes: &[u32], scratch: usize, outputs: usize| {
        let artifact = network.artifact("");
        let model = Model::parse(bytemuck::cast_slice(&artifact)).unwrap();
        let (mut scratch, mut out) = (vec![0; scratch], vec![42.0; outputs]);
        let result = model.eval_codes_into(codes, &mut scratch, &mut out);
        assert!(result.is_ok() || out.iter().all(|&value| value == 42.0));
        result.err()
    };
    assert_eq!(refused(&network, &[1, 1, 1], 64, 2), None);
    assert_eq!(refused(&network, &[1, 1], 64, 2), Some(EvalError::PointLength));
    assert_eq!(refused(&network, &[1, 1, 1], 64, 1), Some(EvalError::OutputLength));
    assert_eq!(refused(&network, &[1, 1, 1], 0, 2), Some(EvalError::ScratchLength));
    network.header.code_bits[1] = 0;
    network.axes[1] = Axis::new(-1.0, 5.0, 7.0);
    assert_eq!(refused(&network, &[1, 1, 1], 64, 2), Some(EvalError::NotCodes));
    network.header.code_bits.clear();
    assert_eq!(refused(&network, &[1, 1, 1], 64, 2), Some(EvalError::NotCodes));
}

#[test]
fn codes_that_contradict_their_axes_are_refused() {
    let error = |change: &dyn Fn(&mut Network)| {
        let mut network = network(Precision::W8A16);
        change(&mut network);
        network.try_artifact("").err()
    };
    let (shape, scale) = (Some(WriteError::Invalid(ParseError::Shape)), Some(WriteError::Invalid(ParseError::Scale)));
    assert_eq!(error(&|_| ()), None);
    assert_eq!(error(&|n| n.header.code_bits[0] = 17), shape);
    assert_eq!(error(&|n| n.header.code_bits.truncate(2)), shape);
    assert_eq!(error(&|n| n.header.code_bits.push(0).unwrap()), shape);
    assert_eq!(error(&|n| n.header.code_bits.fill(0)), shape);
    assert_eq!(error(&|n| n.header.code_bits[0] = 11), scale);
    assert_eq!(error(&|n| n.axes[2].minimum = 1.0), scale);
    assert_eq!(error(&|n| n.axes[2].maximum = 65_534.0), scale);
    assert_eq!(error(&|n| n.axes[2].scale = 1.0 / 65_535.0), scale);
}
