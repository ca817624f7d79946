//! Neural radiance fields: new views of a scene from pictures of it (Mildenhall et al. 2020), in the simplified form
//! that Tancik et al. (2020) compare encodings with: one network, no second pass, and no view direction unless asked
//! for ([`direction`]).
//!
//! A [scene] gives pictures with cameras; [`synthesize`](mod@synthesize) makes one whose pictures are exact.
//! [`objective`] puts rays through the training loop, [`occupancy`] keeps them out of empty space, [`volume`]
//! integrates along them. What is learned ends as a model file and a volume file (`firmware_core::march`), from which
//! [`render`] draws what a device draws.

pub mod compare;
pub mod direction;
pub mod error;
pub mod field;
pub mod fit;
pub mod lens;
pub mod objective;
pub mod occupancy;
pub mod params;
pub mod poses;
pub mod rays;
pub mod render;
pub mod run;
pub mod scene;
pub mod similarity;
mod solids;
pub mod synthesize;
pub mod volume;

#[cfg(test)]
mod tests;
