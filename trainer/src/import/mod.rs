//! Networks that were trained elsewhere: weights of PyTorch and JAX in a safetensors file, as a run of this program.
//!
//! A file of tensors has names and shapes and nothing else. What it leaves open is set by [`ImportParams`]:
//!
//! | parameter | default | what it says |
//! | --- | --- | --- |
//! | `map`, `ignore` | by the names | which tensor is B, which are the layers, which do not belong to the network |
//! | `gamma` | `[cos, sin]` | the order of the features γ(v) = \[cos 2πBv, sin 2πBv\] |
//! | `radians` | no | B contains the factor 2π already |
//! | `normalize` | no | γ is divided by the norm of its amplitudes |
//! | `activation` | by the names | ReLU or sine after the hidden layers |
//! | `omega` | by the names | ω₀ of `sin(ω₀(Wx + b))`, of the first layer and of the others |
//! | `output` | linear | what follows the last layer |
//! | `layout` | by the names and the shapes | weights `[out, in]` or `[in, out]` |
//!
//! The way is [`Import::read`], which understands the file; [`Import::start`], which makes a [run](crate::fit::run) of
//! the network; [`ImportRun::write`], which writes its files. [`Units`] say how the network's numbers belong to the
//! data's, and [`SourceNetwork::convert`] makes the network of the run. What the device computes differs from the
//! file's network by three roundings: of frequencies to 2⁻¹⁶ cycles over the domain, of features and sines to 16 bits,
//! and of the weights as the precision says.
//!
//! The first layer of a SIREN (Sitzmann et al. 2020) becomes the frequencies of the encoding: sin(ω₀(Wx + b)) is the
//! sine of 2πBx + φ with B = ω₀W/2π and φ = ω₀b, and w·sin(θ + φ) = w·sin φ·cos θ + w·cos φ·sin θ. So its phases are
//! computed in 32 bits, where weights of 8 bits would lose them; the second layer then has two columns for each unit.

mod alternatives;
mod convert;
mod error;
mod params;
mod reader;
mod roles;
mod run;
mod source;
mod units;

pub use alternatives::{Alternative, Reading, better};
pub use convert::Converted;
pub use error::ImportError;
pub use params::{Gamma, ImportParams, Layout, Mapping, OutputFunction};
pub use run::{Import, ImportResults, ImportRun, ImportSettings};
pub use source::SourceNetwork;
pub use units::{InputRange, Units};
