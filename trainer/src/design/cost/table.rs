//! The prices. Made by `cargo xtask bench --costs`; not to be edited.

use super::Core;

/// Every core, in the order of the boards.
#[rustfmt::skip]
pub static CORES: [Core; 6] = [
    Core { board: "microbit", name: "Cortex-M0", prices: [[0.0; 29]; 3] },
    Core { board: "mps2-an385", name: "Cortex-M3", prices: [[0.0; 29]; 3] },
    Core { board: "mps2-an386", name: "Cortex-M4F", prices: [[0.0; 29]; 3] },
    Core { board: "mps2-an500", name: "Cortex-M7", prices: [[0.0; 29]; 3] },
    Core { board: "mps2-an505", name: "Cortex-M33", prices: [[0.0; 29]; 3] },
    Core { board: "mps3-an547", name: "Cortex-M55", prices: [[0.0; 29]; 3] },
];
