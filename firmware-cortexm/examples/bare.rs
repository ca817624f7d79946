//! A loop without an operating system: the timer of the core wakes it, it measures, evaluates and reports.
//!
//! ```text
//! BOARD=nrf52840dk cargo build -p firmware-cortexm --example bare --features rtt --target thumbv7em-none-eabihf --profile firmware
//! ```
#![no_std]
#![no_main]

mod common;

use common::{MEASUREMENTS, PERIOD, Thermocouple, exit, millivolts};
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};

#[entry]
fn main() -> ! {
    let mut thermocouple = Thermocouple::new();
    if let Some(mut peripherals) = cortex_m::Peripherals::take() {
        peripherals.SYST.set_clock_source(SystClkSource::Core);
        peripherals.SYST.set_reload(PERIOD - 1);
        peripherals.SYST.clear_current();
        peripherals.SYST.enable_counter();
        peripherals.SYST.enable_interrupt();
    }
    for measurement in 0..MEASUREMENTS {
        cortex_m::asm::wfi();
        let millivolts = millivolts(measurement);
        defmt::info!("{=f32} mV: {=f32} degC", millivolts, thermocouple.celsius(millivolts));
    }
    exit(0)
}

/// Only wakes the loop.
#[exception]
fn SysTick() {}
