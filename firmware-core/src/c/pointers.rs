//! From C's pointers and lengths to slices.
#![expect(unsafe_code, reason = "C's pointers become slices")]

use core::slice;

use super::status::FfmStatus;

/// The slice of `len` elements at `pointer`; an empty one where `len` is 0.
///
/// # Safety
///
/// Unless `pointer` is null, `len` elements can be read there for as long as `'a`, and nothing writes to them.
pub(super) unsafe fn slice<'a, T>(pointer: *const T, len: usize) -> Result<&'a [T], FfmStatus> {
    if len == 0 {
        return Ok(&[]);
    }
    check(pointer)?;
    // SAFETY: it is neither null nor misaligned, and the caller vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(pointer, len) })
}

/// As [`slice`], to be written.
///
/// # Safety
///
/// Unless `pointer` is null, `len` elements can be read and written there for as long as `'a`, by nothing else.
pub(super) unsafe fn slice_mut<'a, T>(pointer: *mut T, len: usize) -> Result<&'a mut [T], FfmStatus> {
    if len == 0 {
        return Ok(&mut []);
    }
    check(pointer)?;
    // SAFETY: as above.
    Ok(unsafe { slice::from_raw_parts_mut(pointer, len) })
}

/// Refuses pointers that no C object has.
pub(super) fn check<T>(pointer: *const T) -> Result<(), FfmStatus> {
    if pointer.is_null() {
        return Err(FfmStatus::NullPointer);
    }
    if pointer.is_aligned() { Ok(()) } else { Err(FfmStatus::MisalignedBuffer) }
}
