//! Trains, explains and quantizes Fourier-feature networks.

pub mod baseline;
pub mod checkpoint;
pub mod dataset;
pub mod encoding;
pub mod export;
pub mod features;
pub mod files;
pub mod fit;
pub mod loss;
pub mod matmul;
pub mod metrics;
pub mod model_card;
pub mod model_file;
pub mod network;
pub mod optimizer;
pub mod outcome;
pub mod progress;
pub mod quantize;
pub mod regression;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod saved;
pub mod tensors;
pub mod theory;
pub mod train;
