//! Requests of a host and answers of a device, in postcard. Every request has one answer.
//!
//! An update is one [`Request::Offer`], [`Request::Data`] from the artifact's first byte to its last, and
//! [`Request::Finish`]. A host that gets no answer repeats its request: an offer begins anew, data that the device has
//! already are acknowledged again, and after a finish [`Request::Status`] tells what is served.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{EvalError, ParseError};

/// Bytes in the largest [`Request::Data`]. Every piece but the last has a multiple of [`PIECE_UNIT`].
pub const MAX_PIECE: usize = 256;
/// The largest word that a flash may write at once; pieces begin at multiples of it.
pub const PIECE_UNIT: usize = 64;

/// What a host asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// What is served.
    Status,
    /// To take a new model: the bytes of its [`SignedHeader`](super::SignedHeader).
    Offer(&'a [u8]),
    /// To store a piece of the artifact.
    Data {
        /// Its first byte's place in the artifact.
        offset: u32,
        /// At most [`MAX_PIECE`] bytes.
        bytes: &'a [u8],
    },
    /// To check the whole model and make it current.
    Finish,
}

/// What a device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// What is served.
    Status(Status),
    /// This many bytes of the artifact are stored. The answer to an offer is zero.
    Stored(u32),
    /// The new model is current, with this version.
    Current(u16),
    /// The request was refused. What was served before is served still.
    Refused(Refusal),
}

/// What a device serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the model that is served; `None` where both slots are bad and nothing is served.
    pub version: Option<u16>,
    /// The oldest version that the device may take or serve.
    pub stored_version: u16,
    /// Bytes of the largest artifact that a slot holds.
    pub capacity: u32,
}

/// Why a device refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// The frame arrived damaged, or is no request. To be sent again.
    Frame,
    /// The offer is no header of a signed model.
    Header,
    /// The signature is not that of the device's maker.
    Signature,
    /// The version is too old; the device takes this one and newer ones.
    Older(u16),
    /// The artifact is longer than a slot, which holds this many bytes.
    TooLong(u32),
    /// Data or a finish without an offer.
    NoOffer,
    /// The piece does not begin where the last one ended, which is here, or has a wrong length.
    Expected(u32),
    /// The artifact's checksum or digest differs from the header's.
    Checksum,
    /// The artifact is of a kind that the device's program has no code for.
    NotBuiltIn,
    /// `Model::parse` refuses the artifact.
    Parse,
    /// The model needs more scratch memory than the device has.
    Scratch,
    /// The device does not compute the model's known answers.
    KnownAnswer,
    /// The flash failed to erase, to write, or to hold what was written.
    Flash,
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Precision | ParseError::Grids | ParseError::Activation | ParseError::Version(_) => {
                Self::NotBuiltIn
            }
            _ => Self::Parse,
        }
    }
}

impl From<EvalError> for Refusal {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::ScratchLength => Self::Scratch,
            _ => Self::KnownAnswer,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Older(least) => return write!(f, "older version: the device takes version {least} and newer ones"),
            Self::TooLong(capacity) => return write!(f, "too long: a slot of the device holds {capacity} bytes"),
            Self::Expected(offset) => return write!(f, "unexpected piece: byte {offset} of the model is next"),
            Self::Frame => "damaged frame",
            Self::Header => "not a signed model",
            Self::Signature => "wrong signature",
            Self::NoOffer => "no update was begun",
            Self::Checksum => "the model arrived damaged",
            Self::NotBuiltIn => "the device's program has no code for this kind of model",
            Self::Parse => "the model does not parse",
            Self::Scratch => "the model needs more scratch memory than the device has",
            Self::KnownAnswer => "the device does not compute the model's known answers",
            Self::Flash => "the device's flash failed",
        })
    }
}

impl core::error::Error for Refusal {}
