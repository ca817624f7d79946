//! Writes an artifact with another text.

use crate::artifact::{self, PRELUDE_BYTES, Prelude};
use crate::error::WriteError;
use crate::model::Model;

/// The artifact with another text in place of its own: all else stays as it is. Returns its length in bytes, which is
/// that of the artifact without its text and then `text.len()`, filled up to a multiple of four.
///
/// `artifact` and `out` begin at a multiple of four.
///
/// # Errors
///
/// [`WriteError::Invalid`] for bytes that are no artifact, [`WriteError::Buffer`] if `out` is too short, and
/// [`WriteError::Parts`] for a text that is too long.
///
/// ```
/// use firmware_core::{Aligned, Model, write};
///
/// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../models/thermocouple.ffm"));
///
/// let mut file = Aligned([0; 4096]);
/// let len = write::with_text(&MODEL.0, "checked: true\n", &mut file.0)?;
/// let model = Model::parse(&file.0[..len]).unwrap();
/// assert_eq!(model.text(), "checked: true\n");
/// # Ok::<(), firmware_core::WriteError>(())
/// ```
pub fn with_text(artifact: &[u8], text: &str, out: &mut [u8]) -> Result<usize, WriteError> {
    Model::parse(artifact).map_err(WriteError::Invalid)?;
    let old = Prelude::read(artifact).map_err(WriteError::Invalid)?;
    let body = artifact.len().saturating_sub(old.text_len.next_multiple_of(4));
    let len = body + text.len().next_multiple_of(4);
    let text_len = u32::try_from(text.len()).map_err(|_| WriteError::Parts)?;
    let artifact_len = u32::try_from(len).map_err(|_| WriteError::Parts)?;
    let out = out.get_mut(..len).ok_or(WriteError::Buffer)?;
    let (front, back) = out.split_at_mut(body);
    front.copy_from_slice(&artifact[..body]);
    back.fill(0);
    back[..text.len()].copy_from_slice(text.as_bytes());
    let fields = front.first_chunk_mut::<PRELUDE_BYTES>().ok_or(WriteError::Buffer)?;
    fields[8..12].copy_from_slice(&artifact_len.to_le_bytes());
    fields[20..24].copy_from_slice(&text_len.to_le_bytes());
    let checksum = artifact::checksum(out);
    out[12..16].copy_from_slice(&checksum.to_le_bytes());
    Model::parse(out).map_err(WriteError::Invalid)?;
    Ok(len)
}
