//! What takes long without optimization, such as whole trainings, through the library's public interface. One program
//! of tests, so that the library is linked once.

#![allow(clippy::disallowed_methods, reason = "tests write what the library reads")]

mod artifacts;
mod auto_scale;
mod cryo;
mod design;
mod export;
mod figures;
mod guide;
mod import;
mod nerf;
mod report;
mod runs;
mod sweep;
