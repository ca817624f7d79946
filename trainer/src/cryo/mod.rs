//! Heterogeneous reconstruction in cryo-electron microscopy, after CryoDRGN (Zhong et al., 2021), at desktop size.
//!
//! From noisy projections of a molecule that moves, with known orientations, to its density as a function of a latent
//! variable. Images are central slices of the volume's transform; a decoder gives the volume's Hartley coefficient at
//! an encoded frequency k and a latent z, an encoder takes an image to a Gaussian over z. Atoms are turned into images
//! by [`atoms`], [`density`], [`poses`], [`ctf`] and [`synthesis`]; [`mrc`], [`star`], [`table`] and [`particles`] read
//! and write them. [`slices`] takes images to coefficients, [`back_projection`] is the voxel baseline; [`residuals`],
//! [`model`] and [`objective`] are encoder and decoder and their loss, [`fit`], [`subset`] and [`run`] a whole
//! reconstruction, judged by [`fsc`] and [`evaluation`].

pub mod atoms;
pub mod back_projection;
pub mod comparison;
pub mod ctf;
pub mod density;
pub mod error;
pub mod evaluation;
pub mod fit;
pub mod fourier_volume;
pub mod fsc;
pub mod hartley;
pub mod model;
pub mod mrc;
pub mod objective;
pub mod params;
pub mod particles;
pub mod poses;
pub mod report;
pub mod residuals;
pub mod run;
pub mod slices;
pub mod star;
pub mod subset;
pub mod synthesis;
pub mod table;

pub use error::CryoError;
