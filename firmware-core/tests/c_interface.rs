//! What C sees, by the functions that C calls. `cargo xtask test` runs this with each choice of precisions.
#![expect(unsafe_code, reason = "the functions take pointers")]

use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::ptr::{null, null_mut};

use firmware_core::artifact::{Header, HiddenActivation};
use firmware_core::c::*;
use firmware_core::limits::{MAX_FREQUENCIES, MAX_HIDDEN_LAYERS, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
use firmware_core::{Aligned, OutputActivation, Outside, Precision};

static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));

const EMPTY: FfmModel = FfmModel { opaque: [MaybeUninit::new(0); FFM_MODEL_WORDS] };

fn parse(bytes: &[u8]) -> (FfmStatus, FfmModel) {
    let mut handle = EMPTY;
    // SAFETY: pointers and lengths are those of live objects.
    let status = unsafe { ffm_parse(&mut handle, bytes.as_ptr().cast(), bytes.len()) };
    (status, handle)
}

/// Evaluates with buffers of these lengths, of which those of the point and the value are at most two.
fn eval(handle: &FfmModel, [point, scratch, values]: [usize; 3]) -> (FfmStatus, f32) {
    let (points, mut words, mut out) = ([12.5, 0.0], [7; 64], [-1.0; 2]);
    // SAFETY: pointers and lengths are those of live objects, or the lengths are smaller.
    let status =
        unsafe { ffm_eval(handle, points.as_ptr(), point, words.as_mut_ptr(), scratch, out.as_mut_ptr(), values) };
    (status, out[0])
}

#[test]
fn a_model_that_is_built_in_is_evaluated_and_another_is_refused() {
    let (status, handle) = parse(&MODEL.0);
    if !cfg!(feature = "w8a16") {
        assert_eq!(status, FfmStatus::Precision);
        assert_eq!(eval(&handle, [1, 64, 1]), (FfmStatus::NotParsed, -1.0));
        return;
    }
    assert_eq!(status, FfmStatus::Ok);
    // `trainer predict` says 305.1585.
    assert_eq!(eval(&handle, [1, 64, 1]), (FfmStatus::Ok, 305.1585));
    // SAFETY: the handle is live, and so are the buffers.
    unsafe {
        assert_eq!((ffm_inputs(&handle), ffm_outputs(&handle), ffm_scratch_words(&handle)), (1, 1, 16));
        assert!(ffm_batch_scratch_words(&handle) >= 16);
        assert_eq!(ffm_checksum(&handle).to_le_bytes(), MODEL.0[12..16]);
        let mut scratch = [7; 16];
        assert_eq!(ffm_self_test(&handle, scratch.as_mut_ptr(), 16), FfmStatus::Ok);
        assert_eq!(ffm_self_test(&handle, scratch.as_mut_ptr(), 15), FfmStatus::ScratchLength);
        let (points, mut values) = ([0.0f32, 12.5], [0.0; 2]);
        let status =
            ffm_eval_batch(&handle, points.as_ptr(), 2, scratch.as_mut_ptr(), 16, values.as_mut_ptr(), values.len());
        assert_eq!((status, values[1]), (FfmStatus::Ok, 305.1585));
        let codes = [1u32];
        let status = ffm_eval_codes(&handle, codes.as_ptr(), 1, scratch.as_mut_ptr(), 16, values.as_mut_ptr(), 1);
        assert_eq!(status, FfmStatus::NotCodes);
        let mut raw = [0; 1];
        let status = ffm_eval_fixed(&handle, codes.as_ptr(), 1, scratch.as_mut_ptr(), 16, raw.as_mut_ptr(), 1);
        assert_eq!(status, FfmStatus::Ok);
    }
    // Nothing is written where a length does not fit.
    assert_eq!(eval(&handle, [2, 64, 1]), (FfmStatus::PointLength, -1.0));
    assert_eq!(eval(&handle, [0, 64, 1]), (FfmStatus::PointLength, -1.0));
    assert_eq!(eval(&handle, [1, 64, 2]), (FfmStatus::OutputLength, -1.0));
    assert_eq!(eval(&handle, [1, 15, 1]), (FfmStatus::ScratchLength, -1.0));
    assert_eq!(eval(&handle, [1, 0, 1]), (FfmStatus::ScratchLength, -1.0));
    // A copy of the handle is a handle.
    let copy = handle;
    assert_eq!(eval(&copy, [1, 16, 1]), (FfmStatus::Ok, 305.1585));
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    let mut moved = Aligned([0; 4096]);
    let len = MODEL.0.len();
    moved.0[1..=len].copy_from_slice(&MODEL.0);
    let mut damaged = MODEL.0.to_vec();
    damaged[len - 1] ^= 1;
    for (bytes, expected) in [
        (&moved.0[1..=len], FfmStatus::Misaligned),
        (&MODEL.0[..len - 4], FfmStatus::Truncated),
        (&MODEL.0[4..], FfmStatus::Magic),
        (&MODEL.0[..0], FfmStatus::Truncated),
        (&damaged, FfmStatus::Checksum),
    ] {
        let (status, handle) = parse(bytes);
        assert_eq!((status, eval(&handle, [1, 64, 1]).0), (expected, FfmStatus::NotParsed));
    }
}

