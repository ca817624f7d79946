//! Checksums that tell one's own data apart.

/// A checksum of any data, FNV-1a over 32-bit words: no defence against malice, but no data file is taken for another
/// by accident.
pub fn fingerprint_of(words: impl IntoIterator<Item = impl Into<u32>>) -> u64 {
    words
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ u64::from(word.into())).wrapping_mul(0x0000_0100_0000_01b3))
}
