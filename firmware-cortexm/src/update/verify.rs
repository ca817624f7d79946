//! Whose models a device takes.

use firmware_core::update::{DIGEST_BYTES, SIGNATURE_BYTES};

/// Checks signatures of the device's maker. There is no way to a [`Store`](super::Store) without one.
pub trait Verifier {
    /// Whether this is the maker's Ed25519 signature (RFC 8032) of the message.
    fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool;

    /// The first half of the SHA-512 of an artifact.
    fn digest(&self, artifact: &[u8]) -> [u8; DIGEST_BYTES];
}

/// Signatures by `ed25519-dalek`.
#[cfg(feature = "ed25519")]
#[derive(Clone, Copy, Debug)]
pub struct Ed25519(ed25519_dalek::VerifyingKey);

#[cfg(feature = "ed25519")]
impl Ed25519 {
    /// Takes the maker's public key, which `trainer key` writes; `None` where it is no point of the curve, or one of
    /// those under which anybody can sign.
    #[must_use]
    pub fn new(public_key: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public_key).ok()?;
        if key.is_weak() { None } else { Some(Self(key)) }
    }
}

#[cfg(feature = "ed25519")]
impl Verifier for Ed25519 {
    fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    fn digest(&self, artifact: &[u8]) -> [u8; DIGEST_BYTES] {
        use sha2::Digest as _;
        let mut half = [0; DIGEST_BYTES];
        half.iter_mut().zip(sha2::Sha512::digest(artifact)).for_each(|(place, byte)| *place = byte);
        half
    }
}
