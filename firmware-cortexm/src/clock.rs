//! Times work by the core's counter.

use crate::cpu;

/// The ticks that `work` takes, beside its result.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = cpu::ticks();
    let result = work();
    (result, cpu::ticks() - before)
}

/// The ticks of [`CALIBRATION_INSTRUCTIONS`](firmware_cortexm::protocol::CALIBRATION_INSTRUCTIONS) instructions.
pub(crate) fn calibrate() -> u64 {
    time(|| cpu::delay(firmware_cortexm::protocol::CALIBRATION_INSTRUCTIONS / 2)).1
}
