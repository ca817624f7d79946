//! Updates of the model on a device, without a reflash of its program. The feature `update` builds it in.
//!
//! The model lies in one of two [`Slot`]s of NOR flash, and an update goes into the other one. [`Store`] decides which
//! slot is current, and changes that; [`Updater`] does so by frames from a line of bytes. The format of signed models
//! and of messages is in `firmware_core::update`.
//!
//! # A slot
//!
//! | offset | what |
//! | --- | --- |
//! | 0 | the signed header, [`HEADER_BYTES`](firmware_core::update::HEADER_BYTES) |
//! | 128 | eight places for *marks*, 128 bytes each |
//! | 1152 | the artifact |
//!
//! A slot may be current if it has a mark. A mark is one word, `v` in its lower half and the complement of `v` in its
//! upper half, where `v` is the *stored version*: the oldest version that the device may serve from then on. Every bit
//! of `v` is one bit that is programmed and one that is not, so that no word that was programmed in part is a mark.
//!
//! # An update
//!
//! 1. The header is offered: its signature, its version and its length are checked before anything changes.
//! 2. If the stored version is known to the other slot only, the current one gets a mark of it.
//! 3. The other slot is erased, its header first; the new header is written, then the artifact.
//! 4. The slot is read back and checked as at boot: header, signature, CRC, digest, `Model::parse`, known answers.
//! 5. The first mark is written. This one word makes the new model current. A second word behind it proves it.
//!
//! # At boot
//!
//! Of the slots with a mark that pass all checks and whose version is not below the stored version, the one with the
//! newest version is current. Nothing else decides; there is no journal to be replayed and nothing to be finished.
//!
//! A word or a block whose programming or erasure was cut may read differently at every start. All that lies in a slot
//! when its first mark is written was written since the last start, so that only marks can be such words. A mark that
//! was cut may be read as one, and be gone at the next start. So the word behind a mark is begun when the mark is
//! written to its end, and proves it; at boot, a mark without this proof gets another one beside it.

mod flash;
mod layout;
mod mark;
mod slot;
mod store;
mod updater;
mod verify;

pub use flash::{LayoutError, Slot};
pub use slot::{SlotFault, capacity};
pub use store::{NoModel, Store};
pub use updater::{StreamError, Updater};
#[cfg(feature = "ed25519")]
pub use verify::Ed25519;
pub use verify::Verifier;
