//! CRC-32 (IEEE 802.3, as in zip).

/// On computers, 16 bytes at a time, by a table of 16 KiB.
#[cfg(all(target_pointer_width = "64", not(any(target_os = "none", target_os = "unknown"))))]
type Table = crc::Table<16>;
/// On microcontrollers no table, with an operating system of theirs or without: flash is worth more than the
/// milliseconds at start.
#[cfg(not(all(target_pointer_width = "64", not(any(target_os = "none", target_os = "unknown")))))]
type Table = crc::NoTable;

/// A CRC-32 in progress.
pub(crate) type Crc32 = crc::Digest<'static, u32, Table>;

/// The CRC-32 of nothing yet.
pub(crate) fn crc32() -> Crc32 {
    static CRC: crc::Crc<u32, Table> = crc::Crc::<u32, Table>::new(&crc::CRC_32_ISO_HDLC);
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
