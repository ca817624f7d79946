//! CRC-32 (IEEE 802.3, as in zip).

/// A CRC-32 in progress, without a table: a kilobyte of flash is worth more than the milliseconds at start.
pub(crate) fn crc32() -> crc::Digest<'static, u32, crc::NoTable> {
    static CRC: crc::Crc<u32, crc::NoTable> = crc::Crc::<u32, crc::NoTable>::new(&crc::CRC_32_ISO_HDLC);
    CRC.digest()
}

/// The checksum that belongs at byte 12 of an artifact: for tools that change bytes of one on purpose.
///
/// ```
/// use firmware_core::artifact::checksum;
/// let model = include_bytes!("../../models/thermocouple.ffm");
/// assert_eq!(checksum(model).to_le_bytes(), model[12..16]);
/// ```
#[must_use]
pub fn checksum(artifact: &[u8]) -> u32 {
    let mut digest = crc32();
    digest.update(artifact.get(..12).unwrap_or(&[]));
    digest.update(artifact.get(16..).unwrap_or(&[]));
    digest.finalize()
}
