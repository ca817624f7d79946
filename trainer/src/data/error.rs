//! What can be wrong with a file of data. Every message names the place and the remedy; the file's name comes first.

use std::path::PathBuf;

use thiserror::Error;

use super::array::NpyError;
use super::grid::ElevationError;
use super::holdout::HoldoutError;
use super::table::TableError;
use crate::base::files::ReadError;

/// Why a file gives no data set. The path of each variant is that of the file, as it was given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file is missing, not permitted, or reading it fails.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The path is that of a directory.
    #[error("{path} is a directory; name a picture, an array, an elevation grid or a table in it", path = .0.display())]
    Directory(PathBuf),
    /// The file has no bytes.
    #[error("{path} is empty", path = .0.display())]
    Empty(PathBuf),
    /// Neither a picture, nor an array, nor a grid, nor a table.
    #[error(
        "{path} is neither a PNG, JPEG, WebP, BMP, PNM, PFM, HDR, TIFF, .npy, .npz, ESRI ASCII grid nor table of numbers by its \
         content, nor a .csv, .tsv or .txt table or an .hgt by its name",
        path = .0.display()
    )]
    UnknownFormat(PathBuf),
    /// A format that is known but not read: its name with the article, and how to convert it.
    #[error("{path} is {1}, which is not read; {2}", path = .0.display())]
    Foreign(PathBuf, &'static str, String),
    /// Column names for a file without columns.
    #[error("{path} has no columns to name; naming input and output columns is for CSV tables", path = .0.display())]
    ColumnsAreForCsv(PathBuf),
    /// An option that is for another kind of file: the option, and the kind with its article.
    #[error("{path} is not {2}; leave out {1}", path = .0.display())]
    OptionIsFor(PathBuf, &'static str, &'static str),
    /// Points or targets that are no array.
    #[error("{path} is not an .npy or .npz array; --points and --targets are for arrays, a table has both in one \
        file", path = .0.display())]
    PointsAreArrays(PathBuf),
    /// A picture that cannot be decoded. The decoder's reason is in the sentence and no `source`, since it may run over
    /// several lines.
    #[error("{path} is damaged or cut short ({reason}); save it again", path = .0.display(), reason = first_line(.1))]
    Image(PathBuf, image::ImageError),
    /// An array of NumPy that cannot be used.
    #[error("{path}", path = .0.display())]
    Npy(PathBuf, #[source] NpyError),
    /// A TIFF, an ESRI ASCII grid or an `.hgt` that cannot be used, or a picture of numbers.
    #[error("{path}", path = .0.display())]
    Grid(PathBuf, #[source] ElevationError),
    /// A table that cannot be used.
    #[error("{path}", path = .0.display())]
    Table(PathBuf, #[source] TableError),
    /// A holdout that leaves nothing to train on or to test with.
    #[error(transparent)]
    Holdout(#[from] HoldoutError),
}

fn first_line(error: &image::ImageError) -> String {
    error.to_string().lines().next().unwrap_or_default().trim().to_owned()
}
