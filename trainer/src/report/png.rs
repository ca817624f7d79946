//! Pixels as the bytes of a PNG.

use std::io::Cursor;

use super::error::FigureError;

/// Pixels, row by row, as the bytes of a PNG.
///
/// # Errors
///
/// If the encoder refuses.
pub fn encode_png(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: image::ExtendedColorType,
) -> Result<Vec<u8>, FigureError> {
    let mut bytes = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, pixels, width, height, color, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
