//! Data sets: a picture, an `.npy` grid or a table in a CSV, as coordinates and targets for a network.
//!
//! Whatever the file, a [`Dataset`] holds `n` samples with `d` inputs and `c` outputs:
//!
//! | field | shape | meaning |
//! | --- | --- | --- |
//! | `points` | `[n, d]` | where, in the user's units (pixel or array indices, or the values of the input columns) |
//! | `coordinates` | `[n, d]` | the same in Q0.32 of the unit domain, as [`Axis::to_fixed`] gives it on the device too |
//! | `targets` | `[n, c]` | what, in unit values: every output lies in [0, 1] |
//!
//! # Conventions
//!
//! - **x comes first.** On pictures and grids the first input is the index along the *last* spatial axis of the array
//!   (the column), the second the row, the third the slice, so that a picture and the `.npy` of its pixels train the
//!   same network. The samples are in the order of the array's elements (row-major, x fastest).
//! - **Domain.** n samples along an axis have minimum 0, maximum n-1, period n: sample k is at k/n of the unit domain.
//!   A column of a table has its own minimum and maximum, and its mean spacing (span over the number of distinct
//!   values less one) takes the place of the 1.
//! - **Outputs.** `unit = (value - offset) / scale`. Pictures have offset 0 and scale 1: their unit is the intensity.
//!   All channels of an `.npy` share one offset and scale, since they share one array; each column of a table has its
//!   own. A constant output has scale 1, so nothing is divided by zero.
//! - **Peak.** PSNR is measured on unit values, where the peak is 1: the range of the data.

pub mod csv;
mod domain;
mod error;
pub mod holdout;
mod image;
pub mod npy;
pub mod sentinel;

use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::files;

pub use domain::{Axis, OutputMap, Outside};
pub use error::{CsvError, DatasetError, NpyError};
pub use holdout::{Holdout, Split, split};

/// What a file of data looked like before it became samples; reports draw it in this form again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture; `channels` is 1 (grey) or 3 (RGB).
    Image {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Values per pixel.
        channels: usize,
    },
    /// An array of one, two or three spatial dimensions.
    Grid {
        /// The spatial dimensions in the array's order: the last is x.
        shape: Vec<usize>,
        /// Whether the array had one more axis, the last, which held the outputs.
        channels_last: bool,
    },
    /// Rows of a table, in the file's order.
    Table,
}

/// Samples to train on or to compare with; the module's header says what is in which unit and order.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Q0.32 coordinates in the unit domain, `[n, d]`.
    pub coordinates: Array2<u32>,
    /// Coordinates in the user's units, `[n, d]`.
    pub points: Array2<f32>,
    /// Unit values in [0, 1], `[n, c]`.
    pub targets: Array2<f32>,
    /// The domain of each input.
    pub axes: Vec<Axis>,
    /// From unit values back to the user's units, for each output.
    pub output_maps: Vec<OutputMap>,
    /// What the file looked like.
    pub kind: Kind,
    /// `x`, `y`, `z`, or the names of the columns.
    pub input_names: Vec<String>,
    /// `value`, `red`, …, or the names of the columns.
    pub output_names: Vec<String>,
    /// What zero stands for in `points`, in the file's own numbers, for each input: `file value = origin + point`. Not zero only where
    /// single precision could not tell the file's values apart otherwise.
    pub input_origins: Vec<f64>,
    /// The same of each output: `file value = origin + map.offset + map.scale · target`.
    pub output_origins: Vec<f64>,
    /// Which cell of the grid or pixel of the picture each sample is, row-major; `None`: every one, in order.
    pub cells: Option<Vec<usize>>,
    /// What was skipped, assumed or changed on reading, a whole sentence each; the command that reads says them once.
    pub notes: Vec<String>,
}

impl Dataset {
    /// A grid of unit values that no file holds: `targets` `[n, c]` at the points of `shape`, x (the last axis of
    /// `shape`) fastest, each output with scale 1 and offset 0.
    ///
    /// # Panics
    /// If the number of targets is not the product of `shape`, or that is zero.
    pub fn from_grid(shape: &[usize], targets: Array2<f32>) -> Self {
        assert!(!targets.is_empty() && shape.iter().product::<usize>() == targets.nrows(), "a target for each point");
        let axes: Vec<Axis> = shape.iter().rev().map(|&len| domain::index_axis(len)).collect();
        let points = domain::lattice_points(shape);
        Self {
            coordinates: domain::to_fixed(&points, &axes),
            points,
            output_maps: vec![OutputMap { scale: 1.0, offset: 0.0 }; targets.ncols()],
            kind: Kind::Grid { shape: shape.to_vec(), channels_last: targets.ncols() > 1 },
            input_names: domain::index_names(axes.len()),
            output_names: (0..targets.ncols()).map(|output| format!("output {output}")).collect(),
            input_origins: vec![0.0; axes.len()],
            output_origins: vec![0.0; targets.ncols()],
            cells: None,
            notes: Vec::new(),
            axes,
            targets,
        }
    }

