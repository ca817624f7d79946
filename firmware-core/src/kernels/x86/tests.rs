//! Every instruction set of this machine against the portable kernels.

extern crate std;
use std::io::Write as _;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::instructions::Set;
use super::*;
use crate::layout::{activation_words, block_weight_words, layer_words};

/// Calls `compare` for each set that this machine has, which returns how many results it has compared. Says on standard
/// error, past the capture of passing tests, which sets are left out.
fn for_each_set(compare: impl Fn(Instructions) -> usize) {
    for (set, is_here) in [
        (Set::Avx2, std::is_x86_feature_detected!("avx2")),
        (Set::Avx512, std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512bw")),
    ] {
        let instructions = Instructions::detect(set);
        assert_eq!(instructions.is_some(), is_here, "{set:?}: the standard library finds something else");
        if let Some(instructions) = instructions {
            assert!(compare(instructions) > 0, "{set:?}: nothing was compared");
        } else {
            let test = std::thread::current().name().map(String::from).unwrap_or_default();
            writeln!(std::io::stderr(), "SKIPPED {test} for {set:?}: this machine does not have it").unwrap();
        }
    }
}

fn words(len: usize, state: &mut u32) -> Vec<u32> {
    let mut next = || {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.rotate_left(16) ^ *state
    };
    (0..len).map(|_| next()).collect()
}

/// A layer whose numbers are as large as `parse` lets them be, and of either sign.
fn layer_of(precision: Precision, inputs: usize, rows: usize, state: &mut u32) -> Vec<u32> {
    let mut layer = words(layer_words(precision, inputs, rows), state);
    let weights = block_weight_words(precision, inputs);
    for block in layer.chunks_exact_mut(2 * BLOCK_ROWS + weights) {
        let halfwords: &mut [i16] = bytemuck::must_cast_slice_mut(&mut block[BLOCK_ROWS..BLOCK_ROWS + weights]);
        for (k, weight) in halfwords.iter_mut().enumerate() {
            let byte = |bits: i16| if k % 7 == 0 { 127 * bits.signum() } else { (bits as i8).max(-127).into() };
            *weight = match precision {
                Precision::W8A16 => byte(*weight).wrapping_add(byte(*weight >> 8) << 8),
                _ => (i32::from(*weight) * 65_535 / (inputs as i32 * 32_768)) as i16,
            };
        }
        for bias in &mut block[..BLOCK_ROWS] {
            *bias = (*bias as i32 >> 9) as u32;
        }
        for multiplier in &mut block[BLOCK_ROWS + weights..] {
            *multiplier >>= 1;
        }
    }
    layer
}

/// The words of one lane.
fn lane_of(words: &[u32], lane: usize) -> Vec<u32> {
    words.iter().skip(lane).step_by(LANES).copied().collect()
}

fn layers_agree<P: Packing>() {
    for_each_set(|instructions| {
        let (mut state, mut compared) = (1, 0);
        for (inputs, rows) in (1..=67).map(|n| (n, 68 - n)).chain([(2064, 5), (256, 128)]) {
            let layer_words = layer_of(P::PRECISION, inputs, rows, &mut state);
            let layer = Layer { words: &layer_words, inputs, rows };
            // Activations are never negative, features are: any halfword but -32768 occurs.
            let x = words(LANES * activation_words(P::PRECISION, inputs), &mut state);
            let x: Vec<u32> = x.into_iter().map(|x| x & 0x7fff_ffff ^ (x >> 3 & 0x8000_8000) | 0x0001_0001).collect();
            let len = activation_words(P::PRECISION, rows);
            let (mut y, mut raw) = (vec![0; LANES * len], vec![0; LANES * rows.next_multiple_of(BLOCK_ROWS)]);
            hidden::<P>(instructions, layer, &x, &mut y);
            output::<P>(instructions, layer, &x, &mut raw);
            let accumulators = words(raw.len(), &mut state);
            let mut sines = accumulators.clone();
            sine::<P>(instructions, layer, &mut sines);
            for lane in 0..LANES {
                let (mut expected, mut expected_raw) = (vec![0; len], vec![0; raw.len() / LANES]);
                Integers::<P>::layer(layer, 1, &lane_of(&x, lane), &mut expected, Results::Hidden).unwrap();
                let raw_words = bytemuck::must_cast_slice_mut(&mut expected_raw[..]);
                Integers::<P>::layer(layer, 1, &lane_of(&x, lane), raw_words, Results::Raw).unwrap();
                assert_eq!(lane_of(&y, lane), expected, "{instructions:?}, {inputs} inputs, {rows} rows");
                let raw: Vec<i32> = raw.iter().skip(lane).step_by(LANES).copied().collect();
                assert_eq!(raw, expected_raw, "{instructions:?}, {inputs} inputs, {rows} rows");
                let mut expected_sines = lane_of(&accumulators, lane);
                Integers::<P>::sine(layer, 1, &mut expected_sines);
                assert_eq!(lane_of(&sines, lane), expected_sines, "{instructions:?}, {inputs} inputs, {rows} rows");
                compared += expected.len() + raw.len() + expected_sines.len();
            }
        }
        compared
    });
}

#[test]
fn w8a16_layers_equal_the_portable_ones() {
    layers_agree::<portable::Bytes>();
}

#[test]
fn w16a16_layers_equal_the_portable_ones() {
    layers_agree::<portable::Halfwords>();
}

#[test]
fn encoders_equal_the_portable_one() {
    for_each_set(|instructions| {
        let (mut state, mut compared) = (2, 0);
        for rows in 0..=67 {
            let inputs = 1 + rows % MAX_INPUTS;
            let frequencies = words(rows * inputs, &mut state);
            let frequencies: &[i32] = bytemuck::must_cast_slice(&frequencies);
            let encoding = Encoding::new(inputs, frequencies, (inputs - 1).max(usize::from(rows == 0))).unwrap();
            let mut points = [[0; MAX_INPUTS]; LANES];
            for (lane, point) in points.iter_mut().enumerate() {
                let random = words(MAX_INPUTS, &mut state);
                let extremes = [0, u32::MAX, 1 << 31, (1 << 31) - 1];
                for (d, (v, random)) in point.iter_mut().zip(random).enumerate() {
                    *v = if lane < 16 { extremes[(lane >> (2 * (d % 2))) % 4] } else { random };
                }
            }
            let len = encoding.features_len().div_ceil(2);
            let mut x = words(LANES * len, &mut state);
            encode(instructions, &encoding, points.as_flattened(), &mut x);
            for (lane, point) in points.iter().enumerate() {
                let mut expected = vec![0; 2 * len];
                encoding.encode_into(point, &mut expected);
                let features: Vec<u32> = lane_of(&x, lane);
                let features: &[i16] = bytemuck::must_cast_slice(&features);
                assert_eq!(features[..encoding.features_len()], expected[..encoding.features_len()]);
                compared += encoding.features_len();
            }
        }
        compared
    });
}
