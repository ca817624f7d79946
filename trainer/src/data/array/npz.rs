//! NumPy's `.npz` archives: a zip of `.npy` arrays, packed or not, one of which is taken.

use std::io::{self, Cursor, Read};

use zip::ZipArchive;

use super::NpyError;

/// The first bytes of every zip that holds anything.
pub(in crate::data) const MAGIC: &[u8] = b"PK\x03\x04";

/// Compressed arrays that unpack to more than this are not read: as numbers in f64 they would take up to eight times as
/// much. Those that are stored as they are cannot be larger than their archive.
const MOST_UNPACKED_GIB: u64 = 4;

/// The `.npy` bytes of the named array, or of the only one.
pub(in crate::data) fn member(bytes: &[u8], wanted: Option<&str>) -> Result<Vec<u8>, NpyError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(NpyError::archive)?;
    let names: Vec<String> = names(&archive)?;
    let listed = || names.join(", ");
    let name = match (wanted, &names[..]) {
        (Some(wanted), _) => names
            .iter()
            .find(|name| *name == wanted)
            .ok_or_else(|| NpyError::NoSuchArray(wanted.to_owned(), listed()))?,
        (None, [only]) => only,
        (None, _) => return Err(NpyError::WhichArray(listed())),
    };
    let file = archive.by_name(&format!("{name}.npy")).map_err(NpyError::archive)?;
    let bytes = unpacked(file, (MOST_UNPACKED_GIB << 30).max(bytes.len() as u64)).map_err(NpyError::archive)?;
    bytes.ok_or_else(|| NpyError::Unpacked(name.clone(), MOST_UNPACKED_GIB))
}

/// All that is read, if it is no more than `most` bytes; a small archive can unpack to any size.
fn unpacked(file: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// The names of the arrays, as `numpy.load` has them.
fn names(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, NpyError> {
    let mut names = Vec::new();
    for name in archive.file_names() {
        let name = name.map_err(NpyError::archive)?;
        names.extend(name.strip_suffix(".npy").map(str::to_owned));
    }
    Ok(names)
}

/// Whether a zip holds arrays at all; a damaged one may.
pub(in crate::data) fn has_arrays(bytes: &[u8]) -> bool {
    ZipArchive::new(Cursor::new(bytes)).is_ok_and(|archive| names(&archive).is_ok_and(|names| !names.is_empty()))
        || bytes.get(30..).is_some_and(|rest| rest.windows(4).take(256).any(|window| window == b".npy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_unpacked_than_allowed() {
        assert_eq!(unpacked(&[7; 64][..], 64).unwrap().map(|bytes| bytes.len()), Some(64));
        assert_eq!(unpacked(&[7; 65][..], 64).unwrap(), None);
        // Without the limit this would never end.
        assert_eq!(unpacked(io::repeat(0), 64).unwrap(), None);
    }
}
