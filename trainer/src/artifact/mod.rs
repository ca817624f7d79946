//! From a trained network to the file that a device evaluates, and that file read back.
//!
//! [`export`] makes the bytes: it asks [`quantize`] for the weights in a [`precision`] and [`card_text`] for what the
//! file says about itself. [`model_file`] reads a file and evaluates it, [`model_card`] tells what is in it,
//! [`c_source`] writes it as C.

pub mod c_source;
mod calibration;
mod card_table;
pub mod card_text;
mod dense_layer;
mod equalize;
pub mod export;
mod linearization;
pub mod model_card;
pub mod model_file;
pub mod precision;
pub mod quantize;
mod row_kind;
