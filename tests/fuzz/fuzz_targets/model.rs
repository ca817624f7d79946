//! Any bytes as a model: `parse` decides without a panic, and whatever it accepts can be evaluated at any point.
//!
//! The magic number, the length and the checksum are made right first, or nearly every input would end there. Oracles:
//! the fast kernels give the bits of the portable ones, a batch gives those of its points alone, every output is a
//! finite number, and the C interface says of the bytes what this one does. Then come many inputs that differ from this
//! one in a few places, with a part of these oracles.
#![no_main]

mod c_interface;
mod neighbours;

use bytemuck::cast_slice;
use firmware_core::artifact::checksum;
use firmware_core::c::FfmModel;
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};
use firmware_core::march::Volume;
use firmware_core::{EvalError, Model, ParseError};
use libfuzzer_sys::fuzz_target;

/// Models of more multiplications are parsed only: one evaluation would take as long as thousands of others.
const MOST_MACS: usize = 30_000;

fuzz_target!(|bytes: &[u8]| {
    let mut words = vec![0u32; bytes.len() / 4];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes(bytes.try_into().expect("four bytes"));
    }
    // Of any length and, from the second byte on, at no whole word.
    let _ = try_bytes(bytes);
    let _ = try_bytes(bytes.get(1..).unwrap_or_default());
    seal(&mut words);
    if let Err(error) = try_bytes(cast_slice(&words)) {
        // What was sealed is never refused for that; version 0, which no writer has ever written, counts as damage.
        let is_damaged = error == ParseError::Checksum && words.get(1).is_none_or(|&word| word as u16 != 0);
        assert!(words.len() < 6 || !(is_damaged || matches!(error, ParseError::Magic | ParseError::Misaligned)));
    }
    neighbours::try_all(&mut words);
});

/// Parses the bytes, and evaluates what they are.
fn try_bytes(bytes: &[u8]) -> Result<(), ParseError> {
    let parsed = Model::parse(bytes);
    neighbours::count(parsed.is_ok());
    let handle = c_interface::parse(bytes, parsed.as_ref());
    parsed.map(|model| evaluate(&model, &handle, bytes))
}

/// Makes the magic number, the length and the checksum right.
fn seal(words: &mut [u32]) {
    if words.len() < 6 {
        return;
    }
    (words[0], words[2]) = (u32::from_le_bytes(*b"FFM\x1a"), 4 * words.len() as u32);
    words[3] = checksum(cast_slice(words));
}

fn evaluate(model: &Model<'_>, handle: &FfmModel, artifact: &[u8]) {
    let _ = model.text();
    let _ = Volume::parse(artifact, model);
    if model.macs() > MOST_MACS {
        return;
    }
    let (d, c) = (model.inputs(), model.outputs());
    let mut scratch = vec![0xa5a5_a5a5; model.batch_scratch_words().max(model.scratch_words())];
    let _ = model.self_test(&mut scratch);
    let seed = model.checksum();
    for sample in 0..4u32 {
        let at = |k: usize| match sample {
            0 => 0,
            1 => u32::MAX,
            _ => (seed ^ sample).wrapping_add(k as u32).wrapping_mul(0x9e37_79b9).rotate_left(k as u32),
        };
        let coordinates: [u32; MAX_INPUTS] = std::array::from_fn(at);
        let (mut fast, mut portable) = ([0; MAX_OUTPUTS], [0; MAX_OUTPUTS]);
        model.eval_fixed_into(&coordinates[..d], &mut scratch, &mut fast[..c]).expect("sound lengths");
        model.eval_fixed_portable_into(&coordinates[..d], &mut scratch, &mut portable[..c]).expect("sound lengths");
        assert_eq!(fast, portable, "at {:?}", &coordinates[..d]);
    }
    let mut points = Vec::new();
    for point in [[0.0; MAX_INPUTS], [f32::NAN; MAX_INPUTS], [f32::MAX; MAX_INPUTS], [f32::from_bits(seed); MAX_INPUTS]]
    {
        points.extend_from_slice(&point[..d]);
    }
    let (mut together, mut alone) = (vec![0.0; 4 * c], vec![0.0; 4 * c]);
    let batch = model.eval_batch_into(&points, &mut scratch, &mut together);
    let mut single = Ok(());
    for (point, out) in points.chunks(d).zip(alone.chunks_mut(c)) {
        single = single.and(model.eval_into(point, &mut scratch, out));
    }
    match (batch, single) {
        (Ok(()), Ok(())) => {
            assert!(together.iter().all(|value| value.is_finite()), "{together:?}");
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&together), bits(&alone));
        }
        (batch, single) => {
            assert!(matches!(single, Err(EvalError::OutsideDomain)), "{batch:?} {single:?}");
            assert!(batch.is_err());
        }
    }
    c_interface::evaluate(model, handle, &points, &[seed; MAX_INPUTS]);
}
