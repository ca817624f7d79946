//! What can be wrong with a file of data. Every message names the place and the remedy; the file's name comes first.

use std::path::PathBuf;

use thiserror::Error;

use super::table::TableError;
use crate::files::ReadError;
use firmware_core::limits::MAX_OUTPUTS;

/// Why a file gives no data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// Missing, not permitted, or failing.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A directory where a file should be.
    #[error("{} is a directory; name a PNG, JPEG, .npy or CSV file in it", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// Zero bytes.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Neither a picture, nor an array, nor named like a table.
    #[error("{} is neither a PNG, JPEG nor .npy by its content, nor a .csv, .tsv or .txt table by its name", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// Column names for a file without columns.
    #[error("{} has no columns to name; naming input and output columns is for CSV tables", path.display())]
    ColumnsAreForCsv {
        /// The file.
        path: PathBuf,
    },
    /// Options of tables for another file.
    #[error("{} is no table; leave out {option}", path.display())]
    OptionIsForTables {
        /// The file.
        path: PathBuf,
        /// As on the command line.
        option: &'static str,
    },
    /// `--channels-last` for a file that is not an array.
    #[error("{} is not an .npy array; leave out --channels-last", path.display())]
    ChannelsLastIsForNpy {
        /// The file.
        path: PathBuf,
    },
    /// A picture that cannot be decoded.
    #[error("{} is damaged or cut short ({}); save it again", path.display(), first_line(reason))]
    Image {
        /// The file.
        path: PathBuf,
        /// The decoder's reason; not a `source`, since its text may run over several lines.
        reason: image::ImageError,
    },
    /// An `.npy` array that cannot be used.
    #[error("{}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: NpyError,
    },
    /// A table that cannot be used.
    #[error("{}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
    /// A holdout that leaves nothing to train on or to test with.
    #[error("holdout {holdout} of {samples} samples leaves none to {left_without}; {remedy}")]
    Holdout {
        /// As on the command line.
        holdout: String,
        /// All there are.
        samples: usize,
        /// `train on` or `test with`.
        left_without: &'static str,
        /// What gives some to both.
        remedy: &'static str,
    },
}

fn first_line(error: &image::ImageError) -> String {
    error.to_string().lines().next().unwrap_or_default().trim().to_owned()
}

/// What can be wrong with an `.npy` array.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum NpyError {
    /// Something else.
    #[error("it is no .npy array; save it with numpy.save")]
    Magic,
    /// Ends within the header.
    #[error("the .npy header is cut short; copy the file again")]
    HeaderTruncated,
    /// Versions 1, 2 and 3 exist.
    #[error("unknown .npy version {0}; save it with numpy.save")]
    Version(u8),
    /// Not the dictionary that NumPy writes.
    #[error("the .npy header has no valid '{0}'; save it with numpy.save")]
    Header(&'static str),
    /// Numbers of two parts.
    #[error(
        "elements of type '{0}' are complex; give real and imaginary parts a column each, as numpy.stack([a.real, a.imag], -1) does, \
         and fit with --channels-last"
    )]
    Complex(String),
    /// Half, text, records, objects.
    #[error("elements of type '{0}' are not supported; convert with .astype('float32')")]
    ElementType(String),
    /// Fewer bytes than the shape needs.
    #[error("truncated: shape {shape:?} needs {needed} bytes of data, the file has {found}; copy it again")]
    Truncated {
        /// As the header says.
        shape: Vec<usize>,
        /// Bytes for that shape.
        needed: u128,
        /// Bytes after the header.
        found: usize,
    },
    /// An axis of length zero.
    #[error("the array of shape {0:?} has 0 elements")]
    NoElements(Vec<usize>),
    /// Too few or too many axes.
    #[error("the array of shape {0:?} has {len} dimensions, expected 1 to 3, or one more with --channels-last", len = .0.len())]
    Dimensions(Vec<usize>),
    /// More outputs than a network may have.
    #[error("the last axis of shape {0:?} would give {channels} outputs, at most {MAX_OUTPUTS} are possible; leave out --channels-last or slice the array", channels = .0.last().unwrap_or(&0))]
    Channels(Vec<usize>),
    /// An index that f32 cannot hold.
    #[error("the array of shape {0:?} has an axis longer than 2^24; split or thin it out")]
    AxisTooLong(Vec<usize>),
    /// NaN or infinite.
    #[error("the element at index {index:?} is {value}; replace it with a finite number")]
    NotFinite {
        /// In the array's order.
        index: Vec<usize>,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// A range that f32 cannot hold.
    #[error("the values span {minimum:e} to {maximum:e}, more than f32 holds; rescale them")]
    Range {
        /// Smallest element.
        minimum: f64,
        /// Largest element.
        maximum: f64,
    },
}

impl NpyError {
    /// Of elements that are not read, by NumPy's name of their type.
    pub(super) fn element_type(descr: &str) -> Self {
        let complex = matches!(descr.as_bytes(), [b'<' | b'>' | b'=', b'c', ..]);
        if complex { Self::Complex(descr.to_owned()) } else { Self::ElementType(descr.to_owned()) }
    }
}
