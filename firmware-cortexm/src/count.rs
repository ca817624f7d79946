//! Counts of the two forms of evaluation.

use crate::clock;

/// Samples and ticks of one form of evaluation.
#[derive(Default)]
pub(crate) struct Count {
    samples: usize,
    ticks: u64,
}

impl Count {
    /// Times an evaluation of `samples` points and adds it.
    pub(crate) fn time<T>(&mut self, samples: usize, evaluation: impl FnOnce() -> T) -> T {
        let (result, ticks) = clock::time(evaluation);
        self.samples += samples;
        self.ticks += ticks;
        result
    }

    /// How many evaluations were timed.
    #[cfg(not(baked_model))]
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// What they took together.
    #[cfg(not(baked_model))]
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Adds another count.
    #[cfg(not(baked_model))]
    pub(crate) fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.ticks += other.ticks;
    }

    /// Logs the count.
    pub(crate) fn log(&self, form: &str) {
        defmt::info!("count form={=str} samples={=usize} ticks={=u64}", form, self.samples, self.ticks);
    }
}
