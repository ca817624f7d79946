//! Key pairs of makers, as files that OpenSSL reads and writes as well.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use super::added;
use crate::base::files::{self, ReadError, WriteError};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// What stands before the 32 bytes of a private key in the DER of PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// Why a key file is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Missing, a directory, not permitted, or failing.
    #[error("there is no key to sign with; give the maker's private key, or make a key pair with `trainer key {}`", path.display())]
    Read {
        /// The file that was to be read.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// The half of a pair that devices hold.
    #[error(
        "{} is a public key, with which nothing can be signed; name the private key that belongs to it{}",
        path.display(),
        private_beside(path)
    )]
    Public {
        /// The file that was read.
        path: PathBuf,
    },
    /// Not an Ed25519 private key.
    #[error(
        "{} is damaged or is no private key for Ed25519 in PEM; take a copy of it, or make a new key pair with `trainer key`, whose public key \
         the devices then need",
        path.display()
    )]
    Damaged {
        /// The file that was read.
        path: PathBuf,
    },
    /// There is a file already: a key that is lost cannot be made again.
    #[error("{} exists and is kept, because devices may rely on it; choose another name", path.display())]
    Exists {
        /// The file that was to be made.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A private key of Ed25519 (RFC 8032) and its public key.
#[derive(Clone, Debug)]
pub struct KeyPair(SigningKey);

impl KeyPair {
    /// The pair of 32 secret bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// A new pair from the random numbers of the operating system.
    #[must_use]
    pub fn random() -> Self {
        Self::from_secret(&rand::random())
    }

    /// Reads a private key in PEM (PKCS #8).
    ///
    /// # Errors
    ///
    /// If the file is missing, or is no such key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = files::read(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
        Self::from_pem(&bytes).ok_or_else(|| {
            let path = path.to_owned();
            if is_public(&bytes) { KeyError::Public { path } } else { KeyError::Damaged { path } }
        })
    }

    fn from_pem(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let body = text.split_once(BEGIN)?.1.split_once(END)?.0;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        let secret = der.strip_prefix(&PKCS8)?;
        Some(Self::from_secret(secret.try_into().ok()?))
    }

    /// The private key in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let der = [&PKCS8[..], self.0.as_bytes()].concat();
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
    }

    /// The public key, which devices hold.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Writes the private key, which only its owner may read, and beside it the public key: 32 bytes in a file that
    /// ends in `.pub`. Returns the path of the latter.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, or is there already.
    pub fn write(&self, path: &Path) -> Result<PathBuf, KeyError> {
        let public = added(path, "pub");
        if public.exists() {
            return Err(KeyError::Exists { path: public });
        }
        let failed = |source| KeyError::Write(WriteError { path: path.to_owned(), source });
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
            _ => failed(source),
        })?;
        let written = file.write_all(self.to_pem().as_bytes()).and_then(|()| file.sync_all()).map_err(failed);
        let written = written.and_then(|()| Ok(files::write(&public, &self.public())?));
        if written.is_err() {
            // A half of a key is no key. If it cannot be removed, the first error says enough.
            let _ = fs::remove_file(path);
        }
        written.map(|()| public)
    }

    /// The signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Whether a file is a public key, as [`KeyPair::write`] or as OpenSSL writes it.
fn is_public(bytes: &[u8]) -> bool {
    let is_key = |bytes: &[u8; 32]| VerifyingKey::from_bytes(bytes).is_ok();
    bytes.starts_with(b"-----BEGIN PUBLIC KEY-----") || bytes.try_into().is_ok_and(is_key)
}

/// The name of the private key, where that of the public one tells it and it is there.
fn private_beside(public: &Path) -> String {
    let private = public.with_extension("");
    let is_there = public.extension().is_some_and(|extension| extension == "pub") && private.is_file();
    if is_there { format!(", {}", private.display()) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The private key in the example of RFC 8410, section 10.3, and what OpenSSL 3 tells of it with
    /// `openssl pkey -text`.
    const RFC: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn keys_are_those_of_the_standard() {
        let pair = KeyPair::from_pem(RFC.as_bytes()).unwrap();
        assert_eq!(pair.to_pem(), RFC);
        // The public key in the example of RFC 8410, section 10.1.
        let public = STANDARD.decode("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
        assert_eq!(pair.public()[..], public[12..]);
    }

    #[test]
    fn a_pair_is_written_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maker.key");
        let pair = KeyPair::random();
        let public = pair.write(&path).unwrap();
        assert_eq!(public, folder.path().join("maker.key.pub"));
        assert_eq!(fs::read(public).unwrap(), pair.public());
        assert_eq!(KeyPair::read(&path).unwrap().public(), pair.public());
        assert_ne!(KeyPair::random().public(), pair.public());
        let error = KeyPair::random().write(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exists { .. }), "{error}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_told_from_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maker.key");
        let missing = KeyPair::read(&path).unwrap_err().to_string();
        assert!(missing.contains("no key to sign with") && missing.contains("`trainer key "), "{missing}");
        for text in ["", "no key", &RFC.replace("MC4", "MC5"), &RFC[..60], &RFC.replace("hC\n", "\n")] {
            fs::write(&path, text).unwrap();
            let damaged = KeyPair::read(&path).unwrap_err().to_string();
            assert!(damaged.contains("damaged") && damaged.contains("copy"), "{damaged}");
        }
    }
}
