//! What every other room stands on, and what knows nothing of networks: files, random numbers, checksums of data, jobs
//! side by side, the Fourier transform.

pub mod files;
pub mod fingerprint;
pub mod fourier;
pub mod random;
pub mod shard;
pub mod side_by_side;
