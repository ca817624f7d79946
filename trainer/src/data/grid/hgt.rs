//! Tiles of the Shuttle Radar Topography Mission (`.hgt`): a square of big-endian 16-bit heights in metres, north on
//! top.
//!
//! Format: <https://lpdaac.usgs.gov/documents/179/SRTM_User_Guide_V3.pdf>. Nothing in the bytes says what they are; the
//! name does.

use std::path::Path;

use super::georeference::Georeference;
use super::{ElevationError, HgtError, Missing, Raster};

/// What stands for missing data.
const VOID: i16 = -32768;

/// Whether a path has the extension of such a tile, in any case.
pub(in crate::data) fn is_hgt(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("hgt"))
}

/// Reads the whole tile.
pub(in crate::data) fn raster(path: &Path, bytes: &[u8]) -> Result<Raster, ElevationError> {
    let side = (bytes.len() / 2).isqrt();
    // Neither one sample nor two by two are a tile; this leaves room for tiles that were cut out of one.
    if 2 * side * side != bytes.len() || side < 3 {
        return Err(HgtError::Size(bytes.len()).into());
    }
    let values = bytes.chunks_exact(2).map(|pair| f64::from(i16::from_be_bytes([pair[0], pair[1]]))).collect();
    let mut raster = Raster::new(vec![side, side], values);
    raster.missing = Some(Missing { values: vec![VOID.into()], reason: format!("the void of an .hgt is {VOID}") });
    raster.names = vec!["elevation".to_owned()];
    raster.notes.extend(place(path, side).map(|place| place.note()));
    Ok(raster)
}

/// From a name such as `N36W113.hgt`, the south-western corner in degrees; the first and the last sample lie on the
/// tile's edges.
fn place(path: &Path, side: usize) -> Option<Georeference> {
    let stem = path.file_stem()?.to_str()?.to_ascii_uppercase();
    let degrees = |at: std::ops::Range<usize>, signs: [char; 2]| {
        let part = stem.get(at)?;
        let value: f64 = part.get(1..)?.parse::<u16>().ok()?.into();
        if part.starts_with(signs[0]) { Some(value) } else { part.starts_with(signs[1]).then_some(-value) }
    };
    let (south, west) = (degrees(0..3, ['N', 'S'])?, degrees(3..7, ['E', 'W'])?);
    let step = 1.0 / (side - 1) as f64;
    Some(Georeference::north_up([west, south + 1.0], [step, step]))
}
