//! From a trained network to the file that a device evaluates, and that file read back.

pub mod export;
pub mod model_card;
pub mod model_file;
pub mod quantize;
