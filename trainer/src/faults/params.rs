//! How much is tried.

/// Settings of a study of flipped bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultParams {
    /// The most samples at which answers are compared; more are drawn by the seed. From 1.
    pub samples: usize,
    /// The most bits that are flipped, those of the header not counted; more are drawn by the seed. From 1.
    pub flips: usize,
    /// The most seconds that the proof of the range takes.
    pub seconds: f64,
    /// Decides which samples and bits are drawn.
    pub seed: u64,
}

impl Default for FaultParams {
    fn default() -> Self {
        Self { samples: 1000, flips: 20_000, seconds: 20.0, seed: 0 }
    }
}
