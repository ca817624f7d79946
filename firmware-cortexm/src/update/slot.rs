//! What a slot holds, and whether it may be served.

use core::fmt;

use firmware_core::update::message::Refusal;
use firmware_core::update::{HEADER_BYTES, HeaderError, Manifest, SignedHeader, crc32};
use firmware_core::{EvalError, Model, ParseError};

use super::flash::Slot;
use super::layout::MODEL_AT;
use super::verify::Verifier;

/// Bytes of the largest artifact that a slot of this size holds.
#[must_use]
pub const fn capacity(slot_bytes: usize) -> usize {
    slot_bytes.saturating_sub(MODEL_AT) / 4 * 4
}

/// Why a slot is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "device", derive(defmt::Format))]
pub enum SlotFault {
    /// It was never made current: it is blank, or an update of it did not end.
    NotCurrent,
    /// It has no header of a signed model.
    Header(HeaderError),
    /// The signature is not that of the device's maker.
    Signature,
    /// The header's length is beyond the slot.
    TooLong,
    /// The artifact's CRC or digest is not that of the header.
    Checksum,
    /// The artifact does not parse.
    Parse(ParseError),
    /// This device does not compute the known answers, or has too little scratch memory.
    SelfTest(EvalError),
    /// The version is below the stored version.
    Older,
}

impl fmt::Display for SlotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCurrent => f.write_str("no model was ever made current"),
            Self::Header(error) => error.fmt(f),
            Self::Signature => f.write_str("the signature is wrong"),
            Self::TooLong => f.write_str("the model is longer than the slot"),
            Self::Checksum => f.write_str("the model is damaged"),
            Self::Parse(error) => error.fmt(f),
            Self::SelfTest(error) => error.fmt(f),
            Self::Older => f.write_str("the model is older than the stored version"),
        }
    }
}

impl core::error::Error for SlotFault {}

impl From<SlotFault> for Refusal {
    fn from(fault: SlotFault) -> Self {
        match fault {
            SlotFault::NotCurrent => Self::NoOffer,
            // What was written and read back has changed since.
            SlotFault::Header(_) | SlotFault::TooLong => Self::Flash,
            SlotFault::Signature => Self::Signature,
            SlotFault::Checksum => Self::Checksum,
            SlotFault::Parse(error) => error.into(),
            SlotFault::SelfTest(error) => error.into(),
            SlotFault::Older => Self::Older(0),
        }
    }
}

/// The header of a slot, if the maker has signed it.
pub(super) fn signed_header(slot: &impl Slot, verifier: &impl Verifier) -> Result<Manifest, SlotFault> {
    let bytes = slot.bytes().get(..HEADER_BYTES).unwrap_or_default();
    let header = SignedHeader::from_bytes(bytes).map_err(SlotFault::Header)?;
    if !verifier.verify(&header.manifest.signed_bytes(), &header.signature) {
        return Err(SlotFault::Signature);
    }
    Ok(header.manifest)
}

/// The artifact of a slot with this header, not checked.
pub(super) fn artifact<'a>(slot: &'a impl Slot, manifest: &Manifest) -> Result<&'a [u8], SlotFault> {
    let bytes = slot.bytes().get(MODEL_AT..).and_then(|bytes| bytes.get(..manifest.length as usize));
    bytes.ok_or(SlotFault::TooLong)
}

/// Checks the artifact behind a header that was signed: all that must hold before a model is made current, and at boot.
pub(super) fn check_model(
    slot: &impl Slot,
    manifest: &Manifest,
    verifier: &impl Verifier,
    scratch: &mut [u32],
) -> Result<(), SlotFault> {
    let artifact = artifact(slot, manifest)?;
    if crc32(artifact) != manifest.crc || verifier.digest(artifact) != manifest.digest {
        return Err(SlotFault::Checksum);
    }
    let model = Model::parse(artifact).map_err(SlotFault::Parse)?;
    model.self_test(scratch).map_err(SlotFault::SelfTest)
}
