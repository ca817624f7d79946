//! The header of a signed model.

use core::fmt;

use super::crc32;

/// Bytes of a [`SignedHeader`].
pub const HEADER_BYTES: usize = 128;
/// Bytes at the front of the header that the signature covers.
pub const SIGNED_BYTES: usize = 48;
/// Bytes of the artifact's digest: the first half of its SHA-512.
pub const DIGEST_BYTES: usize = 32;
/// Bytes of an Ed25519 signature (RFC 8032).
pub const SIGNATURE_BYTES: usize = 64;

const MAGIC: [u8; 4] = *b"FFU\x01";
const CRC_AT: usize = SIGNED_BYTES + SIGNATURE_BYTES;

/// What the maker of a model says about it, under the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Length of the artifact in bytes, a multiple of four.
    pub length: u32,
    /// CRC-32 of the artifact, which finds damage before the slower digest is computed.
    pub crc: u32,
    /// Version of the model. A device takes a newer one than it serves, and no other.
    pub version: u16,
    /// Oldest version that a device may serve once it has this model; at most `version`.
    pub oldest: u16,
    /// First half of the artifact's SHA-512.
    pub digest: [u8; DIGEST_BYTES],
}

/// A [`Manifest`] with its signature, in [`HEADER_BYTES`]:
///
/// | offset | type | what |
/// | --- | --- | --- |
/// | 0 | 4 bytes | magic `46 46 55 01` ("FFU", 1) |
/// | 4 | u32 | length of the artifact in bytes |
/// | 8 | u32 | CRC-32 of the artifact |
/// | 12 | u16 | version |
/// | 14 | u16 | oldest version that may be served after this one |
/// | 16 | 32 bytes | first half of the artifact's SHA-512 |
/// | 48 | 64 bytes | Ed25519 signature of bytes 0 ..= 47 |
/// | 112 | u32 | CRC-32 of bytes 0 ..= 111 |
/// | 116 | 12 bytes | zero |
///
/// Numbers are little-endian. The signature covers the artifact by its digest, so that a device can check it before it
/// erases or receives anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHeader {
    /// What is signed.
    pub manifest: Manifest,
    /// The signature of [`Manifest::signed_bytes`].
    pub signature: [u8; SIGNATURE_BYTES],
}

/// Why bytes are not a [`SignedHeader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HeaderError {
    /// Fewer than [`HEADER_BYTES`].
    Length,
    /// The first bytes are those of something else: no signed model.
    Magic,
    /// The CRC-32 of the header differs, or bytes that must be zero are not.
    Damaged,
    /// A length of zero or not a multiple of four, or an oldest version above the version.
    Contents,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "it is shorter than the header of a signed model",
            Self::Magic => "it is not a signed model",
            Self::Damaged => "the header of the signed model is damaged",
            Self::Contents => "the header of the signed model contradicts itself",
        })
    }
}

impl core::error::Error for HeaderError {}

impl Manifest {
    /// The bytes that are signed.
    #[must_use]
    pub fn signed_bytes(&self) -> [u8; SIGNED_BYTES] {
        let mut bytes = [0; SIGNED_BYTES];
        let fields = MAGIC
            .into_iter()
            .chain(self.length.to_le_bytes())
            .chain(self.crc.to_le_bytes())
            .chain(self.version.to_le_bytes())
            .chain(self.oldest.to_le_bytes())
            .chain(self.digest);
        bytes.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
        bytes
    }
}

impl SignedHeader {
    /// The header as it stands in a file, on the line and in flash.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let fields = self.manifest.signed_bytes().into_iter().chain(self.signature);
        bytes.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
        let crc = crc32(bytes.get(..CRC_AT).unwrap_or_default()).to_le_bytes();
        bytes.iter_mut().skip(CRC_AT).zip(crc).for_each(|(byte, field)| *byte = field);
        bytes
    }

    /// Reads the header at the front of `bytes`; what lies behind it is not looked at, and the signature is not
    /// checked.
    ///
    /// # Errors
    ///
    /// A [`HeaderError`] that names the first thing found wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(HeaderError::Length)?;
        let read = || {
            let (magic, rest) = header.split_first_chunk::<4>()?;
            let (length, rest) = rest.split_first_chunk()?;
            let (crc, rest) = rest.split_first_chunk()?;
            let (version, rest) = rest.split_first_chunk()?;
            let (oldest, rest) = rest.split_first_chunk()?;
            let (digest, rest) = rest.split_first_chunk()?;
            let (signature, _) = rest.split_first_chunk()?;
            let manifest = Manifest {
                length: u32::from_le_bytes(*length),
                crc: u32::from_le_bytes(*crc),
                version: u16::from_le_bytes(*version),
                oldest: u16::from_le_bytes(*oldest),
                digest: *digest,
            };
            Some((*magic, Self { manifest, signature: *signature }))
        };
        let (magic, parsed) = read().ok_or(HeaderError::Length)?;
        if magic != MAGIC {
            return Err(HeaderError::Magic);
        }
        if parsed.to_bytes() != *header {
            return Err(HeaderError::Damaged);
        }
        let Manifest { length, version, oldest, .. } = parsed.manifest;
        if length == 0 || !length.is_multiple_of(4) || oldest > version {
            return Err(HeaderError::Contents);
        }
        Ok(parsed)
    }
}

