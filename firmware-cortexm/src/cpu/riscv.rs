//! RISC-V: startup, the clock, faults.
#![expect(
    unsafe_code,
    reason = "registers of the core, symbols of the linker, and the name that riscv-rt gives a handler"
)]

use riscv::register::{mcause, mepc};
pub(crate) use riscv::singleton;
pub(crate) use riscv_rt::entry;

use crate::exit;
use crate::failure::Failure;

/// Starts the counter of cycles, which some cores leave stopped to save power (Hazard3).
#[cfg(not(esp32c3))]
pub(crate) fn start() -> Result<(), Failure> {
    // SAFETY: clears all of mcountinhibit, so that every counter runs; nothing else depends on it.
    unsafe { core::arch::asm!("csrw mcountinhibit, zero", options(nomem, nostack)) };
    Ok(())
}

/// Cycles of the core.
#[cfg(not(esp32c3))]
pub(crate) fn ticks() -> u64 {
    riscv::register::mcycle::read64()
}

/// Starts the counter of cycles. The ESP32-C3 has registers of its own for it (technical reference manual, section
/// 1.4): mpcer chooses cycles, mpcmr starts.
#[cfg(esp32c3)]
pub(crate) fn start() -> Result<(), Failure> {
    // SAFETY: registers of the counter, on which nothing else depends.
    unsafe { core::arch::asm!("csrwi 0x7e0, 1", "csrwi 0x7e1, 1", "csrw 0x7e2, zero", options(nomem, nostack)) };
    Ok(())
}

/// Cycles of the core since [`start`], of which the counter has 32 bits: 26 seconds at 160 MHz.
#[cfg(esp32c3)]
pub(crate) fn ticks() -> u64 {
    let cycles: u32;
    // SAFETY: reads the counter.
    unsafe { core::arch::asm!("csrr {}, 0x7e2", out(reg) cycles, options(nomem, nostack)) };
    u64::from(cycles)
}

/// Takes `turns` turns of a subtraction and a branch.
pub(crate) fn delay(turns: u32) {
    // Half of what it is told, and one.
    riscv::asm::delay(2 * (turns - 1));
}

// SAFETY: riscv-rt calls the function of this name for every exception, with a reference that is not used.
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &riscv_rt::TrapFrame) -> ! {
    defmt::error!("exception {=usize} at {=usize:#010x}", mcause::read().code(), mepc::read());
    exit(1)
}
