//! The commands of `cargo xtask`, one a file.

pub mod bench;
pub mod demo;
pub mod device;
pub mod nerf_device;
pub mod parity;
pub mod results;
pub mod scales;
pub mod test;
