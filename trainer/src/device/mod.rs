//! Signed models, and the line to a device that takes them.
//!
//! The maker of a device has a [`KeyPair`]; the device's program holds the public half. [`sign`] puts a signed header
//! before an artifact, and [`send`](send()) hands both to a device over a [`Port`]. The formats are those of
//! [`firmware_core::update`]; what the device does is in the library of `firmware-cortexm`.

mod key;
mod port;
mod send;
mod signed;

use std::path::{Path, PathBuf};

pub use key::{KeyError, KeyPair};
pub use port::{Port, PortError};
pub use send::{SendError, Sent, send};
pub use signed::{SignError, SignedModel, Versions, sign};

/// A path with another extension behind the one that it has.
fn added(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".");
    name.push(extension);
    name.into()
}
