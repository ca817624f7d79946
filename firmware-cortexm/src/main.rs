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
#[cfg_attr(target_arch = "arm", path = "cpu/arm.rs")]
#[cfg_attr(target_arch = "riscv32", path = "cpu/riscv.rs")]
mod cpu;
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

#[cfg(feature = "rtt")]
use defmt_rtt as _;
#[cfg(feature = "qemu")]
use defmt_semihosting as _;

#[cfg(all(feature = "qemu", feature = "rtt"))]
compile_error!("choose one of the features `qemu` and `rtt`");
#[cfg(all(feature = "rtt", not(baked_model)))]
compile_error!("the feature `rtt` needs a model in the program: set MODEL=path/to/model.ffm");

/// The second stage of the boot loader, which the RP2040 reads from the start of its flash.
#[cfg(feature = "rp2040")]
#[expect(unsafe_code, reason = "the linker puts it into a section of its own")]
// SAFETY: the section holds nothing else.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT_LOADER: [u8; 256] = rp2040_boot2::BOOT_LOADER_GENERIC_03H;

#[cpu::entry]
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
    cpu::start()?;
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
