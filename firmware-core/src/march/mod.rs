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
//! A [camera](Camera) gives the [ray](Ray) of a pixel, [`Volume::parse`] reads the volume, [`Volume::draw`] draws the
//! ray with a model. The trainer takes [samples](Volume::samples) and [sum](Accumulator) apart, to learn by them, and
//! calls [`exp_negative`], [`sigmoid`] and [`softplus`] as the device does.
//!
//! All arithmetic is IEEE 754 single precision, one rounding per operation in a fixed order, and no function of a
//! platform's library: a device and a host draw the same picture to the last bit. Nothing is allocated and nothing
//! panics.
//!
//! # The file of a volume
//!
//! What a renderer must know beside the model, in words of 32 bits, little-endian:
//!
//! | word | content |
//! | --- | --- |
//! | 0 | `FFV1` |
//! | 1 | CRC-32 of all words that follow |
//! | 2 | cells n along each axis, 1 to 256 |
//! | 3 | density: 0 ReLU, 1 softplus |
//! | 4 | step δ, user units, f32 |
//! | 5 | density scale, per user unit, f32 |
//! | 6 | transmittance below which a ray ends, f32 |
//! | 7 … 9 | background, f32 |
//! | 10 … | occupancy, one bit a cell, lowest bit first; cell (x, y, z) is bit (z·n + y)·n + x |
//!
//! The bounding box and whether colours depend on the direction of view are the model's: its first three axes, and
//! whether it has [three more](DIRECTION_AXIS).

mod camera;
mod draw;
mod elementary;
mod file;
mod samples;
mod sum;
mod volume;

#[cfg(test)]
mod tests;

pub use camera::{Camera, Ray};
pub use elementary::{exp_negative, sigmoid, softplus};
pub use file::{HEADER_WORDS, VolumeError, grid_words, volume_bytes, write_volume};
pub use samples::{Sample, Samples};
pub use sum::{Accumulator, Pixel};
pub use volume::{DIRECTED_INPUTS, DIRECTION_AXIS, Density, OUTPUTS, Volume};
