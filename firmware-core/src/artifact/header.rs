//! The header: shapes and settings of a network.

use crate::coordinate::Outside;
use crate::error::ParseError;
use crate::limits::{MAX_HIDDEN_LAYERS, MAX_INPUTS};
use crate::output::OutputActivation;
use crate::precision::Precision;
use serde::{Deserialize, Serialize};

/// The newest format version that this crate reads. It writes version 1 where that holds the model.
pub const VERSION: u16 = 2;
/// The longest header in bytes, with room to spare.
pub(crate) const MAX_HEADER_BYTES: usize = 96;

/// The shape of one dense layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerShape {
    pub(crate) inputs: usize,
    pub(crate) rows: usize,
    /// Whether it has multipliers, where its precision is one of integers: hidden layers do, and a sigmoid output.
    pub(crate) takes_multiplier: bool,
}

/// The function that follows each hidden layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HiddenActivation {
    /// max(0, z).
    #[default]
    Relu,
    /// sin z (Sitzmann et al. 2020). The weights hold the frequency ω₀ and 1/2π, so that accumulators are phases; see
    /// [`Precision`].
    Sine,
}

/// What becomes of the values that the grids of a model have at a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum GridUse {
    /// They are the features of the network.
    #[default]
    Features,
    /// They are the raw outputs: the model is a table, and has no layers.
    Outputs,
}

/// The shape of the grids of B-spline coefficients that a model has in place of frequencies; how many nodes each has
/// along each axis stands with the coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GridShape {
    /// The number of grids, each with a resolution of its own.
    pub levels: u8,
    /// The number of coefficients at a node.
    pub channels: u8,
    /// The order of the splines: 1 for linear interpolation, 2 for quadratic B-splines.
    pub order: u8,
    /// The number of bits of a coefficient, from 4 to 8.
    pub bits: u8,
    /// What the values are used for.
    pub used_as: GridUse,
}

impl GridShape {
    /// The number of values at a point: levels · channels.
    #[inline]
    #[must_use]
    pub const fn features(&self) -> usize {
        self.levels as usize * self.channels as usize
    }

    /// Words that the coefficients of a level take, of which `nodes` are the numbers of nodes; `None` where they have
    /// 2³² - 32 bits or more.
    ///
    /// ```
    /// use firmware_core::artifact::{GridShape, GridUse};
    /// let shape = GridShape { levels: 1, channels: 3, order: 1, bits: 6, used_as: GridUse::Outputs };
    /// assert_eq!(shape.coefficient_words([5, 7]), Some(20)); // 5 · 7 · 3 coefficients are 630 bits
    /// ```
    #[inline]
    #[must_use]
    pub fn coefficient_words(&self, nodes: impl IntoIterator<Item = u32>) -> Option<usize> {
        let node_bits = u32::from(self.channels) * u32::from(self.bits);
        let bits = nodes.into_iter().try_fold(node_bits, u32::checked_mul)?;
        Some((bits.checked_add(31)? / 32) as usize)
    }
}

/// What a header of version 2 may hold beside the periodic axes.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Extension {
    hidden_activation: HiddenActivation,
    grid: Option<GridShape>,
    code_bits: heapless::Vec<u8, MAX_INPUTS>,
}

/// Shapes and settings of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// How numbers are stored and computed.
    pub precision: Precision,
    /// What happens beyond the trained domain, along the axes that are not in `periodic`.
    pub outside: Outside,
    /// The axes along which points beyond the domain are [`Outside::Periodic`] whatever `outside` says: bit k is that
    /// of coordinate k. Zero in every model of version 1.
    #[serde(skip)]
    pub periodic: u16,
    /// The function that follows each hidden layer; ReLU in every model of version 1.
    #[serde(skip)]
    pub hidden_activation: HiddenActivation,
    /// The grids that the model has in place of frequencies.
    #[serde(skip)]
    pub grid: Option<GridShape>,
    /// For each axis the number of bits of the integer codes that it consists of, as those of a converter; 0 for an
    /// axis of real numbers. Empty where no axis consists of codes.
    #[serde(skip)]
    pub code_bits: heapless::Vec<u8, MAX_INPUTS>,
    /// The function that follows the last layer.
    pub activation: OutputActivation,
    /// d, the number of coordinates of a point.
    pub inputs: u8,
    /// c, the number of values at a point.
    pub outputs: u8,
    /// m, the number of rows of B.
    pub frequencies: u16,
    /// p, the number of coordinates, counted from the last, that the network also takes as they are (with m = 0: only
    /// so).
    pub passthrough: u8,
    /// The widths of the hidden layers, first to last.
    pub hidden: heapless::Vec<u16, MAX_HIDDEN_LAYERS>,
    /// PSNR of the network in f32 on its training data, dB; NaN where unknown.
    pub training_psnr_db: f32,
    /// What this precision loses against f32 on the training data, dB; NaN where unknown.
    pub quantization_loss_db: f32,
}

