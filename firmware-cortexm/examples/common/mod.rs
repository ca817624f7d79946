//! What the examples share: a sensor and its model, and the ends of a program.

use core::panic::PanicInfo;

use cortex_m as _; // its critical sections
#[cfg(feature = "rtt")]
use defmt_rtt as _;
#[cfg(feature = "qemu")]
use defmt_semihosting as _;
use firmware_core::{Aligned, Model, Scratch};

/// The model, in flash. It is the one of firmware-core's README.
static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../firmware-core/models/thermocouple.ffm"));

/// How many measurements an example takes before it ends.
pub(crate) const MEASUREMENTS: u32 = 8;

/// Ticks of the core's clock between two measurements, where a timer sets the pace.
#[allow(dead_code, reason = "not every example has a timer")]
pub(crate) const PERIOD: u32 = 160_000;

/// A type K thermocouple.
pub(crate) struct Thermocouple {
    model: Model<'static>,
    scratch: Scratch<16>,
}

impl Thermocouple {
    /// Checks the model; a program does so once, at boot.
    pub(crate) fn new() -> Self {
        let Ok(model) = Model::parse(&MODEL.0) else { refused("the model is damaged, or needs another version") };
        let mut scratch = Scratch::new();
        if model.self_test(&mut scratch).is_err() {
            refused("this device does not compute what the trainer computed");
        }
        Self { model, scratch }
    }

    /// The temperature in degrees Celsius at a voltage in millivolts.
    pub(crate) fn celsius(&mut self, millivolts: f32) -> f32 {
        let mut celsius = [0.0];
        if self.model.eval_into(&[millivolts], &mut self.scratch, &mut celsius).is_err() {
            refused("the scratch is too small for the model");
        }
        celsius[0]
    }
}

/// The voltage of a measurement, in millivolts: a ramp that stands in for a converter. Read your converter here.
pub(crate) fn millivolts(measurement: u32) -> f32 {
    6.25 * measurement as f32
}

/// Ends the program under QEMU or probe-rs; elsewhere the core stops.
pub(crate) fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}

fn refused(reason: &str) -> ! {
    defmt::error!("{=str}", reason);
    exit(1)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    refused("panicked")
}
