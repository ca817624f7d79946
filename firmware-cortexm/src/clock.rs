//! A 64-bit count of SysTick, which itself is 24 bits wide.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;

const RELOAD: u32 = 0x00ff_ffff;

/// How often the counter has passed zero.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// Starts the counter at the core's clock.
pub(crate) fn start(mut syst: SYST) {
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(RELOAD);
    syst.clear_current();
    syst.enable_interrupt();
    syst.enable_counter();
}

/// Ticks since [`start`].
pub(crate) fn ticks() -> u64 {
    loop {
        let wraps = WRAPS.load(Ordering::Relaxed);
        let current = SYST::get_current();
        // The counter runs down; if it wrapped between the two reads, they do not belong together.
        if WRAPS.load(Ordering::Relaxed) == wraps {
            return (u64::from(wraps) << 24) + u64::from(RELOAD - current);
        }
    }
}

/// The ticks that `work` takes, beside its result.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = ticks();
    let result = work();
    (result, ticks() - before)
}

/// The ticks of [`CALIBRATION_INSTRUCTIONS`](firmware_cortexm::protocol::CALIBRATION_INSTRUCTIONS) instructions.
pub(crate) fn calibrate() -> u64 {
    // `delay(n)` is n + 1 turns of a subtraction and a branch.
    let turns = firmware_cortexm::protocol::CALIBRATION_INSTRUCTIONS / 2;
    time(|| cortex_m::asm::delay(turns - 1)).1
}

#[exception]
fn SysTick() {
    // Loads and stores only: the M0 has no atomic addition, and nothing else writes here.
    WRAPS.store(WRAPS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
