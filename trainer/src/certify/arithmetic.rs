//! Whether bounds are of the device or of the same network without rounding.

/// Which numbers are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// Those of the device, to the bit.
    Device,
    /// Those of the same weights without any rounding.
    Exact,
}
