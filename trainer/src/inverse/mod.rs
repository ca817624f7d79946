//! Inverse problems: a field on a grid or in space, known only by what an instrument measures of it (Tancik et al.
//! 2020, section 6: computed tomography, magnetic resonance imaging, shapes).
//!
//! | module | holds |
//! | --- | --- |
//! | [`linear`] | linear instruments and their objective: half the mean squared error of what they measure |
//! | [`phantom`] | the Shepp–Logan head in two and three dimensions |
//! | [`ct`] | a section from parallel projections |
//! | [`mri`] | a volume from part of its Fourier coefficients |
//! | [`shape`] | the occupancy of a solid |
//! | [`training`] | how networks are trained: what the mappings share, what the paper gives each |
//! | [`compare`] | the four published mappings, and others if wanted, on one problem: table, artifact of the best |
//! | [`run`] | a comparison in its folder, started or resumed |

pub mod compare;
pub mod ct;
pub mod error;
pub mod linear;
pub mod mri;
pub mod phantom;
pub mod run;
pub mod shape;
pub mod training;

#[cfg(test)]
mod tests;
