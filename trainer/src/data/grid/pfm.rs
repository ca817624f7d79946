//! Portable float maps (`.pfm`): grey or coloured pictures of real numbers, as depth and disparity are kept.
//!
//! Format: <https://www.pauldebevec.com/Research/HDR/PFM/>. The rows are stored from the bottom up; the sign of the
//! scale tells the byte order, and its size is ignored, as most programs do.

use super::{ElevationError, PfmError, Raster};
use crate::data::image::COLOURS;

/// Whether these are the first bytes of such a map.
pub(in crate::data) fn is_pfm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'f' | b'F', space, ..] if space.is_ascii_whitespace())
}

/// Reads the whole map.
pub(in crate::data) fn raster(bytes: &[u8]) -> Result<Raster, ElevationError> {
    let channels = if bytes[1] == b'F' { 3 } else { 1 };
    let (width, rest) = token::<usize>(&bytes[2..]).ok_or(PfmError::Header)?;
    let (height, rest) = token::<usize>(rest).ok_or(PfmError::Header)?;
    let (scale, rest) = token::<f64>(rest).ok_or(PfmError::Header)?;
    if width == 0 || height == 0 || scale == 0.0 {
        return Err(PfmError::Header.into());
    }
    // One white space, then the numbers.
    let data = rest.get(1..).unwrap_or_default();
    let needed = width.saturating_mul(height).saturating_mul(4 * channels);
    if data.len() < needed {
        return Err(PfmError::Truncated(needed, data.len()).into());
    }
    let value = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        f64::from(if scale < 0.0 { f32::from_le_bytes(bytes) } else { f32::from_be_bytes(bytes) })
    };
    let rows = data[..needed].chunks_exact(4 * channels * width).rev();
    let mut raster = Raster::new(vec![height, width], rows.flat_map(|row| row.chunks_exact(4).map(value)).collect());
    if channels == 3 {
        raster.channels_last = true;
        raster.names = COLOURS.map(str::to_owned).to_vec();
    }
    Ok(raster)
}

/// A word of the header, and what follows it.
fn token<T: std::str::FromStr>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let bytes = bytes.trim_ascii_start();
    let len = bytes.iter().position(u8::is_ascii_whitespace)?;
    let (word, rest) = bytes.split_at(len);
    Some((str::from_utf8(word).ok()?.parse().ok()?, rest))
}
