//! Updates of the model on a device: what both sides agree on. The feature `update` builds it in.
//!
//! A *signed model* is a [`SignedHeader`] of [`HEADER_BYTES`] with the artifact behind it. A host offers the header,
//! sends the artifact in pieces, and asks the device to finish: [`message`] has the requests and answers, [`frame`] the
//! bytes on the line. What a device does with them is in the library of `firmware-cortexm`.

pub mod frame;
mod header;
pub mod message;

pub use header::{
    DIGEST_BYTES, HEADER_BYTES, HeaderError, Manifest, SIGNATURE_BYTES, SIGNED_BYTES, SignedHeader, split,
};

/// CRC-32 (IEEE 802.3) of bytes, as in the artifact.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut digest = crate::artifact::crc32();
    digest.update(bytes);
    digest.finalize()
}
