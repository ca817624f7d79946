//! Marching rays through a model: the pictures of a neural radiance field (Mildenhall et al. 2020), on any device.
//!
//! The model maps a position (three inputs) to four linear outputs `z`: three colour logits and one of density. A ray
//! samples them at a fixed step δ between where it enters the bounding box (the model's axes) and where it leaves it;
//! empty cells of an occupancy grid are stepped over without an evaluation. Front to back, with T = 1 at first:
//!
//! ```text
//! c = sigmoid(z[0..3])    σ = density_scale · softplus(z[3])  or  density_scale · relu(z[3])
//! α = 1 - exp(-σδ)        C += T·α·c        T ← T·(1 - α)
//! ```
//!
//! until T falls below the termination threshold; then C += T·background.
//!
//! Where colours depend on the direction of view, the model takes the ray's direction (three components of a vector of
//! length one, each on [`DIRECTION_AXIS`]) behind the position.
//!
//! # Contract
//!
//! The module's parts are the [camera](Camera), the [volume](Volume) with its [file](HEADER_WORDS), the
//! [samples of a ray](Samples) and the [sum along it](Accumulator). All
//! arithmetic is IEEE 754 single precision, one rounding per operation in a fixed order, and no function of a platform's
//! library: a device and a host draw the same picture to the last bit. Nothing is allocated and nothing panics.

mod camera;
mod elementary;
mod file;
mod samples;
mod sum;
mod volume;

#[cfg(test)]
mod tests;

pub use camera::{Camera, Ray};
pub use elementary::{exp_negative, inverse_sqrt, sigmoid, softplus};
pub use file::{HEADER_WORDS, VolumeError, grid_words, volume_bytes, write_volume};
pub use samples::{Sample, Samples};
pub use sum::{Accumulator, Pixel};
pub use volume::{DIRECTED_INPUTS, DIRECTION_AXIS, Density, OUTPUTS, Volume};
