//! From the bytes of a table to its text: UTF-8, UTF-16 or an older encoding, with and without a byte order mark.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::TableError;

/// This many bytes tell whether every other one is zero.
const UTF_16_SAMPLE: usize = 512;

/// The text, and a sentence about its encoding where that had to be guessed. Lines end with `\n` or `\r\n`.
pub(super) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Option<String>), TableError> {
    let (text, note) = match Encoding::for_bom(bytes) {
        // Of UTF-8 the mark says nothing new, nor is it always true.
        Some((encoding, length)) if encoding == UTF_8 => without_mark(&bytes[length..]),
        Some((encoding, length)) => (encoding.decode_without_bom_handling(&bytes[length..]).0, None),
        None => without_mark(bytes),
    };
    if text.contains('\0') {
        return Err(TableError::Binary);
    }
    if text.contains('\r') && !text.contains('\n') {
        return Ok((text.replace('\r', "\n").into(), note));
    }
    Ok((text, note))
}

fn without_mark(bytes: &[u8]) -> (Cow<'_, str>, Option<String>) {
    if let Some(encoding) = utf_16(bytes) {
        return (encoding.decode_without_bom_handling(bytes).0, Some(guessed(encoding)));
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return (text.into(), None);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    (encoding.decode_without_bom_handling(bytes).0, Some(guessed(encoding)))
}

/// Of ASCII in UTF-16, every other byte is zero; text in other encodings has no zero.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(UTF_16_SAMPLE) & !1];
    let zeros = |at: usize| sample.iter().skip(at).step_by(2).filter(|&&byte| byte == 0).count();
    let most = sample.len() / 2 * 3 / 4;
    match (zeros(0), zeros(1)) {
        (0, odd) if odd > most => Some(UTF_16LE),
        (even, 0) if even > most => Some(UTF_16BE),
        _ => None,
    }
}

fn guessed(encoding: &'static Encoding) -> String {
    let (name, also) = match encoding.name() {
        "windows-1252" => ("windows-1252", " (Latin-1)"),
        name => (name, ""),
    };
    format!(
        "note: the file is not UTF-8 and does not say what it is; it was read as {name}{also}. Save it as UTF-8 if \
         letters look wrong"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "Winkel [°];Größe (µm)\n1,5;2,5\n3,5;4,5\n";
        let utf_16 = |to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
        // The letters of this text have the same numbers in Latin-1 as in Unicode.
        let latin_1: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
        let cases: [(Vec<u8>, bool); 7] = [
            (text.into(), false),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), false),
            ([vec![0xff, 0xfe], utf_16(u16::to_le_bytes)].concat(), false),
            ([vec![0xfe, 0xff], utf_16(u16::to_be_bytes)].concat(), false),
            (utf_16(u16::to_le_bytes), true),
            (utf_16(u16::to_be_bytes), true),
            (latin_1, true),
        ];
        for (bytes, said) in cases {
            let (decoded, note) = decode(&bytes).unwrap();
            assert_eq!((&*decoded, note.is_some()), (text, said));
        }
        assert!(decode(b"a,b\0\n1,2\n").is_err());
        assert_eq!(decode(b"a,b\r1,2\r").unwrap().0, "a,b\n1,2\n");
    }
}
