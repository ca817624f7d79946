//! A device that takes updates of its model over a serial line: for QEMU's boards of the MPS2 family, and to copy from.
//!
//! The two slots lie in the board's region `MODEL`, which is RAM under QEMU and is used as NOR flash here. `PUBLIC_KEY`
//! names the file with the maker's public key when the program is built:
//!
//! ```text
//! PUBLIC_KEY=maker.key.pub BOARD=mps2-an386 cargo build -p firmware-cortexm --bin updater \
//!     --profile firmware --target thumbv7em-none-eabihf --features updater
//! qemu-system-arm -machine mps2-an386 -nographic -monitor none -serial tcp:127.0.0.1:4444,server=on,wait=off \
//!     -semihosting-config enable=on,target=native -kernel target/thumbv7em-none-eabihf/firmware/updater
//! ```
//!
//! `trainer send MODEL.ffu --port 127.0.0.1:4444` then sends it a model. After each update it logs the
//! deepest stack, and decides anew what to serve, as it would at a start.
#![no_std]
#![no_main]

#[path = "../../fault.rs"]
mod fault;
mod flash;
#[path = "../../stack.rs"]
mod stack;
mod uart;

use cortex_m_rt::entry;
use defmt_semihosting as _;
use firmware_cortexm::update::{Ed25519, Store, Updater};

use self::flash::RamFlash;

/// Scratch memory of the evaluation, in words.
const SCRATCH_WORDS: usize = 4096;
static PUBLIC_KEY: &[u8; 32] = include_bytes!(concat!(env!("OUT_DIR"), "/public_key"));

#[entry]
fn main() -> ! {
    let (Some(mut slots), Some(scratch)) =
        (flash::slots(), cortex_m::singleton!(: [u32; SCRATCH_WORDS] = [0; SCRATCH_WORDS]))
    else {
        defmt::error!("failed: the memory was taken before");
        exit(1)
    };
    let Some(key) = Ed25519::new(PUBLIC_KEY) else {
        defmt::error!("failed: the public key is not one of Ed25519");
        exit(1)
    };
    let mut line = uart::Uart::start();
    loop {
        let painted = stack::paint();
        slots = serve(slots, key, &mut line, scratch);
        defmt::info!(
            "updated stack={=usize} updater={=usize}",
            painted.used_bytes(),
            size_of::<Updater<RamFlash, Ed25519>>()
        );
    }
}

/// Decides what to serve, as at a start, and serves the line until one update has ended. All that this needs of the
/// stack is below the caller's frame, the [`Updater`] included.
#[inline(never)]
fn serve(slots: [RamFlash; 2], key: Ed25519, line: &mut uart::Uart, scratch: &mut [u32]) -> [RamFlash; 2] {
    let store = match Store::open(slots, key, 0, scratch) {
        Ok(store) => store,
        Err(error) => {
            defmt::error!("failed: {}", error);
            exit(1)
        }
    };
    match store.model() {
        Ok(model) => defmt::info!(
            "serving version={=u16} checksum={=u32:#010x}",
            store.status().version.unwrap_or_default(),
            model.checksum()
        ),
        Err(none) => defmt::warn!("serving nothing: {}", none),
    }
    let mut updater = Updater::new(store);
    let _ = updater.serve(line, scratch);
    updater.into_store().into_slots()
}

/// Ends the program under QEMU.
fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}
