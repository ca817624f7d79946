//! Trains, explains and quantizes Fourier-feature networks.

pub mod dataset;
pub mod theory;
