//! Numbers for errors, and sentences for the numbers.
#![expect(unsafe_code, reason = "a function that C finds by its name")]

use core::ffi::{CStr, c_char};

use crate::error::{EvalError, ParseError};

/// What a call has come to: 0 for success, any other number for one kind of error. ffm_message has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum FfmStatus {
    /// The call did what it should.
    Ok = 0,

    /// A pointer is null.
    NullPointer = 1,
    /// A pointer to points, values or scratch is not a multiple of four.
    MisalignedBuffer = 2,
    /// The handle holds no model: ffm_parse was not called, or has failed.
    NotParsed = 3,

    /// The model does not begin at an address that is a multiple of four.
    Misaligned = 10,
    /// The model is cut short: its length is smaller than the file's.
    Truncated = 11,
    /// The length is larger than the file's.
    TrailingBytes = 12,
    /// The bytes are no model file.
    Magic = 13,
    /// The model was written in a newer version of the format.
    Version = 14,
    /// The checksum differs: the model is damaged.
    Checksum = 15,
    /// The header of the model cannot be decoded.
    Header = 16,
    /// The library was built without the precision of the model.
    Precision = 17,
    /// The library was built without grids, which the model has.
    Grids = 18,
    /// The library was built without sine layers, which the model has.
    Activation = 19,
    /// A shape of the model is beyond the limits of the library.
    Shape = 20,
    /// A domain or output map of the model cannot be used.
    Scale = 21,
    /// A weight or constant of the model is out of its range.
    Weight = 22,
    /// An accumulator could overflow.
    Overflow = 23,
    /// The text of the model is not UTF-8.
    Text = 24,

    /// The length of the point, or of the points, does not fit the model's inputs.
    PointLength = 40,
    /// The length of the values does not fit the points and the model's outputs.
    OutputLength = 41,
    /// The scratch has fewer words than ffm_scratch_words tells.
    ScratchLength = 42,
    /// The point lies outside the trained domain, and the model rejects such points.
    OutsideDomain = 43,
    /// The model has an input that does not consist of integer codes.
    NotCodes = 44,
    /// The known answers differ: this build or this device does not compute what the trainer computed.
    KnownAnswer = 45,
}

impl FfmStatus {
    const ALL: [Self; 25] = {
        use FfmStatus as S;
        [
            S::Ok,
            S::NullPointer,
            S::MisalignedBuffer,
            S::NotParsed,
            S::Misaligned,
            S::Truncated,
            S::TrailingBytes,
            S::Magic,
            S::Version,
            S::Checksum,
            S::Header,
            S::Precision,
            S::Grids,
            S::Activation,
            S::Shape,
            S::Scale,
            S::Weight,
            S::Overflow,
            S::Text,
            S::PointLength,
            S::OutputLength,
            S::ScratchLength,
            S::OutsideDomain,
            S::NotCodes,
            S::KnownAnswer,
        ]
    };

    /// A sentence for a person.
    const fn message(self) -> &'static CStr {
        match self {
            Self::Ok => c"success",
            Self::NullPointer => c"a pointer is null",
            Self::MisalignedBuffer => c"a buffer is misaligned: declare points and values as float, scratch as uint32_t",
            Self::NotParsed => c"the handle holds no model: call ffm_parse first, and look at what it returns",
            Self::Misaligned => {
                c"the model does not begin at a multiple of four: declare it as const uint32_t, as `trainer export --c` does"
            }
            Self::Truncated => c"the model is cut short: flash it again, and give its whole length in bytes",
            Self::TrailingBytes => c"the length is larger than the model's: give the length of the file in bytes",
            Self::Magic => c"these bytes are no model: give those of model.ffm",
            Self::Version => c"the model is newer than the library: export the library again",
            Self::Checksum => c"the model is damaged: flash it again",
            Self::Header => c"the header of the model cannot be decoded: write the model again with the trainer",
            Self::Precision => {
                c"the library was built without the model's precision: export it with that precision among --features"
            }
            Self::Grids => c"the library was built without grids: export it with grid among --features",
            Self::Activation => c"the library was built without sine layers: export it with sine among --features",
            Self::Shape => c"a shape of the model is beyond the library's limits: write the model again with the trainer",
            Self::Scale => c"a domain or output map of the model is unusable: write the model again with the trainer",
            Self::Weight => c"a weight of the model is out of its range: write the model again with the trainer",
            Self::Overflow => c"an accumulator could overflow: write the model again with the trainer",
            Self::Text => c"the text of the model is not UTF-8: write the model again with the trainer",
            Self::PointLength => c"the length of the points does not fit: give ffm_inputs numbers for each point",
            Self::OutputLength => c"the length of the values does not fit: give room for ffm_outputs numbers for each point",
            Self::ScratchLength => c"the scratch is too small for this model: give ffm_scratch_words words",
            Self::OutsideDomain => c"the point lies outside the trained domain",
            Self::NotCodes => c"an input of the model does not consist of integer codes: call ffm_eval",
            Self::KnownAnswer => c"the known answers differ: this build does not compute what the trainer computed",
        }
    }
}

impl From<ParseError> for FfmStatus {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Misaligned => Self::Misaligned,
            ParseError::Truncated => Self::Truncated,
            ParseError::TrailingBytes => Self::TrailingBytes,
            ParseError::Magic => Self::Magic,
            ParseError::Version(_) => Self::Version,
            ParseError::Checksum => Self::Checksum,
            ParseError::Header => Self::Header,
            ParseError::Precision => Self::Precision,
            ParseError::Grids => Self::Grids,
            ParseError::Activation => Self::Activation,
            ParseError::Shape => Self::Shape,
            ParseError::Scale => Self::Scale,
            ParseError::Weight => Self::Weight,
            ParseError::Overflow => Self::Overflow,
            ParseError::Text => Self::Text,
        }
    }
}

impl From<EvalError> for FfmStatus {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::PointLength => Self::PointLength,
            EvalError::OutputLength => Self::OutputLength,
            EvalError::ScratchLength => Self::ScratchLength,
            EvalError::OutsideDomain => Self::OutsideDomain,
            EvalError::NotCodes => Self::NotCodes,
            EvalError::KnownAnswer => Self::KnownAnswer,
        }
    }
}

impl<E: Into<FfmStatus>> From<Result<(), E>> for FfmStatus {
    fn from(result: Result<(), E>) -> Self {
        result.map_or_else(Into::into, |()| Self::Ok)
    }
}

/// A sentence in English for a status, with what to do about it. It is never null, and needs no release.
#[unsafe(no_mangle)]
pub extern "C" fn ffm_message(status: i32) -> *const c_char {
    let known = FfmStatus::ALL.into_iter().find(|known| *known as i32 == status);
    known.map_or(c"not a status of this library", FfmStatus::message).as_ptr()
}
