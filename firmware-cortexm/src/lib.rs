//! The device program `firmware-cortexm`, and what it agrees on with its host.
//!
//! One program serves QEMU and real boards. At boot it parses the model, repeats the known-answer test that the
//! artifact carries, and refuses to serve if a single bit differs. Then it does a job, logs the result through defmt,
//! and exits: 0 for success, 1 for a wrong result, a refused model or a panic.
//!
//! # Under QEMU
//!
//! `cargo xtask device MODEL.ffm INPUT` builds and runs it. By hand:
//!
//! ```text
//! BOARD=mps2-an386 cargo build -p firmware-cortexm --profile firmware --target thumbv7em-none-eabihf --features qemu
//! ```
//!
//! The model lies where the loader device of QEMU put it (region `MODEL` of `memory/<board>.x`), and the job comes from
//! files in QEMU's working directory: see [`protocol`]. So one build serves every model and every set of points.
//!
//! # On a board
//!
//! `MODEL` names an artifact to be built into the program, relative to the workspace; the job is then a walk over the
//! domain. With a debug probe and [probe-rs](https://probe.rs):
//!
//! ```text
//! MODEL=runs/camera/model.ffm BOARD=nrf52840dk \
//!     cargo build -p firmware-cortexm --profile firmware --target thumbv7em-none-eabihf --features rtt
//! probe-rs run --chip nRF52840_xxAA target/thumbv7em-none-eabihf/firmware/firmware-cortexm
//! ```
//!
//! `probe-rs run` shows the log and returns the program's exit code. `cargo xtask device` with the name of a real board
//! tells its commands. Another board is one more file in `memory/`: regions `FLASH`, `MODEL` (unused with a built-in
//! model) and `RAM`, and `CONSTANTS` where a RISC-V core reads constants at other addresses than instructions.
//!
//! # Updates
//!
//! The feature `update` is a library for any firmware: a device takes signed models over a line and survives any power
//! cut. The README of this package tells how it is used, and the module `update` how it works.
//!
//! # Counts
//!
//! The program counts ticks of SysTick at the core's clock, or on RISC-V cycles (`mcycle`). QEMU with `-icount shift=0`
//! executes one instruction a nanosecond, so that ticks are instructions divided by a constant of the board. The
//! program also times a loop of known length, from which the host checks that constant. On a real board the ticks are
//! cycles.
#![no_std]

pub mod protocol;
#[cfg(feature = "update")]
pub mod update;
