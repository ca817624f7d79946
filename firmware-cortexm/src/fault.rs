//! Panics and hard faults are wrong results: they are logged and end the program with exit code 1.
#![expect(
    unsafe_code,
    reason = "cortex-m-rt asks for the keyword on HardFault, which may run at any point; it only logs and ends the program"
)]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use crate::exit;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // The place without the message: core's formatting would be a third of the program.
    match info.location() {
        Some(place) => defmt::error!("panicked at {=str}:{=u32}", place.file(), place.line()),
        None => defmt::error!("panicked"),
    }
    exit(1)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}", frame.pc());
    exit(1)
}
