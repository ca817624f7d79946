//! Evaluates quantized Fourier-feature networks on a microcontroller.
//!
//! A coordinate network maps a point `v` (a pixel position, a place on a map, a sensor reading) to values (a colour, an
//! elevation, a correction). Its input passes through Fourier features γ(v) = \[cos 2πBv, sin 2πBv\] (Tancik et al.
//! 2020, equation 5 with all a_j folded into the first layer) and then through a small ReLU network. This crate checks
//! the one file that the trainer writes, the *artifact*, and evaluates it:
//!
//! ```text
//! bytes in flash ── Model::parse ──▶ Model ── eval_into(point, scratch) ──▶ values
//!                                     │
//!      user units ─▶ Q0.32 coordinates ─▶ phases ─▶ features ─▶ layers ─▶ raw outputs ─▶ user units
//! ```
//!
//! ```
//! use firmware_core::{Aligned, Model, Scratch};
//!
//! // A small model of a type K thermocouple: degrees Celsius from millivolts.
//! static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
//!
//! let model = Model::parse(&MODEL.0).unwrap(); // checks everything, once
//! let mut scratch = Scratch::<16>::new();
//! model.self_test(&mut scratch).unwrap(); // this build computes what the trainer computed
//! let mut degrees = [0.0];
//! model.eval_into(&[12.5], &mut scratch, &mut degrees).unwrap();
//! assert!((degrees[0] - 307.0).abs() < 5.0);
//! ```
//!
//! # Invariants
//!
//! - **No I/O, no allocation, no global state.** The caller owns every buffer, the model stays where it lies.
//! - **`parse` is the only way in.** It checks every length, shape, scale and bound. After it succeeded, an evaluation
//!   cannot panic, overflow or read outside; it can fail only on the caller's lengths, or on a point outside the
//!   trained domain where the artifact says [`Outside::Reject`].
//! - **The same bits everywhere.** All arithmetic is either integer or IEEE 754 single precision with one rounding per
//!   operation in a fixed order. The integer precisions use no floating point between the Q0.32 coordinate and the raw
//!   output.
//! - **Features never change numbers.** `defmt` adds derives, those of the precisions and `grid` add code, and nothing
//!   else.
//!
//! # Where to find what
//!
//! | | |
//! | --- | --- |
//! | the file format | [`artifact`], and [`layout`] for the layers |
//! | the arithmetic | [`Precision`], [`Encoding`], [`Grids`], [`fixed`] |
//! | the largest networks | [`limits`] |
//! | writing artifacts | [`write`](mod@write) |
//! | drawing neural radiance fields | [`march`] |
//! | updates of the model on a device | `update`, built in by the feature of this name |
//! | the interface for C | the module `c`, with the feature of that name |
#![no_std]
#![cfg_attr(
    not(any(feature = "f32", feature = "w8a16", feature = "w16a16")),
    allow(unused, reason = "without a precision `parse` refuses every model, and nothing evaluates")
)]

#[cfg(target_endian = "big")]
compile_error!("artifacts are read in place as little-endian words: big-endian targets are not supported");

pub mod artifact;
#[cfg(feature = "c")]
pub mod c;
mod coordinate;
mod dense;
mod encoding;
mod error;
mod eval;
pub mod fixed;
mod float;
mod grid;
mod kernels;
mod known_answers;
pub mod layout;
pub mod limits;
pub mod march;
mod model;
mod output;
mod precision;
mod recheck;
mod scratch;
#[cfg(feature = "update")]
pub mod update;
pub mod write;

/// The name of the kernels that this build has: `thumb1`, `v7m`, `dsp`, `mve`, `rv32m`, `x86` or `portable`.
///
/// They follow from the target and the compiler's flags, as the README says; they change the speed and no number. Cargo
/// shows warnings of dependencies only where these lie in a folder, so that a program for a Cortex-M33 may check this:
///
/// ```
/// # #[cfg(target_os = "none")]
/// const _: () = assert!(
///     matches!(firmware_core::KERNELS.as_bytes(), b"dsp" | b"mve"),
///     "add -C target-cpu=cortex-m33 to the flags of the compiler"
/// );
/// ```
pub const KERNELS: &str = env!("FIRMWARE_CORE_KERNELS");

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use coordinate::{Axis, Outside};
pub use dense::DenseLayer;
pub use encoding::{Encoding, passed_through};
pub use error::{EvalError, ParseError, WriteError};
pub use grid::{Grids, Level};
pub use model::Model;
pub use output::{OutputActivation, OutputMap};
pub use precision::Precision;
pub use recheck::Recheck;
pub use scratch::{Aligned, Scratch};
