//! Trains, explains and quantizes Fourier-feature networks.

pub mod baseline;
pub mod dataset;
pub mod export;
pub mod files;
pub mod metrics;
pub mod model_card;
pub mod model_file;
pub mod quantize;
pub mod report;
pub mod theory;
