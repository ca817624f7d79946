//! The file of a volume, as the module [`march`](crate::march) describes it.

use super::volume::{DIRECTION_AXIS, Density, OUTPUTS, Volume};
use crate::artifact::crc32;
use crate::model::Model;
use crate::output::OutputActivation;

/// Words of a volume's file before the occupancy.
pub const HEADER_WORDS: usize = 10;
const MAGIC: u32 = u32::from_le_bytes(*b"FFV1");
const MAX_RESOLUTION: u32 = 256;

/// Why bytes are no volume for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum VolumeError {
    /// Not at a multiple of four, or of a length that is none.
    Alignment,
    /// Not a volume file, or one of another version.
    Magic,
    /// Damaged, or cut short.
    Checksum,
    /// Numbers that make no sense.
    Settings,
    /// The grid has another length than its resolution says.
    Length,
    /// The model does not have three inputs, or six of which three are a direction, and four linear outputs.
    Model,
}

impl core::fmt::Display for VolumeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Alignment => "the volume does not lie on whole words",
            Self::Magic => "not a volume file of this version",
            Self::Checksum => "the volume file is damaged or cut short",
            Self::Settings => "the volume's settings are out of range",
            Self::Length => "the occupancy grid has another length than its resolution says",
            Self::Model => "the model does not map a position (and a direction) to four linear outputs",
        })
    }
}

impl core::error::Error for VolumeError {}

/// Words of an occupancy grid of `resolution` cells along each axis.
#[must_use]
pub const fn grid_words(resolution: u32) -> usize {
    let n = resolution as usize;
    (n * n * n).div_ceil(32)
}

/// The length of the volume file that `bytes` begin with, as its header says; `None` where that cannot be. What follows
/// a volume in memory begins there.
#[must_use]
pub fn volume_bytes(bytes: &[u8]) -> Option<usize> {
    let word = |index: usize| Some(u32::from_le_bytes(*bytes.get(4 * index..)?.first_chunk()?));
    let resolution = word(2)?;
    let fits = word(0)? == MAGIC && resolution <= MAX_RESOLUTION;
    fits.then(|| 4 * (HEADER_WORDS + grid_words(resolution)))
}

/// Writes a volume's file, without what is the model's; `None` where `words` is not [`HEADER_WORDS`] and the grid long.
pub fn write_volume(volume: &Volume<'_>, words: &mut [u32]) -> Option<()> {
    let density = match volume.density {
        Density::Relu => 0,
        Density::Softplus => 1,
    };
    let [red, green, blue] = volume.background.map(f32::to_bits);
    let header: [u32; HEADER_WORDS] = [
        MAGIC,
        0,
        volume.resolution,
        density,
        volume.step.to_bits(),
        volume.density_scale.to_bits(),
        volume.termination.to_bits(),
        red,
        green,
        blue,
    ];
    if words.len() != HEADER_WORDS + volume.occupancy.len() {
        return None;
    }
    for (word, value) in words.iter_mut().zip(header.iter().chain(volume.occupancy)) {
        *word = *value;
    }
    let checksum = checksum(words);
    *words.get_mut(1)? = checksum;
    Some(())
}

fn checksum(words: &[u32]) -> u32 {
    let mut digest = crc32();
    digest.update(bytemuck::cast_slice(words.get(2..).unwrap_or_default()));
    digest.finalize()
}

impl<'a> Volume<'a> {
    /// Checks a volume's file and that `model` can be marched.
    ///
    /// # Errors
    ///
    /// A [`VolumeError`] that names the first thing found wrong.
    pub fn parse(bytes: &'a [u8], model: &Model<'_>) -> Result<Self, VolumeError> {
        let words: &[u32] = bytemuck::try_cast_slice(bytes).map_err(|_| VolumeError::Alignment)?;
        let Some((header, occupancy)) = words.split_first_chunk::<HEADER_WORDS>() else {
            return Err(VolumeError::Length);
        };
        let &[magic, sum, resolution, density, step, density_scale, termination, red, green, blue] = header;
        if magic != MAGIC {
            return Err(VolumeError::Magic);
        }
        if sum != checksum(words) {
            return Err(VolumeError::Checksum);
        }
        if !(1..=MAX_RESOLUTION).contains(&resolution) {
            return Err(VolumeError::Settings);
        }
        if occupancy.len() != grid_words(resolution) {
            return Err(VolumeError::Length);
        }
        let density = match density {
            0 => Density::Relu,
            1 => Density::Softplus,
            _ => return Err(VolumeError::Settings),
        };
        let mut axes = model.axes();
        let (Some(x), Some(y), Some(z)) = (axes.next(), axes.next(), axes.next()) else {
            return Err(VolumeError::Model);
        };
        let view_direction = match (axes.next(), axes.next(), axes.next(), axes.next()) {
            (None, ..) => false,
            (Some(u), Some(v), Some(w), None) if [u, v, w] == [DIRECTION_AXIS; 3] => true,
            _ => return Err(VolumeError::Model),
        };
        if model.outputs() != OUTPUTS || model.header().activation != OutputActivation::Linear {
            return Err(VolumeError::Model);
        }
        let volume = Self {
            axes: [x, y, z],
            step: f32::from_bits(step),
            density,
            density_scale: f32::from_bits(density_scale),
            view_direction,
            termination: f32::from_bits(termination),
            background: [red, green, blue].map(f32::from_bits),
            resolution,
            occupancy,
        };
        if volume.is_valid() { Ok(volume) } else { Err(VolumeError::Settings) }
    }
}
