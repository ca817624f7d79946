//! With [embassy](https://embassy.dev): one task measures, another one evaluates, a channel lies between them.
//!
//! ```text
//! cargo build -p firmware-cortexm --example embassy --features example-embassy,qemu --target thumbv7em-none-eabihf --profile firmware
//! ```
#![no_std]
#![no_main]

mod common;

use common::{MEASUREMENTS, Thermocouple, exit, millivolts};
use embassy_executor::Spawner;
use embassy_sync::blocking_mutex::raw::ThreadModeRawMutex;
use embassy_sync::channel::Channel;

/// Voltages in millivolts that are not evaluated yet.
static VOLTAGES: Channel<ThreadModeRawMutex, f32, 4> = Channel::new();

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let Ok(measuring) = measure() else { exit(1) };
    spawner.spawn(measuring);
    let mut thermocouple = Thermocouple::new();
    for _ in 0..MEASUREMENTS {
        let millivolts = VOLTAGES.receive().await;
        defmt::info!("{=f32} mV: {=f32} degC", millivolts, thermocouple.celsius(millivolts));
    }
    exit(0)
}

/// Measures as fast as the channel takes it. A timer or a converter's interrupt would set the pace.
#[embassy_executor::task]
async fn measure() {
    for measurement in 0..MEASUREMENTS {
        VOLTAGES.send(millivolts(measurement)).await;
    }
}
