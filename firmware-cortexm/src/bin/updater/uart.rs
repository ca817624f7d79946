//! The first serial line of the MPS2 boards: the UART of ARM's Cortex-M System Design Kit (DDI 0479, chapter 4.3).
#![expect(unsafe_code, reason = "registers of a peripheral can only be reached through raw pointers")]

use core::convert::Infallible;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use embedded_io::{ErrorType, Read, Write};

const BASE: *mut u32 = 0x4000_4000 as *mut u32;
/// Registers, in words from the base.
const DATA: usize = 0;
const STATE: usize = 1;
const CONTROL: usize = 2;
const INTERRUPTS: usize = 3;
const DIVIDER: usize = 4;

const TRANSMIT_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 2;
const RECEIVE_INTERRUPT: u32 = 2;

/// The interrupt of a byte that has arrived. It only ends the core's sleep: interrupts are masked.
#[derive(Clone, Copy)]
struct Arrived;

// SAFETY: the number is that of the boards' manual.
unsafe impl InterruptNumber for Arrived {
    fn number(self) -> u16 {
        0
    }
}

/// The line, for whoever starts it.
pub(crate) struct Uart(());

impl Uart {
    /// Switches both directions on.
    pub(crate) fn start() -> Self {
        let mut uart = Self(());
        // 25 MHz / 217 = 115,207 bits per second.
        uart.set(DIVIDER, 217);
        uart.set(CONTROL, 0b1011);
        cortex_m::interrupt::disable();
        // SAFETY: interrupts are masked, so that no handler runs.
        unsafe { NVIC::unmask(Arrived) };
        uart
    }

    fn get(&self, register: usize) -> u32 {
        // SAFETY: a register of a peripheral that these boards have at this address.
        unsafe { BASE.add(register).read_volatile() }
    }

    fn set(&mut self, register: usize, value: u32) {
        // SAFETY: as above.
        unsafe { BASE.add(register).write_volatile(value) }
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl Read for Uart {
    /// Waits for one byte.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(place) = bytes.first_mut() else { return Ok(0) };
        while self.get(STATE) & RECEIVE_FULL == 0 {
            cortex_m::asm::wfi();
        }
        self.set(INTERRUPTS, RECEIVE_INTERRUPT);
        NVIC::unpend(Arrived);
        *place = self.get(DATA) as u8;
        Ok(1)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(&byte) = bytes.first() else { return Ok(0) };
        while self.get(STATE) & TRANSMIT_FULL != 0 {}
        self.set(DATA, u32::from(byte));
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
