//! The smallest program with the library in it: what it costs, and that it cannot panic.
//!
//! The panic handler calls a function that exists nowhere. So this links only where the optimizer has shown every panic
//! in `parse` and in all forms of evaluation to be unreachable; and there is no allocator. It is linked, measured and
//! never run.
//!
//! With the feature `minimal-evaluation` it has `eval_into` alone, for a model that was parsed elsewhere.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "entry points that the linker keeps, and a symbol that it must not find")]

use firmware_core::{EvalError, Model};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn the_library_can_panic() -> !;
    }
    // SAFETY: never linked.
    unsafe { the_library_can_panic() }
}

/// Evaluates one point of a parsed model.
// SAFETY: the name is unique in this program.
#[unsafe(no_mangle)]
#[cfg(feature = "minimal-evaluation")]
pub extern "Rust" fn _start(
    model: &Model<'_>,
    point: &[f32],
    scratch: &mut [u32],
    out: &mut [f32],
) -> Result<(), EvalError> {
    model.eval_into(point, scratch, out)
}

/// Does all that a program can do with an artifact.
// SAFETY: the name is unique in this program.
#[unsafe(no_mangle)]
#[cfg(not(feature = "minimal-evaluation"))]
pub extern "Rust" fn _start(
    artifact: &[u8],
    point: &[f32],
    coordinates: &[u32],
    scratch: &mut [u32],
    out: &mut [f32],
    raw: &mut [i32],
) -> Result<(), EvalError> {
    let Ok(model) = Model::parse(artifact) else { return Err(EvalError::PointLength) };
    model.self_test(scratch)?;
    model.eval_into(point, scratch, out)?;
    model.eval_batch_into(point, scratch, out)?;
    model.eval_codes_into(coordinates, scratch, out)?;
    model.eval_fixed_into(coordinates, scratch, raw)
}
