//! Heterogeneous reconstruction in cryo-electron microscopy, after CryoDRGN (Zhong et al., 2021), at desktop size.
//!
//! From noisy projections of a molecule that moves, with known orientations, to its density as a function of a latent
//! variable. Images are central slices of the volume's transform; a decoder gives the volume's Hartley coefficient at an
//! encoded frequency k and a latent z, an encoder takes an image to a Gaussian over z. Atoms are turned into images by
//! [`atoms`], [`density`], [`poses`], [`ctf`] and [`synthesis`]; [`mrc`], [`star`] and [`particles`] read and write them.

pub mod atoms;
pub mod ctf;
pub mod density;
pub mod error;
pub mod fourier;
pub mod hartley;
pub mod mrc;
pub mod particles;
pub mod poses;
pub mod star;
pub mod synthesis;

pub use error::CryoError;
