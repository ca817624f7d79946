//! The grids of a network, and their numbers from a seed.

use firmware_core::Outside;
use firmware_core::artifact::{GridShape, GridUse};
use firmware_core::write::GridLevel;

use super::{Network, Values};
use crate::random::Random;

/// The grids that a network has in place of frequencies.
#[derive(Clone, Debug)]
pub struct Grids {
    /// What all levels share.
    pub shape: GridShape,
    /// The number of nodes of each level along its first axis; along every further axis it has one more.
    pub nodes: Vec<u32>,
}

impl Grids {
    pub(crate) fn new(nodes: &[u32], channels: u8, order: u8, bits: u8) -> Self {
        let levels = nodes.len() as u8;
        let shape = GridShape { levels, channels, order, bits, used_as: GridUse::Features };
        Self { shape, nodes: nodes.to_vec() }
    }
}

/// The numbers of one level.
pub(super) struct OwnedLevel {
    nodes: Vec<u32>,
    cells: Vec<u32>,
    coefficients: Vec<i8>,
}

impl OwnedLevel {
    /// The levels of a network, from its seed.
    pub(super) fn all(network: &Network, random: &mut Random) -> Vec<Self> {
        let Some(grids) = &network.grids else { return Vec::new() };
        grids.nodes.iter().map(|&nodes| Self::new(network, grids.shape, nodes, random)).collect()
    }

    fn new(network: &Network, shape: GridShape, nodes: u32, random: &mut Random) -> Self {
        let nodes: Vec<u32> = (0..u32::from(network.inputs)).map(|k| nodes + k).collect();
        let cells = nodes.iter().enumerate().map(|(k, &nodes)| {
            let is_periodic = network.outside == Outside::Periodic || network.periodic >> k & 1 == 1;
            if is_periodic {
                nodes << 16
            } else {
                ((nodes - u32::from(shape.order)) << 16) - (random.bits() as u32 & 0xfff)
            }
        });
        let cells = cells.collect();
        let limit = (1 << (shape.bits - 1)) - 1;
        let len = nodes.iter().product::<u32>() * u32::from(shape.channels);
        let coefficient = |random: &mut Random| match network.values {
            Values::Random => random.within(limit) as i8,
            Values::Extreme => random.pick(&[limit, -limit]) as i8,
        };
        let coefficients = (0..len).map(|_| coefficient(random)).collect();
        Self { nodes, cells, coefficients }
    }

    pub(super) fn level(&self) -> GridLevel<'_> {
        GridLevel { nodes: &self.nodes, cells: &self.cells, coefficients: &self.coefficients }
    }
}
