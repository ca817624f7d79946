//! What can be wrong with an array or an elevation grid.

use firmware_core::limits::MAX_OUTPUTS;
use thiserror::Error;

/// Why the values of a grid make no samples.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum GridError {
    /// An axis of length zero.
    #[error("the array of shape {0:?} has 0 elements")]
    Empty(Vec<usize>),
    /// An index that f32 cannot hold.
    #[error("the array of shape {0:?} has an axis longer than 2^24; split or thin it out")]
    AxisTooLong(Vec<usize>),
    /// More outputs than a network may have.
    #[error(
        "the grid of shape {shape:?} has {outputs} values in each cell, at most {MAX_OUTPUTS} outputs are possible; keep fewer of them"
    )]
    Outputs {
        /// The spatial dimensions.
        shape: Vec<usize>,
        /// Values in each cell.
        outputs: usize,
    },
    /// Nothing but holes.
    #[error("all {cells} cells are without data; check --no-data")]
    AllMissing {
        /// All there are.
        cells: usize,
    },
    /// NaN or infinite.
    #[error(
        "the element at index {index:?} is {value}; replace it with a finite number, or leave such cells out with --no-data={value}"
    )]
    NotFinite {
        /// In the array's order.
        index: Vec<usize>,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// A range that f32 cannot hold.
    #[error(
        "the values span {minimum:e} to {maximum:e}, more than f32 holds; rescale them, or leave values that stand for missing data out with --no-data"
    )]
    Range {
        /// Smallest element.
        minimum: f64,
        /// Largest element.
        maximum: f64,
    },
}

/// Why a TIFF, an ESRI ASCII grid or an `.hgt` gives no data.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ElevationError {
    /// A TIFF.
    #[error(transparent)]
    Tiff(#[from] TiffFault),
    /// An ESRI ASCII grid.
    #[error(transparent)]
    Ascii(#[from] AsciiError),
    /// An SRTM tile.
    #[error(transparent)]
    Hgt(#[from] HgtError),
    /// A portable float map.
    #[error(transparent)]
    Pfm(#[from] PfmError),
    /// Its values.
    #[error(transparent)]
    Grid(#[from] GridError),
}

/// Why a TIFF is not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TiffFault {
    /// Bytes that are missing or contradict each other; the reason is in the sentence, and no `source` that would repeat it.
    #[error("the TIFF is damaged or cut short ({0}); copy it again")]
    Damaged(::tiff::TiffError),
    /// A kind of TIFF that is not read.
    #[error("this kind of TIFF is not read ({reason}); convert it with: {command}")]
    Unsupported {
        /// In words.
        reason: String,
        /// What makes a TIFF that is read.
        command: String,
    },
}

/// What can be wrong with an ESRI ASCII grid.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AsciiError {
    /// A line of the header is missing.
    #[error("the header has no '{0}'; an ESRI ASCII grid begins with ncols, nrows, xllcorner, yllcorner and cellsize")]
    Missing(&'static str),
    /// A line of the header is no number, or an impossible one.
    #[error("line {line}: '{text}' is no {key}; correct the header")]
    Header {
        /// Counted from 1.
        line: usize,
        /// Such as `ncols`.
        key: String,
        /// What stands there.
        text: String,
    },
    /// Text where a number should be.
    #[error("line {line}: '{text}' is not a number; correct it")]
    NotANumber {
        /// Counted from 1.
        line: usize,
        /// What stands there, shortened if long.
        text: String,
    },
    /// Too few or too many values.
    #[error(
        "{rows} rows of {columns} values need {needed}, the file has {found}; copy it again or correct ncols and nrows"
    )]
    Count {
        /// `nrows`.
        rows: usize,
        /// `ncols`.
        columns: usize,
        /// Their product.
        needed: usize,
        /// Values below the header.
        found: usize,
    },
}

/// What can be wrong with an `.hgt`.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum HgtError {
    /// Not as many bytes as a square of 16-bit integers has.
    #[error(
        "an .hgt has 1201 x 1201 or 3601 x 3601 heights of 2 bytes each (2884802 or 25934402 bytes), this file has {0} bytes; \
         unpack it if it is packed, or copy it again"
    )]
    Size(usize),
}

/// What can be wrong with a portable float map.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PfmError {
    /// No width, height or scale.
    #[error("the header of a .pfm is PF or Pf, width, height and a scale that is not 0; save it again")]
    Header,
    /// Fewer bytes than the size needs.
    #[error("its size needs {needed} bytes of data, the file has {found}; copy it again")]
    Truncated {
        /// Bytes for that size.
        needed: usize,
        /// Bytes after the header.
        found: usize,
    },
}
