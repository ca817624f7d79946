//! Signed models: an artifact behind a header that its maker has signed.

use std::path::{Path, PathBuf};

use firmware_core::update::{DIGEST_BYTES, HeaderError, Manifest, SignedHeader, crc32, split};
use firmware_core::{Model, ParseError};
use sha2::{Digest as _, Sha512};
use thiserror::Error;

use super::key::KeyPair;
use crate::artifact::export::Artifact;
use crate::base::files::{self, ReadError};

/// Why a model was not signed, or is no signed model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignError {
    /// A device would refuse every such model.
    #[error("the oldest version {oldest} is newer than the version {version} itself; give an --oldest of at most {version}", oldest = .0.oldest, version = .0.version)]
    Versions(Versions),
    /// Longer than the header can tell.
    #[error("the model is longer than 4 GiB, which no header can tell; train a smaller one")]
    Length,
    /// Missing, a directory, not permitted, or failing.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A model without a signature.
    #[error("{} is not signed; sign it first: trainer sign {} --key KEY --version N --out SIGNED.ffu", path.display(), path.display())]
    NotSigned {
        /// The file that was read.
        path: PathBuf,
    },
    /// Not a signed model, or a damaged one.
    #[error("{} is not a usable signed model ({source}); sign the model again with `trainer sign`", path.display())]
    Header {
        /// The file that was read.
        path: PathBuf,
        /// The first thing found wrong.
        source: HeaderError,
    },
    /// The artifact in a signed model is none.
    #[error("the model in {} does not parse; write it anew with the command that made it, and sign it again", path.display())]
    Parse {
        /// The file that was read.
        path: PathBuf,
        /// The first thing found wrong.
        source: ParseError,
    },
}

/// The version of a model, and the oldest that a device may serve once it has this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// A device takes a newer version than it serves, and no other.
    pub version: u16,
    /// At most `version`.
    pub oldest: u16,
}

/// Puts a signed header before an artifact.
///
/// # Errors
///
/// If the versions contradict each other, or the artifact is too long.
pub fn sign(artifact: &[u8], versions: Versions, key: &KeyPair) -> Result<Vec<u8>, SignError> {
    let Versions { version, oldest } = versions;
    if oldest > version {
        return Err(SignError::Versions(versions));
    }
    let length = u32::try_from(artifact.len()).map_err(|_| SignError::Length)?;
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&Sha512::digest(artifact)[..DIGEST_BYTES]);
    let manifest = Manifest { length, crc: crc32(artifact), version, oldest, digest };
    let header = SignedHeader { manifest, signature: key.sign(&manifest.signed_bytes()) };
    Ok([&header.to_bytes(), artifact].concat())
}

/// A signed model that was read and checked, but for its signature: that is up to the device.
#[derive(Clone, Debug)]
pub struct SignedModel {
    /// The header's bytes, as they are offered.
    pub header: SignedHeader,
    /// The artifact.
    pub artifact: Artifact,
}

impl SignedModel {
    /// Reads a file that `trainer sign` has made.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is not signed, or is damaged.
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let bytes = files::read(path)?;
        let path = || path.to_owned();
        if Model::parse(Artifact::from_bytes(&bytes).as_bytes()).is_ok() {
            return Err(SignError::NotSigned { path: path() });
        }
        let (header, artifact) = split(&bytes).map_err(|source| SignError::Header { path: path(), source })?;
        let artifact = Artifact::from_bytes(artifact);
        artifact.model().map_err(|source| SignError::Parse { path: path(), source })?;
        Ok(Self { header, artifact })
    }
}
