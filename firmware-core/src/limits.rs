//! The largest shapes that an artifact may have.
//!
//! They bound the few arrays of fixed size (the header's list of widths, one point, one output) and keep every offset
//! far from overflow. The trainer refuses larger networks before training.

/// The most coordinates that a point can have.
pub const MAX_INPUTS: usize = 16;
/// The most values that a model can have at a point.
pub const MAX_OUTPUTS: usize = 16;
/// The most rows of the frequency matrix B; the features are twice as many.
pub const MAX_FREQUENCIES: usize = 1024;
/// The most coordinates that a point of a model with grids can have.
pub const MAX_GRID_INPUTS: usize = 4;
/// The most bits of an integer code.
pub const MAX_CODE_BITS: u8 = 16;
/// The most grids that a model can have.
pub const MAX_GRID_LEVELS: usize = 16;
/// The most coefficients at a node of a grid.
pub const MAX_GRID_CHANNELS: usize = 16;
/// The most units of a hidden layer.
pub const MAX_WIDTH: usize = 2048;
/// The most hidden layers.
pub const MAX_HIDDEN_LAYERS: usize = 8;
