//! What can be wrong with an array of NumPy.

use thiserror::Error;

use crate::data::{GridError, TableError};
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Why an `.npy` or `.npz` gives no data set. Types and shapes are written as NumPy writes them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The first bytes are not those of an `.npy`.
    #[error("it is no .npy array; save it with numpy.save")]
    Magic,
    /// The file ends within the header.
    #[error("the .npy header is cut short; copy the file again")]
    HeaderTruncated,
    /// A version of the format other than 1, 2 and 3.
    #[error("unknown .npy version {0}; save it with numpy.save")]
    Version(u8),
    /// A key of the header is missing or has an impossible value.
    #[error("the .npy header has no valid '{0}'; save it with numpy.save")]
    Header(&'static str),
    /// Elements of this complex type.
    #[error(
        "elements of type '{0}' are complex; give real and imaginary parts a column each, as numpy.stack([a.real, \
         a.imag], -1) does, and fit with --channels-last"
    )]
    Complex(String),
    /// Elements of a type that is no number: text, dates, long doubles, objects.
    #[error("elements of type '{0}' are not supported; convert with .astype('float32')")]
    ElementType(String),
    /// The shape needs more bytes than follow the header; both counts.
    #[error("truncated: shape {0:?} needs {1} bytes of data, the file has {2}; copy it again")]
    Truncated(Vec<usize>, u128, usize),
    /// Too few or too many axes.
    #[error("the array of shape {0:?} has {len} dimensions, expected 1 to 3, or one more with \
        --channels-last", len = .0.len())]
    Dimensions(Vec<usize>),
    /// More outputs than a network may have.
    #[error(
        "the last axis of shape {0:?} would give {channels} outputs, at most {MAX_OUTPUTS} are possible; leave out \
         --channels-last or slice the array",
        channels = .0.last().unwrap_or(&0)
    )]
    Channels(Vec<usize>),
    /// The values make no samples.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// A shape of height, width and a short axis, which may hold colours or slices.
    #[error(
        "the array of shape {0:?} may be a picture in colours or a volume; if its last axis holds the outputs, such as \
         colours, add --channels-last, if it is a volume, add --volume"
    )]
    ColoursOrVolume(Vec<usize>),
    /// A zip that is damaged or compressed in an unusual way, with the reason.
    #[error("the .npz archive cannot be read ({0}); save it again with numpy.savez")]
    Archive(String),
    /// An array whose size in memory would be beyond what is unpacked, in GiB.
    #[error(
        "the array '{0}' unpacks to more than {1} GiB; save it alone with numpy.save, or save fewer of its elements"
    )]
    Unpacked(String, u64),
    /// The archive holds these arrays, and none of them is chosen.
    #[error("the archive holds several arrays; choose one with --array: {0}")]
    WhichArray(String),
    /// The chosen array is not in the archive, which holds the others named.
    #[error("the archive holds no array '{0}'; its arrays are {1}")]
    NoSuchArray(String, String),
    /// Records of this type are nested or hold too few numbers.
    #[error(
        "records of {0} cannot be read as a table; save two or more fields of real numbers, without records within \
         records"
    )]
    Records(String),
    /// Records that have another number of axes than one.
    #[error("the structured array of shape {0:?} is no list of records; save array.ravel()")]
    RecordGrid(Vec<usize>),
    /// The chosen fields or columns make no samples.
    #[error(transparent)]
    Columns(#[from] TableError),
    /// More inputs or outputs than a network may have; both counts.
    #[error(
        "{0} coordinates and {1} values in each row, at most {MAX_INPUTS} and {MAX_OUTPUTS} are possible; keep fewer \
         columns"
    )]
    TooManyColumns(usize, usize),
    /// In this row, counted from 0 as NumPy does, the named column has a value that f32 does not hold.
    #[error(
        "row {0} of column '{1}' is {2}; replace it with a finite number, or leave such rows out with --no-data={2}"
    )]
    RowNotFinite(usize, String, f64),
    /// Fewer rows than span a domain.
    #[error("{0} rows are left; at least two are needed to span a domain")]
    FewRows(usize),
    /// The arrays of points and of targets differ in their numbers of rows; both shapes.
    #[error("the points have shape {0:?} and the targets {1:?}; both must have as many rows")]
    RowCounts(Vec<usize>, Vec<usize>),
    /// Points or targets that are no list of rows.
    #[error("the array of shape {0:?} is no list of points; save it in the shape (n, k), a row for each point")]
    NoColumns(Vec<usize>),
}

impl NpyError {
    /// An archive that cannot be read.
    pub(super) fn archive(error: impl ToString) -> Self {
        Self::Archive(error.to_string())
    }

    /// Elements that are not read, by NumPy's name of their type.
    pub(super) fn element_type(descr: &str) -> Self {
        let complex = matches!(descr.as_bytes(), [b'<' | b'>' | b'=', b'c', ..]);
        if complex { Self::Complex(descr.to_owned()) } else { Self::ElementType(descr.to_owned()) }
    }
}