    /// The number of samples, `n`.
    pub fn len(&self) -> usize {
        self.points.nrows()
    }

    /// Whether there are no samples; [`load`] never returns such a set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of inputs, `d`.
    pub fn inputs(&self) -> usize {
        self.axes.len()
    }

    /// The number of outputs, `c`.
    pub fn outputs(&self) -> usize {
        self.output_maps.len()
    }

    /// The spatial dimensions in the array's order (`[height, width]` of a picture), or `None` for a table.
    pub fn grid_shape(&self) -> Option<Vec<usize>> {
        match &self.kind {
            Kind::Image { width, height, .. } => Some(vec![*height, *width]),
            Kind::Grid { shape, .. } => Some(shape.clone()),
            Kind::Table => None,
        }
    }

    /// The shape in which the outputs are written to an `.npy`: that of the input array, or `[n, c]` for a table.
    pub fn output_shape(&self) -> Vec<usize> {
        let Some(mut shape) = self.grid_shape() else {
            return vec![self.len(), self.outputs()];
        };
        let channels_last = match self.kind {
            Kind::Grid { channels_last, .. } => channels_last,
            _ => self.outputs() > 1,
        };
        if channels_last {
            shape.push(self.outputs());
        }
        shape
    }
}

/// How to read a file; a run keeps it among its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadOptions {
    /// The last axis of an `.npy` holds the outputs.
    pub channels_last: bool,
    /// Columns of a CSV that are inputs, in this order; empty: those that are not outputs.
    pub inputs: Vec<String>,
    /// Columns of a CSV that are outputs, in this order; empty: those that are not inputs, or the last one if the
    /// inputs are not named either.
    pub outputs: Vec<String>,
    /// Values that stand for "no data": samples with one of them are left out, as [`sentinel::is_no_data`] tells.
    #[serde(with = "as_text", skip_serializing_if = "Vec::is_empty")]
    pub no_data: Vec<f64>,
}

/// Numbers kept as text: flattened numbers cannot be read back in every build of the workspace.
mod as_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        numbers.iter().map(f64::to_string).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// Reads a PNG or JPEG picture, an `.npy` array or a CSV table, told apart by content rather than by name.
///
/// # Errors
///
/// One sentence for each way in which the file may be unfit: missing, a directory, empty, of an unknown format, or
/// whatever its own format calls an error.
///
/// ```no_run
/// use trainer::dataset::{LoadOptions, load};
/// let data = load("camera_256.png".as_ref(), &LoadOptions::default())?;
/// assert_eq!((data.len(), data.inputs(), data.outputs()), (65536, 2, 1));
/// # Ok::<(), trainer::dataset::DatasetError>(())
/// ```
pub fn load(path: &Path, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    if path.is_dir() {
        return Err(DatasetError::Directory { path: path.to_owned() });
    }
    let bytes = files::read(path)?;
    if bytes.is_empty() {
        return Err(DatasetError::Empty { path: path.to_owned() });
    }
    match Format::guess(path, &bytes) {
        Some(Format::Image(format)) => {
            no_columns(path, options)?;
            if options.channels_last {
                return Err(DatasetError::ChannelsLastIsForNpy { path: path.to_owned() });
            }
            image::dataset(&bytes, format).map_err(|reason| DatasetError::Image { path: path.to_owned(), reason })
        }
        Some(Format::Npy) => {
            no_columns(path, options)?;
            npy::dataset(&bytes, options.channels_last)
                .map_err(|source| DatasetError::Npy { path: path.to_owned(), source })
        }
        Some(Format::Csv) => {
            if options.channels_last {
                return Err(DatasetError::ChannelsLastIsForNpy { path: path.to_owned() });
            }
            csv::dataset(&bytes, &options.inputs, &options.outputs)
                .map_err(|source| DatasetError::Csv { path: path.to_owned(), source })
        }
        None => Err(DatasetError::UnknownFormat { path: path.to_owned() }),
    }
}

/// Columns can only be named in a table.
fn no_columns(path: &Path, options: &LoadOptions) -> Result<(), DatasetError> {
    if options.inputs.is_empty() && options.outputs.is_empty() {
        Ok(())
    } else {
        Err(DatasetError::ColumnsAreForCsv { path: path.to_owned() })
    }
}

/// Whether a path has the extension of a table, `.csv`, `.tsv` or `.txt`, in any case.
#[must_use]
pub fn is_named_table(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    matches!(extension.as_deref(), Some("csv" | "tsv" | "txt"))
}

#[derive(Clone, Copy)]
enum Format {
    Image(::image::ImageFormat),
    Npy,
    Csv,
}

impl Format {
    /// By the first bytes; a CSV, which has no mark of its own, by its name.
    fn guess(path: &Path, bytes: &[u8]) -> Option<Self> {
        use ::image::ImageFormat::{Jpeg, Png};
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Image(Png));
        }
        if bytes.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Image(Jpeg));
        }
        if bytes.starts_with(npy::MAGIC) {
            return Some(Self::Npy);
        }
        is_named_table(path).then_some(Self::Csv)
    }
}

#[cfg(test)]
mod tests;
