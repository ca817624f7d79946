//! NumPy's arrays: `.npy` files, alone, in `.npz` archives, or in pairs.
//!
//! | file | finds out |
//! | --- | --- |
//! | `npy.rs` | the type, the shape and the numbers of an array |
//! | `npz.rs` | which array of an archive is meant |
//! | `plain.rs` | whether an array of numbers is a grid or a picture |
//! | `records.rs` | which fields of a structured array are inputs and outputs |
//! | `paired.rs` | points in one array, their targets in another |
//! | `columns.rs` | samples of named columns, for records and pairs |

mod columns;
mod error;
pub mod npy;
pub(super) mod npz;
pub(super) mod paired;
pub(super) mod plain;
pub(super) mod records;

pub use error::NpyError;
