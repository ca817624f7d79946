//! The boards that QEMU emulates and the firmware is tested on.
//!
//! What the linker needs (memory regions) is in `firmware-cortexm/memory/<name>.x`; the harness reads the addresses back from
//! the program's symbols.

use anyhow::{Context as _, Result};

/// One board of the test bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// The name used on command lines, in `BOARD` and for the memory layout; also QEMU's name of the machine.
    pub name: &'static str,
    /// The core.
    pub core: &'static str,
    /// Rust's target triple.
    pub target: &'static str,
    /// `-C target-cpu`, where the triple alone leaves out instructions of the core.
    pub target_cpu: Option<&'static str>,
    /// What SysTick counts under QEMU, in Hz. With one instruction a nanosecond, a tick is 10⁹ / `clock_hz` instructions.
    pub clock_hz: u32,
    /// Whether the core has single-precision floating point in hardware.
    pub has_fpu: bool,
}

/// The board of commands that are not told one.
pub const DEFAULT: &str = "mps2-an386";

/// Every board.
pub const BOARDS: [Board; 6] = [
    Board {
        name: "microbit",
        core: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        target_cpu: None,
        clock_hz: 16_000_000,
        has_fpu: false,
    },
    Board {
        name: "mps2-an385",
        core: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        target_cpu: None,
        clock_hz: 25_000_000,
        has_fpu: false,
    },
    Board {
        name: "mps2-an386",
        core: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        target_cpu: Some("cortex-m4"),
        clock_hz: 25_000_000,
        has_fpu: true,
    },
    Board {
        name: "mps2-an500",
        core: "Cortex-M7",
        target: "thumbv7em-none-eabihf",
        target_cpu: Some("cortex-m7"),
        clock_hz: 25_000_000,
        has_fpu: true,
    },
    Board {
        name: "mps2-an505",
        core: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m33"),
        clock_hz: 20_000_000,
        has_fpu: true,
    },
    Board {
        name: "mps3-an547",
        core: "Cortex-M55",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m55"),
        clock_hz: 32_000_000,
        has_fpu: true,
    },
];

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    ///
    /// Where there is none; the message lists the names.
    pub fn find(name: &str) -> Result<&'static Self> {
        BOARDS.iter().find(|board| board.name == name).with_context(|| {
            let names = BOARDS.map(|board| board.name).join(", ");
            format!("no board is called {name:?}; choose one of {names}")
        })
    }

    /// Converts ticks of SysTick to instructions.
    pub fn instructions(&self, ticks: u64) -> f64 {
        ticks as f64 * 1e9 / f64::from(self.clock_hz)
    }
}