/// Splits the bytes of a signed model into its header and its artifact, and checks length and CRC-32. The signature and
/// the digest are not checked.
///
/// # Errors
///
/// A [`HeaderError`]: [`HeaderError::Length`] also where the artifact's length differs, and [`HeaderError::Damaged`]
/// where its CRC-32 does.
pub fn split(bytes: &[u8]) -> Result<(SignedHeader, &[u8]), HeaderError> {
    let header = SignedHeader::from_bytes(bytes)?;
    let artifact = bytes.get(HEADER_BYTES..).unwrap_or_default();
    if artifact.len() as u64 != u64::from(header.manifest.length) {
        return Err(HeaderError::Length);
    }
    if crc32(artifact) != header.manifest.crc {
        return Err(HeaderError::Damaged);
    }
    Ok((header, artifact))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SignedHeader {
        let manifest =
            Manifest { length: 8, crc: 0x0102_0304, version: 0x0506, oldest: 5, digest: [0xd1; DIGEST_BYTES] };
        SignedHeader { manifest, signature: [0x51; SIGNATURE_BYTES] }
    }

    /// The places of the table above, written out by hand.
    #[test]
    fn every_field_stands_where_the_table_says() {
        let bytes = header().to_bytes();
        assert_eq!(bytes[..16], [0x46, 0x46, 0x55, 1, 8, 0, 0, 0, 4, 3, 2, 1, 6, 5, 5, 0]);
        assert!(bytes[16..48].iter().all(|&byte| byte == 0xd1) && bytes[48..112].iter().all(|&byte| byte == 0x51));
        assert_eq!(bytes[112..116], crc32(&bytes[..112]).to_le_bytes());
        assert_eq!(bytes[116..], [0; 12]);
        assert_eq!(SignedHeader::from_bytes(&bytes), Ok(header()));
    }

    /// The check value of this CRC in the catalogue of parametrised CRC algorithms.
    #[test]
    fn the_crc_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn any_flipped_bit_is_found() {
        for bit in (0..8 * HEADER_BYTES).step_by(if cfg!(miri) { 31 } else { 1 }) {
            let mut bytes = header().to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = SignedHeader::from_bytes(&bytes).unwrap_err();
            assert_eq!(error, if bit < 32 { HeaderError::Magic } else { HeaderError::Damaged }, "bit {bit}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let with = |change: fn(&mut Manifest)| {
            let mut header = header();
            change(&mut header.manifest);
            SignedHeader::from_bytes(&header.to_bytes()).map(|_| ())
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|manifest| manifest.length = 0), Err(HeaderError::Contents));
        assert_eq!(with(|manifest| manifest.length = 6), Err(HeaderError::Contents));
        assert_eq!(with(|manifest| manifest.oldest = 0x0507), Err(HeaderError::Contents));
        assert_eq!(with(|manifest| manifest.oldest = manifest.version), Ok(()));
        assert_eq!(SignedHeader::from_bytes(&[0; 127]), Err(HeaderError::Length));
        assert_eq!(SignedHeader::from_bytes(&[0; 128]), Err(HeaderError::Magic));
    }

    #[test]
    fn a_signed_model_is_its_header_and_an_artifact_of_its_length_and_checksum() {
        let artifact = [1, 2, 3, 4, 5, 6, 7, 8];
        let manifest = Manifest { crc: crc32(&artifact), ..header().manifest };
        let header = SignedHeader { manifest, ..header() };
        let mut file = [0; HEADER_BYTES + 9];
        file[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        file[HEADER_BYTES..HEADER_BYTES + 8].copy_from_slice(&artifact);
        let whole = &file[..HEADER_BYTES + 8];
        assert_eq!(split(whole), Ok((header, &artifact[..])));
        assert_eq!(split(&whole[..HEADER_BYTES + 7]), Err(HeaderError::Length));
        assert_eq!(split(&file), Err(HeaderError::Length));
        assert_eq!(split(&whole[..HEADER_BYTES]), Err(HeaderError::Length));
        assert_eq!(split(&whole[..HEADER_BYTES - 1]), Err(HeaderError::Length));
        file[HEADER_BYTES + 5] ^= 1;
        assert_eq!(split(&file[..HEADER_BYTES + 8]), Err(HeaderError::Damaged));
    }
}
