//! Hyperparameters of grids.

use firmware_core::limits::{MAX_GRID_CHANNELS, MAX_GRID_INPUTS, MAX_GRID_LEVELS};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most nodes along an axis: a device counts them in 16 bits.
const MAX_NODES: u32 = 65_535;
/// Most coefficients of all levels together, so that positions among their bits fit 32 bits.
const MAX_COEFFICIENTS: usize = 1 << 28;

/// How many nodes the axes of a level have: one number for all axes, or one for each, first axis first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nodes(pub Vec<u32>);

/// Nodes of a grid are named by numbers such as 48, or 48x32.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no grid; give nodes along every axis as in 48, or along each of them as in 48x32")]
pub struct NodesError(String);

impl FromStr for Nodes {
    type Err = NodesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Result<Vec<u32>, _> = text.split('x').map(str::parse).collect();
        numbers.map(Self).map_err(|_| NodesError(text.to_owned()))
    }
}

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("x"))
    }
}

impl Nodes {
    /// The nodes of each of `inputs` axes; none if other numbers of them are given.
    #[must_use]
    pub fn along(&self, inputs: usize) -> Option<Vec<u32>> {
        match &self.0[..] {
            &[nodes] => Some(vec![nodes; inputs]),
            each if each.len() == inputs => Some(each.to_vec()),
            _ => None,
        }
    }
}

/// Hyperparameters of grids and tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GridParams {
    /// Nodes of each level; a table has one.
    pub levels: Vec<Nodes>,
    /// Values at each node of a level. A table has as many as there are outputs.
    pub channels: usize,
    /// Order of the splines: 1 is linear interpolation, 2 quadratic B-splines.
    pub order: u8,
    /// Bits of a coefficient on the device, 4 to 8.
    pub bits: u8,
}

impl Default for GridParams {
    fn default() -> Self {
        let levels = [12, 24, 48, 64].map(|nodes| Nodes(vec![nodes])).to_vec();
        Self { levels, channels: 2, order: 1, bits: 8 }
    }
}

impl GridParams {
    /// Grids over three axes or more, whose coefficients are many.
    #[must_use]
    pub fn of_volumes() -> Self {
        Self { levels: [16, 32, 48].map(|nodes| Nodes(vec![nodes])).to_vec(), ..Self::default() }
    }

    /// Whether these are the default, which settings do not mention.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The nodes along each axis of every level.
    ///
    /// # Errors
    /// [`GridParamsError`], with the option to change.
    pub(super) fn check(&self, inputs: usize) -> Result<Vec<Vec<u32>>, GridParamsError> {
        if !(1..=MAX_GRID_INPUTS).contains(&inputs) {
            return Err(GridParamsError::Inputs { inputs });
        }
        let levels = self.levels.len();
        if !(1..=MAX_GRID_LEVELS).contains(&levels) {
            return Err(GridParamsError::Levels { levels });
        }
        if !(1..=MAX_GRID_CHANNELS).contains(&self.channels) {
            return Err(GridParamsError::Channels { channels: self.channels });
        }
        if !(1..=2).contains(&self.order) {
            return Err(GridParamsError::Order { order: self.order });
        }
        if !(4..=8).contains(&self.bits) {
            return Err(GridParamsError::Bits { bits: self.bits });
        }
        let mut all = 0usize;
        let mut checked = Vec::with_capacity(levels);
        for level in &self.levels {
            let nodes = level.along(inputs).ok_or_else(|| GridParamsError::Axes { level: level.clone(), inputs })?;
            let least = u32::from(self.order) + 1;
            if nodes.iter().any(|nodes| !(least..=MAX_NODES).contains(nodes)) {
                return Err(GridParamsError::Nodes { level: level.clone(), least });
            }
            let coefficients = nodes.iter().fold(self.channels, |len, &nodes| len.saturating_mul(nodes as usize));
            all = all.saturating_add(coefficients);
            if all > MAX_COEFFICIENTS {
                return Err(GridParamsError::Coefficients { level: level.clone() });
            }
            checked.push(nodes);
        }
        Ok(checked)
    }
}

/// Why there are no such grids.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GridParamsError {
    /// Too many inputs or none.
    #[error(
        "grids over {inputs} inputs are not possible; a device takes 1 to {MAX_GRID_INPUTS}. Choose another --encoding"
    )]
    Inputs {
        /// Coordinates of a point.
        inputs: usize,
    },
    /// Too many levels or none.
    #[error("{levels} grids are not possible; --levels takes 1 to {MAX_GRID_LEVELS} of them")]
    Levels {
        /// The number of levels.
        levels: usize,
    },
    /// A table is one grid.
    #[error("a table is one grid, and --levels names {levels}; give one, or use --encoding grid")]
    TableLevels {
        /// The number of levels.
        levels: usize,
    },
    /// Too many channels or none.
    #[error("{channels} channels are not possible; --channels takes 1 to {MAX_GRID_CHANNELS}")]
    Channels {
        /// The number of channels.
        channels: usize,
    },
    /// No such splines.
    #[error("splines of order {order} are not possible; --order takes 1 (linear) or 2 (quadratic)")]
    Order {
        /// The order.
        order: u8,
    },
    /// No such number format.
    #[error("coefficients of {bits} bits are not possible; --bits takes 4 to 8")]
    Bits {
        /// The number of bits.
        bits: u8,
    },
    /// A level for data of another dimension.
    #[error("the level {level} does not fit {inputs} inputs; --levels takes one number for all axes, or one for each")]
    Axes {
        /// Nodes of the level, along each axis.
        level: Nodes,
        /// Coordinates of a point.
        inputs: usize,
    },
    /// Too few nodes along an axis, or too many.
    #[error("the level {level} is not possible; each axis takes {least} to {MAX_NODES} nodes")]
    Nodes {
        /// Nodes of the level, along each axis.
        level: Nodes,
        /// The fewest nodes that splines of this order take.
        least: u32,
    },
    /// More coefficients than can be addressed.
    #[error("the level {level} makes too many coefficients; give fewer nodes")]
    Coefficients {
        /// Nodes of the level, along each axis.
        level: Nodes,
    },
}
