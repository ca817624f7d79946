//! The bytes of the model: built into the program, or placed in the board's region `MODEL` by QEMU's loader.

/// The model that `MODEL=path` built into the program.
#[cfg(baked_model)]
pub(crate) fn bytes() -> &'static [u8] {
    #[repr(C, align(4))]
    struct Aligned<T: ?Sized>(T);
    static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/model.ffm")));
    &MODEL.0
}

/// The first `len` bytes of the board's region `MODEL`, or `None` where it is shorter.
#[cfg(not(baked_model))]
#[expect(unsafe_code, reason = "memory that is filled from outside can only be reached through raw pointers")]
pub(crate) fn region(len: usize) -> Option<&'static [u8]> {
    unsafe extern "C" {
        static _model_start: u8;
        static _model_end: u8;
    }
    let start = &raw const _model_start;
    if len > &raw const _model_end as usize - start as usize {
        return None;
    }
    // SAFETY: the region is memory of the board that the linker gives to nothing else, QEMU filled it before the start, and
    // nothing writes to it.
    Some(unsafe { core::slice::from_raw_parts(start, len) })
}
