//! Evaluates quantized Fourier-feature networks on a microcontroller.
//!
//! A coordinate network maps a point `v` (a pixel position, a place on a map, a sensor reading) to values (a colour, an
//! elevation, a correction). Its input passes through Fourier features γ(v) = \[cos 2πBv, sin 2πBv\] (Tancik et al. 2020,
//! equation 5 with all a_j folded into the first layer) and then through a small ReLU network. This crate checks the one
//! file that the trainer writes, the *artifact*, and evaluates it:
//!
//! ```text
//! bytes in flash ── Model::parse ──▶ Model ── eval_into(point, scratch) ──▶ values
//!                                     │
//!      user units ─▶ Q0.32 coordinates ─▶ phases ─▶ features ─▶ layers ─▶ raw outputs ─▶ user units
//! ```
//!
//! # Invariants
//!
//! - **No I/O, no allocation, no global state.** The caller owns every buffer, the model stays where it lies.
//! - **`parse` is the only way in.** It checks every length, shape, scale and bound. After it succeeded, an evaluation
//!   cannot panic, overflow or read outside; it can fail only on the caller's lengths, or on a point outside the trained
//!   domain where the artifact says [`Outside::Reject`].
//! - **The same bits everywhere.** All arithmetic is either integer or IEEE 754 single precision with one rounding per
//!   operation in a fixed order. The integer precisions use no floating point between the Q0.32 coordinate and the raw
//!   output.
//! - **Features never change numbers.** `defmt` adds derives and nothing else.
//!
//! The file format is specified in [`artifact`], the arithmetic in [`encoding`], [`trig`] and [`kernels`].
//!
//! # Example
//!
//! ```
//! use firmware_core::{Aligned, Model, Scratch};
//! # use firmware_core::artifact::{Description, Header, Layer, LayerKind};
//! # use firmware_core::{Axis, OutputMap, OutputActivation, Outside, Precision};
//! # let header = Header { precision: Precision::F32, outside: Outside::Clamp, periodic: 0, activation: OutputActivation::Linear,
//! #     inputs: 1, outputs: 1, frequencies: 1, passthrough: 0, hidden: Default::default(),
//! #     training_psnr_db: f32::NAN, quantization_loss_db: 0.0 };
//! # let layers = [Layer { weights: LayerKind::Float(&[1.0 / 32767.0, 0.0]), bias: LayerKind::Float(&[0.0]), multiplier: &[] }];
//! # let description = Description { header: &header, axes: &[Axis::new(0.0, 99.0, 100.0)],
//! #     output_maps: &[OutputMap { scale: 2.0, offset: 1.0 }], frequencies: &[1 << 16], text: "", layers: &layers };
//! # let mut file = Aligned([0u8; 256]);
//! # let len = firmware_core::artifact::write(&description, &mut [0; 64], &mut file.0).unwrap();
//! // On a device: static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("model.ffm"));
//! let model = Model::parse(&file.0[..len])?;
//! let mut scratch = Scratch::<64>::new();
//! let mut value = [0.0];
//! model.eval_into(&[25.0], &mut scratch, &mut value).unwrap(); // 1 + 2 cos(2π · 25/100)
//! assert!((value[0] - 1.0).abs() < 1e-4);
//! # Ok::<(), firmware_core::ParseError>(())
//! ```
#![no_std]
#![cfg_attr(
    not(any(feature = "f32", feature = "w8a16", feature = "w16a16")),
    allow(unused, reason = "without a precision `parse` refuses every model, and nothing evaluates")
)]

#[cfg(target_endian = "big")]
compile_error!("artifacts are read in place as little-endian words: big-endian targets are not supported");

pub mod artifact;
mod coordinate;
pub mod encoding;
mod error;
mod eval;
mod float;
pub mod kernels;
pub mod limits;
pub mod march;
mod model;
mod scratch;
pub mod sigmoid;
pub mod trig;

pub use coordinate::{Axis, Outside};
pub use encoding::Encoding;
pub use error::{EvalError, ParseError, WriteError};
pub use model::{Model, OutputActivation, OutputMap, Precision};
pub use scratch::{Aligned, Scratch};
