//! Trains, explains and quantizes Fourier-feature networks.

pub mod baseline;
pub mod dataset;
pub mod export;
pub mod quantize;
pub mod theory;
