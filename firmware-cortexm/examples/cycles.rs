//! Measures an evaluation in cycles of the core's clock, on a real Cortex-M3 or larger: the counter is part of its
//! debug unit, the DWT.
//!
//! QEMU has no such counter; the program says so there. `cargo xtask bench` counts instructions instead.
//!
//! ```text
//! BOARD=stm32f407 cargo build -p firmware-cortexm --example cycles --features rtt --target thumbv7em-none-eabihf --profile firmware
//! ```
#![no_std]
#![no_main]

mod common;

use common::{MEASUREMENTS, Thermocouple, exit, millivolts};
use cortex_m::peripheral::DWT;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    let mut thermocouple = Thermocouple::new();
    let Some(mut peripherals) = cortex_m::Peripherals::take() else { exit(1) };
    if !DWT::has_cycle_counter() {
        defmt::warn!("this core has no cycle counter");
        exit(0);
    }
    peripherals.DCB.enable_trace();
    peripherals.DWT.enable_cycle_counter();
    for measurement in 0..MEASUREMENTS {
        let millivolts = millivolts(measurement);
        let begin = DWT::cycle_count();
        let celsius = thermocouple.celsius(millivolts);
        // The counter wraps; the difference does not care.
        let cycles = DWT::cycle_count().wrapping_sub(begin);
        if cycles == 0 {
            defmt::warn!("the cycle counter of this core does not count");
            exit(0);
        }
        defmt::info!("{=f32} mV: {=f32} degC in {=u32} cycles", millivolts, celsius, cycles);
    }
    exit(0)
}
