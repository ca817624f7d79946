//! Data sets: a picture, an array, an elevation grid or a table, as coordinates and targets for a network.
//!
//! Whatever the file, a [`Dataset`] holds `n` samples with `d` inputs and `c` outputs:
//!
//! | field | shape | meaning |
//! | --- | --- | --- |
//! | `points` | `[n, d]` | where, in the user's units: indices, or the values of the input columns less their origins |
//! | `coordinates` | `[n, d]` | the same in Q0.32 of the unit domain, as [`Axis::to_fixed`] gives it on the device |
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
//!   All channels of an `.npy` share one offset and scale, since they share one array; each column of a table and each
//!   band of a TIFF has its own. A constant output has scale 1, so nothing is divided by zero.
//! - **Origins.** A column whose values single precision cannot tell apart is counted from a round number close to
//!   them, which `input_origins` and `output_origins` hold: `file value = origin + point`. All other origins are 0. The
//!   model, its axes and its output maps count from there too, and its text says so.
//! - **Missing data.** Samples with a value of [`LoadOptions::no_data`] are left out; [`sentinel`] notices values that
//!   look like it.
//! - **Holes.** Cells without data are no samples: `cells` says which cell each sample is. The domain stays that of the
//!   whole grid.
//! - **Peak.** PSNR is measured on unit values, where the peak is 1: the range of the data.

mod array;
pub mod codes;
mod dataset;
mod domain;
mod error;
mod foreign;
mod format;
mod grid;
pub mod holdout;
mod image;
mod load;
pub mod metrics;
mod options;
mod origin;
pub mod periodic;
pub mod points;
pub mod sentinel;
mod summary;
pub mod table;

pub use array::{NpyError, npy};
pub use dataset::{DataKind, Dataset};
pub use domain::{Axis, OutputMap, Outside, in_user_units};
pub use error::DatasetError;
pub use format::{has_columns, is_named_table};
pub use grid::{AsciiError, ElevationError, GridError, HgtError, PfmError, TiffFault};
pub use holdout::{Holdout, HoldoutError, Split, note_of_repeated, split};
pub use load::load;
pub use options::{LoadOptions, Origins};
pub use table::{Decimal, TableError};

#[cfg(test)]
mod tests;
