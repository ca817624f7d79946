//! The handle of a model, and what it tells.
#![expect(unsafe_code, reason = "a model lies in memory that C owns, and functions are found by their names")]

use core::ffi::c_void;
use core::mem::MaybeUninit;

use super::pointers;
use super::status::FfmStatus;
use crate::model::Model;

/// Size of a handle in words of the machine. Larger than it has to be, so that the interface can stay when the library
/// changes.
pub const FFM_MODEL_WORDS: usize = 60;

/// Words of scratch with which any model can be evaluated point by point, for firmware whose model comes later. A model
/// that is known needs much less: `trainer export` writes the number beside it.
pub const FFM_MAX_SCRATCH_WORDS: usize = 4112;

/// A model that was checked. The caller stores it, anywhere; only ffm_parse writes to it. It may be copied, and several
/// threads may use it at once, each with a scratch of its own. The bytes of the model must stay where they are.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FfmModel {
    /// Not for use.
    pub opaque: [MaybeUninit<usize>; FFM_MODEL_WORDS],
}

/// What the words of a handle are after `ffm_parse`.
#[repr(C)]
struct Parsed {
    mark: usize,
    model: Model<'static>,
}

/// Tells a handle from memory that was never written, zeros above all.
const MARK: usize = 0x1a4d_4646;

const _: () = assert!(size_of::<Parsed>() <= size_of::<FfmModel>(), "FFM_MODEL_WORDS is too small");
const _: () = assert!(align_of::<Parsed>() <= align_of::<FfmModel>(), "a handle is aligned too little");

impl FfmModel {
    /// The model in a handle.
    ///
    /// # Safety
    ///
    /// Unless it is null, the pointer is to a handle that stays as it is for as long as `'a`.
    pub(super) unsafe fn get<'a>(handle: *const Self) -> Result<&'a Model<'static>, FfmStatus> {
        pointers::check(handle)?;
        // SAFETY: the handle begins with a word, whatever it holds.
        if unsafe { handle.cast::<usize>().read() } != MARK {
            return Err(FfmStatus::NotParsed);
        }
        // SAFETY: only `ffm_parse` writes the mark, behind which it has put a model.
        Ok(unsafe { &(*handle.cast::<Parsed>()).model })
    }
}

/// Checks a model, which stays where it is, and makes a handle for it. Call it once for each model, at start.
///
/// `bytes` has the contents of model.ffm, `len` bytes at an address that is a multiple of four. It must stay there
/// unchanged for as long as the handle is used.
///
/// # Safety
///
/// `handle` points to an ffm_model, and `bytes` to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_parse(handle: *mut FfmModel, bytes: *const c_void, len: usize) -> FfmStatus {
    if let Err(status) = pointers::check(handle) {
        return status;
    }
    // SAFETY: the handle begins with a word. Without the mark it holds no model.
    unsafe { handle.cast::<usize>().write(0) };
    // SAFETY: the caller vouches for it.
    let bytes = match unsafe { pointers::slice(bytes.cast::<u8>(), len) } {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    match Model::parse(bytes) {
        Ok(model) => {
            // SAFETY: the handle is large enough and aligned enough, as was checked above at compile time.
            unsafe { handle.cast::<Parsed>().write(Parsed { mark: MARK, model }) };
            FfmStatus::Ok
        }
        Err(error) => error.into(),
    }
}

/// The number of numbers that a point has; 0 for a handle without a model.
///
/// # Safety
///
/// `handle` points to an ffm_model, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_inputs(handle: *const FfmModel) -> usize {
    // SAFETY: the caller vouches for it.
    unsafe { FfmModel::get(handle) }.map_or(0, Model::inputs)
}

/// The number of values at a point; 0 for a handle without a model.
///
/// # Safety
///
/// `handle` points to an ffm_model, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_outputs(handle: *const FfmModel) -> usize {
    // SAFETY: the caller vouches for it.
    unsafe { FfmModel::get(handle) }.map_or(0, Model::outputs)
}

/// Words of scratch that one point needs, FFM_MAX_SCRATCH_WORDS at most; 0 for a handle without a model.
///
/// # Safety
///
/// `handle` points to an ffm_model, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_scratch_words(handle: *const FfmModel) -> usize {
    // SAFETY: the caller vouches for it.
    unsafe { FfmModel::get(handle) }.map_or(0, Model::scratch_words)
}

/// Words of scratch with which ffm_eval_batch evaluates several points side by side, where this core gains by it; 0 for
/// a handle without a model.
///
/// # Safety
///
/// `handle` points to an ffm_model, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_batch_scratch_words(handle: *const FfmModel) -> usize {
    // SAFETY: the caller vouches for it.
    unsafe { FfmModel::get(handle) }.map_or(0, Model::batch_scratch_words)
}

/// The CRC-32 of the model, which tells models apart; 0 for a handle without a model.
///
/// # Safety
///
/// `handle` points to an ffm_model, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffm_checksum(handle: *const FfmModel) -> u32 {
    // SAFETY: the caller vouches for it.
    unsafe { FfmModel::get(handle) }.map_or(0, Model::checksum)
}
