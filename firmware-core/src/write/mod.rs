//! Writes artifacts: what the trainer does with a network once it is quantized.
//!
//! ```
//! use firmware_core::artifact::{Header, HiddenActivation};
//! use firmware_core::write::{self, Description, IntegerLayer, Layers};
//! use firmware_core::{Aligned, Axis, Model, OutputActivation, OutputMap, Outside, Precision};
//!
//! // value = 100 - 40 · cos(2πx / 24), of x from 0 to 24.
//! let header = Header {
//!     precision: Precision::W8A16,
//!     outside: Outside::Clamp,
//!     periodic: 0,
//!     hidden_activation: HiddenActivation::Relu,
//!     grid: None,
//!     code_bits: Default::default(),
//!     activation: OutputActivation::Linear,
//!     inputs: 1,
//!     outputs: 1,
//!     frequencies: 1,
//!     passthrough: 0,
//!     hidden: Default::default(),
//!     training_psnr_db: f32::NAN, // unknown
//!     quantization_loss_db: f32::NAN,
//! };
//! let description = Description {
//!     header: &header,
//!     axes: &[Axis::new(0.0, 24.0, 24.0)],
//!     // A weight of 127 and a feature of 32767 make the largest product.
//!     output_maps: &[OutputMap { scale: 40.0 / (127.0 * 32_767.0), offset: 100.0 }],
//!     frequencies: &[1 << 16], // once in the period of the axis
//!     grids: &[],
//!     text: "",
//!     layers: Layers::Integer(&[IntegerLayer { weights: &[-127, 0], bias: &[0], multiplier: &[] }]), // cosine, sine
//! };
//! let mut file = Aligned([0; 128]);
//! let len = write::artifact(&description, &mut [0; 64], &mut file.0)?;
//!
//! let model = Model::parse(&file.0[..len]).unwrap();
//! let mut value = [0.0];
//! model.eval_into(&[12.0], &mut [0; 64], &mut value).unwrap();
//! assert!((value[0] - 140.0).abs() < 0.01);
//! # Ok::<(), firmware_core::WriteError>(())
//! ```

mod blocks;
mod description;
mod grids;
mod text;

pub use description::{Description, FloatLayer, GridLevel, IntegerLayer, Layers};
pub use grids::packed;
pub use text::with_text;

use crate::artifact::{self, MAX_HEADER_BYTES, PRELUDE_BYTES, Prelude};
use crate::error::WriteError;
use crate::layout::layer_words;
use crate::model::Model;
use crate::precision::Precision;
use blocks::Cursor;

/// Length in bytes of the artifact that [`artifact()`] makes of this.
///
/// # Errors
///
/// [`WriteError::Parts`] for a header that cannot be encoded.
pub fn artifact_len(description: &Description<'_>) -> Result<usize, WriteError> {
    let header = description.header;
    let header_len = header.encode(&mut [0; MAX_HEADER_BYTES]).ok_or(WriteError::Parts)?;
    let numbers = 3 * description.axes.len() + 2 * description.output_maps.len() + description.frequencies.len();
    let layers: usize = header.layers().map(|shape| layer_words(header.precision, shape.inputs, shape.rows)).sum();
    let grids: Option<usize> = description.grids.iter().map(|level| level.words(header.grid)).sum();
    let words = numbers + layers + grids.ok_or(WriteError::Parts)?;
    let text_len = description.text.len().next_multiple_of(4);
    Ok(PRELUDE_BYTES + header_len.next_multiple_of(4) + 4 * words + text_len)
}

/// Writes an artifact and returns its length in bytes.
///
/// `out` begins at a multiple of four and holds [`artifact_len`] bytes. `scratch` serves the computation of the known
/// answers; see [`Model::scratch_words`]. What was written has passed the same checks as in [`Model::parse`].
///
/// # Errors
///
/// See [`WriteError`]; `out` then holds nothing of use.
pub fn artifact(description: &Description<'_>, scratch: &mut [u32], out: &mut [u8]) -> Result<usize, WriteError> {
    let header = description.header;
    let len = artifact_len(description)?;
    let out = out.get_mut(..len).ok_or(WriteError::Buffer)?;
    out.fill(0);
    let words = bytemuck::try_cast_slice_mut::<u8, u32>(out).map_err(|_| WriteError::Buffer)?;

    let mut encoded = [0; MAX_HEADER_BYTES];
    let header_len = header.encode(&mut encoded).ok_or(WriteError::Parts)?;
    let text_len = description.text.len();
    let prelude = Prelude { checksum: 0, digest: 0, version: header.version(), header_len, text_len };
    let mut cursor = Cursor::new(words);
    cursor.put(&prelude.to_words(u32::try_from(len).map_err(|_| WriteError::Parts)?))?;
    cursor.put_bytes(&encoded[..header_len])?;
    if description.axes.len() != usize::from(header.inputs)
        || description.output_maps.len() != usize::from(header.outputs)
        || description.frequencies.len() != usize::from(header.frequencies) * usize::from(header.inputs)
        || description.grids.len() != header.grid.map_or(0, |grid| usize::from(grid.levels))
        || description.layers.len() != header.layers().count()
    {
        return Err(WriteError::Parts);
    }
    for axis in description.axes {
        cursor.put(&[axis.minimum, axis.maximum, axis.scale].map(f32::to_bits))?;
    }
    for map in description.output_maps {
        cursor.put(&[map.scale, map.offset].map(f32::to_bits))?;
    }
    cursor.put(bytemuck::cast_slice(description.frequencies))?;
    for (level, shape) in description.grids.iter().zip(core::iter::repeat(header.grid)) {
        cursor.put_grid(shape.ok_or(WriteError::Parts)?, level, header.inputs)?;
    }
    match (description.layers, header.precision) {
        (Layers::Float(layers), Precision::F32) => {
            header.layers().zip(layers).try_for_each(|(shape, layer)| cursor.put_float(shape, layer))?;
        }
        (Layers::Integer(layers), Precision::W8A16) => {
            header.layers().zip(layers).try_for_each(|(shape, layer)| cursor.put_bytes_of_rows(shape, layer))?;
        }
        (Layers::Integer(layers), Precision::W16A16) => {
            header.layers().zip(layers).try_for_each(|(shape, layer)| cursor.put_halfwords(shape, layer))?;
        }
        _ => return Err(WriteError::Parts),
    }
    cursor.put_bytes(description.text.as_bytes())?;

    // Now that the contents stand, what is computed from them.
    let digest = {
        let prelude = Prelude::read(out).map_err(WriteError::Invalid)?;
        let model = Model::parse_contents(out, &prelude).map_err(WriteError::Invalid)?;
        model.known_answer_digest(scratch).map_err(|_| WriteError::Buffer)?
    };
    out[16..20].copy_from_slice(&digest.to_le_bytes());
    let checksum = artifact::checksum(out);
    out[12..16].copy_from_slice(&checksum.to_le_bytes());
    Ok(len)
}
