//! NumPy's `.npz` archives: a zip of `.npy` arrays, packed or not, one of which is taken.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::NpyError;

/// The first bytes of every zip that holds anything.
pub(in crate::data) const MAGIC: &[u8] = b"PK\x03\x04";

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
    let mut file = archive.by_name(&format!("{name}.npy")).map_err(NpyError::archive)?;
    let mut member = Vec::new();
    file.read_to_end(&mut member).map_err(NpyError::archive)?;
    Ok(member)
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
