//! The boards that QEMU emulates and the firmware is tested on.
//!
//! What the linker needs (memory regions) is in `firmware-cortexm/memory/<name>.x`; the harness reads the addresses
//! back from the program's symbols.

use anyhow::{Context as _, Result};

/// One board of the test bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// The name used on command lines, in `BOARD` and for the memory layout.
    pub name: &'static str,
    /// The options of QEMU that make this machine.
    pub machine: &'static [&'static str],
    /// The core.
    pub core: &'static str,
    /// Rust's target triple.
    pub target: &'static str,
    /// `-C target-cpu`, where the triple alone leaves out instructions of the core.
    pub target_cpu: Option<&'static str>,
    /// What SysTick, or the counter of cycles on RISC-V, counts under QEMU, in Hz. With one instruction a nanosecond, a
    /// tick is 10⁹ / `clock_hz` instructions.
    pub clock_hz: u32,
    /// Whether the core has single-precision floating point in hardware.
    pub has_fpu: bool,
}

/// The board of commands that are not told one.
pub const DEFAULT: &str = "mps2-an386";

/// Every board.
pub const BOARDS: [Board; 8] = [
    Board {
        name: "microbit",
        machine: &["-machine", "microbit"],
        core: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        target_cpu: None,
        clock_hz: 16_000_000,
        has_fpu: false,
    },
    Board {
        name: "mps2-an385",
        machine: &["-machine", "mps2-an385"],
        core: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        target_cpu: None,
        clock_hz: 25_000_000,
        has_fpu: false,
    },
    Board {
        name: "mps2-an386",
        machine: &["-machine", "mps2-an386"],
        core: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        target_cpu: Some("cortex-m4"),
        clock_hz: 25_000_000,
        has_fpu: true,
    },
    Board {
        name: "mps2-an500",
        machine: &["-machine", "mps2-an500"],
        core: "Cortex-M7",
        target: "thumbv7em-none-eabihf",
        target_cpu: Some("cortex-m7"),
        clock_hz: 25_000_000,
        has_fpu: true,
    },
    Board {
        name: "mps2-an505",
        machine: &["-machine", "mps2-an505"],
        core: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m33"),
        clock_hz: 20_000_000,
        has_fpu: true,
    },
    Board {
        name: "mps3-an547",
        machine: &["-machine", "mps3-an547"],
        core: "Cortex-M55",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m55"),
        clock_hz: 32_000_000,
        has_fpu: true,
    },
    Board {
        name: "rv32imac",
        machine: RV32IMAC,
        core: "RV32IMAC",
        target: "riscv32imac-unknown-none-elf",
        target_cpu: None,
        clock_hz: 1_000_000_000,
        has_fpu: false,
    },
    Board {
        name: "rv32imc",
        machine: RV32IMC,
        core: "RV32IMC",
        target: "riscv32imc-unknown-none-elf",
        target_cpu: None,
        clock_hz: 1_000_000_000,
        has_fpu: false,
    },
];

/// Boards that run the kernels of another board, compiled for their own core, and that board: M7 and M33 those of the
/// M4F, RV32IMAC those of RV32IMC.
const KERNELS_OF_ANOTHER: [(&str, &str); 3] =
    [("mps2-an500", "mps2-an386"), ("mps2-an505", "mps2-an386"), ("rv32imac", "rv32imc")];

/// A board that nothing emulates here: the program is linked for it, with a built-in model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealBoard {
    /// The name in `BOARD`, and of the memory layout.
    pub name: &'static str,
    /// The chip, as probe-rs calls it; `None` where it takes more than this program to start the chip.
    pub chip: Option<&'static str>,
    /// Which board of [`BOARDS`] has the same target and flags.
    pub like: &'static str,
    /// The program's features.
    pub features: &'static str,
}

