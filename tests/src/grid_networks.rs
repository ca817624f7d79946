//! Networks over grids and tables, whose numbers [`synthetic`](crate::synthetic) makes from a seed.

use firmware_core::artifact::{GridShape, GridUse};
use firmware_core::limits::MAX_GRID_INPUTS;
use firmware_core::{Outside, Precision};

use crate::synthetic::{Grids, Network};

/// The reference network of the counts: 2 inputs, four grids of two channels and 8 bits, 32-32, 1 output; 16 KB.
pub fn reference(precision: Precision, order: u8) -> Network {
    let grids = Grids::new(&[12, 24, 48, 64], 2, order, 8);
    Network { hidden: vec![32, 32], outputs: 1, ..over(grids, precision) }
}

/// The reference table of the counts: 2 inputs, 1 output, quadratic, 6 bits.
pub fn reference_table(precision: Precision) -> Network {
    Network { outputs: 1, ..table(Grids::new(&[128], 1, 2, 6), precision) }
}

/// Small networks and tables of every order and number of axes, over grids of every width, with one to five channels,
/// and axes that wrap and axes that do not; each with its name.
pub fn all_kinds(precision: Precision) -> Vec<(String, Network)> {
    let mut networks = Vec::new();
    for inputs in 1..=MAX_GRID_INPUTS as u8 {
        for order in 1..=2 {
            let kind = networks.len() as u8 + u8::from(precision == Precision::W8A16);
            let (bits, channels) = (4 + kind % 5, 1 + (kind + inputs) % 5);
            let grids = Grids::new(&[u32::from(order) + 1, 5, 7], channels, order, bits);
            let network = Network { inputs, ..over(grids, precision) };
            // Every second network wraps along every second axis, the others along none or all.
            let network = match kind % 4 {
                0 => Network { outside: Outside::Periodic, ..network },
                2 => network,
                _ => Network { periodic: 0b0101 << (kind / 2 % 2) & ((1 << inputs) - 1), ..network },
            };
            let name = |what| format!("{what} {inputs}-D order {order} bits {bits} channels {channels}");
            if precision != Precision::F32 {
                let grids = Grids::new(&[6], channels, order, bits);
                let of_table = table(grids, precision);
                networks.push((
                    name("table"),
                    Network { hidden: vec![], grids: of_table.grids, outputs: channels, ..network.clone() },
                ));
            }
            networks.push((name("grid"), network));
        }
    }
    networks.extend(bytes_over_two_axes(precision));
    // Single precision has no tables.
    networks.extend(bits_over_few_axes(precision).filter(|_| precision != Precision::F32));
    networks
}

/// What cores evaluate by code of its own: coefficients of 8 bits over two axes, of which none, one or both wrap.
fn bytes_over_two_axes(precision: Precision) -> impl Iterator<Item = (String, Network)> {
    (1..=2u8).flat_map(move |order| {
        (0..4u16).flat_map(move |periodic| {
            let channels = 1 + periodic as u8;
            let name = |what| format!("{what} 2-D order {order} bits 8 channels {channels} periodic {periodic:02b}");
            let grids = Grids::new(&[u32::from(order) + 1, 9, 4], channels, order, 8);
            let grid = (name("grid"), Network { periodic, ..over(grids, precision) });
            let of_table = table(Grids::new(&[5], channels, order, 8), precision);
            let table = (name("table"), Network { periodic, outputs: channels, ..of_table });
            // Single precision has no tables.
            [Some(grid), Some(table).filter(|_| precision != Precision::F32)].into_iter().flatten()
        })
    })
}

/// Tables whose coefficients have 4 to 7 bits, which cores evaluate by code of its own too: over one axis and two, of
/// one channel, whose coefficients lie side by side, and of two, with no axis that wraps and with all. Of the four
/// tables that differ in their axes and their order alone, each has another number of bits.
fn bits_over_few_axes(precision: Precision) -> impl Iterator<Item = (String, Network)> {
    (0..16u8).map(move |kind| {
        let (inputs, order, channels) = (1 + kind % 2, 1 + kind / 2 % 2, 1 + kind / 4 % 2);
        let periodic = if kind < 8 { 0 } else { (1 << inputs) - 1 };
        let bits = 4 + (kind / 4 + kind + u8::from(precision == Precision::W8A16)) % 4;
        let name = format!("table {inputs}-D order {order} bits {bits} channels {channels} periodic {periodic:02b}");
        let of_table = table(Grids::new(&[5], channels, order, bits), precision);
        (name, Network { inputs, periodic, outputs: channels, ..of_table })
    })
}

/// A small network over grids.
fn over(grids: Grids, precision: Precision) -> Network {
    Network { grids: Some(grids), frequencies: 0, passthrough: 0, ..Network::tiny(precision) }
}

/// The table of one grid.
fn table(grids: Grids, precision: Precision) -> Network {
    let shape = GridShape { used_as: GridUse::Outputs, ..grids.shape };
    Network { hidden: vec![], ..over(Grids { shape, ..grids }, precision) }
}
