//! What can go wrong: at [`parse`](crate::Model::parse), when writing, and with the caller's buffers.

use core::fmt;

/// Why bytes are not a model that this crate can evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes do not begin at a multiple of four; see [`Aligned`](crate::Aligned).
    Misaligned,
    /// Fewer bytes than the file's own length says, or than its shapes need.
    Truncated,
    /// More bytes than the file's own length says.
    TrailingBytes,
    /// Not an artifact: the first four bytes differ.
    Magic,
    /// Written by a newer version of the format.
    Version(u16),
    /// The CRC-32 differs: the file was damaged.
    Checksum,
    /// The header cannot be decoded, or is not of the format version that the file says.
    Header,
    /// The model's [`Precision`](crate::Precision) is not [built in](crate::Precision::is_built_in).
    Precision,
    /// The model has [`Grids`](crate::Grids), and the crate was built without the feature `grid`.
    Grids,
    /// The model's hidden layers are sines, and the crate was built without the feature `sine`.
    Activation,
    /// A shape beyond [`limits`](crate::limits), or zero where it may not be.
    Shape,
    /// A domain or output map that is not finite, empty, or not positive.
    Scale,
    /// A weight, bias or multiplier out of its range, or padding that is not zero.
    Weight,
    /// An accumulator could overflow for some input.
    Overflow,
    /// The descriptive text is not UTF-8.
    Text,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version(version) => {
                return write!(f, "written in format version {version}, which is newer than this reader's");
            }
            Self::Misaligned => "the model's bytes must begin at a multiple of four",
            Self::Truncated => "the file is cut short",
            Self::TrailingBytes => "the file is longer than it says",
            Self::Magic => "not a model file",
            Self::Checksum => "the checksum differs: the file is damaged",
            Self::Header => "the header cannot be decoded",
            Self::Precision => "its precision is not built in",
            Self::Grids => "it has grids, which are not built in",
            Self::Activation => "its sine layers are not built in",
            Self::Shape => "a shape is beyond this reader's limits",
            Self::Scale => "a domain or output map is not usable",
            Self::Weight => "a weight or constant is out of its range",
            Self::Overflow => "an accumulator could overflow",
            Self::Text => "the descriptive text is not UTF-8",
        })
    }
}

impl core::error::Error for ParseError {}

/// Why one evaluation was refused. Nothing was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EvalError {
    /// The points' length is not a multiple of the model's inputs (one point: not equal).
    PointLength,
    /// The output buffer does not hold one value per output and point.
    OutputLength,
    /// The scratch holds fewer words than [`Model::scratch_words`](crate::Model::scratch_words).
    ScratchLength,
    /// The point lies outside the trained domain along an axis where the model says
    /// [`Outside::Reject`](crate::Outside::Reject).
    OutsideDomain,
    /// The model has an axis that does not consist of integer codes, so that it takes no points of codes alone.
    NotCodes,
    /// The known-answer digest differs: this build or this device does not compute what the trainer computed.
    KnownAnswer,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PointLength => "the points' length does not fit the model's inputs",
            Self::OutputLength => "the output buffer's length does not fit the points and the model's outputs",
            Self::ScratchLength => "the scratch is too small for this model",
            Self::OutsideDomain => "the point lies outside the trained domain",
            Self::NotCodes => "an axis of the model does not consist of integer codes",
            Self::KnownAnswer => "the known answers differ from those in the model",
        })
    }
}

impl core::error::Error for EvalError {}

/// Why an artifact could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The parts disagree with the header: number of axes, layers, weights, biases or multipliers, or their kind.
    Parts,
    /// The output buffer or the scratch is too small, or the output buffer misaligned.
    Buffer,
    /// What was written is not a valid model.
    Invalid(ParseError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts => f.write_str("the network's parts disagree with its header"),
            Self::Buffer => f.write_str("a buffer is too small or misaligned"),
            Self::Invalid(error) => write!(f, "the network cannot be stored: {error}"),
        }
    }
}

impl core::error::Error for WriteError {}
