//! What can be wrong with an array or an elevation grid.

use firmware_core::limits::MAX_OUTPUTS;
use thiserror::Error;

/// Why the values of a grid make no samples. Shapes and indices are in the order of the file's axes, the last is x.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum GridError {
    /// An axis has the length zero.
    #[error("the array of shape {0:?} has 0 elements")]
    Empty(Vec<usize>),
    /// An axis is so long that f32 does not hold its indices.
    #[error("the array of shape {0:?} has an axis longer than 2^24; split or thin it out")]
    AxisTooLong(Vec<usize>),
    /// A cell has more values than a network may have outputs.
    #[error(
        "the grid of shape {0:?} has {1} values in each cell, at most {MAX_OUTPUTS} outputs are possible; keep fewer \
         of them"
    )]
    Outputs(Vec<usize>, usize),
    /// Each of so many cells is a hole.
    #[error("all {0} cells are without data; check --no-data")]
    AllMissing(usize),
    /// The element at an index is NaN or infinite.
    #[error(
        "the element at index {0:?} is {1}; replace it with a finite number, or leave such cells out with --no-data={1}"
    )]
    NotFinite(Vec<usize>, f64),
    /// The smallest and the largest value are farther apart than f32 holds.
    #[error(
        "the values span {0:e} to {1:e}, more than f32 holds; rescale them, or leave values that stand for missing \
         data out with --no-data"
    )]
    Range(f64, f64),
}

/// Why a TIFF, an ESRI ASCII grid, an `.hgt` or a portable float map gives no data.
#[derive(Debug, Error)]
#[non_exhaustive]
#[error(transparent)]
pub enum ElevationError {
    /// A TIFF that is damaged, or of a kind that is not read.
    Tiff(#[from] TiffFault),
    /// An ESRI ASCII grid with a bad line.
    Ascii(#[from] AsciiError),
    /// A tile of the Shuttle Radar Topography Mission of an impossible size.
    Hgt(#[from] HgtError),
    /// A portable float map that is damaged.
    Pfm(#[from] PfmError),
    /// A file that can be read, whose values make no samples.
    Grid(#[from] GridError),
}

/// Why a TIFF is not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TiffFault {
    /// Bytes that are missing or contradict each other; the reason is in the sentence, and no `source` that would
    /// repeat it.
    #[error("the TIFF is damaged or cut short ({0}); copy it again")]
    Damaged(::tiff::TiffError),
    /// A kind of TIFF that is not read: the reason, and a command that converts it.
    #[error("this kind of TIFF is not read ({0}); convert it with: {1}")]
    Unsupported(String, String),
}

/// What can be wrong with an ESRI ASCII grid. Lines count from 1.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AsciiError {
    /// The header lacks a line with this name.
    #[error("the header has no '{0}'; an ESRI ASCII grid begins with ncols, nrows, xllcorner, yllcorner and cellsize")]
    Missing(&'static str),
    /// A line of the header has no number, or an impossible one: the line, its name, and what stands there.
    #[error("line {0}: '{2}' is no {1}; correct the header")]
    Header(usize, String, String),
    /// A line of values holds this text.
    #[error("line {0}: '{1}' is not a number; correct it")]
    NotANumber(usize, String),
    /// There are too few or too many values: the rows and columns of the header, and the values that were found.
    #[error(
        "{rows} rows of {columns} values need {needed}, the file has {1}; copy it again or correct ncols and nrows",
        rows = .0[0], columns = .0[1], needed = .0[0].saturating_mul(.0[1])
    )]
    Count([usize; 2], usize),
}

/// What can be wrong with an `.hgt`.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum HgtError {
    /// Not as many bytes as a square of 16-bit integers has.
    #[error(
        "an .hgt has 1201 x 1201 or 3601 x 3601 heights of 2 bytes each (2884802 or 25934402 bytes), this file has {0} \
         bytes; unpack it if it is packed, or copy it again"
    )]
    Size(usize),
}

/// What can be wrong with a portable float map.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PfmError {
    /// The header lacks the width, the height or the scale.
    #[error("the header of a .pfm is PF or Pf, width, height and a scale that is not 0; save it again")]
    Header,
    /// The size needs more bytes than follow the header; both counts.
    #[error("its size needs {0} bytes of data, the file has {1}; copy it again")]
    Truncated(usize, usize),
}
