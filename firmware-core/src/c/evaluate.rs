//! Evaluation.
//!
//! Every function takes three buffers as pointers with a length behind each: the points, the scratch and the values.
#![expect(unsafe_code, reason = "functions that C finds by their names, with its pointers")]

use super::model::FfmModel;
use super::pointers;
use super::status::FfmStatus;
use crate::error::EvalError;
use crate::model::Model;

/// Evaluates one point, in the user's units: `point` has ffm_inputs numbers, `values` receives ffm_outputs. `scratch`
/// has ffm_scratch_words words or more; what it holds does not matter.
///
/// # Safety
///
/// `handle` points to an ffm_model, and every other pointer to as many elements as the length behind it says. Neither
/// `values` nor `scratch` overlaps anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_eval(
    handle: *const FfmModel,
    point: *const f32,
    point_len: usize,
    scratch: *mut u32,
    scratch_words: usize,
    values: *mut f32,
    values_len: usize,
) -> FfmStatus {
    let buffers = Buffers { points: (point, point_len), scratch: (scratch, scratch_words), out: (values, values_len) };
    // SAFETY: the caller vouches for the pointers.
    unsafe { buffers.with(handle, Model::eval_into) }
}

/// Evaluates several points: `points` has ffm_inputs numbers for each, one point after the other, and `values` receives
/// ffm_outputs for each. The values are those of ffm_eval, bit for bit. With ffm_batch_scratch_words words of scratch
/// it is faster on some cores; with ffm_scratch_words it works too.
///
/// # Safety
///
/// As for ffm_eval.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_eval_batch(
    handle: *const FfmModel,
    points: *const f32,
    points_len: usize,
    scratch: *mut u32,
    scratch_words: usize,
    values: *mut f32,
    values_len: usize,
) -> FfmStatus {
    let buffers =
        Buffers { points: (points, points_len), scratch: (scratch, scratch_words), out: (values, values_len) };
    // SAFETY: the caller vouches for the pointers.
    unsafe { buffers.with(handle, Model::eval_batch_into) }
}

/// Evaluates one point of integer codes, as an analogue-to-digital converter gives them, where the model was trained on
/// codes.
///
/// # Safety
///
/// As for ffm_eval.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_eval_codes(
    handle: *const FfmModel,
    codes: *const u32,
    codes_len: usize,
    scratch: *mut u32,
    scratch_words: usize,
    values: *mut f32,
    values_len: usize,
) -> FfmStatus {
    let buffers = Buffers { points: (codes, codes_len), scratch: (scratch, scratch_words), out: (values, values_len) };
    // SAFETY: the caller vouches for the pointers.
    unsafe { buffers.with(handle, Model::eval_codes_into) }
}

/// Evaluates one point given as fractions of the trained period of each input, in units of 2^-32; `raw` receives what
/// the output maps take. The integer precisions use no floating point here.
///
/// # Safety
///
/// As for ffm_eval.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_eval_fixed(
    handle: *const FfmModel,
    coordinates: *const u32,
    coordinates_len: usize,
    scratch: *mut u32,
    scratch_words: usize,
    raw: *mut i32,
    raw_len: usize,
) -> FfmStatus {
    let buffers =
        Buffers { points: (coordinates, coordinates_len), scratch: (scratch, scratch_words), out: (raw, raw_len) };
    // SAFETY: the caller vouches for the pointers.
    unsafe { buffers.with(handle, Model::eval_fixed_into) }
}

/// Evaluates the sixteen points whose answers the model holds, and compares every bit. Call it once, at start, and do
/// not use the model where it fails.
///
/// # Safety
///
/// `handle` points to an ffm_model and `scratch` to `scratch_words` words, which overlap nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_self_test(handle: *const FfmModel, scratch: *mut u32, scratch_words: usize) -> FfmStatus {
    // SAFETY: the caller vouches for the pointers.
    let parts =
        unsafe { FfmModel::get(handle).and_then(|model| Ok((model, pointers::slice_mut(scratch, scratch_words)?))) };
    match parts {
        Ok((model, scratch)) => model.self_test(scratch).into(),
        Err(status) => status,
    }
}

/// The buffers of an evaluation, as C gives them.
struct Buffers<P, V> {
    points: (*const P, usize),
    scratch: (*mut u32, usize),
    out: (*mut V, usize),
}

impl<P, V> Buffers<P, V> {
    /// Evaluates a model with these buffers.
    ///
    /// # Safety
    ///
    /// Unless they are null, the pointers are to a handle and to buffers of their lengths; nothing overlaps what is
    /// written.
    unsafe fn with(
        self,
        handle: *const FfmModel,
        evaluate: impl FnOnce(&Model<'static>, &[P], &mut [u32], &mut [V]) -> Result<(), EvalError>,
    ) -> FfmStatus {
        // SAFETY: the caller vouches for the pointers.
        let parts = unsafe {
            FfmModel::get(handle).and_then(|model| {
                let points = pointers::slice(self.points.0, self.points.1)?;
                let scratch = pointers::slice_mut(self.scratch.0, self.scratch.1)?;
                Ok((model, points, scratch, pointers::slice_mut(self.out.0, self.out.1)?))
            })
        };
        match parts {
            Ok((model, points, scratch, out)) => evaluate(model, points, scratch, out).into(),
            Err(status) => status,
        }
    }
}