#[test]
fn a_failed_parse_leaves_no_older_model_in_the_handle() {
    let (_, mut handle) = parse(&MODEL.0);
    // SAFETY: pointers and lengths are those of live objects.
    let status = unsafe { ffm_parse(&mut handle, MODEL.0.as_ptr().cast(), 40) };
    assert_eq!((status, eval(&handle, [1, 64, 1]).0), (FfmStatus::Truncated, FfmStatus::NotParsed));
}

#[test]
fn null_and_misaligned_pointers_are_refused() {
    // SAFETY: nothing is read through these pointers.
    unsafe {
        assert_eq!(ffm_parse(null_mut(), MODEL.0.as_ptr().cast(), MODEL.0.len()), FfmStatus::NullPointer);
        assert_eq!(ffm_parse(&mut EMPTY.clone(), null(), 100), FfmStatus::NullPointer);
        assert_eq!((ffm_inputs(null()), ffm_scratch_words(&EMPTY), ffm_checksum(&EMPTY)), (0, 0, 0));
        assert_eq!(ffm_self_test(null(), null_mut(), 0), FfmStatus::NullPointer);
        assert_eq!(ffm_self_test(&EMPTY, null_mut(), 0), FfmStatus::NotParsed);
    }
    let (status, handle) = parse(&MODEL.0);
    if status != FfmStatus::Ok {
        return; // a model of another precision
    }
    let (point, mut words, mut value) = ([12.5, 12.5], [0; 64], [0.0]);
    // SAFETY: pointers are null, or to live objects; what is not aligned is not read.
    unsafe {
        let eval = |point, scratch, value| ffm_eval(&handle, point, 1, scratch, 63, value, 1);
        let (scratch, out) = (words.as_mut_ptr(), value.as_mut_ptr());
        assert_eq!(eval(null(), scratch, out), FfmStatus::NullPointer);
        assert_eq!(eval(point.as_ptr(), null_mut(), out), FfmStatus::NullPointer);
        assert_eq!(eval(point.as_ptr(), scratch, null_mut()), FfmStatus::NullPointer);
        assert_eq!(eval(point.as_ptr().byte_add(1), scratch, out), FfmStatus::MisalignedBuffer);
        assert_eq!(eval(point.as_ptr(), scratch.byte_add(2), out), FfmStatus::MisalignedBuffer);
        assert_eq!(eval(point.as_ptr(), scratch, out), FfmStatus::Ok);
    }
}

#[test]
fn no_model_needs_more_scratch_than_the_largest() {
    let mut largest = 0;
    for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
        for hidden_activation in [HiddenActivation::Relu, HiddenActivation::Sine] {
            for hidden_layers in 0..=MAX_HIDDEN_LAYERS {
                let header = Header {
                    precision,
                    outside: Outside::Clamp,
                    periodic: 0,
                    hidden_activation,
                    grid: None,
                    code_bits: Default::default(),
                    activation: OutputActivation::Linear,
                    inputs: MAX_INPUTS as u8,
                    outputs: MAX_OUTPUTS as u8,
                    frequencies: MAX_FREQUENCIES as u16,
                    passthrough: MAX_INPUTS as u8,
                    hidden: (0..hidden_layers).map(|_| MAX_WIDTH as u16).collect(),
                    training_psnr_db: 0.0,
                    quantization_loss_db: 0.0,
                };
                largest = largest.max(header.scratch_words());
            }
        }
    }
    assert_eq!(largest, FFM_MAX_SCRATCH_WORDS);
}

#[test]
fn every_status_has_a_sentence_of_its_own() {
    let message = |status: i32| {
        // SAFETY: the function returns a string of C.
        unsafe { CStr::from_ptr(ffm_message(status)) }.to_str().unwrap()
    };
    let unknown = message(-1);
    let mut known: Vec<&str> = (0..100).map(message).filter(|&sentence| sentence != unknown).collect();
    assert_eq!((known.len(), message(FfmStatus::Ok as i32)), (25, "success"));
    assert!(message(FfmStatus::Precision as i32).contains("--features"));
    assert!(message(FfmStatus::ScratchLength as i32).contains("ffm_scratch_words"));
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), 25);
}
