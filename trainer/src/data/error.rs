//! What can be wrong with a file of data. Every message names the place and the remedy; the file's name comes first.

use std::path::PathBuf;

use thiserror::Error;

use super::grid::{ElevationError, GridError};
use super::table::TableError;
use crate::base::files::ReadError;
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

/// Why a file gives no data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// Missing, not permitted, or failing.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A directory where a file should be.
    #[error("{} is a directory; name a picture, an array, an elevation grid or a table in it", path.display())]
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
    /// Neither a picture, nor an array, nor a grid, nor named like a table.
    #[error(
        "{} is neither a PNG, JPEG, WebP, BMP, PNM, PFM, HDR, TIFF, .npy, .npz nor ESRI ASCII grid by its content, nor a .csv, .tsv or .txt \
         table or an .hgt by its name",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A format that is known but not read.
    #[error("{} is {name}, which is not read; {remedy}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        name: &'static str,
        /// A conversion.
        remedy: String,
    },
    /// Column names for a file without columns.
    #[error("{} has no columns to name; naming input and output columns is for CSV tables", path.display())]
    ColumnsAreForCsv {
        /// The file.
        path: PathBuf,
    },
    /// An option of reading for a file of another kind.
    #[error("{} is not {kind}; leave out {option}", path.display())]
    OptionIsFor {
        /// The file.
        path: PathBuf,
        /// As on the command line.
        option: &'static str,
        /// What the option is for, with its article.
        kind: &'static str,
    },
    /// Points or targets that are no array.
    #[error("{} is not an .npy or .npz array; --points and --targets are for arrays, a table has both in one file", path.display())]
    PointsAreArrays {
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
    /// A TIFF, an ESRI ASCII grid or an `.hgt` that cannot be used, or a picture of numbers.
    #[error("{}", path.display())]
    Grid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ElevationError,
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
#[derive(Debug, Error)]
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
    /// Text, dates, long doubles, objects.
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
    /// Too few or too many axes.
    #[error("the array of shape {0:?} has {len} dimensions, expected 1 to 3, or one more with --channels-last", len = .0.len())]
    Dimensions(Vec<usize>),
    /// More outputs than a network may have.
    #[error("the last axis of shape {0:?} would give {channels} outputs, at most {MAX_OUTPUTS} are possible; leave out --channels-last or slice the array", channels = .0.last().unwrap_or(&0))]
    Channels(Vec<usize>),
    /// Its values.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// Height, width and a short axis.
    #[error(
        "the array of shape {0:?} may be a picture in colours or a volume; if its last axis holds the outputs, such as colours, add \
         --channels-last, if it is a volume, add --volume"
    )]
    ColoursOrVolume(Vec<usize>),
    /// A zip that is damaged or packed in an unusual way.
    #[error("the .npz archive cannot be read ({0}); save it again with numpy.savez")]
    Archive(String),
    /// Several arrays, none of them chosen.
    #[error("the archive holds several arrays; choose one with --array: {available}")]
    WhichArray {
        /// Their names.
        available: String,
    },
    /// A name that the archive lacks.
    #[error("the archive holds no array '{name}'; its arrays are {available}")]
    NoSuchArray {
        /// As asked for.
        name: String,
        /// Their names.
        available: String,
    },
    /// Records that are nested or hold too few numbers.
    #[error(
        "records of {0} cannot be read as a table; save two or more fields of real numbers, without records within records"
    )]
    Records(String),
    /// Records on a grid.
    #[error("the structured array of shape {0:?} is no list of records; save array.ravel()")]
    RecordGrid(Vec<usize>),
    /// A field, or the chosen fields.
    #[error(transparent)]
    Columns(#[from] TableError),
    /// More than a network may have.
    #[error(
        "{inputs} coordinates and {outputs} values in each row, at most {MAX_INPUTS} and {MAX_OUTPUTS} are possible; keep fewer columns"
    )]
    TooManyColumns {
        /// Coordinates.
        inputs: usize,
        /// Values.
        outputs: usize,
    },
    /// NaN or infinite.
    #[error(
        "row {row} of column '{column}' is {value}; replace it with a finite number, or leave such rows out with --no-data={value}"
    )]
    RowNotFinite {
        /// Counted from 0, as NumPy does.
        row: usize,
        /// The column's name.
        column: String,
        /// `NaN`, `inf`, `-inf`, or what f32 cannot hold.
        value: f64,
    },
    /// Too few samples.
    #[error("{0} rows are left; at least two are needed to span a domain")]
    FewRows(usize),
    /// Points without targets, or the other way round.
    #[error("the points have shape {points:?} and the targets {targets:?}; both must have as many rows")]
    RowCounts {
        /// Of the points.
        points: Vec<usize>,
        /// Of the targets.
        targets: Vec<usize>,
    },
    /// Points or targets that are no list of rows.
    #[error("the array of shape {0:?} is no list of points; save it in the shape (n, k), a row for each point")]
    NoColumns(Vec<usize>),
}

impl NpyError {
    /// Of an archive that cannot be read.
    pub(super) fn archive(error: &zip::result::ZipError) -> Self {
        Self::Archive(error.to_string())
    }

    /// Of elements that are not read, by NumPy's name of their type.
    pub(super) fn element_type(descr: &str) -> Self {
        let complex = matches!(descr.as_bytes(), [b'<' | b'>' | b'=', b'c', ..]);
        if complex { Self::Complex(descr.to_owned()) } else { Self::ElementType(descr.to_owned()) }
    }
}
