//! Panics are wrong results: they are logged and end the program with exit code 1. So are faults of the core, see
//! `cpu`.

use core::panic::PanicInfo;

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
