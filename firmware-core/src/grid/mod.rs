//! Grids of B-spline coefficients: tables with interpolation, and features that are learned point by point.

mod checks;
mod interpolate;
mod level;
#[cfg(kernels_grids)]
mod plan;

use crate::artifact::{GridShape, GridUse};
use crate::error::ParseError;
pub(crate) use interpolate::rounded;
pub use level::Level;
#[cfg(kernels_grids)]
pub(crate) use plan::Plan;

/// Grids over the unit domain, checked, over words that lie elsewhere (in flash, or in the trainer's memory).
///
/// - Coordinates `v`: `[d]`, unsigned Q0.32, with d from 1 to 4.
/// - A *level* is one grid: `[n_0, …, n_{d-1}, channels]` coefficients, row-major, each of 4 to 8 bits. Levels differ
///   in their numbers of nodes.
/// - Position along an axis, in cells: p = (v·cells) >> 32 with the axis's number of cells in Q16.16. Its whole part is
///   i, and f in Q15 is its fraction `(p & 0xffff) >> 1`.
/// - Order 1, linear interpolation: the nodes i, i+1 have the weights 32768 - f, f.
/// - Order 2, uniform quadratic B-splines: the nodes i, i+1, i+2 have the weights w_0 = (32768 - f)² >> 16,
///   32768 - w_0 - w_2 and w_2 = f² >> 16.
/// - Along an axis that is not periodic there are at most n - order cells, so that the last node is there. Along a
///   periodic one there are n of them, and nodes are counted modulo n.
/// - Interpolation goes from the last axis to the first. A coefficient q counts as q·2^(16 - bits). Along each axis but
///   the first the values become (Σ w·value + 2¹⁴) >> 15, along the first they become Σ w·value, below 2³⁰.
/// - Features: `[levels · channels]`, level by level, signed 16 bits: (Σ w·value + 2¹⁴) >> 15. In a table, which is one
///   level, the sums of the channels are the raw outputs.
///
/// Each rounding adds at most half a unit of 32768, and each weight is at most one unit of 32768 below the exact one.
///
/// The words are, for each level: the number of nodes and that of cells (Q16.16) of each axis, and then the
/// coefficients, packed from the least significant bit on and filled with zeros to a whole word.
///
/// ```
/// use firmware_core::Grids;
/// use firmware_core::artifact::{GridShape, GridUse};
///
/// let shape = GridShape { levels: 1, channels: 1, order: 1, bits: 8, used_as: GridUse::Features };
/// // Three nodes, which the domain reaches from the first to the last: two cells.
/// let words = [3, 2 << 16, u32::from_le_bytes([0, 100, 20, 0])];
/// let grids = Grids::new(shape, 1, 0, &words)?;
/// let mut features = [0];
/// grids.encode_into(&[3 << 30], &mut features); // v = 3/4, between the second node and the third
/// assert_eq!(features, [60 * 256]);
/// # Ok::<(), firmware_core::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Grids<'a> {
    shape: GridShape,
    inputs: usize,
    words: &'a [u32],
    #[cfg(kernels_grids)]
    plan: Plan,
}

impl<'a> Grids<'a> {
    /// Grids of this shape over points of `inputs` coordinates, of which those in `periodic` (bit k: coordinate k)
    /// wrap.
    ///
    /// # Errors
    ///
    /// [`ParseError::Shape`] for shapes beyond [`limits`](crate::limits), and for numbers of nodes or cells that do not
    /// fit each other; [`ParseError::Weight`] for a coefficient beyond ±(2^(bits - 1) - 1) and for padding that is not
    /// zero; [`ParseError::Truncated`] and [`ParseError::TrailingBytes`] where the words end elsewhere.
    pub fn new(shape: GridShape, inputs: usize, periodic: u16, words: &'a [u32]) -> Result<Self, ParseError> {
        let (grids, rest) = Self::split(shape, inputs, periodic, words)?;
        if rest.is_empty() { Ok(grids) } else { Err(ParseError::TrailingBytes) }
    }

    /// What was already checked.
    fn checked(shape: GridShape, inputs: usize, words: &'a [u32]) -> Self {
        Self {
            shape,
            inputs,
            words,
            #[cfg(kernels_grids)]
            plan: Plan::new(shape, inputs),
        }
    }

    /// Whether the values are the raw outputs of a table.
    #[inline]
    pub(crate) fn is_table(&self) -> bool {
        self.shape.used_as == GridUse::Outputs
    }

    /// What kernels in assembly take from the shape.
    #[cfg(kernels_grids)]
    #[inline]
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The shape that all levels share.
    #[must_use]
    pub fn shape(&self) -> GridShape {
        self.shape
    }

    /// The number of coordinates of a point, d.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The length of the feature vector: levels · channels.
    #[must_use]
    pub fn features_len(&self) -> usize {
        self.shape.features()
    }

    /// The number of coefficients that all values at a point together are made of: features · (order + 1)^d.
    #[must_use]
    pub fn coefficients_at_a_point(&self) -> usize {
        let taps = usize::from(self.shape.order) + 1;
        (0..self.inputs).fold(self.features_len(), |len, _| len * taps)
    }

    /// The words over which it lies.
    #[cfg(kernels_grids)]
    #[inline]
    pub(crate) fn words(&self) -> &'a [u32] {
        self.words
    }
}