impl Header {
    /// What happens beyond the domain along one axis, counted from 0.
    #[inline]
    #[must_use]
    pub fn outside_along(&self, axis: usize) -> Outside {
        let is_periodic = axis < MAX_INPUTS && self.periodic >> axis & 1 == 1;
        if is_periodic { Outside::Periodic } else { self.outside }
    }

    /// Whether [`Header::periodic`] names axes that there are, and no others.
    pub(crate) fn periodic_fits(&self) -> bool {
        u32::from(self.periodic) >> self.inputs.min(MAX_INPUTS as u8) == 0
    }

    /// The number of features that the network takes, or that are the raw outputs of a table.
    #[inline]
    pub(crate) fn features(&self) -> usize {
        match self.grid {
            Some(grid) if cfg!(feature = "grid") => grid.features(),
            _ => 2 * usize::from(self.frequencies) + usize::from(self.passthrough),
        }
    }

    /// Whether the model is a table, without layers.
    #[inline]
    pub(crate) fn is_table(&self) -> bool {
        cfg!(feature = "grid") && self.grid.is_some_and(|grid| grid.used_as == GridUse::Outputs)
    }

    /// The shapes of the layers, first to last; none of a table.
    pub(crate) fn layers(&self) -> impl Iterator<Item = LayerShape> + '_ {
        let hidden = self.hidden.iter().map(|&width| usize::from(width));
        let hidden_layers = self.hidden.len();
        let rows = hidden.clone().chain(core::iter::once(usize::from(self.outputs)));
        let rows = rows.take(if self.is_table() { 0 } else { usize::MAX });
        core::iter::once(self.features()).chain(hidden).zip(rows).enumerate().map(move |(l, (inputs, rows))| {
            LayerShape {
                inputs,
                rows,
                takes_multiplier: l < hidden_layers || self.activation == OutputActivation::Sigmoid,
            }
        })
    }

    /// The oldest version of the format that holds this header.
    pub(crate) fn version(&self) -> u16 {
        if self.periodic == 0 && self.extension() == Extension::default() { 1 } else { 2 }
    }

    fn extension(&self) -> Extension {
        let Self { hidden_activation, grid, code_bits, .. } = self;
        Extension { hidden_activation: *hidden_activation, grid: *grid, code_bits: code_bits.clone() }
    }

    /// The header's bytes at the front of `buffer`; their number, or `None` where it cannot be encoded.
    pub(crate) fn encode(&self, buffer: &mut [u8; MAX_HEADER_BYTES]) -> Option<usize> {
        let len = postcard::to_slice(self, buffer).ok()?.len();
        if self.version() == 1 {
            return Some(len);
        }
        let (periodic, behind) = buffer.get_mut(len..)?.split_first_chunk_mut()?;
        *periodic = self.periodic.to_le_bytes();
        let extension = self.extension();
        let is_extended = extension != Extension::default();
        let extension_len = if is_extended { postcard::to_slice(&extension, behind).ok()?.len() } else { 0 };
        Some(len + size_of::<u16>() + extension_len)
    }

    /// Reads the header's bytes of an artifact of this version.
    pub(crate) fn decode(version: u16, bytes: &[u8]) -> Result<Self, ParseError> {
        let (mut header, unread): (Self, _) = postcard::take_from_bytes(bytes).map_err(|_| ParseError::Header)?;
        if version == 1 {
            return if unread.is_empty() { Ok(header) } else { Err(ParseError::Header) };
        }
        let (periodic, unread) = unread.split_first_chunk().ok_or(ParseError::Header)?;
        header.periodic = u16::from_le_bytes(*periodic);
        if unread.is_empty() {
            return if header.periodic == 0 { Err(ParseError::Header) } else { Ok(header) };
        }
        let (extension, unread): (Extension, _) = postcard::take_from_bytes(unread).map_err(|_| ParseError::Header)?;
        if !unread.is_empty() || extension == Extension::default() {
            return Err(ParseError::Header);
        }
        Extension { hidden_activation: header.hidden_activation, grid: header.grid, code_bits: header.code_bits } =
            extension;
        Ok(header)
    }
}
