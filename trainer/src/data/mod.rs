//! Data sets: a picture, an array, an elevation grid or a table, as coordinates and targets for a network.
//!
//! Whatever the file, a [`Dataset`] holds `n` samples with `d` inputs and `c` outputs:
//!
//! | field | shape | meaning |
//! | --- | --- | --- |
//! | `points` | `[n, d]` | where, in the user's units (pixel or array indices, or the values of the input columns less their origins) |
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
//!   All channels of an `.npy` share one offset and scale, since they share one array; each column of a table and each band
//!   of a TIFF has its own. A constant output has scale 1, so nothing is divided by zero.
//! - **Origins.** A column whose values single precision cannot tell apart is counted from a round number close to them, which
//!   `input_origins` and `output_origins` hold: `file value = origin + point`. All other origins are 0. The model, its axes and its
//!   output maps count from there too, and its text says so.
//! - **Missing data.** Samples with a value of [`LoadOptions::no_data`] are left out; [`sentinel`] notices values that look like it.
//! - **Holes.** Cells without data are no samples: `cells` says which cell each sample is. The domain stays that of the
//!   whole grid.
//! - **Peak.** PSNR is measured on unit values, where the peak is 1: the range of the data.

mod arrays;
mod columns;
mod domain;
mod error;
mod foreign;
mod format;
mod grid;
pub mod holdout;
mod image;
mod load;
pub mod metrics;
pub mod npy;
pub(crate) mod npz;
mod origin;
pub mod periodic;
mod points;
pub mod query;
mod records;
pub mod sentinel;
mod summary;
pub mod table;

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::base::files;
use crate::base::fingerprint::fingerprint_of;

pub use domain::{Axis, OutputMap, Outside, in_user_units};
pub use error::{DatasetError, NpyError};
pub use format::{has_columns, is_named_table};
pub use grid::{AsciiError, ElevationError, GridError, HgtError, PfmError, TiffFault};
pub use holdout::{Holdout, Split, split};
pub use load::load;
pub use table::{Decimal, TableError};

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
    /// The unit of each input as the file gives it, empty where it gives none; no element at all if it gives no units.
    pub input_units: Vec<String>,
    /// The same of each output.
    pub output_units: Vec<String>,
    /// What zero stands for in `points`, in the file's own numbers, for each input: `file value = origin + point`. Not zero only where
    /// the rounding of single precision would be seen in the data otherwise.
    pub input_origins: Vec<f64>,
    /// The same of each output: `file value = origin + map.offset + map.scale · target`.
    pub output_origins: Vec<f64>,
    /// Which cell of the grid or pixel of the picture each sample is, row-major; `None`: every one, in order.
    pub cells: Option<Vec<usize>>,
    /// What was skipped, assumed or changed on reading, a whole sentence each; the command that reads says them once.
    pub notes: Vec<String>,
}

impl Dataset {
    /// A checksum of what a training sees of the data: coordinates and targets.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let targets = self.targets.iter().map(|target| target.to_bits());
        fingerprint_of(self.coordinates.iter().copied().chain(targets))
    }

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
            input_units: Vec::new(),
            output_units: Vec::new(),
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

    /// Values of all samples, `[n, c]`, in the order of the file's cells with NaN in the holes: as [`Dataset::output_shape`] tells.
    pub fn on_grid(&self, values: &Array2<f32>) -> Array2<f32> {
        let Some((shape, cells)) = self.grid_shape().zip(self.cells.as_deref()) else {
            return values.clone();
        };
        let mut all = Array2::from_elem((shape.iter().product(), values.ncols()), f32::NAN);
        for (row, &cell) in values.rows().into_iter().zip(cells) {
            all.row_mut(cell).assign(&row);
        }
        all
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

    /// Writes what a model answers at every sample, `[n, c]` counted from [`output_origins`](Self::output_origins), to an `.npy` in the
    /// file's own numbers: f32, or f64 where an origin needs it; cells without data are NaN.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_outputs(&self, path: &Path, predictions: &Array2<f32>) -> Result<(), files::WriteError> {
        let (shape, predictions) = (self.output_shape(), self.on_grid(predictions));
        if self.output_origins.iter().all(|&origin| origin == 0.0) {
            let values: Vec<f32> = predictions.iter().copied().collect();
            return files::write_with(path, |writer| npy::write(writer, &shape, &values));
        }
        let origins = self.output_origins.iter().cycle();
        let values: Vec<f64> = predictions.iter().zip(origins).map(|(&y, origin)| origin + f64::from(y)).collect();
        files::write_with(path, |writer| npy::write(writer, &shape, &values))
    }
}

/// How to read a file; a run keeps it among its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadOptions {
    /// The last axis of an `.npy` holds the outputs.
    pub channels_last: bool,
    /// An `.npy` of height x width x 3 or 4 is a volume, not a picture in colours.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub volume: bool,
    /// The array of an `.npz` that is read; may be left out if there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// The array of targets, a row each, for which the file itself holds the points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<PathBuf>,
    /// Columns of a table that are inputs, in this order, by name or number; empty: those that are not outputs.
    pub inputs: Vec<String>,
    /// Columns of a table that are outputs, in this order; empty: those that are not inputs, or the last one if the
    /// inputs are not named either.
    pub outputs: Vec<String>,
    /// Values that stand for "no data": samples with one of them are left out, as [`sentinel::is_no_data`] tells.
    #[serde(with = "as_text", skip_serializing_if = "Vec::is_empty")]
    pub no_data: Vec<f64>,
    /// The decimal mark of a table; `None`: as its cells tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Rows of a table with a missing or bad cell in a column that is used are left out, and cells of a grid that are NaN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_missing: bool,
    /// The table has one axis in the line of its names and one in its first column.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wide: bool,
    /// Set where data are read for a model that exists: they are counted from its origins and may be a single row, since the model
    /// has the domain.
    #[serde(skip)]
    pub origins: Option<Origins>,
}

impl LoadOptions {
    /// All values that stand for missing data in an array or a grid.
    pub(crate) fn missing(&self) -> Vec<f64> {
        let nan = self.skip_missing.then_some(f64::NAN);
        self.no_data.iter().copied().chain(nan).collect()
    }
}

/// From where the inputs and outputs of a model are counted, in the file's own numbers; those that are not listed, from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins {
    /// As [`Dataset::input_origins`].
    pub inputs: Vec<f64>,
    /// As [`Dataset::output_origins`].
    pub outputs: Vec<f64>,
}

impl Origins {
    /// Of the input with this number.
    #[must_use]
    pub fn input(&self, k: usize) -> f64 {
        self.inputs.get(k).copied().unwrap_or_default()
    }

    /// Of the output with this number.
    #[must_use]
    pub fn output(&self, k: usize) -> f64 {
        self.outputs.get(k).copied().unwrap_or_default()
    }
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

#[cfg(test)]
mod tests;
