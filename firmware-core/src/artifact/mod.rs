//! The artifact: the one file between trainer and device. [`Model::parse`](crate::Model::parse) reads it, the module
//! [`write`](crate::write) writes it.
//!
//! # Format, versions 1 and 2
//!
//! All numbers are little-endian. The file is a whole number of 32-bit words and is read in place.
//!
//! | offset | type | what |
//! | --- | --- | --- |
//! | 0 | 4 bytes | magic `46 46 4d 1a` ("FFM", control-Z) |
//! | 4 | u16 | format version, 1 or 2 |
//! | 6 | u16 | length of the header in bytes, before padding |
//! | 8 | u32 | length of the file in bytes |
//! | 12 | u32 | CRC-32 (IEEE 802.3, as in zip) of bytes 0 ..= 11 followed by bytes 16 to the end |
//! | 16 | u32 | digest of the known answers |
//! | 20 | u32 | length of the text in bytes, before padding |
//! | 24 | bytes | header in postcard, in version 2 with the periodic axes behind; zero-padded to a multiple of four |
//! | | d × 3 f32 | axes: minimum, maximum, scale ([`Axis`](crate::Axis)) |
//! | | c × 2 f32 | output maps: scale, offset ([`OutputMap`](crate::OutputMap)) |
//! | | m × d i32 | frequencies B, row-major, Q16.16 ([`Encoding`](crate::Encoding)) |
//! | | words | grids, level by level ([`Grids`](crate::Grids)) |
//! | | words | layers, first to last, in blocks of four rows ([`layout`](crate::layout)) |
//! | | bytes | text, UTF-8, zero-padded to a multiple of four |
//!
//! The header is [`Header`] in [postcard's wire format](https://postcard.jamesmunns.com/wire-format): enum variants and
//! u16 as varints, u8 and f32 as they are, the list of widths as a varint length followed by varints. Variants count
//! from zero in the order of declaration.
//!
//! Version 2 is for models that version 1 cannot hold, and for no others: a reader of version 1 refuses them. Behind
//! the header it has a u16, [`Header::periodic`], and then, unless all of them have the values of version 1, the
//! settings [`Header::hidden_activation`], [`Header::grid`] and [`Header::code_bits`] in postcard. All of this counts
//! as a part of the header's length.
//!
//! A model with grids has neither frequencies nor coordinates that are passed through (m = 0 and p = 0), and at most
//! four inputs. Each level is d × 2 u32, the number of nodes and that of cells (Q16.16) of each axis, followed by its
//! coefficients `[n_0, …, n_{d-1}, channels]`: two's complement of 4 to 8 bits each, packed without gaps from the least
//! significant bit of the first word on, with zeros up to the next whole word. The grid of a table
//! ([`GridUse::Outputs`]) is one level with as many channels as there are outputs, and no layer follows it; its
//! precision is `w8a16` or `w16a16` and its output linear.
//!
//! # Known answers
//!
//! The digest is the CRC-32 over the raw outputs (little-endian i32; for `f32` the bits) of sixteen points. Their
//! coordinates come from the successive states of s ← 1664525·s + 1013904223 mod 2³², from s = 1: sixteen for each
//! point, of which the first d count. A device that finds another digest does not compute what the trainer computed.

mod checksum;
mod header;
mod prelude;

pub use checksum::checksum;
pub(crate) use checksum::{Crc32, crc32};
pub use header::{GridShape, GridUse, Header, HiddenActivation, VERSION};
pub(crate) use header::{LayerShape, MAX_HEADER_BYTES};
pub(crate) use prelude::{PRELUDE_BYTES, Prelude};
