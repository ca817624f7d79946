//! Cortex-M: startup, the clock, faults.
#![expect(
    unsafe_code,
    reason = "cortex-m-rt asks for the keyword on HardFault, which may run at any point; it only logs and ends the program"
)]

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
pub(crate) use cortex_m::singleton;
pub(crate) use cortex_m_rt::entry;
use cortex_m_rt::{ExceptionFrame, exception};

use crate::exit;
use crate::failure::Failure;

const RELOAD: u32 = 0x00ff_ffff;

/// How often SysTick, which is 24 bits wide, has passed zero.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// Starts the counter at the core's clock.
pub(crate) fn start() -> Result<(), Failure> {
    let mut syst = cortex_m::Peripherals::take().ok_or(Failure::Restarted)?.SYST;
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(RELOAD);
    syst.clear_current();
    syst.enable_interrupt();
    syst.enable_counter();
    Ok(())
}

/// Ticks of SysTick since [`start`].
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

/// Takes `turns` turns of a subtraction and a branch.
pub(crate) fn delay(turns: u32) {
    // One more than it is told.
    cortex_m::asm::delay(turns - 1);
}

#[exception]
fn SysTick() {
    // Loads and stores only: the M0 has no atomic addition, and nothing else writes here.
    WRAPS.store(WRAPS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}", frame.pc());
    exit(1)
}
