//! The C interface against the Rust interface: for any bytes and lengths the same status and the same bits, and nothing
//! is written behind the end of a buffer.
#![expect(unsafe_code, reason = "the functions take pointers")]

use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use bytemuck::{NoUninit, Pod, cast, cast_slice};
use firmware_core::c::*;
use firmware_core::{EvalError, Model, ParseError};

/// What every buffer holds before a call, and behind its end afterwards too.
const GUARD: u32 = 0xa5a5_a5a5;

/// The handle that `ffm_parse` makes of bytes of which `Model::parse` has made this. It holds for as long as the bytes.
pub fn parse(bytes: &[u8], parsed: Result<&Model<'_>, &ParseError>) -> FfmModel {
    let mut handle = FfmModel { opaque: [MaybeUninit::new(0); FFM_MODEL_WORDS] };
    // SAFETY: the handle lives, and so do so many bytes.
    let status = unsafe { ffm_parse(&mut handle, bytes.as_ptr().cast(), bytes.len()) };
    assert_eq!(status, parsed.map_or_else(|&error| error.into(), |_| FfmStatus::Ok));
    let expected = parsed.map_or([0; 5], |model| {
        let words = [model.scratch_words(), model.batch_scratch_words()];
        [model.inputs(), model.outputs(), words[0], words[1], model.checksum() as usize]
    });
    // SAFETY: the handle lives.
    let found = unsafe {
        let words = [ffm_scratch_words(&handle), ffm_batch_scratch_words(&handle)];
        [ffm_inputs(&handle), ffm_outputs(&handle), words[0], words[1], ffm_checksum(&handle) as usize]
    };
    assert_eq!(found, expected);
    assert!(found[2] <= FFM_MAX_SCRATCH_WORDS);
    handle
}

/// Evaluates a point, a batch, codes and coordinates by both interfaces, with lengths that fit and some that do not.
pub fn evaluate(model: &Model<'_>, handle: &FfmModel, points: &[f32], coordinates: &[u32]) {
    let (d, c, seed) = (model.inputs(), model.outputs(), model.checksum());
    let (words, wide) = (model.scratch_words(), model.batch_scratch_words());
    // Most lengths are right, and a wrong one is short or long by one.
    let length = |len: usize, bit: u32| match seed >> bit & 0xf {
        0 => len - 1,
        1 => len + 1,
        _ => len,
    };
    let lengths = Lengths { scratch: length(words, 0), out: length(c, 4) };
    let (point, batch) = (&points[..length(d, 8)], points);
    compare((handle, ffm_eval), (model, Model::eval_into), point, &lengths);
    let of_batch = Lengths { scratch: length(wide, 12), out: length(batch.len() / d * c, 16) };
    compare((handle, ffm_eval_batch), (model, Model::eval_batch_into), batch, &of_batch);
    compare((handle, ffm_eval_codes), (model, Model::eval_codes_into), &coordinates[..d], &lengths);
    compare((handle, ffm_eval_fixed), (model, Model::eval_fixed_into), &coordinates[..length(d, 20)], &lengths);
    let mut scratch = vec![GUARD; words + 1];
    let expected = FfmStatus::from(model.self_test(&mut scratch[..words]));
    // SAFETY: the handle and so many words live.
    assert_eq!(unsafe { ffm_self_test(handle, scratch.as_mut_ptr(), words) }, expected);
    assert_eq!(scratch[words], GUARD);
    unusable_pointers(handle, &points[..d], &mut scratch);
}

/// How long the buffers of an evaluation are said to be.
struct Lengths {
    scratch: usize,
    out: usize,
}

/// A function of C that evaluates.
type Evaluation<P, V> =
    unsafe extern "C" fn(*const FfmModel, *const P, usize, *mut u32, usize, *mut V, usize) -> FfmStatus;

/// Calls both with the same buffers.
fn compare<'m, P: NoUninit, V: Pod>(
    (handle, of_c): (&FfmModel, Evaluation<P, V>),
    (model, of_rust): (&Model<'m>, impl Fn(&Model<'m>, &[P], &mut [u32], &mut [V]) -> Result<(), EvalError>),
    points: &[P],
    &Lengths { scratch: words, out: len }: &Lengths,
) {
    let (mut scratch, mut out) = (vec![GUARD; words + 1], vec![cast::<u32, V>(GUARD); len + 1]);
    let mut expected_out = out.clone();
    let expected = FfmStatus::from(of_rust(model, points, &mut scratch[..words], &mut expected_out[..len]));
    scratch.fill(GUARD);
    // SAFETY: the handle lives, and so do buffers of one element more than these lengths.
    let status =
        unsafe { of_c(handle, points.as_ptr(), points.len(), scratch.as_mut_ptr(), words, out.as_mut_ptr(), len) };
    assert_eq!(status, expected);
    assert_eq!(cast_slice::<V, u32>(&out), cast_slice::<V, u32>(&expected_out));
    assert_eq!((scratch[words], cast_slice::<V, u32>(&out)[len]), (GUARD, GUARD));
}

/// Pointers that are null or not at a whole word.
fn unusable_pointers(handle: &FfmModel, point: &[f32], scratch: &mut [u32]) {
    let (len, words, mut out) = (point.len(), scratch.len() - 1, [0.0f32; 17]);
    let (point, scratch, out) = (point.as_ptr(), scratch.as_mut_ptr(), out.as_mut_ptr());
    // SAFETY: nothing is read or written through such a pointer, and the others are to live objects.
    unsafe {
        let outputs = ffm_outputs(handle);
        let eval = |handle, point, scratch, out| ffm_eval(handle, point, len, scratch, words, out, outputs);
        assert_eq!(eval(null(), point, scratch, out), FfmStatus::NullPointer);
        assert_eq!(eval(handle, null(), scratch, out), FfmStatus::NullPointer);
        assert_eq!(eval(handle, point, scratch, null_mut()), FfmStatus::NullPointer);
        assert_eq!(eval(handle, point.byte_add(1), scratch, out), FfmStatus::MisalignedBuffer);
        assert_eq!(eval(handle, point, scratch, out.byte_add(2)), FfmStatus::MisalignedBuffer);
        if words > 0 {
            assert_eq!(eval(handle, point, null_mut(), out), FfmStatus::NullPointer);
            assert_eq!(eval(handle, point, scratch.byte_add(3), out), FfmStatus::MisalignedBuffer);
        }
    }
}