/// Real boards whose memory layouts are linked in the tests.
pub const REAL_BOARDS: [RealBoard; 6] = [
    RealBoard { name: "rp2040", chip: Some("RP2040"), like: "microbit", features: "rtt,rp2040" },
    RealBoard { name: "rp2350", chip: Some("RP235x"), like: "mps2-an505", features: "rtt" },
    RealBoard { name: "rp2350-riscv", chip: Some("RP235x_riscv"), like: "rv32imac", features: "rtt" },
    RealBoard { name: "nrf52840dk", chip: Some("nRF52840_xxAA"), like: "mps2-an386", features: "rtt" },
    RealBoard { name: "stm32f407", chip: Some("STM32F407VGTx"), like: "mps2-an386", features: "rtt" },
    RealBoard { name: "esp32c3", chip: None, like: "rv32imc", features: "rtt" },
];

impl RealBoard {
    /// What to type for this board, as the beginning of a sentence.
    pub fn instructions(&self) -> String {
        let Self { name, chip, like, features } = self;
        let Some(like) = BOARDS.iter().find(|board| board.name == *like) else { return String::new() };
        let (target, cpu) = (like.target, like.target_cpu);
        let Some(chip) = chip else {
            return format!(
                "{name} is a real board, which is started by the boot loader of its maker; call firmware-core from a \
                 program of esp-hal (https://docs.espressif.com/projects/rust), built for {target}"
            );
        };
        let flags = cpu.map(|cpu| format!("RUSTFLAGS=\"-C target-cpu={cpu}\" ")).unwrap_or_default();
        format!(
            "{name} is a real board, which needs a debug probe and probe-rs (https://probe.rs); type \
             `{flags}MODEL=path/to/model.ffm BOARD={name} cargo build -p firmware-cortexm --profile firmware --target {target} --features {features}` \
             and then `probe-rs run --chip {chip} target/{target}/firmware/firmware-cortexm`"
        )
    }
}

/// QEMU's `virt` with a core that has these extensions and no others, so that an instruction of another one is a fault.
const RV32IMAC: &[&str] =
    &["-machine", "virt", "-bios", "none", "-cpu", "rv32,f=off,d=off,zba=off,zbb=off,zbc=off,zbs=off"];
const RV32IMC: &[&str] =
    &["-machine", "virt", "-bios", "none", "-cpu", "rv32,a=off,f=off,d=off,zba=off,zbb=off,zbc=off,zbs=off"];

/// The emulator of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// `qemu-system-arm`.
    Arm,
    /// `qemu-system-riscv32`.
    RiscV,
}

impl Emulator {
    /// The program's name.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Arm => "qemu-system-arm",
            Self::RiscV => "qemu-system-riscv32",
        }
    }

    /// The environment variable that may name another program.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Arm => "QEMU",
            Self::RiscV => "QEMU_RISCV32",
        }
    }
}

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    ///
    /// Where there is none. The message lists the names; for a real board it tells the commands that build and flash.
    pub fn find(name: &str) -> Result<&'static Self> {
        BOARDS.iter().find(|board| board.name == name).with_context(|| {
            let names = BOARDS.map(|board| board.name).join(", ");
            match REAL_BOARDS.iter().find(|board| board.name == name) {
                Some(board) => format!("{}; without a board choose one of {names}", board.instructions()),
                None => {
                    let real = REAL_BOARDS.map(|board| board.name).join(", ");
                    format!("no board is called {name:?}; choose one of {names}; real boards are {real}")
                }
            }
        })
    }

    /// Whether it is the board that stands for its kernels, where several run the same ones.
    pub fn stands_for_its_kernels(&self) -> bool {
        self.has_kernels_of() == self.name
    }

    /// The board that stands for its kernels: this one, or another.
    pub fn has_kernels_of(&self) -> &'static str {
        KERNELS_OF_ANOTHER.iter().find(|(name, _)| *name == self.name).map_or(self.name, |(_, other)| other)
    }

    /// What emulates it.
    pub fn emulator(&self) -> Emulator {
        if self.target.starts_with("riscv") { Emulator::RiscV } else { Emulator::Arm }
    }

    /// Converts ticks of the board's counter to instructions.
    pub fn instructions(&self, ticks: u64) -> f64 {
        ticks as f64 * 1e9 / f64::from(self.clock_hz)
    }
}
