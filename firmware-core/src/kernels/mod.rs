//! The arithmetic of dense layers and of the encoder, once for every instruction set.
//!
//! [`Precision`](crate::Precision) and [`Encoding`](crate::Encoding) say what every kernel computes,
//! [`layout`](crate::layout) how its buffers lie. The portable kernels are always compiled and are the oracle: every
//! other one equals them bit for bit. `build.rs` chooses the kernels from the target.

#[cfg(any(kernels = "dsp", kernels = "mve", kernels = "v7m", kernels = "thumb1", kernels = "rv32m"))]
mod assembly;
mod contract;
#[cfg(kernels = "dsp")]
mod dsp;
#[cfg(any(kernels = "dsp", kernels = "mve"))]
mod dsp_encoder;
#[cfg(any(kernels = "dsp", kernels = "mve", kernels = "v7m"))]
mod extensions;
#[cfg(kernels = "rv32m")]
mod grid_rv32m;
#[cfg(kernels = "thumb1")]
mod grid_thumb1;
#[cfg(any(kernels = "dsp", kernels = "mve", kernels = "v7m"))]
mod grid_thumb2;
#[cfg(kernels_grids)]
mod grids;
#[cfg(kernels = "mve")]
mod mve;
pub(crate) mod portable;
#[cfg(kernels = "rv32m")]
mod rv32m;
#[cfg(any(kernels = "dsp", kernels = "mve", kernels = "v7m", kernels = "thumb1", kernels = "rv32m"))]
mod sine;
#[cfg(kernels = "rv32m")]
mod surface_rv32m;
#[cfg(kernels = "thumb1")]
mod thumb1;
#[cfg(kernels = "v7m")]
mod v7m;
#[cfg(all(kernels_fpu, any(kernels = "dsp", kernels = "mve")))]
mod vfp;
#[cfg(kernels = "x86")]
mod x86;

pub(crate) use contract::{Arithmetic, Layer, MIN_COORDINATES, Results};
#[cfg(kernels = "dsp")]
pub(crate) use dsp::{W8A16, W16A16};
#[cfg(kernels = "mve")]
pub(crate) use mve::{W8A16, W16A16};
#[cfg(not(all(kernels_fpu, any(kernels = "dsp", kernels = "mve"))))]
pub(crate) use portable::F32;
#[cfg(kernels = "portable")]
pub(crate) use portable::{W8A16, W16A16};
#[cfg(kernels = "rv32m")]
pub(crate) use rv32m::{W8A16, W16A16};
#[cfg(kernels = "thumb1")]
pub(crate) use thumb1::{W8A16, W16A16};
#[cfg(kernels = "v7m")]
pub(crate) use v7m::{W8A16, W16A16};
#[cfg(all(kernels_fpu, any(kernels = "dsp", kernels = "mve")))]
pub(crate) use vfp::F32;
#[cfg(kernels = "x86")]
pub(crate) use x86::{W8A16, W16A16};

/// The most lanes of any precision.
pub(crate) const MAX_LANES: usize = {
    let wider = if W8A16::LANES > W16A16::LANES { W8A16::LANES } else { W16A16::LANES };
    if wider > F32::LANES { wider } else { F32::LANES }
};
