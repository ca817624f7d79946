//! The bytes of the model: built into the program, or placed in the board's region `MODEL` by QEMU's loader.

/// The model that `MODEL=path` built into the program.
#[cfg(baked_model)]
pub(crate) fn bytes() -> &'static [u8] {
    #[repr(C, align(4))]
    struct Aligned<T: ?Sized>(T);
    static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/model.ffm")));
    &MODEL.0
}

/// The first of artifacts that lie one behind another, by the length that it tells, and what lies behind it. What is no
/// whole artifact is the last one: parsing it says what is wrong.
#[cfg(not(baked_model))]
pub(crate) fn split_first(artifacts: &'static [u8]) -> (&'static [u8], &'static [u8]) {
    let told = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize);
    told(artifacts).and_then(|len| artifacts.split_at_checked(len)).unwrap_or((artifacts, &[]))
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
    // SAFETY: the region is memory of the board that the linker gives to nothing else, QEMU filled it before the start,
    // and nothing writes to it.
    Some(unsafe { core::slice::from_raw_parts(start, len) })
}
