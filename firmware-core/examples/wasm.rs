//! The evaluator as a module of WebAssembly, for a page that runs a model in the browser.
//!
//! The page puts the bytes of a model and of points into the module's memory, which it enlarges for that
//! (`memory.grow`), and calls these functions with addresses. There is one model at a time. Every function returns a
//! number below 0 where it fails: [`NO_MODEL`] if there is no model, or the bytes are none, [`REFUSED`] if the model
//! refuses the point.
//!
//! `cargo xtask wasm` builds it for `wasm32-unknown-unknown` and puts it where the trainer embeds it.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![expect(unsafe_code, reason = "a page of a browser gives addresses in the memory of the module")]

use core::cell::UnsafeCell;
use core::slice;
use firmware_core::Model;

/// No model is open, or the bytes are no model.
pub const NO_MODEL: i32 = -1;
/// The model refuses the point, or a buffer is too short.
pub const REFUSED: i32 = -2;

struct Open(UnsafeCell<Option<Model<'static>>>);

// SAFETY: a module of WebAssembly without shared memory has one thread.
unsafe impl Sync for Open {}

static OPEN: Open = Open(UnsafeCell::new(None));

fn model() -> Option<&'static Model<'static>> {
    // SAFETY: `ffm_open` alone changes it, and no reference lives beyond a call of this module.
    unsafe { (*OPEN.0.get()).as_ref() }
}

/// Opens the model whose `length` bytes are at an address that is a multiple of 4; they stay there as long as it is
/// used. Returns the number of words of scratch that an evaluation takes.
///
/// # Safety
/// The bytes lie in the memory of the module and are not changed as long as the model is used.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn ffm_open(bytes: *const u8, length: usize) -> i32 {
    // SAFETY: as the caller promises.
    let bytes = unsafe { slice::from_raw_parts(bytes, length) };
    let parsed = Model::parse(bytes).ok();
    let words = parsed.as_ref().map_or(NO_MODEL, |model| model.scratch_words() as i32);
    // SAFETY: there is one thread, and no other function of this module is running.
    unsafe { *OPEN.0.get() = parsed };
    words
}

/// Compares the known answers of the model with what this build computes: 0 if they are equal.
///
/// # Safety
/// `scratch` has the `words` words in the memory of the module.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn ffm_self_test(scratch: *mut u32, words: usize) -> i32 {
    let Some(model) = model() else { return NO_MODEL };
    // SAFETY: as the caller promises.
    let scratch = unsafe { slice::from_raw_parts_mut(scratch, words) };
    model.self_test(scratch).map_or(REFUSED, |()| 0)
}

/// Evaluates `count` points, `[count, d]`, which become `[count, c]`, both f32 in the user's units. Returns 0.
///
/// # Safety
/// `points`, `scratch` and `out` have so many numbers in the memory of the module and do not overlap.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn ffm_eval(
    points: *const f32,
    count: usize,
    scratch: *mut u32,
    words: usize,
    out: *mut f32,
) -> i32 {
    let Some(model) = model() else { return NO_MODEL };
    // SAFETY: as the caller promises.
    let (points, scratch, out) = unsafe {
        (
            slice::from_raw_parts(points, count * model.inputs()),
            slice::from_raw_parts_mut(scratch, words),
            slice::from_raw_parts_mut(out, count * model.outputs()),
        )
    };
    model.eval_batch_into(points, scratch, out).map_or(REFUSED, |()| 0)
}

/// A page has no use for a message: the call ends with an exception.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
