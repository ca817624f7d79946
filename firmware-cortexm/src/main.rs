//! The device program; the library of this package describes it.
#![no_std]
#![no_main]

#[cfg(not(baked_model))]
mod benchmark;
mod board;
mod clock;
#[cfg(not(baked_model))]
mod compare;
mod count;
#[cfg(not(baked_model))]
mod draw;
mod evaluator;
mod failure;
mod fault;
mod model_source;
mod sequence;
mod stack;

#[cfg(not(baked_model))]
#[path = "job/files.rs"]
mod job;
#[cfg(baked_model)]
#[path = "job/walk.rs"]
mod job;

use cortex_m_rt::entry;
#[cfg(feature = "rtt")]
use defmt_rtt as _;
#[cfg(feature = "qemu")]
use defmt_semihosting as _;

#[cfg(all(feature = "qemu", feature = "rtt"))]
compile_error!("choose one of the features `qemu` and `rtt`");
#[cfg(all(feature = "rtt", not(baked_model)))]
compile_error!("the feature `rtt` needs a model in the program: set MODEL=path/to/model.ffm");

#[entry]
fn main() -> ! {
    let code = match run() {
        Ok(()) => {
            defmt::info!("done");
            0
        }
        Err(failure) => {
            defmt::error!("failed: {}", failure);
            1
        }
    };
    exit(code)
}

fn run() -> Result<(), failure::Failure> {
    let peripherals = cortex_m::Peripherals::take().ok_or(failure::Failure::Restarted)?;
    clock::start(peripherals.SYST);
    defmt::info!("boot board={=str}", board::NAME);
    defmt::info!(
        "clock instructions={=u32} ticks={=u64}",
        firmware_cortexm::protocol::CALIBRATION_INSTRUCTIONS,
        clock::calibrate()
    );
    job::run()
}

/// Ends the program under QEMU or probe-rs. Without either a breakpoint instruction faults, and the core stops.
fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}
