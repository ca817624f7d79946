//! With [RTIC](https://rtic.rs) 2: a task of low priority evaluates, a task of high priority measures and is never
//! delayed by it.
//!
//! The interrupts are those of the chip LM3S6965, for which RTIC has its own examples. Take the crate of your chip
//! instead.
//!
//! ```text
//! cargo build -p firmware-cortexm --example rtic --features example-rtic,qemu --target thumbv7em-none-eabihf --profile firmware
//! ```
#![no_std]
#![no_main]

mod common;

#[rtic::app(device = lm3s6965, dispatchers = [GPIOA])]
mod app {
    use crate::common::{MEASUREMENTS, PERIOD, Thermocouple, exit, millivolts};
    use cortex_m::peripheral::syst::SystClkSource;

    #[shared]
    struct Shared {}

    #[local]
    struct Local {
        thermocouple: Thermocouple,
    }

    #[init]
    fn init(context: init::Context) -> (Shared, Local) {
        let mut timer = context.core.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(PERIOD - 1);
        timer.clear_current();
        timer.enable_counter();
        timer.enable_interrupt();
        (Shared {}, Local { thermocouple: Thermocouple::new() })
    }

    #[task(binds = SysTick, priority = 2, local = [measurement: u32 = 0])]
    fn measure(context: measure::Context) {
        let measurement = *context.local.measurement;
        // While the last one is still being evaluated this is refused, and tried again at the next tick.
        if evaluate::spawn(measurement, millivolts(measurement)).is_ok() {
            *context.local.measurement += 1;
        }
    }

    #[task(priority = 1, local = [thermocouple])]
    async fn evaluate(context: evaluate::Context, measurement: u32, millivolts: f32) {
        let celsius = context.local.thermocouple.celsius(millivolts);
        defmt::info!("{=f32} mV: {=f32} degC", millivolts, celsius);
        if measurement + 1 == MEASUREMENTS {
            exit(0);
        }
    }
}
