//! The C interface: what `c/ffm.h` declares.
//!
//! It adds nothing to the Rust interface but C's types: a handle that the caller stores ([`FfmModel`]), pointers with
//! their lengths, and numbers for errors ([`FfmStatus`]). Nothing allocates, nothing keeps state, and no call panics: a
//! null pointer, a length that does not fit, or a handle without a model give a status.
//!
//! The header is written by cbindgen from this module, and a test compares the two. Comments on public items are
//! therefore also those of the header.
//!
//! `cargo xtask export-c` builds the static library, with the feature `c-library`, which adds what a library for C
//! needs and a crate for Rust does not: a panic handler.

mod evaluate;
#[cfg(feature = "c-library")]
mod library;
mod model;
mod pointers;
mod status;

pub use evaluate::{ffm_eval, ffm_eval_batch, ffm_eval_codes, ffm_eval_fixed, ffm_self_test};
pub use model::{
    FFM_MAX_SCRATCH_WORDS, FFM_MODEL_WORDS, FfmModel, ffm_batch_scratch_words, ffm_checksum, ffm_inputs, ffm_outputs,
    ffm_parse, ffm_scratch_words,
};
pub use status::{FfmStatus, ffm_message};
